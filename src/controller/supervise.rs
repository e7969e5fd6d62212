//! Owns what runs: one task a run, told to stop by its control. Reconciling only looks in here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;

use super::decide::Task;
use crate::runner::Control;

/// The tasks of this process, by the UID of their run.
#[derive(Clone, Default)]
pub struct Supervisor {
    tasks: Arc<Mutex<HashMap<String, Running>>>,
}

struct Running {
    control: Control,
    handle: JoinHandle<bool>,
}

impl Supervisor {
    /// What is being done for a run. A task that ended is forgotten once it was seen.
    pub fn task(&self, uid: &str) -> Task {
        let mut tasks = self.tasks();
        let Some(running) = tasks.get(uid) else { return Task::None };
        if !running.handle.is_finished() {
            return Task::Underway;
        }
        let ended = tasks.remove(uid);
        // The handle is finished, so this does not wait; a task that panicked counts as failed.
        let clean = ended.and_then(|running| futures::FutureExt::now_or_never(running.handle));
        if matches!(clean, Some(Ok(true))) { Task::None } else { Task::UndoingFailed }
    }

    /// Starts a task for a run, unless it has one. It gives `true` when it left nothing.
    pub fn start<F>(&self, uid: &str, control: Control, task: impl FnOnce() -> F)
    where
        F: Future<Output = bool> + Send + 'static,
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

    /// Tells every task to stop and undo, and waits until they did.
    pub async fn stop_all(&self) {
        let all: Vec<Running> = self.tasks().drain().map(|(_, running)| running).collect();
        for running in &all {
            running.control.cancel.cancel();
        }
        for running in all {
            if let Err(error) = running.handle.await {
                tracing::error!(%error, "a run's task broke");
            }
        }
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
