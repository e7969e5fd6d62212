//! The lease of an attempt: which pod plays it. The algorithm is that of the operator's own Lease; it is kept in a
//! `ConfigMap`, so that pods need no right to Leases, one of which makes an operator the leader.

use async_trait::async_trait;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Client, ResourceExt};
use tokio::time::Instant;

use super::fate::LeaseState;
use crate::api::tempest_run::TempestRun;
use crate::controller::lease::{Known, Leases, Record, Step, StoreError, decide};
use crate::controller::maps::{MapError, Maps};
use crate::runner::Clock;

const KEY: &str = "lease.json";
/// Holds a lease that nobody may have any more.
const RETIRED: &str = "retired";

/// The name of the `ConfigMap` that holds the lease of an attempt.
pub fn name(run: &TempestRun, attempt: u32) -> String {
    format!("{}-lease", super::name(run, attempt))
}

/// Where the lease of an attempt is.
pub struct ConfigMapLeases {
    maps: Maps,
    name: String,
}

impl ConfigMapLeases {
    /// The lease of an attempt of `run`; nothing is read or written yet.
    pub fn of(client: Client, run: &TempestRun, attempt: u32) -> Self {
        Self { maps: Maps::of(client, run), name: name(run, attempt) }
    }
}

#[async_trait]
impl Leases for ConfigMapLeases {
    async fn get(&self) -> Result<Option<Record>, StoreError> {
        let map = self.maps.api().get_opt(&self.name).await.map_err(StoreError::of)?;
        if map.as_ref().is_some_and(|map| !self.maps.may_write_over(&map.metadata)) {
            return Err(StoreError::Unavailable(MapError::Foreign { name: self.name.clone() }.into()));
        }
        map.map(record).transpose()
    }

    async fn put(&self, version: Option<String>, spec: LeaseSpec) -> Result<Record, StoreError> {
        let text = serde_json::to_string(&spec).map_err(|error| StoreError::Unavailable(error.into()))?;
        let exists = version.is_some();
        let map = ConfigMap {
            metadata: ObjectMeta { resource_version: version, ..self.maps.metadata(&self.name) },
            data: Some([(KEY.to_owned(), text)].into()),
            ..ConfigMap::default()
        };
        let params = PostParams::default();
        let written = if exists {
            self.maps.api().replace(&self.name, &params, &map).await
        } else {
            self.maps.api().create(&params, &map).await
        };
        record(written.map_err(StoreError::of)?)
    }
}

fn record(map: ConfigMap) -> Result<Record, StoreError> {
    let version = map.resource_version().unwrap_or_default();
    let text = map.data.and_then(|mut data| data.remove(KEY)).unwrap_or_else(|| "{}".to_owned());
    let spec = serde_json::from_str(&text).map_err(|error| StoreError::Unavailable(error.into()))?;
    Ok(Record { version, spec })
}

/// The lease as somebody sees it who does not want it for himself.
pub struct Watched {
    leases: ConfigMapLeases,
    known: Option<Known>,
    clock: Clock,
}

impl Watched {
    /// Watches the lease of an attempt from now on: what was before is not known, so a holder has its whole time.
    pub fn new(leases: ConfigMapLeases, clock: Clock) -> Self {
        Self { leases, known: None, clock }
    }

    /// Looks at it.
    pub async fn look(&mut self) -> Result<LeaseState, StoreError> {
        let now = Instant::now();
        self.known = Known::of(self.leases.get().await?, self.known.take(), now);
        Ok(match decide(self.known.as_ref(), RETIRED, now) {
            Step::Create => LeaseState::Absent,
            Step::Wait => LeaseState::Held,
            Step::TakeOver => LeaseState::Free,
            Step::Renew => LeaseState::Retired,
        })
    }

    /// Sees to it that nobody gets it any more, as it was seen last.
    ///
    /// # Errors
    /// A conflict when somebody took it meanwhile.
    pub async fn retire(&self) -> Result<(), StoreError> {
        let before = self.known.as_ref().map(|known| known.record.clone());
        if before.as_ref().is_some_and(|record| record.spec.holder_identity.as_deref() == Some(RETIRED)) {
            return Ok(());
        }
        let (version, spec) = before.map_or_else(Default::default, |one| (Some(one.version), one.spec));
        let retired = LeaseSpec {
            holder_identity: Some(RETIRED.to_owned()),
            lease_duration_seconds: Some(i32::MAX),
            renew_time: Some(MicroTime(self.clock.now())),
            ..spec
        };
        self.leases.put(version, retired).await.map(drop)
    }
}

/// Whether nobody may play an attempt in a pod any more.
///
/// # Errors
/// When that cannot be known.
pub async fn is_retired(client: Client, run: &TempestRun, attempt: u32) -> Result<bool, StoreError> {
    let stored = ConfigMapLeases::of(client, run, attempt).get().await?;
    Ok(stored.is_some_and(|record| record.spec.holder_identity.as_deref() == Some(RETIRED)))
}
