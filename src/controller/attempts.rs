//! From one attempt of a run to its next: what stays, what begins anew. Pure.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use uuid::Uuid;

use super::FIELD_MANAGER;
use crate::api::tempest_run::{AttemptStatus, Phase, Rerun, TempestRun, TempestRunStatus, TestStatus};
use crate::outcome::{FailedStep, Outcome, Reason, Summary, TestResult, Verdict, VerdictPolicy};
use crate::plan::{RunIdentity, identity};
use crate::report::RunReport;
use crate::report::status::seconds;

/// How many earlier attempts the status remembers.
pub const HISTORY: u32 = 10;
/// How many pods of a run may be lost in a row before any test ended; a Job tries as often by default.
const FRUITLESS: usize = 6;
/// What an attempt takes of the run's time at least, so that one that ends its process at once does not for ever.
const LEAST: Duration = Duration::from_secs(10);

/// The number of the attempt that the status speaks of, from 1.
pub fn number(run: &TempestRun) -> u32 {
    run.status.as_ref().and_then(|status| status.attempt).unwrap_or(1)
}

/// What the attempt is called in clouds.
pub fn identity(run: &TempestRun, installation: &str, now: Timestamp) -> RunIdentity {
    // An API server gives every object a UUID; anything else is hashed into one by its bytes.
    let given = run.uid().unwrap_or_default();
    let uuid = Uuid::parse_str(&given).unwrap_or_else(|_| {
        Uuid::from_u128(given.bytes().fold(0, |all, byte| u128::from(byte) ^ (all << 5) ^ (all >> 3)))
    });
    RunIdentity::new(installation, uuid, number(run), now)
}

/// The status with which an interrupted run goes on: its acknowledged outcomes stand, the rest is played again.
pub fn restarted(run: &TempestRun, now: Timestamp) -> TempestRunStatus {
    let before = run.status.clone().unwrap_or_default();
    let interrupted = AttemptStatus { completion_time: Some(now), verdict: None, ..summarised(run) };
    let mut history = before.history.clone();
    remember(&mut history, interrupted);
    TempestRunStatus {
        phase: Some(Phase::Queued),
        attempt: Some(number(run) + 1),
        run_id: None,
        attempt_start_time: None,
        played_seconds: seconds(played(run, now)),
        suspended_since: None,
        suspended_seconds: None,
        current_steps: Vec::new(),
        history,
        ..before
    }
}

/// What interrupted attempts took of a run's time.
pub fn played_before(status: &TempestRunStatus) -> Duration {
    of_seconds(status.played_seconds)
}

fn of_seconds(seconds: Option<u32>) -> Duration {
    Duration::from_secs(seconds.unwrap_or_default().into())
}

/// How much of its time a run has taken by now: all its attempts, without the queue, without what was suspended, and
/// without the time in which nobody was there to play it.
pub fn played(run: &TempestRun, now: Timestamp) -> Duration {
    let status = run.status.clone().unwrap_or_default();
    let this_attempt = status.attempt_start_time.map_or(Duration::ZERO, |start| {
        let until = status.suspended_since.unwrap_or_else(|| last_told(run).unwrap_or(now).min(now));
        let since = Duration::try_from(until.duration_since(start)).unwrap_or_default();
        since.saturating_sub(of_seconds(status.suspended_seconds)).max(LEAST)
    });
    played_before(&status) + this_attempt
}

/// When the operator wrote last: whoever plays a run tells so.
fn last_told(run: &TempestRun) -> Option<Timestamp> {
    let ours = run.managed_fields().iter().filter(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER));
    ours.filter_map(|entry| entry.time.as_ref()).map(|time| time.0).max()
}

/// Whether so many pods in a row were lost before any test ended that the next one would be, too.
pub fn are_fruitless(run: &TempestRun) -> bool {
    let Some(status) = run.status.as_ref() else { return false };
    let done = |summary: &Option<Summary>| summary.as_ref().map(Summary::done);
    let now = done(&status.summary);
    let is_like_now = |attempt: &&AttemptStatus| {
        let then = done(&attempt.summary);
        attempt.verdict.is_none() && (then.is_none() || now.is_none() || then == now)
    };
    status.history.iter().rev().take_while(is_like_now).count() + 1 >= FRUITLESS
}

