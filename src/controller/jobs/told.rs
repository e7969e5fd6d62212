//! What a run's pod tells: the report as it grows, in a `ConfigMap` that the run owns.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use kube::Client;

use super::name;
use crate::api::tempest_run::TempestRun;
use crate::controller::conditions::Moment;
use crate::controller::maps::{MapError, Maps};
use crate::controller::publish::Page;
use crate::controller::reports::{JSON, Reports};
use crate::controller::status_writer::WriteError;
use crate::outcome::VerdictPolicy;
use crate::report::{RunReport, bounded};

/// What the pod of one attempt tells.
pub struct Told {
    maps: Maps,
    reports: Reports,
    name: String,
    policy: VerdictPolicy,
}

impl Told {
    /// What is told of an attempt of `run`; nothing is read or written yet.
    pub fn of(client: Client, run: &Arc<TempestRun>, attempt: u32, policy: VerdictPolicy) -> Self {
        let (name, maps) = (name(run, attempt), Maps::of(client.clone(), run));
        let reports = Reports::of(client, Arc::clone(run), attempt);
        Self { maps, reports, name, policy }
    }

    /// What was told last; [`None`] when nothing was.
    pub async fn load(&self) -> Result<Option<RunReport>, kube::Error> {
        self.reports.load(&self.name).await
    }

    /// Tells this.
    pub async fn save(&self, report: &RunReport) -> Result<(), MapError> {
        let bounded::Texts { json, .. } = bounded::texts(report, &self.policy);
        self.maps.write(&self.name, BTreeMap::from([(JSON.to_owned(), json)])).await
    }
}

#[async_trait]
impl Page for Told {
    async fn write(&self, report: &RunReport, _: &Moment) -> Result<(), WriteError> {
        Ok(self.save(report).await?)
    }
}
