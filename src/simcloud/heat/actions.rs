//! What changes stacks: create, update, delete and the actions.

use std::time::Duration;

use http::Method;
use serde_json::{Map, Value, json};

use super::{
    Refusal, Reply,
    drafts::{check_name, draft, given_parameters, template_of},
    engine, href, not_found,
    stack::{COMPLETE, FAILED, IN_PROGRESS, Previous, Stack},
};
use crate::simcloud::{
    wire::{Call, webob},
    world::World,
};

/// Deleted stacks that are remembered.
const REMEMBERED: usize = 200;

pub(super) fn create(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let body = &call.body;
    let Some(name) = body["stack_name"].as_str() else {
        return Err(Refusal::new(400, "HTTPBadRequest", "No stack name specified"));
    };
    check_name(name)?;
    let mut alive = 0;
    for stack in world.orchestration.stacks.values() {
        if stack.owner.project_id == call.caller.project_id && !stack.is_deleted() {
            if stack.name == name {
                let message = format!("The Stack ({name}) already exists.");
                return Err(Refusal::new(409, "StackExists", message));
            }
            alive += 1;
        }
    }
    if alive >= world.options.quotas.stacks {
        let message = format!(
            "You have reached the maximum stacks per tenant, {}. Please delete some stacks.",
            world.options.quotas.stacks
        );
        return Err(Refusal::new(403, "RequestLimitExceeded", message));
    }
    let template = template_of(body)?;
    let draft = draft(world, call, template, given_parameters(body)?, name)?;
    // The stack is stored with a trust, which Keystone grants to no application credential.
    // Heat passes Keystone's refusal on as an error of its own, and without a word.
    if call.caller.application_credential {
        return Err(Refusal::new(500, "RemoteError", ""));
    }
    let timeout_mins = minutes(&body["timeout_mins"]);
    let id = world.uuid();
    let mut stack = Stack {
        id: id.clone(),
        name: name.to_owned(),
        owner: call.caller.clone(),
        template: draft.template,
        given: draft.given,
        parameters: draft.parameters,
        tags: tags(&body["tags"]),
        timeout_mins,
        deadline: Some(deadline(world, timeout_mins)),
        disable_rollback: body["disable_rollback"].as_bool().unwrap_or(true),
        created: world.timestamp(),
        domain_project: world.hex_id(),
        ..Stack::default()
    };
    engine::enter(world, &mut stack, "CREATE", IN_PROGRESS, "Stack CREATE started".to_owned());
    let link = href(world, &stack);
    world.orchestration.stacks.insert(id.clone(), stack);
    engine::wake(world, &id, Duration::ZERO);
    Ok(Reply::json(201, json!({"stack": {"id": id, "links": [{"rel": "self", "href": link}]}}))
        .with_header("location", link))
}

