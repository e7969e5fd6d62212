//! Looks at one run, decides, and does the one step. Never waits for a test.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::runtime::controller::Action;
use kube::runtime::events::{EventType, Recorder};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::admission::{Admissions, suspended_moment};
use super::attempts;
use super::conditions::Moment;
use super::credentials::Usable;
use super::decide::{Decision, TASK_AGAIN, decide, player};
use super::jobs::{self, JobConfig};
use super::lease::StoreError;
use super::ledger::ConfigMapLedger;
use super::observe::{is_in_job, observe};
use super::player::Player;
use super::status_writer::StatusWriter;
use super::supervise::Supervisor;
use super::tasks::{self, AttemptError, Undoing, notifier, writer};
use crate::api::tempest_run::{Phase, TempestRun, TempestRunStatus};
use crate::openstack::SessionOptions;
use crate::outcome::Verdict;
use crate::plan;
use crate::report::status::in_words;
use crate::runner::ledger::LedgerError;
use crate::runner::{Clock, Locks, Rhythm};
use crate::scenario::catalogue::Catalogue;
use crate::telemetry::Metrics;

/// Holds an object until nothing of it is left in a cloud.
pub const FINALIZER: &str = "crossservice.dev/clean-up";
/// Between two looks while something is expected to change that nobody tells us of.
const SOON: Duration = Duration::from_secs(2);
/// Between two looks at a Secret that is not there.
const CREDENTIALS_AGAIN: Duration = Duration::from_secs(5);

/// What reconciling needs.
pub struct Context {
    /// Kubernetes.
    pub client: Client,
    /// Runs and undoes.
    pub player: Arc<dyn Player>,
    /// The tasks of this process.
    pub supervisor: Supervisor,
    /// The queue of this process.
    pub admissions: Admissions,
    /// The locks of scenarios in this process.
    pub locks: Locks,
    /// The scenarios.
    pub catalogue: Catalogue,
    /// This operator's id, on everything it makes.
    pub installation: String,
    /// How sessions behave.
    pub options: SessionOptions,
    /// What is known of how long things take; shared by all runs.
    pub rhythm: Rhythm,
    /// Tells the time of day.
    pub clock: Clock,
    /// What the pods of runs have in common.
    pub jobs: JobConfig,
    /// Counts.
    pub metrics: Metrics,
    /// Publishes Events.
    pub recorder: Recorder,
    /// Set when this process stops.
    pub stopping: CancellationToken,
}

