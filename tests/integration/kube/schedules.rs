//! Schedules as objects: what the API server refuses, what they make, and what they tell of it.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::SOON;
use super::bed::Bed;
use super::namespace::condition;
use crate::kstatus::{Status, compute};
use crate::support::{repository, wait_until};

/// A schedule of the scripted run `scene`; `more` is of its spec, in YAML's flow style.
fn schedule(scene: &str, more: &str) -> String {
    format!(
        "apiVersion: crossservice.dev/v1alpha1\nkind: TempestSchedule\n\
         metadata: {{name: nightly, labels: {{app.kubernetes.io/instance: of-argo}}}}\n\
         spec: {{{more}, runTemplate: {{metadata: {{labels: {{team: net}}}}, \
         spec: {{cloud: {{secretRef: {{name: cloud}}, zoneSuffix: {scene}.example.}}}}}}}}\n"
    )
}

fn seen(bed: &Bed) -> Value {
    serde_json::from_str(&bed.kubectl(&["get", "tempestschedule", "nightly", "-o", "json"])).unwrap()
}

/// The schedule once it looks like this.
fn until(bed: &Bed, what: &str, within: Duration, holds: impl Fn(&Value) -> bool) -> Value {
    let mut now = Value::Null;
    wait_until(what, within, || {
        now = seen(bed);
        holds(&now)
    });
    now
}

fn runs(bed: &Bed) -> Vec<Value> {
    let list = bed.kubectl(&["get", "tempestruns", "-l", "crossservice.dev/schedule=nightly", "-o", "json"]);
    let mut list: Value = serde_json::from_str(&list).unwrap();
    serde_json::from_value(list["items"].take()).unwrap()
}

