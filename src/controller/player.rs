//! What the controller asks of the runner, as a trait, so that the controller can be tested without a cloud.

use std::sync::Arc;

use async_trait::async_trait;

use crate::outcome::{Leak, RunFault};
use crate::runner::event::{EventSink, RunEnd};
use crate::runner::ledger::Ledger;
use crate::runner::{Clock, Control, Planner, RunInputs};

/// Plays runs and undoes them.
#[async_trait]
pub trait Player: Send + Sync {
    /// Plays a whole run; its events end with `RunFinished`.
    async fn play(
        &self,
        inputs: RunInputs,
        planner: Planner,
        ledger: Arc<Ledger>,
        events: EventSink,
        control: Control,
        clock: Clock,
    ) -> RunEnd;

    /// Undoes what a ledger holds; what remains is returned.
    async fn undo(
        &self,
        inputs: RunInputs,
        ledger: Arc<Ledger>,
        control: Control,
    ) -> Result<Vec<Leak>, RunFault>;
}

/// The real one.
pub struct Runner;

#[async_trait]
impl Player for Runner {
    async fn play(
        &self,
        inputs: RunInputs,
        planner: Planner,
        ledger: Arc<Ledger>,
        events: EventSink,
        control: Control,
        clock: Clock,
    ) -> RunEnd {
        crate::runner::verify(inputs, planner, ledger, events, control, clock).await
    }

    async fn undo(
        &self,
        inputs: RunInputs,
        ledger: Arc<Ledger>,
        control: Control,
    ) -> Result<Vec<Leak>, RunFault> {
        crate::runner::undo(&inputs, &ledger, &control).await
    }
}
