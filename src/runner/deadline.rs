//! A run's end, which moves while the run is suspended.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::context::RunContext;
use super::event::EventKind;

/// The moment at which a run's time is over.
#[derive(Debug)]
pub struct Deadline(Mutex<Instant>);

impl Deadline {
    /// This long from now.
    pub fn after(time: Duration) -> Self {
        Self(Mutex::new(Instant::now() + time))
    }

    /// The moment.
    pub fn get(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_off(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

/// Follows what the run's owner wants, for as long as it is polled: while suspended, the run's time stands still.
pub async fn follow_suspension(run: &RunContext) {
    loop {
        run.suspension.until(true).await;
        let since = Instant::now();
        run.paused.set(true);
        run.tell(EventKind::Suspended { suspended: true });
        run.suspension.until(false).await;
        run.deadline.put_off(since.elapsed());
        run.paused.set(false);
        run.tell(EventKind::Suspended { suspended: false });
    }
}
