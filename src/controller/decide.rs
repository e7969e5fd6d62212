//! What is done next: facts in, exactly one step out. Pure; every row has a test.

use std::time::Duration;

use crate::api::tempest_run::OnInterruption;

/// How long a deletion waits for a cloud to be cleaned before it lets go, when that was tried in vain.
pub const CLEANUP_BOUND: Duration = Duration::from_mins(15);
/// The same when the Secret is gone, so that nothing can be cleaned.
pub const CLEANUP_BOUND_WITHOUT_CREDENTIALS: Duration = Duration::from_mins(1);
/// Between two looks at a Secret that is needed to undo what was kept.
const KEPT_AGAIN: Duration = Duration::from_mins(1);
/// Between two attempts to undo for a deletion: a cloud that refuses at once is not asked without pause.
const UNDO_AGAIN: Duration = Duration::from_secs(30);
/// What is waited for are the scenarios that the run selects.
pub const SCENARIOS_NOT_FOUND: &str = "ScenariosNotFound";
/// The same, where they may not be listed.
pub const SCENARIOS_NOT_READABLE: &str = "ScenariosNotReadable";
/// Between two looks at a run with a task, should the task end without a word.
pub const TASK_AGAIN: Duration = Duration::from_secs(30);

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
    /// Whether `spec.suspend` is set.
    pub suspend: bool,
    /// How far its status says that it is.
    pub stage: Stage,
    /// Whether `spec.runToken` is another than that of the attempt in the status.
    pub run_again: bool,
    /// How long the object is still wanted, if it is to be deleted after its end.
    pub time_to_live: Option<Duration>,
    /// How long what its failed tests made is still kept; zero when that is over.
    pub kept_for: Option<Duration>,
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
    /// What it wants when it was interrupted.
    pub on_interruption: OnInterruption,
    /// Whether the time that it may take is over.
    pub out_of_time: bool,
    /// Whether so many pods of it were lost in a row before any test ended that the next would be, too.
    pub fruitless: bool,
    /// Whether this process stops.
    pub stopping: bool,
    /// Whether it is played in a pod of its own.
    pub in_job: bool,
    /// Whether that pod may still play it, or yet begin to.
    pub elsewhere: bool,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It waits; nothing of it is in a cloud.
    Waiting,
    /// It plays, or cleans up.
    Began,
    /// It has a verdict.
    Ended,
}

/// What this process is doing for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Nothing.
    None,
    /// Queueing for it, playing it, or undoing for it.
    Underway {
        /// Whether it was told to start no new test.
        suspended: bool,
    },
    /// The undoing was tried and left something.
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
    /// Play it, when its turn comes.
    Start,
    /// Follow the pod that plays it.
    Follow,
    /// Say that it waits.
    Wait {
        /// `WaitingForCredentials` or `WaitingForScenarios`.
        reason: &'static str,
        /// The same for a person.
        message: String,
    },
    /// Say that it is suspended before it began.
    Suspend,
    /// Tell the task to start no new test, or to go on.
    SetSuspended(bool),
    /// End it: it cannot be started.
    EndUnstartable {
        /// Why.
        reason: String,
        /// The same for a person.
        message: String,
    },
    /// End it: cancelled before it began, or while nobody played it.
    EndCancelled,
    /// Tell the task to stop and undo.
    CancelTask,
    /// Undo what an earlier process left.
    UndoInterrupted,
    /// Play the unfinished tests of an interrupted run as its next attempt.
    Restart,
    /// End it as interrupted.
    EndInterrupted {
        /// What is to be known.
        message: String,
    },
    /// Undo what was kept for a look at it.
    UndoKept,
    /// Play an ended run again, as its next attempt.
    RunAgain,
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
        if matches!(self.task, Task::Underway { .. }) || self.elsewhere {
            return false;
        }
        match (self.deleting_for, self.stage) {
            (Some(_), _) => self.has_finalizer && self.has_ledger,
            (None, Stage::Waiting) => !self.cancel && !self.suspend,
            (None, Stage::Began) => self.has_ledger,
            (None, Stage::Ended) => self.has_ledger && self.must_undo_kept(),
        }
    }

    /// What was kept goes when its time is over, and before the run plays again.
    fn must_undo_kept(&self) -> bool {
        self.kept_for.is_some_and(|rest| rest.is_zero() || self.run_again && !self.cancel)
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
    if matches!(observed.task, Task::Underway { .. }) {
        return Decision::CancelTask;
    }
    if !observed.has_finalizer {
        return Decision::Rest;
    }
    if observed.elsewhere {
        return Decision::Follow;
    }
    if !observed.has_ledger {
        return Decision::Release { abandoned: false };
    }
    let usable = observed.credentials == Credentials::Usable;
    let bound = if usable { CLEANUP_BOUND } else { CLEANUP_BOUND_WITHOUT_CREDENTIALS };
    let is_over = deleting_for >= bound;
    match observed.task {
        Task::UndoingFailed if is_over => Decision::Release { abandoned: true },
        Task::UndoingFailed if usable => Decision::LookAgainIn(UNDO_AGAIN),
        // However late it is, whoever comes tries once: nobody may have been there to try.
        _ if usable => Decision::UndoForDeletion,
        _ if is_over => Decision::Release { abandoned: true },
        _ => Decision::LookAgain,
    }
}

