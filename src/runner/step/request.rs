//! The `request` step: one REST call, written down before it is made when it makes something.

use http::Method;
use serde_json::Value;

use super::answer::{Asked, capture, first_that_fails};
use crate::openstack::{Request, Response, Service, Session};
use crate::outcome::{Evidence, Reason};
use crate::runner::cloud::{fault_of, fault_of_status, is_ambiguous, method_of, service_of, with_sources};
use crate::runner::context::StepContext;
use crate::runner::fault::{StepEnd, StepFault};
use crate::runner::ledger::{Entry, Undo};
use crate::scenario::HttpMethod;
use crate::scenario::document::{RequestAction, RequestUndo};

/// Plays it.
pub async fn play(context: &StepContext<'_>, action: &RequestAction) -> Result<StepEnd, StepFault> {
    let path = context.text(&action.path)?;
    let body = action.body.as_ref().map(|body| context.value(body)).transpose()?;
    if action.method == HttpMethod::Delete {
        only_our_own(context, action, &path).await?;
    }
    if let RequestUndo::Restore { method: HttpMethod::Delete, .. } = action.undo {
        only_what_is_not_there(context, action, &path).await?;
    }
    let entry = write_down(context, action).await?;
    let session = context.session()?;
    let mut request = at(session, service_of(action.service), method_of(action.method), &path);
    if let Some(body) = &body {
        request = request.json(body);
    }
    context.test.changed_now();
    let answer = match request.send_any().await {
        Ok(answer) => answer,
        // Whether it happened is not known; the ledger's marker finds what it made.
        Err(error) if is_ambiguous(&error) => {
            let fault = fault_of(&error);
            return Err(StepFault {
                message: format!("{} (whether it happened is not known)", fault.message),
                ..fault
            });
        }
        Err(error) => return Err(fault_of(&error)),
    };
    context.test.changed_now();
    let wanted = |status: u16| {
        if action.expect_status.is_empty() {
            (200..300).contains(&status)
        } else {
            action.expect_status.contains(&status)
        }
    };
    if let Some(entry) = entry
        && let Some(id) = made_id(&answer.body)
    {
        context.run().ledger.made(entry.number, &id).await;
    }
    // Who wants a success of a DELETE has it when the answer to the first attempt got lost, and the second finds nothing.
    let done = answer.was_deleted_before() && (200..300).any(wanted);
    if !wanted(answer.status) && !done {
        return Err(unexpected(action, &path, &answer));
    }
    if action.method == HttpMethod::Delete {
        strike_out(context, &path).await;
    }
    let asked = Asked { service: action.service, method: method_of(action.method), path: &path };
    if let Some(fault) = first_that_fails(context, &asked, &action.that, &answer) {
        return Err(fault);
    }
    capture(context, &action.capture, &answer)?;
    Ok(StepEnd::Done)
}

/// A scenario deletes only what its own ledger holds.
async fn only_our_own(
    context: &StepContext<'_>,
    action: &RequestAction,
    path: &str,
) -> Result<(), StepFault> {
    if entry_of(context, path).await.is_some() {
        return Ok(());
    }
    let message = format!(
        "DELETE {path} of the {} service is refused: this test did not make it",
        action.service.as_str()
    );
    Err(StepFault::errored(Reason::ServiceError, message))
}

/// What is there before the request is not made by it, so that a DELETE would not set it back.
async fn only_what_is_not_there(
    context: &StepContext<'_>,
    action: &RequestAction,
    path: &str,
) -> Result<(), StepFault> {
    let asked = at(context.session()?, service_of(action.service), Method::GET, path).send_any().await;
    let answer = asked.map_err(|error| fault_of(&error))?;
    if answer.status == 404 {
        return Ok(());
    }
    let message = format!(
        "{} {path} of the {} service is refused: a DELETE is to set it back, but it was there before (GET answered {})",
        method_of(action.method),
        action.service.as_str(),
        answer.status
    );
    Err(StepFault::errored(Reason::ServiceError, message))
}

