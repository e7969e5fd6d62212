//! Proof that the tests can fail: every fault of the cloud, every scenario, and what becomes of the two together.
//!
//! A cell plays one scenario in a cloud of its own that is broken in one way, until the test cleans up. Where the fault
//! applies (the rule in [`healthy`], which knows nothing of the outcome), the test must not pass, for a reason that
//! names the fault, and nothing may be left behind. What is left by a fault that leaves things is told as leaked.

mod healthy;
mod page;
mod table;

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tempest_operator::runner::event::EventKind;
use tempest_operator::scenario::{Limits, Scenario, Thresholds};
use tempest_operator::simcloud::SimOptions;

use super::pace::{all_at_once, on_a_paused_clock, paused_clock};
use super::player::{Player, cloud_with, suite};
use healthy::{Healthy, looks};
use table::{EXCEPTIONS, Look, Moment, Row};

/// Each scenario must be turned red by so many faults at the least.
const FAULTS_A_SCENARIO: usize = 2;
/// Of which so many are in the sample.
const SAMPLED: usize = 1;

/// One cell that is to be played.
#[derive(Clone)]
struct Cell {
    scenario: Arc<Scenario>,
    row: Row,
}

impl Cell {
    /// What is wrong with how the fault was told.
    async fn play(&self, seed: u64) -> Result<(), String> {
        let options = SimOptions { seed, recorded_requests: 0, ..SimOptions::default() };
        let cloud = cloud_with(options).await;
        let mut player = Player::with_what_it_needs(&cloud, &self.scenario).patient(10);
        player.clock = paused_clock();
        let limits = self.row.allowed_ms.map(|most| Limits { max_ms: Some(most), ..Limits::default() });
        player.spec.execution.thresholds = Some(Thresholds { published: limits, withdrawn: limits });
        let (faults, row, scenario) = (cloud.faults().clone(), self.row.clone(), Arc::clone(&self.scenario));
        let mut is_broken = false;
        let mut break_it = move |now: Moment| {
            if !is_broken && now == row.from {
                is_broken = true;
                faults.inject_in(row.fault.clone(), row.scope.clone());
            }
        };
        break_it(Moment::Before);
        let faults = cloud.faults().clone();
        player.on_event = Box::new(move |event| match &event.kind {
            EventKind::StepStarted { step, .. } => {
                break_it(Moment::Start);
                if looks(&scenario, step, Look::Dns) {
                    break_it(Moment::FirstLook);
                }
            }
            EventKind::TestCleaningUp { .. } => faults.clear_all(),
            _ => {}
        });
        let played = player.play().await;
        let [test] = played.report.tests.as_slice() else {
            return Err(format!("the run ended otherwise: {:#?}", played.report));
        };
        let leaks = self.row.leaks && !test.leaked.is_empty();
        if !test.outcome.went_wrong() && !leaks {
            return Err(format!("is {}: no assertion sees it", test.outcome));
        }
        let told = test.reason.map_or(leaks, |reason| self.row.reasons.contains(&reason));
        let step = test.failed_step.as_ref().map(|failed| failed.step.as_str()).unwrap_or_default();
        let (reason, message) = (test.reason, test.message.as_deref().unwrap_or_default());
        if !told {
            return Err(format!("is told as {reason:?} at step '{step}': {message}"));
        }
        // Neutron's reverse zones are its own; what a fault leaves there nobody of ours may remove.
        let mut left = cloud.snapshot();
        left.recordsets.retain(|set| !set.name.ends_with(".arpa. PTR"));
        if left.is_clean() { Ok(()) } else { Err(format!("leaves behind {left:#?}")) }
    }
}

/// All scenarios, all faults, and which of them apply to which.
struct Matrix {
    scenarios: Vec<Arc<Scenario>>,
    rows: Vec<Row>,
    cells: Vec<Cell>,
    /// Scenarios that do not even pass on a whole cloud.
    sick: Vec<String>,
}

