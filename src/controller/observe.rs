//! What is known of a run: what its object tells, what this process does for it, and whether its Secret can be used.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Resource, ResourceExt};

use super::credentials::{self, Usable};
use super::decide::{Credentials, Observed, Stage, Task};
use super::ledger::ConfigMapLedger;
use super::maps::{MapError, Maps};
use super::reconcile::{Context, FINALIZER, ReconcileError};
use super::{attempts, jobs, ledger, reports, selection};
use crate::api::executor::Executor;
use crate::api::tempest_run::{Phase, TempestRun};
use crate::plan;

/// How long a run waits for a usable Secret unless it says otherwise.
const START_DEADLINE: Duration = Duration::from_mins(1);

/// Looks at a run, and at as much of the cluster as the decision about it needs.
pub async fn observe(
    run: &TempestRun,
    context: &Context,
    ledger: &ConfigMapLedger,
) -> Result<(Observed, Option<Usable>), ReconcileError> {
    let now = context.clock.now();
    let task = context.supervisor.task(&run.uid().unwrap_or_default());
    let mut observed = facts(run, task, now);
    observed.stopping = context.stopping.is_cancelled();
    let is_at_rest = !matches!(task, Task::Underway { .. });
    if observed.in_job && observed.stage == Stage::Began && is_at_rest {
        let attempt = attempts::number(run);
        observed.elsewhere = !jobs::lease::is_retired(context.client.clone(), run, attempt).await?;
    }
    let may_have_ledger = observed.stage != Stage::Waiting || observed.deleting_for.is_some();
    if observed.has_finalizer && may_have_ledger && is_at_rest && !observed.elsewhere {
        observed.has_ledger = ledger.load().await?.is_some();
    }
    if !observed.needs_credentials() {
        return Ok((observed, None));
    }
    if observed.in_job && observed.stage == Stage::Waiting && context.jobs.image.is_none() {
        let message = "spec.execution.executor is Job, and this operator knows no image for it: --job-image, or \
                       jobs.enabled of its chart";
        observed.credentials = Credentials::BadSpec { message: message.to_owned() };
        return Ok((observed, None));
    }
    let secrets: Api<Secret> = Api::namespaced(context.client.clone(), &run.namespace().unwrap_or_default());
    // Only what is about to be played is held against its spec; undoing needs no more than the credentials.
    let catalogue = match observed.stage {
        Stage::Waiting => selection::catalogue(&context.client, run, &context.catalogue).await?,
        Stage::Began | Stage::Ended => Ok(context.catalogue.clone()),
    };
    let mut read = match catalogue {
        Ok(catalogue) => credentials::read(&secrets, run, catalogue).await?,
        Err(bad) => Err(bad),
    };
    if observed.stage == Stage::Waiting && read.is_ok() {
        let name = run.name_any();
        let names = [ledger::name(&name), reports::name(&name, attempts::number(run))];
        match Maps::of(context.client.clone(), run).are_free(&names).await {
            Ok(()) => {}
            Err(MapError::Kubernetes(error)) => return Err(error.into()),
            Err(foreign) => read = Err(Credentials::BadSpec { message: foreign.to_string() }),
        }
    }
    let usable = match read {
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

/// What the object itself tells.
fn facts(run: &TempestRun, task: Task, now: Timestamp) -> Observed {
    let status = run.status.clone().unwrap_or_default();
    let execution = &run.spec.execution;
    let since = |time: Timestamp| Duration::try_from(now.duration_since(time)).unwrap_or_default();
    let until = |time: Timestamp| Duration::try_from(time.duration_since(now)).unwrap_or_default();
    let deadline = execution.start_deadline_seconds.map(|seconds| Duration::from_secs(seconds.into()));
    let stage = match status.phase {
        Some(Phase::Completed) => Stage::Ended,
        _ if status.run_id.is_some() => Stage::Began,
        _ => Stage::Waiting,
    };
    Observed {
        deleting_for: run.meta().deletion_timestamp.as_ref().map(|time| since(time.0)),
        has_finalizer: run.finalizers().iter().any(|finalizer| finalizer == FINALIZER),
        cancel: run.spec.cancel,
        suspend: run.spec.suspend,
        stage,
        run_again: run.spec.run_token.is_some() && run.spec.run_token != status.run_token,
        time_to_live: time_to_live(run, now),
        kept_for: status.kept_until.map(until),
        is_current: status.observed_generation == run.meta().generation,
        has_ledger: false,
        task,
        credentials: Credentials::NotNeeded,
        start_deadline_passed: status.pending_since.map_or(Duration::ZERO, since)
            >= deadline.unwrap_or(START_DEADLINE),
        on_interruption: execution.on_interruption.unwrap_or_default(),
        out_of_time: attempts::played(run, now) > plan::settings(&run.spec).run_timeout,
        fruitless: is_in_job(run) && attempts::are_fruitless(run),
        stopping: false,
        in_job: is_in_job(run),
        elsewhere: false,
    }
}

/// What is left of the time that an ended object is kept.
fn time_to_live(run: &TempestRun, now: Timestamp) -> Option<Duration> {
    let kept = Duration::from_secs(run.spec.ttl_seconds_after_finished?.into());
    let status = run.status.as_ref()?;
    // What is kept for a look at it is kept with its object.
    let ended = status.completion_time?.max(status.kept_until.unwrap_or(Timestamp::MIN));
    Some(kept.saturating_sub(Duration::try_from(now.duration_since(ended)).unwrap_or_default()))
}

/// Whether it is played in a pod of its own.
pub fn is_in_job(run: &TempestRun) -> bool {
    run.spec.execution.executor == Some(Executor::Job)
}
