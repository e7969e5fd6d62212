//! Folds events into a report, a status, `JUnit` XML and text.

pub mod bounded;
pub mod evidence;
pub mod json;
pub mod junit;
pub mod lines;
pub mod live;
pub mod progress;
#[cfg(test)]
pub(crate) mod samples;
pub mod status;
pub mod table;
pub mod text;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::outcome::{Leak, RunFault, Summary, TestResult, Verdict, VerdictPolicy};
use crate::plan::{CloudFacts, RunIdentity};
use crate::runner::event::{Event, EventKind};

/// Everything a run has told so far; complete once `verdict` is there.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunReport {
    /// The run.
    pub run: Option<RunIdentity>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// What it says of the cloud.
    pub verdict: Option<Verdict>,
    /// How many tests ended how.
    pub summary: Summary,
    /// What was found of the cloud.
    pub facts: Option<CloudFacts>,
    /// All planned tests by name.
    pub planned: Vec<String>,
    /// Those that ended, in the order they ended.
    pub tests: Vec<TestResult>,
    /// What is being played: test, step, what it sees.
    pub current: Vec<CurrentStep>,
    /// Since when no new test begins; [`None`] while tests begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended_since: Option<Timestamp>,
    /// How long it was suspended before that, in milliseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub suspended_ms: u64,
    /// Whether the last audit is under way.
    pub cleaning_up: bool,
    /// What went wrong outside any test.
    pub fault: Option<RunFault>,
    /// What the final audit found.
    pub leaked: Vec<Leak>,
    /// Whether something was cut to make it fit where it is kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's own signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What one test is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CurrentStep {
    /// The test's name.
    pub test: String,
    /// The step's name; empty before the first.
    pub step: String,
    /// What it sees.
    pub seen: String,
    /// When the test began.
    pub test_started: Option<Timestamp>,
}

impl RunReport {
    /// From its begin to its end; [`None`] before that, zero where the clock was set back meanwhile.
    pub fn duration(&self) -> Option<Duration> {
        let (started, finished) = self.started.zip(self.finished)?;
        Some(finished.duration_since(started).try_into().unwrap_or_default())
    }

    /// Folds one event in: the only way this value changes.
    pub fn apply(&mut self, event: &Event, policy: &VerdictPolicy) {
        match &event.kind {
            EventKind::RunStarted { run } => {
                self.run = Some(run.clone());
                self.started = Some(event.at);
            }
            EventKind::Discovered { facts } => self.facts = Some(facts.as_ref().clone()),
            EventKind::Planned { tests } => self.planned.clone_from(tests),
            EventKind::TestStarted { test } => {
                self.current.retain(|current| &current.test != test);
                self.current.push(CurrentStep {
                    test: test.clone(),
                    test_started: Some(event.at),
                    ..CurrentStep::default()
                });
            }
            EventKind::StepStarted { test, step } => {
                if let Some(current) = self.current.iter_mut().find(|current| &current.test == test) {
                    current.step.clone_from(step);
                    current.seen.clear();
                }
            }
            EventKind::StepWaiting { test, seen, .. } => {
                if let Some(current) = self.current.iter_mut().find(|current| &current.test == test) {
                    current.seen.clone_from(seen);
                }
            }
            EventKind::StepFinished { .. } => {}
            EventKind::TestCleaningUp { test } => {
                if let Some(current) = self.current.iter_mut().find(|current| &current.test == test) {
                    "clean-up".clone_into(&mut current.step);
                    current.seen.clear();
                }
            }
            EventKind::TestFinished { result } | EventKind::TestCarriedOver { result } => {
                self.current.retain(|current| current.test != result.name);
                self.tests.retain(|test| test.name != result.name);
                self.tests.push(result.as_ref().clone());
            }
            EventKind::TestWaiting { test, message } => self.current.push(CurrentStep {
                test: test.clone(),
                step: message.clone(),
                ..CurrentStep::default()
            }),
            EventKind::TestRetrying { test, tries, .. } => {
                if let Some(current) = self.current.iter_mut().find(|current| &current.test == test) {
                    current.step = format!("try {tries}");
                    current.seen.clear();
                }
            }
            EventKind::Suspended { since, before_ms } => {
                (self.suspended_since, self.suspended_ms) = (*since, *before_ms);
            }
            EventKind::CleaningUp => self.cleaning_up = true,
            EventKind::RunFinished { end } => {
                self.cleaning_up = false;
                self.suspended_since = None;
                self.finished = Some(event.at);
                self.fault.clone_from(&end.fault);
                self.leaked.clone_from(&end.leaked);
                self.verdict =
                    Some(crate::outcome::verdict(&self.tests, self.fault.as_ref(), &self.leaked, policy));
            }
        }
        self.summary = Summary::of(self.planned.len(), &self.tests, policy);
        let of_the_run = self.leaked.iter().filter(|leak| !leak.removed).count();
        self.summary.leaked += u32::try_from(of_the_run).unwrap_or(u32::MAX);
    }
}
