//! Pure planning: spec, catalogue and cloud facts become a run plan. No network, no clock, no randomness.

pub mod error;
pub mod facts;
mod gates;
pub mod identity;
mod make;
pub mod request;

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;

pub use error::PlanError;
pub use facts::CloudFacts;
pub use identity::RunIdentity;
pub use make::{check, make, needs_locks, settings};
pub use request::{CloudRequest, cloud_request};

use crate::outcome::{Reason, VerdictPolicy};
use crate::scenario::{Scenario, Thresholds};

/// Everything the runner needs to know: nothing is decided after this.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// What this run is called, and what its things in the cloud are called.
    pub run: RunIdentity,
    /// The limits it keeps.
    pub settings: Settings,
    /// What was found of the cloud.
    pub facts: CloudFacts,
    /// Everything that is made in DNS lies under this domain; with its final dot.
    pub zone_suffix: String,
    /// Each test, the skipped ones included, in order of their names.
    pub tests: Vec<PlannedTest>,
}

/// The limits of a run.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the run's owner")]
pub struct Settings {
    /// How many tests run at once.
    pub max_parallel: usize,
    /// The run's time.
    pub run_timeout: Duration,
    /// One test's time, clean-up not included.
    pub test_timeout: Duration,
    /// Every step's deadline is multiplied by this.
    pub timeout_scale: f64,
    /// Starts no further test after the first that failed.
    pub fail_fast: bool,
    /// How often a test that did not pass is tried again.
    pub retries: u32,
    /// How long what a test made is kept when it did not pass.
    pub keep_on_failure: Duration,
    /// A guest that does not boot is a failure instead of a skipped step.
    pub guest_required: bool,
    /// Guests are offered at all: `facts.guest` in expressions.
    pub guest_offered: bool,
    /// Reverse records are offered: `facts.ptr` in expressions.
    pub ptr_offered: bool,
    /// How long DNS may take to be true, in every test.
    pub thresholds: Thresholds,
    /// Names of floating IPs are offered: `facts.floatingIpDns` in expressions.
    pub floating_ip_dns_offered: bool,
    /// What counts as a failure.
    pub verdict: VerdictPolicy,
}

/// One test of a run.
#[derive(Clone, Debug)]
pub struct PlannedTest {
    /// The scenario's name.
    pub name: String,
    /// The scenario's stable id.
    pub id: Option<String>,
    /// Begins the name of everything the test makes; unique, a DNS label of at most 24 characters.
    pub prefix: String,
    /// Whether it is played.
    pub decision: Decision,
    /// Whether its owner requires it to be executed.
    pub required: bool,
    /// Whether its owner expects it to fail.
    pub expectation: Option<Expectation>,
    /// How long it took where that was measured, in seconds.
    pub seconds: Option<u32>,
}

impl RunPlan {
    /// The tests as they begin: the longest first, so that the run does not end with one that plays alone. What was not
    /// measured may be long.
    pub fn playing_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.tests.len()).collect();
        let seconds =
            |index: &usize| self.tests.get(*index).and_then(|test| test.seconds).unwrap_or(u32::MAX);
        order.sort_by_key(|index| Reverse(seconds(index)));
        order
    }
}

impl PlannedTest {
    /// The same for its try number `number`, from 1: what each makes has names of its own.
    #[must_use]
    pub fn try_number(&self, number: u32) -> Self {
        let prefix = if number > 1 { format!("{}r{number}", self.prefix) } else { self.prefix.clone() };
        Self { prefix, ..self.clone() }
    }

    /// The same for one of its repetitions, from 1: what each makes has names of its own.
    #[must_use]
    pub fn repetition(&self, number: u32) -> Self {
        Self { prefix: format!("{}n{number}", self.prefix), ..self.clone() }
    }
}

/// An owner's word that a test will fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It holds.
    Holds {
        /// Why, such as the number of a bug.
        reason: String,
    },
    /// It held until this day.
    Ended {
        /// Why it did.
        reason: String,
        /// The last day.
        on: Date,
    },
}

/// Whether a test is played.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It is.
    Play(Arc<Scenario>),
    /// It is not.
    Skip {
        /// `GateClosed` or `Excluded`.
        reason: Reason,
        /// The gate that closed, and what was found instead; or the owner's reason.
        message: String,
    },
}
