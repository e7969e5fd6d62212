//! A namespace that a release of the chart is installed in.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::helm::{Helm, RELEASE, chart, set};
use crate::kube::namespace::kubectl;
use crate::support::{finish, repository, told, wait_until};

const SOON: Duration = Duration::from_secs(40);
const DEFINITIONS: [&str; 3] = [
    "tempestruns.crossservice.dev",
    "tempestscenarios.crossservice.dev",
    "tempestschedules.crossservice.dev",
];

/// A namespace for a release.
pub struct Site {
    /// Where it is.
    pub namespace: String,
    /// What installs it.
    pub helm: Helm,
}

impl Site {
    /// The namespace, in a cluster without our definitions: those of an earlier test are taken away.
    pub fn new(name: &str, helm: Helm) -> Self {
        let delete = ["delete", "crds", "--ignore-not-found", "--timeout=40s"];
        kubectl(&[&delete[..], &DEFINITIONS].concat()).unwrap();
        Self::beside(name, helm)
    }

    /// The namespace beside those of other tests: definitions stay as they are.
    pub fn beside(name: &str, helm: Helm) -> Self {
        let namespace = format!("chart-{name}-{:08x}", rand::random::<u32>());
        kubectl(&["create", "namespace", &namespace]).unwrap();
        Self { namespace, helm }
    }

    /// `helm VERB RELEASE CHART` with these values.
    pub fn release(&self, verb: &str, values: &[&str]) {
        self.try_release(verb, &set(values)).unwrap_or_else(|error| panic!("{error}"));
    }

    /// The same with these options; what Helm wrote when it fails.
    pub fn try_release(&self, verb: &str, options: &[&str]) -> Result<String, String> {
        let chart = chart();
        self.helm.run(&[&[verb, RELEASE, &chart, "--namespace", &self.namespace], options].concat())
    }

    /// Helm in this namespace, which must succeed.
    pub fn helm(&self, arguments: &[&str]) -> String {
        let all: Vec<&str> = arguments.iter().copied().chain(["--namespace", &self.namespace]).collect();
        self.helm.run(&all).unwrap_or_else(|error| panic!("{error}"))
    }

    /// kubectl in this namespace; what it wrote when it fails.
    pub fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let all: Vec<&str> = ["-n", &self.namespace].iter().chain(arguments).copied().collect();
        kubectl(&all)
    }

    /// kubectl in this namespace, which must succeed.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Applies a manifest, which must succeed.
    pub fn apply(&self, manifest: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), manifest).unwrap();
        self.kubectl(&["apply", "-f", file.path().to_str().unwrap()]);
    }

    /// The notes have a manifest between two lines that the shell understands only at their begin.
    pub fn the_run_of_the_notes_is_accepted(&self) {
        let notes = self.helm(&["get", "notes", RELEASE]);
        let manifest = notes.split_once("<<END\n").and_then(|(_, rest)| rest.split_once("\nEND\n"));
        let (manifest, after) = manifest.unwrap_or_else(|| panic!("{notes}"));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), manifest).unwrap();
        let file = file.path().to_str().unwrap();
        self.kubectl(&["create", "--dry-run=server", "--validate=strict", "-f", file]);
        assert!(after.contains("wait --for=condition=Finished tempestrun/first"), "{notes}");
    }

    /// The operator's Deployment.
    pub fn deployment(&self) -> Value {
        serde_json::from_str(&self.kubectl(&["get", "deployment", RELEASE, "-o", "json"])).unwrap()
    }

    /// What the operator is given as this option.
    pub fn argument(&self, name: &str) -> Option<String> {
        let deployment = self.deployment();
        let all = deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array().unwrap().clone();
        all.iter().find_map(|one| one.as_str()?.strip_prefix(&format!("--{name}=")).map(str::to_owned))
    }

    /// Tells one run `mine` from another.
    pub fn uid_of_run(&self) -> String {
        self.kubectl(&["get", "tempestrun", "mine", "-o", "jsonpath={.metadata.uid}"])
    }

    /// The operator's user in the API server.
    pub fn operator(&self) -> String {
        format!("system:serviceaccount:{}:{RELEASE}", self.namespace)
    }

    /// A kubeconfig of a service account of the namespace.
    pub fn access(&self, account: &str, folder: &tempfile::TempDir) -> std::path::PathBuf {
        let testbed = repository("tests/testbed/kube");
        let access = finish(Command::new(testbed).args(["kubeconfig-for", &self.namespace, account]));
        assert!(access.status.success(), "{}", told(&access));
        let file = folder.path().join(account);
        std::fs::write(&file, &access.stdout).unwrap();
        file
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // While there still may be an operator that lets them go.
        let _ = self.try_kubectl(&["delete", "tempestruns", "--all", "--timeout=60s"]);
        let _ = self.helm.run(&["uninstall", RELEASE, "--namespace", &self.namespace]);
        let _ = kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
    }
}

/// Whether the cluster has them.
pub fn definitions_are_there() -> bool {
    kubectl(&[&["get", "crds"], &DEFINITIONS[..]].concat()).is_ok()
}

/// Waits until objects of ours can be asked for.
pub fn until_served() {
    wait_until("the definitions are served", SOON, || {
        kubectl(&["get", "tempestruns,tempestscenarios,tempestschedules", "-A"]).is_ok()
    });
}
