//! Making and changing resources, each after what it needs.

use serde_json::Value;

use super::{enter, fail, mark, remove::remove_round};
use crate::simcloud::{
    faults::{Fault, Target},
    heat::{
        functions::Resolver,
        resources::{self, Change, Job, Progress, Trouble},
        stack::{COMPLETE, FAILED, IN_PROGRESS, Resource, Stack},
    },
    world::World,
};

/// How often Heat makes again what went to ERROR (its `action_retry_limit`).
const RETRIES: u32 = 5;

/// One round of making what the template says.
pub(super) fn build_round(world: &mut World, stack: &mut Stack) -> bool {
    let mut moved = false;
    let mut open = false;
    let order = stack.template.order().unwrap_or_default();
    for name in order {
        let Some(definition) = stack.template.resources.get(&name).cloned() else {
            continue;
        };
        if let Some(condition) = &definition.condition {
            let wanted = Resolver::new(world, stack).condition(condition);
            if !wanted.unwrap_or(true) {
                continue;
            }
        }
        let at = stack.resources.iter().position(|resource| resource.name == name);
        if let Some(at) = at {
            let resource = &stack.resources[at];
            if let Some(again) = resource.again {
                open = true;
                if world.now >= again {
                    moved = true;
                    if make_again(world, stack, at).is_err() {
                        return true;
                    }
                }
                continue;
            }
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
    enter(world, stack, action, COMPLETE, format!("Stack {action} completed successfully"));
    stack.previous = None;
    stack.deadline = None;
    true
}

fn wanted(world: &mut World, stack: &Stack, name: &str) -> bool {
    let Some(definition) = stack.template.resources.get(name) else {
        return false;
    };
    match &definition.condition {
        Some(condition) => Resolver::new(world, stack).condition(condition).unwrap_or(true),
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
    if action == "DELETE" {
        return look_at_failed(world, stack, at);
    }
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
            if action == "CREATE" && trouble.is_in_error() && resource.remade < RETRIES {
                resource.remade += 1;
                mark(world, stack, &mut resource, "DELETE", IN_PROGRESS, "state changed".to_owned());
                let gone = resources::delete(&mut Job::of(world, stack, &resource)).is_ok();
                stack.resources[at] = resource;
                if gone {
                    return Ok(true);
                }
            } else {
                stack.resources[at] = resource;
            }
            fail(world, stack, action, &reason);
            return Err(());
        }
    };
    stack.resources[at] = resource;
    verdict
}

/// Looks whether what went to ERROR is gone, so that it can be made again after a while.
fn look_at_failed(world: &mut World, stack: &mut Stack, at: usize) -> Result<bool, ()> {
    let mut resource = stack.resources[at].clone();
    let outcome = resources::is_gone(&mut Job::of(world, stack, &resource));
    match outcome {
        Ok(Progress::Waiting) => Ok(false),
        Ok(Progress::Done) => {
            mark(world, stack, &mut resource, "DELETE", COMPLETE, "state changed".to_owned());
            resource.again = Some(world.now + world.stages.stack_step * 2_u32.pow(resource.remade));
            stack.resources[at] = resource;
            Ok(true)
        }
        Err(trouble) => {
            let reason = trouble.reason(&resource.name);
            mark(world, stack, &mut resource, "DELETE", FAILED, reason.clone());
            stack.resources[at] = resource;
            fail(world, stack, "CREATE", &reason);
            Err(())
        }
    }
}

/// Makes it again, with the properties that it had.
fn make_again(world: &mut World, stack: &mut Stack, at: usize) -> Result<(), ()> {
    let mut resource = stack.resources.remove(at);
    resource.again = None;
    let properties = std::mem::take(&mut resource.properties);
    create(world, stack, resource, properties)
}

fn start(world: &mut World, stack: &mut Stack, name: &str, requires: Vec<String>) -> Result<(), ()> {
    let Some(definition) = stack.template.resources.get(name).cloned() else {
        return Ok(());
    };
    let properties = Resolver::new(world, stack).resolve(&definition.properties);
    let at = stack.resources.iter().position(|resource| resource.name == name);
    let old = at.map(|at| stack.resources.remove(at));
    let now = world.timestamp();
    let fresh = Resource {
        name: name.to_owned(),
        kind: definition.kind.clone(),
        created: now.clone(),
        updated: now,
        requires: requires.clone(),
        retained: definition.retained,
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
        old.retained = definition.retained;
        let change = if !usable {
            Ok(Change::Replace)
        } else if old.properties == properties
            || old.hollow
            || world.faults.hit(&Fault::UpdateIgnored, Target::named(&old.kind))
        {
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
