//! Plays what the zone suffix of a run says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tempest_operator::controller::player::Player;
use tempest_operator::outcome::{Evidence, FailedStep, Leak, Outcome, Reason, Role, RunFault, TestResult};
use tempest_operator::runner::event::{EventKind, EventSink, RunEnd};
use tempest_operator::runner::ledger::{Ledger, Undo};
use tempest_operator::runner::{Clock, CloudIdentity, Control, Planner, RunInputs};
use tokio::sync::watch;

/// How long a scene keeps what it made: longer than somebody takes to look.
const KEEPING: Duration = Duration::from_secs(8);

/// Remembers what it played and undid.
#[derive(Default)]
pub struct Script {
    by_play: AtomicUsize,
    later: AtomicUsize,
    played: Mutex<Vec<String>>,
    go: watch::Sender<bool>,
}

/// What a test does.
enum Act {
    Pass {
        steps: usize,
    },
    Fail(String),
    /// Could not be carried out.
    Err,
    /// Passes and leaves something behind.
    Leak,
    /// Fails and keeps what it made for some seconds.
    Keep,
    /// Waits with something made in the cloud, until it may go on or is cancelled.
    Hold,
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

    /// The tests that were begun, in that order.
    pub fn played(&self) -> Vec<String> {
        self.played.lock().unwrap().clone()
    }

    /// Lets those that hold pass.
    pub fn go(&self) {
        self.go.send_replace(true);
    }

    async fn act(&self, act: Act, name: &str, ledger: &Ledger, control: &Control) -> TestResult {
        match act {
            Act::Pass { .. } => result(name, Outcome::Passed, ""),
            Act::Fail(message) => result(name, Outcome::Failed, &message),
            Act::Err => result(name, Outcome::Errored, "the cloud is away"),
            Act::Leak => TestResult { leaked: vec![leak("z-1")], ..result(name, Outcome::Passed, "") },
            Act::Keep => {
                let undo = Undo::Stack { name: "to-1-1-kept".to_owned(), id: None };
                ledger.intend("to-1-1", "kept", Role::Primary, undo).await.expect("written down");
                let kept_until = Some(Timestamp::now() + KEEPING);
                TestResult { kept_until, ..result(name, Outcome::Failed, "look at it") }
            }
            Act::Hold => {
                let undo = Undo::Stack { name: "to-1-1-zone".to_owned(), id: None };
                let entry = ledger.intend("to-1-1", "zone", Role::Primary, undo).await.expect("written down");
                let mut go = self.go.subscribe();
                let cancelled = tokio::select! {
                    () = control.cancel.cancelled() => true,
                    _ = go.wait_for(|go| *go) => false,
                };
                ledger.undone(entry.number).await.expect("struck out");
                self.by_play.fetch_add(1, Ordering::Relaxed);
                if cancelled {
                    result(name, Outcome::Cancelled, "cancelled")
                } else {
                    result(name, Outcome::Passed, "")
                }
            }
        }
    }
}

/// Where of what was kept nothing can be undone, and more was made than anybody knew.
const MESS: &str = "mess.example.";

fn leak(id: &str) -> Leak {
    Leak {
        service: "dns".to_owned(),
        kind: "zone".to_owned(),
        id: id.to_owned(),
        name: String::new(),
        removed: false,
        message: None,
    }
}

/// What is played where; `again` from a run's second attempt on.
fn scene(zone_suffix: &str, again: bool) -> Vec<Act> {
    match zone_suffix {
        "pass.example." => vec![Act::Pass { steps: 250 }, Act::Pass { steps: 250 }],
        "fail.example." => vec![Act::Fail("no record at ns2.example.".to_owned())],
        "flip.example." if again => vec![Act::Pass { steps: 0 }, Act::Pass { steps: 0 }],
        "flip.example." => vec![Act::Pass { steps: 0 }, Act::Fail("not yet".to_owned())],
        "error.example." => vec![Act::Err],
        "leak.example." => vec![Act::Leak],
        "keep.example." | MESS => vec![Act::Keep],
        "stepwise.example." => vec![Act::Pass { steps: 0 }, Act::Hold],
        "hostile.example." => {
            let long = "\u{1b}\"<x>ü".repeat(200_000);
            (0..76).map(|_| Act::Fail(long.clone())).collect()
        }
        _ => vec![Act::Hold],
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
        let cloud = CloudIdentity { endpoint: "http://127.0.0.1:1".to_owned(), project_id: "p".to_owned() };
        let admission = inputs.admission.clone().expect("the controller gives leave");
        let leave = tokio::select! {
            leave = admission.admit(&cloud) => leave,
            () = control.cancel.cancelled() => Err(cancelled()),
        };
        tell(EventKind::RunStarted { run: inputs.run.clone() });
        let mut end = RunEnd::default();
        if let Err(fault) = &leave {
            end.fault = Some(fault.clone());
        } else {
            let again = !inputs.run.run_id.ends_with("01");
            let acts: Vec<(String, Act)> = scene(&inputs.request.zone_suffix, again)
                .into_iter()
                .enumerate()
                .map(|(index, act)| (format!("test_{index:02}"), act))
                .collect();
            tell(EventKind::Planned { tests: acts.iter().map(|(name, _)| name.clone()).collect() });
            for (name, act) in acts {
                if let Some(before) = inputs.carried_over.iter().find(|before| before.name == name) {
                    tell(EventKind::TestCarriedOver { result: Box::new(before.clone()) });
                    continue;
                }
                self.played.lock().unwrap().push(name.clone());
                tell(EventKind::TestStarted { test: name.clone() });
                let steps = if let Act::Pass { steps } = act { steps } else { 1 };
                for step in 0..steps {
                    tell(EventKind::StepStarted { test: name.clone(), step: format!("step-{step}") });
                }
                let result = Box::new(self.act(act, &name, &ledger, &control).await);
                tell(EventKind::TestFinished { result });
            }
            end.fault = control.cancel.is_cancelled().then(cancelled);
        }
        ledger.close().await.expect("closed");
        tell(EventKind::RunFinished { end: Box::new(end.clone()) });
        end
    }

    async fn undo(&self, inputs: RunInputs, ledger: Arc<Ledger>, _: Control) -> Result<Vec<Leak>, RunFault> {
        for entry in ledger.open().await {
            ledger.undone(entry.number).await.expect("struck out");
            self.later.fetch_add(1, Ordering::Relaxed);
        }
        ledger.close().await.expect("closed");
        let is_mess = inputs.request.zone_suffix == MESS;
        Ok(if is_mess { vec![leak(&"z".repeat(10_000)); 300] } else { Vec::new() })
    }
}

fn cancelled() -> RunFault {
    let message = "the run was cancelled".to_owned();
    RunFault { reason: Reason::Cancelled, message, evidence: Evidence::default() }
}
