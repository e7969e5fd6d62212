//! Scenario documents, the templates and expressions in them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempest_operator::scenario::expression::{Condition, Scope, Template};
use tempest_operator::scenario::{Catalogue, Fault, load_file_text};

use super::{LONGEST_ERROR, mutate};
use crate::support::repository;

fn documents() -> Vec<String> {
    let catalogue = Catalogue::built_in().unwrap();
    let built_in = catalogue.iter().map(|scenario| catalogue.show(&scenario.name).unwrap());
    let own = std::fs::read_to_string(repository("examples/tempestscenario.yaml")).unwrap();
    built_in.chain([own]).collect()
}

fn trees() -> Vec<Value> {
    documents().iter().map(|text| serde_saphyr::from_str(text).unwrap()).collect()
}

/// The texts in the documents that hold expressions, and the conditions.
fn expressions() -> Vec<String> {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => drop(found.insert(text.clone())),
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::Object(members) => members.values().for_each(|member| collect(member, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    for tree in trees() {
        collect(&tree["spec"]["variables"], &mut found);
        collect(&tree["spec"]["steps"], &mut found);
    }
    found.into_iter().filter(|text| text.contains(['$', '=', '.'])).collect()
}

fn scope() -> Scope {
    let mut scope = Scope::default();
    scope.set("run", json!({"id": "aa01", "zoneSuffix": "verify.example.org."}));
    scope.set("test", json!({"prefix": "to-aa01-0", "description": "to-aa01-0"}));
    scope.set("facts", json!({"primary": {"projectId": "p"}, "image": null, "nameServers": ["ns1"]}));
    scope.set("vars", json!({"zone": "a.b.", "many": vec!["x"; 300], "number": i64::MAX}));
    scope.set("stacks", json!({"web": {"id": "1", "outputs": {"address": "192.0.2.1"}}}));
    scope.set("body", json!({"records": [{"name": "a", "data": ["1"]}]}));
    scope.set("status", json!(200));
    scope.set("item", json!("x"));
    scope
}

fn say_where(faults: &[Fault]) -> Result<(), TestCaseError> {
    prop_assert!(!faults.is_empty());
    for fault in faults {
        let text = fault.to_string();
        prop_assert!(text.starts_with("mine.yaml"), "{}", text);
        prop_assert!(text.chars().count() <= LONGEST_ERROR, "{}", text);
        prop_assert!(!fault.message.is_empty(), "{:?}", fault);
    }
    Ok(())
}

proptest! {
    #![proptest_config(mutate::few())]

    #[test]
    fn a_damaged_text_is_a_scenario_or_says_where_it_is_none(text in mutate::text(documents())) {
        if let Err(faults) = load_file_text("mine.yaml", &text) {
            say_where(&faults)?;
        }
    }

    #[test]
    fn a_damaged_document_is_a_scenario_or_names_the_field(text in mutate::json_text(trees())) {
        if let Err(faults) = load_file_text("mine.yaml", &text) {
            say_where(&faults)?;
        }
    }

    #[test]
    fn a_damaged_expression_gives_a_value_or_an_error(text in mutate::text(expressions())) {
        let scope = scope();
        let errors = [
            Template::parse_text(&text).and_then(|template| template.evaluate(&scope)).err(),
            Template::parse_bare(&text).and_then(|template| template.evaluate_string(&scope)).err(),
            Condition::parse(&text).and_then(|condition| condition.judge(&scope)).err(),
        ];
        for error in errors.into_iter().flatten() {
            let text = error.to_string();
            prop_assert!(text.chars().count() <= LONGEST_ERROR, "{}", text);
        }
    }
}
