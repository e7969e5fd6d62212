//! The `guest` step: a boot script in the guest prints two markers to the console; we read them through Nova.

use crate::outcome::{Evidence, Reason, shorten};
use crate::runner::cloud::fault_of;
use crate::runner::context::StepContext;
use crate::runner::fault::{StepEnd, StepFault};
use crate::runner::poll::{Observation, Pending};
use crate::scenario::document::GuestAction;
use futures::FutureExt;
use tokio::time::Instant;

/// Lines of the console that are asked for.
const LINES: u32 = 400;

/// Plays it. A guest that does not boot is left out with that reason, unless the run requires guests.
pub async fn play(context: &StepContext<'_>, action: &GuestAction) -> Result<StepEnd, StepFault> {
    let settings = &context.run().plan.settings;
    if !settings.guest_offered {
        return Ok(StepEnd::Skipped("the run's owner declares that guests are not offered".to_owned()));
    }
    let server = context.text(&action.server)?;
    let [booted, result, equals] =
        [context.text(&action.booted)?, context.text(&action.result)?, context.text(&action.equals)?];
    let evidence = |expected: String, observed: Option<String>| Evidence {
        service: Some("compute".to_owned()),
        method: Some("POST".to_owned()),
        path: Some(format!("/servers/{server}/action os-getConsoleOutput")),
        expected: Some(expected),
        observed,
        ..Evidence::default()
    };
    let boot_deadline = Instant::now() + context.test.scaled(action.boot_within);
    let boot = wait_for(context, &server, "guest:boot", boot_deadline, &booted, || {
        let message = format!("the guest of server {server} did not print '{booted}' in time");
        StepFault::failed(Reason::GuestDidNotBoot, message).with(evidence(booted.clone(), None))
    });
    match boot.await {
        Ok(_) => {}
        Err(fault) if fault.reason == Reason::GuestDidNotBoot && !settings.guest_required => {
            return Ok(StepEnd::Skipped(format!("no guest boots here: {}", fault.message)));
        }
        Err(fault) => return Err(fault),
    }
    let line = wait_for(context, &server, "guest:result", context.deadline, &result, || {
        let message = format!("the guest of server {server} booted but never printed '{result}'");
        StepFault::failed(Reason::GuestAnswerWrong, message)
            .with(evidence(format!("{result} {equals}"), None))
    })
    .await?;
    let said = line.trim();
    if said == equals {
        return Ok(StepEnd::Done);
    }
    let message = format!("the guest of server {server} looked up '{said}' instead of '{equals}'");
    Err(StepFault::failed(Reason::GuestAnswerWrong, message).with(evidence(equals, Some(shorten(said, 200)))))
}

/// Waits for a line of the console that begins with `marker`; gives the rest of that line.
async fn wait_for(
    context: &StepContext<'_>,
    server: &str,
    general: &str,
    deadline: Instant,
    marker: &str,
    missing: impl Fn() -> StepFault + Sync,
) -> Result<String, StepFault> {
    let nova = context.session()?.nova();
    context
        .poll(general, deadline, || {
            async {
                match nova.console_output(server, LINES).await {
                    Ok(console) => match after(&console, marker) {
                        Some(rest) => Observation::Done(rest.to_owned()),
                        None => Observation::Pending(Pending::fault(missing())),
                    },
                    // No console yet (404, 409), or none at all (400, 501): a guest that does not boot.
                    Err(error) if error.status().is_some_and(|status| status < 500 || status == 501) => {
                        Observation::Pending(Pending::fault(missing()))
                    }
                    Err(error) => Observation::waiting(fault_of(&error)),
                }
            }
            .boxed()
        })
        .await
}

/// What follows the marker on its line. The kernel may print in front of it, never a boot script behind it.
fn after<'a>(console: &'a str, marker: &str) -> Option<&'a str> {
    console.lines().find_map(|line| line.split_once(marker).map(|(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_markers_line_is_read() {
        let console = "boot\n[    1.0] to-1-1 booted\nto-1-1 result 192.0.2.1\r\nlogin:";
        assert_eq!(after(console, "to-1-1 booted"), Some(""));
        assert_eq!(after(console, "to-1-1 result").map(str::trim), Some("192.0.2.1"));
        assert_eq!(after(console, "to-1-2 result"), None);
    }
}