/// Waits until the operator counts so many schedules that are `Ready`, with `Healthy` at `True`, `False` and `Unknown`,
/// and so many that are not.
fn until_counted(bed: &Bed, ready: [u32; 3], not_ready: u32) {
    let all = [("True", "True"), ("True", "False"), ("True", "Unknown"), ("False", "Unknown")];
    wait_until(&format!("{ready:?} and {not_ready} schedules are counted"), SOON, || {
        let metrics = bed.metrics();
        all.iter().zip(ready.into_iter().chain([not_ready])).all(|((ready, healthy), schedules)| {
            let labels = format!("ready=\"{ready}\",healthy=\"{healthy}\"");
            metrics.contains(&format!("\ntempest_operator_schedules{{{labels}}} {schedules}\n"))
        })
    });
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_schedule_makes_runs_now_and_each_minute_and_tells_how_they_went() {
    let bed = Bed::start("tsched");
    bed.usable_secret();
    bed.apply(&schedule("pass", "schedule: '* * * * *', timeZone: Europe/Berlin, runToken: 'now'"));
    bed.kubectl(&["wait", "--for=condition=Ready", "tempestschedule/nightly", "--timeout=20s"]);
    // The one that was asked for, and the one of the next full minute.
    let told = until(&bed, "two runs passed", Duration::from_secs(80), |told| {
        told["status"]["streak"] == "2 passed"
    });
    assert_eq!(compute(&told), Status::Current, "{told:#}");
    assert_eq!(condition(&told, "Healthy")["status"], "True");
    let status = &told["status"];
    assert_eq!(
        (&status["lastVerdict"], &status["missed"], &status["skipped"]),
        (&json!("Passed"), &json!(0), &json!(0))
    );
    let of_time = runs(&bed)
        .into_iter()
        .find(|run| run["metadata"]["annotations"]["crossservice.dev/scheduled-at"].is_string());
    let metadata = &of_time.unwrap()["metadata"];
    assert_eq!(metadata["annotations"]["crossservice.dev/scheduled-at"], status["lastScheduleTime"]);
    assert_eq!(metadata["ownerReferences"][0]["name"], "nightly");
    // What a GitOps tool tracks its own objects by does not go on to what it did not make.
    assert_eq!(metadata["labels"], json!({ "team": "net", "crossservice.dev/schedule": "nightly" }));
    let table = bed.kubectl(&["get", "tsched"]);
    assert!(table.contains("NEXT") && table.contains("2 passed"), "{table}");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn runs_that_fail_make_it_unhealthy_and_only_so_many_are_kept() {
    let bed = Bed::start("tsched-fails");
    bed.usable_secret();
    until_counted(&bed, [0, 0, 0], 0);
    let asked = |token: &str| {
        let more = "schedule: '@yearly', failureThreshold: 2, failedRunsHistoryLimit: 1";
        bed.apply(&schedule("fail", &format!("{more}, runToken: {token}")));
    };
    asked("one");
    let told = until(&bed, "one failed", SOON, |told| told["status"]["streak"] == "1 failed");
    assert_eq!(condition(&told, "Healthy")["status"], "True");
    until_counted(&bed, [1, 0, 0], 0);
    asked("two");
    let told = until(&bed, "two failed", SOON, |told| told["status"]["streak"] == "2 failed");
    assert_eq!(condition(&told, "Healthy")["reason"], "RunsFail");
    until_counted(&bed, [0, 1, 0], 0);
    assert_eq!(compute(&told), Status::Current, "a cloud that fails is no failure of its schedule");
    wait_until("the older one is gone", SOON, || runs(&bed).len() == 1);
    assert_eq!(seen(&bed)["status"]["results"].as_array().unwrap().len(), 2);
    bed.kubectl(&["delete", "tempestschedule", "nightly"]);
    until_counted(&bed, [0, 0, 0], 0);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_that_the_api_server_refuses_is_told_of_and_made_once_it_may_be() {
    let bed = Bed::start("refused");
    bed.usable_secret();
    let wrong =
        schedule("pass", "schedule: '0 0 1 1 *', runToken: 'now'").replace("team: net", "team: 'no label'");
    bed.apply(&wrong);
    let told = until(&bed, "it is told", SOON, |told| told["status"]["conditions"].is_array());
    let ready = condition(&told, "Ready");
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("RunRefused")), "{told:#}");
    assert!(ready["message"].as_str().unwrap().contains("no label"), "{told:#}");
    assert_eq!(compute(&told), Status::Failed, "{told:#}");
    assert!(bed.kubectl(&["get", "events"]).contains("RunRefused"));
    until_counted(&bed, [0, 0, 0], 1);
    bed.apply(&wrong.replace("'no label'", "net"));
    let told = until(&bed, "the run passed", SOON, |told| told["status"]["streak"] == "1 passed");
    assert_eq!(condition(&told, "Ready")["status"], "True", "{told:#}");
    until_counted(&bed, [1, 0, 0], 0);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn the_example_is_valid_and_tells_its_next_time() {
    let bed = Bed::start("tsched-example");
    bed.kubectl(&["apply", "-f", repository("examples/tempestschedule.yaml").to_str().unwrap()]);
    bed.kubectl(&["wait", "--for=condition=Ready", "tempestschedule/nightly", "--timeout=20s"]);
    let told = seen(&bed);
    assert!(told["status"]["nextScheduleTime"].is_string() && runs(&bed).is_empty(), "{told:#}");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_schedule_that_never_comes_is_said() {
    let bed = Bed::start("tsched-bad");
    bed.apply(&schedule("pass", "schedule: '0 3 * * *', timeZone: Europe/Bonn"));
    let told = until(&bed, "it is judged", SOON, |told| told["status"]["observedGeneration"] == 1);
    assert_eq!(compute(&told), Status::Failed, "{told:#}");
    let message = condition(&told, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("spec.timeZone: 'Europe/Bonn'"), "{message}");
}

#[rstest]
#[case::a_long_name("nightly", &"n".repeat(53), "metadata.name may have 52 characters at most")]
#[case::no_secret("secretRef: {name: cloud}, ", "", "spec.runTemplate.spec.cloud.secretRef is required")]
#[case::no_policy(
    "schedule: '@daily'",
    "schedule: '@daily', concurrencyPolicy: Maybe",
    "Unsupported value: \"Maybe\""
)]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn the_api_server_refuses_what_no_schedule_is(#[case] from: &str, #[case] to: &str, #[case] words: &str) {
    let bed = Bed::start("tsched-refused");
    let refused = bed.try_apply(&schedule("pass", "schedule: '@daily'").replace(from, to)).unwrap_err();
    assert!(refused.contains(words), "{refused}");
}
