//! Says of each `TempestScenario` whether it can be played, and if not, where and what is wrong.

use std::sync::Arc;
use std::time::Duration;

use kube::api::{Patch, PatchParams};
use kube::runtime::controller::Action;
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use super::FIELD_MANAGER;
use super::conditions::rows;
use super::selection::first_of;
use crate::api::scenario::{TempestScenario, TempestScenarioStatus};
use crate::runner::Clock;
use crate::scenario::{USER, check};

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
pub async fn judge(scenario: Arc<TempestScenario>, context: Arc<Context>) -> Result<Action, kube::Error> {
    let status = status_of(&scenario, &context.clock);
    if scenario.status.as_ref() == Some(&status) {
        return Ok(Action::await_change());
    }
    let api: Api<TempestScenario> =
        Api::namespaced(context.client.clone(), &scenario.namespace().unwrap_or_default());
    let patch = Patch::Apply(json!({
        "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestScenario", "status": status,
    }));
    match api.patch_status(&scenario.name_any(), &PatchParams::apply(FIELD_MANAGER).force(), &patch).await {
        Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(Action::await_change()),
        Err(error) => Err(error),
        Ok(_) => Ok(Action::await_change()),
    }
}

/// Trouble with the API server is waited out.
#[expect(clippy::needless_pass_by_value, reason = "the controller's own signature")]
pub fn on_error(scenario: Arc<TempestScenario>, error: &kube::Error, _: Arc<Context>) -> Action {
    tracing::warn!(%error, scenario = %scenario.name_any(), "a scenario could not be judged");
    Action::requeue(AGAIN)
}

fn status_of(scenario: &TempestScenario, clock: &Clock) -> TempestScenarioStatus {
    let (valid, reason, message) = match check(&format!("{USER}{}", scenario.name_any()), &scenario.spec) {
        Ok(checked) => (true, "Checked", format!("it can be played, in {} steps", checked.steps.len())),
        Err(faults) => (false, "Invalid", first_of(&faults)),
    };
    let (yes, no) = if valid { ("True", "False") } else { ("False", "True") };
    let generation = scenario.metadata.generation;
    let before = scenario.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let table = [("Valid", yes), ("Ready", yes), ("Stalled", no)];
    let conditions = rows(&table, reason, &message, generation, clock.now(), before);
    TempestScenarioStatus { observed_generation: generation, conditions }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::Value;

    fn object(steps: &Value) -> TempestScenario {
        serde_json::from_value(json!({
            "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestScenario",
            "metadata": { "name": "mine", "generation": 3 }, "spec": { "title": "t", "steps": steps },
        }))
        .unwrap()
    }

    #[rstest]
    #[case::good(json!([{ "name": "look", "expect": { "service": "dns", "path": "/zones", "that": ["status == 200"] } }]), ["True", "True", "False"], "in 1 steps")]
    #[case::bad(json!([{ "name": "look", "expect": { "service": "dns", "path": "/zones", "that": ["status ="] } }]), ["False", "False", "True"], "spec.steps[0].expect.that[0]")]
    fn the_conditions_say_whether_it_can_be_played(
        #[case] steps: Value,
        #[case] row: [&str; 3],
        #[case] says: &str,
    ) {
        let mut scenario = object(&steps);
        let status = status_of(&scenario, &Clock::system());
        assert_eq!(status.observed_generation, Some(3));
        assert!(status.conditions.iter().map(|one| one.status.as_str()).eq(row), "{status:?}");
        assert!(status.conditions[0].message.contains(says), "{status:?}");
        // What stays the same is not written again.
        scenario.status = Some(status.clone());
        assert_eq!(status_of(&scenario, &Clock::system()), status);
    }
}