fn decide_living(observed: &Observed) -> Decision {
    match (observed.task, observed.stage) {
        // The task is about to be over.
        (Task::Underway { .. }, Stage::Ended) => Decision::LookAgainIn(TASK_AGAIN),
        (Task::Underway { .. }, _) if observed.cancel => Decision::CancelTask,
        (Task::Underway { suspended }, _) if suspended != observed.suspend => {
            Decision::SetSuspended(observed.suspend)
        }
        (Task::Underway { .. }, _) => Decision::LookAgainIn(TASK_AGAIN),
        _ if observed.elsewhere => Decision::Follow,
        (_, Stage::Waiting) => decide_waiting(observed),
        (_, Stage::Began) => decide_interrupted(observed),
        (_, Stage::Ended) => decide_ended(observed),
    }
}

fn decide_waiting(observed: &Observed) -> Decision {
    if observed.cancel {
        return Decision::EndCancelled;
    }
    if observed.suspend {
        return Decision::Suspend;
    }
    match &observed.credentials {
        Credentials::NotNeeded => Decision::LookAgain,
        Credentials::BadSpec { message } => {
            Decision::EndUnstartable { reason: "InvalidSpec".to_owned(), message: message.clone() }
        }
        Credentials::Unusable { reason, message } if observed.start_deadline_passed => {
            Decision::EndUnstartable { reason: (*reason).to_owned(), message: message.clone() }
        }
        Credentials::Unusable { reason, message } => {
            let scenarios = [SCENARIOS_NOT_FOUND, SCENARIOS_NOT_READABLE].contains(reason);
            let reason = if scenarios { "WaitingForScenarios" } else { "WaitingForCredentials" };
            Decision::Wait { reason, message: message.clone() }
        }
        Credentials::Usable => Decision::Start,
    }
}

/// It began, it did not end, and nobody here plays it: the process that did is gone.
fn decide_interrupted(observed: &Observed) -> Decision {
    let who = player(observed.in_job);
    let ended = |message: &str| Decision::EndInterrupted {
        message: format!("the {who} that played it ended before it did; {message}"),
    };
    let mut known = "everything that it made was undone";
    if observed.has_ledger {
        match &observed.credentials {
            Credentials::Usable if observed.task != Task::UndoingFailed => return Decision::UndoInterrupted,
            Credentials::Usable => known = "not everything that it made could be undone",
            Credentials::Unusable { message, .. } | Credentials::BadSpec { message } => {
                return ended(&format!("what it made could not be undone: {message}"));
            }
            Credentials::NotNeeded => return Decision::LookAgain,
        }
    }
    match observed.on_interruption {
        _ if observed.cancel => Decision::EndCancelled,
        _ if observed.out_of_time => ended(&format!("{known}, and the time allowed to the run is over")),
        _ if observed.fruitless => ended(&format!(
            "{known}, and too many pods in a row ended before any test did: see the events of their Jobs"
        )),
        OnInterruption::Fail => ended(known),
        OnInterruption::Restart => Decision::Restart,
    }
}

/// Who plays a run, in words.
pub const fn player(in_job: bool) -> &'static str {
    if in_job { "pod" } else { "operator" }
}

fn decide_ended(observed: &Observed) -> Decision {
    let must_undo = observed.has_ledger && observed.must_undo_kept() && observed.task != Task::UndoingFailed;
    if must_undo && observed.credentials == Credentials::Usable {
        return Decision::UndoKept;
    }
    match observed {
        Observed { run_again: true, cancel: false, .. } if must_undo => Decision::LookAgainIn(KEPT_AGAIN),
        Observed { run_again: true, cancel: false, .. } => Decision::RunAgain,
        Observed { is_current: false, .. } => Decision::Acknowledge,
        // Nobody could undo it; a deletion lets go in the end.
        Observed { time_to_live: Some(Duration::ZERO), .. } if must_undo => Decision::Delete,
        _ if must_undo => Decision::LookAgainIn(KEPT_AGAIN),
        Observed { has_ledger: true, kept_for: Some(rest), .. } if !rest.is_zero() => {
            Decision::LookAgainIn(*rest)
        }
        // Nothing is left in a cloud: it can be deleted without us, too.
        Observed { has_finalizer: true, has_ledger: false, .. } => Decision::Release { abandoned: false },
        Observed { time_to_live: Some(Duration::ZERO), .. } => Decision::Delete,
        Observed { time_to_live: Some(rest), .. } => Decision::LookAgainIn(*rest),
        _ => Decision::Rest,
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
