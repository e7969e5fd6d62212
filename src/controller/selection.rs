//! The scenarios of a run: the built-in ones, and the users' own that it selects.

use kube::core::PartialObjectMeta;
use kube::{Api, Client, ResourceExt};

use super::decide::{Credentials, SCENARIOS_NOT_FOUND, SCENARIOS_NOT_READABLE};
use crate::api::scenario::TempestScenario;
use crate::api::tempest_run::{ScenarioSelector, TempestRun};
use crate::outcome::shorten;
use crate::plan;
use crate::scenario::catalogue::Catalogue;
use crate::scenario::fault::listed;
use crate::scenario::{Scenario, USER, check};

/// Longest account of what is wrong with a scenario, in characters.
const FAULT: usize = 500;

/// What the run may choose from, once its spec has been held against it. Objects are listed anew at each look, and what
/// is not there yet is waited for.
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
            // Without the documents: of those that are not selected nothing is read.
            match api.list_metadata(&kube::api::ListParams::default()).await {
                Ok(all) => match select(selector, &all.items) {
                    Ok(names) => read(&api, &names).await?,
                    Err(none) => Err(none),
                },
                Err(kube::Error::Api(answer)) if matches!(answer.code, 403 | 404) => {
                    let message = format!(
                        "spec.scenarios.selector needs tempestscenarios.crossservice.dev, which cannot be listed: {}",
                        answer.message
                    );
                    return Ok(Err(Credentials::Unusable { reason: SCENARIOS_NOT_READABLE, message }));
                }
                Err(error) => return Err(error),
            }
        }
    };
    Ok(selected.and_then(|selected| {
        let catalogue = built_in.clone().with(selected);
        match plan::check(&run.spec, &catalogue) {
            Ok(()) => Ok(catalogue),
            Err(error) if run.spec.scenarios.selector.is_some() && error.lacks_a_scenario() => {
                Err(not_found(error.to_string()))
            }
            Err(error) => Err(Credentials::BadSpec { message: error.to_string() }),
        }
    }))
}

/// What is applied with a run may come after it: whoever applies a folder goes by names or kinds.
fn not_found(message: String) -> Credentials {
    Credentials::Unusable { reason: SCENARIOS_NOT_FOUND, message }
}

/// The names of those objects that are selected.
fn select(
    selector: &ScenarioSelector,
    all: &[PartialObjectMeta<TempestScenario>],
) -> Result<Vec<String>, Credentials> {
    let selected: Vec<String> =
        all.iter().filter(|object| selector.matches(object.labels())).map(ResourceExt::name_any).collect();
    if !selected.is_empty() {
        return Ok(selected);
    }
    let labels: Vec<String> = all
        .iter()
        .flat_map(|object| object.labels().iter().map(|(key, value)| format!("{key}={value}")))
        .collect();
    Err(not_found(format!(
        "spec.scenarios.selector selects none of the namespace's {} TempestScenarios; their labels are: {}",
        all.len(),
        listed(labels.iter().map(String::as_str))
    )))
}

/// The checked scenarios of these objects.
async fn read(
    api: &Api<TempestScenario>,
    names: &[String],
) -> Result<Result<Vec<Scenario>, Credentials>, kube::Error> {
    let mut scenarios = Vec::new();
    for name in names {
        match object(api, name).await?.map(|object| object.and_then(|object| checked(&object))) {
            Some(Ok(scenario)) => scenarios.push(scenario),
            Some(Err(fault)) => {
                let message = format!("TempestScenario '{name}' is not valid: {fault}");
                return Ok(Err(Credentials::BadSpec { message }));
            }
            // Deleted since it was listed.
            None => {}
        }
    }
    Ok(Ok(scenarios))
}

/// One object, if it exists; else why it cannot be read. The API server keeps values that are nested deeper than we
/// read, and a list with one such object could not be read at all.
pub async fn object(
    api: &Api<TempestScenario>,
    name: &str,
) -> Result<Option<Result<TempestScenario, String>>, kube::Error> {
    match api.get_opt(name).await {
        Ok(object) => Ok(object.map(Ok)),
        Err(kube::Error::SerdeError(error)) => {
            Ok(Some(Err(shorten(&format!("it cannot be read: {error}"), FAULT))))
        }
        Err(error) => Err(error),
    }
}

/// The scenario of an object, or what is wrong with it.
pub fn checked(object: &TempestScenario) -> Result<Scenario, String> {
    check(&format!("{USER}{}", object.name_any()), &object.spec).map_err(|faults| first_of(&faults))
}

/// The first fault, and how many more there are.
fn first_of(faults: &[crate::scenario::Fault]) -> String {
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

    fn objects() -> Vec<PartialObjectMeta<TempestScenario>> {
        let labelled = |name: &str, labels: Value| {
            serde_json::from_value(json!({ "metadata": { "name": name, "labels": labels } })).unwrap()
        };
        vec![
            labelled("a", json!({ "team": "net", "tier": "1" })),
            labelled("b", json!({ "team": "dns" })),
            labelled("c", json!({})),
            labelled("d", json!({ "broken": "yes" })),
        ]
    }

    #[rstest]
    #[case::a_label(json!({ "matchLabels": { "team": "net" } }), &["a"])]
    #[case::one_of_several(json!({ "matchExpressions": [{ "key": "team", "operator": "In", "values": ["net", "dns"] }] }), &["a", "b"])]
    #[case::both_must_hold(json!({ "matchLabels": { "team": "net" }, "matchExpressions": [{ "key": "tier", "operator": "Exists" }] }), &["a"])]
    #[case::without_a_label(json!({ "matchExpressions": [{ "key": "team", "operator": "DoesNotExist" }, { "key": "broken", "operator": "NotIn", "values": ["yes"] }] }), &["c"])]
    fn labels_select(#[case] selector: Value, #[case] names: &[&str]) {
        let selector: ScenarioSelector = serde_json::from_value(selector).unwrap();
        assert_eq!(select(&selector, &objects()).ok().unwrap(), names);
    }

    /// What is said while it is waited for.
    fn waits(selected: Result<Vec<String>, Credentials>) -> String {
        let Err(Credentials::Unusable { message, .. }) = selected else { panic!("it is not waited for") };
        message
    }

    #[test]
    fn a_selector_that_selects_nothing_says_what_there_is() {
        let selector: ScenarioSelector =
            serde_json::from_value(json!({ "matchLabels": { "team": "dsn" } })).unwrap();
        let message = waits(select(&selector, &objects()));
        assert!(message.contains("4 TempestScenarios") && message.contains("team=dns"), "{message}");
        let message = waits(select(&ScenarioSelector::default(), &[]));
        assert!(message.contains("0 TempestScenarios; their labels are: none"), "{message}");
    }

    #[test]
    fn the_first_fault_is_told_and_how_many_more_there_are() {
        let spec = json!({ "title": "t", "steps": [{ "name": "look" }, { "name": "look" }] });
        let fault =
            checked(&TempestScenario::new("broken", serde_json::from_value(spec).unwrap())).unwrap_err();
        assert!(fault.contains("spec.steps[") && fault.contains("more)"), "{fault}");
    }
}
