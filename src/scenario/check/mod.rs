//! The only way from the wire form to what can be played: converts a document and says all that is wrong with it.

mod known;
mod records;
mod repeat;
mod rest;
mod stack;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Gates, Scenario, Step};
use super::expression::{Condition, ExpressionError, Reference, Template};
use super::fault::Fault;
use super::hot::{self, Hot};
use super::{duration, yaml};
use crate::api::scenario::TempestScenarioSpec;
use known::Known;
use serde_json::Value;

/// Most templates of a document.
const MAX_TEMPLATES: usize = 20;

/// Checks a document completely and converts it.
///
/// # Errors
/// Everything that is wrong with it, each with the path of its field.
pub fn check(name: &str, spec: &TempestScenarioSpec) -> Result<Scenario, Vec<Fault>> {
    check_lines(name, spec).map_err(|faults| {
        let say_line = |fault: Fault| match fault.line {
            Some(line) => Fault { line: None, message: format!("line {line}: {}", fault.message), ..fault },
            None => fault,
        };
        faults.into_iter().map(say_line).collect()
    })
}

/// As [`check`]; the line of a fault, where there is one, is that inside the HOT template.
pub(super) fn check_lines(name: &str, spec: &TempestScenarioSpec) -> Result<Scenario, Vec<Fault>> {
    let mut checker = Checker::default();
    checker.check_head(spec);
    let repeat = checker.check_repeat(spec);
    checker.read_templates(&spec.templates);
    let variables = checker.check_variables(spec);
    let steps = checker.check_steps(&spec.steps);
    let mut faults = checker.faults;
    for fault in &mut faults {
        fault.step = step_of(&fault.path, spec);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Scenario {
        name: name.to_owned(),
        id: spec.id.clone(),
        title: spec.title.clone(),
        description: spec.description.clone(),
        tags: spec.tags.clone(),
        source: spec.source.clone(),
        gates: checker.gates,
        exclusive: spec.exclusive,
        locks: spec.locks.iter().cloned().collect(),
        repeat,
        thresholds: spec.thresholds.unwrap_or_default(),
        variables,
        templates: spec.templates.clone(),
        steps,
    })
}

fn step_of(path: &str, spec: &TempestScenarioSpec) -> Option<String> {
    let (index, _) = path.strip_prefix("spec.steps[")?.split_once(']')?;
    spec.steps.get(index.parse::<usize>().ok()?).map(|step| step.name.clone())
}

#[derive(Default)]
struct Checker {
    faults: Vec<Fault>,
    gates: Gates,
    known: Known,
    templates: BTreeMap<String, Hot>,
}

/// When an expression is evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Before the first step: there are no stacks or captures.
    #[default]
    Variables,
    /// When a step begins.
    Step,
    /// When an answer is there: `status` and `body`.
    Answer,
}

/// Where an expression stands, and what it may see there.
#[derive(Clone, Debug, Default)]
struct Place {
    /// When it is evaluated.
    stage: Stage,
    /// Whether `item` is there.
    item: bool,
    /// Whether it decides about being left out, so that what it reads is no gate.
    asking: bool,
    /// The step's `when`.
    when: Option<String>,
    /// Facts that the step's `when` has asked for: their use is no gate.
    guarded: BTreeSet<String>,
    /// Whether the step is left out when a fact is missing, so that nothing it needs is a gate.
    optional: bool,
}

impl Place {
    fn with_answer(&self) -> Self {
        Self { stage: Stage::Answer, ..self.clone() }
    }

    /// The same place behind one more condition.
    fn behind(&self, condition: Option<&Condition>) -> Self {
        let mut place = self.clone();
        for reference in condition.map(Condition::references).unwrap_or_default() {
            if reference.path.first().is_some_and(|root| root == "facts") {
                place.guarded.insert(reference.dotted());
                place.optional = true;
            }
        }
        place
    }
}

