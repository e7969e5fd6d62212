//! What each decision does, and when it may be taken.

use std::time::Duration;

use super::world::{Work, Working, World};
use crate::api::tempest_run::OnInterruption;
use crate::controller::decide::{Decision, Stage, TASK_AGAIN};

/// As documented: how long a deletion waits for the cloud, and for a Secret.
const LETS_GO: Duration = Duration::from_mins(15);
const LETS_GO_WITHOUT_SECRET: Duration = Duration::from_mins(1);

impl World {
    pub fn act(&mut self, decision: &Decision) {
        match decision {
            Decision::Rest => {}
            Decision::LookAgain => self.again(Duration::from_secs(2)),
            Decision::LookAgainIn(rest) => self.again(*rest),
            Decision::Wait { .. } => self.again(Duration::from_secs(5)),
            Decision::Suspend => self.acknowledged = self.generation,
            Decision::Acknowledge => {
                assert_eq!(self.stage, Stage::Ended, "{self:#?}");
                self.acknowledged = self.generation;
                self.changed();
            }
            Decision::Delete => {
                assert!(self.stage == Stage::Ended && self.nature.time_to_live.is_some(), "{self:#?}");
                self.deleted_at.get_or_insert(self.now);
                self.let_go_unless_held();
            }
            Decision::CancelTask => {
                self.task.as_mut().expect("there is a task").cancelled = true;
                self.again(TASK_AGAIN);
            }
            Decision::SetSuspended(suspended) => {
                self.task.as_mut().expect("there is a task").suspended = *suspended;
            }
            Decision::Start => self.start(Work::Play),
            Decision::Follow => self.follow(),
            Decision::UndoInterrupted => self.start(Work::UndoInterrupted),
            Decision::UndoKept => self.start(Work::UndoKept),
            Decision::UndoForDeletion => self.start(Work::UndoForDeletion),
            Decision::EndUnstartable { .. } => self.end_unplayed(Stage::Waiting),
            Decision::EndInterrupted { .. } => self.end_unplayed(Stage::Began),
            Decision::EndCancelled => {
                assert!(self.cancel, "{self:#?}");
                self.end_unplayed(self.stage);
            }
            Decision::Restart => {
                assert_eq!(self.nature.on_interruption, OnInterruption::Restart, "{self:#?}");
                self.next_attempt(Stage::Began);
            }
            Decision::RunAgain => {
                assert_ne!(self.token_played, Some(self.token), "it plays again unasked: {self:#?}");
                self.next_attempt(Stage::Ended);
                (self.token_played, self.began_at) = (Some(self.token), None);
                (self.ended_at, self.kept_until) = (None, None);
            }
            Decision::Release { abandoned } => self.release(*abandoned),
        }
    }

    fn start(&mut self, work: Work) {
        assert!(self.task.is_none() && self.secret, "{work:?}: {self:#?}");
        assert_eq!(self.pod, None, "a pod has calls in flight, too: {work:?}: {self:#?}");
        let is_right = match work {
            Work::Follow => false,
            Work::Play => self.stage == Stage::Waiting && !self.cancel && !self.suspend && !self.stopping,
            Work::UndoInterrupted => self.stage == Stage::Began && self.recorded > 0,
            Work::UndoKept => self.kept_until.is_some() && self.recorded > 0,
            Work::UndoForDeletion => self.recorded > 0,
        };
        assert!(is_right, "{work:?}: {self:#?}");
        assert_eq!(self.deleted_at.is_some(), work == Work::UndoForDeletion, "{work:?}: {self:#?}");
        self.undone_for_deletion += usize::from(work == Work::UndoForDeletion);
        let (token, generation) = (self.token, self.generation);
        self.task = Some(Working { work, suspended: false, cancelled: false, token, generation });
    }

    fn follow(&mut self) {
        assert!(self.task.is_none() && self.pod.is_some() && self.stage == Stage::Began, "{self:#?}");
        let (token, generation) = (self.token, self.generation);
        self.task =
            Some(Working { work: Work::Follow, suspended: false, cancelled: false, token, generation });
        self.retire_what_is_lost();
    }

    fn end_unplayed(&mut self, stage: Stage) {
        assert_eq!(self.pod, None, "a pod plays it: {self:#?}");
        assert!(self.task.is_none() && self.stage == stage && self.deleted_at.is_none(), "{self:#?}");
        self.token_played.get_or_insert(self.token);
        self.acknowledged = self.generation;
        self.end();
        self.changed();
    }

    fn next_attempt(&mut self, from: Stage) {
        assert_eq!(self.pod, None, "a pod plays the last one: {self:#?}");
        assert!(
            self.task.is_none() && self.stage == from && !self.cancel && self.deleted_at.is_none(),
            "{self:#?}"
        );
        (self.stage, self.acknowledged) = (Stage::Waiting, self.generation);
        self.attempt += 1;
        self.changed();
    }

    fn release(&mut self, abandoned: bool) {
        assert!(self.task.is_none() && self.has_finalizer && self.pod.is_none(), "{self:#?}");
        if abandoned {
            let waited = self.deleted_at.map(|at| self.now.saturating_sub(at)).unwrap_or_default();
            let bound = if self.secret { LETS_GO } else { LETS_GO_WITHOUT_SECRET };
            assert!(waited >= bound, "it lets go too early: {self:#?}");
        } else {
            assert_eq!(self.recorded, 0, "it lets go of what is in the cloud: {self:#?}");
        }
        self.has_finalizer = false;
        self.let_go_unless_held();
    }
}
