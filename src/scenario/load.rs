//! From the text of a file to checked scenarios.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::check::check_lines;
use super::document::Scenario;
use super::fault::{Fault, suggestion};
use super::shape;
use super::yaml::{self, Document, field};
use crate::api::scenario::TempestScenarioSpec;

const API_VERSION: &str = "crossservice.dev/v1alpha1";
const KIND: &str = "TempestScenario";
const FIELDS: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];
/// Ends the names of the files that HOT templates are in.
pub const TEMPLATE_END: &str = ".hot.yaml";
/// Begins the names of users' own scenarios.
pub const USER: &str = "user/";

/// Reads the scenarios of a user's file: one or several `TempestScenario` objects. They are called `user/NAME`.
///
/// # Errors
/// Everything that is wrong in the file, with lines.
pub fn load_file_text(file_name: &str, text: &str) -> Result<Vec<Scenario>, Vec<Fault>> {
    load_with_templates(file_name, text, &[])
}

/// As [`load_file_text`], with the HOT templates that lie beside the file as `NAME.hot.yaml`: each document gets all.
///
/// # Errors
/// Everything that is wrong in the files, with lines.
pub fn load_with_templates(
    file_name: &str,
    text: &str,
    beside: &[(String, String)],
) -> Result<Vec<Scenario>, Vec<Fault>> {
    let folder = file_name.rfind('/').map_or("", |at| &file_name[..=at]);
    let in_file = |faults: Vec<Fault>| -> Vec<Fault> {
        let named = |fault: &Fault| match &fault.file {
            Some(template) => format!("{folder}{template}"),
            None => file_name.to_owned(),
        };
        faults.into_iter().map(|fault| Fault { file: Some(named(&fault)), ..fault }).collect()
    };
    let documents = yaml::parse(text).map_err(|error| {
        in_file(vec![Fault { line: error.line, message: format!("is no YAML: {error}"), ..Fault::default() }])
    })?;
    let mut scenarios = Vec::new();
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for document in documents {
        match load(&document, beside, |name| format!("{USER}{name}")) {
            Ok(scenario) if !names.insert(scenario.name.clone()) => faults.push(Fault {
                path: "metadata.name".to_owned(),
                message: format!("the file has two scenarios '{}'", scenario.name),
                help: "rename one of them".to_owned(),
                ..Fault::default()
            }),
            Ok(scenario) => scenarios.push(scenario),
            Err(more) => faults.extend(more),
        }
    }
    if scenarios.is_empty() && faults.is_empty() {
        let help = format!("write an object of kind {KIND}");
        faults.push(Fault { message: "there is no scenario in it".to_owned(), help, ..Fault::default() });
    }
    if faults.is_empty() { Ok(scenarios) } else { Err(in_file(faults)) }
}

/// Checks one document, with templates that lie beside it; `call` makes the scenario's name of the object's.
pub(super) fn load(
    document: &Document,
    beside: &[(String, String)],
    call: impl Fn(&str) -> String,
) -> Result<Scenario, Vec<Fault>> {
    let mut faults = Vec::new();
    let name = check_object(&document.value, &mut faults);
    let mut spec = document.value.get("spec").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    add_templates(&mut spec, beside, &mut faults);
    shape::check(&mut spec, &mut faults);
    match serde_json::from_value::<TempestScenarioSpec>(spec) {
        Ok(spec) => match check_lines(&call(&name), &spec) {
            Ok(scenario) if faults.is_empty() => return Ok(scenario),
            Ok(_) => {}
            Err(more) => {
                let said: BTreeSet<String> = faults.iter().map(|fault| fault.path.clone()).collect();
                faults.extend(more.into_iter().filter(|fault| !said.contains(&fault.path)));
            }
        },
        // The shape was held against the same types, so it has said what is wrong; this is only to be sure.
        Err(error) if faults.is_empty() => {
            faults.push(Fault { path: "spec".to_owned(), message: error.to_string(), ..Fault::default() });
        }
        Err(_) => {}
    }
    for fault in &mut faults {
        place(fault, document, beside);
    }
    Err(faults)
}

/// Turns a line inside a template into one of the file, and finds the lines of all others.
fn place(fault: &mut Fault, document: &Document, beside: &[(String, String)]) {
    let template = fault.path.strip_prefix("spec.templates.").unwrap_or_default();
    if beside.iter().any(|(name, _)| name == template) {
        fault.file = Some(format!("{template}{TEMPLATE_END}"));
        return;
    }
    let line = document.line(&fault.path);
    // A template's text begins on the line after its name.
    fault.line = line.map(|line| line + fault.line.unwrap_or_default());
    if fault.step.is_none() {
        fault.step = step_name(&fault.path, &document.value);
    }
}

fn step_name(path: &str, document: &Value) -> Option<String> {
    let (index, _) = path.strip_prefix("spec.steps[")?.split_once(']')?;
    let step = document.pointer(&format!("/spec/steps/{index}/name"))?;
    step.as_str().map(|name| name.chars().take(63).collect())
}

/// What is around the spec; gives the object's name.
fn check_object(object: &Value, faults: &mut Vec<Fault>) -> String {
    let mut fault = |path: &str, message: String, help: String| {
        faults.push(Fault { path: path.to_owned(), message, help, ..Fault::default() });
    };
    let Some(fields) = object.as_object() else {
        fault("", "is no object".to_owned(), format!("write an object of kind {KIND}"));
        return String::new();
    };
    for (name, wanted) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        let found = fields.get(name).and_then(Value::as_str);
        if found != Some(wanted) {
            let found = found.map_or_else(|| "is missing".to_owned(), |found| format!("is '{found}'"));
            fault(name, format!("'{name}' {found}"), format!("write '{name}: {wanted}'"));
        }
    }
    for name in fields.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        fault(name, format!("there is no field '{name}' here"), suggestion(name, FIELDS));
    }
    if !fields.contains_key("spec") {
        fault("", "'spec' is missing".to_owned(), "add 'spec'".to_owned());
    }
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let label = |part: &str| {
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && part.bytes().all(good) && !part.starts_with('-') && !part.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(label) {
        let help = "use lower-case letters, digits and inner hyphens".to_owned();
        fault("metadata.name", format!("'{name}' is no name of an object"), help);
    }
    name.to_owned()
}

fn add_templates(spec: &mut Value, beside: &[(String, String)], faults: &mut Vec<Fault>) {
    let Some(spec) = spec.as_object_mut().filter(|_| !beside.is_empty()) else { return };
    let templates = spec.entry("templates").or_insert_with(|| Value::Object(Map::new()));
    let Some(templates) = templates.as_object_mut() else { return };
    for (name, text) in beside {
        if templates.insert(name.clone(), Value::String(text.clone())).is_some() {
            faults.push(Fault {
                path: field("spec.templates", name),
                message: format!("template '{name}' is in the document and beside it"),
                help: "remove one of them".to_owned(),
                ..Fault::default()
            });
        }
    }
}

#[cfg(test)]
pub(in crate::scenario) mod tests;
