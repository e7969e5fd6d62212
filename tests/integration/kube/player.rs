//! Plays what the zone suffix of a run says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use tempest_operator::controller::player::Player;
use tempest_operator::outcome::{Evidence, FailedStep, Leak, Outcome, Reason, Role, RunFault, TestResult};
use tempest_operator::runner::event::{EventKind, EventSink, RunEnd};
use tempest_operator::runner::ledger::{Ledger, Undo};
use tempest_operator::runner::{Clock, Control, Planner, RunInputs};

/// Counts what it undid.
#[derive(Default)]
pub struct Script {
    by_play: AtomicUsize,
    later: AtomicUsize,
}

impl Script {
    /// Entries undone by the play that made them.
    pub fn undone_by_play(&self) -> usize {
        self.by_play.load(Ordering::Relaxed)
    }

    /// Entries undone from a ledger that somebody else left.
    pub fn undone_later(&self) -> usize {
        self.later.load(Ordering::Relaxed)
    }
}

fn result(name: &str, outcome: Outcome, message: &str) -> TestResult {
    let mut result = TestResult::not_started(name, None, outcome, Reason::RecordMissing, message.to_owned());
    if outcome == Outcome::Passed {
        (result.reason, result.message) = (None, None);
    } else {
        let evidence = Evidence {
            name_server: Some("ns2.example.".to_owned()),
            expected: Some(message.to_owned()),
            observed: Some(message.to_owned()),
            ..Evidence::default()
        };
        result.failed_step = Some(FailedStep { step: "published".to_owned(), evidence });
    }
    result.started = Some(Timestamp::now());
    result
}

#[async_trait]
impl Player for Script {
    async fn play(
        &self,
        inputs: RunInputs,
        _planner: Planner,
        ledger: Arc<Ledger>,
        events: EventSink,
        control: Control,
        clock: Clock,
    ) -> RunEnd {
        let tell = |kind| events.send(clock.now(), kind);
        tell(EventKind::RunStarted { run: inputs.run.clone() });
        let mut end = RunEnd::default();
        let name = |index: usize| format!("test_{index:02}");
        match inputs.request.zone_suffix.as_str() {
            "pass.example." => {
                tell(EventKind::Planned { tests: vec![name(0), name(1)] });
                for index in 0..2 {
                    tell(EventKind::TestStarted { test: name(index) });
                    for step in 0..250 {
                        tell(EventKind::StepStarted { test: name(index), step: format!("step-{step}") });
                    }
                    tell(EventKind::TestFinished {
                        result: Box::new(result(&name(index), Outcome::Passed, "")),
                    });
                }
            }
            "fail.example." => {
                tell(EventKind::Planned { tests: vec![name(0)] });
                tell(EventKind::TestFinished {
                    result: Box::new(result(&name(0), Outcome::Failed, "no record at ns2.example.")),
                });
            }
            "hostile.example." => {
                tell(EventKind::Planned { tests: (0..76).map(name).collect() });
                let long = "\u{1b}\"<x>ü".repeat(200_000);
                for index in 0..76 {
                    tell(EventKind::TestFinished {
                        result: Box::new(result(&name(index), Outcome::Failed, &long)),
                    });
                }
            }
            _ => {
                tell(EventKind::Planned { tests: vec![name(0)] });
                tell(EventKind::TestStarted { test: name(0) });
                tell(EventKind::StepStarted { test: name(0), step: "holding".to_owned() });
                let undo = Undo::Stack { name: "to-1-1-zone".to_owned(), id: None };
                let entry = ledger.intend("to-1-1", "zone", Role::Primary, undo).await.expect("written down");
                control.cancel.cancelled().await;
                ledger.undone(entry.number).await.expect("struck out");
                self.by_play.fetch_add(1, Ordering::Relaxed);
                tell(EventKind::TestFinished {
                    result: Box::new(result(&name(0), Outcome::Cancelled, "cancelled")),
                });
                end.fault = Some(RunFault {
                    reason: Reason::Cancelled,
                    message: "the run was cancelled".to_owned(),
                    evidence: Evidence::default(),
                });
            }
        }
        ledger.close().await.expect("closed");
        tell(EventKind::RunFinished { end: Box::new(end.clone()) });
        end
    }

    async fn undo(&self, _: RunInputs, ledger: Arc<Ledger>, _: Control) -> Result<Vec<Leak>, RunFault> {
        for entry in ledger.open().await {
            ledger.undone(entry.number).await.expect("struck out");
            self.later.fetch_add(1, Ordering::Relaxed);
        }
        ledger.close().await.expect("closed");
        Ok(Vec::new())
    }
}
