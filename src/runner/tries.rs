//! A test as often as its run allows: tries, what of the last one is kept, and what its outcome means.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::context::RunContext;
use super::deadline::time_is_over;
use super::event::EventKind;
use super::locks::Held;
use super::play::play;
use crate::outcome::{Outcome, Reason, TestResult};
use crate::plan::{Expectation, PlannedTest};
use crate::scenario::Scenario;

/// Who waits this long for a lock says so.
const PATIENCE: Duration = Duration::from_millis(200);

/// Plays a test until it passes or may not be tried again, and tells its beginning and its end.
pub async fn play_tries(run: &RunContext, test: &PlannedTest, scenario: &Scenario) -> TestResult {
    let Some(_locks) = take_locks(run, test, scenario).await else {
        let message = "the run ended while the test waited for its turn".to_owned();
        return told(run, not_played(run, test, message));
    };
    let began = run.clock.now();
    run.tell(EventKind::TestStarted { test: test.name.clone() });
    let mut first: Option<TestResult> = None;
    let (mut leaked, mut duration_ms, mut number) = (Vec::new(), 0, 1);
    let last = loop {
        let is_last = |result: &TestResult| !may_try_again(run, test, result, number);
        let keep = |result: &TestResult| is_last(result).then(|| kept_until(run, test, result)).flatten();
        let result = play(run, &test.try_number(number), scenario, &keep).await;
        duration_ms += result.duration_ms;
        leaked.extend(result.leaked.iter().cloned());
        if is_last(&result) {
            break result;
        }
        run.tell(EventKind::TestRetrying {
            test: test.name.clone(),
            tries: number + 1,
            outcome: result.outcome,
            message: result.message.clone().unwrap_or_default(),
        });
        first.get_or_insert(result);
        number += 1;
    };
    let whole = TestResult { started: Some(began), duration_ms, leaked, tries: number, ..last };
    let whole = flaky(whole, first);
    told(run, expected(whole, test.expectation.as_ref()))
}

fn told(run: &RunContext, result: TestResult) -> TestResult {
    run.tell(EventKind::TestFinished { result: Box::new(result.clone()) });
    result
}

/// The locks that the scenario needs; [`None`] when the run ends before they are free.
async fn take_locks(run: &RunContext, test: &PlannedTest, scenario: &Scenario) -> Option<Held> {
    let take = || Box::pin(run.locks.take(&run.identity, scenario.exclusive, &scenario.locks));
    let ended = async {
        tokio::select! {
            () = run.cancel.cancelled() => {}
            () = time_is_over(run) => {}
        }
    };
    let (mut taking, patience) = (take(), sleep(PATIENCE));
    tokio::pin!(ended, patience);
    let mut told = false;
    loop {
        let held = tokio::select! {
            biased;
            held = &mut taking => held,
            () = &mut ended => return None,
            () = &mut patience, if !told => {
                told = true;
                let message = "waits until others that it must not be beside are done".to_owned();
                run.tell(EventKind::TestWaiting { test: test.name.clone(), message });
                continue;
            }
        };
        if !run.paused.is_set() {
            return Some(held);
        }
        // Nothing begins while the run is suspended, and others may go first.
        drop(held);
        tokio::select! {
            () = run.paused.until(false) => {}
            () = &mut ended => return None,
        }
        taking = take();
    }
}

fn not_played(run: &RunContext, test: &PlannedTest, message: String) -> TestResult {
    let (outcome, reason) = if run.cancel.is_cancelled() {
        (Outcome::Cancelled, Reason::Cancelled)
    } else {
        (Outcome::TimedOut, Reason::RunTimedOut)
    };
    let result = TestResult::not_started(&test.name, test.id.clone(), outcome, reason, message);
    TestResult { required: test.required, ..result }
}

fn may_try_again(run: &RunContext, test: &PlannedTest, result: &TestResult, number: u32) -> bool {
    number <= run.plan.settings.retries
        && result.outcome.went_wrong()
        && !run.cancel.is_cancelled()
        && !run.deadline.is_over()
        && !is_as_expected(result, test.expectation.as_ref())
}

/// Until when what the test made is kept for a look at it.
fn kept_until(run: &RunContext, test: &PlannedTest, result: &TestResult) -> Option<Timestamp> {
    let keep = run.plan.settings.keep_on_failure;
    let wanted = !keep.is_zero()
        && result.outcome.went_wrong()
        && !run.cancel.is_cancelled()
        && !is_as_expected(result, test.expectation.as_ref());
    wanted.then(|| run.clock.now() + keep)
}

