//! A run's ledger in Kubernetes: a `ConfigMap` that the run owns.

use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ObjectMeta, PostParams, Preconditions};
use kube::{Api, Client, Resource, ResourceExt};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::FIELD_MANAGER;
use crate::api::tempest_run::TempestRun;
use crate::runner::ledger::{LedgerDocument, LedgerError, LedgerStore};

const KEY: &str = "ledger.json";
/// What marks our `ConfigMaps`.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Who wrote a ledger last: a task finds its own write again when the answer to it was lost.
const WRITER: &str = "crossservice.dev/writer";
/// Before a write is tried again; an API server that is away for longer costs the lease anyway.
const PAUSES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_millis(600),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// Where the ledger of one run is.
///
/// Only one task writes it: each write names the version that the task wrote last, so that a process that was paused
/// while another took the run over cannot strike out what that one has to undo.
pub struct ConfigMapLedger {
    maps: Api<ConfigMap>,
    metadata: ObjectMeta,
    name: String,
    writer: String,
    version: Mutex<Option<String>>,
}

/// Somebody else wrote the ledger.
#[derive(Debug, thiserror::Error)]
#[error("the ledger is another process's by now")]
struct Superseded;

impl ConfigMapLedger {
    /// The ledger of `run`; nothing is read or written yet.
    pub fn of(client: Client, run: &TempestRun) -> Self {
        let namespace = run.namespace().unwrap_or_default();
        let name = format!("{}-ledger", run.name_any());
        let writer = Uuid::new_v4().to_string();
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            namespace: Some(namespace.clone()),
            labels: Some([(MANAGED_BY.to_owned(), FIELD_MANAGER.to_owned())].into()),
            annotations: Some([(WRITER.to_owned(), writer.clone())].into()),
            owner_references: run.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        };
        Self { maps: Api::namespaced(client, &namespace), metadata, name, writer, version: Mutex::default() }
    }

    /// The stored document; [`None`] when there is none, or it belongs to another object of this name.
    ///
    /// # Errors
    /// When the API server does not answer, or the document is none.
    pub async fn load(&self) -> Result<Option<LedgerDocument>, LedgerError> {
        let Some(map) =
            self.maps.get_opt(&self.name).await.map_err(unavailable)?.filter(|map| self.owns(map))
        else {
            return Ok(None);
        };
        *self.version.lock().await = map.resource_version();
        let Some(text) = map.data.and_then(|mut data| data.remove(KEY)) else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(unavailable)
    }

    fn owns(&self, map: &ConfigMap) -> bool {
        let owner = self.metadata.owner_references.iter().flatten().map(|owner| owner.uid.as_str()).next();
        map.metadata.owner_references.iter().flatten().any(|one| Some(one.uid.as_str()) == owner)
    }

    /// The version to write over after a conflict, or that there is none.
    async fn after_conflict(&self) -> Result<Option<String>, LedgerError> {
        let found = self.maps.get_opt(&self.name).await.map_err(unavailable)?;
        let Some(map) = found else { return Ok(None) };
        let ours = map.annotations().get(WRITER) == Some(&self.writer);
        // That of an object of this name that is gone is garbage not yet collected.
        if ours || !self.owns(&map) { Ok(map.resource_version()) } else { Err(unavailable(Superseded)) }
    }
}

#[async_trait]
impl LedgerStore for ConfigMapLedger {
    async fn save(&self, document: &LedgerDocument) -> Result<(), LedgerError> {
        let text = serde_json::to_string(document).map_err(unavailable)?;
        let mut map = ConfigMap {
            metadata: self.metadata.clone(),
            data: Some([(KEY.to_owned(), text)].into()),
            ..ConfigMap::default()
        };
        let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let mut version = self.version.lock().await;
        let mut refusal = unavailable(Superseded);
        for pause in PAUSES {
            tokio::time::sleep(pause).await;
            map.metadata.resource_version.clone_from(&version);
            let saved = match &*version {
                Some(_) => self.maps.api().replace(&self.name, &params, &map).await,
                None => self.maps.api().create(&params, &map).await,
            };
            match saved {
                Ok(saved) => {
                    *version = saved.resource_version();
                    return Ok(());
                }
                Err(kube::Error::Api(answer)) if matches!(answer.code, 404 | 409) => {
                    *version = self.after_conflict().await?;
                }
                Err(error @ kube::Error::Api(_)) => return Err(unavailable(error)),
                Err(error) => refusal = unavailable(error),
            }
        }
        Err(refusal)
    }

    async fn clear(&self) -> Result<(), LedgerError> {
        let seen = Preconditions { resource_version: self.version.lock().await.take(), uid: None };
        match self.maps.delete(&self.name, &DeleteParams::default().preconditions(seen)).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> LedgerError {
    LedgerError(error.into())
}
