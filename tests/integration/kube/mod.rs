//! The operator against a real API server, under the very roles of the chart; what it asks of a cloud is
//! played by a script, so that these tests are about Kubernetes only.

mod api_proxy;
mod api_trouble;
mod bed;
mod documents;
mod foreign;
mod jobs;
mod kills;
mod kubectl;
mod life;
mod moments;
pub mod namespace;
mod player;
mod replicas;
mod scenarios;
mod schedules;
pub mod simulated;
mod verify;

use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use crate::support::wait_until;
use bed::{Bed, PASSWORD};
use namespace::{condition, row};

const SOON: Duration = Duration::from_secs(40);

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_that_passes_is_ready_and_can_be_waited_for() {
    let bed = Bed::start("pass");
    bed.usable_secret();
    bed.play("pass", "");
    let run = bed.finished_run(SOON);
    assert_eq!(row(&run), ["False", "False", "True", "True", "True"], "{run:#}");
    assert_eq!(run["status"]["verdict"], "Passed");
    assert_eq!(run["status"]["observedGeneration"], run["metadata"]["generation"]);
    let table = bed.kubectl(&["get", "tempestruns"]);
    for column in ["PHASE", "VERDICT", "PROGRESS", "PASSED", "FAILED", "SKIPPED", "DURATION", "AGE"] {
        assert!(table.contains(column), "{table}");
    }
    assert!(table.contains("Completed") && table.contains("2/2"), "{table}");
    // 500 events in a moment are a few writes, not 500.
    let metrics = bed.metrics();
    let writes =
        metrics.lines().find(|line| line.starts_with("tempest_operator_status_writes_total")).unwrap();
    let writes: u32 = writes.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(writes <= 6, "{writes} writes");
    for counted in [
        r#"runs_total{verdict="Passed"} 1"#,
        r#"runs_in_phase{phase="Completed"} 1"#,
        "run_duration_seconds_count 1",
        "queue_length 0",
        "leader 1",
    ] {
        assert!(metrics.contains(&format!("\ntempest_operator_{counted}\n")), "no {counted} in {metrics}");
    }
    bed.nothing_tells(PASSWORD);
    // Nothing is left in a cloud, so nobody has to be there for its deletion.
    wait_until("it is released", SOON, || bed.run()["metadata"]["finalizers"].is_null());
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_that_fails_says_which_test_and_why() {
    let bed = Bed::start("fail");
    bed.usable_secret();
    bed.play("fail", "");
    let run = bed.finished_run(SOON);
    assert_eq!(row(&run), ["False", "True", "False", "False", "True"], "{run:#}");
    assert_eq!(condition(&run, "Stalled")["reason"], "TestsFailed");
    let test = &run["status"]["tests"][0];
    assert_eq!((&test["outcome"], &test["reason"]), (&"Failed".into(), &"RecordMissing".into()), "{test:#}");
    assert_eq!(test["evidence"]["nameServer"], "ns2.example.", "{test:#}");
    let events = bed.kubectl(&["get", "events.events.k8s.io", "-o", "json"]);
    assert!(events.contains("TestFailed") && events.contains("ns2.example."), "{events}");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_hostile_cloud_cannot_make_the_object_large() {
    let bed = Bed::start("hostile");
    bed.usable_secret();
    bed.play("hostile", "");
    bed.finished_run(SOON);
    let whole = bed.kubectl(&[
        "get",
        "--raw",
        &format!("/apis/crossservice.dev/v1alpha1/namespaces/{}/tempestruns/one", bed.name),
    ]);
    assert!(whole.len() < 96 * 1024, "{} bytes", whole.len());
    let run: Value = serde_json::from_str(&whole).unwrap();
    assert!(run["metadata"]["managedFields"].is_array());
    assert_eq!(run["status"]["summary"]["failed"], 76);
    assert_eq!(run["status"]["truncated"], true);
}

#[rstest]
#[case::absent("absent", None, "SecretNotFound", "there is no Secret 'cloud'")]
#[case::wrong_type("opaque", Some(("Opaque", "clouds: {}")), "SecretNotAllowed", "crossservice.dev/usable-by-runs")]
#[case::malformed("broken", Some(("crossservice.dev/openstack-clouds", "clouds: [")), "SecretMalformed", "line")]
#[case::unknown_entry("entry", Some(("crossservice.dev/openstack-clouds", "clouds: {other: {auth: {auth_url: 'http://192.0.2.1'}}}")), "InvalidSpec", "demo")]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_without_usable_credentials_waits_and_then_says_why(
    #[case] name: &str,
    #[case] secret: Option<(&str, &str)>,
    #[case] reason: &str,
    #[case] words: &str,
) {
    let bed = Bed::start(name);
    if let Some((kind, clouds)) = secret {
        bed.secret(kind, clouds);
    }
    bed.play("pass", "execution: {startDeadlineSeconds: 3}");
    let run = bed.finished_run(SOON);
    assert_eq!(row(&run), ["False", "True", "False", "False", "True"], "{run:#}");
    let stalled = condition(&run, "Stalled");
    assert_eq!(stalled["reason"], reason, "{stalled:#}");
    assert!(stalled["message"].as_str().unwrap().contains(words), "{stalled:#}");
    assert_eq!(run["status"]["verdict"], "Errored");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_starts_when_its_secret_comes() {
    let bed = Bed::start("late");
    bed.play("pass", "");
    wait_until("it waits", SOON, || bed.run()["status"]["phase"] == "Pending");
    let run = bed.run();
    assert_eq!(condition(&run, "Reconciling")["reason"], "WaitingForCredentials");
    assert_eq!(row(&run), ["True", "False", "Unknown", "Unknown", "False"], "{run:#}");
    bed.usable_secret();
    bed.kubectl(&["wait", "--for=condition=Succeeded", "tempestrun/one", "--timeout=40s"]);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_cancelled_run_undoes_and_its_inputs_are_frozen_while_it_runs() {
    let bed = Bed::start("cancel");
    bed.usable_secret();
    bed.play("hold", "");
    wait_until("it runs", SOON, || !bed.run()["status"]["currentSteps"].is_null());
    let refused = bed.try_patch(r#"{"spec":{"cloud":{"zoneSuffix":"other.example."}}}"#).unwrap_err();
    assert!(refused.contains("cannot change while the run is under way"), "{refused}");
    assert!(bed.has_ledger());
    bed.try_patch(r#"{"spec":{"cancel":true}}"#).unwrap();
    let run = bed.finished_run(SOON);
    assert_eq!(run["status"]["verdict"], "Cancelled", "{run:#}");
    assert_eq!(row(&run), ["False", "True", "False", "False", "True"]);
    assert!(!bed.has_ledger());
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_deleted_while_it_runs_is_undone_first() {
    let bed = Bed::start("delete");
    bed.usable_secret();
    bed.play("hold", "");
    wait_until("it runs", SOON, || bed.has_ledger());
    bed.kubectl(&["delete", "tempestrun", "one", "--timeout=40s"]);
    assert_eq!(bed.player.undone_by_play(), 1);
    assert!(!bed.has_ledger());
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn what_a_killed_operator_left_is_undone_by_the_next() {
    let mut bed = Bed::start("killed");
    bed.usable_secret();
    bed.play("hold", "execution: {onInterruption: Fail}");
    wait_until("it runs", SOON, || bed.has_ledger() && bed.run()["status"]["phase"] == "Running");
    bed.kill();
    assert!(bed.has_ledger(), "a killed operator undoes nothing");
    bed.restart();
    let run = bed.finished_run(SOON);
    assert_eq!(condition(&run, "Stalled")["reason"], "Interrupted", "{run:#}");
    assert_eq!(run["status"]["verdict"], "Errored");
    assert!(run["status"]["duration"].is_string(), "{run:#}");
    assert_eq!(bed.player.undone_later(), 1);
    assert!(!bed.has_ledger());
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn no_value_of_a_secret_is_told() {
    let bed = Bed::start("secret");
    bed.usable_secret();
    bed.play("fail", "");
    bed.finished_run(SOON);
    bed.nothing_tells(PASSWORD);
    assert!(!bed.metrics().contains(PASSWORD));
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_is_deleted_when_its_time_after_the_end_is_over() {
    let bed = Bed::start("ttl");
    bed.usable_secret();
    bed.play("pass", "ttlSecondsAfterFinished: 3");
    bed.finished_run(SOON);
    wait_until("it is deleted", SOON, || bed.try_kubectl(&["get", "tempestrun", "one"]).is_err());
    // Deleted, and not made again by anybody.
    assert!(bed.kubectl(&["get", "tempestruns"]).is_empty());
}
