//! Taking resources away: what nothing else needs any more goes first.

use super::{enter, mark};
use crate::simcloud::{
    faults::{Fault, Target},
    heat::{
        resources::{self, Job, Progress},
        stack::{COMPLETE, FAILED, IN_PROGRESS, Stack},
    },
    world::World,
};

/// One round of taking away: what nothing else needs any more.
pub(super) fn remove_round(world: &mut World, stack: &mut Stack) -> bool {
    let mut moved = false;
    let names: Vec<String> = stack
        .doomed
        .iter()
        .filter(|one| !stack.doomed.iter().any(|other| other.requires.contains(&one.name)))
        .map(|one| one.name.clone())
        .collect();
    for name in names {
        let Some(at) = stack.doomed.iter().position(|one| one.name == name) else {
            continue;
        };
        let mut resource = stack.doomed.remove(at);
        let outcome = if resource.hollow || resource.retained || resource.physical_id.is_none() {
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
