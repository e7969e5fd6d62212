//! `request` and `expect` steps.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Checker, Place};
use crate::api::scenario::{ExpectSpec, MadeSpec, RequestSpec, RequestUndoSpec, RestoreSpec, StepSpec};
use crate::scenario::document::{ExpectAction, RequestAction, RequestUndo};
use crate::scenario::expression::{Condition, Template};
use crate::scenario::yaml::field;
use crate::scenario::{HttpMethod, ServiceType};

impl Checker {
    pub(super) fn check_request(
        &mut self,
        spec: &RequestSpec,
        step: &StepSpec,
        path: &str,
        place: &Place,
    ) -> Option<RequestAction> {
        let before = self.faults.len();
        self.check_service(spec.service, path);
        let url = self.check_url(&spec.path, &field(path, "path"), place);
        let body = spec.body.as_ref().and_then(|body| self.template(body, &field(path, "body"), place));
        if spec.method == HttpMethod::Get && spec.body.is_some() {
            self.fault(&field(path, "body"), "GET takes no body", "remove it");
        }
        for (index, status) in spec.expect_status.iter().enumerate() {
            if !(100..600).contains(status) {
                let path = format!("{path}.expectStatus[{index}]");
                self.fault(&path, format!("{status} is no HTTP status"), "use 100 to 599");
            }
        }
        let that = self.check_that(&spec.that, path, place);
        let capture = self.check_capture(&spec.capture, path, place);
        let undo = self.check_request_undo(spec, &field(path, "undo"), place);
        let undoable = undo.as_ref().is_some_and(|undo| !matches!(undo, RequestUndo::Nothing));
        self.known.note_step(&step.name, undoable);
        let (url, undo) = (url?, undo?);
        (self.faults.len() == before).then(|| RequestAction {
            service: spec.service,
            method: spec.method,
            path: url,
            body,
            expect_status: spec.expect_status.clone(),
            that,
            capture,
            undo,
        })
    }

    pub(super) fn check_expect(
        &mut self,
        spec: &ExpectSpec,
        path: &str,
        place: &Place,
    ) -> Option<ExpectAction> {
        let before = self.faults.len();
        self.check_service(spec.service, path);
        let url = self.check_url(&spec.path, &field(path, "path"), place);
        if spec.that.is_empty() {
            self.fault(&field(path, "that"), "asserts nothing", "add at least one condition");
        }
        let that = self.check_that(&spec.that, path, place);
        let holds = self.duration(spec.holds.as_deref(), &field(path, "holds"));
        let capture = self.check_capture(&spec.capture, path, place);
        let url = url?;
        (self.faults.len() == before).then(|| ExpectAction {
            service: spec.service,
            path: url,
            pages: spec.pages.clone(),
            that,
            holds,
            capture,
        })
    }

    fn check_that(&mut self, that: &[String], path: &str, place: &Place) -> Vec<Condition> {
        let seen = place.with_answer();
        let conditions = that.iter().enumerate();
        conditions
            .filter_map(|(index, condition)| {
                self.condition(condition, &format!("{path}.that[{index}]"), &seen)
            })
            .collect()
    }

    fn check_service(&mut self, service: ServiceType, path: &str) {
        if service == ServiceType::Identity {
            let help = "use orchestration, network, dns, compute or image";
            self.fault(&field(path, "service"), "documents do not reach the identity service", help);
        }
    }

    fn check_capture(
        &mut self,
        capture: &BTreeMap<String, String>,
        path: &str,
        place: &Place,
    ) -> Vec<(String, Template)> {
        let seen = place.with_answer();
        let mut captures = Vec::new();
        for (name, source) in capture {
            let path = field(&field(path, "capture"), name);
            self.check_name(name, &path);
            captures.extend(self.bare(source, &path, &seen).map(|template| (name.clone(), template)));
            self.known.note_capture(name, place.when.clone());
        }
        captures
    }

    /// A path below a service's versioned root: it can lead nowhere else.
    fn check_url(&mut self, url: &str, path: &str, place: &Place) -> Option<Template> {
        let literal = without_expressions(url);
        let wrong = if !url.starts_with('/') {
            Some("does not begin with '/'")
        } else if literal.contains("//") || literal.contains("://") {
            Some("contains '//'")
        } else if literal.split(['/', '?']).any(|part| part == "..") {
            Some("contains '..'")
        } else if literal
            .contains(|character: char| character.is_whitespace() || "#\\\"<>".contains(character))
        {
            Some("contains a character that no path has")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let help = "write the path below the service's versioned root, such as /ports";
            self.fault(path, format!("'{url}' {wrong}"), help);
        }
        self.text(url, path, place)
    }

