//! A small world in which every decision does what the design says that it does, and is held to what the design
//! promises. It shares nothing with `decide` but the words.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::tempest_run::OnInterruption;
use crate::controller::decide::{Credentials, Decision, Observed, Stage, Task, decide};

const START_DEADLINE: Duration = Duration::from_mins(1);
const RUN_TIMEOUT: Duration = Duration::from_mins(40);
/// Longer than anything is waited for.
const HORIZON: Duration = Duration::from_hours(3);
/// More steps than that takes, where every look is followed by a pause.
const STEPS: usize = 6000;
/// More looks than one change can be good for.
const LOOKS: usize = 12;

#[derive(Clone, Copy, Debug)]
pub enum Happening {
    Cancel,
    Suspend(bool),
    NewToken,
    Delete,
    Secret(bool),
    Cloud(bool),
    /// The operator dies, and another comes.
    Kill,
    /// The operator is asked to stop; its runs are another's then.
    Stop,
    /// So many seconds go by, with all looks that are due.
    Time(u64),
    /// The task gets its turn, or makes something in the cloud.
    Progress,
    /// The task ends; of a run: whether a test failed.
    TaskEnds(bool),
    /// The task breaks and says nothing.
    TaskBreaks,
    /// The pod that plays it is deleted, or its node is lost.
    PodLost,
}

/// The pod that plays an attempt, from the attempt's begin until nobody can play it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pod {
    Plays,
    IsLost,
}

/// What stays as it is all its life.
#[derive(Clone, Copy, Debug)]
pub struct Nature {
    pub on_interruption: OnInterruption,
    pub time_to_live: Option<Duration>,
    pub keeps: Option<Duration>,
    pub in_job: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    Play,
    Follow,
    UndoInterrupted,
    UndoKept,
    UndoForDeletion,
}

#[derive(Debug)]
pub struct Working {
    pub work: Work,
    pub suspended: bool,
    pub cancelled: bool,
    /// The spec that it was started with.
    pub token: u32,
    pub generation: u32,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, as in what is observed")]
pub struct World {
    pub nature: Nature,
    pub now: Duration,
    /// When the operator looks next; [`None`]: when something changes.
    pub due: Option<Duration>,
    pub cancel: bool,
    pub suspend: bool,
    pub token: u32,
    pub generation: u32,
    pub deleted_at: Option<Duration>,
    pub has_finalizer: bool,
    pub is_gone: bool,
    pub stage: Stage,
    pub attempt: u32,
    pub acknowledged: u32,
    pub token_played: Option<u32>,
    pub began_at: Option<Duration>,
    pub ended_at: Option<Duration>,
    pub kept_until: Option<Duration>,
    /// How many things are in the cloud, and in the ledger.
    pub recorded: u32,
    pub secret: bool,
    pub cloud: bool,
    pub task: Option<Working>,
    pub pod: Option<Pod>,
    pub in_vain: bool,
    pub stopping: bool,
    pub begun: BTreeSet<u32>,
    pub undone_for_deletion: usize,
    pub decided: Vec<Decision>,
}

impl World {
    pub fn new(nature: Nature) -> Self {
        Self {
            nature,
            now: Duration::ZERO,
            due: Some(Duration::ZERO),
            cancel: false,
            suspend: false,
            token: 1,
            generation: 1,
            deleted_at: None,
            has_finalizer: false,
            is_gone: false,
            stage: Stage::Waiting,
            attempt: 1,
            acknowledged: 0,
            token_played: None,
            began_at: None,
            ended_at: None,
            kept_until: None,
            recorded: 0,
            secret: true,
            cloud: true,
            task: None,
            pod: None,
            in_vain: false,
            stopping: false,
            begun: BTreeSet::new(),
            undone_for_deletion: 0,
            decided: Vec::new(),
        }
    }

    /// A change of the object, which the operator is told of.
    pub fn changed(&mut self) {
        self.due = Some(self.now);
    }

