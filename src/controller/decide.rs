//! What is done next: facts in, exactly one step out. Pure; every row has a test.

use std::time::Duration;

/// How long a deletion waits for a cloud to be cleaned before it lets go.
pub const CLEANUP_BOUND: Duration = Duration::from_mins(15);
/// The same when the Secret is gone, so that nothing can be cleaned.
pub const CLEANUP_BOUND_WITHOUT_CREDENTIALS: Duration = Duration::from_mins(1);

/// What is known of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each seen by itself")]
pub struct Observed {
    /// How long ago its deletion was asked for.
    pub deleting_for: Option<Duration>,
    /// Whether our finalizer holds it.
    pub has_finalizer: bool,
    /// Whether `spec.cancel` is set.
    pub cancel: bool,
    /// Whether its status says that it began, and not that it ended.
    pub began: bool,
    /// Whether its status says that it ended.
    pub ended: bool,
    /// How long the object is still wanted, if it is to be deleted after its end.
    pub time_to_live: Option<Duration>,
    /// Whether its status speaks of the spec as it is now.
    pub is_current: bool,
    /// Whether a ledger of it exists.
    pub has_ledger: bool,
    /// What this process is doing for it.
    pub task: Task,
    /// Whether its credentials can be used; not looked at unless they are needed.
    pub credentials: Credentials,
    /// Whether the time to wait for credentials is over.
    pub start_deadline_passed: bool,
    /// Whether this process stops.
    pub stopping: bool,
}

/// What this process is doing for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Nothing.
    None,
    /// Playing it, or undoing for it.
    Underway,
    /// The undoing for its deletion was tried and left something.
    UndoingFailed,
}

/// Whether credentials can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody looked.
    NotNeeded,
    /// They can.
    Usable,
    /// Not now; waiting may help.
    Unusable {
        /// `SecretNotFound`, `SecretNotAllowed`, `SecretMalformed`, …
        reason: &'static str,
        /// The same for a person, with the next step.
        message: String,
    },
    /// They can, but the spec asks for what cannot be.
    BadSpec {
        /// For a person, with the field.
        message: String,
    },
}

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing to do until something changes.
    Rest,
    /// Look again soon.
    LookAgain,
    /// Say of an ended run that a later edit of its spec was seen: who waits for a condition waits for that too.
    Acknowledge,
    /// Delete the object: its time after the end is over.
    Delete,
    /// Look again when that time is over.
    LookAgainIn(Duration),
    /// Hold the object, so that it cannot vanish with things still in a cloud.
    AddFinalizer,
    /// Play it.
    Start,
    /// Say that it waits.
    Wait {
        /// What for.
        message: String,
    },
    /// End it: it cannot be started.
    EndUnstartable {
        /// Why.
        reason: String,
        /// The same for a person.
        message: String,
    },
    /// End it: cancelled before it began.
    EndCancelled,
    /// Tell the task to stop and undo.
    CancelTask,
    /// Undo what an earlier process left, then end it as interrupted.
    UndoInterrupted,
    /// End it as interrupted: nothing is left to undo, or nothing can be.
    EndInterrupted {
        /// What is to be known.
        message: String,
    },
    /// Undo for the deletion.
    UndoForDeletion,
    /// Let the object go.
    Release {
        /// Whether something may be left in the cloud.
        abandoned: bool,
    },
}

impl Observed {
    /// Whether the decision depends on credentials, so that they must be looked at.
    pub fn needs_credentials(&self) -> bool {
        if self.task == Task::Underway {
            return false;
        }
        match self.deleting_for {
            Some(_) => self.has_finalizer && self.has_ledger,
            None => !self.ended && (self.began || !self.cancel),
        }
    }
}

/// Decides.
pub fn decide(observed: &Observed) -> Decision {
    match observed.deleting_for {
        Some(deleting_for) => decide_deleting(observed, deleting_for),
        None if observed.stopping => Decision::Rest,
        None => decide_living(observed),
    }
}

fn decide_deleting(observed: &Observed, deleting_for: Duration) -> Decision {
    if !observed.has_finalizer {
        return Decision::Rest;
    }
    if observed.task == Task::Underway {
        return Decision::CancelTask;
    }
    if !observed.has_ledger {
        return Decision::Release { abandoned: false };
    }
    let usable = observed.credentials == Credentials::Usable;
    let bound = if usable { CLEANUP_BOUND } else { CLEANUP_BOUND_WITHOUT_CREDENTIALS };
    if deleting_for >= bound {
        return Decision::Release { abandoned: true };
    }
    if usable { Decision::UndoForDeletion } else { Decision::LookAgain }
}

