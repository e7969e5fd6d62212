//! What Heat takes and gives; only the members that are used.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{StackAction, StackState, StackStatus};
use crate::openstack::lenient::null_default;

/// Name and id: what most calls about a stack need.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StackRef {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
}

/// A stack to create, or what a stack is to become.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewStack {
    /// The name, unique in the project. An update does not change it.
    pub name: String,
    /// The HOT template, as YAML or JSON text.
    pub template: String,
    /// Values for the template's parameters.
    pub parameters: Map<String, Value>,
    /// Tags; no tag may hold a comma.
    pub tags: Vec<String>,
    /// How long the action may take, in minutes (Heat's unit); its own default is an hour.
    pub timeout_minutes: Option<u32>,
    /// Whether what was made stays after a failure (Heat's own default); otherwise it is taken back.
    pub disable_rollback: bool,
    /// An environment, if one is needed.
    pub environment: Option<Value>,
}

impl NewStack {
    pub(super) fn create_body(&self) -> Value {
        let mut body = self.update_body();
        body["stack_name"] = json!(self.name);
        body
    }

    pub(super) fn update_body(&self) -> Value {
        let mut body = json!({
            "template": self.template,
            "parameters": self.parameters,
            "disable_rollback": self.disable_rollback,
        });
        if let Some(minutes) = self.timeout_minutes {
            body["timeout_mins"] = json!(minutes);
        }
        if !self.tags.is_empty() {
            body["tags"] = json!(self.tags.join(","));
        }
        if let Some(environment) = &self.environment {
            body["environment"] = environment.clone();
        }
        body
    }
}

/// A stack.
#[derive(Debug, Clone, Deserialize)]
pub struct Stack {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(rename = "stack_name")]
    pub name: String,
    /// The status.
    #[serde(rename = "stack_status")]
    pub status: StackStatus,
    /// Why it is so, in Heat's words.
    #[serde(rename = "stack_status_reason", default, deserialize_with = "null_default")]
    pub status_reason: String,
    /// The template's description.
    #[serde(default, deserialize_with = "null_default")]
    pub description: String,
    /// When it was created, as Heat wrote it.
    #[serde(default)]
    pub creation_time: Option<String>,
    /// When it was last updated.
    #[serde(default)]
    pub updated_time: Option<String>,
    /// When its deletion ended.
    #[serde(default)]
    pub deletion_time: Option<String>,
    /// Its tags.
    #[serde(default, deserialize_with = "null_default")]
    pub tags: Vec<String>,
    /// The stack that this one is nested in.
    #[serde(default)]
    pub parent: Option<String>,
    /// Its outputs; empty where they were not asked for.
    #[serde(default, deserialize_with = "null_default")]
    pub outputs: Vec<StackOutput>,
}

impl Stack {
    /// Name and id.
    pub fn reference(&self) -> StackRef {
        StackRef { id: self.id.clone(), name: self.name.clone() }
    }

    /// Whether the stack is really deleted: Heat says `DELETE_COMPLETE` a moment before, without the time of the
    /// deletion, and until then still knows the stack by its name.
    pub fn is_gone(&self) -> bool {
        let deleted = StackStatus { action: StackAction::Delete, state: StackState::Complete };
        self.status == deleted && self.deletion_time.is_some()
    }

    /// The value of an output.
    pub fn output(&self, key: &str) -> Option<&Value> {
        self.outputs.iter().find(|output| output.key == key).map(|output| &output.value)
    }
}

/// One output of a stack.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct StackOutput {
    /// Its name in the template.
    #[serde(rename = "output_key")]
    pub key: String,
    /// Its value; null when it could not be made.
    #[serde(rename = "output_value", default)]
    pub value: Value,
    /// Why it could not be made.
    #[serde(rename = "output_error", default)]
    pub error: Option<String>,
}

/// One resource of a stack.
#[derive(Debug, Clone, Deserialize)]
pub struct StackResource {
    /// Its name in the template.
    #[serde(rename = "resource_name")]
    pub name: String,
    /// Its type.
    #[serde(default, deserialize_with = "null_default")]
    pub resource_type: String,
    /// The id of the thing that was made, or empty.
    #[serde(rename = "physical_resource_id", default, deserialize_with = "null_default")]
    pub physical_id: String,
    /// The status, such as `CREATE_COMPLETE`.
    #[serde(rename = "resource_status", default, deserialize_with = "null_default")]
    pub status: String,
    /// Why it is so.
    #[serde(rename = "resource_status_reason", default, deserialize_with = "null_default")]
    pub status_reason: String,
}

/// One event of a stack.
#[derive(Debug, Clone, Deserialize)]
pub struct StackEvent {
    /// The id.
    #[serde(default, deserialize_with = "null_default")]
    pub id: String,
    /// When, as Heat wrote it.
    #[serde(rename = "event_time", default, deserialize_with = "null_default")]
    pub time: String,
    /// The resource, by its name in the template (the stack's own name for the stack itself).
    #[serde(default, deserialize_with = "null_default")]
    pub resource_name: String,
    /// The status.
    #[serde(rename = "resource_status", default, deserialize_with = "null_default")]
    pub status: String,
    /// Why.
    #[serde(rename = "resource_status_reason", default, deserialize_with = "null_default")]
    pub status_reason: String,
    /// The id of the thing that was made, or empty.
    #[serde(rename = "physical_resource_id", default, deserialize_with = "null_default")]
    pub physical_id: String,
}

/// What Heat read from a template.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct TemplateSummary {
    /// The template's description.
    #[serde(rename = "Description", default, deserialize_with = "null_default")]
    pub description: String,
    /// Its parameters with their types, defaults and constraints.
    #[serde(rename = "Parameters", default, deserialize_with = "null_default")]
    pub parameters: Map<String, Value>,
}
