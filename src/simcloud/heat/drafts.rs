//! Templates and parameters as a request brings them: checked before anything is made.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Refusal, Reply,
    functions::{Resolver, is_static},
    groups, invalid, parameters, resources,
    stack::Stack,
    template::{Template, yaml},
};
use crate::simcloud::{wire::Call, world::World};

/// A template with its parameters, checked.
pub(super) struct Draft {
    pub(super) template: Template,
    pub(super) given: Map<String, Value>,
    pub(super) parameters: BTreeMap<String, Value>,
}

/// The template of a request.
pub(super) fn template_of(body: &Value) -> Result<Template, Refusal> {
    match body.get("template") {
        Some(Value::Null) | None => Err(Refusal::new(400, "HTTPBadRequest", "No template specified")),
        Some(template) => Template::parse(template),
    }
}

/// The parameters that a request gives, in its body or its environment.
pub(super) fn given_parameters(body: &Value) -> Result<Map<String, Value>, Refusal> {
    let environment = match &body["environment"] {
        Value::String(text) if !text.trim().is_empty() => {
            yaml(text).map_err(|error| Refusal::new(400, "HTTPBadRequest", error))?
        }
        other => other.clone(),
    };
    let mut given = environment["parameters"].as_object().cloned().unwrap_or_default();
    given.extend(body["parameters"].as_object().cloned().unwrap_or_default());
    Ok(given)
}

/// Checks a template with its parameters.
pub(super) fn draft(
    world: &mut World,
    call: &Call,
    template: Template,
    given: Map<String, Value>,
    name: &str,
) -> Result<Draft, Refusal> {
    let parameters = parameters::settle(world, &call.caller, &template, &given)?;
    // A stack that exists only to resolve what is known before there is one.
    let mut probe =
        Stack { name: name.to_owned(), owner: call.caller.clone(), template, parameters, ..Stack::default() };
    probe.template = groups::expand(world, &probe)?;
    let draft = Draft { template: probe.template.clone(), given, parameters: probe.parameters.clone() };
    for (name, definition) in &draft.template.resources {
        let mut resolved = Map::new();
        for (property, value) in definition.properties.as_object().into_iter().flatten() {
            if is_static(value) {
                let value = Resolver::new(world, &probe).resolve(value).map_err(invalid)?;
                resolved.insert(property.clone(), value);
            }
        }
        resources::check_definition(world, &call.caller, name, definition, &resolved)?;
        resources::check_together(name, definition)?;
    }
    Ok(draft)
}

pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = name.len() <= 255
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if fits {
        return Ok(());
    }
    Err(invalid(format!(
        "Invalid stack name {name} must contain only alphanumeric or \"_-.\" characters, must \
         start with alpha and must be 255 characters or less."
    )))
}

fn parameter_views(template: &Template, given: &Map<String, Value>) -> Value {
    let mut views = Map::new();
    for (name, schema) in &template.parameters {
        let kind = match schema["type"].as_str().unwrap_or("string") {
            "number" => "Number",
            "comma_delimited_list" => "CommaDelimitedList",
            "json" => "Json",
            "boolean" => "Boolean",
            _ => "String",
        };
        let mut view = json!({"Type": kind, "Label": schema["label"].as_str().unwrap_or(name),
            "NoEcho": if schema["hidden"] == true { "true" } else { "false" },
            "Description": schema["description"].as_str().unwrap_or_default()});
        constraint_views(schema, &mut view);
        if let Some(default) = schema.get("default") {
            view["Default"] = default.clone();
        }
        if let Some(value) = given.get(name) {
            view["Value"] = value.clone();
        }
        views.insert(name.clone(), view);
    }
    Value::Object(views)
}

/// What a constraint is called among the facts of a parameter.
const CONSTRAINTS: [(&str, &str); 4] = [
    ("/range/min", "MinValue"),
    ("/range/max", "MaxValue"),
    ("/length/min", "MinLength"),
    ("/length/max", "MaxLength"),
];

fn constraint_views(schema: &Value, view: &mut Value) {
    for constraint in schema["constraints"].as_array().into_iter().flatten() {
        for (pointer, name) in CONSTRAINTS {
            if let Some(bound) = constraint.pointer(pointer) {
                view[name] = bound.clone();
            }
        }
        for (key, name) in [
            ("allowed_values", "AllowedValues"),
            ("allowed_pattern", "AllowedPattern"),
            ("custom_constraint", "CustomConstraint"),
            ("description", "ConstraintDescription"),
        ] {
            if let Some(value) = constraint.get(key) {
                view[name] = value.clone();
            }
        }
    }
}

/// The validation of a template answers some refusals with the name of its own error, in fewer words.
pub(super) fn validate(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    checked(world, call).map_err(|mut refusal| {
        if matches!(refusal.kind.as_str(), "InvalidTemplateSection" | "StackValidationFailed") {
            "HTTPBadRequest".clone_into(&mut refusal.kind);
            refusal.message = refusal.message.replace(": : ", ": ");
        }
        refusal
    })
}

fn checked(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let template = template_of(&call.body)?;
    parameters::check_types(&template)?;
    let given = given_parameters(&call.body)?;
    // Missing parameters are no fault here, and only what is known is checked.
    for (name, definition) in &template.resources {
        resources::check_definition(world, &call.caller, name, definition, &Map::new())?;
    }
    Ok(Reply::ok(json!({"Description": template.description,
        "Parameters": parameter_views(&template, &given),
        "Environment": {"parameters": given, "parameter_defaults": {}, "event_sinks": [],
            "resource_registry": {"resources": {}}}})))
}
