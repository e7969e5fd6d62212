//! The `expect` step: a GET is repeated until its assertions hold, or for as long as they must hold.

use futures::FutureExt;
use http::Method;
use tokio::time::Instant;

use super::answer::{Asked, capture, first_that_fails};
use super::request::at;
use crate::openstack::Response;
use crate::outcome::Reason;
use crate::runner::cloud::{fault_of, fault_of_status, service_of};
use crate::runner::context::StepContext;
use crate::runner::fault::{StepEnd, StepFault};
use crate::runner::poll::{Observation, Pending};
use crate::scenario::document::ExpectAction;

/// Items asked for in one page.
const PAGE: u32 = 500;

/// Plays it.
pub async fn play(context: &StepContext<'_>, action: &ExpectAction) -> Result<StepEnd, StepFault> {
    let path = context.text(&action.path)?;
    let answer = match action.holds {
        None => until_it_holds(context, action, &path).await?,
        Some(period) => {
            let end = Instant::now() + context.test.scaled(period);
            while_it_holds(context, action, &path, end).await?
        }
    };
    capture(context, &action.capture, &answer)?;
    Ok(StepEnd::Done)
}

async fn until_it_holds(
    context: &StepContext<'_>,
    action: &ExpectAction,
    path: &str,
) -> Result<Response, StepFault> {
    context
        .poll("expect", context.deadline, || {
            async {
                match look(context, action, path).await {
                    Ok(answer) => match wrong(context, action, path, &answer) {
                        None => Observation::Done(answer),
                        Some(fault) => Observation::Pending(Pending::fault(fault)),
                    },
                    Err(fault) => Observation::waiting(fault),
                }
            }
            .boxed()
        })
        .await
}

/// Looks again and again until `end`; the first answer that says no ends it, and the last one must say yes.
async fn while_it_holds(
    context: &StepContext<'_>,
    action: &ExpectAction,
    path: &str,
    end: Instant,
) -> Result<Response, StepFault> {
    context
        .watch(end, || {
            async {
                match look(context, action, path).await {
                    Ok(answer) => match wrong(context, action, path, &answer) {
                        None if Instant::now() >= end => Observation::Done(answer),
                        None => Observation::Pending(Pending {
                            seen: "holds".to_owned(),
                            ..Pending::fault(StepFault::failed(
                                Reason::ExpectationNotMet,
                                "time ran out while it held",
                            ))
                        }),
                        Some(fault) => Observation::Fault(fault),
                    },
                    Err(fault) => Observation::waiting(fault),
                }
            }
            .boxed()
        })
        .await
}

/// One look. A status that is not 2xx is an answer too: assertions may want it.
async fn look(context: &StepContext<'_>, action: &ExpectAction, path: &str) -> Result<Response, StepFault> {
    let session = context.session()?;
    let service = service_of(action.service);
    let request = at(session, service, Method::GET, path);
    let answer =
        if action.pages.is_some() { request.send_pages(PAGE).await } else { request.send_any().await };
    answer.map_err(|error| fault_of(&error))
}

/// What is wrong with an answer: its status, unless an assertion wants it, then its assertions.
fn wrong(
    context: &StepContext<'_>,
    action: &ExpectAction,
    path: &str,
    answer: &Response,
) -> Option<StepFault> {
    let asked = Asked { service: action.service, method: Method::GET, path };
    let asks_for_status = action.that.iter().any(|condition| mentions_status(condition.source()));
    if !(200..300).contains(&answer.status) && !asks_for_status {
        let words = answer.error_message().unwrap_or_default();
        let service = action.service.as_str();
        let message = format!("GET {path} of the {service} service answered {} {words}", answer.status);
        let fault = fault_of_status(answer.status, Reason::ExpectationNotMet, message);
        return Some(fault.with(asked.evidence(answer, "2xx", Some(answer.status.to_string()))));
    }
    first_that_fails(context, &asked, &action.that, answer)
}

/// Whether an assertion is about the answer's `status`, and not about a field that is called so.
fn mentions_status(source: &str) -> bool {
    let part_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '\'' | '"');
    source.match_indices("status").any(|(at, word)| {
        !source[..at].ends_with(part_of_a_name)
            && !source[at + word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::mentions_status;

    #[rstest]
    #[case("status == 404", true)]
    #[case("body.size() == 1 || status >= 500", true)]
    #[case("body.status == 'ACTIVE'", false)]
    #[case("body['status'] == 'ACTIVE'", false)]
    #[case("status_code == 1", false)]
    fn only_the_answers_own_status_counts(#[case] source: &str, #[case] mentions: bool) {
        assert_eq!(mentions_status(source), mentions);
    }
}
