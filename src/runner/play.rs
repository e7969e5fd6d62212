//! Plays one try of a test: its steps, then the undoing, then the audit; whatever happens, all three.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::audit::{self, Marks};
use super::context::{RunContext, StepContext, TestContext, expression_fault};
use super::event::EventKind;
use super::fault::{StepEnd, StepFault};
use super::spans::in_step;
use super::step;
use super::undo::Undoing;
use super::{repeat, thresholds};
use crate::outcome::{FailedStep, Finding, Outcome, Reason, SkippedStep, StepResult, TestResult, shorten};
use crate::plan::PlannedTest;
use crate::scenario::Scenario;
use crate::scenario::document::Step;

/// Longest message of a test or step, in characters.
const MESSAGE_LIMIT: usize = 800;

/// Until when what a test made is kept; [`None`]: it is undone at once.
pub type Keep<'a> = &'a (dyn Fn(&TestResult) -> Option<Timestamp> + Sync);

/// Plays `scenario` as `test` of the run and tells what happens. What it made stays when `keep` says until when.
pub async fn play(run: &RunContext, test: &PlannedTest, scenario: &Scenario, keep: Keep<'_>) -> TestResult {
    let began = Instant::now();
    let result = match scenario.repeat {
        Some(repeat) => repeat::play(run, test, scenario, repeat, began, keep).await,
        None => play_through(TestContext::new(run, test, scenario, began, None), keep).await,
    };
    thresholds::judge(result, &[&scenario.thresholds, &run.plan.settings.thresholds])
}

