//! Writes the status: by server-side apply, only when it changed, at most once a second while a run is played.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::FIELD_MANAGER;
use super::conditions::{Moment, conditions};
use super::notify::Notifier;
use crate::api::tempest_run::{Phase, TempestRun, TempestRunStatus};
use crate::outcome::VerdictPolicy;
use crate::report::RunReport;
use crate::report::status::status;
use crate::runner::Clock;
use crate::runner::event::{Event, EventKind};
use crate::telemetry::Metrics;

/// Between two writes of one run's status while it is played.
const INTERVAL: Duration = Duration::from_secs(1);
/// Between two attempts to write the end; the end must not be lost.
const RETRY: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(15)];
/// How often the end is tried to be written: for about an hour.
const END_ATTEMPTS: usize = 240;

/// Writes one run's status.
#[derive(Clone)]
pub struct Publisher {
    runs: Api<TempestRun>,
    run: Arc<TempestRun>,
    clock: Clock,
    metrics: Metrics,
}

impl Publisher {
    /// A publisher for `run`.
    pub fn new(client: Client, run: Arc<TempestRun>, clock: Clock, metrics: Metrics) -> Self {
        let runs = Api::namespaced(client, &run.namespace().unwrap_or_default());
        Self { runs, run, clock, metrics }
    }

    /// Writes a moment outside of playing and gives what was written; `status` is what is known besides.
    ///
    /// # Errors
    /// A conflict when the object is not the one that was looked at any more: then the decision was about the past.
    pub async fn moment(
        &self,
        moment: &Moment,
        status: TempestRunStatus,
    ) -> Result<TempestRunStatus, kube::Error> {
        let before = self.before();
        let whole = self.complete(status, moment, &before);
        if Some(&whole) != self.run.status.as_ref() {
            self.write(&whole, self.run.resource_version()).await?;
        }
        Ok(whole)
    }

    /// Says that the status, as it stands, is about the spec as it stands.
    ///
    /// # Errors
    /// As [`Self::moment`].
    pub async fn acknowledge(&self) -> Result<(), kube::Error> {
        let generation = self.run.meta().generation;
        let mut status = self.run.status.clone().unwrap_or_default();
        status.observed_generation = generation;
        for condition in &mut status.conditions {
            condition.observed_generation = generation;
        }
        self.write(&status, self.run.resource_version()).await
    }

    /// Follows a run's events to their end, writing what changed.
    pub async fn follow(
        &self,
        mut events: UnboundedReceiver<Event>,
        policy: VerdictPolicy,
        notifier: &Notifier,
    ) -> RunReport {
        let mut report = RunReport::default();
        let mut written = TempestRunStatus::default();
        let mut conditions = self.before();
        let mut next = Instant::now();
        let mut dirty = false;
        loop {
            tokio::select! {
                event = events.recv() => {
                    let Some(event) = event else { break };
                    report.apply(&event, &policy);
                    notifier.tell(&event).await;
                    if let EventKind::TestFinished { result } = &event.kind {
                        self.metrics.test_finished(result);
                    }
                    dirty = true;
                }
                () = tokio::time::sleep_until(next), if dirty && report.verdict.is_none() => {
                    let whole = self.complete(status(&report), &underway(&report), &conditions);
                    if whole != written {
                        if let Err(error) = self.write(&whole, None).await {
                            tracing::warn!(%error, run = %self.run.name_any(), "the status could not be written");
                        } else {
                            conditions.clone_from(&whole.conditions);
                            written = whole;
                        }
                    }
                    dirty = false;
                    next = Instant::now() + INTERVAL;
                }
            }
        }
        self.write_end(&report, &conditions).await;
        report
    }

    /// Writes the end, again and again until the API server has it.
    async fn write_end(&self, report: &RunReport, before: &[Condition]) {
        let Some(moment) = Moment::of_end(report) else { return };
        let whole = self.complete(status(report), &moment, before);
        for attempt in 0..END_ATTEMPTS {
            match self.write(&whole, None).await {
                Ok(()) => return,
                Err(kube::Error::Api(status)) if status.code == 404 => return,
                Err(error) => {
                    tracing::warn!(%error, run = %self.run.name_any(), attempt, "the end could not be written");
                }
            }
            let pause = RETRY.get(attempt).or(RETRY.last()).copied().unwrap_or(INTERVAL);
            tokio::time::sleep(pause).await;
        }
    }

    fn before(&self) -> Vec<Condition> {
        self.run.status.as_ref().map(|status| status.conditions.clone()).unwrap_or_default()
    }

    fn complete(&self, status: TempestRunStatus, moment: &Moment, before: &[Condition]) -> TempestRunStatus {
        let generation = self.run.meta().generation;
        TempestRunStatus {
            observed_generation: generation,
            attempt: Some(status.attempt.unwrap_or(1)),
            conditions: conditions(moment, generation, self.clock.now(), before),
            ..status
        }
    }

    /// Writes a status; with a version, only over that one.
    async fn write(&self, status: &TempestRunStatus, version: Option<String>) -> Result<(), kube::Error> {
        let name = self.run.name_any();
        let mut patch = json!({
            "apiVersion": TempestRun::api_version(&()),
            "kind": TempestRun::kind(&()),
            // A UID in an apply is a precondition: an object of the same name made meanwhile is not touched.
            "metadata": { "name": name, "uid": self.run.uid() },
            "status": status,
        });
        if let Some(version) = version {
            patch["metadata"]["resourceVersion"] = version.into();
        }
        let params = PatchParams::apply(FIELD_MANAGER).force();
        self.runs.patch_status(&name, &params, &Patch::Apply(&patch)).await?;
        self.metrics.status_written();
        Ok(())
    }
}

fn underway(report: &RunReport) -> Moment {
    let (reason, message) = if report.cleaning_up {
        ("CleaningUp", "undoing what is left, and looking for leaks".to_owned())
    } else {
        let (done, all) = (report.summary.done(), report.planned.len());
        (
            "Running",
            if all == 0 { "looking at the cloud".to_owned() } else { format!("{done} of {all} tests ended") },
        )
    };
    Moment::Underway { reason, message }
}

/// A status that says only where the run is, keeping what it said before.
pub fn keeping(run: &TempestRun, phase: Phase) -> TempestRunStatus {
    TempestRunStatus { phase: Some(phase), ..run.status.clone().unwrap_or_default() }
}
