//! The shared vocabulary: how a test ended, why, with which evidence, and what that means for a run.
//!
//! Everything here is data and pure functions; every other module may use it, it uses none of them.

mod propagation;

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use propagation::{ChangePercentiles, Percentiles, Propagation, PropagationSummary};

/// As whom a step acts: one of the entries of the run's `clouds.yaml`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// A member of the project under test; the only one that is required.
    #[default]
    Primary,
    /// A member of another project.
    Alternate,
    /// An administrator.
    Admin,
    /// A reader of the primary's project.
    Reader,
}

impl Role {
    /// All roles, the required one first.
    pub const ALL: [Self; 4] = [Self::Primary, Self::Alternate, Self::Admin, Self::Reader];

    /// The word used in documents, expressions and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Alternate => "alternate",
            Self::Admin => "admin",
            Self::Reader => "reader",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Outcome {
    /// Every check said yes.
    Passed,
    /// A check said no.
    Failed,
    /// The test could not be carried out: the cloud or the runner broke.
    Errored,
    /// The time allowed to the test or the run ended first.
    TimedOut,
    /// A gate was closed; the test did not start.
    Skipped,
    /// Somebody cancelled the run.
    Cancelled,
    /// It failed as its owner said it would.
    ExpectedFailure,
    /// It passed although its owner said it would fail.
    UnexpectedPass,
    /// It passed only when tried again.
    Flaky,
}

impl Outcome {
    /// The word used in status, reports and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "Passed",
            Self::Failed => "Failed",
            Self::Errored => "Errored",
            Self::TimedOut => "TimedOut",
            Self::Skipped => "Skipped",
            Self::Cancelled => "Cancelled",
            Self::ExpectedFailure => "ExpectedFailure",
            Self::UnexpectedPass => "UnexpectedPass",
            Self::Flaky => "Flaky",
        }
    }

    /// Whether something is wrong, with the cloud or with looking at it.
    pub const fn went_wrong(self) -> bool {
        matches!(self, Self::Failed | Self::Errored | Self::TimedOut)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a whole run says about the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Verdict {
    /// The cloud did what it promises.
    Passed,
    /// At least one check said no.
    Failed,
    /// The run could not be carried out, so it says nothing about the cloud.
    Errored,
    /// Somebody cancelled it.
    Cancelled,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Errored, Self::Cancelled];

    /// The process exit code: 0 passed, 1 failed, 2 could not be carried out, 130 cancelled.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Errored => 2,
            Self::Cancelled => 130,
        }
    }

    /// The word used in status, reports and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "Passed",
            Self::Failed => "Failed",
            Self::Errored => "Errored",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a test did not simply pass: a closed set, so that documentation and alerts can name each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Reason {
    /// An `expect` step's assertion did not hold by its deadline, or stopped holding.
    ExpectationNotMet,
    /// A record set that must be present is not there.
    RecordMissing,
    /// A record set is there with other data, TTL or without authority.
    RecordWrong,
    /// A record set that must be absent is there.
    RecordNotGone,
    /// A record set appeared that must never be there.
    RecordUnexpected,
    /// The zone's serial did not advance.
    SerialNotAdvanced,
    /// DNS took longer to be true than a threshold allows.
    PropagationTooSlow,
    /// A stack reached another final state than the wanted one.
    StackFailed,
    /// A stack did not reach the wanted state by the step's deadline.
    StackNotComplete,
    /// A service answered a request with another status than the wanted one.
    UnexpectedStatus,
    /// The guest looked up something else than expected.
    GuestAnswerWrong,
    /// The guest did not boot although the run's owner requires guests.
    GuestDidNotBoot,
    /// A name server did not answer, or answered SERVFAIL or nonsense.
    NameServerUnanswering,
    /// A service could not be reached.
    CloudUnreachable,
    /// Keystone refused the credentials, or a token stopped being accepted.
    AuthenticationFailed,
    /// A service is not in the catalogue, or its endpoint is not allowed.
    EndpointUnusable,
    /// A service answered with an error that is not the test's subject.
    ServiceError,
    /// An expression of the document could not be evaluated with what the cloud answered.
    ExpressionFailed,
    /// The ledger could not be written, so nothing was created.
    LedgerUnavailable,
    /// The runner itself broke while playing the test.
    RunnerPanicked,
    /// The time allowed to the test ended.
    TestTimedOut,
    /// The time allowed to the run ended.
    RunTimedOut,
    /// The run asks for something that this cloud does not have, or that cannot be planned.
    InvalidSpec,
    /// A declared precondition is not met by this cloud.
    GateClosed,
    /// Excluded by the run's owner.
    Excluded,
    /// It was expected to fail and passed.
    UnexpectedPass,
    /// An earlier test failed and the run asked to stop at the first failure.
    FailFast,
    /// The run was cancelled.
    Cancelled,
    /// The process that played the run ended before the test did.
    Interrupted,
}

