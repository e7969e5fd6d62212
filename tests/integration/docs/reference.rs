//! `docs/reference.md` is made from the custom resource definitions.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use tempest_operator::api::definitions::definitions;

use crate::support::repository;

const HEAD: &str = "# Reference\n\nEvery field of the custom resources of `crossservice.dev/v1alpha1`. Made from the definitions: \
                    `DOCS=write cargo test docs::reference`.\n";

/// What a field takes, in one word.
fn kind(schema: &Value) -> String {
    let text = |key: &str| schema[key].as_str().unwrap_or_default();
    if schema["x-kubernetes-int-or-string"] == true {
        return "integer or string".to_owned();
    }
    match text("type") {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("map of {}", kind(&schema["additionalProperties"]))
        }
        "" => "any".to_owned(),
        "string" if !text("format").is_empty() => text("format").to_owned(),
        other => other.to_owned(),
    }
}

/// Bounds and choices, in words.
fn bounds(schema: &Value) -> String {
    let mut words = Vec::new();
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> =
            values.iter().filter_map(Value::as_str).map(|one| format!("`{one}`")).collect();
        words.push(format!("one of {}", values.join(", ")));
    }
    if !schema["default"].is_null() && !schema["default"].is_object() {
        words.push(format!("default `{}`", schema["default"]));
    }
    for (least, most, what) in [
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
    ] {
        match (schema[least].as_f64(), schema[most].as_f64()) {
            (Some(least), Some(most)) => words.push(format!("{least} to {most}{what}")),
            (None, Some(most)) => words.push(format!("at most {most}{what}")),
            (Some(least), None) => words.push(format!("at least {least}{what}")),
            (None, None) => {}
        }
    }
    words.join("; ")
}

/// Rows of an object's fields and of what lies in them.
fn rows(schema: &Value, path: &str, page: &mut String) {
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let text = field["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        let bounds = bounds(field);
        let more = if bounds.is_empty() { String::new() } else { format!(" *({bounds})*") };
        let must = if required(name) { " **required**" } else { "" };
        writeln!(page, "| `{path}` | {}{must} | {text}{more} |", kind(field)).unwrap();
        rows(field, &path, page);
        rows(&field["items"], &format!("{path}[]"), page);
        rows(&field["additionalProperties"], &format!("{path}.*"), page);
    }
}

fn made() -> String {
    let mut page = HEAD.to_owned();
    for definition in definitions() {
        let definition = serde_json::to_value(definition).unwrap();
        let names = &definition["spec"]["names"];
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let short = names["shortNames"][0].as_str().unwrap();
        writeln!(page, "\n## {}\n\nShort name `{short}`.", names["kind"].as_str().unwrap()).unwrap();
        for part in ["spec", "status"] {
            writeln!(
                page,
                "\n### `{part}` of a {}\n\n| field | takes | is |\n|---|---|---|",
                names["kind"].as_str().unwrap()
            )
            .unwrap();
            rows(&schema["properties"][part], "", &mut page);
        }
        let rules = schema["properties"]["spec"]["x-kubernetes-validations"].as_array().into_iter().flatten();
        let rules: Vec<&str> = rules
            .chain(schema["x-kubernetes-validations"].as_array().into_iter().flatten())
            .filter_map(|rule| rule["message"].as_str())
            .collect();
        if !rules.is_empty() {
            writeln!(page, "\nThe API server refuses, besides:\n\n- {}", rules.join("\n- ")).unwrap();
        }
    }
    page
}

#[test]
fn the_reference_is_that_of_the_definitions() {
    let file = repository("docs/reference.md");
    let made = made();
    if std::env::var("DOCS").is_ok_and(|how| how == "write") {
        fs::write(&file, &made).unwrap();
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    assert!(
        kept == made,
        "docs/reference.md is not made from the definitions: DOCS=write cargo test docs::reference"
    );
}