/// Kubernetes trouble: tried again with back-off.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The API server refused or did not answer.
    #[error("the Kubernetes API cannot be used")]
    Kubernetes(#[from] kube::Error),
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What earlier attempts left could not be read.
    #[error(transparent)]
    Attempt(#[from] AttemptError),
    /// Whether a pod plays a run could not be known.
    #[error(transparent)]
    Lease(#[from] StoreError),
}

/// One look, one step.
pub async fn reconcile(run: Arc<TempestRun>, context: Arc<Context>) -> Result<Action, ReconcileError> {
    let began = Instant::now();
    let looked = look(run, &context).await;
    context.metrics.reconciled(began.elapsed());
    looked
}

async fn look(run: Arc<TempestRun>, context: &Arc<Context>) -> Result<Action, ReconcileError> {
    let ledger = ConfigMapLedger::of(context.client.clone(), &run);
    let (observed, usable) = observe(&run, context, &ledger).await?;
    let decision = decide(&observed);
    tracing::debug!(namespace = run.namespace(), run = %run.name_any(), ?decision, "decided");
    act(run, context, ledger, usable, decision).await
}

async fn act(
    run: Arc<TempestRun>,
    context: &Arc<Context>,
    ledger: ConfigMapLedger,
    usable: Option<Usable>,
    decision: Decision,
) -> Result<Action, ReconcileError> {
    let writer = writer(&run, context);
    let uid = run.uid().unwrap_or_default();
    match (decision, usable) {
        (Decision::Rest, _) => {}
        (Decision::LookAgain, _)
        // Without credentials at hand these wait for the next look.
        | (
            Decision::Start | Decision::UndoInterrupted | Decision::UndoKept | Decision::UndoForDeletion,
            None,
        ) => return Ok(Action::requeue(SOON)),
        (Decision::LookAgainIn(rest), _) => return Ok(Action::requeue(rest)),
        (Decision::Delete, _) => delete(&run, context).await?,
        (Decision::Acknowledge, _) => writer.acknowledge().await?,
        (Decision::Wait { reason, message }, _) => {
            let moment = Moment::Underway { reason, message };
            writer.moment(&moment, pending(&run, context.clock.now())).await?;
            return Ok(Action::requeue(CREDENTIALS_AGAIN));
        }
        (Decision::Suspend, _) => {
            writer.moment(&suspended_moment(), keeping(&run, Phase::Suspended)).await?;
        }
        (Decision::SetSuspended(suspended), _) => context.supervisor.set_suspended(&uid, suspended),
        (Decision::EndUnstartable { reason, message }, _) => {
            notifier(&run, context).publish(EventType::Warning, &reason, "Start", &message).await;
            end(&run, context, &writer, Verdict::Errored, reason, message).await?;
        }
        (Decision::EndCancelled, _) => {
            let message = "cancelled while nothing of it was played".to_owned();
            end(&run, context, &writer, Verdict::Cancelled, "Cancelled".to_owned(), message).await?;
        }
        (Decision::EndInterrupted { message }, _) => {
            notifier(&run, context).publish(EventType::Warning, "Interrupted", "Play", &message).await;
            end(&run, context, &writer, Verdict::Errored, "Interrupted".to_owned(), message).await?;
        }
        (Decision::Restart, _) => restart(&run, context, &writer).await?,
        (Decision::RunAgain, _) => {
            let moment = Moment::Underway { reason: "Queued", message: "its runToken changed".to_owned() };
            let policy = plan::settings(&run.spec).verdict;
            writer.moment(&moment, attempts::again(&run, &policy)).await?;
        }
        (Decision::CancelTask, _) => {
            context.supervisor.cancel(&uid);
            return Ok(Action::requeue(TASK_AGAIN));
        }
        (Decision::Follow, _) => jobs::follow::adopt(run, context),
        (Decision::Start, Some(usable)) if is_in_job(&run) => jobs::follow::start(run, context, usable),
        (Decision::Start, Some(usable)) => tasks::play(run, context, ledger, usable).await?,
        (Decision::UndoInterrupted, Some(usable)) => {
            tasks::undo(run, context, ledger, usable, Undoing::Interrupted).await?;
        }
        (Decision::UndoKept, Some(usable)) => {
            tasks::undo(run, context, ledger, usable, Undoing::Kept).await?;
        }
        (Decision::UndoForDeletion, Some(usable)) => {
            tasks::undo(run, context, ledger, usable, Undoing::Deleted).await?;
        }
        (Decision::Release { abandoned }, _) => {
            if abandoned {
                abandon(&run, context, &ledger).await?;
            }
            release(&run, context).await?;
        }
    }
    Ok(Action::await_change())
}

/// Ends a run outside of playing.
async fn end(
    run: &TempestRun,
    context: &Context,
    writer: &StatusWriter,
    verdict: Verdict,
    reason: String,
    message: String,
) -> Result<(), ReconcileError> {
    let moment = Moment::Ended { verdict, reason, message, leaked: false };
    writer.moment(&moment, ended(run, verdict, context.clock.now())).await?;
    // Nothing of it was played here.
    context.metrics.run_finished(verdict, None);
    if is_in_job(run) {
        jobs::forget(&context.client, run).await;
    }
    Ok(())
}

async fn restart(run: &TempestRun, context: &Context, writer: &StatusWriter) -> Result<(), ReconcileError> {
    let status = attempts::restarted(run, context.clock.now());
    let message = format!(
        "the {} that played it ended before it did; its unfinished tests are played again as attempt {}",
        player(is_in_job(run)),
        status.attempt.unwrap_or_default()
    );
    let moment = Moment::Underway { reason: "Interrupted", message: message.clone() };
    writer.moment(&moment, status).await?;
    notifier(run, context).publish(EventType::Warning, "Interrupted", "Play", &message).await;
    if is_in_job(run) {
        jobs::forget_oldest(&context.client, run).await;
    }
    Ok(())
}

/// Says what stays in the cloud when an object is let go all the same.
async fn abandon(
    run: &TempestRun,
    context: &Context,
    ledger: &ConfigMapLedger,
) -> Result<(), ReconcileError> {
    let entries = ledger.load().await?.map(|document| document.entries).unwrap_or_default();
    let left = serde_json::to_string(&entries.iter().map(|entry| &entry.undo).collect::<Vec<_>>());
    let note = format!("deleted although this could not be undone: {}", left.unwrap_or_default());
    tracing::warn!(namespace = run.namespace(), run = %run.name_any(), %note, "clean-up abandoned");
    notifier(run, context).publish(EventType::Warning, "CleanupAbandoned", "Delete", &note).await;
    Ok(())
}

/// Deletes the object that was looked at, and no other of its name.
async fn delete(run: &TempestRun, context: &Context) -> Result<(), kube::Error> {
    let runs: Api<TempestRun> = Api::namespaced(context.client.clone(), &run.namespace().unwrap_or_default());
    let seen = Preconditions { uid: run.uid(), resource_version: run.resource_version() };
    match runs.delete(&run.name_any(), &DeleteParams::default().preconditions(seen)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error),
    }
}

/// The status of a run that ends outside of playing.
fn ended(run: &TempestRun, verdict: Verdict, now: Timestamp) -> TempestRunStatus {
    let before = keeping(run, Phase::Completed);
    // Without a run id and a result nothing of this attempt was played: the report is that of an earlier one.
    let report = before.report.clone().filter(|_| before.run_id.is_some() || !before.tests.is_empty());
    let taken =
        before.start_time.map(|start| Duration::try_from(now.duration_since(start)).unwrap_or_default());
    TempestRunStatus {
        verdict: Some(verdict),
        run_token: before.run_token.clone().or_else(|| run.spec.run_token.clone()),
        completion_time: Some(now),
        duration: taken.map(in_words),
        suspended_since: None,
        current_steps: Vec::new(),
        report,
        ..before
    }
}

/// Lets the object go.
async fn release(run: &TempestRun, context: &Context) -> Result<(), kube::Error> {
    let finalizers: Vec<&String> =
        run.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER).collect();
    let runs: Api<TempestRun> = Api::namespaced(context.client.clone(), &run.namespace().unwrap_or_default());
    // With the version that was looked at: somebody else's finalizer, added meanwhile, is not lost.
    let patch = json!({
        "metadata": { "finalizers": finalizers, "resourceVersion": run.resource_version() },
    });
    match runs.patch(&run.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(error),
    }
}

