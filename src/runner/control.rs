//! How a run is told to stop, or to pause.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Ends a run early, or pauses it.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// Stops playing and undoes everything.
    pub cancel: CancellationToken,
    /// Stops at once; what is left stays in the ledger.
    pub abandon: CancellationToken,
    /// Starts no new test.
    pub suspension: Suspension,
}

/// Whether a run is suspended; clones are one.
#[derive(Clone, Debug)]
pub struct Suspension {
    is_suspended: Arc<watch::Sender<bool>>,
}

impl Default for Suspension {
    fn default() -> Self {
        Self { is_suspended: Arc::new(watch::Sender::new(false)) }
    }
}

impl Suspension {
    /// Suspends or resumes.
    pub fn set(&self, suspended: bool) {
        self.is_suspended.send_if_modified(|now| std::mem::replace(now, suspended) != suspended);
    }

    /// Whether it is suspended now.
    pub fn is_set(&self) -> bool {
        *self.is_suspended.borrow()
    }

    /// Waits until it is `suspended`, or not.
    pub async fn until(&self, suspended: bool) {
        let mut watching = self.is_suspended.subscribe();
        // The sender lives as long as this value.
        let _ = watching.wait_for(|now| *now == suspended).await;
    }
}