impl Checker {
    fn fault(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Fault {
            path: path.to_owned(),
            message: message.into(),
            help: help.into(),
            ..Fault::default()
        });
    }

    fn check_head(&mut self, spec: &TempestScenarioSpec) {
        if spec.id.as_deref().is_some_and(|id| id.parse::<uuid::Uuid>().is_err()) {
            self.fault("spec.id", "is no UUID", "make one with uuidgen");
        }
        for (index, tag) in spec.tags.iter().enumerate() {
            let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            if tag.is_empty() || !tag.bytes().all(good) {
                let path = format!("spec.tags[{index}]");
                self.fault(&path, format!("'{tag}' is no tag"), "use letters, digits, '-', '_' and '.'");
            }
        }
        for (index, lock) in spec.locks.iter().enumerate() {
            let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if lock.is_empty() || !lock.bytes().all(good) {
                let path = format!("spec.locks[{index}]");
                let help = "use lower-case letters, digits and '-'";
                self.fault(&path, format!("'{lock}' is no name of a lock"), help);
            }
        }
        let needs = &spec.needs;
        self.gates = Gates {
            services: needs.services.iter().copied().collect(),
            extensions: needs.extensions.iter().cloned().collect(),
            resource_types: needs.resource_types.iter().cloned().collect(),
            facts: needs.facts.iter().copied().collect(),
            credentials: needs.credentials.iter().copied().collect(),
            features: needs.features.iter().copied().collect(),
            closed: None,
        };
    }

    fn read_templates(&mut self, templates: &BTreeMap<String, String>) {
        if templates.len() > MAX_TEMPLATES {
            let message = format!("has {} templates", templates.len());
            self.fault("spec.templates", message, format!("at most {MAX_TEMPLATES} are allowed"));
        }
        for (name, text) in templates {
            let path = yaml::field("spec.templates", name);
            let (template, faults) = hot::read(text);
            for fault in faults {
                let at = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
                self.faults.push(Fault {
                    line: fault.line,
                    path: path.clone(),
                    message: format!("{at}{}", fault.message),
                    help: fault.help,
                    ..Fault::default()
                });
            }
            self.templates.insert(name.clone(), template);
        }
    }

    fn check_variables(&mut self, spec: &TempestScenarioSpec) -> Vec<(String, Template)> {
        let mut variables = Vec::new();
        for (index, variable) in spec.variables.iter().enumerate() {
            let path = format!("spec.variables[{index}]");
            self.check_name(&variable.name, &yaml::field(&path, "name"));
            let template = self.template(&variable.value, &yaml::field(&path, "value"), &Place::default());
            let marked =
                template.as_ref().is_some_and(|template| self.known.is_marked(&template.references()));
            if !self.known.declare(&variable.name, marked) {
                let message = format!("there are two variables '{}'", variable.name);
                self.fault(&path, message, "rename one of them");
            }
            variables.extend(template.map(|template| (variable.name.clone(), template)));
        }
        variables
    }

    fn check_steps(&mut self, specs: &[crate::api::scenario::StepSpec]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut names: BTreeSet<&str> = BTreeSet::new();
        let mut group: Option<&str> = None;
        for (index, spec) in specs.iter().enumerate() {
            let path = format!("spec.steps[{index}]");
            if !names.insert(&spec.name) {
                let message = format!("there are two steps '{}'", spec.name);
                self.fault(&yaml::field(&path, "name"), message, "rename one of them");
            }
            if spec.group.as_deref() != group {
                self.known.end_group();
                group = spec.group.as_deref();
            }
            steps.extend(self.check_step(spec, &path));
            if group.is_none() {
                self.known.end_group();
            }
        }
        steps
    }

    /// A name that expressions use.
    fn check_name(&mut self, name: &str, path: &str) {
        let mut bytes = name.bytes();
        let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if !first || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.fault(
                path,
                format!("'{name}' is no name"),
                "use letters, digits and '_', not beginning with a digit",
            );
        }
    }

    fn parsed<T>(&mut self, parsed: Result<T, ExpressionError>, path: &str) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(path, error.to_string(), "mend the expression");
                None
            }
        }
    }

    fn template(&mut self, value: &Value, path: &str, place: &Place) -> Option<Template> {
        let template = self.parsed(Template::parse(value), path)?;
        self.check_references(&template.references(), path, place);
        Some(template)
    }

    fn text(&mut self, text: &str, path: &str, place: &Place) -> Option<Template> {
        let template = self.parsed(Template::parse_text(text), path)?;
        self.check_references(&template.references(), path, place);
        Some(template)
    }

    fn bare(&mut self, text: &str, path: &str, place: &Place) -> Option<Template> {
        let template = self.parsed(Template::parse_bare(text), path)?;
        self.check_references(&template.references(), path, place);
        Some(template)
    }

    fn condition(&mut self, text: &str, path: &str, place: &Place) -> Option<Condition> {
        if text.contains("${") {
            self.fault(path, "a condition is written without '${}'", "remove '${' and '}'");
            return None;
        }
        let condition = self.parsed(Condition::parse(text), path)?;
        self.check_references(&condition.references(), path, place);
        Some(condition)
    }

    fn check_references(&mut self, references: &[Reference], path: &str, place: &Place) {
        let here: BTreeSet<String> =
            references.iter().filter(|reference| reference.guarded).map(Reference::dotted).collect();
        for reference in references {
            match self.known.look_up(reference, place, &self.templates) {
                Ok(()) => {}
                Err((message, help)) => self.fault(path, message, help),
            }
            let asked_for = here.contains(&reference.dotted()) || place.guarded.contains(&reference.dotted());
            if !reference.guarded && !asked_for && !place.asking {
                known::add_gate(&mut self.gates, &reference.path);
            }
        }
    }

    fn duration(&mut self, text: Option<&str>, path: &str) -> Option<std::time::Duration> {
        let text = text?;
        let parsed = duration::parse(text);
        if parsed.is_none() {
            let help = "write it as 300s, 5m or 1m30s: more than nothing, at most 24h";
            self.fault(path, format!("'{text}' is no duration"), help);
        }
        parsed
    }
}

#[cfg(test)]
mod tests;
