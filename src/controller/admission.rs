//! The queue of this process: runs wait here for their turn, and begin here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::conditions::Moment;
use super::queue::{Entry, Limits, Place, Queue};
use super::status_writer::{StatusWriter, WriteError};
use crate::api::tempest_run::{Phase, TempestRunStatus};
use crate::outcome::{Evidence, Reason, RunFault};
use crate::runner::{Admission, Clock, CloudIdentity, Leave, Suspension};
use crate::telemetry::Metrics;

/// Who waits this long is told its place.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks at the place: a thousand who wait write a thousand times.
const AGAIN: Duration = Duration::from_secs(30);
/// Between two attempts to write that a run begins.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The queue of this process; clones are one.
#[derive(Clone)]
pub struct Admissions {
    limits: Limits,
    metrics: Metrics,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    queue: Queue,
    turns: HashMap<String, oneshot::Sender<()>>,
}

/// A place in the queue, and then among those that play; given back when dropped.
struct Ticket {
    admissions: Admissions,
    uid: String,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.admissions.state();
        state.queue.leave(&self.uid);
        state.turns.remove(&self.uid);
        self.admissions.admit(&mut state);
    }
}

impl Admissions {
    /// An empty queue.
    pub fn new(limits: Limits, metrics: Metrics) -> Self {
        Self { limits, metrics, state: Arc::default() }
    }

    fn enter(&self, entry: Entry) -> (Ticket, oneshot::Receiver<()>) {
        let (sender, turn) = oneshot::channel();
        let ticket = Ticket { admissions: self.clone(), uid: entry.uid.clone() };
        let mut state = self.state();
        state.turns.insert(entry.uid.clone(), sender);
        state.queue.enter(entry);
        self.admit(&mut state);
        drop(state);
        (ticket, turn)
    }

    /// A place among those that play, for a run that was found playing.
    pub fn adopt(&self, entry: Entry) -> Leave {
        let ticket = Ticket { admissions: self.clone(), uid: entry.uid.clone() };
        self.state().queue.play(entry);
        Box::new(ticket)
    }

    fn suspend(&self, uid: &str, suspended: bool) {
        let mut state = self.state();
        state.queue.suspend(uid, suspended);
        self.admit(&mut state);
    }

    /// Lets everybody play who may.
    fn admit(&self, state: &mut State) {
        while let Some(uid) = state.queue.admit(&self.limits) {
            // Whoever does not listen any more gives its place back when its ticket is dropped.
            let _ = state.turns.remove(&uid).map(|turn| turn.send(()));
        }
        self.metrics.set_queue_length(state.queue.waiting());
    }

    fn place(&self, uid: &str) -> Option<Place> {
        self.state().queue.places(&self.limits).remove(uid)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One run at the queue.
pub struct RunAdmission {
    /// The queue.
    pub admissions: Admissions,
    /// The UID of its object.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// When its object was made.
    pub created: Timestamp,
    /// Whether it is to wait on purpose.
    pub suspension: Suspension,
    /// Whether it plays in a pod of its own.
    pub elsewhere: bool,
    /// Whether some of its scenarios need locks.
    pub locks: bool,
    /// Writes its status.
    pub writer: Arc<StatusWriter>,
    /// What the status says when the attempt begins, but for the time.
    pub begun: TempestRunStatus,
    /// Tells the time of day.
    pub clock: Clock,
}

#[async_trait]
impl Admission for RunAdmission {
    async fn admit(&self, identity: &CloudIdentity) -> Result<Leave, RunFault> {
        let (began, suspended) = (Instant::now(), self.suspension.is_set());
        let (ticket, mut turn) = self.admissions.enter(Entry {
            uid: self.uid.clone(),
            namespace: self.namespace.clone(),
            created: self.created,
            cloud: identity.clone(),
            suspended,
            elsewhere: self.elsewhere,
            locks: self.locks,
        });
        let mut suspended = suspended;
        let mut tell = Instant::now() + PATIENCE;
        loop {
            tokio::select! {
                biased;
                _ = &mut turn => break,
                () = self.suspension.until(!suspended) => {
                    suspended = !suspended;
                    self.admissions.suspend(&self.uid, suspended);
                    tell = Instant::now();
                }
                () = tokio::time::sleep_until(tell) => {
                    self.tell_place(suspended).await?;
                    tell = Instant::now() + AGAIN;
                }
            }
        }
        self.admissions.metrics.waited_in_queue(began.elapsed());
        self.begin().await?;
        Ok(Box::new(ticket))
    }
}

impl RunAdmission {
    async fn tell_place(&self, suspended: bool) -> Result<(), RunFault> {
        let waiting = TempestRunStatus { run_id: None, ..self.begun.clone() };
        let (moment, status) = match self.admissions.place(&self.uid) {
            _ if suspended => {
                (suspended_moment(), TempestRunStatus { phase: Some(Phase::Suspended), ..waiting })
            }
            Some(Place { position, message }) => {
                let message = format!("number {position} in the queue: {message}");
                let status = TempestRunStatus {
                    phase: Some(Phase::Queued),
                    queue_position: Some(position),
                    ..waiting
                };
                (Moment::Underway { reason: "Queued", message }, status)
            }
            None => return Ok(()),
        };
        match self.writer.tell(&moment, &status).await {
            Err(WriteError::Superseded) => Err(superseded()),
            Err(error) => {
                tracing::warn!(%error, "the place in the queue could not be written");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Only once the status says that it began, anything may be made: a crash in between is an interruption then,
    /// never a second play.
    async fn begin(&self) -> Result<(), RunFault> {
        let moment = Moment::Underway { reason: "Running", message: "looking at the cloud".to_owned() };
        // Once: by its time this begin is found again when the answer to it was lost.
        let now = Some(self.clock.now());
        let status = TempestRunStatus {
            phase: Some(Phase::Running),
            start_time: self.begun.start_time.or(now),
            // A pod's time begins when the pod does.
            attempt_start_time: now.filter(|_| !self.elsewhere),
            ..self.begun.clone()
        };
        loop {
            match self.writer.begin(&moment, &status).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Superseded) => return Err(superseded()),
                Err(error) => {
                    tracing::warn!(%error, "the begin could not be written");
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        }
    }
}

/// Where a run is that was suspended before it began.
pub fn suspended_moment() -> Moment {
    Moment::Underway { reason: "Suspended", message: "spec.suspend is set".to_owned() }
}

fn superseded() -> RunFault {
    let message = "the run is not this process's any more".to_owned();
    RunFault { reason: Reason::Cancelled, message, evidence: Evidence::default() }
}
