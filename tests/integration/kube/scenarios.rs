//! Users' own scenarios as objects: what the API server refuses, what the operator says, and how runs select them.

use rstest::rstest;
use serde_json::{Value, json};

use super::SOON;
use super::bed::Bed;
use crate::gitops::Health;
use crate::kstatus::Status;
use crate::support::{binary, finish, repository, wait_until};

fn scenario(bed: &Bed, name: &str) -> Value {
    serde_json::from_str(&bed.kubectl(&["get", "tempestscenario", name, "-o", "json"])).unwrap()
}

/// The scenario once the operator has judged it.
fn judged(bed: &Bed, name: &str) -> Value {
    wait_until("it is judged", SOON, || {
        scenario(bed, name)["status"]["observedGeneration"] == scenario(bed, name)["metadata"]["generation"]
    });
    scenario(bed, name)
}

fn object(name: &str, labels: &Value, steps: &Value) -> String {
    json!({
        "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestScenario",
        "metadata": { "name": name, "labels": labels }, "spec": { "title": "Zones can be listed", "steps": steps },
    })
    .to_string()
}

fn looking(that: &str) -> Value {
    json!([{ "name": "look", "expect": { "service": "dns", "path": "/zones", "that": [that] } }])
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn the_operator_says_whether_a_scenario_can_be_played() {
    let bed = Bed::start("tscn");
    bed.kubectl(&["apply", "-f", repository("examples/tempestscenario.yaml").to_str().unwrap()]);
    bed.kubectl(&["wait", "--for=condition=Valid", "tempestscenario/web-zone", "--timeout=20s"]);
    assert_eq!(Health::of(&scenario(&bed, "web-zone")), Health::new(Status::Current, "Healthy"));
    bed.apply(&object("broken", &json!({}), &looking("status =")));
    let broken = judged(&bed, "broken");
    assert_eq!(Health::of(&broken), Health::new(Status::Failed, "Degraded"), "{broken:#}");
    let valid = &broken["status"]["conditions"][0];
    assert_eq!((&valid["type"], &valid["status"]), (&json!("Valid"), &json!("False")));
    let message = valid["message"].as_str().unwrap();
    assert!(message.contains("spec.steps[0].expect.that[0]"), "{message}");
    // It is looked at again when it changes.
    bed.apply(&object("broken", &json!({}), &looking("status == 200")));
    bed.kubectl(&["wait", "--for=condition=Ready", "tempestscenario/broken", "--timeout=20s"]);
    let table = bed.kubectl(&["get", "tscn"]);
    assert!(table.contains("VALID") && table.contains("Zones can be listed"), "{table}");
}

#[rstest]
#[case::two_payloads(
    json!([{ "name": "a", "undo": { "step": "b" }, "expect": { "service": "dns", "path": "/zones", "that": ["true"] } }]),
    "exactly one of stack, request, expect, records, guest and undo"
)]
#[case::no_payload(json!([{ "name": "a" }]), "exactly one of")]
#[case::an_unknown_service(
    json!([{ "name": "a", "expect": { "service": "dsn", "path": "/zones", "that": ["true"] } }]),
    "Unsupported value: \"dsn\""
)]
#[case::no_step(json!([]), "at least 1")]
#[case::a_bad_duration(
    json!([{ "name": "a", "within": "soon", "expect": { "service": "dns", "path": "/zones", "that": ["true"] } }]),
    "spec.steps[0].within"
)]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn the_api_server_refuses_what_no_scenario_is(#[case] steps: Value, #[case] words: &str) {
    let bed = Bed::start("tscn-refused");
    let refused = bed.try_apply(&object("bad", &json!({}), &steps)).unwrap_err();
    assert!(refused.contains(words), "{refused}");
}

