//! A run's ledger in Kubernetes: a `ConfigMap` that the run owns.

use async_trait::async_trait;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};

use super::FIELD_MANAGER;
use crate::api::tempest_run::TempestRun;
use crate::runner::ledger::{LedgerDocument, LedgerError, LedgerStore};

const KEY: &str = "ledger.json";
/// What marks our `ConfigMaps`.
const LABEL: &str = "app.kubernetes.io/managed-by";

/// Where the ledger of one run is.
#[derive(Clone)]
pub struct ConfigMapLedger {
    maps: Api<ConfigMap>,
    metadata: ObjectMeta,
    name: String,
}

impl ConfigMapLedger {
    /// The ledger of `run`; nothing is read or written yet.
    pub fn of(client: Client, run: &TempestRun) -> Self {
        let namespace = run.namespace().unwrap_or_default();
        let name = format!("{}-ledger", run.name_any());
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            namespace: Some(namespace.clone()),
            labels: Some([(LABEL.to_owned(), FIELD_MANAGER.to_owned())].into()),
            owner_references: run.controller_owner_ref(&()).map(|owner| vec![owner]),
            ..ObjectMeta::default()
        };
        Self { maps: Api::namespaced(client, &namespace), metadata, name }
    }

    /// The stored document; [`None`] when there is none, or it belongs to another object of this name.
    pub async fn load(&self) -> Result<Option<LedgerDocument>, LedgerError> {
        let map = self.maps.get_opt(&self.name).await.map_err(|error| LedgerError(error.into()))?;
        let owned = |map: &ConfigMap| {
            let owner =
                self.metadata.owner_references.iter().flatten().map(|owner| owner.uid.as_str()).next();
            map.metadata.owner_references.iter().flatten().any(|one| Some(one.uid.as_str()) == owner)
        };
        let Some(text) = map.filter(owned).and_then(|map| map.data).and_then(|mut data| data.remove(KEY))
        else {
            return Ok(None);
        };
        serde_json::from_str(&text).map(Some).map_err(|error| LedgerError(error.into()))
    }
}

#[async_trait]
impl LedgerStore for ConfigMapLedger {
    async fn save(&self, document: &LedgerDocument) -> Result<(), LedgerError> {
        let text = serde_json::to_string(document).map_err(|error| LedgerError(error.into()))?;
        let map = ConfigMap {
            metadata: self.metadata.clone(),
            data: Some([(KEY.to_owned(), text)].into()),
            ..ConfigMap::default()
        };
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let saved = self.maps.patch(&self.name, &params, &Patch::Apply(&map)).await;
        saved.map(|_| ()).map_err(|error| LedgerError(error.into()))
    }

    async fn clear(&self) -> Result<(), LedgerError> {
        match self.maps.delete(&self.name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(LedgerError(error.into())),
        }
    }
}
