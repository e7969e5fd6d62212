//! What takes long: playing a run, and undoing for one. Each is a task that the supervisor owns.

use std::sync::Arc;

use kube::runtime::events::EventType;
use kube::{Api, Client, Resource, ResourceExt};
use tracing::{Instrument, Span};

use super::admission::RunAdmission;
use super::attempts;
use super::conditions::Moment;
use super::credentials::{SecretCredentials, Usable};
use super::ledger::ConfigMapLedger;
use super::notify::Notifier;
use super::publish::Publisher;
use super::reconcile::{Context, ReconcileError, keeping};
use super::reports::Reports;
use super::status_writer::StatusWriter;
use super::supervise::TaskEnd;
use crate::api::tempest_run::{Phase, TempestRun, TempestRunStatus};
use crate::openstack::SessionOptions;
use crate::outcome::TestResult;
use crate::plan::{self, RunIdentity};
use crate::report::status::{bound, in_a_sentence};
use crate::runner::event::EventSink;
use crate::runner::ledger::{Ledger, LedgerDocument, LedgerError};
use crate::runner::{Control, Locks, Planner, Rhythm, RunInputs, record_verdict, run_span};
use crate::scenario::catalogue::Catalogue;

/// What is carried on from earlier attempts of a run, and where what this one makes is written down.
pub struct Attempt {
    /// The results that are not played again.
    pub carried_over: Vec<TestResult>,
    /// The ledger, with what earlier attempts could not undo.
    pub ledger: Arc<Ledger>,
}

/// Begins an attempt where the earlier ones ended.
pub async fn attempt(
    run: &Arc<TempestRun>,
    client: &Client,
    identity: RunIdentity,
    store: ConfigMapLedger,
) -> Result<Attempt, AttemptError> {
    let before = run.status.clone().unwrap_or_default();
    let number = attempts::number(run);
    let reports = Reports::of(client.clone(), Arc::clone(run), number);
    // Only what was played before has left a report, or something that could not be undone.
    let (report, left) = match &before.report {
        Some(report) => (reports.load(&report.config_map).await?, store.load().await?),
        None => (None, if number > 1 { store.load().await? } else { None }),
    };
    let carried_over = attempts::carried_over(run, report.as_ref());
    let entries = left.map(|document| document.entries).unwrap_or_default();
    let ledger = Arc::new(Ledger::resume(LedgerDocument { run: identity, entries }, Box::new(store)));
    Ok(Attempt { carried_over, ledger })
}

/// What earlier attempts left could not be read.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// The API server refused or did not answer.
    #[error("the Kubernetes API cannot be used")]
    Kubernetes(#[from] kube::Error),
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What the status says once an attempt has begun, but for the time.
pub fn begun(run: &TempestRun, identity: &RunIdentity) -> TempestRunStatus {
    let before = run.status.clone().unwrap_or_default();
    TempestRunStatus {
        run_id: Some(identity.run_id.clone()),
        run_token: before.run_token.clone().or_else(|| run.spec.run_token.clone()),
        queue_position: None,
        pending_since: None,
        ..before
    }
}

/// A run at the queue; `elsewhere` tells whether it plays in a pod, `locks` whether its scenarios need any.
pub fn admission(
    run: &TempestRun,
    context: &Context,
    identity: &RunIdentity,
    control: &Control,
    writer: Arc<StatusWriter>,
    elsewhere: bool,
    locks: bool,
) -> RunAdmission {
    RunAdmission {
        admissions: context.admissions.clone(),
        uid: run.uid().unwrap_or_default(),
        namespace: run.namespace().unwrap_or_default(),
        created: run.meta().creation_timestamp.as_ref().map(|time| time.0).unwrap_or_default(),
        suspension: control.suspension.clone(),
        elsewhere,
        locks,
        writer,
        begun: begun(run, identity),
        clock: context.clock.clone(),
    }
}

/// Starts the task that queues for a run and plays it.
pub async fn play(
    run: Arc<TempestRun>,
    context: &Arc<Context>,
    store: ConfigMapLedger,
    usable: Usable,
) -> Result<(), ReconcileError> {
    let number = attempts::number(&run);
    let identity = attempts::identity(&run, &context.installation, context.clock.now());
    let reports = Reports::of(context.client.clone(), Arc::clone(&run), number);
    let Attempt { carried_over, ledger } = attempt(&run, &context.client, identity.clone(), store).await?;
    let writer = Arc::new(writer(&run, context));
    let control = Control::default();
    let begun = begun(&run, &identity);
    let locks = plan::needs_locks(&run.spec, &usable.catalogue);
    let admission = admission(&run, context, &identity, &control, Arc::clone(&writer), false, locks);
    let catalogue = usable.catalogue.clone();
    let inputs = RunInputs {
        admission: Some(Arc::new(admission)),
        carried_over: carried_over.clone(),
        interrupted: attempts::interrupted(&run),
        ..inputs(context, &run, identity.clone(), usable)
    };
    let span = span(&run, &identity);
    let policy = plan::settings(&run.spec).verdict;
    let planner = planner(&run, catalogue, identity);
    let (context, given) = (Arc::clone(context), control.clone());
    let (supervisor, looked_at) = (context.supervisor.clone(), Arc::clone(&run));
    let within = span.clone();
    let playing = move || async move {
        let (sink, events) = EventSink::channel();
        let notifier = notifier(&run, &context);
        let publisher = Publisher {
            writer: &writer,
            reports: &reports,
            notifier: &notifier,
            metrics: &context.metrics,
            policy,
            base: begun,
            handing_over: context.supervisor.handing_over(),
            truncated: Arc::default(),
        };
        let cancel = given.cancel.clone();
        let playing = context.player.play(inputs, planner, ledger, sink, given, context.clock.clone());
        let following = async {
            let followed = publisher.follow(events, carried_over).await;
            if followed.is_err() {
                cancel.cancel();
            }
            followed
        };
        match tokio::join!(playing, following).1 {
            Ok(report) => {
                if let Some(verdict) = report.verdict {
                    record_verdict(&span, verdict);
                    context.metrics.run_finished(verdict, report.duration());
                }
            }
            Err(error) => tracing::warn!(%error, "no longer played here"),
        }
        TaskEnd::Done
    };
    supervisor.start(&looked_at, control, || playing().instrument(within));
    Ok(())
}

/// Makes the plan of an attempt: what earlier ones took of the run's time is gone.
pub fn planner(run: &TempestRun, catalogue: Catalogue, identity: RunIdentity) -> Planner {
    let spec = run.spec.clone();
    let played = run.status.as_ref().map(attempts::played_before).unwrap_or_default();
    Box::new(move |facts| {
        let mut plan = plan::make(&spec, &catalogue, facts, identity)?;
        plan.settings.run_timeout = plan.settings.run_timeout.saturating_sub(played);
        Ok(plan)
    })
}

/// Why something is undone that an earlier task left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undoing {
    /// The process that played it ended first.
    Interrupted,
    /// It was kept for a look at it, and the time is over.
    Kept,
    /// The object is being deleted.
    Deleted,
}

