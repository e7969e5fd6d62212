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
    let mut before = Duration::ZERO;
    let tell = |since, before: Duration| {
        run.tell(EventKind::Suspended {
            since,
            before_ms: u64::try_from(before.as_millis()).unwrap_or(u64::MAX),
        });
    };
    loop {
        run.suspension.until(true).await;
        let since = Instant::now();
        run.paused.set(true);
        tell(Some(run.clock.now()), before);
        run.suspension.until(false).await;
        run.deadline.put_off(since.elapsed());
        before += since.elapsed();
        run.paused.set(false);
        tell(None, before);
    }
}
