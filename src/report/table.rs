//! The report for people: a line a test, then what did not pass and why, DNS times, what was left behind.

use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::{RunReport, evidence, text};
use crate::outcome::{
    ChangePercentiles, Leak, Percentiles, Propagation, PropagationSummary, TestResult, Verdict, VerdictPolicy,
};

/// A test that measured more record sets than this is shown by its percentiles.
const SINGLE_TIMES: usize = 12;

/// Renders a report, for a terminal of `width` columns if there is one.
pub fn render(report: &RunReport, policy: &VerdictPolicy, width: Option<u16>) -> String {
    let mut sections = Vec::new();
    if !report.tests.is_empty() {
        sections.push(tests(&report.tests, width));
    }
    sections
        .extend(report.tests.iter().filter(|test| test.counts_as(policy) != Verdict::Passed).map(not_passed));
    sections.extend(notes(&report.tests));
    sections.extend(propagation(&report.tests, width));
    sections.extend(percentiles(&report.tests, width));
    sections.extend(left_behind(report, width));
    if let Some(fault) = &report.fault {
        sections.push(format!(
            "The run stopped: {}: {}\n{}",
            fault.reason,
            text::line(&fault.message),
            evidence::lines(&fault.evidence, 2)
        ));
    }
    sections.push(format!("{}\n", verdict(report)));
    sections.join("\n")
}

/// An unadorned table with `header`.
pub fn plain(header: &[&str], rows: Vec<Vec<String>>, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header.to_vec());
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(40));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

fn tests(tests: &[TestResult], width: Option<u16>) -> String {
    let rows = tests
        .iter()
        .map(|test| {
            let took = test.started.map(|_| text::duration(test.duration_ms));
            vec![
                text::line(&test.name),
                test.outcome.to_string(),
                took.unwrap_or_else(|| "-".to_owned()),
                text::cut(&evidence::why(test), 200),
            ]
        })
        .collect();
    plain(&["TEST", "OUTCOME", "DURATION", "WHY"], rows, width)
}

fn not_passed(test: &TestResult) -> String {
    let step = test
        .failed_step
        .as_ref()
        .map(|failed| format!(" at step '{}'", text::line(&failed.step)))
        .unwrap_or_default();
    let facts =
        test.failed_step.as_ref().map(|failed| evidence::lines(&failed.evidence, 2)).unwrap_or_default();
    format!("{} {}{step}\n  {}\n{facts}", test.outcome, text::line(&test.name), evidence::why(test))
}

fn notes(tests: &[TestResult]) -> Option<String> {
    let mut lines = Vec::new();
    for test in tests {
        for skipped in &test.skipped_steps {
            let (step, why) = (text::line(&skipped.step), text::line(&skipped.message));
            lines.push(format!("  {}: step '{step}' left out: {why}\n", text::line(&test.name)));
        }
        for finding in &test.findings {
            let (step, what) = (text::line(&finding.step), text::line(&finding.message));
            lines.push(format!("  {}: step '{step}' found: {what}\n", text::line(&test.name)));
        }
    }
    (!lines.is_empty()).then(|| format!("Notes\n{}", lines.concat()))
}

fn propagation(tests: &[TestResult], width: Option<u16>) -> Option<String> {
    let few = tests.iter().filter(|test| test.propagation.len() <= SINGLE_TIMES);
    let rows: Vec<_> = few.flat_map(|test| &test.propagation).map(propagation_row).collect();
    (!rows.is_empty()).then(|| {
        let header = ["NAME", "TYPE", "CHANGE", "API", "FIRST NS", "ALL NS", "ACTIVE"];
        format!(
            "DNS propagation, since the change was accepted (≤: true when first looked at)\n{}",
            plain(&header, rows, width)
        )
    })
}

fn propagation_row(measured: &Propagation) -> Vec<String> {
    let time = |time: Option<u64>| match time {
        None => "-".to_owned(),
        Some(ms) if measured.is_upper_bound(ms) => format!("≤ {ms} ms"),
        Some(ms) => format!("{ms} ms"),
    };
    vec![
        text::line(&measured.name),
        text::line(&measured.record_type),
        if measured.published { "published" } else { "withdrawn" }.to_owned(),
        time(measured.api_ms),
        time(measured.first_name_server_ms),
        time(measured.all_name_servers_ms),
        time(measured.active_ms),
    ]
}

