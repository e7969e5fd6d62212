//! What has become of a run's pod: pure.

use std::time::Duration;

/// How long a pod may take until it plays: to be scheduled, to pull its image, to begin.
pub const START_BOUND: Duration = Duration::from_mins(10);

/// What is known of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its Job.
    pub job: JobState,
    /// Its lease of the attempt.
    pub lease: LeaseState,
    /// Whether it told the end of the run.
    pub told_the_end: bool,
    /// How long it has been waited for.
    pub waited: Duration,
    /// Whether the run is to end.
    pub cancelled: bool,
}

/// A Job as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// There is none.
    Gone,
    /// It has a pod, or makes one.
    Active,
    /// It makes no pod any more.
    Ended {
        /// Why, in Kubernetes' words.
        why: String,
    },
}

/// A lease as its observer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// No pod has taken it.
    Absent,
    /// A pod holds it.
    Held,
    /// The pod that held it gave it back, or was not heard of for too long.
    Free,
    /// Nobody may have it any more.
    Retired,
}

/// What has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is waited for.
    Starting,
    /// It plays.
    Playing,
    /// It told the end of the run.
    Finished,
    /// It plays no more, or never will, and did not tell the end.
    Lost {
        /// How that is known.
        why: String,
    },
}

/// Decides.
pub fn fate(seen: &Seen) -> Fate {
    let lost = |why: &str| Fate::Lost { why: why.to_owned() };
    if seen.told_the_end {
        return Fate::Finished;
    }
    match (seen.lease, &seen.job) {
        (LeaseState::Held, _) => Fate::Playing,
        (_, JobState::Ended { why }) => lost(why),
        (LeaseState::Free | LeaseState::Retired, JobState::Gone) => lost("its Job was deleted"),
        (LeaseState::Free | LeaseState::Retired, JobState::Active) => lost("it is not heard of any more"),
        (LeaseState::Absent, JobState::Gone) => lost("its Job was deleted before it began"),
        (LeaseState::Absent, JobState::Active) if seen.cancelled => lost("the run ends before it began"),
        (LeaseState::Absent, JobState::Active) if seen.waited >= START_BOUND => {
            lost("it did not begin within 10 minutes; the events of its Job and pod say why")
        }
        (LeaseState::Absent, JobState::Active) => Fate::Starting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn seen(lease: LeaseState, job: JobState) -> Seen {
        Seen { job, lease, told_the_end: false, waited: Duration::ZERO, cancelled: false }
    }

    fn ended() -> JobState {
        JobState::Ended { why: "BackoffLimitExceeded".to_owned() }
    }

    const STARTING: Result<Fate, &str> = Ok(Fate::Starting);
    const PLAYING: Result<Fate, &str> = Ok(Fate::Playing);
    const FINISHED: Result<Fate, &str> = Ok(Fate::Finished);

    #[rstest]
    #[case::is_made(seen(LeaseState::Absent, JobState::Active), STARTING)]
    #[case::plays(seen(LeaseState::Held, JobState::Active), PLAYING)]
    #[case::plays_although_its_job_is_gone(seen(LeaseState::Held, JobState::Gone), PLAYING)]
    #[case::may_still_play_although_its_job_failed(seen(LeaseState::Held, ended()), PLAYING)]
    #[case::is_cancelled_and_undoes(Seen { cancelled: true, ..seen(LeaseState::Held, JobState::Active) }, PLAYING)]
    #[case::told_the_end(Seen { told_the_end: true, ..seen(LeaseState::Held, JobState::Active) }, FINISHED)]
    #[case::told_the_end_before_the_operator_came(
        Seen { told_the_end: true, ..seen(LeaseState::Retired, JobState::Gone) }, FINISHED
    )]
    #[case::failed(seen(LeaseState::Free, ended()), Err("BackoffLimitExceeded"))]
    #[case::its_node_was_lost(seen(LeaseState::Free, JobState::Active), Err("not heard of"))]
    #[case::was_deleted(seen(LeaseState::Free, JobState::Gone), Err("deleted"))]
    #[case::never_began(seen(LeaseState::Absent, ended()), Err("BackoffLimitExceeded"))]
    #[case::never_began_and_was_deleted(seen(LeaseState::Absent, JobState::Gone), Err("before it began"))]
    #[case::cannot_be_started(
        Seen { waited: START_BOUND, ..seen(LeaseState::Absent, JobState::Active) }, Err("10 minutes")
    )]
    #[case::cancelled_before_it_began(
        Seen { cancelled: true, ..seen(LeaseState::Absent, JobState::Active) }, Err("the run ends")
    )]
    #[case::was_retired_before(seen(LeaseState::Retired, JobState::Active), Err("not heard of"))]
    fn one_row_one_fate(#[case] seen: Seen, #[case] expected: Result<Fate, &str>) {
        match (fate(&seen), expected) {
            (Fate::Lost { why }, Err(words)) => assert!(why.contains(words), "{why}"),
            (fate, expected) => assert_eq!(Ok(fate), expected),
        }
    }
}