/// The status with which an ended run begins again, because its token changed.
pub fn again(run: &TempestRun, policy: &VerdictPolicy) -> TempestRunStatus {
    let before = run.status.clone().unwrap_or_default();
    let kept = match run.spec.rerun.unwrap_or_default() {
        Rerun::All => Vec::new(),
        Rerun::Failed => before.tests.iter().filter(|test| is_good(test, policy)).cloned().collect(),
    };
    let mut history = before.history.clone();
    remember(&mut history, summarised(run));
    TempestRunStatus {
        phase: Some(Phase::Queued),
        attempt: Some(number(run) + 1),
        run_token: run.spec.run_token.clone(),
        tests: kept,
        history,
        report: before.report,
        conditions: before.conditions,
        ..TempestRunStatus::default()
    }
}

fn is_good(test: &TestStatus, policy: &VerdictPolicy) -> bool {
    // What was skipped may be possible now.
    test.outcome != Some(Outcome::Skipped)
        && result_of(test).is_some_and(|result| result.counts_as(policy) == Verdict::Passed)
}

fn summarised(run: &TempestRun) -> AttemptStatus {
    let status = run.status.clone().unwrap_or_default();
    AttemptStatus {
        attempt: number(run),
        run_id: status.run_id,
        run_token: status.run_token,
        verdict: status.verdict,
        start_time: status.attempt_start_time,
        completion_time: status.completion_time,
        summary: status.summary,
    }
}

fn remember(history: &mut Vec<AttemptStatus>, attempt: AttemptStatus) {
    history.retain(|earlier| earlier.attempt != attempt.attempt);
    history.push(attempt);
    history.drain(..history.len().saturating_sub(HISTORY as usize));
}

/// The prefixes of what attempts made that were interrupted.
pub fn interrupted(run: &TempestRun) -> Vec<String> {
    without_verdict(run).filter_map(|attempt| attempt.run_id.as_deref()).map(identity::prefix).collect()
}

/// The numbers of the attempts that were interrupted.
pub fn interrupted_numbers(run: &TempestRun) -> Vec<u32> {
    without_verdict(run).map(|attempt| attempt.attempt).collect()
}

fn without_verdict(run: &TempestRun) -> impl Iterator<Item = &AttemptStatus> {
    let history = run.status.iter().flat_map(|status| &status.history);
    history.filter(|attempt| attempt.verdict.is_none())
}

/// The results that the next attempt does not play again: those that the status tells, whole where the report of
/// the earlier attempt has them.
pub fn carried_over(run: &TempestRun, report: Option<&RunReport>) -> Vec<TestResult> {
    let told = run.status.iter().flat_map(|status| &status.tests);
    told.filter_map(|test| {
        let whole = report.into_iter().flat_map(|report| &report.tests);
        let mut whole =
            whole.filter(|result| result.name == test.name && Some(result.outcome) == test.outcome);
        whole.next().cloned().or_else(|| result_of(test))
    })
    // Whatever earlier attempts kept is undone before the next one plays.
    .map(|result| TestResult { kept_until: None, ..result })
    .collect()
}