    pub fn again(&mut self, rest: Duration) {
        assert!(!rest.is_zero(), "{self:#?}");
        self.due = Some(self.now + rest);
    }

    pub fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Cancel => self.edit(|world| world.cancel = true),
            Happening::Suspend(suspend) => self.edit(|world| world.suspend = suspend),
            Happening::NewToken => self.edit(|world| world.token += 1),
            Happening::Delete => {
                self.deleted_at.get_or_insert(self.now);
                self.let_go_unless_held();
            }
            Happening::Secret(there) => self.secret = there,
            Happening::Cloud(answers) => self.cloud = answers,
            Happening::Kill => {
                (self.task, self.in_vain, self.stopping) = (None, false, false);
                self.changed();
            }
            Happening::Stop => self.stopping = true,
            Happening::Time(seconds) => self.pass(Duration::from_secs(seconds)),
            Happening::Progress => self.progress(),
            Happening::TaskEnds(failed) => self.end_task(failed),
            Happening::TaskBreaks => {
                self.task = None;
                self.changed();
            }
            Happening::PodLost => {
                self.pod = self.pod.map(|_| Pod::IsLost);
                self.retire_what_is_lost();
            }
        }
        self.settle();
    }

    fn edit(&mut self, change: impl FnOnce(&mut Self)) {
        change(self);
        self.generation += 1;
        self.changed();
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.due.filter(|due| *due <= until && !self.is_gone) {
            self.now = self.now.max(due);
            self.settle();
        }
        self.now = until;
    }

    pub fn let_go_unless_held(&mut self) {
        if self.deleted_at.is_some() && !self.has_finalizer {
            (self.is_gone, self.task) = (true, None);
        }
        self.changed();
    }

    /// Whoever follows a lost pod sees to it that it cannot play any more, and is done.
    pub fn retire_what_is_lost(&mut self) {
        if self.pod == Some(Pod::IsLost) && self.task.is_some() {
            (self.pod, self.task) = (None, None);
            self.changed();
        }
    }

    fn progress(&mut self) {
        if let Some(pod) = self.pod {
            // It looks at the object itself, whether or not there is an operator.
            let goes_on = pod == Pod::Plays && !self.cancel && self.deleted_at.is_none();
            self.recorded += u32::from(goes_on);
            return;
        }
        let Some(task) = self.task.as_ref().filter(|task| task.work == Work::Play && !task.cancelled) else {
            return;
        };
        match self.stage {
            Stage::Waiting if !task.suspended => {
                assert!(self.begun.insert(self.attempt), "an attempt began twice: {self:#?}");
                (self.stage, self.has_finalizer, self.acknowledged) = (Stage::Began, true, task.generation);
                self.token_played.get_or_insert(task.token);
                self.began_at.get_or_insert(self.now);
                self.pod = self.nature.in_job.then_some(Pod::Plays);
                self.changed();
            }
            Stage::Began => self.recorded += 1,
            _ => {}
        }
    }

    fn end_task(&mut self, failed: bool) {
        let Some(task) = self.task.take() else { return };
        if self.pod.is_some() && self.stopping {
            // The pod plays on.
            return self.changed();
        }
        self.pod = None;
        let all_undone = self.cloud || self.recorded == 0;
        match task.work {
            Work::Play | Work::Follow => {
                let keep = self.nature.keeps.filter(|_| failed && !task.cancelled && self.recorded > 0);
                if keep.is_none() && all_undone {
                    self.recorded = 0;
                }
                if !self.stopping {
                    self.kept_until = keep.map(|keep| self.now + keep);
                    self.acknowledged = task.generation;
                    self.token_played.get_or_insert(task.token);
                    self.end();
                }
            }
            Work::UndoInterrupted | Work::UndoKept | Work::UndoForDeletion => {
                if all_undone {
                    self.recorded = 0;
                }
                if task.work == Work::UndoKept {
                    self.kept_until = None;
                }
                self.in_vain = !all_undone;
            }
        }
        self.changed();
    }

    pub fn end(&mut self) {
        assert_ne!(self.stage, Stage::Ended, "it ends twice: {self:#?}");
        (self.stage, self.ended_at) = (Stage::Ended, Some(self.now));
    }

    /// The operator looks until nothing is to be done now.
    pub fn settle(&mut self) {
        for _ in 0..LOOKS {
            if self.is_gone || self.due.is_none_or(|due| due > self.now) {
                return;
            }
            self.due = None;
            let observed = self.observe();
            let decision = decide(&observed);
            self.act(&decision);
            self.decided.push(decision);
        }
        panic!("it is looked at without end: {self:#?}");
    }

    fn observe(&mut self) -> Observed {
        let task = match (&self.task, std::mem::take(&mut self.in_vain)) {
            (Some(task), _) => Task::Underway { suspended: task.suspended },
            (None, true) => Task::UndoingFailed,
            (None, false) => Task::None,
        };
        let since = |time: Duration| self.now.saturating_sub(time);
        let until = |time: Duration| time.saturating_sub(self.now);
        let wanted_from = self.ended_at.max(self.kept_until).unwrap_or_default();
        let may_have_ledger = self.stage != Stage::Waiting || self.deleted_at.is_some();
        let elsewhere = self.pod.is_some() && self.task.is_none();
        let mut observed = Observed {
            deleting_for: self.deleted_at.map(since),
            has_finalizer: self.has_finalizer,
            cancel: self.cancel,
            suspend: self.suspend,
            stage: self.stage,
            run_again: Some(self.token) != self.token_played,
            time_to_live: self.nature.time_to_live.map(|time| until(wanted_from + time)),
            kept_for: self.kept_until.map(until),
            is_current: self.acknowledged == self.generation,
            has_ledger: self.recorded > 0 && may_have_ledger && self.task.is_none() && !elsewhere,
            task,
            credentials: Credentials::NotNeeded,
            start_deadline_passed: self.now >= START_DEADLINE,
            on_interruption: self.nature.on_interruption,
            fruitless: false,
            out_of_time: self.began_at.is_some_and(|began| since(began) > RUN_TIMEOUT),
            stopping: self.stopping,
            in_job: self.nature.in_job,
            elsewhere,
        };
        if observed.needs_credentials() {
            observed.credentials = if self.secret {
                Credentials::Usable
            } else {
                Credentials::Unusable { reason: "SecretNotFound", message: "there is no Secret".to_owned() }
            };
        }
        observed
    }

    /// Nothing happens any more but what must: tasks end, whoever stopped has a successor, nobody suspends.
    pub fn come_to_rest(&mut self) {
        self.happen(Happening::Suspend(false));
        if self.stopping {
            self.happen(Happening::Kill);
        }
        let end = self.now + HORIZON;
        for _ in 0..STEPS {
            if self.now >= end || self.is_gone {
                return;
            }
            if self.task.is_some() {
                self.happen(Happening::Progress);
                self.happen(Happening::TaskEnds(false));
            } else if let Some(due) = self.due {
                self.pass(due.saturating_sub(self.now));
            } else {
                return;
            }
        }
        panic!("it never rests: {self:#?}");
    }

    pub fn is_at_its_end(&self) {
        // What was kept is undone before it plays again, and that needs the Secret.
        let waits_for_secret = self.kept_until.is_some() && self.recorded > 0 && !self.secret;
        let plays_again = self.token_played != Some(self.token) && !self.cancel;
        if self.is_gone || (waits_for_secret && plays_again && self.deleted_at.is_none()) {
            return;
        }
        assert!(self.deleted_at.is_none() && self.nature.time_to_live.is_none(), "it stays: {self:#?}");
        assert!(self.stage == Stage::Ended && self.task.is_none(), "it got stuck: {self:#?}");
        assert!(!plays_again, "it did not play again: {self:#?}");
        assert_eq!(self.acknowledged, self.generation, "an edit was not acknowledged: {self:#?}");
        assert!(self.recorded > 0 || !self.has_finalizer, "it is held for nothing: {self:#?}");
    }
}
