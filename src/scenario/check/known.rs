//! What a document has declared so far, and whether an expression may use it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Place, Stage};
use crate::outcome::Role;
use crate::scenario::NeededFact;
use crate::scenario::document::Gates;
use crate::scenario::expression::Reference;
use crate::scenario::fault::suggestion;
use crate::scenario::hot::Hot;

const ROOTS: [&str; 7] = ["run", "test", "facts", "vars", "templates", "stacks", "captures"];
const FACTS: [&str; 13] = [
    "region",
    "image",
    "flavor",
    "floatingNetwork",
    "publishedNetwork",
    "nameServers",
    "ptr",
    "floatingIpDns",
    "guest",
    "primary",
    "alternate",
    "admin",
    "reader",
];
const IDENTITY: [&str; 4] = ["projectId", "projectName", "userId", "userName"];
/// CEL's names of types, as in `type(x) == string`.
const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

/// What a document has declared so far.
#[derive(Debug, Default)]
pub struct Known {
    /// Variables; `true` for those that carry the test's prefix.
    variables: BTreeMap<String, bool>,
    stacks: BTreeMap<String, KnownStack>,
    captures: BTreeMap<String, Option<String>>,
    /// Steps that `undo` may name.
    undoable: BTreeSet<String>,
    steps: BTreeSet<String>,
    group: Group,
}

/// What the steps of the current group have made: nothing of it is there before the group's end.
#[derive(Debug, Default)]
struct Group {
    stacks: BTreeSet<String>,
    captures: BTreeMap<String, Option<String>>,
}

/// A stack that an earlier step creates.
#[derive(Clone, Debug)]
pub struct KnownStack {
    /// Its last template.
    pub template: String,
    /// Parameters that were given.
    pub given: BTreeSet<String>,
    /// The condition under which it is created.
    pub when: Option<String>,
    /// Whether its last change was awaited.
    pub settled: bool,
    /// Whether it was deleted.
    pub deleted: bool,
}

type Wrong = (String, String);

impl Known {
    /// Declares a variable; `false` when it is there already.
    pub fn declare(&mut self, name: &str, marked: bool) -> bool {
        self.variables.insert(name.to_owned(), marked).is_none()
    }

    /// Whether something that reads these paths carries the test's prefix.
    pub fn is_marked(&self, references: &[Reference]) -> bool {
        references.iter().any(|reference| match reference.path.as_slice() {
            [root, name, ..] if root == "test" => name == "prefix" || name == "description",
            [root, name, ..] if root == "vars" => self.variables.get(name).copied().unwrap_or_default(),
            _ => false,
        })
    }

    /// A stack of an earlier step.
    pub fn stack(&self, name: &str) -> Option<&KnownStack> {
        self.stacks.get(name)
    }

    /// Notes a stack's new state.
    pub fn note_stack(&mut self, name: &str, stack: KnownStack) {
        self.group.stacks.insert(name.to_owned());
        self.stacks.insert(name.to_owned(), stack);
    }

    /// The stacks that are known.
    pub fn stack_names(&self) -> impl Iterator<Item = &str> {
        self.stacks.keys().map(String::as_str)
    }

    /// Notes a value that a step keeps.
    pub fn note_capture(&mut self, name: &str, when: Option<String>) {
        self.group.captures.insert(name.to_owned(), when);
    }

    /// Notes a step, and whether it does something that can be taken back.
    pub fn note_step(&mut self, name: &str, undoable: bool) {
        self.steps.insert(name.to_owned());
        if undoable {
            self.undoable.insert(name.to_owned());
        }
    }

    /// Whether `undo` may name this step.
    pub fn may_undo(&self, name: &str) -> Result<(), Wrong> {
        if self.undoable.contains(name) {
            return Ok(());
        }
        let help = suggestion(name, self.undoable.iter().map(String::as_str));
        Err(if self.steps.contains(name) {
            (format!("step '{name}' does nothing that could be taken back"), help)
        } else {
            (format!("no earlier step is called '{name}'"), help)
        })
    }

    /// What the steps of a group have made is there from now on.
    pub fn end_group(&mut self) {
        let group = std::mem::take(&mut self.group);
        self.captures.extend(group.captures);
    }

