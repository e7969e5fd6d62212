//! A scenario played several times within one test: its repetitions, at most so many at once, as one result.

use std::future::ready;

use futures::stream::{self, StreamExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::context::{RunContext, TestContext};
use super::play::{Keep, play_through};
use crate::outcome::{Outcome, Reason, TestResult};
use crate::plan::PlannedTest;
use crate::scenario::Scenario;
use crate::scenario::document::Repeat;

/// Plays all repetitions; after one that does not pass no further one begins.
pub async fn play(
    run: &RunContext,
    test: &PlannedTest,
    scenario: &Scenario,
    repeat: Repeat,
    began: Instant,
    keep: Keep<'_>,
) -> TestResult {
    let enough = CancellationToken::new();
    let playing = stream::iter(1..=repeat.count).map(|number| {
        let enough = &enough;
        async move {
            if enough.is_cancelled() {
                return None;
            }
            let test = test.repetition(number);
            let context = TestContext::new(run, &test, scenario, began, Some(number));
            let result = play_through(context, keep).await;
            if result.outcome != Outcome::Passed {
                enough.cancel();
            }
            Some((number, result))
        }
    });
    let mut played: Vec<(u32, TestResult)> =
        playing.buffer_unordered(repeat.concurrency.max(1)).filter_map(ready).collect().await;
    played.sort_by_key(|(number, _)| *number);
    let told = played.into_iter().map(|(number, result)| {
        let told = |message| format!("repetition {number} of {}: {message}", repeat.count);
        TestResult { message: result.message.clone().map(told), ..result }
    });
    let mut whole = told.reduce(join).unwrap_or_else(|| {
        let message = "it is to be played not even once".to_owned();
        TestResult::not_started(&test.name, test.id.clone(), Outcome::Errored, Reason::InvalidSpec, message)
    });
    whole.steps.sort_by_key(|step| step.started_ms);
    whole
}

/// Two as one: the first that did not pass decides, and what was seen is put together.
fn join(one: TestResult, other: TestResult) -> TestResult {
    let whole = TestResult {
        findings: [one.findings.as_slice(), &other.findings].concat(),
        skipped_steps: [one.skipped_steps.as_slice(), &other.skipped_steps].concat(),
        steps: [one.steps.as_slice(), &other.steps].concat(),
        propagation: [one.propagation.as_slice(), &other.propagation].concat(),
        leaked: [one.leaked.as_slice(), &other.leaked].concat(),
        started: one.started.min(other.started),
        duration_ms: one.duration_ms.max(other.duration_ms),
        kept_until: one.kept_until.max(other.kept_until),
        ..one
    };
    if whole.outcome != Outcome::Passed {
        return whole;
    }
    TestResult {
        outcome: other.outcome,
        reason: other.reason,
        message: other.message,
        failed_step: other.failed_step,
        check_was_open: other.check_was_open,
        ..whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Finding, Propagation, StepResult};

    fn result(outcome: Outcome, duration_ms: u64) -> TestResult {
        let reason = Reason::RecordMissing;
        let not_started = TestResult::not_started("t", None, outcome, reason, format!("{duration_ms}"));
        TestResult {
            duration_ms,
            findings: vec![Finding { step: "s".into(), message: "m".into() }],
            propagation: vec![Propagation::default()],
            ..not_started
        }
    }

    #[test]
    fn the_first_that_did_not_pass_decides_and_everything_is_told() {
        let joined = [result(Outcome::Passed, 30), result(Outcome::Failed, 10), result(Outcome::Errored, 20)]
            .into_iter()
            .reduce(join)
            .unwrap();
        assert_eq!((joined.outcome, joined.message.as_deref()), (Outcome::Failed, Some("10")));
        assert_eq!((joined.duration_ms, joined.findings.len(), joined.propagation.len()), (30, 3, 3));
        assert_eq!(joined.steps, Vec::<StepResult>::new());
    }
}
