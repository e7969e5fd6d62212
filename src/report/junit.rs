//! The report as `JUnit` XML, by the table that also makes the verdict: what counts as failed is a `failure`,
//! what could not be carried out is an `error`.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::json::RenderError;
use super::{RunReport, evidence, text};
use crate::outcome::{Outcome, Propagation, TestResult, Verdict, VerdictPolicy};

const SUITE: &str = "tempest-operator";

/// Renders a report. What is wrong with the run as a whole becomes a test case of its own, so that whoever
/// only counts cases sees it.
pub fn render(report: &RunReport, policy: &VerdictPolicy) -> Result<String, RenderError> {
    let mut suite = TestSuite::new(SUITE);
    suite.timestamp = report.started.and_then(|started| started.to_string().parse().ok());
    if let Some(duration) = report.duration() {
        suite.set_time(duration);
    }
    suite.add_properties(run_properties(report));
    suite.add_test_cases(report.tests.iter().map(|test| case(test, policy)));
    suite.add_test_cases(not_ended(report));
    suite.add_test_cases(of_the_run(report, policy));

    let mut xml = Report::new(SUITE);
    xml.timestamp = suite.timestamp;
    xml.time = suite.time;
    xml.add_test_suite(suite);
    xml.to_string().map_err(RenderError::Junit)
}

fn case(test: &TestResult, policy: &VerdictPolicy) -> TestCase {
    let mut case = TestCase::new(safe(&test.name), status(test, policy));
    case.set_classname(SUITE);
    case.timestamp = test.started.and_then(|started| started.to_string().parse().ok());
    case.set_time(Duration::from_millis(test.duration_ms));
    case.add_property(property("outcome", test.outcome.as_str()));
    if let Some(id) = &test.id {
        case.add_property(property("id", id));
    }
    for measured in &test.propagation {
        case.add_properties(times(measured));
    }
    let log = log(test);
    if !log.is_empty() {
        case.set_system_out(log);
    }
    case
}

fn status(test: &TestResult, policy: &VerdictPolicy) -> TestCaseStatus {
    let kind = match test.counts_as(policy) {
        // What was expected to fail did not pass: whoever counts passed cases does not count it.
        Verdict::Passed if matches!(test.outcome, Outcome::Skipped | Outcome::ExpectedFailure) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(evidence::why(test));
            return status;
        }
        Verdict::Passed if test.outcome == Outcome::Flaky => {
            let mut rerun = TestRerun::new(NonSuccessKind::Failure);
            rerun.set_type(kind_of(test)).set_message(message(test)).set_description(description(test));
            let mut status = TestCaseStatus::success();
            status.add_rerun(rerun);
            return status;
        }
        Verdict::Passed => return TestCaseStatus::success(),
        Verdict::Failed => NonSuccessKind::Failure,
        Verdict::Errored | Verdict::Cancelled => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(kind_of(test)).set_message(message(test)).set_description(description(test));
    status
}

fn kind_of(test: &TestResult) -> String {
    test.reason.map_or_else(|| test.outcome.to_string(), |reason| reason.to_string())
}

fn message(test: &TestResult) -> String {
    let why = evidence::why(test);
    if why.is_empty() { test.outcome.to_string() } else { why }
}

fn description(test: &TestResult) -> String {
    let mut lines = vec![format!("{}\n", message(test))];
    if let Some(failed) = &test.failed_step {
        lines.push(format!("{:<12} {}\n", "step", text::line(&failed.step)));
        lines.push(evidence::lines(&failed.evidence, 0));
    }
    for leak in &test.leaked {
        lines.push(format!("{:<12} {}\n", "left behind", leaked(leak)));
    }
    lines.concat()
}

fn leaked(leak: &crate::outcome::Leak) -> String {
    let state = if leak.removed { "removed afterwards" } else { "still there" };
    text::line(&format!("{} {} {} '{}': {state}", leak.service, leak.kind, leak.id, leak.name))
}

/// The steps and what was learned, as the test's output.
fn log(test: &TestResult) -> String {
    let mut lines = String::new();
    for step in &test.steps {
        let message = step.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
        let took = text::duration(step.duration_ms);
        let polls = text::count(step.polls as usize, "poll");
        let told = format!("{} ({}) {} in {took}, {polls}{message}", step.step, step.kind, step.outcome);
        lines.push_str(&text::line(&told));
        lines.push('\n');
    }
    for skipped in &test.skipped_steps {
        lines.push_str(&text::line(&format!("{} left out: {}", skipped.step, skipped.message)));
        lines.push('\n');
    }
    for finding in &test.findings {
        lines.push_str(&text::line(&format!("{} found: {}", finding.step, finding.message)));
        lines.push('\n');
    }
    lines
}

fn times(measured: &Propagation) -> Vec<Property> {
    let change = if measured.published { "published" } else { "withdrawn" };
    let of = format!("propagation {} {} {change}", measured.name, measured.record_type);
    [
        ("api", measured.api_ms),
        ("first name server", measured.first_name_server_ms),
        ("all name servers", measured.all_name_servers_ms),
        ("active", measured.active_ms),
    ]
    .into_iter()
    .filter_map(|(moment, time)| time.map(|ms| property(&format!("{of} {moment} ms"), &ms.to_string())))
    .collect()
}