/// What a status tells of an ended test, as a result.
fn result_of(test: &TestStatus) -> Option<TestResult> {
    let outcome = test.outcome?;
    let reason = test.reason.unwrap_or(Reason::ServiceError);
    let message = test.message.clone().unwrap_or_default();
    let mut result = TestResult::not_started(&test.name, test.id.clone(), outcome, reason, message);
    (result.reason, result.message) = (test.reason, test.message.clone());
    result.started = test.start_time;
    result.tries = test.tries.unwrap_or(1);
    result.check_was_open = reason.is_check();
    result.failed_step = test
        .step
        .clone()
        .map(|step| FailedStep { step, evidence: test.evidence.clone().unwrap_or_default() });
    result.findings.clone_from(&test.findings);
    result.skipped_steps.clone_from(&test.skipped_steps);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn run(spec: &serde_json::Value, status: &serde_json::Value) -> TempestRun {
        serde_json::from_value(json!({
            "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestRun",
            "metadata": { "name": "one", "uid": "11111111-2222-4333-8444-555566667777" },
            "spec": spec, "status": status,
        }))
        .unwrap()
    }

    fn spec(more: &serde_json::Value) -> serde_json::Value {
        let mut spec = json!({ "cloud": { "secretRef": { "name": "s" }, "zoneSuffix": "t.example." } });
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        spec
    }

    fn played_status() -> serde_json::Value {
        json!({
            "phase": "Completed", "attempt": 3, "runId": "55666677770003", "verdict": "Failed", "runToken": "monday",
            "startTime": "2026-11-23T00:00:00Z", "completionTime": "2026-11-23T00:01:00Z",
            "summary": { "total": 3, "passed": 1 }, "keptUntil": "2026-11-23T00:09:00Z",
            "tests": [
                { "name": "bad", "outcome": "Failed", "reason": "RecordMissing", "message": "no", "step": "s" },
                { "name": "closed", "outcome": "Skipped", "reason": "GateClosed" },
                { "name": "good", "outcome": "Passed", "startTime": "2026-11-23T00:00:10Z" },
            ],
        })
    }

    fn names(status: &TempestRunStatus) -> Vec<&str> {
        status.tests.iter().map(|test| test.name.as_str()).collect()
    }

    #[test]
    fn a_changed_token_begins_anew_and_remembers_what_was() {
        let run = run(&spec(&json!({ "runToken": "tuesday" })), &played_status());
        let next = again(&run, &VerdictPolicy::default());
        assert_eq!((next.attempt, next.run_token.as_deref()), (Some(4), Some("tuesday")));
        assert_eq!(
            (next.verdict, next.run_id.as_deref(), next.start_time, next.kept_until),
            (None, None, None, None)
        );
        assert!(next.tests.is_empty());
        let earlier = &next.history[0];
        assert_eq!((earlier.attempt, earlier.verdict), (3, Some(Verdict::Failed)));
        assert_eq!(
            (earlier.run_token.as_deref(), earlier.summary),
            (Some("monday"), Some(Summary { total: 3, passed: 1, ..Summary::default() }))
        );
    }

    #[test]
    fn only_what_did_not_pass_is_played_again_when_asked_so() {
        let run = run(&spec(&json!({ "runToken": "tuesday", "rerun": "Failed" })), &played_status());
        assert_eq!(names(&again(&run, &VerdictPolicy::default())), ["good"]);
    }

    #[test]
    fn an_interrupted_run_goes_on_with_what_was_acknowledged() {
        let mut status = played_status();
        status["phase"] = "Running".into();
        let now = "2026-11-23T00:02:00Z".parse().unwrap();
        let next = restarted(&run(&spec(&json!({})), &status), now);
        assert_eq!((next.attempt, next.run_id.as_deref(), next.phase), (Some(4), None, Some(Phase::Queued)));
        assert_eq!(names(&next), ["bad", "closed", "good"]);
        assert_eq!(next.start_time, Some("2026-11-23T00:00:00Z".parse().unwrap()), "it began then");
        assert_eq!((next.history[0].verdict, next.history[0].completion_time), (None, Some(now)));
    }

    /// The run began at midnight, and it is 00:10:00.
    #[rstest]
    #[case::nothing_was_played(json!({}), 0)]
    #[case::it_plays(json!({ "attemptStartTime": "2026-11-23T00:01:00Z" }), 540)]
    #[case::it_was_suspended(json!({ "attemptStartTime": "2026-11-23T00:01:00Z", "suspendedSeconds": 40 }), 500)]
    #[case::it_is_suspended(
        json!({ "attemptStartTime": "2026-11-23T00:01:00Z", "suspendedSince": "2026-11-23T00:03:00Z", "suspendedSeconds": 40 }),
        80
    )]
    #[case::the_next_attempt_waits(json!({ "playedSeconds": 70 }), 70)]
    #[case::the_next_attempt_plays(json!({ "playedSeconds": 70, "attemptStartTime": "2026-11-23T00:09:00Z" }), 130)]
    #[case::clocks_differ(json!({ "attemptStartTime": "2026-11-23T00:11:00Z" }), 10)]
    fn only_what_is_played_is_of_a_runs_time(#[case] more: serde_json::Value, #[case] seconds: u64) {
        let mut status = json!({ "phase": "Running", "startTime": "2026-11-23T00:00:00Z" });
        status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut run = run(&spec(&json!({})), &status);
        assert_eq!(played(&run, "2026-11-23T00:10:00Z".parse().unwrap()), Duration::from_secs(seconds));
        // The operator was last heard of at that time, and then was not there for hours.
        let told = json!([
            { "manager": "tempest-operator", "time": "2026-11-23T00:10:00Z" },
            { "manager": "kubectl", "time": "2026-11-23T08:00:00Z" },
        ]);
        run.metadata.managed_fields = Some(serde_json::from_value(told).unwrap());
        assert_eq!(played(&run, "2026-11-23T09:00:00Z".parse().unwrap()), Duration::from_secs(seconds));
    }

    #[rstest]
    #[case::the_sixth(&[0; 5], Some(0), true)]
    #[case::the_fifth(&[0; 4], Some(0), false)]
    #[case::before_anything_was_planned(&[0; 5], None, true)]
    #[case::a_test_ended(&[0; 5], Some(1), false)]
    #[case::a_test_ended_before(&[0, 0, 0, 1, 1], Some(1), false)]
    fn pods_that_are_lost_before_any_test_ends_are_not_replaced_for_ever(
        #[case] history: &[u32],
        #[case] now: Option<u32>,
        #[case] fruitless: bool,
    ) {
        let summary = |passed: &u32| json!({ "total": 3, "passed": passed });
        let history: Vec<_> = history
            .iter()
            .zip(1..)
            .map(|(passed, number)| json!({ "attempt": number, "summary": summary(passed) }))
            .collect();
        let status = json!({ "history": history, "summary": now.as_ref().map(summary) });
        assert_eq!(are_fruitless(&run(&spec(&json!({})), &status)), fruitless);
    }

    #[test]
    fn an_interrupted_attempt_leaves_what_it_took_of_the_time() {
        let mut status = played_status();
        status["phase"] = "Suspended".into();
        status["attemptStartTime"] = "2026-11-23T00:00:10Z".into();
        status["suspendedSince"] = "2026-11-23T00:00:30Z".into();
        let now = "2026-11-23T09:00:00Z".parse().unwrap();
        let next = restarted(&run(&spec(&json!({})), &status), now);
        assert_eq!(next.played_seconds, Some(20));
        assert_eq!(
            (next.attempt_start_time, next.suspended_since, next.suspended_seconds),
            (None, None, None)
        );
    }

    #[test]
    fn the_history_is_bounded() {
        let mut current = run(&spec(&json!({ "runToken": "x" })), &played_status());
        for _ in 0..20 {
            current.status = Some(again(&current, &VerdictPolicy::default()));
        }
        let history = &current.status.unwrap().history;
        assert_eq!(history.len(), HISTORY as usize);
        assert_eq!(history.last().unwrap().attempt, 22);
    }

    #[test]
    fn carried_results_are_whole_where_the_report_has_them() {
        let run = run(&spec(&json!({})), &played_status());
        let mut report = RunReport::default();
        let mut whole =
            TestResult::not_started("good", None, Outcome::Passed, Reason::RecordMissing, String::new());
        whole.duration_ms = 4711;
        whole.kept_until = Some(Timestamp::UNIX_EPOCH);
        report.tests = vec![whole];
        let carried = carried_over(&run, Some(&report));
        assert_eq!(carried.len(), 3);
        assert_eq!(carried[2].duration_ms, 4711);
        assert_eq!(carried[2].kept_until, None, "what earlier attempts kept is undone");
        let bad = &carried[0];
        assert_eq!((bad.outcome, bad.reason), (Outcome::Failed, Some(Reason::RecordMissing)));
        assert_eq!(bad.failed_step.as_ref().unwrap().step, "s");
        assert_eq!(bad.counts_as(&VerdictPolicy::default()), Verdict::Failed);
    }

    #[test]
    fn each_attempt_has_names_of_its_own() {
        let run = run(&spec(&json!({})), &played_status());
        let identity = identity(&run, "lab", Timestamp::UNIX_EPOCH);
        assert_eq!(identity.run_id, "556666777703");
    }
}
