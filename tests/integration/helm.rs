//! Real Helm, of both generations, and our chart.

use std::process::Command;

use serde_json::Value;

use crate::support::{finish, repository, testbed, told};

/// The release in every test.
pub const RELEASE: &str = "tempest-operator";

/// Which generation of Helm.
#[derive(Clone, Copy, Debug)]
pub enum Helm {
    Three,
    Four,
}

impl Helm {
    /// What it writes to standard output; everything it wrote when it fails.
    pub fn run(self, arguments: &[&str]) -> Result<String, String> {
        let program = match self {
            Self::Three => testbed("HELM3"),
            Self::Four => testbed("HELM"),
        };
        let output = finish(Command::new(program).args(arguments));
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(told(&output))
        }
    }

    /// Renders the chart for a release in `namespace`, with these options of `helm template`.
    pub fn template(self, namespace: &str, options: &[&str]) -> Result<String, String> {
        let chart = chart();
        self.run(&[&["template", RELEASE, &chart, "--namespace", namespace], options].concat())
    }
}

/// The chart's folder.
pub fn chart() -> String {
    repository("charts/tempest-operator").display().to_string()
}

/// `--set` for each of these.
pub fn set<'a>(values: &[&'a str]) -> Vec<&'a str> {
    values.iter().flat_map(|value| ["--set", value]).collect()
}

/// The chart's service account and roles, as a manifest, for an operator in `namespace` that serves it.
pub fn roles(namespace: &str) -> String {
    let only = ["--show-only", "templates/serviceaccount.yaml", "--show-only", "templates/rbac.yaml"];
    Helm::Four.template(namespace, &only).unwrap()
}

/// The objects of a manifest.
pub fn objects(manifest: &str) -> Vec<Value> {
    let all: Vec<Value> =
        serde_saphyr::from_multiple(manifest).unwrap_or_else(|error| panic!("{error}\n{manifest}"));
    all.into_iter().filter(|object| !object.is_null()).collect()
}

/// Those of this kind.
pub fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}