/// Plays the steps once, undoes them and looks for what is left.
pub async fn play_through(context: TestContext<'_>, keep: Keep<'_>) -> TestResult {
    let (run, test) = (context.run, context.test);
    let began = run.clock.now();
    let end = AssertUnwindSafe(play_steps(&context)).catch_unwind().await.unwrap_or_else(|panic| {
        let message = format!("the runner broke while playing the test: {}", panic_text(panic.as_ref()));
        Err((String::new(), StepFault::errored(Reason::RunnerPanicked, message)))
    });
    let state = std::mem::take(&mut *context.state());
    let mut result = TestResult {
        name: test.name.clone(),
        id: test.id.clone(),
        outcome: Outcome::Passed,
        reason: None,
        message: None,
        started: Some(began),
        duration_ms: millis(context.started),
        tries: 1,
        kept_until: None,
        failed_step: None,
        check_was_open: false,
        findings: state.findings,
        skipped_steps: state.skipped,
        steps: state.steps,
        propagation: state.propagation,
        leaked: Vec::new(),
        required: test.required,
    };
    if let Err((step, fault)) = end {
        result.outcome = fault.outcome;
        result.reason = Some(fault.reason);
        result.message = Some(shorten(&fault.message, MESSAGE_LIMIT));
        result.check_was_open = fault.check_was_open;
        result.failed_step = (!step.is_empty()).then(|| -> FailedStep { fault.failed_step(&step) });
    }
    // Of nothing, nothing is kept.
    if !run.ledger.open_of(&test.prefix).await.is_empty() {
        result.kept_until = keep(&result);
    }
    if result.kept_until.is_some() {
        run.keep(&test.prefix);
    } else {
        run.tell(EventKind::TestCleaningUp { test: test.name.clone() });
        result.leaked = clean_up(&context).await;
        result.duration_ms = millis(context.started);
    }
    result
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Undoes what the test's ledger holds, the last made first, then looks for what nobody wrote down.
async fn clean_up(context: &TestContext<'_>) -> Vec<crate::outcome::Leak> {
    let run = context.run;
    let undoing = Undoing::of(run);
    let mut leaked = undoing.undo_all(run.ledger.open_of(&context.test.prefix).await).await;
    let services = &context.scenario.gates.services;
    let marks = Marks::of(&context.test.prefix);
    let found = audit::audit(&undoing, Some(services), &marks, &leaked).await;
    // What could not go because of something that nobody wrote down can go once that is gone.
    if !leaked.is_empty() && found.iter().any(|leak| leak.removed) {
        let still = undoing.undo_all(run.ledger.open_of(&context.test.prefix).await).await;
        for leak in &mut leaked {
            leak.removed = !still.iter().any(|other| (&other.kind, &other.id) == (&leak.kind, &leak.id));
        }
    }
    leaked.extend(found);
    leaked
}

type Faulty = (String, StepFault);

async fn play_steps(context: &TestContext<'_>) -> Result<(), Faulty> {
    evaluate_variables(context)?;
    let mut rest = context.scenario.steps.as_slice();
    while let Some(first) = rest.first() {
        let together = match &first.group {
            Some(group) => rest.iter().take_while(|step| step.group.as_ref() == Some(group)).count(),
            None => 1,
        };
        let (now, later) = rest.split_at(together);
        rest = later;
        let ends = join_all(now.iter().map(|step| play_step(context, step))).await;
        // The first in the document's order decides, so that the same cloud gives the same report.
        ends.into_iter().collect::<Result<Vec<()>, Faulty>>()?;
    }
    Ok(())
}

fn evaluate_variables(context: &TestContext<'_>) -> Result<(), Faulty> {
    for (name, template) in &context.scenario.variables {
        let mut state = context.state();
        let value = template
            .evaluate(&state.scope)
            .map_err(|error| (format!("variable {name}"), expression_fault(&error)))?;
        state.scope.set_in("vars", name, value);
    }
    Ok(())
}

async fn play_step(context: &TestContext<'_>, step: &Step) -> Result<(), Faulty> {
    let whole = StepContext::new(context, step, None);
    let faulty = |fault| (whole.label.clone(), fault);
    if let Some(when) = &step.when
        && !whole.holds(when).map_err(faulty)?
    {
        let message = format!("left out: '{}' is false", when.source());
        conclude(&whole, Instant::now(), Ok(StepEnd::Skipped(message)))?;
        return Ok(());
    }
    let Some(for_each) = &step.for_each else {
        return play_once(whole).await;
    };
    let Value::Array(items) = whole.value(for_each).map_err(faulty)? else {
        let message = format!("forEach of step '{}' is not a list", step.name);
        return Err(faulty(StepFault::errored(Reason::ExpressionFailed, message)));
    };
    for (index, item) in items.into_iter().enumerate() {
        play_once(StepContext::new(context, step, Some((index, item)))).await?;
    }
    Ok(())
}

async fn play_once(context: StepContext<'_>) -> Result<(), Faulty> {
    let began = Instant::now();
    let test = context.test;
    if test.run.cancel.is_cancelled() {
        return conclude(&context, began, Err(StepFault::cancelled()));
    }
    if began >= test.deadline() {
        let fault = StepFault::errored(Reason::TestTimedOut, format!("before step '{}'", context.label));
        return conclude(&context, began, Err(fault.at_test_deadline()));
    }
    test.run.tell(EventKind::StepStarted { test: test.test.name.clone(), step: context.label.clone() });
    let end = in_step(&context.label, step::play(&context)).await;
    conclude(&context, began, end)
}

/// Writes a step's end down and tells it; a check that only reports becomes a finding.
fn conclude(
    context: &StepContext<'_>,
    began: Instant,
    end: Result<StepEnd, StepFault>,
) -> Result<(), Faulty> {
    let test = context.test;
    let label = &context.label;
    let (outcome, message) = match &end {
        Ok(StepEnd::Done) => (Outcome::Passed, None),
        Ok(StepEnd::Skipped(message)) => (Outcome::Skipped, Some(message.clone())),
        Err(fault) => (fault.outcome, Some(shorten(&fault.message, MESSAGE_LIMIT))),
    };
    let duration_ms = millis(began);
    let mut state = test.state();
    state.steps.push(StepResult {
        step: label.clone(),
        kind: context.step.action.kind().to_owned(),
        outcome,
        started_ms: began.duration_since(test.started).as_millis().try_into().unwrap_or(u64::MAX),
        duration_ms,
        polls: context.polls(),
        message: message.clone(),
    });
    test.run.tell(EventKind::StepFinished {
        test: test.test.name.clone(),
        step: label.clone(),
        outcome,
        duration_ms,
        message: message.clone(),
    });
    match end {
        Ok(StepEnd::Done) => Ok(()),
        Ok(StepEnd::Skipped(message)) => {
            state.skipped.push(SkippedStep { step: label.clone(), message });
            Ok(())
        }
        Err(fault) if context.step.report && fault.outcome == Outcome::Failed => {
            let message = shorten(&fault.message, MESSAGE_LIMIT);
            state.findings.push(Finding { step: label.clone(), message });
            Ok(())
        }
        Err(fault) => Err((label.clone(), fault)),
    }
}

fn millis(since: Instant) -> u64 {
    since.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
}
