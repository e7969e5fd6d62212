//! Heat's engine: brings a stack, round by round, to what its template says.

use std::time::Duration;

use serde_json::Value;

use super::{
    functions::Resolver,
    resources::{self, Change, Job, Progress, Trouble},
    stack::{COMPLETE, FAILED, IN_PROGRESS, Resource, Stack, StackEvent},
};
use crate::simcloud::{
    faults::{Fault, Target},
    world::{Event, World},
};

/// The shortest pause between two looks at something unfinished.
const POLL: Duration = Duration::from_millis(20);
const EVENTS: usize = 1000;

/// Plans the next step unless one is planned.
pub(super) fn wake(world: &mut World, id: &str, after: Duration) {
    let Some(stack) = world.orchestration.stacks.get_mut(id) else { return };
    if !stack.stepping {
        stack.stepping = true;
        world.schedule(after, Event::StackStep(id.to_owned()));
    }
}

/// One round of a stack.
pub(in crate::simcloud) fn step(world: &mut World, id: &str) {
    let Some(place) = world.orchestration.stacks.get_mut(id) else { return };
    // The stack is worked on apart from the world that its resources live in.
    let mut stack = std::mem::take(place);
    stack.stepping = false;
    let mut moved = false;
    if stack.in_progress() {
        moved = round(world, &mut stack);
    }
    stack.idle = if moved { 0 } else { stack.idle + 1 };
    let running = stack.in_progress();
    let idle = stack.idle;
    if let Some(place) = world.orchestration.stacks.get_mut(id) {
        *place = stack;
    }
    if running {
        let pace = world.jitter(world.stages.stack_step);
        let pause = POLL * (1 << idle.min(4));
        wake(world, id, if moved { pace } else { pace.max(pause) });
    }
}

pub(super) fn record(world: &mut World, stack: &mut Stack, resource: Option<&Resource>) {
    let event = StackEvent {
        id: world.uuid(),
        time: world.timestamp(),
        resource: resource.map_or_else(|| stack.name.clone(), |r| r.name.clone()),
        physical_id: resource.map_or_else(|| Some(stack.id.clone()), |r| r.physical_id.clone()),
        status: resource.map_or_else(|| stack.state(), |r| format!("{}_{}", r.action, r.status)),
        reason: resource.map_or_else(|| stack.reason.clone(), |r| r.reason.clone()),
    };
    if stack.events.len() >= EVENTS {
        stack.events.remove(0);
    }
    stack.events.push(event);
}

/// Sets the stack's state and notes it.
pub(super) fn enter(
    world: &mut World,
    stack: &mut Stack,
    action: &'static str,
    status: &'static str,
    reason: String,
) {
    stack.action = action;
    stack.status = status;
    stack.reason = reason;
    record(world, stack, None);
}

fn mark(
    world: &mut World,
    stack: &mut Stack,
    resource: &mut Resource,
    action: &'static str,
    status: &'static str,
    reason: String,
) {
    resource.action = action;
    resource.status = status;
    resource.reason = reason;
    resource.updated = world.timestamp();
    record(world, stack, Some(resource));
}

fn round(world: &mut World, stack: &mut Stack) -> bool {
    if stack.deadline.is_some_and(|deadline| world.now >= deadline) {
        let action = stack.action;
        let word = format!("{}{}", &action[..1], action[1..].to_ascii_lowercase());
        enter(world, stack, action, FAILED, format!("{word} timed out"));
        return true;
    }
    if stack.action == "DELETE" || (stack.action == "ROLLBACK" && stack.previous.is_none()) {
        return remove_round(world, stack);
    }
    build_round(world, stack)
}

fn fail(world: &mut World, stack: &mut Stack, what: &str, reason: &str) {
    let reason = format!("Resource {what} failed: {reason}");
    let action = stack.action;
    let back = !stack.disable_rollback && matches!(action, "CREATE" | "UPDATE");
    enter(world, stack, action, FAILED, reason.clone());
    if !back {
        return;
    }
    enter(world, stack, "ROLLBACK", IN_PROGRESS, reason);
    if action == "CREATE" {
        stack.previous = None;
        doom_all(stack);
    } else if let Some((template, given, parameters)) = stack.previous.clone() {
        stack.template = template;
        stack.given = given;
        stack.parameters = parameters;
        for resource in &mut stack.resources {
            resource.converged = false;
        }
    }
}

