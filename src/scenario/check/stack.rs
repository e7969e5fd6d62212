//! `stack` steps.

use std::collections::BTreeSet;

use serde_json::Value;

use super::known::KnownStack;
use super::{Checker, Place};
use crate::api::scenario::{StackActionSpec, StackSpec, StepSpec};
use crate::scenario::document::{StackAction, StackChange, StackState};
use crate::scenario::expression::Template;
use crate::scenario::fault::{listed, suggestion};
use crate::scenario::hot::{self, Hot};
use crate::scenario::yaml::field;

/// What a stack can be doing.
const ACTIONS: [&str; 10] =
    ["CREATE", "UPDATE", "DELETE", "ROLLBACK", "SUSPEND", "RESUME", "CHECK", "ADOPT", "SNAPSHOT", "RESTORE"];

impl Checker {
    pub(super) fn check_stack(
        &mut self,
        spec: &StackSpec,
        step: &StepSpec,
        path: &str,
        place: &Place,
    ) -> Option<StackAction> {
        let before = self.faults.len();
        self.check_stack_name(&spec.name, &field(path, "name"));
        if step.for_each.is_some() {
            let message = "a stack step cannot be repeated: its stack has one name";
            self.fault(path, message, "remove forEach; use OS::Heat::ResourceGroup for many of a kind");
        }
        self.check_irrelevant(spec, path);
        let parameters = serde_json::Map::from_iter(spec.parameters.clone());
        let parameters = self.template(&Value::Object(parameters), &field(path, "parameters"), place);
        let wait = spec.wait.unwrap_or(true);
        let change = match spec.action {
            StackActionSpec::Create => self.create(spec, path, place, parameters, wait),
            StackActionSpec::Update => self.update(spec, path, place, parameters, wait),
            StackActionSpec::Delete => self.existing(spec, path).map(|known| {
                let known = KnownStack { settled: wait, deleted: true, ..known };
                self.known.note_stack(&spec.name, known);
                StackChange::Delete
            }),
            StackActionSpec::Await => self.existing(spec, path).map(|known| {
                if known.settled {
                    let message = format!("nothing that stack '{}' does is open", spec.name);
                    self.fault(path, message, "start it with 'wait: false', or remove this step");
                }
                self.known.note_stack(&spec.name, KnownStack { settled: true, ..known });
                StackChange::Await
            }),
        };
        self.known.note_step(&step.name, spec.action == StackActionSpec::Create);
        let until = self.check_until(spec, path);
        let change = change.filter(|_| self.faults.len() == before)?;
        Some(StackAction { name: spec.name.clone(), change, until, wait })
    }

    fn check_stack_name(&mut self, name: &str, path: &str) {
        let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !first || !name.bytes().all(rest) {
            let help = "use lower-case letters, digits and '_', beginning with a letter";
            self.fault(path, format!("'{name}' is no stack name"), help);
        }
    }

    /// Fields that an action does not take.
    fn check_irrelevant(&mut self, spec: &StackSpec, path: &str) {
        use StackActionSpec::{Await, Create, Delete, Update};
        let takes_template = matches!(spec.action, Create | Update);
        let given = [
            ("template", spec.template.is_some() && !takes_template),
            ("parameters", !spec.parameters.is_empty() && !takes_template),
            ("disableRollback", spec.disable_rollback.is_some() && !takes_template),
            ("wait", spec.wait.is_some() && spec.action == Await),
        ];
        for (name, _) in given.into_iter().filter(|(_, wrong)| *wrong) {
            let action = match spec.action {
                Create => "create",
                Update => "update",
                Delete => "delete",
                Await => "await",
            };
            self.fault(
                &field(path, name),
                format!("'{action}' does not take '{name}'"),
                format!("remove '{name}'"),
            );
        }
    }

    fn create(
        &mut self,
        spec: &StackSpec,
        path: &str,
        place: &Place,
        parameters: Option<Template>,
        wait: bool,
    ) -> Option<StackChange> {
        if self.known.stack(&spec.name).is_some_and(|stack| !stack.deleted) {
            let message = format!("an earlier step creates stack '{}'", spec.name);
            self.fault(&field(path, "name"), message, "choose another name, or use 'action: update'");
        }
        let given: BTreeSet<String> = spec.parameters.keys().cloned().collect();
        // Noted even when its template is wrong: that is one fault, not one more at each use.
        let stack = KnownStack {
            template: spec.template.clone().unwrap_or_default(),
            given: given.clone(),
            when: place.when.clone(),
            settled: wait,
            deleted: false,
        };
        self.known.note_stack(&spec.name, stack);
        let Some(template) = &spec.template else {
            self.fault(
                path,
                "create needs a template",
                format!("add 'template', one of: {}", self.template_names()),
            );
            return None;
        };
        let hot = self.known_template(template, path)?;
        self.check_parameters(template, &hot, &given, &given, path);
        self.gate_types(&hot, place);
        Some(StackChange::Create {
            template: template.clone(),
            parameters: parameters?,
            disable_rollback: spec.disable_rollback.unwrap_or(true),
        })
    }

