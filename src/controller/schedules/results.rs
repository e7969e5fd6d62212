//! How a schedule's runs have been going: results, streak, trend, and which objects are kept. Pure.

use jiff::Timestamp;

use crate::api::schedule::{RunResult, TempestScheduleSpec, TempestScheduleStatus, Trend};
use crate::outcome::Verdict;

/// How many results the status keeps.
const RESULTS: usize = 20;
/// How many ended runs of each kind stay, unless the schedule says otherwise.
const KEPT: u32 = 3;

/// A run that a schedule made.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its name.
    pub name: String,
    /// When it ended, and how; [`None`] while it has not.
    pub end: Option<RunResult>,
    /// Whether something of it is still kept in the cloud, or it is being deleted.
    pub is_held: bool,
}

/// Takes note of runs that ended since.
pub fn note(status: &mut TempestScheduleStatus, runs: &[Run]) {
    let mut new: Vec<&RunResult> = runs.iter().filter_map(|run| run.end.as_ref()).collect();
    // One that ended before the oldest that is remembered is not news.
    let oldest = status.results.get(RESULTS - 1).and_then(|result| result.completion_time);
    new.retain(|end| {
        !status.results.iter().any(|known| is_same(known, end)) && end.completion_time >= oldest
    });
    new.sort_by_key(|end| end.completion_time);
    for end in new {
        match end.verdict {
            Verdict::Passed => {
                (status.consecutive_passes, status.consecutive_failures) = (status.consecutive_passes + 1, 0);
                status.last_successful_time = end.completion_time;
            }
            Verdict::Failed | Verdict::Errored => {
                (status.consecutive_passes, status.consecutive_failures) =
                    (0, status.consecutive_failures + 1);
            }
            Verdict::Cancelled => {}
        }
        status.last_verdict = Some(end.verdict);
        status.results.insert(0, end.clone());
    }
    status.results.truncate(RESULTS);
    status.streak = match (status.consecutive_passes, status.consecutive_failures) {
        (0, 0) => None,
        (0, failures) => Some(format!("{failures} failed")),
        (passes, _) => Some(format!("{passes} passed")),
    };
    status.trend = trend(&status.results);
}

/// A run that is played again ends once more.
fn is_same(one: &RunResult, other: &RunResult) -> bool {
    one.run == other.run
        && one.completion_time.map(Timestamp::as_second) == other.completion_time.map(Timestamp::as_second)
}

fn trend(results: &[RunResult]) -> Option<Trend> {
    let mut passed =
        results.iter().filter(|result| result.verdict == Verdict::Passed).filter_map(|result| result.seconds);
    let last = passed.next()?;
    let mut before: Vec<u64> = passed.collect();
    before.sort_unstable();
    let median = *before.get(before.len() / 2)?;
    let change = (i128::from(last) - i128::from(median)) * 100 / i128::from(median.max(1));
    Some(Trend {
        last_seconds: last,
        median_seconds: median,
        change_percent: i64::try_from(change).unwrap_or(i64::MAX),
    })
}

/// The ended runs that are too many, oldest first.
pub fn too_many(spec: &TempestScheduleSpec, runs: &[Run]) -> Vec<String> {
    let mut ended: Vec<(&Run, &RunResult)> =
        runs.iter().filter(|run| !run.is_held).filter_map(|run| Some((run, run.end.as_ref()?))).collect();
    ended.sort_by_key(|(_, end)| end.completion_time);
    let limits = [(true, spec.successful_runs_history_limit), (false, spec.failed_runs_history_limit)];
    let mut names = Vec::new();
    for (passed, limit) in limits {
        let alike: Vec<_> =
            ended.iter().filter(|(_, end)| (end.verdict == Verdict::Passed) == passed).collect();
        let kept = usize::try_from(limit.unwrap_or(KEPT)).unwrap_or(usize::MAX);
        let surplus = alike.len().saturating_sub(kept);
        names.extend(alike.iter().take(surplus).map(|(run, _)| run.name.clone()));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn ended(number: i64, verdict: Verdict, seconds: u64) -> Run {
        let time = Some(Timestamp::from_second(number * 3600).unwrap());
        let name = format!("nightly-{number}");
        Run {
            name: name.clone(),
            end: Some(RunResult {
                run: name,
                schedule_time: time,
                completion_time: time,
                verdict,
                seconds: Some(seconds),
                passed: None,
            }),
            is_held: false,
        }
    }

    fn noted(verdicts: &[Verdict]) -> TempestScheduleStatus {
        let mut status = TempestScheduleStatus::default();
        let runs: Vec<Run> =
            (1..).zip(verdicts).map(|(number, verdict)| ended(number, *verdict, 10)).collect();
        note(&mut status, &runs);
        // What is known is not counted again.
        let before = status.clone();
        note(&mut status, &runs);
        assert_eq!(status, before);
        status
    }

    #[rstest]
    #[case::none(&[], None, 0)]
    #[case::passes(&[Verdict::Failed, Verdict::Passed, Verdict::Passed], Some("2 passed"), 0)]
    #[case::failures(&[Verdict::Passed, Verdict::Failed, Verdict::Errored], Some("2 failed"), 2)]
    #[case::cancelled_counts_neither_way(&[Verdict::Failed, Verdict::Cancelled, Verdict::Failed], Some("2 failed"), 2)]
    fn a_streak_is_of_runs_that_ended_alike(
        #[case] verdicts: &[Verdict],
        #[case] streak: Option<&str>,
        #[case] failures: u32,
    ) {
        let status = noted(verdicts);
        assert_eq!((status.streak.as_deref(), status.consecutive_failures), (streak, failures));
        assert_eq!(status.last_verdict, verdicts.last().copied());
    }

    #[test]
    fn results_are_bounded_and_what_was_forgotten_is_not_news() {
        let mut status = TempestScheduleStatus::default();
        let runs: Vec<Run> = (1..=50).map(|number| ended(number, Verdict::Passed, 10)).collect();
        note(&mut status, &runs);
        assert_eq!((status.results.len(), status.consecutive_passes), (20, 50));
        assert_eq!(status.results[0].run, "nightly-50");
        note(&mut status, &runs);
        assert_eq!(status.consecutive_passes, 50);
    }

    #[test]
    fn the_trend_is_of_what_passed() {
        let mut status = TempestScheduleStatus::default();
        let took =
            [(Verdict::Passed, 40), (Verdict::Passed, 30), (Verdict::Failed, 900), (Verdict::Passed, 50)];
        let runs: Vec<Run> =
            (1..).zip(took).map(|(number, (verdict, seconds))| ended(number, verdict, seconds)).collect();
        note(&mut status, &runs[..1]);
        assert_eq!(status.trend, None);
        note(&mut status, &runs);
        assert_eq!(status.trend, Some(Trend { last_seconds: 50, median_seconds: 40, change_percent: 25 }));
    }

    #[test]
    fn the_oldest_go_and_what_is_held_stays() {
        let mut runs: Vec<Run> = (1..=6).map(|number| ended(number, Verdict::Passed, 10)).collect();
        runs.push(ended(7, Verdict::Failed, 10));
        runs[1].is_held = true;
        let spec =
            TempestScheduleSpec { failed_runs_history_limit: Some(0), ..TempestScheduleSpec::default() };
        assert_eq!(too_many(&spec, &runs), ["nightly-1", "nightly-3", "nightly-7"]);
    }
}