impl Reason {
    /// Whether a check of the cloud was open: a time-out then counts as a failure of the cloud.
    pub const fn is_check(self) -> bool {
        matches!(
            self,
            Self::ExpectationNotMet
                | Self::RecordMissing
                | Self::RecordWrong
                | Self::RecordNotGone
                | Self::RecordUnexpected
                | Self::SerialNotAdvanced
                | Self::PropagationTooSlow
                | Self::StackFailed
                | Self::StackNotComplete
                | Self::UnexpectedStatus
                | Self::GuestAnswerWrong
                | Self::GuestDidNotBoot
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The derived name is the public word, exactly as in the status.
        fmt::Debug::fmt(self, f)
    }
}

/// What was asked of whom, what was wanted and what came back: enough to find it in that service's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Evidence {
    /// Service type as in the catalogue, or `dns-wire` for a question to a name server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// HTTP method, or the DNS transport.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// URL path, or the DNS question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The service's request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The name server asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_server: Option<String>,
    /// What was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
}

/// The step that decided a test which did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedStep {
    /// The step's name.
    pub step: String,
    /// What was seen.
    #[serde(default)]
    pub evidence: Evidence,
}

/// A step that was left out, and why; the rest of the test still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkippedStep {
    /// The step's name.
    pub step: String,
    /// Why it was left out.
    pub message: String,
}

/// Something learned about the cloud that is not a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The step that found it.
    pub step: String,
    /// What was found.
    pub message: String,
}

/// Something that was still in the cloud after the clean-up of a test or a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Leak {
    /// Service type as in the catalogue.
    pub service: String,
    /// What it is: `stack`, `server`, `port`, `floatingip`, `zone`, …
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name, or what identifies it to a person.
    #[serde(default)]
    pub name: String,
    /// Whether the audit could remove it after having found it.
    #[serde(default)]
    pub removed: bool,
    /// Why it could not be removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// One step of a finished test, for the full report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepResult {
    /// The step's name.
    pub step: String,
    /// Its kind: `stack`, `request`, `expect`, `records`, `guest` or `undo`.
    pub kind: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began, in milliseconds since the test began.
    pub started_ms: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How often the cloud was asked.
    pub polls: u32,
    /// What was found, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How one test of a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// The scenario's name; `user/NAME` for a user's own.
    pub name: String,
    /// The scenario's stable id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, unless it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The same for a person: one or two sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When it began; a skipped test never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// How long it took, clean-up included, in milliseconds.
    pub duration_ms: u64,
    /// How often it was played.
    #[serde(default = "once")]
    pub tries: u32,
    /// What it made is kept in the cloud until then, because it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<Timestamp>,
    /// The step that decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_step: Option<FailedStep>,
    /// For `TimedOut`: whether a check of the cloud was still open when time ran out.
    #[serde(default)]
    pub check_was_open: bool,
    /// What was learned besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Steps that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped_steps: Vec<SkippedStep>,
    /// All steps in the order they were played.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepResult>,
    /// How long DNS took to be true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub propagation: Vec<Propagation>,
    /// What it left behind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaked: Vec<Leak>,
    /// Whether the run's owner requires it to be executed.
    #[serde(default)]
    pub required: bool,
}

const fn once() -> u32 {
    1
}

impl TestResult {
    /// A test that did not start.
    pub fn not_started(
        name: &str,
        id: Option<String>,
        outcome: Outcome,
        reason: Reason,
        message: String,
    ) -> Self {
        Self {
            name: name.to_owned(),
            id,
            outcome,
            reason: Some(reason),
            message: Some(message),
            started: None,
            duration_ms: 0,
            tries: 1,
            kept_until: None,
            failed_step: None,
            check_was_open: false,
            findings: Vec::new(),
            skipped_steps: Vec::new(),
            steps: Vec::new(),
            propagation: Vec::new(),
            leaked: Vec::new(),
            required: false,
        }
    }