impl Matrix {
    fn new(seed: u64) -> Self {
        let scenarios: Vec<_> = suite().iter().cloned().collect();
        let rows = table::faults();
        let healthy = all_at_once(&scenarios, |scenario| on_a_paused_clock(Healthy::play(scenario, seed)));
        let (mut cells, mut sick) = (Vec::new(), Vec::new());
        for (scenario, healthy) in scenarios.iter().zip(healthy) {
            let healthy = match healthy {
                Ok(healthy) => healthy,
                Err(why) => {
                    sick.push(format!("{} on a whole cloud {why}", scenario.name));
                    continue;
                }
            };
            let applicable = rows.iter().filter(|row| healthy.applies(row, scenario));
            let cells_of_one = applicable.filter(|row| exception(row.name, &scenario.name).is_none());
            cells.extend(cells_of_one.map(|row| Cell { scenario: Arc::clone(scenario), row: row.clone() }));
        }
        Self { scenarios, rows, cells, sick }
    }

    fn of_scenario(&self, name: &str) -> usize {
        self.cells.iter().filter(|cell| cell.scenario.name == name).count()
    }

    fn of_fault(&self, name: &str) -> usize {
        self.cells.iter().filter(|cell| cell.row.name == name).count()
    }

    /// Scenarios that hardly any fault could turn red.
    fn too_few(&self) -> Vec<String> {
        let few =
            self.scenarios.iter().filter(|scenario| self.of_scenario(&scenario.name) < FAULTS_A_SCENARIO);
        few.map(|scenario| format!("{} has fewer than {FAULTS_A_SCENARIO} faults", scenario.name)).collect()
    }

    /// Faults that no scenario could see.
    fn unseen(&self) -> Vec<String> {
        let unseen = self.rows.iter().filter(|row| self.of_fault(row.name) == 0);
        unseen.map(|row| format!("{} applies to no scenario", row.name)).collect()
    }

    /// So many cells that every fault and every scenario has its share, drawn by the seed.
    fn sample(&self, seed: u64) -> Vec<Cell> {
        let mut drawn = self.cells.clone();
        drawn.shuffle(&mut StdRng::seed_from_u64(seed));
        let mut sample: Vec<Cell> = Vec::new();
        for cell in drawn {
            let of_scenario = sample.iter().filter(|other| other.scenario.name == cell.scenario.name).count();
            let is_new = sample.iter().all(|other| other.row.name != cell.row.name);
            if is_new || of_scenario < SAMPLED {
                sample.push(cell);
            }
        }
        sample
    }
}

fn exception(fault: &str, scenario: &str) -> Option<&'static str> {
    let named =
        |(of_fault, of_scenario, _): &&(&str, &str, &str)| *of_fault == fault && *of_scenario == scenario;
    EXCEPTIONS.iter().find(named).map(|(_, _, why)| *why)
}

/// Plays cells; what is wrong with which.
fn play(cells: &[Cell], seed: u64) -> Vec<String> {
    let ends = all_at_once(cells, |cell| on_a_paused_clock(cell.play(seed)));
    let bad = |(cell, end): (&Cell, Result<(), String>)| {
        Some(format!("{} in {} {}", cell.row.name, cell.scenario.name, end.err()?))
    };
    cells.iter().zip(ends).filter_map(bad).collect()
}

fn seed() -> u64 {
    std::env::var("MATRIX_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

#[track_caller]
fn none(bad: &[String], of: usize) {
    assert!(bad.is_empty(), "MATRIX_SEED={}: {} of {of}:\n{}", seed(), bad.len(), bad.join("\n"));
}

#[test]
fn every_scenario_can_fail_and_a_sample_of_the_faults_is_told() {
    let matrix = Matrix::new(seed());
    let sample = matrix.sample(seed());
    none(&[matrix.sick.clone(), matrix.too_few(), play(&sample, seed())].concat(), sample.len());
}

#[test]
#[ignore = "all cells take minutes: tests/run matrix"]
fn every_fault_is_told_wherever_it_applies() {
    let matrix = Matrix::new(seed());
    let bad = [matrix.sick.clone(), matrix.too_few(), matrix.unseen(), play(&matrix.cells, seed())].concat();
    none(&bad, matrix.cells.len());
    page::keep(&matrix);
}
