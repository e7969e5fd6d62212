//! Real Helm on a real API server: install, upgrade, roll back, uninstall, and what is left then.
//!
//! The definitions belong to the whole cluster, and here they come and go: the cluster is one of its own, and the tests
//! take turns (`.config/nextest.toml`).

use std::process::{Command, Stdio};
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use super::site::{Site, definitions_are_there, until_served};
use crate::helm::{Helm, RELEASE, objects, of_kind};
use crate::kube::namespace::{free_port, kubectl, served};
use crate::support::{Process, binary, finish, three_free_ports, told, wait_until};

const SOON: Duration = Duration::from_secs(40);
const RUN: &str = "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {name: mine}\nspec: \
                   {cloud: {secretRef: {name: my-cloud}, zoneSuffix: verify.example.}}\n";

/// Whether somebody may do something, such as `get secrets`, in a namespace.
fn may(who: &str, what: &str, namespace: &str) -> bool {
    let mut arguments = vec!["auth", "can-i", "--as", who, "-n", namespace];
    arguments.extend(what.split(' '));
    kubectl(&arguments).is_ok_and(|answer| answer.trim() == "yes")
}

/// Waits until somebody may: the API server hears of new roles a moment later.
fn until_allowed(who: &str, what: &str, namespace: &str) {
    wait_until(&format!("{who} may {what} in {namespace}"), SOON, || may(who, what, namespace));
}

#[rstest]
#[case::helm_3("three", Helm::Three)]
#[case::helm_4("four", Helm::Four)]
#[ignore = "needs Helm and the Kubernetes test bed: tests/run chart"]
fn a_release_comes_changes_goes_back_and_leaves_the_runs(#[case] name: &str, #[case] helm: Helm) {
    let site = Site::new(name, helm);
    site.release("install", &[]);
    until_served();
    site.the_run_of_the_notes_is_accepted();
    site.apply(RUN);
    let uid = site.uid_of_run();
    assert_eq!(site.argument("max-concurrent-runs").as_deref(), Some("10"));

    site.release("upgrade", &["controller.maxConcurrentRuns=20"]);
    assert_eq!(site.argument("max-concurrent-runs").as_deref(), Some("20"));
    site.helm(&["rollback", RELEASE, "1"]);
    assert_eq!(site.argument("max-concurrent-runs").as_deref(), Some("10"));
    assert_eq!(site.uid_of_run(), uid);

    site.helm(&["uninstall", RELEASE]);
    let left =
        site.kubectl(&["get", "deployments,serviceaccounts,roles,rolebindings,services", "-o", "name"]);
    assert!(!left.contains(RELEASE), "{left}");
    assert!(definitions_are_there());
    assert_eq!(site.uid_of_run(), uid, "the run is the same after all");

    // The release takes up what it left, and takes it away when it was told to.
    site.release("install", &["crds.keep=false"]);
    assert_eq!(site.uid_of_run(), uid);
    site.helm(&["uninstall", RELEASE]);
    wait_until("the definitions are gone", SOON, || !definitions_are_there());
}

#[test]
#[ignore = "needs Helm and the Kubernetes test bed: tests/run chart"]
fn another_release_takes_the_definitions_over_only_when_told_to() {
    let (old, new) = (Site::new("old", Helm::Four), Site::new("new", Helm::Four));
    old.release("install", &[]);
    old.helm(&["uninstall", RELEASE]);
    let refused = new.try_release("install", &[]).unwrap_err();
    assert!(refused.contains("tempestruns.crossservice.dev") && refused.contains("ownership"), "{refused}");
    new.try_release("upgrade", &["--install", "--take-ownership"]).unwrap();
    assert_eq!(new.argument("namespace").as_deref(), Some(new.namespace.as_str()));
}

#[test]
#[ignore = "needs Helm and the Kubernetes test bed: tests/run chart"]
fn a_namespaced_release_may_do_nothing_elsewhere_and_makes_nothing_of_the_cluster() {
    let site = Site::new("namespaced", Helm::Four);
    site.release("install", &[]);
    let label = format!("app.kubernetes.io/instance={RELEASE}");
    let cluster = kubectl(&["get", "clusterroles,clusterrolebindings", "-l", &label, "-o", "name"]).unwrap();
    assert_eq!(cluster, "");
    let (operator, here) = (site.operator(), site.namespace.as_str());
    for allowed in [
        "list tempestruns",
        "patch tempestruns --subresource=status",
        // For the schedules.
        "create tempestruns",
        "get secrets",
        "create configmaps",
        // For runs in pods of their own.
        "create jobs.batch",
        "create events.events.k8s.io",
        "create leases.coordination.k8s.io",
        "update leases.coordination.k8s.io/tempest-operator",
    ] {
        until_allowed(&operator, allowed, here);
    }
    for (refused, namespace) in [
        ("list secrets", here),
        ("watch secrets", here),
        ("create secrets", here),
        ("create pods", here),
        ("create tempestschedules", here),
        ("patch tempestschedules", here),
        ("update leases.coordination.k8s.io/somebody-elses", here),
        ("get secrets", "default"),
        ("list tempestruns", "default"),
        ("list nodes", "default"),
    ] {
        assert!(!may(&operator, refused, namespace), "{refused} in {namespace}");
    }
}