fn not_ended(report: &RunReport) -> Vec<TestCase> {
    report
        .planned
        .iter()
        .filter(|name| !report.tests.iter().any(|test| &test.name == *name))
        .map(|name| {
            fault_case(name, NonSuccessKind::Error, "Interrupted", "the test did not end", String::new())
        })
        .collect()
}

fn of_the_run(report: &RunReport, policy: &VerdictPolicy) -> Vec<TestCase> {
    let mut cases = Vec::new();
    if let Some(fault) = &report.fault {
        let message = text::line(&fault.message);
        let details = format!("{message}\n{}", evidence::lines(&fault.evidence, 0));
        cases.push(fault_case(
            "the run",
            NonSuccessKind::Error,
            &fault.reason.to_string(),
            &message,
            details,
        ));
    } else if report.verdict == Some(Verdict::Errored)
        && !report.tests.iter().any(|test| test.counts_as(policy) == Verdict::Errored)
    {
        let message = format!("fewer than {} executed", text::count(policy.min_executed, "test"));
        cases.push(fault_case("the run", NonSuccessKind::Error, "TooFewExecuted", &message, String::new()));
    }
    if policy.fail_on_leak && !report.leaked.is_empty() {
        let message = format!("{} left behind", text::count(report.leaked.len(), "thing"));
        let details = report.leaked.iter().map(|leak| leaked(leak) + "\n").collect();
        cases.push(fault_case("the clean-up", NonSuccessKind::Failure, "Leaked", &message, details));
    }
    cases
}

fn fault_case(name: &str, kind: NonSuccessKind, of: &str, message: &str, details: String) -> TestCase {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(of).set_message(message);
    if !details.is_empty() {
        status.set_description(details);
    }
    let mut case = TestCase::new(safe(name), status);
    case.set_classname(SUITE);
    case
}

fn run_properties(report: &RunReport) -> Vec<Property> {
    let mut properties = Vec::new();
    if let Some(run) = &report.run {
        properties.push(property("run", &run.run_id));
        properties.push(property("installation", &run.installation));
    }
    if let Some(verdict) = report.verdict {
        properties.push(property("verdict", verdict.as_str()));
    }
    if let Some(facts) = &report.facts {
        properties.push(property("region", &facts.region));
        for (what, choice) in [
            ("image", &facts.image),
            ("flavor", &facts.flavor),
            ("floating network", &facts.floating_network),
            ("published network", &facts.published_network),
        ] {
            if let Some(name) = choice.name.as_ref().or(choice.id.as_ref()) {
                properties.push(property(what, name));
            }
        }
    }
    properties
}

fn property(name: &str, value: &str) -> Property {
    Property::new(safe(name), safe(value))
}

fn safe(text: &str) -> String {
    text::line(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn xml(report: &RunReport) -> String {
        render(report, &VerdictPolicy::default()).unwrap()
    }

    #[test]
    fn a_run_of_all_sorts() {
        insta::assert_snapshot!(xml(&samples::mixed()));
    }

    #[test]
    fn a_run_that_could_not_be_carried_out_is_an_error() {
        insta::assert_snapshot!(xml(&samples::broken()));
    }

    #[test]
    fn everything_passed_has_neither_failures_nor_errors() {
        let report = Report::deserialize_from_str(&xml(&samples::all_passed())).unwrap();
        assert_eq!((report.tests, report.failures, report.errors), (1, 0, 0));
    }

    #[test]
    fn a_run_in_which_nothing_was_executed_is_not_green() {
        let report = Report::deserialize_from_str(&xml(&samples::of(vec![samples::skipped()], None, vec![])));
        let report = report.unwrap();
        assert_eq!((report.tests, report.failures, report.errors), (2, 0, 1));
    }

    #[test]
    fn a_required_test_that_was_skipped_is_a_failure() {
        let test = TestResult { required: true, ..samples::skipped() };
        let report = Report::deserialize_from_str(&xml(&samples::of(vec![test], None, vec![]))).unwrap();
        assert_eq!(report.failures, 1);
    }

    #[test]
    fn a_cancelled_test_is_not_green() {
        let report = Report::deserialize_from_str(&xml(&samples::cancelled())).unwrap();
        assert_eq!(report.errors, 1);
    }

    #[test]
    fn a_test_that_did_not_end_is_an_error() {
        let mut report = samples::all_passed();
        report.planned.push("cut_short".into());
        let report = Report::deserialize_from_str(&xml(&report)).unwrap();
        assert_eq!(report.errors, 1);
    }

    #[test]
    fn hostile_text_stays_text() {
        let xml = xml(&samples::hostile());
        assert!(!xml.chars().any(|character| text::is_unsafe(character) && character != '\n'), "{xml}");
        assert!(!xml.contains("<script>") && !xml.contains('\u{fffe}'), "{xml}");
        Report::deserialize_from_str(&xml).unwrap();
    }
}
