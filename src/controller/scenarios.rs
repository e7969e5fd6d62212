//! Says of each `TempestScenario` whether it can be played, and if not, where and what is wrong.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::core::PartialObjectMeta;
use kube::runtime::controller::Action;
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use super::FIELD_MANAGER;
use super::conditions::rows;
use super::selection::{checked, object};
use crate::api::scenario::{TempestScenario, TempestScenarioStatus};
use crate::runner::Clock;
use crate::scenario::Scenario;

/// Between two attempts to write a status.
const AGAIN: Duration = Duration::from_secs(10);

/// What judging needs.
pub struct Context {
    /// Kubernetes.
    pub client: Client,
    /// Tells the time of day.
    pub clock: Clock,
}

/// Judges one object; writes only what changed.
pub async fn judge(
    seen: Arc<PartialObjectMeta<TempestScenario>>,
    context: Arc<Context>,
) -> Result<Action, kube::Error> {
    let api: Api<TempestScenario> =
        Api::namespaced(context.client.clone(), &seen.namespace().unwrap_or_default());
    let name = seen.name_any();
    let (before, status) = match object(&api, &name).await? {
        None => return Ok(Action::await_change()),
        Some(Ok(object)) => {
            let checked = checked(&object);
            let before = object.status.unwrap_or_default();
            let status = status_of(&checked, object.metadata.generation, &before, context.clock.now());
            (before, status)
        }
        Some(Err(fault)) => {
            let before = TempestScenarioStatus::default();
            let status = status_of(&Err(fault), seen.metadata.generation, &before, context.clock.now());
            (before, status)
        }
    };
    if before == status {
        return Ok(Action::await_change());
    }
    let patch = Patch::Apply(json!({
        "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestScenario", "status": status,
    }));
    // Of the answer only the metadata: the object may be one that cannot be read.
    let api: Api<PartialObjectMeta<TempestScenario>> =
        Api::namespaced(context.client.clone(), &seen.namespace().unwrap_or_default());
    match api.patch_status(&name, &PatchParams::apply(FIELD_MANAGER).force(), &patch).await {
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(Action::await_change()),
        Err(error) => Err(error),
        Ok(_) => Ok(Action::await_change()),
    }
}

/// Trouble with the API server is waited out.
#[expect(clippy::needless_pass_by_value, reason = "the controller's own signature")]
pub fn on_error(
    scenario: Arc<PartialObjectMeta<TempestScenario>>,
    error: &kube::Error,
    _: Arc<Context>,
) -> Action {
    tracing::warn!(%error, scenario = %scenario.name_any(), "a scenario could not be judged");
    Action::requeue(AGAIN)
}

fn status_of(
    checked: &Result<Scenario, String>,
    generation: Option<i64>,
    before: &TempestScenarioStatus,
    now: Timestamp,
) -> TempestScenarioStatus {
    let (valid, reason, message) = match checked {
        Ok(scenario) => (true, "Checked", format!("it can be played, in {} steps", scenario.steps.len())),
        Err(fault) => (false, "Invalid", fault.clone()),
    };
    let (yes, no) = if valid { ("True", "False") } else { ("False", "True") };
    let table = [("Valid", yes), ("Ready", yes), ("Stalled", no)];
    let conditions = rows(&table, reason, &message, generation, now, &before.conditions);
    TempestScenarioStatus { observed_generation: generation, conditions }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::Value;

    #[rstest]
    #[case::good(json!([{ "name": "look", "expect": { "service": "dns", "path": "/zones", "that": ["status == 200"] } }]), ["True", "True", "False"], "in 1 steps")]
    #[case::bad(json!([{ "name": "look", "expect": { "service": "dns", "path": "/zones", "that": ["status ="] } }]), ["False", "False", "True"], "spec.steps[0].expect.that[0]")]
    fn the_conditions_say_whether_it_can_be_played(
        #[case] steps: Value,
        #[case] row: [&str; 3],
        #[case] says: &str,
    ) {
        let spec = json!({ "title": "t", "steps": steps });
        let checked = checked(&TempestScenario::new("mine", serde_json::from_value(spec).unwrap()));
        let judge = |before: &TempestScenarioStatus, second: i64| {
            status_of(&checked, Some(3), before, Timestamp::from_second(second).unwrap())
        };
        let status = judge(&TempestScenarioStatus::default(), 1);
        assert_eq!(status.observed_generation, Some(3));
        assert!(status.conditions.iter().map(|one| one.status.as_str()).eq(row), "{status:?}");
        assert!(status.conditions[0].message.contains(says), "{status:?}");
        // What stays the same is not written again.
        assert_eq!(judge(&status, 2), status);
    }
}