fn decide_living(observed: &Observed) -> Decision {
    if observed.task == Task::Underway {
        return match observed {
            // The task is about to be over, and no event will tell of that.
            Observed { ended: true, .. } => Decision::LookAgain,
            Observed { cancel: true, .. } => Decision::CancelTask,
            _ => Decision::Rest,
        };
    }
    if observed.ended {
        return match observed {
            Observed { is_current: false, .. } => Decision::Acknowledge,
            // Nothing is left in a cloud: it can be deleted without us, too.
            Observed { has_finalizer: true, has_ledger: false, .. } => Decision::Release { abandoned: false },
            Observed { time_to_live: Some(Duration::ZERO), .. } => Decision::Delete,
            Observed { time_to_live: Some(rest), .. } => Decision::LookAgainIn(*rest),
            _ => Decision::Rest,
        };
    }
    if observed.began {
        return decide_interrupted(observed);
    }
    if observed.cancel {
        return Decision::EndCancelled;
    }
    match &observed.credentials {
        Credentials::NotNeeded => Decision::LookAgain,
        Credentials::BadSpec { message } => {
            Decision::EndUnstartable { reason: "InvalidSpec".to_owned(), message: message.clone() }
        }
        Credentials::Unusable { reason, message } if observed.start_deadline_passed => {
            Decision::EndUnstartable { reason: (*reason).to_owned(), message: message.clone() }
        }
        Credentials::Unusable { message, .. } => Decision::Wait { message: message.clone() },
        Credentials::Usable if !observed.has_finalizer => Decision::AddFinalizer,
        Credentials::Usable => Decision::Start,
    }
}

