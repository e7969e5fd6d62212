//! A run's ledger in Kubernetes: a `ConfigMap` that the run owns.

use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::{Client, ResourceExt};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::FIELD_MANAGER;
use super::maps::{MapError, Maps};
use crate::api::tempest_run::TempestRun;
use crate::runner::ledger::{LedgerDocument, LedgerError, LedgerStore};

const KEY: &str = "ledger.json";
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
    maps: Maps,
    name: String,
    writer: String,
    version: Mutex<Option<String>>,
}

/// Somebody else wrote the ledger.
#[derive(Debug, thiserror::Error)]
#[error("the ledger is another process's by now")]
struct Superseded;

/// The name of the `ConfigMap` with a run's ledger.
pub fn name(run: &str) -> String {
    format!("{run}-ledger")
}

impl ConfigMapLedger {
    /// The ledger of `run`; nothing is read or written yet.
    pub fn of(client: Client, run: &TempestRun) -> Self {
        let (maps, name) = (Maps::of(client, run), name(&run.name_any()));
        Self { maps, name, writer: Uuid::new_v4().to_string(), version: Mutex::default() }
    }

    /// The stored document; [`None`] when there is none, or it belongs to another object of this name.
    ///
    /// # Errors
    /// When the API server does not answer, or the document is none.
    pub async fn load(&self) -> Result<Option<LedgerDocument>, LedgerError> {
        let Some(map) = self.maps.get(&self.name).await.map_err(unavailable)? else { return Ok(None) };
        *self.version.lock().await = map.resource_version();
        let Some(text) = map.data.and_then(|mut data| data.remove(KEY)) else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(unavailable)
    }

    /// The version to write over after a conflict, or that there is none.
    async fn after_conflict(&self) -> Result<Option<String>, LedgerError> {
        let found = self.maps.api().get_metadata_opt(&self.name).await.map_err(unavailable)?;
        let Some(map) = found else { return Ok(None) };
        if !self.maps.may_write_over(&map.metadata) {
            return Err(unavailable(MapError::Foreign { name: self.name.clone() }));
        }
        let is_free = self.wrote(&map) || !self.maps.owns(&map.metadata);
        if is_free { Ok(map.resource_version()) } else { Err(unavailable(Superseded)) }
    }

    fn wrote(&self, map: &impl ResourceExt) -> bool {
        map.annotations().get(WRITER) == Some(&self.writer)
    }
}

#[async_trait]
impl LedgerStore for ConfigMapLedger {
    async fn save(&self, document: &LedgerDocument) -> Result<(), LedgerError> {
        let text = serde_json::to_string(document).map_err(unavailable)?;
        let mut map = ConfigMap {
            metadata: self.maps.metadata(&self.name),
            data: Some([(KEY.to_owned(), text)].into()),
            ..ConfigMap::default()
        };
        map.metadata.annotations = Some([(WRITER.to_owned(), self.writer.clone())].into());
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
                Err(kube::Error::Api(answer)) if answer.code < 500 && answer.code != 429 => {
                    return Err(unavailable(kube::Error::Api(answer)));
                }
                Err(error) => refusal = unavailable(error),
            }
        }
        Err(refusal)
    }

    async fn clear(&self) -> Result<(), LedgerError> {
        let version = if let Some(version) = self.version.lock().await.take() {
            version
        } else {
            // This task knows of none: only one that it wrote without being told so is its to remove.
            let found = self.maps.api().get_metadata_opt(&self.name).await.map_err(unavailable)?;
            let own = found.filter(|map| self.maps.owns(&map.metadata) && self.wrote(map));
            let Some(own) = own else { return Ok(()) };
            own.resource_version().unwrap_or_default()
        };
        self.maps.delete_version(&self.name, None, Some(version)).await.map_err(unavailable)
    }
}

fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> LedgerError {
    LedgerError(error.into())
}
