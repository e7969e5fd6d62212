//! What a run's pod tells: the report as it grows, in a `ConfigMap` that the run owns.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ObjectMeta, Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};

use super::name;
use crate::api::tempest_run::TempestRun;
use crate::controller::FIELD_MANAGER;
use crate::controller::conditions::Moment;
use crate::controller::ledger::MANAGED_BY;
use crate::controller::publish::Page;
use crate::controller::reports::{JSON, Reports};
use crate::controller::status_writer::WriteError;
use crate::outcome::VerdictPolicy;
use crate::report::{RunReport, bounded};

/// What the pod of one attempt tells.
pub struct Told {
    maps: Api<ConfigMap>,
    reports: Reports,
    metadata: ObjectMeta,
    name: String,
    policy: VerdictPolicy,
}

impl Told {
    /// What is told of an attempt of `run`; nothing is read or written yet.
    pub fn of(client: Client, run: &Arc<TempestRun>, attempt: u32, policy: VerdictPolicy) -> Self {
        let name = name(run, attempt);
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            labels: Some([(MANAGED_BY.to_owned(), FIELD_MANAGER.to_owned())].into()),
            owner_references: run.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        };
        let maps = Api::namespaced(client.clone(), &run.namespace().unwrap_or_default());
        let reports = Reports::of(client, Arc::clone(run), attempt);
        Self { maps, reports, metadata, name, policy }
    }

    /// What was told last; [`None`] when nothing was.
    pub async fn load(&self) -> Result<Option<RunReport>, kube::Error> {
        self.reports.load(&self.name).await
    }

    /// Tells this.
    pub async fn save(&self, report: &RunReport) -> Result<(), kube::Error> {
        let bounded::Texts { json, .. } = bounded::texts(report, &self.policy);
        let map = ConfigMap {
            metadata: self.metadata.clone(),
            data: Some(BTreeMap::from([(JSON.to_owned(), json)])),
            ..ConfigMap::default()
        };
        let params = PatchParams::apply(FIELD_MANAGER).force();
        self.maps.patch(&self.name, &params, &Patch::Apply(&map)).await.map(drop)
    }
}

#[async_trait]
impl Page for Told {
    async fn write(&self, report: &RunReport, _: &Moment) -> Result<(), WriteError> {
        Ok(self.save(report).await?)
    }
}
