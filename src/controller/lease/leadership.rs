//! Whether this process leads, for everybody who must know before acting.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Whether this process leads; clones are one. Asked before every call that changes something.
#[derive(Clone, Debug)]
pub struct Leadership {
    deadline: Arc<Mutex<Instant>>,
    lost: CancellationToken,
    resigned: CancellationToken,
}

impl Leadership {
    /// Leads until then, unless it is extended.
    pub(in crate::controller) fn until(deadline: Instant) -> Self {
        Self {
            deadline: Arc::new(Mutex::new(deadline)),
            lost: CancellationToken::new(),
            resigned: CancellationToken::new(),
        }
    }

    /// Whether this process leads *now*. The clock is monotonic and runs on while a process is stopped, so one that
    /// was paused for too long knows at once.
    pub fn holds(&self) -> bool {
        !self.lost.is_cancelled() && !self.resigned.is_cancelled() && Instant::now() < self.deadline()
    }

    /// Cancelled once it is lost; never because it was given up.
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    pub(super) fn deadline(&self) -> Instant {
        *self.guard()
    }

    pub(super) fn extend(&self, deadline: Instant) {
        *self.guard() = deadline;
    }

    pub(super) fn lose(&self, why: &str) {
        if !self.lost.is_cancelled() {
            tracing::error!(why, "no longer leads");
            self.lost.cancel();
        }
    }

    pub(super) fn resign(&self) {
        self.resigned.cancel();
    }

    pub(super) async fn resigned(&self) {
        self.resigned.cancelled().await;
    }

    fn guard(&self) -> MutexGuard<'_, Instant> {
        self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