/// Everything that is there is to go.
pub(super) fn doom_all(stack: &mut Stack) {
    let mut all = std::mem::take(&mut stack.resources);
    stack.doomed.append(&mut all);
    for resource in &mut stack.doomed {
        if resource.action == "DELETE" && resource.status == FAILED {
            resource.status = IN_PROGRESS;
            resource.action = "INIT";
        }
    }
}

fn build_round(world: &mut World, stack: &mut Stack) -> bool {
    let mut moved = false;
    let mut open = false;
    let order = stack.template.order().unwrap_or_default();
    for name in order {
        let Some(definition) = stack.template.resources.get(&name).cloned() else { continue };
        if let Some(condition) = &definition.condition {
            let wanted = Resolver { world, stack }.condition(condition);
            if !wanted.unwrap_or(true) {
                continue;
            }
        }
        let at = stack.resources.iter().position(|resource| resource.name == name);
        if let Some(at) = at {
            let resource = &stack.resources[at];
            if resource.status == IN_PROGRESS {
                match look(world, stack, at) {
                    Ok(done) => {
                        moved |= done;
                        open |= !done;
                    }
                    Err(()) => return true,
                }
                continue;
            }
            if resource.converged {
                continue;
            }
        }
        let requires = stack.template.requires(&name);
        let ready = requires.iter().all(|need| is_ready(world, stack, need));
        if !ready {
            open = true;
            continue;
        }
        if start(world, stack, &name, requires).is_err() {
            return true;
        }
        moved = true;
        open = true;
    }
    if open || moved {
        return moved;
    }
    finish_build(world, stack)
}

/// What the template dropped goes now; then the stack is complete.
fn finish_build(world: &mut World, stack: &mut Stack) -> bool {
    let mut kept = Vec::new();
    for resource in std::mem::take(&mut stack.resources) {
        if wanted(world, stack, &resource.name) {
            kept.push(resource);
        } else {
            stack.doomed.push(resource);
        }
    }
    stack.resources = kept;
    if !stack.doomed.is_empty() {
        return remove_round(world, stack);
    }
    let action = stack.action;
    let word = action;
    enter(world, stack, action, COMPLETE, format!("Stack {word} completed successfully"));
    stack.previous = None;
    stack.deadline = None;
    true
}

fn wanted(world: &mut World, stack: &Stack, name: &str) -> bool {
    let Some(definition) = stack.template.resources.get(name) else { return false };
    match &definition.condition {
        Some(condition) => Resolver { world, stack }.condition(condition).unwrap_or(true),
        None => true,
    }
}

fn is_ready(world: &mut World, stack: &Stack, name: &str) -> bool {
    match stack.resource(name) {
        Some(resource) => resource.status == COMPLETE && resource.converged,
        None => !wanted(world, stack, name),
    }
}

/// Looks whether something begun has ended.
fn look(world: &mut World, stack: &mut Stack, at: usize) -> Result<bool, ()> {
    let mut resource = stack.resources[at].clone();
    let action = resource.action;
    let outcome = if resource.hollow {
        Ok(Progress::Done)
    } else {
        resources::check(&mut Job::of(world, stack, &resource))
    };
    let verdict = match outcome {
        Ok(Progress::Waiting) => Ok(false),
        Ok(Progress::Done) => {
            mark(world, stack, &mut resource, action, COMPLETE, "state changed".to_owned());
            resource.converged = true;
            Ok(true)
        }
        Err(trouble) => {
            let reason = trouble.reason(&resource.name);
            mark(world, stack, &mut resource, action, FAILED, reason.clone());
            stack.resources[at] = resource;
            fail(world, stack, action, &reason);
            return Err(());
        }
    };
    stack.resources[at] = resource;
    verdict
}

