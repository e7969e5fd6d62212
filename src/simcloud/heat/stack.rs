//! A stack and its parts.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};

use super::template::Template;
use crate::simcloud::wire::Caller;

pub(super) const IN_PROGRESS: &str = "IN_PROGRESS";
pub(super) const COMPLETE: &str = "COMPLETE";
pub(super) const FAILED: &str = "FAILED";

/// What Heat has made (or is making) of one resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Resource {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) physical_id: Option<String>,
    pub(super) action: &'static str,
    pub(super) status: &'static str,
    pub(super) reason: String,
    /// The resolved properties that are in force.
    pub(super) properties: Value,
    /// What only Heat knows of it (a random string, a value).
    pub(super) data: Value,
    /// The resources it was made from.
    pub(super) requires: Vec<String>,
    /// The running update has dealt with it.
    pub(super) converged: bool,
    /// How often it was made again after it went to ERROR.
    pub(super) remade: u32,
    /// When it is to be made again.
    pub(super) again: Option<Duration>,
    /// Deleting the stack leaves it.
    pub(super) retained: bool,
    /// A fault: nothing was made.
    pub(super) hollow: bool,
    pub(super) created: String,
    pub(super) updated: String,
}

/// One entry of a stack's history.
#[derive(Clone, Debug)]
pub(super) struct StackEvent {
    pub(super) id: String,
    pub(super) time: String,
    pub(super) resource: String,
    pub(super) physical_id: String,
    pub(super) status: String,
    pub(super) reason: String,
}

/// What a stack was before an update.
#[derive(Clone, Debug)]
pub(super) struct Previous {
    pub(super) template: Template,
    pub(super) given: Map<String, Value>,
    pub(super) parameters: BTreeMap<String, Value>,
}

/// One stack.
#[derive(Clone, Debug, Default)]
pub(super) struct Stack {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: Caller,
    pub(super) template: Template,
    /// The parameters as the user gave them.
    pub(super) given: Map<String, Value>,
    /// The parameters in force, typed and with their defaults.
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) tags: Vec<String>,
    pub(super) timeout_mins: Option<u64>,
    pub(super) deadline: Option<Duration>,
    pub(super) disable_rollback: bool,
    pub(super) action: &'static str,
    pub(super) status: &'static str,
    pub(super) reason: String,
    pub(super) created: String,
    /// The project that Heat makes for the stack in its own domain.
    pub(super) domain_project: String,
    pub(super) updated: Option<String>,
    pub(super) deleted: Option<String>,
    pub(super) resources: Vec<Resource>,
    /// Resources on their way out.
    pub(super) doomed: Vec<Resource>,
    pub(super) events: Vec<StackEvent>,
    /// Where a failed update goes back to.
    pub(super) previous: Option<Previous>,
    /// A step is planned.
    pub(super) stepping: bool,
    /// Rounds in a row in which nothing moved.
    pub(super) idle: u32,
}

impl Stack {
    pub(super) fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.name == name)
    }

    pub(super) fn state(&self) -> String {
        format!("{}_{}", self.action, self.status)
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.action == "DELETE" && self.status == COMPLETE
    }

    pub(super) fn in_progress(&self) -> bool {
        self.status == IN_PROGRESS
    }
}
