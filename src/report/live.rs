//! Progress on a terminal: a line a running test with its step and what it sees, and a bar over all.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::progress::Progress;
use super::{RunReport, lines, text};
use crate::outcome::{Outcome, TestResult};
use crate::runner::event::{Event, EventKind};

const TICK: Duration = Duration::from_millis(120);
const WAITING: &str = "{elapsed:>5} {spinner} {wide_msg}";
const TOTAL: &str = "{elapsed:>5} [{bar:30}] {pos}/{len} {wide_msg}";
const TEST: &str = "{elapsed:>5} {spinner} {prefix} {wide_msg}";

/// Draws on a terminal.
pub struct Live {
    screen: MultiProgress,
    total: ProgressBar,
    tests: HashMap<String, ProgressBar>,
}

impl Live {
    /// Draws on standard error.
    pub fn on_stderr() -> Self {
        Self::on(ProgressDrawTarget::stderr())
    }

    /// Draws on `target`.
    pub fn on(target: ProgressDrawTarget) -> Self {
        let screen = MultiProgress::with_draw_target(target);
        let total = screen.add(ProgressBar::new(0));
        total.set_style(style(WAITING));
        total.set_message("looking at the cloud");
        total.enable_steady_tick(TICK);
        Self { screen, total, tests: HashMap::new() }
    }

    /// What is drawn on: whoever else writes to the same terminal does so while it is suspended.
    pub fn screen(&self) -> MultiProgress {
        self.screen.clone()
    }

    fn start(&mut self, test: &str) {
        let bar = self.screen.insert_before(&self.total, ProgressBar::new_spinner());
        bar.set_style(style(TEST));
        bar.set_prefix(text::line(test));
        bar.enable_steady_tick(TICK);
        self.tests.insert(test.to_owned(), bar);
    }

    fn show(&self, test: &str, doing: &str) {
        if let Some(bar) = self.tests.get(test) {
            bar.set_message(text::line(doing));
        }
    }

    fn finish(&mut self, result: &TestResult) {
        if let Some(bar) = self.tests.remove(&result.name) {
            bar.finish_and_clear();
            self.screen.remove(&bar);
        }
        self.print(&format!("{} {}", sign(result.outcome), lines::finished(result)));
    }

    fn print(&self, line: &str) {
        // A terminal that went away ends nothing.
        let _ = self.screen.println(line);
    }

    fn count(&self, report: &RunReport) {
        let summary = &report.summary;
        self.total.set_length(u64::from(summary.total));
        self.total.set_position(u64::from(summary.done()));
        let not_passed = summary.failed + summary.errored;
        let doing = match (report.cleaning_up, not_passed) {
            (true, _) => "cleaning up".to_owned(),
            (false, 0) => format!("{} passed, {} skipped", summary.passed, summary.skipped),
            (false, _) => {
                format!("{} passed, {not_passed} not passed, {} skipped", summary.passed, summary.skipped)
            }
        };
        self.total.set_message(doing);
    }
}

impl Progress for Live {
    fn event(&mut self, event: &Event, report: &RunReport) {
        match &event.kind {
            EventKind::TestStarted { test } => self.start(test),
            EventKind::StepStarted { test, step } => self.show(test, step),
            EventKind::StepWaiting { test, step, seen } => self.show(test, &format!("{step}: {seen}")),
            EventKind::TestCleaningUp { test } => self.show(test, "cleaning up"),
            EventKind::TestFinished { result } => self.finish(result),
            EventKind::RunStarted { .. }
            | EventKind::Discovered { .. }
            | EventKind::TestRetrying { .. }
            | EventKind::Suspended { .. } => {
                let line = lines::describe(&event.kind, report);
                self.print(&line);
            }
            EventKind::Planned { .. } => self.total.set_style(style(TOTAL).progress_chars("=> ")),
            // The result is shown in full where results go.
            EventKind::StepFinished { .. }
            | EventKind::TestCarriedOver { .. }
            | EventKind::TestWaiting { .. }
            | EventKind::CleaningUp
            | EventKind::RunFinished { .. } => {}
        }
        if report.summary.total > 0 {
            self.count(report);
        }
    }

    fn say(&mut self, text: &str) {
        self.print(&text::line(text));
    }

    fn end(&mut self) {
        for (_, bar) in self.tests.drain() {
            bar.finish_and_clear();
        }
        self.total.finish_and_clear();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end();
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants; were one wrong, a plain style would show.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

const fn sign(outcome: Outcome) -> char {
    match outcome {
        Outcome::Passed | Outcome::Flaky | Outcome::ExpectedFailure => '✓',
        Outcome::Skipped | Outcome::Cancelled => '-',
        Outcome::Failed | Outcome::Errored | Outcome::TimedOut | Outcome::UnexpectedPass => '✗',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::VerdictPolicy;
    use crate::report::samples;

    #[test]
    fn a_test_has_a_line_while_it_is_played() {
        let mut live = Live::on(ProgressDrawTarget::hidden());
        let mut report = RunReport::default();
        let mut play = |live: &mut Live, kind| {
            let event = Event { at: samples::at(0), kind };
            report.apply(&event, &VerdictPolicy::default());
            live.event(&event, &report);
        };
        let test = || samples::errored().name;
        play(&mut live, EventKind::Planned { tests: vec![test(), "other".into()] });
        play(&mut live, EventKind::TestStarted { test: test() });
        play(
            &mut live,
            EventKind::StepWaiting {
                test: test(),
                step: "create".into(),
                seen: "IN\u{1b}[2JPROGRESS".into(),
            },
        );
        assert_eq!(live.tests[&test()].message(), "create: IN\\u{1b}[2JPROGRESS");
        play(&mut live, EventKind::TestFinished { result: Box::new(samples::errored()) });
        assert!(live.tests.is_empty());
        assert_eq!((live.total.position(), live.total.length()), (1, Some(2)));
        assert_eq!(live.total.message(), "0 passed, 1 not passed, 0 skipped");
    }

    #[test]
    fn the_templates_are_understood() {
        for template in [WAITING, TOTAL, TEST] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
