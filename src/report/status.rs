//! The report as a `TempestRun`'s status: short for what passed, bounded whatever a cloud says.

use std::mem::take;
use std::time::Duration;

use super::RunReport;
use crate::api::tempest_run::{ChoiceStatus, CloudStatus, Phase, TempestRunStatus, TestStatus};
use crate::outcome::{Evidence, Leak, Outcome, PropagationSummary, TestResult, Verdict, shorten};
use crate::plan::CloudFacts;
use crate::plan::facts::Choice;

/// The most that a status may take as JSON, in bytes. The object stays below 96 KiB with what is around it: its
/// spec, and the managed fields, which name every field of the status once more.
const LIMIT: usize = 44 * 1024;
/// Longest message of a test, in characters.
const MESSAGE: usize = 512;
/// Longest field of evidence, in characters.
const EVIDENCE: usize = 240;
/// Most entries of a list that a cloud can make long.
const ENTRIES: usize = 20;

/// What the status says of a run; conditions are the controller's.
pub fn status(report: &RunReport) -> TempestRunStatus {
    let finished = report.verdict.is_some();
    let phase = match report {
        _ if finished => Phase::Completed,
        RunReport { cleaning_up: true, .. } => Phase::CleaningUp,
        RunReport { suspended_since: Some(_), .. } => Phase::Suspended,
        _ => Phase::Running,
    };
    let mut status = TempestRunStatus {
        phase: Some(phase),
        verdict: report.verdict,
        run_id: report.run.as_ref().map(|run| run.run_id.clone()),
        start_time: report.started,
        attempt_start_time: report.started,
        suspended_since: report.suspended_since,
        suspended_seconds: seconds(Duration::from_millis(report.suspended_ms)),
        completion_time: report.finished,
        duration: report.duration().map(in_words),
        summary: (!report.planned.is_empty()).then_some(report.summary),
        progress: (!report.planned.is_empty())
            .then(|| format!("{}/{}", report.summary.done(), report.planned.len())),
        current_steps: report
            .current
            .iter()
            .take(ENTRIES)
            .map(|current| format!("{}: {}", current.test, current.step))
            .collect(),
        cloud: report.facts.as_ref().map(cloud),
        tests: tests(report),
        propagation: finished.then(|| propagation(&report.tests)).flatten(),
        leaked: leaked(report),
        kept_until: report.tests.iter().filter_map(|test| test.kept_until).max(),
        ..TempestRunStatus::default()
    };
    bound(&mut status);
    status
}

/// Cuts a status to what fits: whoever adds to one that was cut before cuts it again.
pub fn bound(status: &mut TempestRunStatus) {
    // These are bounded by themselves, and not the cloud's.
    let (conditions, history) = (take(&mut status.conditions), take(&mut status.history));
    status.truncated |= status.leaked.len() > ENTRIES;
    status.leaked.truncate(ENTRIES);
    for leak in &mut status.leaked {
        for text in [&mut leak.service, &mut leak.kind, &mut leak.id, &mut leak.name] {
            *text = shorten(text, EVIDENCE);
        }
        leak.message = leak.message.as_deref().map(|message| shorten(message, EVIDENCE));
    }
    shrink(status);
    (status.conditions, status.history) = (conditions, history);
}

/// What is left behind, in a sentence of bounded length.
pub fn in_a_sentence(left: &[Leak]) -> String {
    let things: Vec<String> =
        left.iter().take(ENTRIES).map(|leak| format!("{} {}", leak.kind, leak.id)).collect();
    shorten(&things.join(", "), MESSAGE)
}

/// Ended tests, the interesting ones whole; in the order of their names, so that the list does not jump.
fn tests(report: &RunReport) -> Vec<TestStatus> {
    let mut tests: Vec<TestStatus> = report.tests.iter().map(test).collect();
    tests.sort_by(|one, other| one.name.cmp(&other.name));
    tests
}

fn test(result: &TestResult) -> TestStatus {
    let whole = !matches!(result.outcome, Outcome::Passed);
    TestStatus {
        name: result.name.clone(),
        id: result.id.clone(),
        outcome: Some(result.outcome),
        reason: result.reason,
        message: result.message.as_deref().map(|message| shorten(message, MESSAGE)),
        start_time: result.started,
        duration: result.started.map(|_| in_words(Duration::from_millis(result.duration_ms))),
        tries: Some(result.tries).filter(|tries| *tries > 1),
        step: result.failed_step.as_ref().filter(|_| whole).map(|failed| failed.step.clone()),
        evidence: result.failed_step.as_ref().filter(|_| whole).map(|failed| evidence(&failed.evidence)),
        findings: result.findings.iter().take(ENTRIES).cloned().collect(),
        skipped_steps: result
            .skipped_steps
            .iter()
            .take(ENTRIES)
            .map(|skipped| crate::outcome::SkippedStep {
                step: skipped.step.clone(),
                message: shorten(&skipped.message, EVIDENCE),
            })
            .collect(),
    }
}