#[test]
#[ignore = "needs Helm and the Kubernetes test bed: tests/run chart"]
fn a_release_may_serve_other_namespaces_and_only_those() {
    let (site, team) = (Site::new("central", Helm::Four), Site::new("team", Helm::Four));
    site.release("install", &[&format!("watchNamespaces={{{}}}", team.namespace)]);
    let operator = site.operator();
    until_allowed(&operator, "list tempestruns", &team.namespace);
    until_allowed(&operator, "create leases.coordination.k8s.io", &site.namespace);
    assert!(!may(&operator, "create leases.coordination.k8s.io", &team.namespace));
    assert!(!may(&operator, "list tempestruns", &site.namespace));
    assert_eq!(site.argument("namespace"), Some(team.namespace.clone()));
    assert_eq!(site.argument("lease-namespace"), Some(site.namespace.clone()));
}

#[test]
#[ignore = "needs Helm and the Kubernetes test bed: tests/run chart"]
fn a_cluster_wide_release_serves_all_and_extends_view_edit_and_admin() {
    let site = Site::new("wide", Helm::Four);
    site.release("install", &["rbac.clusterWide=true"]);
    until_served();
    assert_eq!(site.argument("namespace"), None);
    let operator = site.operator();
    until_allowed(&operator, "list tempestruns", "default");
    until_allowed(&operator, "get secrets", "default");
    assert!(!may(&operator, "list secrets", "default"));
    for role in ["view", "edit", "admin"] {
        let (binding, user) = (format!("some-{role}"), format!("--user=some-{role}"));
        site.kubectl(&["create", "rolebinding", &binding, &format!("--clusterrole={role}"), &user]);
        let may = |what: &str| may(&binding, what, &site.namespace);
        // Aggregation is a controller's work.
        for what in ["watch tempestruns", "get tempestscenarios", "list tempestschedules"] {
            until_allowed(&binding, what, &site.namespace);
        }
        for verb in ["create", "patch", "delete"] {
            wait_until("the role has its verbs", SOON, || {
                may(&format!("{verb} tempestruns")) == (role != "view")
            });
        }
        assert!(!may("patch tempestruns --subresource=status"), "{role}");
    }
    site.helm(&["uninstall", RELEASE]);
    wait_until("its rights are gone", SOON, || !may(&operator, "list tempestruns", "default"));
}

fn started(mut command: Command) -> Process {
    Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

fn arguments(container: &Value) -> Vec<String> {
    container["args"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// There is no node that runs pods: the containers' commands are run here, under the pods' own accounts.
#[test]
#[ignore = "needs Helm and the Kubernetes test bed: tests/run chart"]
fn the_smoke_run_of_helm_test_passes_on_the_simulated_cloud() {
    let site = Site::new("smoke", Helm::Four);
    let (port, folder) = (three_free_ports(), tempfile::tempdir().unwrap());
    site.release("install", &["simcloud.enabled=true", &format!("simcloud.port={port}")]);
    until_served();
    site.the_run_of_the_notes_is_accepted();
    let pod = site.deployment()["spec"]["template"]["spec"].clone();
    let health = free_port();
    let mut processes = Vec::new();
    for container in pod["containers"].as_array().unwrap() {
        let mut command = binary();
        command.args(arguments(container));
        command.env("TEMPEST_BIND", format!("127.0.0.1:{health}"));
        command.env("KUBECONFIG", site.access(pod["serviceAccountName"].as_str().unwrap(), &folder));
        processes.push(started(command));
    }
    wait_until("the operator is ready", SOON, || served(health, "/readyz").is_some());

    let hooks = objects(&site.helm(&["get", "hooks", RELEASE]));
    for hook in &hooks {
        site.apply(&hook.to_string());
    }
    let test = &of_kind(&hooks, "Pod")[0]["spec"];
    let mut report = binary();
    report.args(arguments(&test["containers"][0]));
    report.env("KUBECONFIG", site.access(test["serviceAccountName"].as_str().unwrap(), &folder));
    let ended = finish(&mut report);
    assert!(ended.status.success(), "{}", told(&ended));
    let table = String::from_utf8(ended.stdout).unwrap();
    assert!(table.lines().any(|line| line.starts_with("Passed: ")), "{table}");
    // The operator lets go of it, so that it can be deleted.
    site.kubectl(&["delete", "tempestruns", "--all", "--timeout=40s"]);
}