    /// What this test counts as in the run's verdict (design, section 4).
    pub fn counts_as(&self, policy: &VerdictPolicy) -> Verdict {
        let counts = self.outcome_counts_as(policy);
        let has_leaked = !self.leaked.is_empty() && policy.fail_on_leak;
        if has_leaked && counts == Verdict::Passed { Verdict::Failed } else { counts }
    }

    const fn outcome_counts_as(&self, policy: &VerdictPolicy) -> Verdict {
        match self.outcome {
            Outcome::Skipped if self.required => Verdict::Failed,
            Outcome::Passed | Outcome::Flaky | Outcome::ExpectedFailure | Outcome::Skipped => Verdict::Passed,
            Outcome::UnexpectedPass if !policy.strict => Verdict::Passed,
            Outcome::Failed | Outcome::UnexpectedPass => Verdict::Failed,
            Outcome::TimedOut if self.check_was_open => Verdict::Failed,
            Outcome::Errored | Outcome::TimedOut => Verdict::Errored,
            Outcome::Cancelled => Verdict::Cancelled,
        }
    }

    /// Whether it was played to an end of its own (neither skipped nor cancelled).
    pub const fn was_executed(&self) -> bool {
        !matches!(self.outcome, Outcome::Skipped | Outcome::Cancelled)
    }
}

/// What the run's owner wants to count as a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictPolicy {
    /// A test that passed against expectation counts as failed.
    pub strict: bool,
    /// Something left behind counts as failed (`onLeak: Fail`).
    pub fail_on_leak: bool,
    /// Fewer executed tests than this make the run `Errored`.
    pub min_executed: usize,
}

impl Default for VerdictPolicy {
    fn default() -> Self {
        Self { strict: false, fail_on_leak: true, min_executed: 1 }
    }
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Summary {
    /// Tests in the plan, the skipped ones included.
    pub total: u32,
    /// Passed, flaky and expected failures.
    pub passed: u32,
    /// Failed, unexpected passes, and time-outs with a check open.
    pub failed: u32,
    /// Errored, and time-outs otherwise.
    pub errored: u32,
    /// Skipped by a gate or by the owner.
    pub skipped: u32,
    /// Cancelled.
    pub cancelled: u32,
    /// Of the passed ones: those that passed only when tried again.
    pub flaky: u32,
    /// Things left behind that could not be removed.
    pub leaked: u32,
}

impl Summary {
    /// Counts `results`; `total` is the number of planned tests.
    pub fn of(total: usize, results: &[TestResult], policy: &VerdictPolicy) -> Self {
        let mut summary = Self { total: saturate(total), ..Self::default() };
        for result in results {
            let slot = match (result.outcome, result.counts_as(policy)) {
                (Outcome::Skipped, _) => &mut summary.skipped,
                (_, Verdict::Passed) => &mut summary.passed,
                (_, Verdict::Failed) => &mut summary.failed,
                (_, Verdict::Errored) => &mut summary.errored,
                (_, Verdict::Cancelled) => &mut summary.cancelled,
            };
            *slot += 1;
            summary.flaky += u32::from(result.outcome == Outcome::Flaky);
            summary.leaked += saturate(result.leaked.iter().filter(|leak| !leak.removed).count());
        }
        summary
    }