    fn check_request_undo(&mut self, spec: &RequestSpec, path: &str, place: &Place) -> Option<RequestUndo> {
        let Some(undo) = &spec.undo else {
            return match spec.method {
                HttpMethod::Get | HttpMethod::Delete => Some(RequestUndo::Nothing),
                method => {
                    let message = format!("{} needs 'undo': how it is taken back", method_name(method));
                    let help = "add one of made (it makes something), restore (it changes something) or none (with the reason)";
                    self.fault(path, message, help);
                    None
                }
            };
        };
        match undo {
            RequestUndoSpec { made: Some(made), restore: None, none: None } => {
                self.check_made(made, spec, &field(path, "made"))
            }
            RequestUndoSpec { made: None, restore: Some(restore), none: None } => {
                self.check_restore(restore, spec, &field(path, "restore"), place)
            }
            RequestUndoSpec { made: None, restore: None, none: Some(_) } => Some(RequestUndo::Nothing),
            _ => {
                self.fault(path, "has not exactly one way", "give exactly one of made, restore and none");
                None
            }
        }
    }

    fn check_made(&mut self, made: &MadeSpec, spec: &RequestSpec, path: &str) -> Option<RequestUndo> {
        let before = self.faults.len();
        let collection = &made.collection;
        let literal = without_expressions(collection);
        let segments = literal.strip_prefix('/').unwrap_or_default();
        let good = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if !segments.split('/').all(good) {
            let help = "write it as /ports: no query";
            self.fault(
                &field(path, "collection"),
                format!("'{collection}' is no path of a collection"),
                help,
            );
        }
        if spec.method != HttpMethod::Post {
            self.fault(path, format!("{} makes nothing", method_name(spec.method)), "use restore or none");
        }
        // An action's answer may carry the id of something else, which would be deleted in the end.
        if *collection != spec.path {
            let message = format!("'{collection}' is not where the request posts to");
            self.fault(&field(path, "collection"), message, "give the request's own path");
        }
        let marked = made_field(spec.body.as_ref(), &made.marked_by)
            .and_then(|value| Template::parse(value).ok())
            .is_some_and(|template| self.known.is_marked(&template.references()));
        if !marked {
            let message = format!(
                "the body's '{}' does not carry the test's prefix, so what is made could not be found again",
                made.marked_by
            );
            let help = format!(
                "set '{}' in the body with ${{test.prefix}} or ${{test.description}}",
                made.marked_by
            );
            self.fault(&field(path, "markedBy"), message, help);
        }
        if spec.service == ServiceType::Orchestration && collection == "/stacks" {
            return self.check_made_stack(made, spec, path);
        }
        let collection = Template::parse_text(collection).ok()?;
        (self.faults.len() == before)
            .then(|| RequestUndo::Made { collection, marked_by: made.marked_by.clone() })
    }

    /// A stack is deleted by its name, and waited for, as one of a `stack` step is.
    fn check_made_stack(&mut self, made: &MadeSpec, spec: &RequestSpec, path: &str) -> Option<RequestUndo> {
        let name = made_field(spec.body.as_ref(), "stack_name").and_then(Value::as_str);
        let Some(name) = name.filter(|_| made.marked_by == "stack_name") else {
            self.fault(&field(path, "markedBy"), "a stack is found by its name", "write stack_name");
            return None;
        };
        Template::parse_text(name).ok().map(|name| RequestUndo::MadeStack { name })
    }

    fn check_restore(
        &mut self,
        restore: &RestoreSpec,
        spec: &RequestSpec,
        path: &str,
        place: &Place,
    ) -> Option<RequestUndo> {
        let undoes_itself = spec.method == HttpMethod::Put && restore.path == spec.path;
        if restore.method == HttpMethod::Delete && !undoes_itself {
            let message = "DELETE sets back only what a PUT to the same path made".to_owned();
            self.fault(
                &field(path, "method"),
                message,
                "use 'made' for what a POST makes, else PUT or PATCH",
            );
        }
        if !matches!(restore.method, HttpMethod::Put | HttpMethod::Patch | HttpMethod::Delete) {
            let message = format!("{} does not set anything back", method_name(restore.method));
            self.fault(&field(path, "method"), message, "use PUT, PATCH or DELETE");
        }
        let url = self.check_url(&restore.path, &field(path, "path"), place);
        let body = match &restore.body {
            Some(body) => Some(self.template(body, &field(path, "body"), place)?),
            None => None,
        };
        Some(RequestUndo::Restore { method: restore.method, path: url?, body })
    }
}

/// The field of a body: beside the others, or inside the one object that services such as Neutron want around it.
fn made_field<'a>(body: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    let body = body?.as_object()?;
    body.get(name).or_else(|| match body.len() {
        1 => body.values().next()?.get(name),
        _ => None,
    })
}

/// The text with every expression replaced by a letter.
fn without_expressions(text: &str) -> String {
    use crate::scenario::expression::split_text;
    split_text(text)
        .unwrap_or_default()
        .into_iter()
        .map(|part| part.unwrap_or_else(|| "x".to_owned()))
        .collect()
}

const fn method_name(method: HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Delete => "DELETE",
    }
}
