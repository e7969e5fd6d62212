//! One file a kind of step.

mod answer;
mod expect;
mod guest;
mod records;
mod request;
mod stack;
mod zones;

use super::context::StepContext;
use super::fault::{StepEnd, StepFault};
use super::undo::Undoing;
use crate::outcome::Reason;
use crate::scenario::document::Action;

/// Plays one step to its end.
pub async fn play(context: &StepContext<'_>) -> Result<StepEnd, StepFault> {
    match &context.step.action {
        Action::Stack(action) => stack::play(context, action).await,
        Action::Request(action) => request::play(context, action).await,
        Action::Expect(action) => expect::play(context, action).await,
        Action::Records(action) => records::play(context, action).await,
        Action::Guest(action) => guest::play(context, action).await,
        Action::Undo { step } => undo(context, step).await,
    }
}

/// Takes back what an earlier step did, ahead of the end.
async fn undo(context: &StepContext<'_>, step: &str) -> Result<StepEnd, StepFault> {
    let run = context.run();
    let numbers = context.test.state().entries.remove(step).unwrap_or_default();
    let entries = run.ledger.open_of(&context.test.test.prefix).await;
    let entries = entries.into_iter().filter(|entry| numbers.contains(&entry.number)).collect();
    context.test.changed_now();
    let leaked = Undoing::of(run).undo_all(entries).await;
    match leaked.first() {
        None => Ok(StepEnd::Done),
        Some(leak) => Err(StepFault::failed(
            Reason::UnexpectedStatus,
            format!(
                "{} {} could not be taken back: {}",
                leak.kind,
                leak.id,
                leak.message.as_deref().unwrap_or("it is still there"),
            ),
        )),
    }
}
