//! Leader election: client-go's algorithm on a `Lease`, so that of several replicas exactly one acts.
//!
//! A renewal replaces the Lease at the version that was seen; whether somebody else's has expired is judged by how
//! long *this* process has seen it unchanged, never by the time written in it. A leader stops on its own some time
//! before others may take over: it leads only while its last acknowledged renewal is younger than the renew deadline.

mod decide;
mod leadership;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use crate::runner::Clock;
pub use decide::{Known, Step, decide};
pub use leadership::Leadership;
pub use store::{ApiLeases, Leases, Record, StoreError};

/// Whose lease, and for how long.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// Who this process is; no other process ever has the same.
    pub identity: String,
    /// How long others wait after the last renewal that they saw.
    pub duration: Duration,
}

impl LeaseOptions {
    /// How long a leader leads after its last renewal.
    fn renew_deadline(&self) -> Duration {
        self.duration * 2 / 3
    }

    /// Between two attempts to renew or to acquire.
    fn retry_period(&self) -> Duration {
        self.duration * 2 / 15
    }
}

/// Stands for election with one Lease.
pub struct Elector {
    leases: Arc<dyn Leases>,
    options: LeaseOptions,
    clock: Clock,
    known: Option<Known>,
}

impl Elector {
    /// A candidate.
    pub fn new(leases: Arc<dyn Leases>, options: LeaseOptions, clock: Clock) -> Self {
        Self { leases, options, clock, known: None }
    }

    /// Waits until this process leads. Trouble with the API server is waited out.
    pub async fn acquire(mut self) -> Held {
        loop {
            let started = Instant::now();
            match timeout_at(started + self.options.renew_deadline(), self.attempt()).await {
                Ok(Ok(true)) => {
                    let leadership = Leadership::until(started + self.options.renew_deadline());
                    tracing::info!(identity = self.options.identity, "leads");
                    let renewing = tokio::spawn(self.keep(leadership.clone()));
                    return Held { leadership, renewing };
                }
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the lease cannot be acquired"),
                Err(_) => tracing::warn!("the lease cannot be acquired: no answer"),
            }
            self.pause().await;
        }
    }

    /// Renews until told to stop, or until it is lost; gives itself back for the release.
    async fn keep(mut self, leadership: Leadership) -> Self {
        loop {
            tokio::select! {
                () = self.pause() => {}
                () = leadership.resigned() => return self,
            }
            let started = Instant::now();
            let deadline = leadership.deadline();
            let renewed = tokio::select! {
                renewed = timeout_at(deadline, self.attempt()) => renewed,
                () = leadership.resigned() => return self,
            };
            match renewed {
                Ok(Ok(true)) => leadership.extend(started + self.options.renew_deadline()),
                Ok(Ok(false)) => leadership.lose("another one leads"),
                Ok(Err(error)) => tracing::warn!(%error, "the lease was not renewed"),
                Err(_) => {}
            }
            if Instant::now() >= deadline && !leadership.holds() {
                leadership.lose("the lease could not be renewed in time");
            }
            if leadership.lost().is_cancelled() {
                return self;
            }
        }
    }

    /// Candidates that began together do not go on together.
    async fn pause(&self) {
        sleep(self.options.retry_period().mul_f64(rand::random_range(1.0..1.2))).await;
    }

    /// One look and at most one write; `true` when the Lease is ours now.
    async fn attempt(&mut self) -> Result<bool, StoreError> {
        let stored = self.leases.get().await?;
        let now = Instant::now();
        self.known = Known::of(stored, self.known.take(), now);
        let step = decide(self.known.as_ref(), &self.options.identity, now);
        let (version, before) = match (step, self.known.as_ref()) {
            (Step::Wait, _) => return Ok(false),
            (Step::Create, _) | (_, None) => (None, LeaseSpec::default()),
            (Step::Renew | Step::TakeOver, Some(known)) => {
                (Some(known.record.version.clone()), known.record.spec.clone())
            }
        };
        let spec = self.spec(before, step);
        match self.leases.put(version, spec).await {
            Ok(record) => {
                self.known = Some(Known { record, since: Instant::now() });
                Ok(true)
            }
            // Somebody was faster. Whoever leads still leads until its deadline; it looks again.
            Err(StoreError::Conflict) if step == Step::Renew => Err(StoreError::Conflict),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn spec(&self, before: LeaseSpec, step: Step) -> LeaseSpec {
        let now = Some(MicroTime(self.clock.now()));
        let renewed = LeaseSpec {
            holder_identity: Some(self.options.identity.clone()),
            lease_duration_seconds: i32::try_from(self.options.duration.as_secs().max(1)).ok(),
            renew_time: now.clone(),
            ..before
        };
        if step == Step::Renew {
            return renewed;
        }
        let transitions = renewed.lease_transitions.map_or(0, |before| before + 1);
        LeaseSpec { acquire_time: now, lease_transitions: Some(transitions), ..renewed }
    }

    /// Says that nobody leads, so that the next one need not wait.
    async fn give_up(mut self) -> Result<(), StoreError> {
        let Some(stored) = self.leases.get().await? else { return Ok(()) };
        if stored.spec.holder_identity.as_deref() != Some(self.options.identity.as_str()) {
            return Ok(());
        }
        let spec = LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            renew_time: Some(MicroTime(self.clock.now())),
            ..stored.spec
        };
        self.known = None;
        self.leases.put(Some(stored.version), spec).await.map(|_| ())
    }
}

/// A Lease that this process holds, and renews.
pub struct Held {
    leadership: Leadership,
    renewing: JoinHandle<Elector>,
}

impl Held {
    /// Whether it still leads.
    pub fn leadership(&self) -> &Leadership {
        &self.leadership
    }

    /// Stops leading, then lets the next one lead at once. Nothing may be done in this process's name any more.
    pub async fn release(self) {
        self.leadership.resign();
        let Ok(elector) = self.renewing.await else { return };
        let patience = elector.options.renew_deadline();
        match tokio::time::timeout(patience, elector.give_up()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the lease was not released; others wait until it expires");
            }
            Err(_) => tracing::warn!("the lease was not released: no answer; others wait until it expires"),
        }
    }
}