fn evidence(evidence: &Evidence) -> Evidence {
    let short = |text: &Option<String>| text.as_deref().map(|text| shorten(text, EVIDENCE));
    Evidence {
        service: short(&evidence.service),
        method: short(&evidence.method),
        path: short(&evidence.path),
        http_status: evidence.http_status,
        request_id: short(&evidence.request_id),
        name_server: short(&evidence.name_server),
        expected: short(&evidence.expected),
        observed: short(&evidence.observed),
    }
}

/// Aliases of extensions that decide about DNS; a cloud has a hundred others.
fn is_about_dns(alias: &str) -> bool {
    alias.contains("dns")
}

fn cloud(facts: &CloudFacts) -> CloudStatus {
    let choice = |choice: &Choice| ChoiceStatus {
        id: choice.id.clone(),
        name: choice.name.clone(),
        why: shorten(&choice.why, EVIDENCE),
    };
    let primary = facts.identities.get(&crate::outcome::Role::Primary);
    CloudStatus {
        region: Some(facts.region.clone()).filter(|region| !region.is_empty()),
        project_id: primary.map(|identity| identity.project_id.clone()),
        services: facts.services.clone(),
        extensions: facts.extensions.iter().filter(|alias| is_about_dns(alias)).cloned().collect(),
        choices: [
            ("image", &facts.image),
            ("flavor", &facts.flavor),
            ("floatingNetwork", &facts.floating_network),
            ("publishedNetwork", &facts.published_network),
        ]
        .into_iter()
        .map(|(name, chosen)| (name.to_owned(), choice(chosen)))
        .collect(),
        nameservers: facts.name_servers.iter().map(|server| server.label.clone()).collect(),
        warnings: facts.warnings.iter().map(|warning| shorten(warning, MESSAGE)).collect(),
    }
}

/// As many as have room, and one more if there are more.
fn leaked(report: &RunReport) -> Vec<Leak> {
    let all = report.tests.iter().flat_map(|test| &test.leaked).chain(&report.leaked);
    all.take(ENTRIES + 1).cloned().collect()
}

/// Over everything that all tests measured.
fn propagation(tests: &[TestResult]) -> Option<PropagationSummary> {
    PropagationSummary::of(tests.iter().flat_map(|test| &test.propagation))
}

/// Takes out the least interesting until the status fits.
fn shrink(status: &mut TempestRunStatus) {
    let cuts: [fn(&mut TestStatus); 5] = [
        |test| test.skipped_steps.clear(),
        |test| test.findings.clear(),
        |test| test.evidence = None,
        |test| test.message = test.message.as_deref().map(|message| shorten(message, 80)),
        // The name and the outcome stay: what is acknowledged is never played again.
        |test| *test = TestStatus { name: test.name.clone(), outcome: test.outcome, ..TestStatus::default() },
    ];
    for cut_one in cuts {
        if size(status) <= LIMIT {
            return;
        }
        status.truncated = true;
        status.tests.iter_mut().for_each(cut_one);
    }
    let mut all = size(status);
    while all > LIMIT && !status.tests.is_empty() {
        // Passed tests say least; the summary still counts them.
        let passed = |test: &TestStatus| test.outcome == Some(Outcome::Passed);
        let index = status.tests.iter().rposition(passed).unwrap_or(status.tests.len() - 1);
        all = all.saturating_sub(size(&status.tests.remove(index)));
    }
}

/// Bytes as JSON.
fn size(of: &impl serde::Serialize) -> usize {
    serde_json::to_string(of).map_or(0, |text| text.len())
}

/// A duration as people write it: `3m12s`; fractions only below ten seconds.
pub fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0..10) => format!("{:.1}s", duration.as_secs_f64()),
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// Whole seconds; [`None`] for none.
pub fn seconds(duration: Duration) -> Option<u32> {
    u32::try_from(duration.as_secs()).ok().filter(|seconds| *seconds > 0)
}

