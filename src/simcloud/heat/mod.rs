//! Heat v1: stacks whose resources are made through the other services with the caller's rights.

mod actions;
mod drafts;
mod engine;
mod functions;
mod groups;
mod parameters;
mod parts;
mod preview;
mod resources;
mod stack;
mod template;
mod types;
mod views;

use http::Method;
use serde_json::json;

pub(super) use engine::step;

use super::{
    inventory::Item,
    table::Table,
    wire::{Call, Refusal, Reply},
    world::World,
};
use stack::Stack;

/// Everything Heat knows.
#[derive(Debug, Default)]
pub(super) struct Orchestration {
    stacks: Table<Stack>,
}

/// The stacks that are not deleted.
pub(super) fn existing(world: &World) -> Vec<Item> {
    let alive = world.orchestration.stacks.values().filter(|stack| !stack.is_deleted());
    alive
        .map(|stack| Item {
            id: stack.id.clone(),
            name: stack.name.clone(),
            project_id: stack.owner.project_id.clone(),
        })
        .collect()
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "StackValidationFailed", message)
}

fn not_found(name: &str) -> Refusal {
    Refusal::new(404, "EntityNotFound", format!("The Stack ({name}) could not be found."))
}

fn no_resource() -> Refusal {
    Refusal::new(404, "HTTPNotFound", "The resource could not be found.")
}

fn forbidden() -> Refusal {
    Refusal::new(403, "Forbidden", "You are not authorized to complete this action.")
}

pub(super) fn handle(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let path = call.segments();
    match path.as_slice() {
        [] => Ok(Reply::json(
            300,
            json!({"versions": [{"id": "v1.0", "status": "CURRENT",
            "links": [{"rel": "self",
                "href": format!("{}/heat-api/v1/", world.base_url)}]}]}),
        )),
        ["v1", project, rest @ ..] => {
            if *project != call.caller.project_id {
                return Err(forbidden());
            }
            if call.method != Method::GET && world.only_reads(&call.caller) {
                let verb = match call.method {
                    Method::POST => "create",
                    Method::DELETE => "delete",
                    _ => "update",
                };
                let message = format!("You are not authorized to use stacks:{verb}.");
                return Err(Refusal::new(403, "Forbidden", message));
            }
            route(world, call, rest)
        }
        _ => Err(no_resource()),
    }
}

fn route(world: &mut World, call: &Call, path: &[&str]) -> Result<Reply, Refusal> {
    match (&call.method, path) {
        (&Method::GET, ["build_info"]) => {
            Ok(Reply::ok(json!({"api": {"revision": "simcloud"}, "engine": {"revision": "simcloud"}})))
        }
        (&Method::GET, ["resource_types"]) => Ok(types::list(call.query("name"))),
        (&Method::GET, ["resource_types", kind]) => types::show(kind),
        (&Method::GET, ["template_versions"]) => Ok(types::versions()),
        (&Method::POST, ["validate"]) => drafts::validate(world, call),
        (&Method::POST, ["stacks", "preview"]) => preview::preview(world, call),
        (&Method::GET, ["stacks"] | ["stacks", "detail"]) => Ok(views::list(world, call, path.len() > 1)),
        (&Method::POST, ["stacks"]) => actions::create(world, call),
        (_, ["stacks", "detail" | "preview"]) => Err(no_resource()),
        (_, ["stacks", name]) => lookup(world, call, name, ""),
        (_, ["stacks", name, "resources" | "events" | "template" | "outputs" | "actions"]) => {
            lookup(world, call, name, path[2])
        }
        (method, ["stacks", name, id, rest @ ..]) => {
            let stack = find(world, call, name, id)?;
            match (method, rest) {
                (&Method::GET, []) => {
                    let outputs = call.query("resolve_outputs") != Some("false");
                    Ok(Reply::ok(json!({"stack": views::show(world, &stack, outputs)})))
                }
                (&Method::PUT | &Method::PATCH, []) => actions::update(world, call, &stack),
                (&Method::DELETE, []) => actions::delete(world, &stack),
                (&Method::POST, ["actions"]) => actions::action(world, call, &stack),
                (&Method::GET, rest) => parts::handle(world, call, &stack, rest),
                _ => Err(no_resource()),
            }
        }
        _ => Err(no_resource()),
    }
}

/// The stack by name and id, deleted ones included.
fn find(world: &World, call: &Call, name: &str, id: &str) -> Result<Stack, Refusal> {
    let found = world.orchestration.stacks.get(id).filter(|stack| {
        stack.owner.project_id == call.caller.project_id && (stack.name == name || stack.id == name)
    });
    found.cloned().ok_or_else(|| not_found(name))
}

fn href(world: &World, stack: &Stack) -> String {
    let project = &stack.owner.project_id;
    format!("{}/heat-api/v1/{project}/stacks/{}/{}", world.base_url, stack.name, stack.id)
}

/// A look-up by name (or id alone) is sent on to the full path.
fn lookup(world: &World, call: &Call, name: &str, rest: &str) -> Result<Reply, Refusal> {
    let mine = |stack: &&Stack| stack.owner.project_id == call.caller.project_id;
    let by_name = |stack: &&Stack| stack.name == name && !stack.is_deleted();
    let stacks = &world.orchestration.stacks;
    let found = stacks.values().filter(mine).find(by_name);
    let found = found.or_else(|| stacks.get(name).filter(mine)).ok_or_else(|| not_found(name))?;
    let mut location = href(world, found);
    if !rest.is_empty() {
        location = format!("{location}/{rest}");
    }
    let message = format!(
        "The resource was found at <a href=\"{location}\">{location}</a>;\nyou should be \
         redirected automatically.\n\n"
    );
    let body = json!({"message": message, "code": "302 Found", "title": "Found"});
    Ok(Reply::json(302, body).with_header("location", location))
}