/// A status that says only where the run is, keeping what it said before.
pub fn keeping(run: &TempestRun, phase: Phase) -> TempestRunStatus {
    TempestRunStatus {
        phase: Some(phase),
        queue_position: None,
        pending_since: None,
        ..run.status.clone().unwrap_or_default()
    }
}

/// The status of a run that waits for what it needs.
fn pending(run: &TempestRun, now: Timestamp) -> TempestRunStatus {
    let since = run.status.as_ref().and_then(|status| status.pending_since);
    TempestRunStatus { pending_since: since.or(Some(now)), ..keeping(run, Phase::Pending) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_of_it_was_played(json!({ "attempt": 2 }), None)]
    #[case::it_was_interrupted(json!({ "attempt": 2, "runId": "a" }), Some("one-report-1"))]
    #[case::results_are_carried_over(
        json!({ "attempt": 2, "tests": [{ "name": "a", "outcome": "Passed" }] }),
        Some("one-report-1")
    )]
    fn a_run_that_never_began_does_not_show_an_earlier_report(
        #[case] status: serde_json::Value,
        #[case] shown: Option<&str>,
    ) {
        let mut status = status;
        status["report"] = json!({ "configMap": "one-report-1" });
        let mut run = TempestRun::new("one", crate::api::tempest_run::TempestRunSpec::default());
        run.status = Some(serde_json::from_value(status).unwrap());
        let status = ended(&run, Verdict::Errored, Timestamp::UNIX_EPOCH);
        assert_eq!(status.report.map(|report| report.config_map).as_deref(), shown);
    }
}
