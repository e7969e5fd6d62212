//! What Flux, `kpt` and others make of an object of a custom resource: the rules of kstatus
//! (<https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus>), in its order, as far as they speak of
//! custom resources.

use rstest::rstest;
use serde_json::{Value, json};

/// What an object is, in kstatus' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    InProgress,
    Failed,
    Current,
    Terminating,
}

/// Computes the status of an object.
pub fn compute(object: &Value) -> Status {
    if object["metadata"]["deletionTimestamp"].as_str().is_some_and(|time| !time.is_empty()) {
        return Status::Terminating;
    }
    let (generation, observed) =
        (object["metadata"]["generation"].as_i64(), object["status"]["observedGeneration"].as_i64());
    if generation.is_some() && observed.is_some() && generation != observed {
        return Status::InProgress;
    }
    let conditions = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    for condition in conditions {
        match (condition["type"].as_str(), condition["status"].as_str()) {
            (Some("Reconciling"), Some("True")) => return Status::InProgress,
            (Some("Stalled"), Some("True")) => return Status::Failed,
            _ => {}
        }
    }
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
    match ready.and_then(|ready| ready["status"].as_str()) {
        Some("False" | "Unknown") => Status::InProgress,
        _ => Status::Current,
    }
}

/// The cases of upstream's tables for objects without rules of their own (`TestCRDGenericStatus`), and one for each
/// rule that those leave out.
#[rstest]
#[case::no_status(json!({ "metadata": { "generation": 1 } }), Status::Current)]
#[case::ready(object(1, None, &[("Ready", "True")]), Status::Current)]
#[case::not_ready(object(1, Some(1), &[("Ready", "False")]), Status::InProgress)]
#[case::no_condition(object(1, None, &[("SomeCondition", "False")]), Status::Current)]
#[case::another_generation(object(2, Some(1), &[]), Status::InProgress)]
#[case::ready_is_not_known(object(1, Some(1), &[("Ready", "Unknown")]), Status::InProgress)]
#[case::reconciling_wins_over_ready(object(1, Some(1), &[("Ready", "True"), ("Reconciling", "True")]), Status::InProgress)]
#[case::stalled_wins_over_ready(object(1, Some(1), &[("Ready", "True"), ("Stalled", "True")]), Status::Failed)]
#[case::stalled_for_an_older_generation(object(2, Some(1), &[("Stalled", "True")]), Status::InProgress)]
#[case::deleted(
    json!({ "metadata": { "generation": 2, "deletionTimestamp": "2026-11-23T00:00:00Z" }, "status": { "observedGeneration": 1 } }),
    Status::Terminating
)]
fn the_rules_are_upstreams(#[case] object: Value, #[case] status: Status) {
    assert_eq!(compute(&object), status);
}

fn object(generation: i64, observed: Option<i64>, conditions: &[(&str, &str)]) -> Value {
    let conditions: Vec<Value> =
        conditions.iter().map(|(kind, status)| json!({ "type": kind, "status": status })).collect();
    let mut object =
        json!({ "metadata": { "generation": generation }, "status": { "conditions": conditions } });
    if let Some(observed) = observed {
        object["status"]["observedGeneration"] = observed.into();
    }
    object
}
