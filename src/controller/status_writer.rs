//! Writes one run's status: by server-side apply, only when it changed, and never over somebody else's attempt.
//!
//! Every write names the version that it is about. A reconcile's decision is about exactly the object that was looked
//! at. A task goes on over a user's edits, but not over another process that took the run over: what it plays is in
//! the status as attempt and run id, and once those are not its own any more, nothing of it is written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;

use super::conditions::{Moment, conditions};
use super::maps::MapError;
use super::reconcile::FINALIZER;
use super::{FIELD_MANAGER, attempts};
use crate::api::tempest_run::{Phase, TempestRun, TempestRunStatus};
use crate::outcome::Leak;
use crate::report::status::bound;
use crate::runner::Clock;
use crate::telemetry::Metrics;

/// How often a write is tried again at once after somebody else's edit.
const EDITS: u32 = 5;
/// Before that; longer each time.
const AFTER_EDIT: Duration = Duration::from_millis(50);

/// Why a status was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The run is another process's, was deleted, or is another object of its name.
    #[error("the run is not this task's any more")]
    Superseded,
    /// The API server refused or did not answer.
    #[error("the Kubernetes API cannot be used")]
    Kubernetes(#[from] kube::Error),
    /// What goes with the status could not be written.
    #[error(transparent)]
    Map(#[from] MapError),
}

/// Writes one run's status.
pub struct StatusWriter {
    runs: Api<TempestRun>,
    run: Arc<TempestRun>,
    clock: Clock,
    metrics: Metrics,
    last: Mutex<Last>,
}

/// What was seen or written last.
#[derive(Clone, Default)]
struct Last {
    version: Option<String>,
    finalizers: Vec<String>,
    status: TempestRunStatus,
    /// What was sent last and not acknowledged: it may have been written all the same.
    unacknowledged: Option<TempestRunStatus>,
}

impl StatusWriter {
    /// A writer for `run` as it was looked at.
    pub fn new(client: Client, run: Arc<TempestRun>, clock: Clock, metrics: Metrics) -> Self {
        let runs = Api::namespaced(client, &run.namespace().unwrap_or_default());
        let last = Last {
            version: run.resource_version(),
            finalizers: run.finalizers().to_vec(),
            status: run.status.clone().unwrap_or_default(),
            unacknowledged: None,
        };
        Self { runs, run, clock, metrics, last: Mutex::new(last) }
    }

    /// Writes a moment of the object that was looked at; `status` is what is known besides the conditions.
    ///
    /// # Errors
    /// A conflict when the object changed since: then the decision was about the past.
    pub async fn moment(&self, moment: &Moment, status: TempestRunStatus) -> Result<(), kube::Error> {
        let whole = self.complete(status, moment);
        if whole == self.last().status {
            return Ok(());
        }
        self.put(whole).await
    }

    /// Says that the status, as it stands, is about the spec as it stands.
    ///
    /// # Errors
    /// As [`Self::moment`].
    pub async fn acknowledge(&self) -> Result<(), kube::Error> {
        let generation = self.run.meta().generation;
        let mut status = self.last().status.clone();
        status.observed_generation = generation;
        for condition in &mut status.conditions {
            condition.observed_generation = generation;
        }
        self.put(status).await
    }

    /// Writes what a task has to say, over other people's edits; nothing when nothing changed.
    pub async fn tell(&self, moment: &Moment, status: &TempestRunStatus) -> Result<(), WriteError> {
        self.over_edits(|| async {
            let whole = self.complete(status.clone(), moment);
            if whole == self.last().status { Ok(()) } else { self.put(whole).await }
        })
        .await
    }

    /// Says of an ended run that nothing is kept any more, and what could not be undone.
    pub async fn nothing_is_kept(&self, left: &[Leak]) -> Result<(), WriteError> {
        let mut edits = 0;
        loop {
            let now = self.runs.get_opt(&self.run.name_any()).await?.ok_or(WriteError::Superseded)?;
            if now.uid() != self.run.uid() {
                return Err(WriteError::Superseded);
            }
            self.last().see(&now);
            let mut status = now.status.unwrap_or_default();
            status.kept_until = None;
            status.leaked.extend_from_slice(left);
            bound(&mut status);
            match self.put(status).await {
                // The ledger is gone by now, and so the finalizer may go at the same time.
                Err(kube::Error::Api(answer)) if answer.code == 409 && edits < EDITS => edits += 1,
                written => return Ok(written?),
            }
            tokio::time::sleep(AFTER_EDIT * edits).await;
        }
    }

    /// Holds the object, then writes that its attempt began: only after that anything may be made in a cloud.
    pub async fn begin(&self, moment: &Moment, status: &TempestRunStatus) -> Result<(), WriteError> {
        self.over_edits(|| async {
            self.hold().await?;
            self.put(self.complete(status.clone(), moment)).await
        })
        .await
    }

    /// Tries again after an edit by somebody else, as long as the attempt is still this task's.
    async fn over_edits<F>(&self, write: impl Fn() -> F) -> Result<(), WriteError>
    where
        F: Future<Output = Result<(), kube::Error>>,
    {
        let mut edits = 0;
        loop {
            match write().await {
                Ok(()) => return Ok(()),
                Err(kube::Error::Api(answer)) if answer.code == 404 => return Err(WriteError::Superseded),
                Err(kube::Error::Api(answer)) if answer.code == 409 && edits < EDITS => edits += 1,
                Err(error) => return Err(error.into()),
            }
            tokio::time::sleep(AFTER_EDIT * edits).await;
            self.look_again().await?;
        }
    }

    /// Adds the finalizer, so that the object cannot vanish with things still in a cloud.
    async fn hold(&self) -> Result<(), kube::Error> {
        let Last { version, mut finalizers, .. } = self.last().clone();
        if finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            return Ok(());
        }
        finalizers.push(FINALIZER.to_owned());
        // With the version that was seen: somebody else's finalizer, added meanwhile, is not lost.
        let patch = json!({ "metadata": { "finalizers": finalizers, "resourceVersion": version } });
        let held =
            self.runs.patch(&self.run.name_any(), &PatchParams::default(), &Patch::Merge(&patch)).await?;
        self.last().see(&held);
        Ok(())
    }

    /// Takes note of the object as it is now, if the attempt is still this task's.
    async fn look_again(&self) -> Result<(), WriteError> {
        let now = self.runs.get_opt(&self.run.name_any()).await?.ok_or(WriteError::Superseded)?;
        let mut last = self.last();
        if now.uid() != self.run.uid() {
            return Err(WriteError::Superseded);
        }
        if !is_same_attempt(&last.status, &now) {
            let written = last.unacknowledged.take_if(|sent| is_told(sent, &now));
            last.status = written.ok_or(WriteError::Superseded)?;
        }
        last.see(&now);
        Ok(())
    }

    fn complete(&self, status: TempestRunStatus, moment: &Moment) -> TempestRunStatus {
        let generation = self.run.meta().generation;
        let before: Vec<Condition> = self.last().status.conditions.clone();
        TempestRunStatus {
            observed_generation: generation,
            attempt: Some(status.attempt.unwrap_or_else(|| attempts::number(&self.run))),
            conditions: conditions(moment, generation, self.clock.now(), &before),
            ..status
        }
    }

    async fn put(&self, status: TempestRunStatus) -> Result<(), kube::Error> {
        let name = self.run.name_any();
        let patch = json!({
            "apiVersion": TempestRun::api_version(&()),
            "kind": TempestRun::kind(&()),
            // A UID in an apply is a precondition: an object of the same name made meanwhile is not touched.
            "metadata": { "name": name, "uid": self.run.uid(), "resourceVersion": self.last().version },
            "status": status,
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        self.last().unacknowledged = Some(status.clone());
        let written = self.runs.patch_status(&name, &params, &Patch::Apply(&patch)).await;
        match &written {
            Ok(_) => self.metrics.status_written(),
            Err(kube::Error::Api(answer)) if answer.code == 409 => self.metrics.status_conflicted(),
            Err(_) => self.metrics.status_write_failed(),
        }
        let written = written?;
        let mut last = self.last();
        last.see(&written);
        last.status = status;
        last.unacknowledged = None;
        Ok(())
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    fn see(&mut self, run: &TempestRun) {
        self.version = run.resource_version();
        self.finalizers = run.finalizers().to_vec();
    }
}

/// Whether the object still stands where this task left it.
pub fn is_same_attempt(ours: &TempestRunStatus, now: &TempestRun) -> bool {
    let status = now.status.clone().unwrap_or_default();
    let number = |status: &TempestRunStatus| status.attempt.unwrap_or(1);
    number(&status) == number(ours) && status.run_id == ours.run_id && status.phase != Some(Phase::Completed)
}

/// Whether the object tells what this task sent: where its attempt stands, and since when. Nobody else begins or ends an
/// attempt at the very moment that this task does.
fn is_told(sent: &TempestRunStatus, now: &TempestRun) -> bool {
    let stands = |status: &TempestRunStatus| {
        // The API server has whole seconds.
        let times = [status.start_time, status.attempt_start_time, status.completion_time];
        let times = times.map(|time| time.map(jiff::Timestamp::as_second));
        (status.attempt.unwrap_or(1), status.run_id.clone(), status.phase, times)
    };
    now.status.as_ref().is_some_and(|now| stands(now) == stands(sent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn status(attempt: u32, run_id: Option<&str>, phase: Phase) -> TempestRunStatus {
        TempestRunStatus {
            attempt: Some(attempt),
            run_id: run_id.map(str::to_owned),
            phase: Some(phase),
            ..TempestRunStatus::default()
        }
    }

    #[rstest]
    #[case::still_ours(status(1, Some("a"), Phase::CleaningUp), true)]
    #[case::the_next_attempt_waits(status(2, None, Phase::Queued), false)]
    #[case::somebody_else_ended_it(status(1, Some("a"), Phase::Completed), false)]
    #[case::somebody_else_plays_it(status(2, Some("b"), Phase::Running), false)]
    fn an_attempt_is_told_by_its_number_and_run_id(#[case] now: TempestRunStatus, #[case] ours: bool) {
        let mut run = TempestRun::new("one", crate::api::tempest_run::TempestRunSpec::default());
        run.status = Some(now);
        assert_eq!(is_same_attempt(&status(1, Some("a"), Phase::Running), &run), ours);
    }

    fn at(status: TempestRunStatus, begun: i64, ended: Option<i64>) -> TempestRunStatus {
        let time = |second: i64| jiff::Timestamp::new(second, 123_456_789).unwrap();
        let (attempt_start_time, completion_time) = (Some(time(begun)), ended.map(time));
        TempestRunStatus { attempt_start_time, completion_time, ..status }
    }

    #[rstest]
    #[case::its_begin(at(status(1, Some("a"), Phase::Running), 10, None), true)]
    #[case::the_begin_of_somebody_else(at(status(1, Some("a"), Phase::Running), 11, None), false)]
    #[case::it_waits_still(status(1, None, Phase::Queued), false)]
    #[case::the_next_attempt(at(status(2, Some("b"), Phase::Running), 10, None), false)]
    #[case::its_end(at(status(1, Some("a"), Phase::Completed), 10, Some(20)), false)]
    fn a_write_whose_answer_was_lost_is_found_again(#[case] now: TempestRunStatus, #[case] written: bool) {
        let sent = at(status(1, Some("a"), Phase::Running), 10, None);
        let mut run = TempestRun::new("one", crate::api::tempest_run::TempestRunSpec::default());
        // As the API server gives it back.
        run.status = serde_json::from_value(serde_json::to_value(now).unwrap()).unwrap();
        assert_eq!(is_told(&sent, &run), written);
    }
}
