//! What is done with an answer: its assertions judged, its values kept.

use http::Method;
use serde_json::json;

use crate::openstack::Response;
use crate::outcome::{Evidence, Reason};
use crate::runner::context::{StepContext, expression_fault, judge};
use crate::runner::fault::StepFault;
use crate::scenario::ServiceType;
use crate::scenario::expression::{Condition, Scope, Template};

/// What was asked.
pub struct Asked<'a> {
    /// Of whom.
    pub service: ServiceType,
    /// How.
    pub method: Method,
    /// The path of the document, evaluated.
    pub path: &'a str,
}

impl Asked<'_> {
    /// The evidence of an answer.
    pub fn evidence(&self, answer: &Response, expected: &str, observed: Option<String>) -> Evidence {
        Evidence {
            service: Some(self.service.as_str().to_owned()),
            method: Some(self.method.to_string()),
            path: Some(answer.path.clone()),
            http_status: Some(answer.status),
            request_id: answer.request_id.clone(),
            expected: Some(expected.to_owned()),
            observed,
            ..Evidence::default()
        }
    }
}

/// The first condition that an answer does not fulfil.
pub fn first_that_fails(
    context: &StepContext<'_>,
    asked: &Asked<'_>,
    that: &[Condition],
    answer: &Response,
) -> Option<StepFault> {
    if that.is_empty() {
        return None;
    }
    let scope = with_answer(context.scope(), answer);
    for condition in that {
        // What an answer lacks now it may have later, so an expression that fails is not final either.
        let (observed, why) = match judge(condition, &scope) {
            Ok(judgement) if judgement.holds => continue,
            Ok(judgement) => (judgement.observed, String::new()),
            Err(fault) => (None, format!(" ({})", fault.message)),
        };
        let saw = observed.as_deref().map(|observed| format!(", but it is {observed}")).unwrap_or_default();
        let message = format!(
            "{} {} of the {} service: expected {}{saw}{why}",
            asked.method,
            asked.path,
            asked.service.as_str(),
            condition.source()
        );
        let evidence = asked.evidence(answer, condition.source(), observed);
        return Some(StepFault::failed(Reason::ExpectationNotMet, message).with(evidence));
    }
    None
}

/// Keeps values of an answer.
pub fn capture(
    context: &StepContext<'_>,
    captures: &[(String, Template)],
    answer: &Response,
) -> Result<(), StepFault> {
    if captures.is_empty() {
        return Ok(());
    }
    let scope = with_answer(context.scope(), answer);
    for (name, template) in captures {
        let value = template.evaluate(&scope).map_err(|error| expression_fault(&error))?;
        context.test.state().scope.set_in("captures", name, value);
    }
    Ok(())
}

/// A scope that sees an answer.
pub fn with_answer(mut scope: Scope, answer: &Response) -> Scope {
    scope.set("status", json!(answer.status));
    scope.set("body", answer.body.clone());
    scope
}
