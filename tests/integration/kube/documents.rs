//! What documentation and examples show can be applied: the API server takes it, defaults, schema and rules included.

use std::collections::BTreeMap;
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use super::namespace::{Namespace, kubectl};
use crate::docs::manifests::{PART, manifests};
use crate::support::{repository, wait_until};

const SOON: Duration = Duration::from_secs(40);

/// What programs read that are no API server: kustomize, which builds it below, and kind, which `docs::ci` is about.
const OF_PROGRAMS: [&str; 2] = ["kind.x-k8s.io/", "kustomize.config.k8s.io/"];

/// Asks the API server whether it would take this; a Secret or a run that is there would be in the way of the next of its name.
fn try_it(namespace: &Namespace, manifest: &Value) -> Result<(), String> {
    let mut manifest = manifest.clone();
    manifest["metadata"]["namespace"] = namespace.name.clone().into();
    namespace.try_apply_with(&manifest.to_string(), &["--dry-run=server", "--validate=strict"])
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn every_manifest_that_is_shown_is_taken() {
    let namespace = Namespace::create("documents");
    let of_others = repository("tests/fixtures/definitions-of-others.yaml");
    kubectl(&["apply", "--server-side", "-f", of_others.to_str().unwrap()]).unwrap();
    let mut shown = manifests();
    shown.retain(|(_, one)| {
        let group = one["apiVersion"].as_str().unwrap_or_default();
        !OF_PROGRAMS.iter().any(|other| group.starts_with(other))
    });
    let kinds: BTreeMap<&str, &Value> =
        shown.iter().map(|(_, one)| (one["kind"].as_str().unwrap_or_default(), one)).collect();
    for kind in [
        "Application",
        "ExternalSecret",
        "HelmRelease",
        "HelmRepository",
        "Kustomization",
        "TempestRun",
        "TempestScenario",
        "TempestSchedule",
    ] {
        let mut wrong = (*kinds.get(kind).unwrap_or_else(|| panic!("no {kind} is shown"))).clone();
        wrong["spec"]["misspelt"] = "a field that it does not have".into();
        // A definition is a moment old before what is applied is held against it.
        wait_until(&format!("a wrong {kind} is refused"), SOON, || {
            try_it(&namespace, &wrong).is_err_and(|error| error.contains("spec.misspelt"))
        });
    }
    for (place, manifest) in &shown {
        try_it(&namespace, manifest).unwrap_or_else(|error| panic!("{place}: {error}"));
    }
    assert!(shown.iter().any(|(_, one)| one["metadata"]["name"] == PART), "no part of a run is shown");
}

/// What Argo CD and Flux make of the folders that they apply.
#[rstest]
#[case::of_both("verification", &["ExternalSecret", "TempestRun", "TempestSchedule"])]
#[case::of_flux("smoke", &["TempestRun"])]
#[ignore = "needs kubectl: tests/run kube"]
fn the_folders_for_git_build_with_all_that_they_hold(#[case] folder: &str, #[case] kinds: &[&str]) {
    let folder = repository("examples/gitops").join(folder);
    let built = kubectl(&["kustomize", folder.to_str().unwrap()]).unwrap();
    for kind in kinds {
        assert!(built.contains(&format!("kind: {kind}\n")), "{kind}: {built}");
    }
}
