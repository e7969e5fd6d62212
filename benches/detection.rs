//! How late a change is seen, and how often the cloud is asked for it: real time, through the one poller.
//!
//! `cargo bench --bench detection` prints a row for waits of a kind that is not known yet and a row for waits whose
//! rhythm is known. Goal for the second: p95 at most 150 ms late with at most 12 polls for a wait of 10 s.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin ends here")]

use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use rand::Rng;
use tempest_operator::outcome::Reason;
use tempest_operator::runner::{Observation, Pending, Rhythm, StepFault, Wait, poll};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Waits in one row.
const WAITS: usize = 200;

struct Sample {
    late: Duration,
    polls: u32,
}

async fn wait_for(rhythm: &Rhythm, ends_after: Duration) -> Sample {
    let started = Instant::now();
    let end = started + ends_after;
    let cancel = CancellationToken::new();
    let wait = Wait {
        rhythm,
        key: "own",
        general: "kind",
        every: None,
        deadline: started + Duration::from_mins(1),
        test_deadline: started + Duration::from_mins(1),
        cancel: &cancel,
        on_change: &|_| {},
    };
    let (seen, polls) = poll(&wait, || {
        async move {
            let now = Instant::now();
            if now >= end {
                return Observation::Done(now);
            }
            Observation::Pending(Pending::fault(StepFault::failed(Reason::RecordMissing, "not yet")))
        }
        .boxed()
    })
    .await;
    Sample { late: seen.map_or(Duration::MAX, |seen| seen - end), polls }
}

async fn row(name: &str, rhythm: impl Fn() -> Rhythm) {
    let waits: Vec<_> = (0..WAITS).map(|_| (rhythm(), around_ten_seconds())).collect();
    let mut samples = join_all(waits.iter().map(|(rhythm, end)| wait_for(rhythm, *end))).await;
    samples.sort_by_key(|sample| sample.late);
    let late = |percent: usize| samples[(samples.len() - 1) * percent / 100].late.as_millis();
    let polls = samples.iter().map(|sample| sample.polls).max().unwrap_or_default();
    println!(
        "{name:<28} {WAITS:>5} waits   late p50 {:>5} ms   p95 {:>5} ms   max {:>5} ms   polls at most {polls}",
        late(50),
        late(95),
        late(100)
    );
}

/// What a cloud with a rhythm does: ten seconds, give or take three percent.
fn around_ten_seconds() -> Duration {
    Duration::from_millis(rand::rng().random_range(9_700..=10_300))
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        println!("a change after 10 s ± 3 %:");
        row("first of its kind", Rhythm::default).await;
        let known = Rhythm::default();
        for _ in 0..20 {
            known.note("own", around_ten_seconds());
        }
        row("rhythm known from 20 waits", || known.clone()).await;
    });
}
