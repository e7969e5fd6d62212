//! From what a pod told before to what it tells now, as the events that lead there: pure. Whoever publishes events need
//! not know whether they happened in its own process.

use jiff::Timestamp;

use crate::report::{CurrentStep, RunReport};
use crate::runner::event::{Event, EventKind, RunEnd};

/// The events that lead from `before` to `after`; `acknowledged` are the tests whose outcome the status has already.
pub fn news(before: &RunReport, after: &RunReport, acknowledged: &[String], now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    let mut tell = |at: Option<Timestamp>, kind| events.push(Event { at: at.unwrap_or(now), kind });
    if let Some(run) = after.run.as_ref().filter(|_| before.run.is_none()) {
        tell(after.started, EventKind::RunStarted { run: run.clone() });
    }
    if let Some(facts) = after.facts.as_ref().filter(|_| before.facts.is_none()) {
        tell(None, EventKind::Discovered { facts: Box::new(facts.clone()) });
    }
    if before.planned != after.planned {
        tell(None, EventKind::Planned { tests: after.planned.clone() });
    }
    let suspension = |report: &RunReport| (report.suspended_since, report.suspended_ms);
    if suspension(before) != suspension(after) {
        let (since, before_ms) = suspension(after);
        tell(since, EventKind::Suspended { since, before_ms });
    }
    for result in after.tests.iter().filter(|result| !before.tests.contains(result)) {
        let (name, result) = (&result.name, Box::new(result.clone()));
        // What was told before may have been cut since.
        let is_known = acknowledged.contains(name) || before.tests.iter().any(|test| test.name == *name);
        let kind =
            if is_known { EventKind::TestCarriedOver { result } } else { EventKind::TestFinished { result } };
        tell(None, kind);
    }
    for current in &after.current {
        let known = before.current.iter().find(|known| known.test == current.test);
        for (at, kind) in steps(known, current) {
            tell(at, kind);
        }
    }
    if after.cleaning_up && !before.cleaning_up {
        tell(None, EventKind::CleaningUp);
    }
    if after.verdict.is_some() && before.verdict.is_none() {
        let end = RunEnd { fault: after.fault.clone(), leaked: after.leaked.clone() };
        tell(after.finished, EventKind::RunFinished { end: Box::new(end) });
    }
    events
}