/// It began, it did not end, and nobody here plays it: the process that did is gone.
fn decide_interrupted(observed: &Observed) -> Decision {
    let ended = |message: &str| Decision::EndInterrupted {
        message: format!("the operator that played it ended before it did; {message}"),
    };
    match (&observed.credentials, observed.has_ledger) {
        (_, false) => ended("nothing was left to undo"),
        (Credentials::Usable, true) => Decision::UndoInterrupted,
        (Credentials::Unusable { message, .. } | Credentials::BadSpec { message }, true) => {
            ended(&format!("what it made could not be undone: {message}"))
        }
        (Credentials::NotNeeded, true) => Decision::LookAgain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn fresh() -> Observed {
        Observed {
            deleting_for: None,
            has_finalizer: true,
            cancel: false,
            began: false,
            ended: false,
            time_to_live: None,
            is_current: true,
            has_ledger: false,
            task: Task::None,
            credentials: Credentials::Usable,
            start_deadline_passed: false,
            stopping: false,
        }
    }

    fn unusable() -> Credentials {
        Credentials::Unusable { reason: "SecretNotFound", message: "no Secret".into() }
    }

    fn deleting(seconds: u64) -> Observed {
        Observed { deleting_for: Some(Duration::from_secs(seconds)), has_ledger: true, ..fresh() }
    }

    #[rstest]
    #[case::is_held_before_anything_is_made(Observed { has_finalizer: false, ..fresh() }, Decision::AddFinalizer)]
    #[case::starts(fresh(), Decision::Start)]
    #[case::waits_for_credentials(Observed { credentials: unusable(), ..fresh() }, Decision::Wait { message: "no Secret".into() })]
    #[case::waits_only_so_long(
        Observed { credentials: unusable(), start_deadline_passed: true, ..fresh() },
        Decision::EndUnstartable { reason: "SecretNotFound".into(), message: "no Secret".into() }
    )]
    #[case::a_bad_spec_is_not_waited_for(
        Observed { credentials: Credentials::BadSpec { message: "glob".into() }, ..fresh() },
        Decision::EndUnstartable { reason: "InvalidSpec".into(), message: "glob".into() }
    )]
    #[case::cancelled_before_it_began(Observed { cancel: true, ..fresh() }, Decision::EndCancelled)]
    #[case::plays_on(Observed { began: true, task: Task::Underway, ..fresh() }, Decision::Rest)]
    #[case::cancelled_while_it_plays(Observed { began: true, cancel: true, task: Task::Underway, ..fresh() }, Decision::CancelTask)]
    #[case::ended(Observed { ended: true, ..fresh() }, Decision::Release { abandoned: false })]
    #[case::ended_and_released(Observed { ended: true, has_finalizer: false, ..fresh() }, Decision::Rest)]
    #[case::ended_and_wanted_for_a_while(
        Observed { ended: true, has_finalizer: false, time_to_live: Some(Duration::from_secs(9)), ..fresh() },
        Decision::LookAgainIn(Duration::from_secs(9))
    )]
    #[case::ended_and_not_wanted_any_more(
        Observed { ended: true, has_finalizer: false, time_to_live: Some(Duration::ZERO), ..fresh() },
        Decision::Delete
    )]
    #[case::ended_with_something_left_and_not_wanted_any_more(
        Observed { ended: true, has_ledger: true, time_to_live: Some(Duration::ZERO), ..fresh() },
        Decision::Delete
    )]
    #[case::ended_with_something_left(Observed { ended: true, has_ledger: true, ..fresh() }, Decision::Rest)]
    #[case::ended_stays_ended_when_cancelled_later(Observed { ended: true, has_finalizer: false, cancel: true, ..fresh() }, Decision::Rest)]
    #[case::edited_after_its_end(Observed { ended: true, is_current: false, ..fresh() }, Decision::Acknowledge)]
    #[case::ended_a_moment_ago(Observed { began: true, ended: true, cancel: true, task: Task::Underway, ..fresh() }, Decision::LookAgain)]
    #[case::interrupted_with_a_ledger(Observed { began: true, has_ledger: true, ..fresh() }, Decision::UndoInterrupted)]
    #[case::interrupted_and_cancelled(Observed { began: true, has_ledger: true, cancel: true, ..fresh() }, Decision::UndoInterrupted)]
    #[case::nothing_new_when_stopping(Observed { stopping: true, ..fresh() }, Decision::Rest)]
    #[case::deleted_and_not_ours(Observed { has_finalizer: false, ..deleting(0) }, Decision::Rest)]
    #[case::deleted_while_it_plays(Observed { task: Task::Underway, ..deleting(0) }, Decision::CancelTask)]
    #[case::deleted_with_nothing_left(Observed { has_ledger: false, ..deleting(0) }, Decision::Release { abandoned: false })]
    #[case::deleted_with_a_ledger(deleting(0), Decision::UndoForDeletion)]
    #[case::undone_in_vain_is_tried_again(Observed { task: Task::UndoingFailed, ..deleting(30) }, Decision::UndoForDeletion)]
    #[case::the_cloud_stays_away(Observed { task: Task::UndoingFailed, ..deleting(15 * 60) }, Decision::Release { abandoned: true })]
    #[case::the_secret_may_come_back(Observed { credentials: unusable(), ..deleting(59) }, Decision::LookAgain)]
    #[case::the_secret_stays_away(Observed { credentials: unusable(), ..deleting(60) }, Decision::Release { abandoned: true })]
    fn one_row_one_step(#[case] observed: Observed, #[case] decision: Decision) {
        assert_eq!(decide(&observed), decision);
    }

    #[rstest]
    #[case::nothing_left(Observed { began: true, ..fresh() }, "nothing was left")]
    #[case::nobody_can_undo(Observed { began: true, has_ledger: true, credentials: unusable(), ..fresh() }, "no Secret")]
    fn an_interrupted_run_ends_and_says_what_is_left(#[case] observed: Observed, #[case] words: &str) {
        let Decision::EndInterrupted { message } = decide(&observed) else { panic!("{observed:?}") };
        assert!(message.contains(words), "{message}");
    }

    #[test]
    fn secrets_are_read_only_when_they_are_needed() {
        assert!(fresh().needs_credentials());
        assert!(!Observed { ended: true, ..fresh() }.needs_credentials());
        assert!(!Observed { task: Task::Underway, ..fresh() }.needs_credentials());
        assert!(!Observed { has_ledger: false, ..deleting(0) }.needs_credentials());
        assert!(deleting(0).needs_credentials());
        assert!(!Observed { cancel: true, ..fresh() }.needs_credentials());
        // What it made has to be undone, whoever cancelled it.
        assert!(Observed { began: true, cancel: true, has_ledger: true, ..fresh() }.needs_credentials());
    }
}
