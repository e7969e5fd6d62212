//! Progress for a pipe or a log: one line an event.

use std::io::Write;

use jiff::{Timestamp, Unit};

use super::progress::Progress;
use super::{RunReport, evidence, table, text};
use crate::outcome::{Outcome, TestResult};
use crate::plan::CloudFacts;
use crate::runner::event::{Event, EventKind};

/// Writes one line an event.
pub struct Lines<W> {
    to: W,
}

impl<W: Write> Lines<W> {
    /// Writes to `to`.
    pub const fn new(to: W) -> Self {
        Self { to }
    }

    fn write(&mut self, line: &str) {
        // Nobody reads any more: that is no reason to end the run, which has to clean up.
        let _ = writeln!(self.to, "{line}").and_then(|()| self.to.flush());
    }
}

impl<W: Write + Send> Progress for Lines<W> {
    fn event(&mut self, event: &Event, report: &RunReport) {
        let line = format!("{} {}", clock(event.at), describe(&event.kind, report));
        self.write(&line);
    }

    fn say(&mut self, text: &str) {
        self.write(&text::line(text));
    }

    fn end(&mut self) {}
}

fn clock(at: Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}

/// An event in one safe line.
pub fn describe(event: &EventKind, report: &RunReport) -> String {
    let line = match event {
        EventKind::RunStarted { run } => {
            format!("run {} of installation {} started", run.run_id, run.installation)
        }
        EventKind::Discovered { facts } => discovered(facts),
        EventKind::Planned { tests } => format!("planned {}", text::count(tests.len(), "test")),
        EventKind::TestStarted { test } => format!("{test}: started"),
        EventKind::StepStarted { test, step } => format!("{test}: {step}"),
        EventKind::StepWaiting { test, step, seen } => format!("{test}: {step}: {seen}"),
        EventKind::StepFinished { test, step, outcome, duration_ms, message } => {
            let message = message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
            format!("{test}: {step}: {outcome} after {}{message}", text::duration(*duration_ms))
        }
        EventKind::TestCleaningUp { test } => format!("{test}: cleaning up"),
        EventKind::TestFinished { result } => {
            let summary = &report.summary;
            format!("{} ({}/{})", finished(result), summary.done(), summary.total)
        }
        EventKind::TestWaiting { test, message } => format!("{test}: {message}"),
        EventKind::TestRetrying { test, tries, outcome, message } => {
            format!("{test}: {outcome}: {message}; try {tries} begins")
        }
        EventKind::Suspended { since: Some(_), .. } => "suspended: no new test begins".to_owned(),
        EventKind::Suspended { since: None, .. } => "resumed".to_owned(),
        EventKind::TestCarriedOver { result } => format!("{}: {} before", result.name, result.outcome),
        EventKind::CleaningUp => "cleaning up".to_owned(),
        EventKind::RunFinished { .. } => table::verdict(report),
    };
    text::line(&line)
}

/// How a test ended, in one line.
pub fn finished(result: &TestResult) -> String {
    let mut parts = vec![format!("{}: {}", result.name, result.outcome)];
    if result.started.is_some() {
        parts.push(format!(" in {}", text::duration(result.duration_ms)));
    }
    let why = evidence::why(result);
    if result.outcome != Outcome::Passed && !why.is_empty() {
        parts.push(format!(": {why}"));
    }
    let left = result.leaked.iter().filter(|leak| !leak.removed).count();
    if left > 0 {
        parts.push(format!("; {} left behind", text::count(left, "thing")));
    }
    text::line(&parts.concat())
}

fn discovered(facts: &CloudFacts) -> String {
    let project = facts.identities.get(&crate::outcome::Role::Primary).map(|who| who.project_name.as_str());
    let warnings = match facts.warnings.len() {
        0 => String::new(),
        number => format!(", {}", text::count(number, "warning")),
    };
    format!(
        "found region {}, project {}, {}{warnings}",
        facts.region,
        project.unwrap_or("?"),
        text::count(facts.services.len(), "service")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::VerdictPolicy;
    use crate::report::samples;
    use crate::runner::event::RunEnd;

    fn played(kinds: Vec<EventKind>) -> String {
        let mut lines = Lines::new(Vec::new());
        let mut report = RunReport::default();
        for (kind, second) in kinds.into_iter().zip(0..) {
            let event = Event { at: samples::at(second), kind };
            report.apply(&event, &VerdictPolicy::default());
            lines.event(&event, &report);
        }
        lines.say("cancelling");
        String::from_utf8(lines.to).unwrap()
    }

    #[test]
    fn one_line_an_event() {
        let test = || "heat_zone_lifecycle".to_owned();
        let told = played(vec![
            EventKind::RunStarted { run: samples::mixed().run.unwrap() },
            EventKind::Discovered { facts: Box::new(samples::mixed().facts.unwrap()) },
            EventKind::Planned { tests: vec![test(), "port_on_external_net_to_dns".into()] },
            EventKind::TestFinished { result: Box::new(samples::skipped()) },
            EventKind::TestStarted { test: test() },
            EventKind::StepStarted { test: test(), step: "create".into() },
            EventKind::StepWaiting {
                test: test(),
                step: "create".into(),
                seen: "CREATE_IN_\nPROGRESS\u{1b}[2J".into(),
            },
            EventKind::StepFinished {
                test: test(),
                step: "create".into(),
                outcome: Outcome::Errored,
                duration_ms: 3200,
                message: Some("500 Internal Server Error".into()),
            },
            EventKind::TestCleaningUp { test: test() },
            EventKind::TestFinished { result: Box::new(samples::errored()) },
            EventKind::CleaningUp,
            EventKind::RunFinished { end: Box::new(RunEnd::default()) },
        ]);
        assert_eq!(told.lines().count(), 13);
        insta::assert_snapshot!("one_line_an_event", told);
    }

    #[test]
    fn a_reader_that_went_away_ends_nothing() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        Lines::new(Gone).say("hello");
    }
}
