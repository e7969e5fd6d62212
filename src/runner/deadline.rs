//! A run's end, which moves while the run is suspended.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::context::RunContext;
use super::event::EventKind;

/// The moment at which a run's time is over.
#[derive(Debug)]
pub struct Deadline(Mutex<State>);

#[derive(Clone, Copy, Debug)]
struct State {
    end: Instant,
    /// Since when the time stands still.
    stopped: Option<Instant>,
}

impl State {
    fn end_as_of(self, now: Instant) -> Instant {
        self.end + self.stopped.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

impl Deadline {
    /// This long from now.
    pub fn after(time: Duration) -> Self {
        Self(Mutex::new(State { end: Instant::now() + time, stopped: None }))
    }

    /// The moment, as far as it is known now: while the time stands still, it moves.
    pub fn get(&self) -> Instant {
        self.state().end_as_of(Instant::now())
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.get()
    }

    fn stop(&self) {
        self.state().stopped = Some(Instant::now());
    }

    fn go_on(&self) {
        let mut state = self.state();
        *state = State { end: state.end_as_of(Instant::now()), stopped: None };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until the run's time is over.
pub async fn time_is_over(run: &RunContext) {
    while !run.deadline.is_over() {
        run.paused.until(false).await;
        tokio::time::sleep_until(run.deadline.get()).await;
    }
}

/// Follows what the run's owner wants, for as long as it is polled: while suspended, the run's time stands still.
pub async fn follow_suspension(run: &RunContext) {
    let mut before = Duration::ZERO;
    let tell = |since, before: Duration| {
        let before_ms = u64::try_from(before.as_millis()).unwrap_or(u64::MAX);
        run.tell(EventKind::Suspended { since, before_ms });
    };
    loop {
        run.suspension.until(true).await;
        let since = Instant::now();
        run.deadline.stop();
        run.paused.set(true);
        tell(Some(run.clock.now()), before);
        run.suspension.until(false).await;
        run.deadline.go_on();
        before += since.elapsed();
        // Told first, as a test may begin at once.
        tell(None, before);
        run.paused.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn the_end_moves_while_the_time_stands_still() {
        let deadline = Deadline::after(Duration::from_mins(1));
        advance(Duration::from_secs(50)).await;
        deadline.stop();
        advance(Duration::from_hours(2)).await;
        assert_eq!(deadline.get() - Instant::now(), Duration::from_secs(10));
        deadline.go_on();
        advance(Duration::from_secs(9)).await;
        assert!(!deadline.is_over());
        advance(Duration::from_secs(1)).await;
        assert!(deadline.is_over());
    }
}
