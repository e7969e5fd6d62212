//! Stacks as the API shows them.

use serde_json::{Map, Value, json};

use super::{
    functions::{Resolver, python_json},
    href,
    stack::Stack,
};
use crate::simcloud::{
    wire::{Call, Reply},
    world::World,
};

fn brief(world: &World, stack: &Stack) -> Value {
    json!({"id": stack.id, "stack_name": stack.name, "description": stack.template.description,
        "stack_status": stack.state(), "stack_status_reason": stack.reason,
        "creation_time": stack.created, "updated_time": stack.updated,
        "deletion_time": stack.deleted, "tags": stack.tags, "parent": null,
        "stack_owner": stack.owner.user_name, "stack_user_project_id": stack.domain_project,
        "links": [{"rel": "self", "href": href(world, stack)}]})
}

/// The whole stack.
pub(super) fn show(world: &mut World, stack: &Stack, with_outputs: bool) -> Value {
    let mut view = brief(world, stack);
    let mut parameters = Map::new();
    for (name, value) in &stack.parameters {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
            }
            Value::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
            other => python_json(other),
        };
        let hidden = stack.template.parameters[name]["hidden"] == true;
        let shown = if hidden { "******".to_owned() } else { text };
        parameters.insert(name.clone(), json!(shown));
    }
    for (name, value) in [
        ("OS::project_id", &stack.owner.project_id),
        ("OS::stack_id", &stack.id),
        ("OS::stack_name", &stack.name),
    ] {
        parameters.insert(name.to_owned(), json!(value));
    }
    let outputs: Vec<Value> = if with_outputs {
        let names: Vec<String> = stack.template.outputs.keys().cloned().collect();
        names.iter().map(|name| output(world, stack, name)).collect()
    } else {
        Vec::new()
    };
    let more = json!({"parameters": parameters, "disable_rollback": stack.disable_rollback,
        "timeout_mins": stack.timeout_mins, "capabilities": [], "notification_topics": [],
        "template_description": stack.template.description});
    for (name, value) in more.as_object().into_iter().flatten() {
        view[name.as_str()] = value.clone();
    }
    if with_outputs && !stack.is_deleted() {
        view["outputs"] = Value::Array(outputs);
    }
    view
}

/// One output with its value as of now.
pub(super) fn output(world: &mut World, stack: &Stack, name: &str) -> Value {
    let defined = stack.template.outputs.get(name).cloned().unwrap_or_default();
    let description = defined["description"].as_str().unwrap_or("No description given");
    let mut output = json!({"output_key": name, "description": description});
    let wanted = match defined.get("condition") {
        Some(condition) => Resolver::new(world, stack).condition(condition).unwrap_or(true),
        None => true,
    };
    let value = if wanted { Resolver::new(world, stack).resolve(&defined["value"]) } else { Ok(Value::Null) };
    match value {
        Ok(value) => output["output_value"] = value,
        Err(message) => {
            output["output_value"] = Value::Null;
            output["output_error"] = json!(message);
        }
    }
    output
}

/// The stacks of the caller's project.
pub(super) fn list(world: &World, call: &Call, _detail: bool) -> Reply {
    let deleted = call.query("show_deleted").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let any = |name: &str| -> Vec<&str> {
        call.query.iter().filter(|(key, _)| key == name).map(|(_, v)| v.as_str()).collect()
    };
    let (names, statuses, ids) = (any("name"), any("status"), any("id"));
    let mut rows: Vec<Value> = world
        .orchestration
        .stacks
        .values()
        .rev()
        .filter(|stack| stack.owner.project_id == call.caller.project_id)
        .filter(|stack| deleted || !stack.is_deleted())
        .filter(|stack| names.is_empty() || names.contains(&stack.name.as_str()))
        .filter(|stack| ids.is_empty() || ids.contains(&stack.id.as_str()))
        .filter(|stack| statuses.is_empty() || statuses.contains(&stack.status))
        .filter(|stack| {
            let has = |tag: &str| stack.tags.iter().any(|known| known == tag);
            call.query("tags").is_none_or(|tags| tags.split(',').all(has))
                && call.query("tags-any").is_none_or(|tags| tags.split(',').any(has))
                && call.query("not-tags").is_none_or(|tags| !tags.split(',').all(has))
        })
        .map(|stack| {
            let mut row = brief(world, stack);
            // Lists are made without the template.
            row["description"] = json!("");
            row
        })
        .collect();
    let count = rows.len();
    if let Some(marker) = call.query("marker")
        && let Some(at) = rows.iter().position(|row| row["id"].as_str() == Some(marker))
    {
        rows.drain(..=at);
    }
    if let Some(limit) = call.query("limit").and_then(|limit| limit.parse().ok()) {
        rows.truncate(limit);
    }
    let mut body = json!({"stacks": rows});
    if call.query("with_count").is_some_and(|v| v.eq_ignore_ascii_case("true")) {
        body["count"] = json!(count);
    }
    Reply::ok(body)
}
