//! Full reports in Kubernetes: a `ConfigMap` an attempt, owned by the run, with what the status has no room for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kube::{Client, ResourceExt};

use super::maps::{MapError, Maps};
use crate::api::tempest_run::{ReportStatus, TempestRun};
use crate::outcome::VerdictPolicy;
use crate::report::{RunReport, bounded};

/// The key of the full report.
pub const JSON: &str = "report.json";
/// The key of the report for CI servers; there once the run has ended.
pub const JUNIT: &str = "junit.xml";
/// How many attempts keep their report.
const KEPT: u32 = 3;

/// The reports of one run.
pub struct Reports {
    maps: Maps,
    run: Arc<TempestRun>,
    attempt: u32,
    /// How many results the stored report has, and whether the run had ended.
    saved: Mutex<Option<(usize, bool, ReportStatus)>>,
}

/// The name of the `ConfigMap` with an attempt's report.
pub fn name(run: &str, attempt: u32) -> String {
    format!("{run}-report-{attempt}")
}

impl Reports {
    /// The reports of an attempt; nothing is read or written yet.
    pub fn of(client: Client, run: Arc<TempestRun>, attempt: u32) -> Self {
        Self { maps: Maps::of(client, &run), run, attempt, saved: Mutex::new(None) }
    }

    /// Stores the report if it has outcomes that the stored one does not have; tells where it is.
    pub async fn save(
        &self,
        report: &RunReport,
        policy: &VerdictPolicy,
    ) -> Result<Option<ReportStatus>, MapError> {
        let ended = report.verdict.is_some();
        let state = (report.tests.len(), ended);
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if state == (0, false) || saved.as_ref().is_some_and(|(tests, end, _)| (*tests, *end) == state) {
            return Ok(saved.map(|(_, _, reference)| reference));
        }
        let bounded::Texts { json, junit, truncated } = bounded::texts(report, policy);
        let mut data = BTreeMap::from([(JSON.to_owned(), json)]);
        data.extend(junit.map(|junit| (JUNIT.to_owned(), junit)));
        let name = name(&self.run.name_any(), self.attempt);
        self.maps.write(&name, data).await?;
        let reference = ReportStatus { config_map: name, truncated };
        *self.saved.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((state.0, state.1, reference.clone()));
        if ended {
            self.forget_old().await;
        }
        Ok(Some(reference))
    }

    /// The report of an earlier attempt, if it is still there, whole and readable.
    pub async fn load(&self, config_map: &str) -> Result<Option<RunReport>, kube::Error> {
        let text = self.stored(config_map).await?.and_then(|mut stored| stored.remove(JSON));
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// What a `ConfigMap` of this run holds, by its keys; [`None`] when there is no such one.
    pub async fn stored(&self, config_map: &str) -> Result<Option<BTreeMap<String, String>>, kube::Error> {
        Ok(self.maps.get(config_map).await?.and_then(|map| map.data))
    }

    async fn forget_old(&self) {
        let Some(old) = self.attempt.checked_sub(KEPT).filter(|old| *old > 0) else { return };
        let name = name(&self.run.name_any(), old);
        if let Err(error) = self.maps.delete(&name).await {
            tracing::debug!(%error, name, "an old report could not be deleted");
        }
    }
}
