//! Where the Lease is.

use async_trait::async_trait;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, ResourceExt};

/// A Lease as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its resourceVersion.
    pub version: String,
    /// What it says.
    pub spec: LeaseSpec,
}

/// Why a Lease was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It was changed since it was read.
    #[error("somebody else wrote the lease meanwhile")]
    Conflict,
    /// The API server refused or did not answer.
    #[error("the lease cannot be read or written")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Reads and writes one Lease.
#[async_trait]
pub trait Leases: Send + Sync {
    /// The Lease as it is stored; [`None`] when there is none.
    async fn get(&self) -> Result<Option<Record>, StoreError>;
    /// Writes it over this version; without one it must not exist.
    async fn put(&self, version: Option<String>, spec: LeaseSpec) -> Result<Record, StoreError>;
}

/// A Lease of the API server.
pub struct ApiLeases {
    api: Api<Lease>,
    name: String,
}

impl ApiLeases {
    /// The Lease of this name.
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned() }
    }
}

#[async_trait]
impl Leases for ApiLeases {
    async fn get(&self) -> Result<Option<Record>, StoreError> {
        Ok(self.api.get_opt(&self.name).await.map_err(StoreError::of)?.map(record))
    }

    async fn put(&self, version: Option<String>, spec: LeaseSpec) -> Result<Record, StoreError> {
        let exists = version.is_some();
        let metadata =
            ObjectMeta { name: Some(self.name.clone()), resource_version: version, ..ObjectMeta::default() };
        let lease = Lease { metadata, spec: Some(spec) };
        let params = PostParams::default();
        let written = if exists {
            self.api.replace(&self.name, &params, &lease).await
        } else {
            self.api.create(&params, &lease).await
        };
        written.map(record).map_err(StoreError::of)
    }
}

fn record(lease: Lease) -> Record {
    Record { version: lease.resource_version().unwrap_or_default(), spec: lease.spec.unwrap_or_default() }
}

impl StoreError {
    /// What the API server's answer means for a lease.
    pub fn of(error: kube::Error) -> Self {
        match error {
            // 404: it was deleted between reading and writing.
            kube::Error::Api(answer) if matches!(answer.code, 404 | 409) => Self::Conflict,
            error => Self::Unavailable(error.into()),
        }
    }
}
