//! The full report within a size: what says least is cut first, and the cut is marked.

use super::{RunReport, json, junit};
use crate::outcome::{Outcome, TestResult, VerdictPolicy, shorten};

/// The most that the JSON text may take, in bytes: a `ConfigMap` holds 1 MiB in all.
const JSON_LIMIT: usize = 600 * 1024;
/// The most that the `JUnit` text may take, in bytes.
const JUNIT_LIMIT: usize = 300 * 1024;
/// Longest message once messages are cut, in characters.
const MESSAGE: usize = 120;

/// A report written out.
pub struct Texts {
    /// As JSON.
    pub json: String,
    /// As `JUnit` XML; only of a run that has ended.
    pub junit: Option<String>,
    /// Whether something was cut.
    pub truncated: bool,
}

/// Writes a report out, each form within its limit.
pub fn texts(report: &RunReport, policy: &VerdictPolicy) -> Texts {
    // Writing to a string does not fail; were it to, there would be nothing to show.
    let (json, json_cut) = fitting(report, JSON_LIMIT, |report| json::render(report).unwrap_or_default());
    let junit = report
        .verdict
        .map(|_| fitting(report, JUNIT_LIMIT, |report| junit::render(report, policy).unwrap_or_default()));
    let junit_cut = junit.as_ref().is_some_and(|(_, cut)| *cut);
    Texts { json, junit: junit.map(|(text, _)| text), truncated: json_cut || junit_cut }
}

/// Cuts until the text fits; the second value says whether it had to.
fn fitting(report: &RunReport, limit: usize, render: impl Fn(&RunReport) -> String) -> (String, bool) {
    let mut report = report.clone();
    // The runner's own messages are shorter than the limit; whatever is not, is not even written out.
    if report.tests.iter().any(|test| texts_of(test) > limit / 4) {
        report.truncated = true;
        report.tests.iter_mut().for_each(cut_messages);
    }
    let whole = render(&report);
    if whole.len() <= limit {
        return (whole, report.truncated);
    }
    report.truncated = true;
    let passed = |test: &TestResult| test.outcome == Outcome::Passed;
    let cuts: [&dyn Fn(&mut TestResult); 4] = [
        &|test| {
            if passed(test) {
                test.steps.clear();
            }
        },
        &|test| test.steps.clear(),
        &|test| {
            test.findings.clear();
            test.skipped_steps.clear();
            test.propagation.clear();
        },
        &cut_messages,
    ];
    for cut in cuts {
        report.tests.iter_mut().for_each(cut);
        let text = render(&report);
        if text.len() <= limit {
            return (text, true);
        }
    }
    loop {
        // The summary still counts those that go.
        let keep = report.tests.len() / 2;
        report.tests.truncate(keep);
        let text = render(&report);
        if text.len() <= limit || keep == 0 {
            return (text, true);
        }
    }
}

/// How much one test has to say, in bytes.
fn texts_of(test: &TestResult) -> usize {
    let evidence = test.failed_step.as_ref().map(|failed| &failed.evidence);
    let seen =
        evidence.into_iter().flat_map(|evidence| [&evidence.path, &evidence.expected, &evidence.observed]);
    seen.chain([&test.message]).flatten().map(String::len).sum()
}

fn cut_messages(test: &mut TestResult) {
    let short = |text: &mut Option<String>| *text = text.as_deref().map(|text| shorten(text, MESSAGE));
    short(&mut test.message);
    for leak in &mut test.leaked {
        short(&mut leak.message);
    }
    if let Some(failed) = &mut test.failed_step {
        let evidence = &mut failed.evidence;
        for text in [&mut evidence.path, &mut evidence.expected, &mut evidence.observed] {
            short(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_usual_report_is_whole() {
        let texts = texts(&samples::mixed(), &VerdictPolicy::default());
        assert!(!texts.truncated && !texts.json.contains("truncated"));
        let read: RunReport = serde_json::from_str(&texts.json).unwrap();
        assert_eq!(read.tests.len(), samples::mixed().tests.len());
        assert!(texts.junit.unwrap().contains("<testsuite"));
    }

    #[test]
    fn a_run_that_goes_on_has_no_junit_report() {
        let report = RunReport { verdict: None, ..samples::mixed() };
        assert!(texts(&report, &VerdictPolicy::default()).junit.is_none());
    }

    #[test]
    fn a_report_is_cut_and_says_so_whatever_a_cloud_says() {
        let mut report = samples::mixed();
        let mut hostile = samples::errored();
        hostile.message = Some("\u{0}<&\"ü".repeat(2500));
        report.tests =
            (0..80).map(|index| TestResult { name: format!("t{index}"), ..hostile.clone() }).collect();
        let Texts { json, junit, truncated } = texts(&report, &VerdictPolicy::default());
        assert!(truncated);
        assert!(json.len() <= JSON_LIMIT, "{}", json.len());
        assert!(junit.as_ref().is_some_and(|junit| junit.len() <= JUNIT_LIMIT));
        let read: RunReport = serde_json::from_str(&json).unwrap();
        assert!(read.truncated && read.tests.len() == 80, "every outcome is still there");
        assert_eq!(read.verdict, report.verdict);
    }
}
