//! The parts of a stack that can be read: resources, events, outputs, template.

use serde_json::{Value, json};

use super::{
    Refusal, Reply,
    functions::Resolver,
    groups, href, no_resource, resources,
    stack::{COMPLETE, Resource, Stack, StackEvent},
    views,
};
use crate::simcloud::{wire::Call, world::World};

pub(super) fn handle(world: &mut World, call: &Call, stack: &Stack, path: &[&str]) -> Result<Reply, Refusal> {
    match path {
        ["template"] => Ok(Reply::ok(stack.template.raw.clone())),
        ["environment"] => Ok(Reply::ok(json!({"parameters": stack.given,
            "parameter_defaults": {}, "resource_registry": {"resources": {}},
            "event_sinks": [], "encrypted_param_names": []}))),
        ["files"] => Ok(Reply::ok(json!({}))),
        ["resources"] => Ok(list(world, call, stack)),
        ["resources", name] => {
            let awaited = awaited(world, stack).into_iter().find(|one| one.name == *name);
            let resource = match awaited {
                Some(resource) => resource,
                None => find(stack, name)?.clone(),
            };
            let mut view = resource_view(world, stack, &resource);
            view["description"] = json!("");
            view["attributes"] = attributes(world, stack, &resource);
            Ok(Reply::ok(json!({"resource": view})))
        }
        ["resources", name, "events"] => {
            find(stack, name)?;
            Ok(events(world, call, stack, Some(name)))
        }
        ["resources", name, "metadata"] => {
            find(stack, name)?;
            Ok(Reply::ok(json!({"metadata": {}})))
        }
        ["events"] => Ok(events(world, call, stack, None)),
        ["outputs"] => {
            let outputs: Vec<Value> = stack
                .template
                .outputs
                .iter()
                .map(|(name, output)| {
                    json!({"output_key": name,
                        "description": output["description"].as_str()
                            .unwrap_or("No description given")})
                })
                .collect();
            Ok(Reply::ok(json!({"outputs": outputs})))
        }
        ["outputs", name] => {
            if !stack.template.outputs.contains_key(*name) {
                let message = format!("Specified output key {name} not found.");
                return Err(Refusal::new(404, "NotFound", message));
            }
            Ok(Reply::ok(json!({"output": views::output(world, stack, name)})))
        }
        _ => Err(no_resource()),
    }
}

/// The attributes of a resource; of one that is not there, Heat tells the little that it knows.
fn attributes(world: &mut World, stack: &Stack, resource: &Resource) -> Value {
    match (resource.physical_id.is_some(), resource.kind.as_str()) {
        (false, "OS::Heat::Value") => json!({"value": resource.properties["value"]}),
        (false, "OS::Designate::Zone") => json!({"serial": null}),
        _ => resources::attribute(world, stack, resource, &[]),
    }
}

fn find<'a>(stack: &'a Stack, name: &str) -> Result<&'a Resource, Refusal> {
    let doomed = || stack.doomed.iter().find(|resource| resource.name == name);
    stack.resource(name).or_else(doomed).ok_or_else(|| {
        let message = format!("The Resource ({name}) could not be found in Stack {}.", stack.name);
        Refusal::new(404, "ResourceNotFound", message)
    })
}

/// The resources that a template makes after another, and from it.
pub(super) fn required_by<'a>(stack: &'a Stack, name: &str) -> Vec<&'a str> {
    let template = &stack.template;
    let after = |other: &&String| template.requires(other).iter().any(|need| need == name);
    template.resources.keys().filter(after).map(String::as_str).collect()
}

/// What the template says and nobody has begun to make; Heat knows of it from the first moment on.
fn awaited(world: &mut World, stack: &Stack) -> Vec<Resource> {
    let begun = |name: &str| {
        let known = stack.resources.iter().chain(&stack.doomed).any(|one| one.name == name);
        known || groups::is_member(name)
    };
    if !matches!(stack.action, "CREATE" | "UPDATE") {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (name, definition) in stack.template.resources.iter().filter(|(name, _)| !begun(name)) {
        let condition = definition.condition.as_ref();
        if condition.is_some_and(|one| !Resolver::new(world, stack).condition(one).unwrap_or(true)) {
            continue;
        }
        all.push(Resource {
            name: name.clone(),
            kind: definition.kind.clone(),
            action: "INIT",
            status: COMPLETE,
            created: stack.created.clone(),
            updated: stack.created.clone(),
            properties: definition.properties.clone(),
            ..Resource::default()
        });
    }
    all
}

fn resource_view(world: &World, stack: &Stack, resource: &Resource) -> Value {
    let own = href(world, stack);
    let required_by = required_by(stack, &resource.name);
    json!({"resource_name": resource.name, "logical_resource_id": resource.name,
        "physical_resource_id": resource.physical_id.as_deref().unwrap_or_default(),
        "resource_type": resource.kind,
        "resource_status": format!("{}_{}", resource.action, resource.status),
        "resource_status_reason": resource.reason, "required_by": required_by,
        "creation_time": resource.created, "updated_time": resource.updated,
        "links": [{"rel": "self", "href": format!("{own}/resources/{}", resource.name)},
            {"rel": "stack", "href": own}]})
}

fn list(world: &mut World, call: &Call, stack: &Stack) -> Reply {
    let awaited = awaited(world, stack);
    let gone = stack.doomed.iter().filter(|one| stack.resource(&one.name).is_none());
    let nested = call.query("nested_depth").is_some_and(|depth| depth != "0");
    let mut rows: Vec<Value> = stack
        .resources
        .iter()
        .chain(gone)
        .chain(&awaited)
        .filter(|one| nested || !groups::is_member(&one.name))
        .map(|one| resource_view(world, stack, one))
        .collect();
    for name in ["name", "type", "status"] {
        let Some(wanted) = call.query(name) else {
            continue;
        };
        let field = match name {
            "name" => "resource_name",
            "type" => "resource_type",
            _ => "resource_status",
        };
        rows.retain(|row| {
            let found = row[field].as_str().unwrap_or_default();
            found == wanted || (name == "status" && found.ends_with(&format!("_{wanted}")))
        });
    }
    Reply::ok(json!({"resources": rows}))
}

fn event_view(world: &World, stack: &Stack, event: &StackEvent) -> Value {
    let own = href(world, stack);
    json!({"id": event.id, "event_time": event.time, "resource_name": event.resource,
        "logical_resource_id": event.resource, "physical_resource_id": event.physical_id,
        "resource_status": event.status,
        "resource_status_reason": event.reason,
        "links": [{"rel": "self", "href": format!("{own}/resources/{}/events/{}",
            event.resource, event.id)},
            {"rel": "resource", "href": format!("{own}/resources/{}", event.resource)},
            {"rel": "stack", "href": own}]})
}

fn events(world: &World, call: &Call, stack: &Stack, resource: Option<&str>) -> Reply {
    let mut rows: Vec<&StackEvent> = stack
        .events
        .iter()
        .rev()
        .filter(|event| resource.is_none_or(|name| event.resource == name))
        .filter(|event| call.query("resource_status").is_none_or(|s| event.status == s))
        .collect();
    if call.query("sort_dir") == Some("asc") {
        rows.reverse();
    }
    if let Some(marker) = call.query("marker")
        && let Some(at) = rows.iter().position(|event| event.id == marker)
    {
        rows.drain(..=at);
    }
    if let Some(limit) = call.query("limit").and_then(|limit| limit.parse().ok()) {
        rows.truncate(limit);
    }
    let rows: Vec<Value> = rows.into_iter().map(|event| event_view(world, stack, event)).collect();
    Reply::ok(json!({"events": rows}))
}
