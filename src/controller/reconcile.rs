//! Looks at one run, decides, and does the one step. Never waits for a test.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::runtime::controller::Action;
use kube::runtime::events::{EventType, Recorder};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::conditions::Moment;
use super::credentials::{self, Usable};
use super::decide::{Credentials, Decision, Observed, decide};
use super::ledger::ConfigMapLedger;
use super::notify::Notifier;
use super::player::Player;
use super::publish::{Publisher, keeping};
use super::supervise::Supervisor;
use crate::api::tempest_run::{Phase, TempestRun, TempestRunStatus};
use crate::openstack::SessionOptions;
use crate::outcome::Verdict;
use crate::plan::{self, RunIdentity};
use crate::report::status::in_words;
use crate::runner::event::EventSink;
use crate::runner::ledger::{Ledger, LedgerError};
use crate::runner::{Clock, Control, Rhythm, RunInputs};
use crate::scenario::catalogue::Catalogue;
use crate::telemetry::Metrics;

/// Holds an object until nothing of it is left in a cloud.
pub const FINALIZER: &str = "crossservice.dev/clean-up";
/// How long a run waits for a usable Secret unless it says otherwise.
const START_DEADLINE: Duration = Duration::from_mins(1);
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
}

/// One look, one step.
pub async fn reconcile(run: Arc<TempestRun>, context: Arc<Context>) -> Result<Action, ReconcileError> {
    context.metrics.reconciled();
    let ledger = ConfigMapLedger::of(context.client.clone(), &run);
    let (observed, usable) = observe(&run, &context, &ledger).await?;
    let decision = decide(&observed);
    tracing::debug!(namespace = run.namespace(), run = %run.name_any(), ?decision, "decided");
    act(run, &context, ledger, usable, decision).await
}

async fn observe(
    run: &TempestRun,
    context: &Context,
    ledger: &ConfigMapLedger,
) -> Result<(Observed, Option<Usable>), ReconcileError> {
    let now = context.clock.now();
    let phase = run.status.as_ref().and_then(|status| status.phase);
    let since = |time: Timestamp| Duration::try_from(now.duration_since(time)).unwrap_or_default();
    let deleting_for = run.meta().deletion_timestamp.as_ref().map(|time| since(time.0));
    let age = run.meta().creation_timestamp.as_ref().map(|time| since(time.0)).unwrap_or_default();
    let began = matches!(phase, Some(Phase::Running | Phase::CleaningUp | Phase::Suspended));
    let task = context.supervisor.task(&run.uid().unwrap_or_default());
    let ended = phase == Some(Phase::Completed);
    let has_finalizer = run.finalizers().iter().any(|finalizer| finalizer == FINALIZER);
    let may_have_ledger = began || has_finalizer && (ended || deleting_for.is_some());
    let mut observed = Observed {
        deleting_for,
        has_finalizer,
        cancel: run.spec.cancel,
        began,
        ended,
        time_to_live: time_to_live(run, now),
        is_current: run.status.as_ref().and_then(|status| status.observed_generation)
            == run.meta().generation,
        has_ledger: may_have_ledger && ledger.load().await?.is_some(),
        task,
        credentials: Credentials::NotNeeded,
        start_deadline_passed: age
            >= run
                .spec
                .execution
                .start_deadline_seconds
                .map_or(START_DEADLINE, |s| Duration::from_secs(s.into())),
        stopping: context.stopping.is_cancelled(),
    };
    if !observed.needs_credentials() {
        return Ok((observed, None));
    }
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), &run.namespace().unwrap_or_default());
    let usable = match credentials::read(&secrets, run, &context.catalogue).await? {
        Ok(usable) => {
            observed.credentials = Credentials::Usable;
            Some(usable)
        }
        Err(unusable) => {
            observed.credentials = unusable;
            None
        }
    };
    Ok((observed, usable))
}

