//! The five conditions, by the design's table: one row a moment of a run's life. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::outcome::{Reason, Verdict};
use crate::report::RunReport;
use crate::report::status::sentence;

/// Where a run stands, for its conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Something is being done or waited for; `reason` says what.
    Underway {
        /// `WaitingForCredentials`, `Running`, `CleaningUp`, …
        reason: &'static str,
        /// The same for a person.
        message: String,
    },
    /// It ended.
    Ended {
        /// With this verdict.
        verdict: Verdict,
        /// `TestsPassed`, `TestsFailed`, `Leaked`, or why it could not be carried out.
        reason: String,
        /// The same for a person.
        message: String,
        /// It passed and left something behind that counts as a failure (`onLeak: Fail`).
        leaked: bool,
    },
}

impl Moment {
    /// How a report ended; [`None`] while it has not.
    pub fn of_end(report: &RunReport) -> Option<Self> {
        let verdict = report.verdict?;
        let has_leaks = !report.leaked.is_empty() || report.tests.iter().any(|test| !test.leaked.is_empty());
        let only_leaks = verdict == Verdict::Failed
            && has_leaks
            && report.tests.iter().all(|test| {
                matches!(
                    test.counts_as(&crate::outcome::VerdictPolicy {
                        fail_on_leak: false,
                        ..Default::default()
                    }),
                    Verdict::Passed
                )
            });
        let reason = match (verdict, &report.fault) {
            (Verdict::Passed, _) => "TestsPassed".to_owned(),
            (Verdict::Failed, _) if only_leaks => "Leaked".to_owned(),
            (Verdict::Failed, _) => "TestsFailed".to_owned(),
            (Verdict::Cancelled, _) => "Cancelled".to_owned(),
            (Verdict::Errored, Some(fault)) => fault.reason.to_string(),
            (Verdict::Errored, None) => report
                .tests
                .iter()
                .find(|test| test.counts_as(&crate::outcome::VerdictPolicy::default()) == Verdict::Errored)
                .and_then(|test| test.reason)
                .map_or_else(|| "TooFewExecuted".to_owned(), |reason| reason.to_string()),
        };
        Some(Self::Ended { verdict, reason, message: sentence(report), leaked: only_leaks })
    }

    /// An end without any test played.
    pub fn unstartable(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Ended {
            verdict: Verdict::Errored,
            reason: reason.into(),
            message: message.into(),
            leaked: false,
        }
    }

    /// An end because the process that played it ended first.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::unstartable(Reason::Interrupted.to_string(), message)
    }
}

/// The conditions of a moment. What does not change keeps its transition time from `before`.
pub fn conditions(
    moment: &Moment,
    generation: Option<i64>,
    now: Timestamp,
    before: &[Condition],
) -> Vec<Condition> {
    let (reason, message) = match moment {
        Moment::Underway { reason, message } => ((*reason).to_owned(), message.clone()),
        Moment::Ended { reason, message, .. } => (reason.clone(), message.clone()),
    };
    let table: [(&str, &str); 5] = match moment {
        Moment::Underway { .. } => [
            ("Reconciling", "True"),
            ("Stalled", "False"),
            ("Ready", "Unknown"),
            ("Succeeded", "Unknown"),
            ("Finished", "False"),
        ],
        Moment::Ended { verdict, leaked, .. } => {
            let passed = *verdict == Verdict::Passed;
            [
                ("Reconciling", "False"),
                ("Stalled", if passed { "False" } else { "True" }),
                ("Ready", if passed { "True" } else { "False" }),
                ("Succeeded", if passed || *leaked { "True" } else { "False" }),
                ("Finished", "True"),
            ]
        }
    };
    rows(&table, &reason, &message, generation, now, before)
}

/// Conditions of these types and statuses. What does not change keeps its transition time from `before`.
pub fn rows(
    table: &[(&str, &str)],
    reason: &str,
    message: &str,
    generation: Option<i64>,
    now: Timestamp,
    before: &[Condition],
) -> Vec<Condition> {
    // The API server keeps whole seconds; what is compared with what it keeps must, too.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    table
        .iter()
        .map(|(kind, status)| {
            let old = before.iter().find(|old| old.type_ == *kind && old.status == *status);
            Condition {
                type_: (*kind).to_owned(),
                status: (*status).to_owned(),
                reason: reason.to_owned(),
                message: message.to_owned(),
                observed_generation: generation,
                last_transition_time: old.map_or_else(|| Time(now), |old| old.last_transition_time.clone()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn underway(reason: &'static str) -> Moment {
        Moment::Underway { reason, message: String::new() }
    }

    fn ended(verdict: Verdict, leaked: bool) -> Moment {
        Moment::Ended { verdict, reason: "R".into(), message: String::new(), leaked }
    }

    /// The design's table, section 4: Reconciling, Stalled, Ready, Succeeded, Finished.
    #[rstest]
    #[case::waiting(underway("WaitingForCredentials"), ["True", "False", "Unknown", "Unknown", "False"])]
    #[case::running(underway("Running"), ["True", "False", "Unknown", "Unknown", "False"])]
    #[case::passed(ended(Verdict::Passed, false), ["False", "False", "True", "True", "True"])]
    #[case::failed(ended(Verdict::Failed, false), ["False", "True", "False", "False", "True"])]
    #[case::errored(ended(Verdict::Errored, false), ["False", "True", "False", "False", "True"])]
    #[case::cancelled(ended(Verdict::Cancelled, false), ["False", "True", "False", "False", "True"])]
    #[case::passed_but_leaked(ended(Verdict::Failed, true), ["False", "True", "False", "True", "True"])]
    fn every_moment_has_its_row(#[case] moment: Moment, #[case] row: [&str; 5]) {
        let all = conditions(&moment, Some(3), Timestamp::UNIX_EPOCH, &[]);
        let statuses: Vec<&str> = all.iter().map(|one| one.status.as_str()).collect();
        assert_eq!(statuses, row);
        assert!(all.iter().all(|one| one.observed_generation == Some(3)));
    }

    #[test]
    fn a_condition_that_stays_keeps_its_time() {
        let first = conditions(&underway("Pending"), Some(1), Timestamp::UNIX_EPOCH, &[]);
        let later: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        let second = conditions(&ended(Verdict::Passed, false), Some(1), later, &first);
        let time = |kind: &str| {
            second.iter().find(|one| one.type_ == kind).map(|one| one.last_transition_time.0).unwrap()
        };
        assert_eq!(time("Stalled"), Timestamp::UNIX_EPOCH);
        assert_eq!(time("Ready"), later);
    }
}