fn minutes(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

fn deadline(world: &World, timeout_mins: Option<u64>) -> Duration {
    world.now + Duration::from_secs(timeout_mins.unwrap_or(60).saturating_mul(60))
}

pub(super) fn tags(value: &Value) -> Vec<String> {
    let list = value.as_str().unwrap_or_default().split(',').map(str::trim);
    list.filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

fn busy(stack: &Stack) -> Refusal {
    let message = format!("Stack {} already has an action ({}) in progress.", stack.name, stack.action);
    Refusal::new(409, "ActionInProgress", message)
}

pub(super) fn update(world: &mut World, call: &Call, stack: &Stack) -> Result<Reply, Refusal> {
    if stack.is_deleted() {
        return Err(not_found(&stack.name));
    }
    if stack.in_progress() {
        return Err(busy(stack));
    }
    let body = &call.body;
    let patch = call.method == Method::PATCH;
    let template = match body.get("template") {
        None | Some(Value::Null) if patch => stack.template.clone(),
        _ => template_of(body)?,
    };
    let mut given = if patch { stack.given.clone() } else { Map::new() };
    for cleared in body["clear_parameters"].as_array().into_iter().flatten() {
        given.remove(cleared.as_str().unwrap_or_default());
    }
    given.extend(given_parameters(body)?);
    if patch {
        given.retain(|name, _| template.parameters.contains_key(name));
    }
    let draft = draft(world, call, template, given, &stack.name)?;
    let mut stack = stack.clone();
    stack.previous =
        Some(Previous { template: stack.template, given: stack.given, parameters: stack.parameters });
    stack.template = draft.template;
    stack.given = draft.given;
    stack.parameters = draft.parameters;
    stack.owner = call.caller.clone();
    // A full update without tags takes them away.
    if !patch || body["tags"].is_string() {
        stack.tags = tags(&body["tags"]);
    }
    if let Some(disable) = body["disable_rollback"].as_bool() {
        stack.disable_rollback = disable;
    }
    stack.timeout_mins = minutes(&body["timeout_mins"]).or(stack.timeout_mins);
    stack.deadline = Some(deadline(world, stack.timeout_mins));
    stack.updated = Some(world.timestamp());
    for resource in &mut stack.resources {
        resource.converged = false;
    }
    engine::enter(world, &mut stack, "UPDATE", IN_PROGRESS, "Stack UPDATE started".to_owned());
    replace(world, stack);
    Ok(accepted())
}

fn accepted() -> Reply {
    webob(202, "The request is accepted for processing.")
}

/// Puts a changed stack back and starts the engine on it.
fn replace(world: &mut World, stack: Stack) {
    let id = stack.id.clone();
    if let Some(place) = world.orchestration.stacks.get_mut(&id) {
        *place = stack;
    }
    engine::wake(world, &id, Duration::ZERO);
}

pub(super) fn delete(world: &mut World, stack: &Stack) -> Result<Reply, Refusal> {
    if stack.is_deleted() {
        return Err(not_found(&stack.name));
    }
    if stack.action == "DELETE" && stack.status == IN_PROGRESS {
        return Ok(Reply::empty(204));
    }
    forget_old(world);
    let mut stack = stack.clone();
    stack.previous = None;
    stack.deadline = Some(deadline(world, stack.timeout_mins));
    engine::doom_all(&mut stack);
    engine::enter(world, &mut stack, "DELETE", IN_PROGRESS, "Stack DELETE started".to_owned());
    replace(world, stack);
    Ok(Reply::empty(204))
}

fn forget_old(world: &mut World) {
    let stacks = &mut world.orchestration.stacks;
    let deleted: Vec<String> =
        stacks.values().filter(|stack| stack.is_deleted()).map(|stack| stack.id.clone()).collect();
    let surplus = deleted.len().saturating_sub(REMEMBERED);
    for id in deleted.into_iter().take(surplus) {
        stacks.remove(&id);
    }
}

pub(super) fn action(world: &mut World, call: &Call, stack: &Stack) -> Result<Reply, Refusal> {
    let named = call.body.as_object().and_then(|body| body.keys().next());
    let action = match named.map(String::as_str) {
        Some("check") => "CHECK",
        Some("suspend") => "SUSPEND",
        Some("resume") => "RESUME",
        Some("cancel_update" | "cancel_without_rollback") if stack.action == "UPDATE" => {
            let mut stack = stack.clone();
            engine::enter(world, &mut stack, "UPDATE", FAILED, "Stack UPDATE cancelled".to_owned());
            replace(world, stack);
            return Ok(accepted());
        }
        _ => return Err(Refusal::new(400, "HTTPBadRequest", "No action specified")),
    };
    if stack.in_progress() {
        return Err(busy(stack));
    }
    let mut stack = stack.clone();
    let servers: Vec<String> = stack
        .resources
        .iter()
        .filter(|resource| resource.kind == "OS::Nova::Server")
        .filter_map(|resource| resource.physical_id.clone())
        .collect();
    let nova = match action {
        "SUSPEND" => Some("suspend"),
        "RESUME" => Some("resume"),
        _ => None,
    };
    if let Some(nova) = nova {
        for server in servers {
            let path = format!("/v2.1/servers/{server}/action");
            let service = crate::simcloud::wire::Service::Compute;
            // A server in the wrong state is what the stack's own check would find.
            let _ = world.internal(&stack.owner, service, Method::POST, &path, json!({nova: null}));
        }
    }
    let reason = format!("Stack {action} completed successfully");
    engine::enter(world, &mut stack, action, COMPLETE, reason);
    replace(world, stack);
    Ok(accepted())
}
