//! Time that passes only when nobody has anything to do: deadlines and latencies cost nothing, and a busy machine
//! makes nothing late.
//!
//! The whole cloud lives in the runtime that plays against it, so that an idle runtime means that everybody waits:
//! tokio then moves its paused clock on to the next moment that somebody waits for. Loopback delivers at once.

use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

use jiff::Timestamp;
use tempest_operator::runner::Clock;
use tokio::runtime::Builder;
use tokio::time::Instant;

/// Runs to the end in a runtime of its own whose clock is paused.
pub fn on_a_paused_clock<T>(future: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(future)
}

/// A wall clock that goes with the paused one. Made inside the runtime.
pub fn paused_clock() -> Clock {
    let (epoch, started) = (Timestamp::now(), Instant::now());
    Clock::new(move || epoch + started.elapsed())
}

/// Does all jobs, as many at once as there are processors; the results are in the jobs' order.
pub fn all_at_once<J: Sync, T: Send>(jobs: &[J], act: impl Fn(&J) -> T + Sync) -> Vec<T> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(jobs.len());
    let next = Mutex::new(jobs.iter().enumerate());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let Some((index, job)) = next.lock().unwrap().next() else { return };
                    let end = act(job);
                    done.lock().unwrap().push((index, end));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, end)| end).collect()
}