    fn update(
        &mut self,
        spec: &StackSpec,
        path: &str,
        place: &Place,
        parameters: Option<Template>,
        wait: bool,
    ) -> Option<StackChange> {
        let known = self.existing(spec, path)?;
        let template = spec.template.clone().unwrap_or_else(|| known.template.clone());
        if spec.template.is_none() && !self.templates.contains_key(&template) {
            // The step that created it was told.
            return None;
        }
        let hot = self.known_template(&template, path)?;
        let given: BTreeSet<String> = spec.parameters.keys().cloned().collect();
        // Of the last parameters those count that the template, perhaps another one, still takes.
        let mut all: BTreeSet<String> =
            known.given.iter().filter(|name| hot.parameters.contains_key(*name)).cloned().collect();
        all.extend(given.iter().cloned());
        self.check_parameters(&template, &hot, &given, &all, path);
        self.gate_types(&hot, place);
        self.known.note_stack(&spec.name, KnownStack { template, given: all, settled: wait, ..known });
        Some(StackChange::Update {
            template: spec.template.clone(),
            parameters: parameters?,
            disable_rollback: spec.disable_rollback.unwrap_or(true),
        })
    }

    /// The stack that a step works on.
    fn existing(&mut self, spec: &StackSpec, path: &str) -> Option<KnownStack> {
        let path = field(path, "name");
        let Some(known) = self.known.stack(&spec.name).cloned() else {
            let help = suggestion(&spec.name, self.known.stack_names());
            self.fault(&path, format!("no earlier step creates stack '{}'", spec.name), help);
            return None;
        };
        if known.deleted && spec.action != StackActionSpec::Await {
            let message = format!("an earlier step deletes stack '{}'", spec.name);
            self.fault(&path, message, "create it again first");
        }
        Some(known)
    }

    fn known_template(&mut self, name: &str, path: &str) -> Option<Hot> {
        let found = self.templates.get(name).cloned();
        if found.is_none() {
            let help = suggestion(name, self.templates.keys().map(String::as_str));
            let help = if help.is_empty() { "add it under 'templates'".to_owned() } else { help };
            self.fault(&field(path, "template"), format!("there is no template '{name}'"), help);
        }
        found
    }

    fn template_names(&self) -> String {
        listed(self.templates.keys().map(String::as_str))
    }

    fn check_parameters(
        &mut self,
        template: &str,
        hot: &Hot,
        given: &BTreeSet<String>,
        all: &BTreeSet<String>,
        path: &str,
    ) {
        let path = field(path, "parameters");
        for name in given.iter().filter(|name| !hot.parameters.contains_key(*name)) {
            let help = suggestion(name, hot.parameters.keys().map(String::as_str));
            self.fault(&field(&path, name), format!("template '{template}' has no parameter '{name}'"), help);
        }
        for (name, has_default) in &hot.parameters {
            if !has_default && !all.contains(name) {
                let message = format!("parameter '{name}' of template '{template}' is not given");
                self.fault(&path, message, format!("add '{name}', or a default to the template"));
            }
        }
    }

    /// What a template's resources need of the cloud.
    fn gate_types(&mut self, hot: &Hot, place: &Place) {
        if place.optional {
            return;
        }
        self.gates.resource_types.extend(hot.types.iter().cloned());
        self.gates.services.extend(hot.types.iter().filter_map(|kind| hot::service_of(kind)));
    }

    fn check_until(&mut self, spec: &StackSpec, path: &str) -> Option<StackState> {
        let default = match spec.action {
            StackActionSpec::Create => Some("CREATE"),
            StackActionSpec::Update => Some("UPDATE"),
            StackActionSpec::Delete | StackActionSpec::Await => None,
        };
        let Some(text) = &spec.until else {
            if spec.action == StackActionSpec::Await {
                let help = "add 'until', such as CREATE_COMPLETE or DELETE_COMPLETE";
                self.fault(path, "await needs the state that is awaited", help);
            }
            return default.map(|action| StackState { action: action.to_owned(), complete: true });
        };
        let state = text
            .rsplit_once('_')
            .filter(|(action, end)| ACTIONS.contains(action) && matches!(*end, "COMPLETE" | "FAILED"));
        let Some((action, end)) = state else {
            let states =
                ACTIONS.iter().flat_map(|action| [format!("{action}_COMPLETE"), format!("{action}_FAILED")]);
            let states: Vec<String> = states.collect();
            let help = suggestion(text, states.iter().map(String::as_str));
            self.fault(&field(path, "until"), format!("'{text}' is no final state of a stack"), help);
            return None;
        };
        // A deleted stack has no state: it is gone.
        (text != "DELETE_COMPLETE")
            .then(|| StackState { action: action.to_owned(), complete: end == "COMPLETE" })
    }
}