async fn entry_of(context: &StepContext<'_>, path: &str) -> Option<Entry> {
    let entries = context.run().ledger.open_of(&context.test.test.prefix).await;
    entries.into_iter().find(|entry| match &entry.undo {
        Undo::Item { collection, id: Some(id), .. } => format!("{collection}/{id}") == path,
        _ => false,
    })
}

async fn strike_out(context: &StepContext<'_>, path: &str) {
    if let Some(entry) = entry_of(context, path).await {
        // Undoing waits until it is really gone; an entry that stays is found gone later.
        let undoing = crate::runner::undo::Undoing::of(context.run());
        let _ = undoing.undo_all(vec![entry]).await;
    }
}

async fn write_down(context: &StepContext<'_>, action: &RequestAction) -> Result<Option<Entry>, StepFault> {
    let service = action.service.as_str().to_owned();
    let prefix = &context.test.test.prefix;
    let undo = match &action.undo {
        RequestUndo::Nothing => return Ok(None),
        RequestUndo::MadeStack { name } => Undo::Stack { name: context.text(name)?, id: None },
        RequestUndo::Made { collection, marked_by } => Undo::Item {
            service,
            collection: context.text(collection)?,
            marked_by: marked_by.clone(),
            marker: prefix.clone(),
            id: None,
        },
        RequestUndo::Restore { method, path, body } => Undo::Restore {
            service,
            method: method_of(*method).to_string(),
            path: context.text(path)?,
            body: body.as_ref().map(|body| context.value(body)).transpose()?,
        },
    };
    let entry = context.run().ledger.intend(prefix, &context.step.name, context.step.role, undo).await;
    let entry = entry.map_err(|error| {
        let why = with_sources(&error);
        let message = format!("nothing was requested, because it could not be written down first: {why}");
        StepFault::errored(Reason::LedgerUnavailable, message)
    })?;
    context.test.state().entries.entry(context.step.name.clone()).or_default().push(entry.number);
    Ok(Some(entry))
}

/// The id in an answer: at the top (Designate), or one level below (the others).
fn made_id(body: &Value) -> Option<String> {
    let own = |value: &Value| value.get("id").and_then(Value::as_str).map(str::to_owned);
    own(body).or_else(|| body.as_object()?.values().find_map(own))
}

fn unexpected(action: &RequestAction, path: &str, answer: &Response) -> StepFault {
    let wanted = if action.expect_status.is_empty() {
        "2xx".to_owned()
    } else {
        action.expect_status.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ")
    };
    let words = answer.error_message().unwrap_or_default();
    let message = format!(
        "{} {path} of the {} service answered {} instead of {wanted}{}{words}",
        method_of(action.method),
        action.service.as_str(),
        answer.status,
        if words.is_empty() { "" } else { ": " },
    );
    let evidence = Evidence {
        service: Some(action.service.as_str().to_owned()),
        method: Some(method_of(action.method).to_string()),
        path: Some(answer.path.clone()),
        http_status: Some(answer.status),
        request_id: answer.request_id.clone(),
        expected: Some(wanted),
        observed: Some(format!("{} {words}", answer.status)),
        ..Evidence::default()
    };
    fault_of_status(answer.status, Reason::UnexpectedStatus, message).with(evidence)
}

/// A request to a document's path, whose query, if it has one, stands behind `?` as in a URL.
pub fn at(session: &Session, service: Service, method: Method, path: &str) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parameters = url::form_urlencoded::parse(query.as_bytes());
    parameters.fold(session.request(service, method, path), |request, (name, value)| {
        request.query(name.into_owned(), value)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_id_of_what_was_made_is_found_in_every_services_answer() {
        assert_eq!(made_id(&json!({"id": "z", "name": "n"})).as_deref(), Some("z"));
        assert_eq!(made_id(&json!({"port": {"id": "p"}})).as_deref(), Some("p"));
        assert_eq!(made_id(&json!({"ports": [{"id": "p"}]})), None);
    }
}
