//! The only contract between playing and reporting: what happens, in the order it happens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::outcome::{Leak, Outcome, RunFault, TestResult};
use crate::plan::{CloudFacts, RunIdentity};

/// Something that happened during a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened. A run is `RunStarted` (once it has leave to play, or ended without), then `Discovered` and `Planned` unless a fault ends it, then the tests'
/// events interleaved, `CleaningUp`, and `RunFinished`, which always comes last and exactly once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// The run began.
    RunStarted {
        /// Its names.
        run: RunIdentity,
    },
    /// The cloud was looked at.
    Discovered {
        /// What was found.
        facts: Box<CloudFacts>,
    },
    /// It is known what will be played.
    Planned {
        /// All tests by name, the skipped ones included.
        tests: Vec<String>,
    },
    /// A test began.
    TestStarted {
        /// Its name.
        test: String,
    },
    /// A step began.
    StepStarted {
        /// The test's name.
        test: String,
        /// The step's name.
        step: String,
    },
    /// A step waits, and what it sees now differs from before.
    StepWaiting {
        /// The test's name.
        test: String,
        /// The step's name.
        step: String,
        /// What it waits for, for a person.
        seen: String,
    },
    /// A step ended.
    StepFinished {
        /// The test's name.
        test: String,
        /// The step's name.
        step: String,
        /// How.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        duration_ms: u64,
        /// What was found, when it did not simply pass.
        message: Option<String>,
    },
    /// A test waits until it may begin.
    TestWaiting {
        /// Its name.
        test: String,
        /// What for, for a person.
        message: String,
    },
    /// A test did not pass, and is played again.
    TestRetrying {
        /// Its name.
        test: String,
        /// The number of the try that begins, from 2.
        tries: u32,
        /// How the last one ended.
        outcome: Outcome,
        /// Why.
        message: String,
    },
    /// A test's doings are being undone.
    TestCleaningUp {
        /// Its name.
        test: String,
    },
    /// A test ended; skipped ones included.
    TestFinished {
        /// How.
        result: Box<TestResult>,
    },
    /// A test was played by an earlier attempt already; its outcome stands.
    TestCarriedOver {
        /// How it ended.
        result: Box<TestResult>,
    },
    /// No new test begins for now, or tests begin again.
    Suspended {
        /// Since when; [`None`]: tests begin again.
        since: Option<Timestamp>,
        /// How long the run was suspended before, in milliseconds.
        before_ms: u64,
    },
    /// The run's last audit began.
    CleaningUp,
    /// The run ended.
    RunFinished {
        /// How, beyond its tests.
        end: Box<RunEnd>,
    },
}

/// How a run ended, beyond its tests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunEnd {
    /// What went wrong outside any test.
    pub fault: Option<RunFault>,
    /// What the final audit found besides the tests' own leaks.
    pub leaked: Vec<Leak>,
}

/// Takes events; cheap to clone, never blocks the runner.
#[derive(Clone)]
pub struct EventSink {
    sender: tokio::sync::mpsc::UnboundedSender<Event>,
}

impl EventSink {
    /// A sink and the stream that it feeds.
    pub fn channel() -> (Self, tokio::sync::mpsc::UnboundedReceiver<Event>) {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        (Self { sender }, receiver)
    }

    /// Sends an event; nobody listening any more is no error.
    pub fn send(&self, at: Timestamp, kind: EventKind) {
        let _ = self.sender.send(Event { at, kind });
    }
}
