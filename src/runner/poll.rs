//! The one poller; what is waited for is its argument.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fault::StepFault;
use super::rhythm::{Rhythm, pause};
use crate::outcome::Reason;

/// What one look at the cloud showed.
#[derive(Debug)]
pub enum Observation<T> {
    /// What was waited for.
    Done(T),
    /// Not yet.
    Pending(Pending),
    /// It will never come.
    Fault(StepFault),
}

impl<T> Observation<T> {
    /// A fault that time may mend: not yet. One that time cannot mend (credentials, a missing endpoint, a wrong
    /// document) ends the wait.
    pub fn waiting(fault: StepFault) -> Self {
        let final_ = matches!(
            fault.reason,
            Reason::AuthenticationFailed | Reason::EndpointUnusable | Reason::ExpressionFailed
        );
        if final_ { Self::Fault(fault) } else { Self::Pending(Pending::fault(fault)) }
    }
}

/// Not yet: what is seen instead, and what to say when time runs out now.
#[derive(Debug)]
pub struct Pending {
    /// What is seen, for a person who watches.
    pub seen: String,
    /// The fault that this is at the deadline.
    pub fault: StepFault,
    /// When the service wants to be asked again.
    pub retry_after: Option<Duration>,
}

impl Pending {
    /// A fault that is not final yet; what is seen is its message.
    pub fn fault(fault: StepFault) -> Self {
        Self { seen: fault.message.clone(), fault, retry_after: None }
    }
}

/// How long, and how patiently.
pub struct Wait<'a> {
    /// What past waits of this kind took.
    pub rhythm: &'a Rhythm,
    /// Names this very wait.
    pub key: &'a str,
    /// Names its kind, for the first of its name.
    pub general: &'a str,
    /// Looks in this regular interval instead: for what must hold the whole time.
    pub every: Option<Duration>,
    /// The step's end.
    pub deadline: Instant,
    /// The test's end.
    pub test_deadline: Instant,
    /// Ends the wait.
    pub cancel: &'a CancellationToken,
    /// Hears what is seen whenever that differs from before.
    pub on_change: &'a (dyn Fn(&str) + Send + Sync),
}

/// Looks until `observe` says that it is done or never will be, the deadline passes, or the wait is cancelled.
///
/// Looks at least once. A look that is under way is never cut off: it may be a request with consequences. The
/// deadline is checked before pausing, and the pause ends with it, so that the last look is at the deadline.
pub async fn poll<'a, T>(
    wait: &Wait<'_>,
    mut observe: impl FnMut() -> BoxFuture<'a, Observation<T>> + Send,
) -> (Result<T, StepFault>, u32) {
    let started = Instant::now();
    let expectation = wait.rhythm.expectation(wait.key, wait.general);
    let deadline = wait.deadline.min(wait.test_deadline);
    let mut seen = String::new();
    let mut polls = 0_u32;
    loop {
        if wait.cancel.is_cancelled() {
            return (Err(StepFault::cancelled()), polls);
        }
        polls += 1;
        let pending = match observe().await {
            Observation::Done(value) => {
                if wait.every.is_none() {
                    let took = started.elapsed();
                    wait.rhythm.note(wait.key, took);
                    wait.rhythm.note(wait.general, took);
                }
                return (Ok(value), polls);
            }
            Observation::Fault(fault) => return (Err(fault), polls),
            Observation::Pending(pending) => pending,
        };
        if pending.seen != seen {
            (wait.on_change)(&pending.seen);
            seen.clone_from(&pending.seen);
        }
        let now = Instant::now();
        if now >= deadline {
            let fault = pending.fault;
            let fault = if wait.test_deadline < wait.deadline { fault.at_test_deadline() } else { fault };
            return (Err(fault), polls);
        }
        let pause = wait.every.unwrap_or_else(|| pause(now - started, expectation, rand::random()));
        let until = (now + pending.retry_after.unwrap_or(Duration::ZERO).max(pause)).min(deadline);
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = wait.cancel.cancelled() => return (Err(StepFault::cancelled()), polls),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::FutureExt;

    use super::*;
    use crate::outcome::Outcome;

    struct Fixture {
        rhythm: Rhythm,
        cancel: CancellationToken,
    }

    impl Fixture {
        fn new() -> Self {
            Self { rhythm: Rhythm::default(), cancel: CancellationToken::new() }
        }

        fn wait(&self, seconds: u64, test_seconds: u64) -> Wait<'_> {
            let now = Instant::now();
            Wait {
                rhythm: &self.rhythm,
                key: "k",
                general: "g",
                every: None,
                deadline: now + Duration::from_secs(seconds),
                test_deadline: now + Duration::from_secs(test_seconds),
                cancel: &self.cancel,
                on_change: &|_| {},
            }
        }
    }

    fn not_yet() -> Observation<()> {
        Observation::Pending(Pending::fault(StepFault::failed(Reason::RecordMissing, "no record")))
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_it_is_done_and_remembers_how_long_it_took() {
        let fixture = Fixture::new();
        let started = Instant::now();
        let (end, polls) = poll(&fixture.wait(60, 60), || {
            let done = started.elapsed() >= Duration::from_secs(5);
            async move { if done { Observation::Done(()) } else { not_yet() } }.boxed()
        })
        .await;
        assert_eq!(end, Ok(()));
        assert!(polls > 3);
        assert!(fixture.rhythm.expectation("k", "").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_look_is_at_the_deadline() {
        let fixture = Fixture::new();
        let started = Instant::now();
        let mut last = Duration::ZERO;
        let (end, _) = poll(&fixture.wait(10, 60), || {
            last = started.elapsed();
            async { not_yet() }.boxed()
        })
        .await;
        assert_eq!(end.unwrap_err().reason, Reason::RecordMissing);
        assert_eq!(last, Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn the_tests_deadline_makes_it_a_time_out() {
        let fixture = Fixture::new();
        let (end, _) = poll(&fixture.wait(60, 10), || async { not_yet() }.boxed()).await;
        let fault = end.unwrap_err();
        assert_eq!((fault.outcome, fault.reason), (Outcome::TimedOut, Reason::TestTimedOut));
        assert!(fault.check_was_open);
    }

    #[tokio::test(start_paused = true)]
    async fn cancelling_ends_it_at_once_but_never_during_a_look() {
        let fixture = Fixture::new();
        let cancel = fixture.cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            cancel.cancel();
        });
        let whole_looks = AtomicU32::new(0);
        let (end, polls) = poll(&fixture.wait(60, 60), || {
            async {
                tokio::time::sleep(Duration::from_secs(2)).await;
                whole_looks.fetch_add(1, Ordering::Relaxed);
                not_yet()
            }
            .boxed()
        })
        .await;
        assert_eq!(end.unwrap_err().outcome, Outcome::Cancelled);
        assert_eq!(polls, whole_looks.into_inner());
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_wants_to_be_left_alone_is() {
        let fixture = Fixture::new();
        let started = Instant::now();
        let mut looks = Vec::new();
        let _ = poll(&fixture.wait(60, 60), || {
            looks.push(started.elapsed().as_secs());
            async {
                Observation::<()>::Pending(Pending {
                    retry_after: Some(Duration::from_secs(20)),
                    ..Pending::fault(StepFault::errored(Reason::ServiceError, "busy"))
                })
            }
            .boxed()
        })
        .await;
        assert_eq!(looks, [0, 20, 40, 60]);
    }
}