/// Whether it failed as its owner said that it would.
fn is_as_expected(result: &TestResult, expectation: Option<&Expectation>) -> bool {
    let failed = match result.outcome {
        Outcome::Failed => true,
        Outcome::TimedOut => result.check_was_open,
        _ => false,
    };
    failed && matches!(expectation, Some(Expectation::Holds { .. }))
}

/// A test that passed at last, with what went wrong at first.
fn flaky(last: TestResult, first: Option<TestResult>) -> TestResult {
    let Some(first) = first.filter(|_| last.outcome == Outcome::Passed) else { return last };
    TestResult {
        outcome: Outcome::Flaky,
        reason: first.reason,
        message: first.message,
        failed_step: first.failed_step,
        ..last
    }
}

/// What an outcome is when its owner expected a failure.
fn expected(result: TestResult, expectation: Option<&Expectation>) -> TestResult {
    let Some(expectation) = expectation else { return result };
    let said = result.message.clone().unwrap_or_default();
    match expectation {
        Expectation::Holds { reason } if is_as_expected(&result, Some(expectation)) => TestResult {
            outcome: Outcome::ExpectedFailure,
            message: Some(format!("expected ({reason}): {said}")),
            ..result
        },
        Expectation::Holds { reason } if matches!(result.outcome, Outcome::Passed | Outcome::Flaky) => {
            TestResult {
                outcome: Outcome::UnexpectedPass,
                reason: Some(Reason::UnexpectedPass),
                message: Some(format!("it passed, and was expected to fail ({reason})")),
                ..result
            }
        }
        Expectation::Ended { reason, on } if result.outcome == Outcome::Failed => {
            TestResult { message: Some(format!("{said}; this was expected until {on} ({reason})")), ..result }
        }
        Expectation::Holds { .. } | Expectation::Ended { .. } => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn result(outcome: Outcome) -> TestResult {
        TestResult::not_started("t", None, outcome, Reason::RecordMissing, "no record".to_owned())
    }

    fn holds() -> Expectation {
        Expectation::Holds { reason: "bug 42".to_owned() }
    }

    #[rstest]
    #[case::failed(Outcome::Failed, Outcome::ExpectedFailure)]
    #[case::passed(Outcome::Passed, Outcome::UnexpectedPass)]
    #[case::passed_at_last(Outcome::Flaky, Outcome::UnexpectedPass)]
    #[case::could_not_be_carried_out(Outcome::Errored, Outcome::Errored)]
    #[case::out_of_time_without_a_check(Outcome::TimedOut, Outcome::TimedOut)]
    #[case::skipped(Outcome::Skipped, Outcome::Skipped)]
    #[case::cancelled(Outcome::Cancelled, Outcome::Cancelled)]
    fn an_expectation_changes_what_an_outcome_is(#[case] outcome: Outcome, #[case] becomes: Outcome) {
        let judged = expected(result(outcome), Some(&holds()));
        assert_eq!(judged.outcome, becomes);
        if becomes == Outcome::ExpectedFailure {
            assert_eq!(judged.message.as_deref(), Some("expected (bug 42): no record"));
            assert_eq!(judged.reason, Some(Reason::RecordMissing));
        }
    }

    #[test]
    fn a_time_out_with_a_check_open_is_a_failure_that_can_be_expected() {
        let timed_out = TestResult { check_was_open: true, ..result(Outcome::TimedOut) };
        assert_eq!(expected(timed_out, Some(&holds())).outcome, Outcome::ExpectedFailure);
    }

    #[test]
    fn an_expectation_that_has_ended_is_told() {
        let ended = Expectation::Ended { reason: "bug 42".to_owned(), on: "2026-11-01".parse().unwrap() };
        let judged = expected(result(Outcome::Failed), Some(&ended));
        assert_eq!(judged.outcome, Outcome::Failed);
        assert_eq!(judged.message.as_deref(), Some("no record; this was expected until 2026-11-01 (bug 42)"));
    }

    #[test]
    fn a_flaky_test_tells_what_went_wrong_at_first() {
        let judged = flaky(result(Outcome::Passed), Some(result(Outcome::Failed)));
        assert_eq!((judged.outcome, judged.reason), (Outcome::Flaky, Some(Reason::RecordMissing)));
        let judged = flaky(result(Outcome::Errored), Some(result(Outcome::Failed)));
        assert_eq!(judged.outcome, Outcome::Errored, "the last one counts");
    }
}
