//! Heat's engine: brings a stack, round by round, to what its template says.

mod build;
mod remove;

use std::time::Duration;

use self::{build::build_round, remove::remove_round};
use super::stack::{FAILED, IN_PROGRESS, Resource, Stack, StackEvent};
use crate::simcloud::{
    faults::{Fault, Target},
    world::{Event, World},
};

/// The shortest pause between two looks at something unfinished.
const POLL: Duration = Duration::from_millis(20);
const EVENTS: usize = 1000;

/// Plans the next step unless one is planned.
pub(super) fn wake(world: &mut World, id: &str, after: Duration) {
    let Some(stack) = world.orchestration.stacks.get_mut(id) else {
        return;
    };
    if !stack.stepping {
        stack.stepping = true;
        world.schedule(after, Event::StackStep(id.to_owned()));
    }
}

/// One round of a stack.
pub(in crate::simcloud) fn step(world: &mut World, id: &str) {
    let Some(place) = world.orchestration.stacks.get_mut(id) else {
        return;
    };
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
        let rest = world.jitter(world.stages.stack_step);
        let pause = POLL * (1 << idle.min(4));
        wake(world, id, if moved { rest } else { rest.max(pause) });
    }
}

pub(super) fn record(world: &mut World, stack: &mut Stack, resource: Option<&Resource>) {
    // Until something is made, an event goes by the name that it is to have.
    let physical_id = match resource {
        None => stack.id.clone(),
        Some(resource) => match &resource.physical_id {
            Some(id) => id.clone(),
            None => format!("{}-{}-{}", stack.name, resource.name, &world.hex_id()[..12]),
        },
    };
    let event = StackEvent {
        id: world.uuid(),
        time: world.timestamp(),
        resource: resource.map_or_else(|| stack.name.clone(), |r| r.name.clone()),
        physical_id,
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
        let title = format!("{}{}", &action[..1], action[1..].to_ascii_lowercase());
        enter(world, stack, action, FAILED, format!("{title} timed out"));
        return true;
    }
    if stack.action == "DELETE" && world.faults.hit(&Fault::DeleteStuck, Target::named(&stack.name)) {
        return false;
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
    stack.updated = Some(world.timestamp());
    if action == "CREATE" {
        stack.previous = None;
        doom_all(stack);
        if world.faults.hit(&Fault::RollbackIncomplete, Target::named(&stack.name)) {
            stack.doomed.clear();
        }
    } else if let Some(previous) = stack.previous.clone() {
        stack.template = previous.template;
        stack.given = previous.given;
        stack.parameters = previous.parameters;
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
