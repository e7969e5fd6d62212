//! Holds a document against the schema of the wire types: every wrong field at once, not only the first.

use std::sync::LazyLock;

use serde_json::Value;

use super::fault::{Fault, listed, suggestion};
use super::yaml::field;
use crate::api::scenario::TempestScenarioSpec;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(TempestScenarioSpec).to_value());

/// Checks `spec` and takes out the fields that it should not have.
pub fn check(spec: &mut Value, faults: &mut Vec<Fault>) {
    Shape { faults }.check(spec, &SCHEMA, "spec");
}

struct Shape<'a> {
    faults: &'a mut Vec<Fault>,
}

impl Shape<'_> {
    fn fault(&mut self, path: &str, message: String, help: String) {
        self.faults.push(Fault { path: path.to_owned(), message, help, ..Fault::default() });
    }

    fn check(&mut self, value: &mut Value, schema: &Value, path: &str) {
        let schema = resolved(schema);
        if let Some(options) = schema.get("anyOf").and_then(Value::as_array) {
            let real = options.iter().find(|option| option.get("type") != Some(&Value::from("null")));
            if let (Some(real), false) = (real, value.is_null()) {
                self.check(value, real, path);
            }
            return;
        }
        let words = words(schema);
        if !words.is_empty() {
            return self.check_word(value, &words, path);
        }
        if !self.has_type(value, schema, path) {
            return;
        }
        match value {
            Value::Object(_) => self.check_object(value, schema, path),
            Value::Array(items) => {
                self.check_bounds(items.len(), schema, ("minItems", "maxItems"), "items", path);
                if let Some(inner) = schema.get("items") {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.check(item, inner, &format!("{path}[{index}]"));
                    }
                }
            }
            Value::String(text) => {
                let length = text.chars().count();
                self.check_bounds(length, schema, ("minLength", "maxLength"), "characters", path);
            }
            Value::Number(number) => {
                let most = schema.get("maximum").and_then(Value::as_f64).unwrap_or(f64::MAX);
                let least = schema.get("minimum").and_then(Value::as_f64).unwrap_or(f64::MIN);
                if number.as_f64().is_some_and(|number| number < least || number > most) {
                    self.fault(path, format!("{number} is out of range"), format!("use {least} to {most}"));
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn check_word(&mut self, value: &Value, words: &[&str], path: &str) {
        match value.as_str() {
            Some(word) if words.contains(&word) => {}
            Some(word) => {
                let help = suggestion(word, words.iter().copied());
                self.fault(path, format!("'{word}' is not one of the possible values"), help);
            }
            None => self.fault(
                path,
                format!("must be a word, not {}", kind(value)),
                format!("there are: {}", listed(words.iter().copied())),
            ),
        }
    }

    /// Whether it has the type, or one of the types, of the schema.
    fn has_type(&mut self, value: &Value, schema: &Value, path: &str) -> bool {
        let types: Vec<&str> = match schema.get("type") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let fits = |name: &str| match name {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "null" => value.is_null(),
            _ => true,
        };
        if types.iter().any(|name| fits(name)) {
            return true;
        }
        let wanted: Vec<&str> =
            types.iter().filter(|name| **name != "null").map(|name| named(name)).collect();
        let help = match (wanted.as_slice(), value) {
            (["a text"], Value::Number(_) | Value::Bool(_)) => "put it in quotes".to_owned(),
            _ => String::new(),
        };
        self.fault(path, format!("must be {}, not {}", wanted.join(" or "), kind(value)), help);
        false
    }

    fn check_object(&mut self, value: &mut Value, schema: &Value, path: &str) {
        let Some(object) = value.as_object_mut() else { return };
        let properties = schema.get("properties").and_then(Value::as_object);
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in required.filter_map(Value::as_str) {
            if !object.contains_key(name) {
                self.fault(path, format!("'{name}' is missing"), format!("add '{name}'"));
            }
        }
        let others = schema.get("additionalProperties");
        let names: Vec<String> = object.keys().cloned().collect();
        for name in names {
            let inner = properties.and_then(|properties| properties.get(&name));
            let path = field(path, &name);
            match (inner, others) {
                (Some(inner), _) | (None, Some(inner @ Value::Object(_))) => {
                    if let Some(value) = object.get_mut(&name) {
                        self.check(value, inner, &path);
                    }
                }
                (None, Some(Value::Bool(false))) => {
                    object.remove(&name);
                    let known = properties.into_iter().flat_map(|properties| properties.keys());
                    let help = suggestion(&name, known.map(String::as_str));
                    self.fault(&path, format!("there is no field '{name}' here"), help);
                }
                (None, _) => {}
            }
        }
    }

    fn check_bounds(&mut self, count: usize, schema: &Value, names: (&str, &str), what: &str, path: &str) {
        let bound = |name: &str| {
            schema.get(name).and_then(Value::as_u64).map(|bound| usize::try_from(bound).unwrap_or(usize::MAX))
        };
        if let Some(least) = bound(names.0).filter(|least| count < *least) {
            self.fault(path, format!("has {count} {what}"), format!("at least {least} are needed"));
        }
        if let Some(most) = bound(names.1).filter(|most| count > *most) {
            self.fault(path, format!("has {count} {what}"), format!("at most {most} are allowed"));
        }
    }
}

fn resolved(schema: &Value) -> &Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix("#/$defs/"));
    name.and_then(|name| SCHEMA.get("$defs")?.get(name)).unwrap_or(schema)
}

/// The words of an enumeration.
fn words(schema: &Value) -> Vec<&str> {
    if let Some(Value::Array(words)) = schema.get("enum") {
        return words.iter().filter_map(Value::as_str).collect();
    }
    let options = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    options
        .flat_map(|option| {
            option
                .get("const")
                .into_iter()
                .chain(option.get("enum").and_then(Value::as_array).into_iter().flatten())
        })
        .filter_map(Value::as_str)
        .collect()
}

fn named(schema_type: &str) -> &str {
    match schema_type {
        "object" => "an object",
        "array" => "a list",
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        other => other,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of all fields, and the words of all enumerations.
    fn vocabulary(schema: &Value, found: &mut std::collections::BTreeSet<String>) {
        found.extend(words(schema).into_iter().map(str::to_owned));
        match schema {
            Value::Object(fields) => {
                let properties = fields.get("properties").and_then(Value::as_object);
                found.extend(properties.into_iter().flat_map(serde_json::Map::keys).cloned());
                fields.values().for_each(|inner| vocabulary(inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| vocabulary(inner, found)),
            _ => {}
        }
    }

    #[test]
    fn the_documentation_has_every_word_of_a_document() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tempestscenario.md");
        let text = std::fs::read_to_string(path).unwrap();
        let mut all = std::collections::BTreeSet::new();
        vocabulary(&SCHEMA, &mut all);
        assert!(all.len() > 80, "{all:?}");
        let is_word = |c: char| c.is_ascii_alphanumeric();
        let there = |word: &str| {
            text.match_indices(word).any(|(at, _)| {
                !text[..at].ends_with(is_word) && !text[at + word.len()..].starts_with(is_word)
            })
        };
        let missing: Vec<&String> = all.iter().filter(|word| !there(word)).collect();
        assert!(missing.is_empty(), "not in docs/tempestscenario.md: {missing:?}");
    }
}
