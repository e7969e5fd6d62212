//! The scenarios of a run: the built-in ones, and the users' own that it selects.

use kube::{Api, Client, ResourceExt};

use super::decide::Credentials;
use crate::api::scenario::TempestScenario;
use crate::api::tempest_run::{ScenarioSelector, TempestRun};
use crate::outcome::shorten;
use crate::plan;
use crate::scenario::catalogue::Catalogue;
use crate::scenario::fault::listed;
use crate::scenario::{Scenario, USER, check};

/// Longest account of what is wrong with a scenario, in characters.
const FAULT: usize = 500;

/// What the run may choose from, once its spec has been held against it. Objects are listed anew for each run, so that
/// one that was applied together with its run is there.
///
/// # Errors
/// Kubernetes trouble; what is wrong with the spec or with what it selects is a [`Credentials`].
pub async fn catalogue(
    client: &Client,
    run: &TempestRun,
    built_in: &Catalogue,
) -> Result<Result<Catalogue, Credentials>, kube::Error> {
    let selected = match &run.spec.scenarios.selector {
        None => Ok(Vec::new()),
        Some(selector) => {
            let api: Api<TempestScenario> =
                Api::namespaced(client.clone(), &run.namespace().unwrap_or_default());
            match api.list(&kube::api::ListParams::default()).await {
                Ok(all) => select(selector, all.items),
                Err(kube::Error::Api(answer)) if matches!(answer.code, 403 | 404) => {
                    let message = format!(
                        "spec.scenarios.selector needs tempestscenarios.crossservice.dev, which cannot be listed: {}",
                        answer.message
                    );
                    return Ok(Err(Credentials::Unusable { reason: "ScenariosNotReadable", message }));
                }
                Err(error) => return Err(error),
            }
        }
    };
    Ok(selected
        .and_then(|selected| {
            let catalogue = built_in.clone().with(selected);
            plan::check(&run.spec, &catalogue).map_err(|error| error.to_string())?;
            Ok(catalogue)
        })
        .map_err(|message| Credentials::BadSpec { message }))
}

/// The checked scenarios of those objects that are selected.
fn select(selector: &ScenarioSelector, all: Vec<TempestScenario>) -> Result<Vec<Scenario>, String> {
    let (selected, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|object| selector.matches(object.labels()));
    if selected.is_empty() {
        let labels: Vec<String> = others
            .iter()
            .flat_map(|object| object.labels().iter().map(|(key, value)| format!("{key}={value}")))
            .collect();
        return Err(format!(
            "spec.scenarios.selector selects none of the namespace's {} TempestScenarios; their labels are: {}",
            others.len(),
            listed(labels.iter().map(String::as_str))
        ));
    }
    selected.iter().map(checked).collect()
}

/// An object's scenario.
fn checked(object: &TempestScenario) -> Result<Scenario, String> {
    let name = object.name_any();
    check(&format!("{USER}{name}"), &object.spec)
        .map_err(|faults| format!("TempestScenario '{name}' is not valid: {}", first_of(&faults)))
}

/// The first fault, and how many more there are.
pub fn first_of(faults: &[crate::scenario::Fault]) -> String {
    let first = faults.first().map(|fault| shorten(&fault.to_string(), FAULT)).unwrap_or_default();
    match faults.len() {
        0 | 1 => first,
        several => format!("{first} (and {} more)", several - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn object(name: &str, labels: &Value, steps: &Value) -> TempestScenario {
        serde_json::from_value(json!({
            "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestScenario",
            "metadata": { "name": name, "labels": labels },
            "spec": { "title": "t", "steps": steps },
        }))
        .unwrap()
    }

    fn objects() -> Vec<TempestScenario> {
        let steps = json!([{ "name": "look", "expect": { "service": "dns", "path": "/zones", "that": ["status == 200"] } }]);
        vec![
            object("a", &json!({ "team": "net", "tier": "1" }), &steps),
            object("b", &json!({ "team": "dns" }), &steps),
            object("c", &json!({}), &steps),
            object("broken", &json!({ "broken": "yes" }), &json!([{ "name": "look" }, { "name": "look" }])),
        ]
    }

    #[rstest]
    #[case::a_label(json!({ "matchLabels": { "team": "net" } }), &["user/a"])]
    #[case::one_of_several(json!({ "matchExpressions": [{ "key": "team", "operator": "In", "values": ["net", "dns"] }] }), &["user/a", "user/b"])]
    #[case::both_must_hold(json!({ "matchLabels": { "team": "net" }, "matchExpressions": [{ "key": "tier", "operator": "Exists" }] }), &["user/a"])]
    #[case::without_a_label(json!({ "matchExpressions": [{ "key": "team", "operator": "DoesNotExist" }, { "key": "broken", "operator": "NotIn", "values": ["yes"] }] }), &["user/c"])]
    fn labels_select(#[case] selector: Value, #[case] names: &[&str]) {
        let selector: ScenarioSelector = serde_json::from_value(selector).unwrap();
        let selected = select(&selector, objects()).unwrap();
        assert_eq!(selected.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>(), names);
    }

    #[test]
    fn a_selector_that_selects_nothing_says_what_there_is() {
        let selector: ScenarioSelector =
            serde_json::from_value(json!({ "matchLabels": { "team": "dsn" } })).unwrap();
        let message = select(&selector, objects()).unwrap_err();
        assert!(message.contains("4 TempestScenarios") && message.contains("team=dns"), "{message}");
        let message = select(&ScenarioSelector::default(), Vec::new()).unwrap_err();
        assert!(message.contains("0 TempestScenarios; their labels are: none"), "{message}");
    }

    #[test]
    fn one_that_is_not_valid_does_not_vanish() {
        let message = select(&ScenarioSelector::default(), objects()).unwrap_err();
        assert!(message.contains("'broken'") && message.contains("spec.steps["), "{message}");
        assert!(message.contains("more)"), "{message}");
    }
}
