//! Owns what runs: one task a run, told to stop by its control. Reconciling only looks in here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::Stream;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::decide::Task;
use crate::api::tempest_run::TempestRun;
use crate::runner::Control;

/// Ends that nobody has heard of yet; whoever hears too late looks again later.
const UNHEARD: usize = 1024;

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    /// What it had to do is done, or is for somebody else to do.
    Done,
    /// It undid, and something is left.
    UndoingFailed,
}

/// The tasks of this process, by the UID of their run.
#[derive(Clone)]
pub struct Supervisor {
    tasks: Arc<Mutex<HashMap<String, Running>>>,
    handing_over: CancellationToken,
    ends: broadcast::Sender<ObjectRef<TempestRun>>,
}

struct Running {
    control: Control,
    task: AbortHandle,
    end: Arc<Mutex<Option<TaskEnd>>>,
}

impl Running {
    fn ended(&self) -> Option<TaskEnd> {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Supervisor {
    fn default() -> Self {
        let (ends, _) = broadcast::channel(UNHEARD);
        Self { tasks: Arc::default(), handing_over: CancellationToken::new(), ends }
    }
}

impl Supervisor {
    /// What is being done for a run. That something could not be undone is forgotten once it was seen.
    pub fn task(&self, uid: &str) -> Task {
        let mut tasks = self.tasks();
        let Some(running) = tasks.get(uid) else { return Task::None };
        let Some(end) = running.ended() else {
            return Task::Underway { suspended: running.control.suspension.is_set() };
        };
        tasks.remove(uid);
        if end == TaskEnd::UndoingFailed { Task::UndoingFailed } else { Task::None }
    }

    /// Starts a task for a run, unless it has one.
    pub fn start<F>(&self, run: &TempestRun, control: Control, task: impl FnOnce() -> F)
    where
        F: Future<Output = TaskEnd> + Send + 'static,
    {
        let mut tasks = self.tasks();
        let uid = run.metadata.uid.clone().unwrap_or_default();
        if tasks.contains_key(&uid) {
            return;
        }
        let (object, ends, all) = (ObjectRef::from_obj(run), self.ends.clone(), Arc::clone(&self.tasks));
        let end = Arc::new(Mutex::new(None));
        let (told, own) = (Arc::clone(&end), uid.clone());
        let task = tokio::spawn(task());
        let running = task.abort_handle();
        tokio::spawn(async move {
            // A task that broke left everything in the ledger, for the next look.
            let ended = task.await.unwrap_or_else(|error| {
                if !error.is_cancelled() {
                    tracing::error!(%error, namespace = object.namespace, run = object.name, "a run's task broke");
                }
                TaskEnd::Done
            });
            {
                // At once: whoever sees that it ended may start the next task of the run, which is not to go with it.
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
                // Nobody looks again at a run that is gone: its task goes by itself, unless there is something to see.
                if ended == TaskEnd::Done {
                    all.remove(&own);
                }
            }
            // Nobody listens while the process stops.
            let _ = ends.send(object);
        });
        tasks.insert(uid, Running { control, task: running, end });
    }

    /// The runs whose task has ended, as it happens.
    pub fn ends(&self) -> impl Stream<Item = ObjectRef<TempestRun>> + Send + use<> {
        futures::stream::unfold(self.ends.subscribe(), |mut ends| async {
            loop {
                match ends.recv().await {
                    Ok(object) => return Some((object, ends)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        })
    }

    /// Tells a run's task to stop and undo.
    pub fn cancel(&self, uid: &str) {
        if let Some(running) = self.tasks().get(uid) {
            running.control.cancel.cancel();
        }
    }

    /// Tells a run's task to start no new test, or to go on.
    pub fn set_suspended(&self, uid: &str, suspended: bool) {
        if let Some(running) = self.tasks().get(uid) {
            running.control.suspension.set(suspended);
        }
    }

    /// Set once another process goes on with the runs: what is cut short then is no outcome.
    pub fn handing_over(&self) -> CancellationToken {
        self.handing_over.clone()
    }

    /// Tells every task to stop and undo for whoever comes next, and waits until they did.
    pub async fn hand_over(&self) {
        self.handing_over.cancel();
        let mut ends = self.ends.subscribe();
        for running in self.tasks().values() {
            running.control.cancel.cancel();
        }
        let are_ended = || self.tasks().values().all(|running| running.ended().is_some());
        while !are_ended() {
            // Having missed some is no different from having heard of one.
            let _ = ends.recv().await;
        }
    }

    /// Ends every task where it is: this process may not act any more.
    pub fn abandon_all(&self) {
        self.handing_over.cancel();
        for (_, running) in self.tasks().drain() {
            running.control.abandon.cancel();
            running.task.abort();
        }
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    fn run(uid: &str) -> TempestRun {
        let mut run = TempestRun::new(uid, crate::api::tempest_run::TempestRunSpec::default());
        run.metadata.uid = Some(uid.to_owned());
        run
    }

    #[tokio::test]
    async fn a_task_that_ended_is_forgotten_although_nobody_looks_at_its_run_again() {
        let supervisor = Supervisor::default();
        let mut ends = Box::pin(supervisor.ends());
        supervisor.start(&run("done"), Control::default(), || async { TaskEnd::Done });
        assert_eq!(ends.next().await.unwrap().name, "done");
        assert!(supervisor.tasks().is_empty());
        supervisor.start(&run("left"), Control::default(), || async { TaskEnd::UndoingFailed });
        assert_eq!(ends.next().await.unwrap().name, "left");
        assert_eq!(supervisor.task("left"), Task::UndoingFailed);
        assert_eq!(supervisor.task("left"), Task::None);
    }

    /// Else a run that is being played would look interrupted, and be played twice.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_end_of_a_task_takes_no_later_task_of_its_run_away() {
        let supervisor = Supervisor::default();
        let mut ends = Box::pin(supervisor.ends());
        for round in 0..2_000 {
            supervisor.start(&run("again"), Control::default(), || async { TaskEnd::Done });
            while supervisor.task("again") != Task::None {
                std::hint::spin_loop();
            }
            supervisor.start(&run("again"), Control::default(), std::future::pending);
            ends.next().await.unwrap();
            assert_eq!(supervisor.task("again"), Task::Underway { suspended: false }, "round {round}");
            let later = supervisor.tasks().remove("again").unwrap();
            later.task.abort();
            ends.next().await.unwrap();
        }
    }
}