fn start(world: &mut World, stack: &mut Stack, name: &str, requires: Vec<String>) -> Result<(), ()> {
    let Some(definition) = stack.template.resources.get(name).cloned() else { return Ok(()) };
    let properties = Resolver { world, stack }.resolve(&definition.properties);
    let at = stack.resources.iter().position(|resource| resource.name == name);
    let old = at.map(|at| stack.resources.remove(at));
    let now = world.timestamp();
    let fresh = Resource {
        name: name.to_owned(),
        kind: definition.kind.clone(),
        created: now.clone(),
        updated: now,
        requires: requires.clone(),
        ..Resource::default()
    };
    let properties = match properties {
        Ok(properties) => without_nulls(properties),
        Err(message) => {
            let resource = old.unwrap_or(fresh);
            return failed(world, stack, resource, "CREATE", &Trouble::new("ValueError", message));
        }
    };
    if let Some(mut old) = old {
        let usable = old.kind == definition.kind && old.status == COMPLETE;
        old.requires = requires;
        let change = if !usable {
            Ok(Change::Replace)
        } else if old.properties == properties || old.hollow {
            Ok(Change::None)
        } else {
            resources::update(&mut Job::of(world, stack, &old), &properties)
        };
        match change {
            Ok(Change::None) => {
                old.converged = true;
                old.properties = properties;
                stack.resources.push(old);
                return Ok(());
            }
            Ok(Change::InPlace) => {
                old.properties = properties;
                mark(world, stack, &mut old, "UPDATE", IN_PROGRESS, "state changed".to_owned());
                stack.resources.push(old);
                return Ok(());
            }
            Ok(Change::Replace) => stack.doomed.push(old),
            Err(trouble) => return failed(world, stack, old, "UPDATE", &trouble),
        }
    }
    create(world, stack, fresh, properties)
}

fn create(world: &mut World, stack: &mut Stack, mut resource: Resource, properties: Value) -> Result<(), ()> {
    resource.properties = properties;
    mark(world, stack, &mut resource, "CREATE", IN_PROGRESS, "state changed".to_owned());
    if world.faults.hit(&Fault::EmptyStack, Target::named(&resource.kind)) {
        resource.physical_id = Some(world.uuid());
        resource.hollow = true;
        stack.resources.push(resource);
        return Ok(());
    }
    match resources::create(&mut Job::of(world, stack, &resource)) {
        Ok((id, data)) => {
            resource.physical_id = Some(id);
            resource.data = data;
            stack.resources.push(resource);
            Ok(())
        }
        Err(trouble) => failed(world, stack, resource, "CREATE", &trouble),
    }
}

fn failed(
    world: &mut World,
    stack: &mut Stack,
    mut resource: Resource,
    action: &'static str,
    trouble: &Trouble,
) -> Result<(), ()> {
    let reason = trouble.reason(&resource.name);
    mark(world, stack, &mut resource, action, FAILED, reason.clone());
    stack.resources.push(resource);
    fail(world, stack, action, &reason);
    Err(())
}

fn without_nulls(mut properties: Value) -> Value {
    if let Some(map) = properties.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    properties
}

/// One round of taking away: what nothing else needs any more.
fn remove_round(world: &mut World, stack: &mut Stack) -> bool {
    let mut moved = false;
    let names: Vec<String> = stack
        .doomed
        .iter()
        .filter(|one| !stack.doomed.iter().any(|other| other.requires.contains(&one.name)))
        .map(|one| one.name.clone())
        .collect();
    for name in names {
        let Some(at) = stack.doomed.iter().position(|one| one.name == name) else { continue };
        let mut resource = stack.doomed.remove(at);
        let outcome = if resource.hollow || resource.physical_id.is_none() {
            Ok(Progress::Done)
        } else if resource.action == "DELETE" && resource.status == IN_PROGRESS {
            resources::is_gone(&mut Job::of(world, stack, &resource))
        } else {
            moved = true;
            mark(world, stack, &mut resource, "DELETE", IN_PROGRESS, "state changed".to_owned());
            let left = resource.kind == "OS::Neutron::FloatingIP"
                && world.faults.hit(&Fault::FloatingIpLeftBehind, Target::named(&name));
            if left { Ok(Progress::Done) } else { resources::delete(&mut Job::of(world, stack, &resource)) }
        };
        match outcome {
            Ok(Progress::Waiting) => stack.doomed.insert(at, resource),
            Ok(Progress::Done) => {
                moved = true;
                mark(world, stack, &mut resource, "DELETE", COMPLETE, "state changed".to_owned());
            }
            Err(trouble) => {
                let reason = trouble.reason(&name);
                mark(world, stack, &mut resource, "DELETE", FAILED, reason.clone());
                stack.doomed.insert(at, resource);
                let action = stack.action;
                let reason = format!("Resource DELETE failed: {reason}");
                enter(world, stack, action, FAILED, reason);
                return true;
            }
        }
    }
    if stack.doomed.is_empty() && matches!(stack.action, "DELETE" | "ROLLBACK") && stack.previous.is_none() {
        let action = stack.action;
        if action == "DELETE" {
            stack.deleted = Some(world.timestamp());
        }
        enter(world, stack, action, COMPLETE, format!("Stack {action} completed successfully"));
        return true;
    }
    moved
}
