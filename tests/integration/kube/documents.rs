//! What documentation and examples show can be applied: the API server takes it, defaults, schema and rules included.

use std::collections::BTreeSet;

use super::namespace::{Namespace, kubectl};
use crate::docs::manifests::manifests;
use crate::support::repository;

/// Kinds of others, whose definitions are not in this cluster: Argo CD, Flux, the External Secrets operator.
const OF_OTHERS: [&str; 6] = [
    "argoproj.io/",
    "external-secrets.io/",
    "helm.toolkit.fluxcd.io/",
    "kustomize.config.k8s.io/",
    "kustomize.toolkit.fluxcd.io/",
    "source.toolkit.fluxcd.io/",
];

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn every_manifest_that_is_shown_is_taken() {
    let namespace = Namespace::create("documents");
    let mut taken = BTreeSet::new();
    for (place, mut manifest) in manifests() {
        let group = manifest["apiVersion"].as_str().unwrap_or_default().to_owned();
        if OF_OTHERS.iter().any(|other| group.starts_with(other)) {
            continue;
        }
        manifest["metadata"]["namespace"] = namespace.name.clone().into();
        // Only asked: a Secret or a run that is there would be in the way of the next of its name.
        namespace
            .try_apply_with(&manifest.to_string(), &["--dry-run=server", "--validate=strict"])
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        taken.insert(manifest["kind"].as_str().unwrap_or_default().to_owned());
    }
    for kind in ["TempestRun", "TempestScenario", "TempestSchedule"] {
        assert!(taken.contains(kind), "no {kind} is shown");
    }
}

/// What Argo CD and Flux make of the folder that both apply.
#[test]
#[ignore = "needs kubectl: tests/run kube"]
fn the_folder_for_git_builds_with_all_that_it_holds() {
    let folder = repository("examples/gitops/verification");
    let built = kubectl(&["kustomize", folder.to_str().unwrap()]).unwrap();
    for kind in ["ExternalSecret", "TempestRun", "TempestSchedule"] {
        assert!(built.contains(&format!("kind: {kind}\n")), "{kind}: {built}");
    }
}
