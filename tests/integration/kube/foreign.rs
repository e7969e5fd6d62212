//! `ConfigMaps` of somebody else that have the names of a run's own: they are neither written over nor deleted.

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use rstest::rstest;
use serde_json::{Value, json};
use tempest_operator::api::tempest_run::TempestRun;
use tempest_operator::controller::connect;
use tempest_operator::controller::ledger::ConfigMapLedger;
use tempest_operator::plan::RunIdentity;
use tempest_operator::runner::ledger::{LedgerDocument, LedgerStore};

use super::SOON;
use super::bed::Bed;
use super::namespace::condition;
use crate::support::wait_until;

/// Somebody makes a `ConfigMap`.
fn make(bed: &Bed, name: &str) {
    bed.kubectl(&["create", "configmap", name, "--from-literal=of=somebody"]);
}

/// It is still as it was made.
fn is_untouched(bed: &Bed, name: &str) {
    let map: Value = serde_json::from_str(&bed.kubectl(&["get", "configmap", name, "-o", "json"])).unwrap();
    assert_eq!(map["data"], json!({ "of": "somebody" }), "{map:#}");
    for field in ["labels", "annotations", "ownerReferences"] {
        assert!(map["metadata"][field].is_null(), "{map:#}");
    }
}

fn delete_run(bed: &Bed) {
    bed.kubectl(&["delete", "tempestrun", "one", "--timeout=40s"]);
}

#[rstest]
#[case::ledger("one-ledger")]
#[case::report("one-report-1")]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_does_not_begin_where_somebody_elses_configmap_is_in_its_way(#[case] name: &str) {
    let bed = Bed::start("foreign");
    bed.usable_secret();
    make(&bed, name);
    bed.play("hold", "");
    let run = bed.finished_run(SOON);
    let stalled = condition(&run, "Stalled");
    assert_eq!((&run["status"]["verdict"], &stalled["reason"]), (&json!("Errored"), &json!("InvalidSpec")));
    let message = stalled["message"].as_str().unwrap();
    assert!(message.contains(&format!("'{name}' is somebody else's")), "{message}");
    delete_run(&bed);
    is_untouched(&bed, name);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_report_does_not_take_the_place_of_what_somebody_made_meanwhile() {
    let bed = Bed::start("foreign-report");
    bed.usable_secret();
    bed.play("hold", "");
    wait_until("it runs", SOON, || bed.has_ledger());
    make(&bed, "one-report-1");
    bed.player.go();
    let run = bed.finished_run(SOON);
    assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
    assert!(run["status"]["report"].is_null(), "{run:#}");
    wait_until("it is told", SOON, || {
        bed.kubectl(&["get", "events.events.k8s.io", "-o", "json"]).contains("ReportNotKept")
    });
    delete_run(&bed);
    is_untouched(&bed, "one-report-1");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_ledger_does_not_take_the_place_of_what_somebody_made_meanwhile() {
    let bed = Bed::start("foreign-ledger");
    bed.play("hold", "suspend: true");
    let run: TempestRun = serde_json::from_value(bed.run()).unwrap();
    make(&bed, "one-ledger");
    let access = Kubeconfig::from_yaml(&bed.operator_access()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let config = Config::from_custom_kubeconfig(access, &KubeConfigOptions::default()).await.unwrap();
        let ledger = ConfigMapLedger::of(connect(config).unwrap(), &run);
        let identity = RunIdentity::new("test", uuid::Uuid::nil(), 1, jiff::Timestamp::UNIX_EPOCH);
        let refused = ledger.save(&LedgerDocument { run: identity, entries: Vec::new() }).await.unwrap_err();
        assert!(refused.0.to_string().contains("'one-ledger' is somebody else's"), "{refused:?}");
        assert!(ledger.load().await.unwrap().is_none());
        ledger.clear().await.unwrap();
    });
    is_untouched(&bed, "one-ledger");
}