    /// Whether an expression may read a path.
    pub fn look_up(
        &self,
        reference: &Reference,
        place: &Place,
        templates: &BTreeMap<String, Hot>,
    ) -> Result<(), Wrong> {
        let path: Vec<&str> = reference.path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["run", name, ..] => one_of("run", name, &["id", "zoneSuffix"]),
            ["test", name, ..] => one_of("test", name, &["prefix", "description"]),
            ["facts", "primary" | "alternate" | "admin" | "reader", name, ..] => {
                one_of("facts.ROLE", name, &IDENTITY)
            }
            ["facts", name, ..] => one_of("facts", name, &FACTS),
            ["vars", name, ..] => self.look_up_variable(name),
            ["templates", name, ..] if templates.contains_key(*name) => Ok(()),
            ["templates", name, ..] => {
                let help = suggestion(name, templates.keys().map(String::as_str));
                Err((format!("there is no template '{name}'"), help))
            }
            ["stacks" | "captures", ..] if place.stage == Stage::Variables => {
                let message =
                    "variables are evaluated before the first step: there are no stacks or captures yet";
                Err((message.to_owned(), "use the expression in the step".to_owned()))
            }
            // Whole, it is there; what of it is read cannot be told.
            [] | ["run" | "test" | "facts" | "vars" | "templates" | "stacks" | "captures"] => Ok(()),
            ["stacks", name, rest @ ..] => {
                self.look_up_stack(name, rest, reference.guarded, place, templates)
            }
            ["captures", name, ..] => self.look_up_capture(name, reference.guarded, place),
            ["item", ..] if place.item => Ok(()),
            ["item", ..] => {
                Err(("'item' is only there in a step with forEach".to_owned(), "add forEach".to_owned()))
            }
            ["status" | "body", ..] if place.stage == Stage::Answer => Ok(()),
            ["status" | "body", ..] => {
                let message = format!("'{}' is only there in assertions and in captures", path[0]);
                Err((message, "capture the value and use captures.NAME".to_owned()))
            }
            [name, ..] if TYPES.contains(name) => Ok(()),
            [name, ..] => Err((format!("there is nothing called '{name}'"), suggestion(name, ROOTS))),
        }
    }

    fn look_up_variable(&self, name: &str) -> Result<(), Wrong> {
        if self.variables.contains_key(name) {
            return Ok(());
        }
        let help = suggestion(name, self.variables.keys().map(String::as_str));
        Err((format!("no variable '{name}' is declared before its use"), help))
    }

    fn look_up_capture(&self, name: &str, guarded: bool, place: &Place) -> Result<(), Wrong> {
        let Some(when) = self.captures.get(name) else {
            let help = suggestion(name, self.captures.keys().map(String::as_str));
            return Err(if self.group.captures.contains_key(name) {
                let message = format!("captures.{name} is made in the same group, whose steps run together");
                (message, "end the group first".to_owned())
            } else {
                (format!("no earlier step captures '{name}'"), help)
            });
        };
        conditional(&format!("captures.{name}"), when.as_deref(), guarded, place)
    }

    fn look_up_stack(
        &self,
        name: &str,
        rest: &[&str],
        guarded: bool,
        place: &Place,
        templates: &BTreeMap<String, Hot>,
    ) -> Result<(), Wrong> {
        let Some(stack) = self.stacks.get(name) else {
            return Err((
                format!("no earlier step creates stack '{name}'"),
                suggestion(name, self.stack_names()),
            ));
        };
        if self.group.stacks.contains(name) {
            let message = format!("stack '{name}' is changed in the same group, whose steps run together");
            return Err((message, "end the group first".to_owned()));
        }
        conditional(&format!("stacks.{name}"), stack.when.as_deref(), guarded, place)?;
        match rest {
            ["outputs", key, ..] => {
                if !stack.settled {
                    let message = format!("stack '{name}' was only started, so it has no outputs yet");
                    return Err((message, format!("add a step that awaits '{name}'")));
                }
                let Some(template) = templates.get(&stack.template) else { return Ok(()) };
                if template.outputs.contains(*key) {
                    return Ok(());
                }
                let help = suggestion(key, template.outputs.iter().map(String::as_str));
                Err((format!("template '{}' of stack '{name}' has no output '{key}'", stack.template), help))
            }
            [] => Ok(()),
            [field, ..] => one_of(&format!("stacks.{name}"), field, &["id", "name", "outputs"]),
        }
    }
}

/// What is made under a condition may only be used under the same.
fn conditional(what: &str, made: Option<&str>, guarded: bool, place: &Place) -> Result<(), Wrong> {
    match made {
        Some(made) if !guarded && !place.when.as_deref().is_some_and(|when| when.contains(made)) => {
            let message = format!("{what} is only there when {made}");
            Err((message, format!("add 'when: {made}' to this step")))
        }
        _ => Ok(()),
    }
}

fn one_of(of: &str, name: &str, known: &[&str]) -> Result<(), Wrong> {
    if known.contains(&name) {
        return Ok(());
    }
    Err((format!("{of} has no '{name}'"), suggestion(name, known.iter().copied())))
}

/// A fact that an expression cannot do without is a gate.
pub fn add_gate(gates: &mut Gates, path: &[String]) {
    let [root, name, ..] = path else { return };
    if root != "facts" {
        return;
    }
    let fact = match name.as_str() {
        "image" => NeededFact::Image,
        "flavor" => NeededFact::Flavor,
        "floatingNetwork" => NeededFact::FloatingNetwork,
        "publishedNetwork" => NeededFact::PublishedNetwork,
        "nameServers" => NeededFact::NameServers,
        other => {
            let role = Role::ALL.into_iter().find(|role| role.as_str() == other);
            gates.credentials.extend(role.filter(|role| *role != Role::Primary));
            return;
        }
    };
    gates.facts.insert(fact);
}
