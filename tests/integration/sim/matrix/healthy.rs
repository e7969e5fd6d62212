//! What a scenario makes the whole cloud do, and when: where a fault could show in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tempest_operator::outcome::Outcome;
use tempest_operator::runner::event::EventKind;
use tempest_operator::scenario::Scenario;
use tempest_operator::scenario::document::Action;
use tempest_operator::simcloud::{Service, SimCloud, SimOptions};

use super::table::{Deed, Look, Moment, Row};
use crate::sim::pace::paused_clock;
use crate::sim::player::{Player, cloud_with};

/// What the cloud had done so far when a step began or ended.
struct Mark {
    step: String,
    begins: bool,
    reached: BTreeMap<&'static str, u64>,
    questions: u64,
    calls: BTreeMap<Service, u64>,
}

impl Mark {
    fn of(cloud: &SimCloud, step: &str, begins: bool) -> Self {
        let requests = cloud.requests();
        let mut calls = BTreeMap::new();
        for ((service, _), count) in requests.counts {
            *calls.entry(service).or_default() += count;
        }
        let questions = requests.dns_questions.iter().sum();
        Self { step: step.to_owned(), begins, reached: cloud.faults().reached(), questions, calls }
    }

    fn count(&self, deed: Deed) -> u64 {
        match deed {
            Deed::Reaches(fault) | Deed::ReachesAndReads(fault, _) => {
                self.reached.get(fault).copied().unwrap_or_default()
            }
            Deed::AsksNameServers => self.questions,
            // Measured is the whole test.
            Deed::Measures => u64::from(!self.begins),
            Deed::Calls(service) => self.calls.get(&service).copied().unwrap_or_default(),
        }
    }
}

/// A scenario played on the whole cloud.
pub struct Healthy {
    marks: Vec<Mark>,
    measures: bool,
}

impl Healthy {
    /// Plays it; an error says why it does not even pass there.
    pub async fn play(scenario: &Scenario, seed: u64) -> Result<Self, String> {
        let cloud =
            Arc::new(cloud_with(SimOptions { seed, recorded_requests: 0, ..SimOptions::default() }).await);
        let mut player = Player::with_what_it_needs(&cloud, scenario);
        player.clock = paused_clock();
        let marks = Arc::new(Mutex::new(Vec::new()));
        let (watched, seen) = (Arc::clone(&cloud), Arc::clone(&marks));
        player.on_event = Box::new(move |event| match &event.kind {
            EventKind::StepStarted { step, .. } => {
                seen.lock().unwrap().push(Mark::of(&watched, step, true));
            }
            EventKind::StepFinished { step, .. } => {
                seen.lock().unwrap().push(Mark::of(&watched, step, false));
            }
            _ => {}
        });
        let played = player.play().await;
        let [test] = played.report.tests.as_slice() else { return Err(format!("{:?}", played.report.fault)) };
        if test.outcome != Outcome::Passed {
            return Err(format!("is {}: {:?}", test.outcome, test.message));
        }
        let marks = std::mem::take(&mut *marks.lock().unwrap());
        Ok(Self { marks, measures: !test.propagation.is_empty() })
    }

    /// The rule: a fault applies when the scenario, while the cloud would be broken, makes it do what the fault breaks,
    /// and looks afterwards.
    pub fn applies(&self, row: &Row, scenario: &Scenario) -> bool {
        let begins = |mark: &&Mark| {
            mark.begins && (row.from != Moment::FirstLook || looks(scenario, &mark.step, Look::Dns))
        };
        let ends = |mark: &&Mark| !mark.begins && looks(scenario, &mark.step, row.look);
        let (begin, end) = (self.marks.iter().find(begins), self.marks.iter().rfind(ends));
        let (Some(begin), Some(end)) = (begin, end) else { return false };
        let sees = match row.deed {
            Deed::ReachesAndReads(_, field) => format!("{:?}", scenario.steps).contains(field),
            Deed::Measures => self.measures,
            _ => true,
        };
        sees && end.count(row.deed) > begin.count(row.deed)
    }
}

/// Whether a step, which may be one of several for the items of a list or for repetitions, sees faults of this kind.
pub fn looks(scenario: &Scenario, step: &str, look: Look) -> bool {
    let name = step.split(['[', ' ']).next().unwrap_or_default();
    let step = scenario.steps.iter().find(|step| step.name == name);
    step.is_some_and(|step| {
        matches!(
            (look, &step.action),
            (Look::Step, _)
                | (_, Action::Records(_))
                | (Look::Any, Action::Expect(_) | Action::Request(_) | Action::Guest(_))
        )
    })
}