async fn act(
    run: Arc<TempestRun>,
    context: &Arc<Context>,
    ledger: ConfigMapLedger,
    usable: Option<Usable>,
    decision: Decision,
) -> Result<Action, ReconcileError> {
    let publisher = publisher(&run, context);
    let uid = run.uid().unwrap_or_default();
    let ended = |verdict: Verdict| ended(&run, verdict, context.clock.now());
    match (decision, usable) {
        (Decision::Rest, _) => return Ok(Action::await_change()),
        (Decision::LookAgain, _) => return Ok(Action::requeue(SOON)),
        (Decision::LookAgainIn(rest), _) => return Ok(Action::requeue(rest)),
        (Decision::Delete, _) => delete(&run, context).await?,
        (Decision::Acknowledge, _) => publisher.acknowledge().await?,
        (Decision::AddFinalizer, _) => set_finalizer(&run, context, true).await?,
        (Decision::Wait { message }, _) => {
            let moment = Moment::Underway { reason: "WaitingForCredentials", message };
            publisher.moment(&moment, keeping(&run, Phase::Pending)).await?;
            return Ok(Action::requeue(CREDENTIALS_AGAIN));
        }
        (Decision::EndUnstartable { reason, message }, _) => {
            context.metrics.run_finished(Verdict::Errored);
            notifier(&run, context).publish(EventType::Warning, &reason, "Start", &message).await;
            publisher.moment(&Moment::unstartable(reason, message), ended(Verdict::Errored)).await?;
        }
        (Decision::EndCancelled, _) => {
            context.metrics.run_finished(Verdict::Cancelled);
            let moment = Moment::Ended {
                verdict: Verdict::Cancelled,
                reason: "Cancelled".to_owned(),
                message: "cancelled before it began".to_owned(),
                leaked: false,
            };
            publisher.moment(&moment, ended(Verdict::Cancelled)).await?;
        }
        (Decision::EndInterrupted { message }, _) => {
            end_interrupted(&run, context, &publisher, message, ended(Verdict::Errored)).await?;
        }
        (Decision::CancelTask, _) => {
            context.supervisor.cancel(&uid);
            return Ok(Action::requeue(SOON));
        }
        (Decision::Start, Some(usable)) => start(run, context, &publisher, ledger, usable).await?,
        (Decision::UndoInterrupted, Some(usable)) => {
            undo(Arc::clone(&run), context, ledger, usable, Some(ended(Verdict::Errored))).await?;
            return Ok(Action::requeue(SOON));
        }
        (Decision::UndoForDeletion, Some(usable)) => {
            undo(run, context, ledger, usable, None).await?;
            return Ok(Action::requeue(SOON));
        }
        // Without credentials at hand these wait for the next look.
        (Decision::Start | Decision::UndoInterrupted | Decision::UndoForDeletion, None) => {
            return Ok(Action::requeue(SOON));
        }
        (Decision::Release { abandoned }, _) => {
            if abandoned {
                abandon(&run, context, &ledger).await?;
            }
            set_finalizer(&run, context, false).await?;
        }
    }
    Ok(Action::await_change())
}

/// Starts the task that plays a run, once the status says that it began: a crash in between is an interruption,
/// never a second play.
async fn start(
    run: Arc<TempestRun>,
    context: &Arc<Context>,
    publisher: &Publisher,
    store: ConfigMapLedger,
    usable: Usable,
) -> Result<(), ReconcileError> {
    let identity = identity(&run, context);
    let begun = TempestRunStatus {
        run_id: Some(identity.run_id.clone()),
        start_time: Some(identity.started),
        ..keeping(&run, Phase::Running)
    };
    let moment = Moment::Underway { reason: "Running", message: "looking at the cloud".to_owned() };
    let begun = publisher.moment(&moment, begun).await?;
    let run = Arc::new(TempestRun { status: Some(begun), ..run.as_ref().clone() });
    let publisher = self::publisher(&run, context);
    let ledger = Arc::new(Ledger::new(identity.clone(), Box::new(store)));
    let control = Control::default();
    let inputs = inputs(context, identity.clone(), usable);
    let (spec, catalogue) = (run.spec.clone(), context.catalogue.clone());
    let policy = plan::settings(&spec).verdict;
    let planner = Box::new(move |facts| plan::make(&spec, &catalogue, facts, identity));
    let context = Arc::clone(context);
    let notifier = notifier(&run, &context);
    let given = control.clone();
    let uid = run.uid().unwrap_or_default();
    let supervisor = context.supervisor.clone();
    supervisor.start(&uid, control, move || async move {
        let (sink, events) = EventSink::channel();
        let clock = context.clock.clone();
        let playing = context.player.play(inputs, planner, Arc::clone(&ledger), sink, given, clock);
        let (_, report) = tokio::join!(playing, publisher.follow(events, policy, &notifier));
        if let Some(verdict) = report.verdict {
            context.metrics.run_finished(verdict);
        }
        ledger.open().await.is_empty()
    });
    Ok(())
}

