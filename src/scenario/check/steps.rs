//! One step: its modifiers, and which of the six kinds it is.

use std::time::Duration;

use super::{Checker, Place, Stage};
use crate::api::scenario::StepSpec;
use crate::outcome::Role;
use crate::scenario::ServiceType;
use crate::scenario::document::{Action, Step};
use crate::scenario::expression::Template;
use crate::scenario::yaml::field;

/// Most items of a `forEach` that is written out.
const MAX_ITEMS: usize = 100;
const KINDS: &str = "stack, request, expect, records, guest and undo";

const STACK: Duration = Duration::from_mins(10);
const REQUEST: Duration = Duration::from_mins(1);
const EXPECT: Duration = Duration::from_mins(5);
const RECORDS: Duration = Duration::from_mins(5);
/// On top of the time a guest may take to boot.
const GUEST: Duration = Duration::from_mins(2);
const UNDO: Duration = Duration::from_mins(5);

impl Checker {
    pub(super) fn check_step(&mut self, spec: &StepSpec, path: &str) -> Option<Step> {
        let kinds = [
            spec.stack.is_some(),
            spec.request.is_some(),
            spec.expect.is_some(),
            spec.records.is_some(),
            spec.guest.is_some(),
            spec.undo.is_some(),
        ];
        let count = kinds.into_iter().filter(|given| *given).count();
        if count != 1 {
            let message = if count == 0 { "has no kind" } else { "has several kinds" };
            self.fault(path, message, format!("give exactly one of {KINDS}"));
        }
        let mut place = Place {
            stage: Stage::Step,
            item: spec.for_each.is_some(),
            when: spec.when.clone(),
            ..Place::default()
        };
        let without_item = Place { item: false, ..place.clone() };
        let when = spec.when.as_deref().map(|when| {
            let asking = Place { asking: true, ..place.clone() };
            self.condition(when, &field(path, "when"), &asking)
        });
        place = place.behind(when.as_ref().and_then(Option::as_ref));
        let for_each = spec.for_each.as_ref().map(|list| self.check_for_each(list, path, &without_item));
        let within = self.duration(spec.within.as_deref(), &field(path, "within"));
        let role = spec.role.unwrap_or_default();
        if role != Role::Primary && !place.optional {
            self.gates.credentials.insert(role);
        }
        let actions = self.check_kinds(spec, path, &place);
        if spec.stack.is_none() && spec.request.is_none() {
            self.known.note_step(&spec.name, false);
        }
        let (action, default) = actions.into_iter().next().flatten()?;
        if let Some(hold) = hold_of(&action).filter(|hold| within.is_some_and(|within| within < *hold)) {
            let message = format!("is shorter than the {}s that the step watches", hold.as_secs());
            self.fault(&field(path, "within"), message, "make it longer, or leave it out");
        }
        Some(Step {
            name: spec.name.clone(),
            role,
            when: flattened(when)?,
            for_each: flattened(for_each)?,
            within: within.unwrap_or(default),
            group: spec.group.clone(),
            report: spec.report,
            action,
        })
    }

    fn check_for_each(&mut self, list: &serde_json::Value, path: &str, place: &Place) -> Option<Template> {
        let path = field(path, "forEach");
        let template = self.template(list, &path, place)?;
        match template.literal() {
            Some(serde_json::Value::Array(items)) if items.len() > MAX_ITEMS => {
                self.fault(
                    &path,
                    format!("has {} items", items.len()),
                    format!("at most {MAX_ITEMS} are allowed"),
                );
            }
            Some(serde_json::Value::Array(_)) | None => {}
            Some(_) => self.fault(&path, "is no list", "write a list, or one '${…}' that gives one"),
        }
        Some(template)
    }

    /// Checks every kind that is given, so that all faults are found even when there are several.
    fn check_kinds(&mut self, spec: &StepSpec, path: &str, place: &Place) -> Vec<Option<(Action, Duration)>> {
        let mut actions = Vec::new();
        if let Some(stack) = &spec.stack {
            self.needs(ServiceType::Orchestration, place);
            let action = self.check_stack(stack, spec, &field(path, "stack"), place);
            actions.push(action.map(|action| (Action::Stack(action), STACK)));
        }
        if let Some(request) = &spec.request {
            self.needs(request.service, place);
            let action = self.check_request(request, spec, &field(path, "request"), place);
            actions.push(action.map(|action| (Action::Request(action), REQUEST)));
        }
        if let Some(expect) = &spec.expect {
            self.needs(expect.service, place);
            let action = self.check_expect(expect, &field(path, "expect"), place);
            actions.push(action.map(|action| {
                let within = EXPECT + action.holds.unwrap_or_default();
                (Action::Expect(action), within)
            }));
        }
        if let Some(records) = &spec.records {
            self.needs(ServiceType::Dns, place);
            let action = self.check_records(records, &field(path, "records"), place);
            actions.push(action.map(|action| {
                let within = if action.never.is_empty() { RECORDS } else { RECORDS + action.hold };
                (Action::Records(action), within)
            }));
        }
        if let Some(guest) = &spec.guest {
            self.needs(ServiceType::Compute, place);
            let action = self.check_guest(guest, &field(path, "guest"), place);
            actions.push(action.map(|action| {
                let within = GUEST + action.boot_within;
                (Action::Guest(action), within)
            }));
        }
        if let Some(undo) = &spec.undo {
            if let Err((message, help)) = self.known.may_undo(&undo.step) {
                self.fault(&field(&field(path, "undo"), "step"), message, help);
            }
            actions.push(Some((Action::Undo { step: undo.step.clone() }, UNDO)));
        }
        actions
    }

    pub(super) fn needs(&mut self, service: ServiceType, place: &Place) {
        if !place.optional {
            self.gates.services.insert(service);
        }
    }
}

/// How long a step watches on purpose.
fn hold_of(action: &Action) -> Option<Duration> {
    match action {
        Action::Expect(expect) => expect.holds,
        Action::Records(records) if !records.never.is_empty() => Some(records.hold),
        Action::Guest(guest) => Some(guest.boot_within),
        _ => None,
    }
}

/// Nothing given is fine; something given and faulty is not.
#[expect(clippy::option_option, reason = "given or not, and valid or not, are two questions")]
fn flattened<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
        None => Some(None),
    }
}