/// Starts the task that undoes what a ledger holds.
pub async fn undo(
    run: Arc<TempestRun>,
    context: &Arc<Context>,
    store: ConfigMapLedger,
    usable: Usable,
    why: Undoing,
) -> Result<(), ReconcileError> {
    let Some(document) = store.load().await? else { return Ok(()) };
    let control = Control::default();
    let span = span(&run, &document.run);
    let inputs = inputs(context, &run, document.run.clone(), usable);
    let ledger = Arc::new(Ledger::resume(document, Box::new(store)));
    let (context, given) = (Arc::clone(context), control.clone());
    let (supervisor, looked_at) = (context.supervisor.clone(), Arc::clone(&run));
    let undoing = move || async move {
        let end = context.player.undo(inputs, ledger, given).await;
        let (left, message) = match end {
            Ok(left) if left.is_empty() => (left, None),
            Ok(left) => {
                let message = format!("could not be undone: {}", in_a_sentence(&left));
                (left, Some(message))
            }
            Err(fault) => (Vec::new(), Some(format!("nothing could be undone: {}", fault.message))),
        };
        if let Some(message) = &message {
            notifier(&run, &context).publish(EventType::Warning, "Leaked", "CleanUp", message).await;
        }
        let said = match why {
            Undoing::Interrupted if !left.is_empty() => {
                let message = message.clone().unwrap_or_default();
                let mut status = TempestRunStatus { leaked: left, ..keeping(&run, Phase::CleaningUp) };
                bound(&mut status);
                let moment = Moment::Underway { reason: "Interrupted", message };
                writer(&run, &context).tell(&moment, &status).await
            }
            Undoing::Kept => {
                context.metrics.leaked(&left);
                writer(&run, &context).nothing_is_kept(&left).await
            }
            Undoing::Interrupted | Undoing::Deleted => Ok(()),
        };
        if let Err(error) = said {
            tracing::warn!(%error, "what is left could not be written");
        }
        if message.is_none() { TaskEnd::Done } else { TaskEnd::UndoingFailed }
    };
    supervisor.start(&looked_at, control, || undoing().instrument(span));
    Ok(())
}

/// What a task says is about `run`, in this attempt.
pub fn span(run: &TempestRun, identity: &RunIdentity) -> Span {
    run_span(run.namespace().as_deref(), Some(&run.name_any()), &identity.run_id)
}

/// What a run starts from, in this process.
pub fn inputs(context: &Context, run: &Arc<TempestRun>, identity: RunIdentity, usable: Usable) -> RunInputs {
    RunInputs {
        rhythm: context.rhythm.clone(),
        locks: context.locks.clone(),
        ..run_inputs(&context.client, run, identity, usable, context.options.clone())
    }
}

/// What a run starts from that nothing was played beside or before.
pub fn run_inputs(
    client: &Client,
    run: &Arc<TempestRun>,
    identity: RunIdentity,
    usable: Usable,
    options: SessionOptions,
) -> RunInputs {
    let secrets = Api::namespaced(client.clone(), &run.namespace().unwrap_or_default());
    let credentials = SecretCredentials::of(secrets, Arc::clone(run));
    RunInputs {
        run: identity,
        clouds: usable.clouds,
        request: usable.request,
        options: SessionOptions { credentials: Some(Arc::new(credentials)), ..options },
        rhythm: Rhythm::default(),
        admission: None,
        carried_over: Vec::new(),
        interrupted: Vec::new(),
        locks: Locks::default(),
        sweep: None,
    }
}

/// Writes the status of `run` as it was looked at.
pub fn writer(run: &Arc<TempestRun>, context: &Context) -> StatusWriter {
    StatusWriter::new(context.client.clone(), Arc::clone(run), context.clock.clone(), context.metrics.clone())
}

/// Publishes Events about `run`.
pub fn notifier(run: &TempestRun, context: &Context) -> Notifier {
    Notifier::new(context.recorder.clone(), run.object_ref(&()))
}