    /// How many tests have ended.
    pub const fn done(&self) -> u32 {
        self.passed + self.failed + self.errored + self.skipped + self.cancelled
    }
}

fn saturate(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Why a run as a whole could not say more than its tests do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunFault {
    /// The closed reason.
    pub reason: Reason,
    /// The same for a person.
    pub message: String,
    /// What was seen.
    #[serde(default)]
    pub evidence: Evidence,
}

/// The verdict of a run: `Cancelled` > `Failed` > `Errored` > `Passed`, the first that applies.
///
/// `fault` is what went wrong outside any test (credentials, discovery, the run's own time-out);
/// `leaks` is what the run's final audit found besides the tests' own.
pub fn verdict(
    results: &[TestResult],
    fault: Option<&RunFault>,
    leaks: &[Leak],
    policy: &VerdictPolicy,
) -> Verdict {
    let counts: Vec<Verdict> = results.iter().map(|result| result.counts_as(policy)).collect();
    let executed = results.iter().filter(|result| result.was_executed()).count();
    let cancelled = fault.is_some_and(|fault| fault.reason == Reason::Cancelled);
    if cancelled || counts.contains(&Verdict::Cancelled) {
        Verdict::Cancelled
    } else if counts.contains(&Verdict::Failed) || (policy.fail_on_leak && !leaks.is_empty()) {
        Verdict::Failed
    } else if fault.is_some() || counts.contains(&Verdict::Errored) || executed < policy.min_executed {
        Verdict::Errored
    } else {
        Verdict::Passed
    }
}

/// Cuts a text to `limit` characters, with a mark, and takes out control characters.
pub fn shorten(text: &str, limit: usize) -> String {
    let mut clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut out: String = clean.by_ref().take(limit).collect();
    if clean.next().is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn result(outcome: Outcome) -> TestResult {
        TestResult::not_started("t", None, outcome, Reason::GateClosed, String::new())
    }

    #[test]
    fn a_text_is_cut_at_a_character_and_marked() {
        assert_eq!(shorten("äöü\u{7}x", 3), "äöü…");
        assert_eq!(shorten("a\nb", 3), "a b");
    }

    #[rstest]
    #[case::passed(Outcome::Passed, false, Verdict::Passed)]
    #[case::flaky(Outcome::Flaky, false, Verdict::Passed)]
    #[case::expected_failure(Outcome::ExpectedFailure, false, Verdict::Passed)]
    #[case::skipped_by_a_gate(Outcome::Skipped, false, Verdict::Passed)]
    #[case::failed(Outcome::Failed, false, Verdict::Failed)]
    #[case::timed_out_with_a_check_open(Outcome::TimedOut, true, Verdict::Failed)]
    #[case::timed_out_otherwise(Outcome::TimedOut, false, Verdict::Errored)]
    #[case::errored(Outcome::Errored, false, Verdict::Errored)]
    #[case::cancelled(Outcome::Cancelled, false, Verdict::Cancelled)]
    #[case::unexpected_pass(Outcome::UnexpectedPass, false, Verdict::Passed)]
    fn an_outcome_counts_as(#[case] outcome: Outcome, #[case] check_was_open: bool, #[case] counts: Verdict) {
        let result = TestResult { check_was_open, ..result(outcome) };
        assert_eq!(result.counts_as(&VerdictPolicy::default()), counts);
    }

    #[test]
    fn a_required_test_must_not_be_skipped() {
        let result = TestResult { required: true, ..result(Outcome::Skipped) };
        assert_eq!(result.counts_as(&VerdictPolicy::default()), Verdict::Failed);
    }

    #[test]
    fn a_leak_fails_a_passed_test_unless_it_is_only_to_be_warned_of() {
        let leak = Leak {
            service: "network".into(),
            kind: "port".into(),
            id: "1".into(),
            name: String::new(),
            removed: true,
            message: None,
        };
        let result = TestResult { leaked: vec![leak], ..result(Outcome::Passed) };
        assert_eq!(result.counts_as(&VerdictPolicy::default()), Verdict::Failed);
        let warn = VerdictPolicy { fail_on_leak: false, ..VerdictPolicy::default() };
        assert_eq!(result.counts_as(&warn), Verdict::Passed);
    }

    #[rstest]
    #[case::all_skipped_is_not_green(&[Outcome::Skipped], Verdict::Errored)]
    #[case::nothing_planned_is_not_green(&[], Verdict::Errored)]
    #[case::one_is_enough(&[Outcome::Skipped, Outcome::Passed], Verdict::Passed)]
    #[case::failed_beats_errored(&[Outcome::Errored, Outcome::Failed], Verdict::Failed)]
    #[case::cancelled_beats_failed(&[Outcome::Cancelled, Outcome::Failed], Verdict::Cancelled)]
    fn the_verdict_takes_the_first_that_applies(#[case] outcomes: &[Outcome], #[case] expected: Verdict) {
        let results: Vec<_> = outcomes.iter().map(|outcome| result(*outcome)).collect();
        assert_eq!(verdict(&results, None, &[], &VerdictPolicy::default()), expected);
    }

    #[test]
    fn a_strict_run_fails_on_an_unexpected_pass() {
        let policy = VerdictPolicy { strict: true, ..VerdictPolicy::default() };
        assert_eq!(verdict(&[result(Outcome::UnexpectedPass)], None, &[], &policy), Verdict::Failed);
    }

    #[test]
    fn a_summary_counts_each_test_once() {
        let results = [
            result(Outcome::Passed),
            result(Outcome::Failed),
            result(Outcome::Skipped),
            result(Outcome::Flaky),
        ];
        let summary = Summary::of(6, &results, &VerdictPolicy::default());
        assert_eq!(
            (summary.total, summary.passed, summary.failed, summary.skipped, summary.flaky),
            (6, 2, 1, 1, 1)
        );
        assert_eq!(summary.done(), 4);
    }
}
