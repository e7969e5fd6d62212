//! Parameters: typed, defaulted and checked against their constraints.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Refusal, functions::python_json, resources::lookup, template::Template};
use crate::simcloud::{wire::Caller, world::World};

/// What Heat takes for a truth value, in its own order.
const TRUTHS: &str = "'0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'";

fn invalid(name: &str, why: &str) -> Refusal {
    let message = format!("Parameter '{name}' is invalid: {why}");
    Refusal::new(400, "StackValidationFailed", message)
}

/// The parameters in force for what the user gave.
pub(super) fn settle(
    world: &mut World,
    caller: &Caller,
    template: &Template,
    given: &Map<String, Value>,
) -> Result<BTreeMap<String, Value>, Refusal> {
    if let Some(unknown) = given.keys().find(|name| !template.parameters.contains_key(*name)) {
        let message = format!("The Parameter ({unknown}) was not defined in template.");
        return Err(Refusal::new(400, "UnknownUserParameter", message));
    }
    let mut settled = BTreeMap::new();
    check_types(template)?;
    for (name, schema) in &template.parameters {
        let value = given.get(name).or_else(|| schema.get("default"));
        let Some(value) = value else {
            let message = format!("The Parameter ({name}) was not provided.");
            return Err(Refusal::new(400, "UserParameterMissing", message));
        };
        let value = typed(name, schema["type"].as_str().unwrap_or("string"), value)?;
        for constraint in schema["constraints"].as_array().into_iter().flatten() {
            check(world, caller, name, constraint, &value)?;
        }
        settled.insert(name.clone(), value);
    }
    Ok(settled)
}

/// Refuses parameters of types that Heat does not know.
pub(super) fn check_types(template: &Template) -> Result<(), Refusal> {
    for schema in template.parameters.values() {
        let kind = schema["type"].as_str().unwrap_or("string");
        if !matches!(kind, "string" | "number" | "comma_delimited_list" | "json" | "boolean") {
            return Err(Refusal::new(400, "InvalidSchemaError", format!("Invalid type ({kind})")));
        }
    }
    Ok(())
}

fn typed(name: &str, kind: &str, value: &Value) -> Result<Value, Refusal> {
    match (kind, value) {
        ("string", Value::Number(number)) => Ok(json!(number.to_string())),
        ("string", Value::Bool(flag)) => Ok(json!(if *flag { "True" } else { "False" })),
        ("string", Value::String(_))
        | ("number", Value::Number(_))
        | ("json", Value::Object(_) | Value::Array(_))
        | ("boolean", Value::Bool(_)) => Ok(value.clone()),
        ("string", Value::Null) => Ok(json!("")),
        ("number", Value::String(text)) => text
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| text.parse::<f64>().map(Value::from))
            .map_err(|_| invalid(name, &format!("could not convert string to float: '{text}'"))),
        ("comma_delimited_list", Value::Array(items)) => Ok(Value::Array(items.clone())),
        ("comma_delimited_list", Value::String(text)) => {
            let pieces = text.split(',').map(str::trim).filter(|piece| !piece.is_empty());
            Ok(Value::Array(pieces.map(Value::from).collect()))
        }
        ("json", Value::String(text)) => {
            serde_json::from_str(text).map_err(|_| invalid(name, "Value must be valid JSON"))
        }
        ("boolean", Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "on" | "yes" | "y" | "1" => Ok(json!(true)),
            "false" | "f" | "off" | "no" | "n" | "0" => Ok(json!(false)),
            _ => Err(invalid(name, &format!("Unrecognized value '{text}', acceptable values are: {TRUTHS}"))),
        },
        _ => Err(invalid(name, &format!("Value must be of type {kind}"))),
    }
}

fn bounds(range: &Value) -> String {
    let bound = |name: &str| range.get(name).map_or_else(|| "None".to_owned(), Value::to_string);
    format!("(min: {}, max: {})", bound("min"), bound("max"))
}

fn check(
    world: &mut World,
    caller: &Caller,
    name: &str,
    constraint: &Value,
    value: &Value,
) -> Result<(), Refusal> {
    let own = constraint["description"].as_str();
    let fail = |why: String| Err(invalid(name, own.unwrap_or(&why)));
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if let Some(allowed) = constraint["allowed_values"].as_array() {
        let fits = |item: &Value| match item {
            Value::String(item) => *item == text,
            other => other == value || *other == text,
        };
        if !allowed.iter().any(fits) {
            let list = python_json(&json!(allowed));
            return fail(format!("{value} is not an allowed value {list}"));
        }
    }
    if let Some(length) = constraint.get("length") {
        let count = value.as_array().map_or(text.chars().count(), Vec::len) as u64;
        let (min, max) = (length["min"].as_u64(), length["max"].as_u64());
        if min.is_some_and(|min| count < min) || max.is_some_and(|max| count > max) {
            return fail(format!("length ({count}) is out of range {}", bounds(length)));
        }
    }
    if let (Some(range), Some(number)) = (constraint.get("range"), value.as_f64()) {
        let (min, max) = (range["min"].as_f64(), range["max"].as_f64());
        if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
            return fail(format!("{text} is out of range {}", bounds(range)));
        }
    }
    if let (Some(modulo), Some(number)) = (constraint.get("modulo"), value.as_i64()) {
        let (step, offset) = (modulo["step"].as_i64().unwrap_or(1), modulo["offset"].as_i64().unwrap_or(0));
        if step != 0 && number.rem_euclid(step) != offset.rem_euclid(step) {
            return fail(format!("{number} is not a multiple of {step} with an offset of {offset}"));
        }
    }
    if let Some(pattern) = constraint["allowed_pattern"].as_str() {
        // Python's `match` begins at the start; Heat wants the whole text.
        let whole = regex::Regex::new(&format!("^(?:{pattern})$"));
        if !whole.is_ok_and(|whole| whole.is_match(&text)) {
            return fail(format!("\"{text}\" does not match pattern \"{pattern}\""));
        }
    }
    if let Some(custom) = constraint["custom_constraint"].as_str()
        && !text.is_empty()
        && let Err(why) = lookup::custom(world, caller, custom, &text)
    {
        return fail(format!("Error validating value '{text}': {why}"));
    }
    Ok(())
}
