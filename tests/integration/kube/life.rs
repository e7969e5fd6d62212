//! The life of a run beyond one play: the queue, suspension, further attempts.

use std::process::Stdio;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};

use super::SOON;
use super::bed::Bed;
use super::namespace::{condition, row};
use crate::gitops::Health;
use crate::kstatus::Status;
use crate::support::{binary, wait_until};

const UNDERWAY: [&str; 5] = ["True", "False", "Unknown", "Unknown", "False"];

fn outcomes(run: &Value) -> Vec<(&str, &str)> {
    let tests = run["status"]["tests"].as_array().map(Vec::as_slice).unwrap_or_default();
    tests
        .iter()
        .map(|test| (test["name"].as_str().unwrap(), test["outcome"].as_str().unwrap_or_default()))
        .collect()
}

/// What `tempest-operator report` says; its words on standard error when it fails.
fn report_command(arguments: &[&str]) -> Result<String, String> {
    let ended = binary().arg("report").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if ended.status.success() { Ok(text(ended.stdout)) } else { Err(text(ended.stderr)) }
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn whoever_cannot_play_yet_waits_in_a_queue_that_tells_why() {
    let bed = Bed::start("queue");
    bed.usable_secret();
    for name in ["one", "two", "three"] {
        bed.apply_run_named(name, "zoneSuffix: hold.example.", "");
        wait_until("it is seen", SOON, || !bed.run_named(name)["status"]["phase"].is_null());
    }
    wait_until("the third waits", SOON, || bed.run_named("three")["status"]["phase"] == "Queued");
    let waiting = bed.run_named("three");
    assert_eq!(waiting["status"]["queuePosition"], 1, "{waiting:#}");
    assert_eq!(row(&waiting), UNDERWAY);
    let reconciling = condition(&waiting, "Reconciling");
    assert_eq!(reconciling["reason"], "Queued");
    let message = reconciling["message"].as_str().unwrap();
    assert!(message.contains("2 runs play in project p") && message.contains("per-cloud"), "{message}");
    bed.kubectl(&["delete", "tempestrun", "one", "--timeout=40s"]);
    wait_until("its turn comes", SOON, || bed.run_named("three")["status"]["phase"] == "Running");
    assert!(bed.run_named("three")["status"]["queuePosition"].is_null());
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_that_waits_can_be_cancelled_and_deleted() {
    let mut bed = Bed::start("queue-cancel");
    bed.kill();
    bed.limits.runs = 1;
    bed.restart();
    bed.usable_secret();
    bed.play("hold", "");
    wait_until("it runs", SOON, || bed.run()["status"]["phase"] == "Running");
    for name in ["two", "three"] {
        bed.apply_run_named(name, "zoneSuffix: hold.example.", "");
        wait_until("it waits", SOON, || bed.run_named(name)["status"]["phase"] == "Queued");
    }
    bed.kubectl(&["patch", "tempestrun", "two", "--type=merge", "-p", r#"{"spec":{"cancel":true}}"#]);
    wait_until("it ended", SOON, || bed.run_named("two")["status"]["verdict"] == "Cancelled");
    // Nothing of it is in a cloud, so nothing holds it.
    bed.kubectl(&["delete", "tempestrun", "three", "--timeout=20s"]);
    assert_eq!(bed.player.played().len(), 1, "only the first was ever played");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_suspended_run_does_not_begin_before_it_is_resumed() {
    let bed = Bed::start("suspend");
    bed.usable_secret();
    bed.play("pass", "suspend: true");
    let run = bed.until("it is suspended", SOON, |run| run["status"]["phase"] == "Suspended");
    assert_eq!(row(&run), UNDERWAY);
    assert_eq!(condition(&run, "Reconciling")["reason"], "Suspended");
    assert!(bed.player.played().is_empty());
    bed.try_patch(r#"{"spec":{"suspend":false}}"#).unwrap();
    assert_eq!(bed.finished_run(SOON)["status"]["verdict"], "Passed");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_changed_token_runs_again_what_failed_and_remembers() {
    let bed = Bed::start("again");
    bed.usable_secret();
    bed.play("flip", "runToken: monday");
    let run = bed.finished_run(SOON);
    assert_eq!(outcomes(&run), [("test_00", "Passed"), ("test_01", "Failed")], "{run:#}");
    assert_eq!(run["status"]["runToken"], "monday");
    // An edit alone runs nothing.
    bed.try_patch(r#"{"spec":{"rerun":"Failed"}}"#).unwrap();
    bed.until("it is acknowledged", SOON, |run| {
        run["status"]["observedGeneration"] == run["metadata"]["generation"]
    });
    assert_eq!(bed.player.played(), ["test_00", "test_01"]);
    bed.try_patch(r#"{"spec":{"runToken":"tuesday"}}"#).unwrap();
    let run = bed.until("it ran again", SOON, |run| {
        run["status"]["phase"] == "Completed" && run["status"]["attempt"] == 2
    });
    assert_eq!(row(&run), ["False", "False", "True", "True", "True"], "{run:#}");
    assert_eq!(outcomes(&run), [("test_00", "Passed"), ("test_01", "Passed")]);
    assert_eq!(bed.player.played(), ["test_00", "test_01", "test_01"], "only what failed");
    let earlier = &run["status"]["history"][0];
    assert_eq!((&earlier["attempt"], &earlier["verdict"]), (&1.into(), &"Failed".into()), "{run:#}");
    assert_eq!((&earlier["runToken"], &run["status"]["runToken"]), (&"monday".into(), &"tuesday".into()));
    assert_ne!(earlier["runId"], run["status"]["runId"]);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_killed_operators_run_goes_on_with_what_was_not_acknowledged() {
    let mut bed = Bed::start("restart");
    bed.usable_secret();
    bed.play("stepwise", "");
    bed.until("the first outcome is acknowledged", SOON, |run| {
        outcomes(run) == [("test_00", "Passed")] && bed.has_ledger()
    });
    bed.kill();
    bed.player.go();
    bed.restart();
    let run = bed.finished_run(SOON);
    assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
    assert_eq!(run["status"]["attempt"], 2);
    assert_eq!(outcomes(&run), [("test_00", "Passed"), ("test_01", "Passed")]);
    assert_eq!(bed.player.played(), ["test_00", "test_01", "test_01"]);
    assert_eq!(bed.player.undone_later(), 1, "what the first attempt made");
    assert!(run["status"]["history"][0]["verdict"].is_null());
    assert!(!bed.has_ledger());
}

#[rstest]
#[case::it_was_suspended(3_590, "Passed")]
#[case::it_played_all_the_while(0, "Errored")]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn only_what_an_interrupted_run_played_is_of_its_time(#[case] suspended: u32, #[case] verdict: &str) {
    let mut bed = Bed::start("time");
    bed.usable_secret();
    bed.play("stepwise", "execution: { timeoutSeconds: 60 }");
    bed.until("it runs", SOON, |run| run["status"]["phase"] == "Running" && bed.has_ledger());
    bed.kill();
    bed.player.go();
    let began = (Timestamp::now() - SignedDuration::from_hours(1)).to_string();
    let status = json!({ "startTime": began, "attemptStartTime": began, "suspendedSeconds": suspended });
    let patch = json!({ "status": status }).to_string();
    bed.kubectl(&["patch", "tempestrun", "one", "--subresource=status", "--type=merge", "-p", &patch]);
    bed.restart();
    let run = bed.finished_run(SOON);
    assert_eq!(run["status"]["verdict"], verdict, "{run:#}");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn an_operator_that_is_told_to_stop_hands_its_runs_over() {
    let mut bed = Bed::start("handover");
    bed.usable_secret();
    bed.play("stepwise", "");
    bed.until("it runs", SOON, |run| run["status"]["phase"] == "Running" && bed.has_ledger());
    bed.stop();
    let run = bed.run();
    assert!(run["status"]["verdict"].is_null(), "nobody cancelled it: {run:#}");
    assert_eq!(outcomes(&run), [("test_00", "Passed")], "what ended was acknowledged");
    assert_eq!(bed.player.undone_by_play(), 1, "what it made was undone");
    bed.player.go();
    bed.restart();
    assert_eq!(bed.finished_run(SOON)["status"]["verdict"], "Passed");
    assert_eq!(bed.player.played(), ["test_00", "test_01", "test_01"]);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn an_operator_that_is_told_to_stop_leaves_its_queue_as_it_is() {
    let mut bed = Bed::start("handover-queue");
    bed.kill();
    bed.limits.runs = 1;
    bed.restart();
    bed.usable_secret();
    bed.play("hold", "");
    bed.until("it runs", SOON, |run| run["status"]["phase"] == "Running" && bed.has_ledger());
    for (name, execution) in [("two", "onInterruption: Fail"), ("three", "executor: Job")] {
        bed.apply_run_named(name, "zoneSuffix: pass.example.", &format!("execution: {{{execution}}}"));
        wait_until("it waits", SOON, || bed.run_named(name)["status"]["phase"] == "Queued");
    }
    bed.stop();
    for name in ["two", "three"] {
        let run = bed.run_named(name);
        assert_eq!(run["status"]["phase"], "Queued", "{run:#}");
        for field in ["runId", "startTime", "attemptStartTime"] {
            assert!(run["status"][field].is_null(), "{field}: {run:#}");
        }
        assert!(run["metadata"]["finalizers"].is_null(), "{run:#}");
    }
    let events = bed.kubectl(&["get", "events.events.k8s.io", "-o", "json"]);
    assert_eq!(events.matches(r#""reason": "Started""#).count(), 1, "{events}");
    bed.player.go();
    bed.restart();
    for (name, phase) in [("two", "Completed"), ("three", "Running")] {
        wait_until("its turn comes", SOON, || bed.run_named(name)["status"]["phase"] == phase);
        assert_eq!(bed.run_named(name)["status"]["attempt"], 1);
    }
    assert_eq!(bed.run_named("two")["status"]["verdict"], "Passed");
    wait_until("its Job is made", SOON, || {
        bed.kubectl(&["get", "jobs", "-o", "name"]).contains("job.batch/three-")
    });
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn what_a_failed_test_made_is_kept_for_a_time_and_then_undone() {
    let bed = Bed::start("keep");
    bed.usable_secret();
    bed.play("keep", "execution: {onFailure: {keepResourcesSeconds: 8}}");
    let run = bed.finished_run(SOON);
    assert_eq!(run["status"]["verdict"], "Failed", "{run:#}");
    assert!(run["status"]["keptUntil"].is_string() && bed.has_ledger(), "{run:#}");
    bed.until("nothing is kept any more", SOON, |run| run["status"]["keptUntil"].is_null());
    wait_until("it is undone", SOON, || bed.player.undone_later() == 1 && !bed.has_ledger());
    assert_eq!(bed.run()["status"]["verdict"], "Failed", "the verdict stands");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn what_cannot_be_undone_in_the_end_does_not_make_the_object_large() {
    let bed = Bed::start("mess");
    bed.usable_secret();
    bed.play("mess", "execution: {onFailure: {keepResourcesSeconds: 8}}");
    bed.finished_run(SOON);
    let run = bed.until("nothing is kept any more", SOON, |run| run["status"]["keptUntil"].is_null());
    let leaked = run["status"]["leaked"].as_array().unwrap();
    assert_eq!((leaked.len(), &run["status"]["truncated"]), (20, &json!(true)));
    assert!(run.to_string().len() < 96 * 1024);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn the_full_report_is_kept_beside_the_run_and_goes_with_it() {
    let bed = Bed::start("report");
    bed.usable_secret();
    bed.play("fail", "");
    let run = bed.finished_run(SOON);
    let name = run["status"]["report"]["configMap"].as_str().unwrap();
    let map: Value = serde_json::from_str(&bed.kubectl(&["get", "configmap", name, "-o", "json"])).unwrap();
    assert_eq!(map["metadata"]["ownerReferences"][0]["uid"], run["metadata"]["uid"]);
    let report: Value = serde_json::from_str(map["data"]["report.json"].as_str().unwrap()).unwrap();
    assert_eq!(report["verdict"], "Failed");
    assert_eq!(report["tests"][0]["failedStep"]["evidence"]["nameServer"], "ns2.example.");
    assert!(map["data"]["junit.xml"].as_str().unwrap().contains("<failure"), "{map:#}");
    let shown = |form: &str| report_command(&["tempestrun/one", "--namespace", &bed.name, form]).unwrap();
    assert_eq!(shown("--json"), map["data"]["report.json"].as_str().unwrap());
    assert_eq!(shown("--junit"), map["data"]["junit.xml"].as_str().unwrap());
    let table = shown("--table");
    assert!(table.contains("test_00") && table.contains("ns2.example."), "{table}");
    let refused = report_command(&["trun/one", "--namespace", &bed.name, "--attempt", "7"]).unwrap_err();
    assert!(refused.contains("no report 'one-report-7'"), "{refused}");
    let refused = report_command(&["two", "--namespace", &bed.name]).unwrap_err();
    assert!(refused.contains("there is no tempestrun/two in namespace"), "{refused}");
    bed.kubectl(&["delete", "tempestrun", "one", "--timeout=40s"]);
    wait_until("the report is collected", Duration::from_mins(1), || {
        bed.try_kubectl(&["get", "configmap", name]).is_err()
    });
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn who_waits_for_a_report_gets_the_verdict_as_exit_code() {
    let bed = Bed::start("report-wait");
    let report = |name: &str, wait: &str| {
        let mut command = binary();
        command.args(["report", name, "--namespace", &bed.name, "--wait", wait]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    // Somebody waits already when the run comes.
    let waiting = report("one", "60s").arg("--junit").spawn().unwrap();
    bed.apply_run("zoneSuffix: fail.example.", "");
    bed.usable_secret();
    let ended = waiting.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("<failure"), "{ended:?}");

    let ended = report("another", "1s").output().unwrap();
    let words = String::from_utf8_lossy(&ended.stderr);
    assert_eq!((ended.status.code(), words.contains("has not ended within 1 s")), (Some(2), true), "{words}");

    bed.apply_run_named("three", "alternate: nobody, zoneSuffix: fail.example.", "");
    let ended = report("three", "60s").output().unwrap();
    let words = String::from_utf8_lossy(&ended.stderr);
    assert!(
        words.contains("ended before its first test: InvalidSpec") && words.contains("nobody"),
        "{words}"
    );
    assert_eq!(ended.status.code(), Some(2));
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn what_a_gitops_tool_applies_again_is_not_played_again() {
    let bed = Bed::start("reapply");
    bed.usable_secret();
    bed.play("pass", "");
    let first = bed.finished_run(SOON);
    bed.play("pass", "");
    assert_eq!(bed.run()["metadata"]["generation"], first["metadata"]["generation"]);
    // Nor is what changed in Git without a new token.
    bed.play("pass", "execution: {maxParallel: 2}");
    let seen = bed.until("the change is seen", SOON, |run| {
        run["metadata"]["generation"] != first["metadata"]["generation"]
            && run["status"]["observedGeneration"] == run["metadata"]["generation"]
    });
    assert_eq!(Health::of(&seen), Health::new(Status::Current, "Healthy"), "{seen:#}");
    for field in ["attempt", "runId", "startTime"] {
        assert_eq!(seen["status"][field], first["status"][field], "{field}");
    }
}