#[rstest]
#[case::in_nothing("{key: team, operator: In}")]
#[case::a_value_that_is_not_looked_at("{key: team, operator: Exists, values: [net]}")]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn the_api_server_refuses_what_no_selector_is(#[case] requirement: &str) {
    let bed = Bed::start("tscn-selector");
    let refused = bed
        .try_apply(&format!(
            "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {{name: one}}\nspec:\n  \
             cloud: {{secretRef: {{name: cloud}}, zoneSuffix: pass.example.}}\n  \
             scenarios: {{selector: {{matchExpressions: [{requirement}]}}}}\n"
        ))
        .unwrap_err();
    assert!(refused.contains("values are needed by In and NotIn"), "{refused}");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn every_built_in_scenario_can_be_applied_and_is_valid() {
    let bed = Bed::start("tscn-built-in");
    let listed = finish(binary().args(["scenarios", "list", "--output", "json"]));
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let shown = finish(binary().args(["scenarios", "show", name]));
        bed.apply(&String::from_utf8(shown.stdout).unwrap());
        let condition = format!("tempestscenario/{}", name.replace('_', "-"));
        bed.kubectl(&["wait", "--for=condition=Valid", &condition, "--timeout=20s"]);
    }
}

#[rstest]
#[case::selected("selector: {matchLabels: {team: net}}, include: ['user/*']", "Passed", "")]
#[case::none(
    "selector: {matchLabels: {team: dsn}}",
    "Errored",
    "selects none of the namespace's 2 TempestScenarios"
)]
#[case::not_valid(
    "selector: {}",
    "Errored",
    "TempestScenario 'broken' is not valid: spec.steps[0].expect.that[0]"
)]
#[case::not_asked_for("include: ['user/*']", "Errored", "which no scenario is called")]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_plays_those_that_it_selects(#[case] scenarios: &str, #[case] verdict: &str, #[case] words: &str) {
    let bed = Bed::start("tscn-selected");
    bed.usable_secret();
    bed.apply(&object("mine", &json!({ "team": "net" }), &looking("status == 200")));
    bed.apply(&object("broken", &json!({ "team": "dns" }), &looking("status =")));
    // The script plays its own tests; what is looked at here is what the spec is held against.
    bed.play("pass", &format!("scenarios: {{{scenarios}}}\n  execution: {{startDeadlineSeconds: 3}}"));
    let run = bed.finished_run(SOON);
    assert_eq!(run["status"]["verdict"], verdict, "{run:#}");
    let message = super::namespace::condition(&run, "Finished")["message"].as_str().unwrap();
    assert!(message.contains(words), "{message}");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_that_is_applied_before_its_scenarios_waits_for_them() {
    let bed = Bed::start("tscn-later");
    bed.usable_secret();
    bed.play("pass", "scenarios: {selector: {matchLabels: {team: net}}, include: ['user/mine']}");
    wait_until("it waits", SOON, || bed.run()["status"]["phase"] == "Pending");
    assert_eq!(super::namespace::condition(&bed.run(), "Reconciling")["reason"], "WaitingForScenarios");
    bed.apply(&object("other", &json!({ "team": "net" }), &looking("status == 200")));
    bed.apply(&object("mine", &json!({ "team": "net" }), &looking("status == 200")));
    assert_eq!(bed.finished_run(SOON)["status"]["verdict"], "Passed");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn an_object_that_cannot_be_read_stands_in_nobodys_way() {
    let mut bed = Bed::start("tscn-deep");
    bed.usable_secret();
    let deep = (0..200).fold(json!("x"), |inner, _| json!([inner]));
    let mut unreadable: Value =
        serde_json::from_str(&object("deep", &json!({ "team": "dns" }), &looking("true"))).unwrap();
    unreadable["spec"]["variables"] = json!([{ "name": "a", "value": deep }]);
    bed.apply(&unreadable.to_string());
    bed.apply(&object("mine", &json!({ "team": "net" }), &looking("status == 200")));
    bed.stop();
    bed.restart();
    bed.kubectl(&["wait", "--for=condition=Valid", "tempestscenario/mine", "--timeout=20s"]);
    bed.kubectl(&["wait", "--for=condition=Valid=False", "tempestscenario/deep", "--timeout=20s"]);
    bed.play("pass", "scenarios: {selector: {matchLabels: {team: net}}}");
    assert_eq!(bed.finished_run(SOON)["status"]["verdict"], "Passed");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn the_operator_may_not_change_scenarios() {
    let bed = Bed::start("tscn-roles");
    let service_account = format!("--as=system:serviceaccount:{}:tempest-operator", bed.name);
    for verb in ["create", "update", "delete"] {
        let denied = bed.try_kubectl(&["auth", "can-i", verb, "tempestscenarios", &service_account]);
        assert!(denied.is_err(), "it may {verb}");
    }
    bed.kubectl(&["auth", "can-i", "list", "tempestscenarios", &service_account]);
}
