//! Why a step did not do what it should: the outcome, the reason, and the evidence.

use crate::outcome::{Evidence, FailedStep, Outcome, Reason, shorten};

/// Longest text of one field of evidence, in characters: what a person reads, not what a service can send.
const EVIDENCE_LIMIT: usize = 400;

/// How a step ended when nothing went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepEnd {
    /// It did what it should.
    Done,
    /// It was left out, with the reason; the rest of the test still counts.
    Skipped(String),
}

/// A step's end that is not a success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepFault {
    /// `Failed`, `Errored`, `TimedOut` or `Cancelled`.
    pub outcome: Outcome,
    /// The closed reason.
    pub reason: Reason,
    /// One or two sentences for a person.
    pub message: String,
    /// What was seen.
    pub evidence: Evidence,
    /// For `TimedOut`: whether a check was open.
    pub check_was_open: bool,
}

impl StepFault {
    /// A check of the cloud said no.
    pub fn failed(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Outcome::Failed, reason, message)
    }

    /// The test could not be carried out.
    pub fn errored(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Outcome::Errored, reason, message)
    }

    /// The run was cancelled.
    pub fn cancelled() -> Self {
        Self::new(Outcome::Cancelled, Reason::Cancelled, "the run was cancelled")
    }

    /// This process may not act any more; another one goes on.
    pub fn withheld(message: impl Into<String>) -> Self {
        Self::new(Outcome::Cancelled, Reason::Interrupted, message)
    }

    fn new(outcome: Outcome, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            outcome,
            reason,
            message: message.into(),
            evidence: Evidence::default(),
            check_was_open: false,
        }
    }

    /// With this evidence.
    #[must_use]
    pub fn with(mut self, evidence: Evidence) -> Self {
        self.evidence = evidence;
        self
    }

    /// The same fault, met when the test's (not the step's) time ended.
    #[must_use]
    pub fn at_test_deadline(mut self) -> Self {
        self.check_was_open = self.reason.is_check();
        self.outcome = Outcome::TimedOut;
        self.reason = Reason::TestTimedOut;
        self.message = format!("the time allowed to the test ended; {}", self.message);
        self
    }

    /// What the report keeps of it.
    pub fn failed_step(&self, step: &str) -> FailedStep {
        let mut evidence = self.evidence.clone();
        for text in [&mut evidence.expected, &mut evidence.observed, &mut evidence.path].into_iter().flatten()
        {
            *text = shorten(text, EVIDENCE_LIMIT);
        }
        FailedStep { step: step.to_owned(), evidence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_was_open_when_the_test_ended_is_remembered() {
        let fault = StepFault::failed(Reason::RecordMissing, "no record").at_test_deadline();
        assert_eq!((fault.outcome, fault.check_was_open), (Outcome::TimedOut, true));
        let fault = StepFault::errored(Reason::CloudUnreachable, "away").at_test_deadline();
        assert_eq!((fault.outcome, fault.check_was_open), (Outcome::TimedOut, false));
    }
}
