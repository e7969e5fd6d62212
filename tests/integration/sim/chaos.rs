//! A cloud that breaks in many ways at drawn moments: whatever happens, the run ends with each test told once, passes only
//! what is right, asks no more than it may, and what it made is gone once the cloud is well again.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rstest::rstest;
use tempest_operator::outcome::{Outcome, Verdict};
use tempest_operator::runner::event::EventKind;
use tempest_operator::runner::ledger::Ledger;
use tempest_operator::runner::{Control, undo};
use tempest_operator::simcloud::{Fault, Faults, Scope, Service};

use super::player::{ALL, Played, Player, clean, cloud};

const SERVICES: [Service; 5] =
    [Service::Compute, Service::Network, Service::Dns, Service::Image, Service::Orchestration];
/// How many faults come and go.
const TROUBLES: usize = 12;
/// More requests for four tests are a busy loop.
const BUSY: u64 = 6000;

/// A fault of the way to a service, and what it hits.
fn draw(chance: &mut StdRng) -> (Fault, Scope) {
    let fault = match chance.random_range(0..15) {
        status @ 0..6 => Fault::Answer([500, 502, 503, 504, 429, 413][status]),
        6 => Fault::Reset,
        7 => Fault::AnswerLost,
        8 => Fault::TokenLifetime(Duration::from_millis(300)),
        9 => Fault::Hang,
        10 => Fault::HtmlPage(200),
        11 => Fault::Redirect("http://169.254.169.254/".to_owned()),
        12 => Fault::HalfBody,
        13 => Fault::HugeBody,
        _ => Fault::SlowPropagation(Duration::from_millis(200)),
    };
    let method = [None, Some(Method::GET), Some(Method::POST), Some(Method::DELETE)];
    let scope = Scope {
        service: SERVICES.choose(chance).copied(),
        method: method.choose(chance).cloned().flatten(),
        percent: Some(chance.random_range(20..=100)),
        ..Scope::default()
    };
    (fault, scope)
}

/// Lets faults come and go while the run is played.
async fn trouble(faults: Faults, seed: u64) {
    let mut chance = StdRng::seed_from_u64(seed);
    for _ in 0..TROUBLES {
        let (fault, scope) = draw(&mut chance);
        let id = faults.inject_in(fault, scope);
        tokio::time::sleep(Duration::from_millis(chance.random_range(20..250))).await;
        faults.clear(id);
    }
    faults.clear_all();
}

fn once_each(played: &Played) {
    let told = |wanted: fn(&EventKind) -> Option<&str>| -> Vec<&str> {
        played.events.iter().filter_map(|event| wanted(&event.kind)).collect()
    };
    let planned: BTreeSet<&str> = played
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Planned { tests } => Some(tests),
            _ => None,
        })
        .flatten()
        .map(String::as_str)
        .collect();
    let finished = told(|kind| match kind {
        EventKind::TestFinished { result } => Some(result.name.as_str()),
        _ => None,
    });
    assert_eq!(finished.iter().copied().collect::<BTreeSet<_>>(), planned, "nothing is lost");
    assert_eq!(finished.len(), planned.len(), "nothing is told twice: {finished:?}");
    let ends = played.events.iter().filter(|event| matches!(event.kind, EventKind::RunFinished { .. }));
    assert_eq!(ends.count(), 1);
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(3)]
#[case(4)]
#[case::drawn(std::env::var("CHAOS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random))]
#[tokio::test]
async fn a_cloud_in_trouble_is_never_passed_by_mistake_and_nothing_of_it_stays(#[case] seed: u64) {
    println!("CHAOS_SEED={seed}");
    let cloud = cloud().await;
    let player = Player::of(&cloud, &ALL).patient(5);
    let inputs = player.inputs();
    let (played, ()) = tokio::join!(player.play(), trouble(cloud.faults().clone(), seed));
    once_each(&played);
    let report = &played.report;
    // These faults are of the way to the cloud, which keeps its word: none of them may look like a broken promise.
    for test in &report.tests {
        let truthful = match test.outcome {
            Outcome::Passed => test.failed_step.is_none(),
            Outcome::Skipped => test.message.is_some(),
            _ => test.reason.is_some() && test.message.is_some(),
        };
        assert!(truthful, "{test:#?}");
    }
    assert_ne!(report.verdict, Some(Verdict::Cancelled), "{report:#?}");
    let asked: u64 = cloud.requests().counts.values().sum();
    assert!(asked < BUSY, "{asked} requests");
    // What could not be undone in time is written down, and goes once the cloud is well.
    if let Some(document) = played.kept.document() {
        let ledger = Ledger::resume(document, Box::new(played.kept.clone()));
        assert_eq!(undo(&inputs, &ledger, &Control::default()).await.unwrap(), Vec::new());
    }
    clean(&cloud);
}