/// The verdict in a sentence, for a condition's message.
pub fn sentence(report: &RunReport) -> String {
    let summary = &report.summary;
    let counts = [
        (summary.passed, "passed"),
        (summary.flaky, "of them flaky"),
        (summary.failed, "failed"),
        (summary.errored, "errored"),
        (summary.skipped, "skipped"),
        (summary.cancelled, "cancelled"),
    ];
    let told: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let mut text = if told.is_empty() { "no test was played".to_owned() } else { told.join(", ") };
    if let Some(fault) = &report.fault {
        text = format!("{text}; {}", shorten(&fault.message, MESSAGE));
    } else if let Some(worst) = report
        .tests
        .iter()
        .find(|test| matches!(test.outcome, Outcome::Failed | Outcome::Errored | Outcome::TimedOut))
    {
        let message = worst.message.as_deref().unwrap_or_default();
        text = format!("{text}; {}: {}", worst.name, shorten(message, MESSAGE));
    }
    if report.verdict == Some(Verdict::Passed) && summary.leaked > 0 {
        text = format!("{text}; {} things could not be removed", summary.leaked);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{FailedStep, Reason, VerdictPolicy};
    use crate::runner::event::{Event, EventKind, RunEnd};
    use rstest::rstest;

    fn hostile(index: usize) -> TestResult {
        let long = "\u{0}\"ü".repeat(400_000);
        TestResult {
            failed_step: Some(FailedStep {
                step: "s".into(),
                evidence: Evidence {
                    observed: Some(long.clone()),
                    expected: Some(long.clone()),
                    ..Evidence::default()
                },
            }),
            started: Some("2026-11-23T00:00:00Z".parse().unwrap()),
            ..TestResult::not_started(
                &format!("test_{index:03}"),
                None,
                Outcome::Failed,
                Reason::RecordMissing,
                long,
            )
        }
    }

    fn report(tests: Vec<TestResult>) -> RunReport {
        let at = "2026-11-23T00:01:00Z".parse().unwrap();
        let mut report = RunReport::default();
        let mut tell = |kind| report.apply(&Event { at, kind }, &VerdictPolicy::default());
        tell(EventKind::Planned { tests: tests.iter().map(|test| test.name.clone()).collect() });
        for test in tests {
            tell(EventKind::TestFinished { result: Box::new(test) });
        }
        tell(EventKind::RunFinished { end: Box::new(RunEnd::default()) });
        report
    }

    #[test]
    fn the_status_is_bounded_whatever_a_cloud_says() {
        let status = status(&report((0..200).map(hostile).collect()));
        let text = serde_json::to_string(&status).unwrap();
        assert!(text.len() <= LIMIT, "{} bytes", text.len());
        assert!(status.truncated);
        assert_eq!(status.summary.unwrap().failed, 200);
    }

    #[test]
    fn what_is_added_to_a_status_is_bounded_too() {
        let long = || "\u{0}ü".repeat(40_000);
        let leak = Leak {
            service: "dns".into(),
            kind: "zone".into(),
            id: long(),
            name: long(),
            removed: false,
            message: Some(long()),
        };
        let mut status = status(&report((0..200).map(hostile).collect()));
        status.truncated = false;
        status.leaked = vec![leak; 300];
        assert!(in_a_sentence(&status.leaked).chars().count() <= MESSAGE + 1);
        bound(&mut status);
        assert_eq!((status.leaked.len(), status.truncated), (ENTRIES, true));
        let text = serde_json::to_string(&status).unwrap();
        assert!(text.len() <= LIMIT, "{} bytes", text.len());
    }

    #[test]
    fn a_passed_test_is_one_short_entry() {
        let passed = TestResult { outcome: Outcome::Passed, reason: None, message: None, ..hostile(1) };
        let status = status(&report(vec![passed]));
        assert_eq!(status.progress.as_deref(), Some("1/1"));
        assert_eq!(status.verdict, Some(Verdict::Passed));
        let test = serde_json::to_value(&status.tests[0]).unwrap();
        assert!(test.get("evidence").is_none() && test.get("message").is_none(), "{test}");
    }

    #[rstest]
    #[case(0, "0.0s")]
    #[case(1_400, "1.4s")]
    #[case(41_999, "41s")]
    #[case(192_000, "3m12s")]
    #[case(3_725_000, "1h2m5s")]
    fn durations_are_written_as_people_write_them(#[case] millis: u64, #[case] words: &str) {
        assert_eq!(in_words(Duration::from_millis(millis)), words);
    }
}
