//! Owns what runs: one task a run, told to stop by its control. Reconciling only looks in here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::decide::Task;
use crate::runner::Control;

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    /// What it had to do is done, or is for somebody else to do.
    Done,
    /// It undid, and something is left.
    UndoingFailed,
}

/// The tasks of this process, by the UID of their run.
#[derive(Clone, Default)]
pub struct Supervisor {
    tasks: Arc<Mutex<HashMap<String, Running>>>,
    handing_over: CancellationToken,
}

struct Running {
    control: Control,
    handle: JoinHandle<TaskEnd>,
}

impl Supervisor {
    /// What is being done for a run. A task that ended is forgotten once it was seen.
    pub fn task(&self, uid: &str) -> Task {
        let mut tasks = self.tasks();
        let Some(running) = tasks.get(uid) else { return Task::None };
        if !running.handle.is_finished() {
            return Task::Underway { suspended: running.control.suspension.is_set() };
        }
        let ended = tasks.remove(uid);
        // The handle is finished, so this does not wait. A task that broke left everything in the ledger.
        let end = ended.and_then(|running| futures::FutureExt::now_or_never(running.handle));
        if matches!(end, Some(Ok(TaskEnd::UndoingFailed))) { Task::UndoingFailed } else { Task::None }
    }

    /// Starts a task for a run, unless it has one.
    pub fn start<F>(&self, uid: &str, control: Control, task: impl FnOnce() -> F)
    where
        F: Future<Output = TaskEnd> + Send + 'static,
    {
        let mut tasks = self.tasks();
        if !tasks.contains_key(uid) {
            let handle = tokio::spawn(task());
            tasks.insert(uid.to_owned(), Running { control, handle });
        }
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
        let all: Vec<Running> = self.tasks().drain().map(|(_, running)| running).collect();
        for running in &all {
            running.control.cancel.cancel();
        }
        // A caller that waits no longer drops this, and with it every task that still undoes.
        let all: Vec<_> = all.into_iter().map(|running| AbortOnDrop(running.handle)).collect();
        for mut task in all {
            if let Err(error) = (&mut task.0).await {
                tracing::error!(%error, "a run's task broke");
            }
        }
    }

    /// Ends every task where it is: this process may not act any more.
    pub fn abandon_all(&self) {
        self.handing_over.cancel();
        for (_, running) in self.tasks().drain() {
            running.control.abandon.cancel();
            running.handle.abort();
        }
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct AbortOnDrop(JoinHandle<TaskEnd>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
