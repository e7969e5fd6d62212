//! No false alarms: a cloud that keeps its word, at whatever pace a real one may have, is never accused.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use tempest_operator::outcome::{Outcome, Verdict};
use tempest_operator::simcloud::{Latency, SimOptions, Stages};

use super::pace::{all_at_once, on_a_paused_clock, paused_clock};
use super::player::{Player, cloud_with, suite};

/// Runs without a wish.
const RUNS: u64 = 1;

/// Everything that a seed decides.
#[derive(Debug)]
struct Drawn {
    stages: Stages,
    scenarios: Vec<String>,
    max_parallel: usize,
}

impl Drawn {
    /// The pace of a cloud between a fast small one and a slow large one; half of the runs play the whole suite.
    fn by(random: &mut StdRng) -> Self {
        let mut between = |from: u64, to: u64| Duration::from_millis(random.random_range(from..=to));
        let stages = Stages {
            server_build: between(500, 40_000),
            server_delete: between(200, 15_000),
            serial_batch: between(0, 6_000),
            poll_delay: between(200, 8_000),
            transfer: between(10, 4_000),
            stack_step: between(20, 2_000),
            api: between(1, 400),
            jitter_percent: random.random_range(0..=150),
        };
        let mut scenarios: Vec<_> = suite().iter().map(|scenario| scenario.name.clone()).collect();
        if random.random_bool(0.5) {
            let count = random.random_range(1..=scenarios.len());
            scenarios = scenarios.choose_multiple(random, count).cloned().collect();
        }
        scenarios.shuffle(random);
        Self { stages, scenarios, max_parallel: random.random_range(1..=16) }
    }
}

/// Plays what a seed says; what is wrong with that.
async fn quiet(seed: u64) -> Result<(), String> {
    let Drawn { stages, scenarios, max_parallel } = Drawn::by(&mut StdRng::seed_from_u64(seed));
    let told = format!("{} scenarios, {max_parallel} at once, {stages:?}", scenarios.len());
    let latency = Latency::Stages(stages);
    let cloud = cloud_with(SimOptions { latency, seed, recorded_requests: 0, ..SimOptions::default() }).await;
    let names: Vec<&str> = scenarios.iter().map(String::as_str).collect();
    let mut player = Player::with_everything(&cloud, &names);
    player.clock = paused_clock();
    player.spec.execution.timeout_seconds = Some(86_400);
    player.arrange = Box::new(move |plan| {
        plan.settings.max_parallel = max_parallel;
        plan.tests.sort_by_key(|test| scenarios.iter().position(|name| *name == test.name));
    });
    let played = player.play().await;
    let alarms: Vec<_> = played
        .report
        .tests
        .iter()
        .filter(|test| test.outcome != Outcome::Passed || !test.leaked.is_empty())
        .map(|test| {
            let steps: Vec<_> = test.steps.iter().map(|step| (&step.step, step.duration_ms)).collect();
            format!("{} is {}: {:?} {:?} {steps:?}", test.name, test.outcome, test.message, test.leaked)
        })
        .collect();
    let left = cloud.snapshot();
    if alarms.is_empty() && played.report.verdict == Some(Verdict::Passed) && left.is_clean() {
        return Ok(());
    }
    Err(format!(
        "ALARMS_SEED={seed} ({told}): {:?} {:?}\n  {}\n  left: {left:?}",
        played.report.verdict,
        played.report.fault,
        alarms.join("\n  ")
    ))
}

#[test]
fn a_cloud_that_keeps_its_word_at_any_pace_is_never_accused() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let runs = number("ALARMS_RUNS").unwrap_or(RUNS);
    let first = number("ALARMS_SEED").unwrap_or_else(|| rand::random::<u32>().into());
    println!("ALARMS_SEED={first} ALARMS_RUNS={runs}");
    let seeds: Vec<u64> = (first..first + runs).collect();
    let alarms: Vec<_> = all_at_once(&seeds, |seed| on_a_paused_clock(quiet(*seed)))
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert!(alarms.is_empty(), "{} of {runs} runs:\n{}", alarms.len(), alarms.join("\n"));
}