/// For tests that measured much: over their record sets, for all name servers and for each.
fn percentiles(tests: &[TestResult], width: Option<u16>) -> Option<String> {
    let mut rows = Vec::new();
    for test in tests.iter().filter(|test| test.propagation.len() > SINGLE_TIMES) {
        let Some(summary) = PropagationSummary::of(&test.propagation) else { continue };
        for (change, of) in [("published", &summary.published), ("withdrawn", &summary.withdrawn)] {
            rows.extend(of.iter().flat_map(|of| percentile_rows(&test.name, change, of)));
        }
    }
    (!rows.is_empty()).then(|| {
        let header = ["TEST", "CHANGE", "NAME SERVER", "COUNT", "P50", "P95", "MAX"];
        format!("DNS propagation, over many changes\n{}", plain(&header, rows, width))
    })
}

fn percentile_rows(test: &str, change: &str, of: &ChangePercentiles) -> Vec<Vec<String>> {
    let row = |server: &str, of: &Percentiles| {
        let times = [of.p50_ms, of.p95_ms, of.max_ms].map(|ms| format!("{ms} ms"));
        let mut row = vec![text::line(test), change.to_owned(), text::line(server), of.count.to_string()];
        row.extend(times);
        row
    };
    let mut rows = vec![row("all", &of.all)];
    rows.extend(of.name_servers.iter().map(|(server, of)| row(server, of)));
    rows
}

fn left_behind(report: &RunReport, width: Option<u16>) -> Option<String> {
    let of_tests =
        report.tests.iter().flat_map(|test| test.leaked.iter().map(move |leak| (test.name.as_str(), leak)));
    let of_run = report.leaked.iter().map(|leak| ("", leak));
    let rows: Vec<_> = of_tests
        .chain(of_run)
        .map(|(test, leak)| {
            let mut row = leak_row(leak);
            row.push(text::line(test));
            row
        })
        .collect();
    (!rows.is_empty()).then(|| {
        let header = ["SERVICE", "KIND", "ID", "NAME", "STATE", "TEST"];
        format!("Left behind\n{}", plain(&header, rows, width))
    })
}

/// Leaks as a table.
pub fn leaks(leaks: &[Leak], width: Option<u16>) -> String {
    plain(&["SERVICE", "KIND", "ID", "NAME", "STATE"], leaks.iter().map(leak_row).collect(), width)
}

fn leak_row(leak: &Leak) -> Vec<String> {
    let state = match (&leak.message, leak.removed) {
        (_, true) => "removed".to_owned(),
        (Some(message), false) => format!("still there: {}", text::cut(&text::line(message), 200)),
        (None, false) => "still there".to_owned(),
    };
    vec![
        text::line(&leak.service),
        text::line(&leak.kind),
        text::line(&leak.id),
        text::line(&leak.name),
        state,
    ]
}

/// The last line: what the run says of the cloud.
pub fn verdict(report: &RunReport) -> String {
    let summary = &report.summary;
    let counts: Vec<_> = [
        (summary.passed, "passed"),
        (summary.failed, "failed"),
        (summary.errored, "errored"),
        (summary.cancelled, "cancelled"),
        (summary.skipped, "skipped"),
        (summary.flaky, "flaky"),
        (summary.leaked, "leaked"),
    ]
    .into_iter()
    .filter(|(count, word)| *count > 0 || *word == "passed")
    .map(|(count, word)| format!("{count} {word}"))
    .collect();
    let word = report.verdict.map_or("Unfinished", Verdict::as_str);
    let millis = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let took =
        report.duration().map(|took| format!(" in {}", text::duration(millis(took)))).unwrap_or_default();
    let run = report.run.as_ref().map(|run| format!(" (run {})", run.run_id)).unwrap_or_default();
    format!("{word}: {} of {}{took}{run}", counts.join(", "), text::count(summary.total as usize, "test"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn wide(report: &RunReport) -> String {
        render(report, &VerdictPolicy::default(), None)
    }

    #[test]
    fn everything_passed() {
        insta::assert_snapshot!(wide(&samples::all_passed()));
    }

    #[test]
    fn a_run_of_all_sorts() {
        insta::assert_snapshot!(wide(&samples::mixed()));
    }

    #[test]
    fn a_run_that_could_not_be_carried_out() {
        insta::assert_snapshot!(wide(&samples::broken()));
    }

    #[test]
    fn a_narrow_terminal_wraps() {
        let text = render(&samples::mixed(), &VerdictPolicy::default(), Some(80));
        let table = text.split("\n\n").next().unwrap();
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    }

    #[test]
    fn hostile_text_is_made_visible() {
        let text = wide(&samples::hostile());
        assert!(!text.chars().any(|character| text::is_unsafe(character) && character != '\n'), "{text}");
        insta::assert_snapshot!(text);
    }
}
