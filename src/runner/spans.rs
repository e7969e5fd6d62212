//! The spans of a run, its tests and their steps: they put on every log line whom it is about, and are what is traced.

use tracing::field::Empty;
use tracing::{Instrument, Span, error_span};

use super::fault::{StepEnd, StepFault};
use crate::outcome::{Outcome, TestResult, Verdict};

// All have the level of errors: at whatever level logs are wanted, the lines say whom they are about.

/// The span of one attempt of a run, for whoever starts it. `namespace` and `name` are its object's, if it has one.
pub fn run_span(namespace: Option<&str>, name: Option<&str>, run_id: &str) -> Span {
    error_span!(parent: None, "run", namespace, run = name, run_id, verdict = Empty, otel.status_code = Empty)
}

/// Writes into a run's span how the run ended, and into the log.
pub fn record_verdict(span: &Span, verdict: Verdict) {
    span.record("verdict", verdict.to_string());
    if verdict != Verdict::Passed {
        span.record("otel.status_code", "ERROR");
    }
    span.in_scope(|| tracing::info!("the run ended"));
}

/// Plays a test, all of its tries, within its span.
pub(super) async fn in_test(name: &str, playing: impl Future<Output = TestResult>) -> TestResult {
    let span = error_span!(
        "test",
        test = name,
        outcome = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty
    );
    span.in_scope(|| tracing::info!("the test begins"));
    let result = playing.instrument(span.clone()).await;
    record_outcome(&span, result.outcome, result.message.as_deref());
    span.in_scope(|| tracing::info!("the test ended"));
    result
}

/// Plays a step within its span.
pub(super) async fn in_step(
    label: &str,
    playing: impl Future<Output = Result<StepEnd, StepFault>>,
) -> Result<StepEnd, StepFault> {
    let span = error_span!(
        "step",
        step = label,
        outcome = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty
    );
    let end = playing.instrument(span.clone()).await;
    match &end {
        Ok(StepEnd::Done) => record_outcome(&span, Outcome::Passed, None),
        Ok(StepEnd::Skipped(message)) => record_outcome(&span, Outcome::Skipped, Some(message)),
        Err(fault) => record_outcome(&span, fault.outcome, Some(&fault.message)),
    }
    end
}

/// The `otel.` fields are how `tracing-opentelemetry` is told a span's status.
fn record_outcome(span: &Span, outcome: Outcome, message: Option<&str>) {
    span.record("outcome", outcome.to_string());
    if outcome.went_wrong() {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", message);
    }
}
