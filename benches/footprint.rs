//! What two hundred tests at once cost: the simulated cloud and the runner in one process.
//!
//! `cargo bench --bench footprint` prints the wall time and the peak resident memory. Goal: under 120 MiB.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin ends here")]

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tempest_operator::openstack::{
    CaSource, CloudConfig, CloudsFile, EndpointPolicy, SessionOptions, install_crypto_provider,
};
use tempest_operator::outcome::{Outcome, Role};
use tempest_operator::plan::{CloudRequest, Decision, PlannedTest, RunIdentity, RunPlan, Settings};
use tempest_operator::runner::event::{EventKind, EventSink};
use tempest_operator::runner::ledger::{Forgetful, Ledger};
use tempest_operator::runner::{Clock, Control, Locks, Rhythm, RunInputs, verify};
use tempest_operator::scenario::Catalogue;
use tempest_operator::simcloud::{Guests, Latency, SimCloud, SimOptions, shell};
use tokio::time::Instant;
use uuid::Uuid;

const TESTS: usize = 200;

fn main() {
    install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        row("at once", Latency::Zero).await;
        row("at a small cloud's pace", Latency::Realistic { seed: 1 }).await;
    });
}

async fn row(name: &str, latency: Latency) {
    let guests = Guests::Booted(Arc::new(shell));
    let options = SimOptions { latency, guests, recorded_requests: 0, ..SimOptions::default() };
    let cloud = SimCloud::start(options).await.expect("a simulated cloud");
    let started = Instant::now();
    let passed = play(&cloud).await;
    let wall = started.elapsed().as_secs_f64();
    let clean = if cloud.snapshot().is_clean() { "nothing left" } else { "SOMETHING LEFT" };
    println!(
        "{name:<24} {TESTS} tests   {passed} passed   {clean}   wall {wall:>6.1} s   peak {:>4} MiB",
        peak()
    );
    cloud.shutdown().await;
}

async fn play(cloud: &SimCloud) -> usize {
    let entries = CloudsFile::parse(&cloud.clouds_yaml(), None).expect("a clouds.yaml");
    let primary: CloudConfig = entries.cloud("demo", CaSource::Inline(None)).expect("an entry");
    let run = RunIdentity::new("bench", Uuid::new_v4(), 1, Timestamp::now());
    let inputs = RunInputs {
        run: run.clone(),
        clouds: BTreeMap::from([(Role::Primary, primary)]),
        request: CloudRequest {
            entries: BTreeMap::from([(Role::Primary, "demo".to_owned())]),
            zone_suffix: cloud.zone_suffix().to_owned(),
            published_network: Some("published".to_owned()),
            nameservers: cloud.name_servers().iter().map(ToString::to_string).collect(),
            ..CloudRequest::default()
        },
        options: SessionOptions { policy: EndpointPolicy::allowing_loopback(), ..SessionOptions::default() },
        rhythm: Rhythm::default(),
        admission: None,
        carried_over: Vec::new(),
        interrupted: Vec::new(),
        locks: Locks::default(),
        sweep: None,
    };
    let suffix = cloud.zone_suffix().to_owned();
    let ledger = Arc::new(Ledger::new(run.clone(), Box::new(Forgetful)));
    let planner = Box::new(move |facts| Ok(plan(run, suffix, facts)));
    let (sink, mut events) = EventSink::channel();
    let playing = tokio::spawn(verify(inputs, planner, ledger, sink, Control::default(), Clock::system()));
    let mut passed = 0;
    while let Some(event) = events.recv().await {
        if let EventKind::TestFinished { result } = event.kind {
            if result.outcome == Outcome::Passed {
                passed += 1;
            } else {
                println!("{}: {} {}", result.name, result.outcome, result.message.unwrap_or_default());
            }
        }
    }
    playing.await.expect("the run's task");
    passed
}

/// The built-in suite again and again, everything at once.
fn plan(run: RunIdentity, zone_suffix: String, facts: tempest_operator::plan::CloudFacts) -> RunPlan {
    let catalogue = Catalogue::built_in().expect("the built-in suite");
    let suite: Vec<_> = catalogue.iter().collect();
    let tests = suite.iter().cycle().take(TESTS).enumerate().map(|(index, scenario)| PlannedTest {
        name: format!("{}-{index}", scenario.name),
        id: None,
        prefix: run.test_prefix(index + 1),
        decision: Decision::Play(Arc::clone(scenario)),
        required: false,
        expectation: None,
        seconds: None,
    });
    let tests = tests.collect();
    let minutes = |minutes| std::time::Duration::from_mins(minutes);
    let settings = Settings {
        max_parallel: TESTS,
        run_timeout: minutes(60),
        test_timeout: minutes(20),
        timeout_scale: 1.0,
        fail_fast: false,
        retries: 0,
        keep_on_failure: minutes(0),
        guest_required: true,
        guest_offered: true,
        ptr_offered: true,
        floating_ip_dns_offered: true,
        thresholds: tempest_operator::scenario::Thresholds::default(),
        verdict: tempest_operator::outcome::VerdictPolicy::default(),
    };
    RunPlan { run, settings, facts, zone_suffix, tests }
}

/// The most memory that this process ever had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