/// Starts the task that undoes what a ledger holds; with `ended`, the run is ended as interrupted afterwards.
async fn undo(
    run: Arc<TempestRun>,
    context: &Arc<Context>,
    store: ConfigMapLedger,
    usable: Usable,
    ended: Option<TempestRunStatus>,
) -> Result<(), ReconcileError> {
    let Some(document) = store.load().await? else { return Ok(()) };
    let control = Control::default();
    let inputs = inputs(context, document.run.clone(), usable);
    let ledger = Arc::new(Ledger::resume(document, Box::new(store)));
    let uid = run.uid().unwrap_or_default();
    let (context, given) = (Arc::clone(context), control.clone());
    let supervisor = context.supervisor.clone();
    supervisor.start(&uid, control, move || async move {
        let end = context.player.undo(inputs, ledger, given).await;
        let (clean, message) = match &end {
            Ok(leaked) if leaked.is_empty() => (true, "everything that it made was undone".to_owned()),
            Ok(leaked) => {
                let things: Vec<String> =
                    leaked.iter().map(|leak| format!("{} {}", leak.kind, leak.id)).collect();
                (false, format!("could not be undone: {}", things.join(", ")))
            }
            Err(fault) => (false, format!("nothing could be undone: {}", fault.message)),
        };
        if let Some(mut status) = ended {
            status.leaked = end.unwrap_or_default();
            let message = format!("the operator that played it ended before it did; {message}");
            let publisher = publisher(&run, &context);
            if let Err(error) = end_interrupted(&run, &context, &publisher, message, status).await {
                tracing::warn!(%error, run = %run.name_any(), "the interruption could not be written");
                return false;
            }
            return true;
        }
        clean
    });
    Ok(())
}

async fn end_interrupted(
    run: &TempestRun,
    context: &Context,
    publisher: &Publisher,
    message: String,
    status: TempestRunStatus,
) -> Result<(), ReconcileError> {
    notifier(run, context).publish(EventType::Warning, "Interrupted", "Play", &message).await;
    context.metrics.run_finished(Verdict::Errored);
    publisher.moment(&Moment::interrupted(message), status).await?;
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

/// What is left of the time that an ended object is kept.
fn time_to_live(run: &TempestRun, now: Timestamp) -> Option<Duration> {
    let kept = Duration::from_secs(run.spec.ttl_seconds_after_finished?.into());
    let ended = run.status.as_ref()?.completion_time?;
    Some(kept.saturating_sub(Duration::try_from(now.duration_since(ended)).unwrap_or_default()))
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
    let taken =
        before.start_time.map(|start| Duration::try_from(now.duration_since(start)).unwrap_or_default());
    TempestRunStatus {
        verdict: Some(verdict),
        completion_time: Some(now),
        duration: taken.map(in_words),
        current_steps: Vec::new(),
        ..before
    }
}

fn identity(run: &TempestRun, context: &Context) -> RunIdentity {
    // An API server gives every object a UUID; anything else is hashed into one by its bytes.
    let given = run.uid().unwrap_or_default();
    let uuid = Uuid::parse_str(&given).unwrap_or_else(|_| {
        Uuid::from_u128(given.bytes().fold(0, |all, byte| u128::from(byte) ^ (all << 5) ^ (all >> 3)))
    });
    RunIdentity::new(&context.installation, uuid, 1, context.clock.now())
}

fn inputs(context: &Context, run: RunIdentity, usable: Usable) -> RunInputs {
    RunInputs {
        run,
        clouds: usable.clouds,
        request: usable.request,
        options: context.options.clone(),
        rhythm: context.rhythm.clone(),
        admission: None,
        carried_over: Vec::new(),
    }
}

fn publisher(run: &Arc<TempestRun>, context: &Context) -> Publisher {
    Publisher::new(context.client.clone(), Arc::clone(run), context.clock.clone(), context.metrics.clone())
}

fn notifier(run: &TempestRun, context: &Context) -> Notifier {
    Notifier::new(context.recorder.clone(), run.object_ref(&()))
}

async fn set_finalizer(run: &TempestRun, context: &Context, wanted: bool) -> Result<(), kube::Error> {
    let mut finalizers = run.finalizers().to_vec();
    finalizers.retain(|finalizer| finalizer != FINALIZER);
    if wanted {
        finalizers.push(FINALIZER.to_owned());
    }
    let runs: Api<TempestRun> = Api::namespaced(context.client.clone(), &run.namespace().unwrap_or_default());
    // With the version that was looked at: somebody else's finalizer, added meanwhile, is not lost.
    let patch = json!({
        "metadata": { "finalizers": finalizers, "resourceVersion": run.resource_version() },
    });
    match runs.patch(&run.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 && !wanted => Ok(()),
        Err(error) => Err(error),
    }
}