/// What happened in a test that is being played, or waits.
fn steps(known: Option<&CurrentStep>, now: &CurrentStep) -> Vec<(Option<Timestamp>, EventKind)> {
    let CurrentStep { test, step, seen, test_started } = now;
    let nothing = CurrentStep::default();
    let before = known.unwrap_or(&nothing);
    let mut happened = Vec::new();
    if test_started.is_none() {
        if known.is_none() {
            let (test, message) = (test.clone(), step.clone());
            happened.push((None, EventKind::TestWaiting { test, message }));
        }
        return happened;
    }
    let began = before.test_started != *test_started;
    if began {
        happened.push((*test_started, EventKind::TestStarted { test: test.clone() }));
    }
    let stepped = (began || before.step != *step) && !step.is_empty();
    if stepped {
        happened.push((None, EventKind::StepStarted { test: test.clone(), step: step.clone() }));
    }
    if (stepped || before.seen != *seen) && !seen.is_empty() {
        let (test, step, seen) = (test.clone(), step.clone(), seen.clone());
        happened.push((None, EventKind::StepWaiting { test, step, seen }));
    }
    happened
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::VerdictPolicy;
    use crate::report::samples;

    fn folded(from: &RunReport, events: &[Event]) -> RunReport {
        let mut report = from.clone();
        for event in events {
            report.apply(event, &VerdictPolicy::default());
        }
        report
    }

    fn same(one: &RunReport, other: &RunReport) {
        let text = |report: &RunReport| serde_json::to_string_pretty(report).unwrap();
        assert_eq!(text(one), text(other));
    }

    /// What pods tell one after the other while they play: every prefix of a run's events.
    fn tellings() -> Vec<RunReport> {
        let whole = samples::mixed();
        let test = |test: &str| test.to_owned();
        let mut kinds = vec![
            EventKind::RunStarted { run: whole.run.clone().unwrap() },
            EventKind::Discovered { facts: Box::new(whole.facts.clone().unwrap()) },
            EventKind::Planned { tests: whole.planned.clone() },
            EventKind::TestWaiting { test: test("z"), message: "waits for the project".into() },
            EventKind::TestStarted { test: test("a") },
            EventKind::StepStarted { test: test("a"), step: "create".into() },
            EventKind::StepWaiting {
                test: test("a"),
                step: "create".into(),
                seen: "CREATE_IN_PROGRESS".into(),
            },
            EventKind::TestStarted { test: test("z") },
            EventKind::Suspended { since: Some(samples::at(8)), before_ms: 0 },
            EventKind::StepStarted { test: test("a"), step: "look".into() },
            EventKind::Suspended { since: None, before_ms: 2_000 },
            EventKind::TestCleaningUp { test: test("a") },
        ];
        kinds.extend(
            whole.tests.iter().map(|result| EventKind::TestFinished { result: Box::new(result.clone()) }),
        );
        for name in ["a", "z"] {
            let result = crate::outcome::TestResult { name: name.into(), ..whole.tests[0].clone() };
            kinds.push(EventKind::TestFinished { result: Box::new(result) });
        }
        kinds.push(EventKind::CleaningUp);
        let end = RunEnd { fault: whole.fault.clone(), leaked: whole.leaked.clone() };
        kinds.push(EventKind::RunFinished { end: Box::new(end) });
        let mut report = RunReport::default();
        let mut all = vec![report.clone()];
        for (kind, second) in kinds.into_iter().zip(0..) {
            report.apply(&Event { at: samples::at(second), kind }, &VerdictPolicy::default());
            all.push(report.clone());
        }
        all
    }

    #[test]
    fn the_events_lead_from_anything_told_to_anything_told_later() {
        let all = tellings();
        for (index, before) in all.iter().enumerate() {
            for after in &all[index..] {
                let events = news(before, after, &[], samples::at(0));
                same(&folded(before, &events), after);
            }
        }
    }

    #[test]
    fn nothing_new_is_no_event_and_an_end_is_told_once() {
        let all = tellings();
        let last = all.last().unwrap();
        assert!(news(last, last, &[], samples::at(0)).is_empty());
        let ends = |events: &[Event]| {
            events.iter().filter(|event| matches!(event.kind, EventKind::RunFinished { .. })).count()
        };
        assert_eq!(ends(&news(&all[0], last, &[], samples::at(0))), 1);
    }

    #[test]
    fn an_outcome_whose_details_were_cut_is_not_told_again() {
        let before = tellings().pop().unwrap();
        let mut after = before.clone();
        for test in &mut after.tests {
            test.steps.clear();
            test.message = Some("cut".into());
        }
        let events = news(&before, &after, &[], samples::at(0));
        assert!(!events.is_empty());
        let is_carried = |event: &Event| matches!(event.kind, EventKind::TestCarriedOver { .. });
        assert!(events.iter().all(is_carried), "{events:#?}");
    }

    #[test]
    fn what_the_status_has_already_is_not_news() {
        let last = tellings().pop().unwrap();
        let known = [last.tests[0].name.clone()];
        let events = news(&RunReport::default(), &last, &known, samples::at(0));
        let (carried, finished): (Vec<_>, Vec<_>) = events
            .iter()
            .filter(|event| {
                matches!(event.kind, EventKind::TestCarriedOver { .. } | EventKind::TestFinished { .. })
            })
            .partition(|event| matches!(event.kind, EventKind::TestCarriedOver { .. }));
        assert_eq!((carried.len(), finished.len()), (1, last.tests.len() - 1));
    }
}
