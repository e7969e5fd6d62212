//! The `records` step: DNS must tell exactly the truth, in the Designate API and on the wire at every name
//! server, over UDP and over TCP.
//!
//! `wanted` is what the document says with its expressions evaluated; a `round` asks for everything once and
//! gives what is wrong; here rounds are repeated until nothing is, and the times are kept.

mod api;
mod round;
mod times;
mod wanted;
mod wire;

use futures::FutureExt;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::outcome::Reason;
use crate::runner::context::StepContext;
use crate::runner::fault::StepFault;
use crate::runner::play::StepEnd;
use crate::runner::poll::{Observation, Pending};
use crate::scenario::document::RecordsAction;
use round::Round;
use times::Times;
use wanted::Wanted;

/// Plays it.
pub async fn play(context: &StepContext<'_>, action: &RecordsAction) -> Result<StepEnd, StepFault> {
    let wanted = Wanted::of(context, action)?;
    let round = Round::new(context, &wanted).await?;
    let times = Mutex::new(Times::since(context.test.state().changed.unwrap_or_else(Instant::now)));
    let kind = if wanted.present().is_empty() { "records:absent" } else { "records:present" };
    let settled = context
        .poll(kind, context.deadline, || {
            async {
                let faults = round.ask(&mut *times.lock().await).await;
                match worst(faults) {
                    None => Observation::Done(()),
                    Some(fault) => Observation::waiting(fault),
                }
            }
            .boxed()
        })
        .await;
    let measured = times.into_inner().into_propagation(&wanted, round.servers());
    context.test.state().propagation.extend(measured);
    settled?;
    round.note_serials().await?;
    if !wanted.never().is_empty() {
        watch(context, &round, context.test.scaled(action.hold)).await?;
    }
    Ok(StepEnd::Done)
}

/// Watches that what must never appear does not; the last look must prove it at every name server.
async fn watch(context: &StepContext<'_>, round: &Round<'_>, hold: Duration) -> Result<(), StepFault> {
    let end = Instant::now() + hold;
    context
        .watch(end, || {
            async {
                let faults = round.ask_never().await;
                let (appeared, unproven): (Vec<_>, Vec<_>) =
                    faults.into_iter().partition(|fault| fault.reason == Reason::RecordUnexpected);
                if let Some(fault) = appeared.into_iter().next() {
                    return Observation::Fault(fault);
                }
                match worst(unproven) {
                    None if Instant::now() >= end => Observation::Done(()),
                    None => Observation::Pending(Pending {
                        seen: "absent so far".to_owned(),
                        ..Pending::fault(StepFault::errored(
                            Reason::TestTimedOut,
                            "time ran out while it held",
                        ))
                    }),
                    Some(fault) => Observation::waiting(fault),
                }
            }
            .boxed()
        })
        .await
}

/// The fault to report of several: a server that tells something wrong says more than one that is silent.
fn worst(faults: Vec<StepFault>) -> Option<StepFault> {
    let others = faults.len().saturating_sub(1);
    let mut fault = faults.into_iter().min_by_key(|fault| !fault.reason.is_check())?;
    if others > 0 {
        fault.message = format!("{} (and {others} more)", fault.message);
    }
    Some(fault)
}
