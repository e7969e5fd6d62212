//! The list of things to undo, written *before* each create, so that whoever comes after a crash finds them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::outcome::Role;
use crate::plan::RunIdentity;

/// Everything one run still has to undo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerDocument {
    /// The run.
    pub run: RunIdentity,
    /// In the order in which they were made; undone in reverse.
    pub entries: Vec<Entry>,
}

/// One thing to undo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Unique within the run, ascending.
    pub number: u64,
    /// The prefix of the test that made it.
    pub test_prefix: String,
    /// The step that made it.
    pub step: String,
    /// As whom it was made, and is undone.
    pub role: Role,
    /// What it is.
    pub undo: Undo,
}

/// How one thing is undone: concrete, with nothing left to evaluate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Undo {
    /// A Heat stack is deleted; without an id it is looked up by name.
    Stack {
        /// Its unique name.
        name: String,
        /// Its id, once known.
        id: Option<String>,
    },
    /// An item of a collection is deleted; without an id it is looked up by the field that carries the marker.
    Item {
        /// Service type.
        service: String,
        /// The collection's path.
        collection: String,
        /// The field to look in.
        marked_by: String,
        /// What that field contains.
        marker: String,
        /// Its id, once known.
        id: Option<String>,
    },
    /// A value is set back.
    Restore {
        /// Service type.
        service: String,
        /// Method.
        method: String,
        /// Path.
        path: String,
        /// Body.
        body: Option<Value>,
    },
}

/// The ledger could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the ledger is unavailable")]
pub struct LedgerError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where a ledger is kept: a file for the command line, an owned `ConfigMap` in Kubernetes.
#[async_trait]
pub trait LedgerStore: Send + Sync {
    /// Replaces the stored document; durable when it returns.
    async fn save(&self, document: &LedgerDocument) -> Result<(), LedgerError>;
    /// Removes the stored document: nothing is left to undo.
    async fn clear(&self) -> Result<(), LedgerError>;
}

/// Keeps nothing: for undoing what is found by name, where nothing new is made.
pub struct Forgetful;

#[async_trait]
impl LedgerStore for Forgetful {
    async fn save(&self, _: &LedgerDocument) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn clear(&self) -> Result<(), LedgerError> {
        Ok(())
    }
}

/// The ledger of one running run. Writers that come while a write is under way share the next one.
pub struct Ledger {
    store: Box<dyn LedgerStore>,
    state: Mutex<State>,
    saved: Mutex<u64>,
}

struct State {
    document: LedgerDocument,
    next: u64,
    version: u64,
}

impl Ledger {
    /// An empty ledger for `run`.
    pub fn new(run: RunIdentity, store: Box<dyn LedgerStore>) -> Self {
        Self::resume(LedgerDocument { run, entries: Vec::new() }, store)
    }

    /// The ledger that an earlier process left.
    pub fn resume(document: LedgerDocument, store: Box<dyn LedgerStore>) -> Self {
        // Only a damaged ledger has the last number there is; what it lists is undone all the same.
        let last = document.entries.iter().map(|entry| entry.number).max().unwrap_or_default();
        let next = last.wrapping_add(1);
        Self { store, state: Mutex::new(State { document, next, version: 0 }), saved: Mutex::new(0) }
    }

    /// The run it belongs to.
    pub async fn run(&self) -> RunIdentity {
        self.state.lock().await.document.run.clone()
    }

    /// Records what is about to be made; on an error nothing may be made.
    pub async fn intend(
        &self,
        test_prefix: &str,
        step: &str,
        role: Role,
        undo: Undo,
    ) -> Result<Entry, LedgerError> {
        let entry = {
            let mut state = self.state.lock().await;
            let entry = Entry {
                number: state.next,
                test_prefix: test_prefix.to_owned(),
                step: step.to_owned(),
                role,
                undo,
            };
            state.next = state.next.wrapping_add(1);
            state.version += 1;
            state.document.entries.push(entry.clone());
            entry
        };
        self.flush().await?;
        Ok(entry)
    }

    /// Notes the id of what was made. It is a shortcut only (the name finds it too), so it rides on the next
    /// write instead of causing one.
    pub async fn made(&self, number: u64, made_id: &str) {
        let mut state = self.state.lock().await;
        if let Some(entry) = state.document.entries.iter_mut().find(|entry| entry.number == number) {
            match &mut entry.undo {
                Undo::Stack { id, .. } | Undo::Item { id, .. } => *id = Some(made_id.to_owned()),
                Undo::Restore { .. } => {}
            }
        }
        state.version += 1;
    }

    /// Strikes out what was undone.
    pub async fn undone(&self, number: u64) -> Result<(), LedgerError> {
        {
            let mut state = self.state.lock().await;
            state.document.entries.retain(|entry| entry.number != number);
            state.version += 1;
        }
        self.flush().await
    }

    /// What is still to undo for one test, the last made first.
    pub async fn open_of(&self, test_prefix: &str) -> Vec<Entry> {
        let state = self.state.lock().await;
        state
            .document
            .entries
            .iter()
            .rev()
            .filter(|entry| entry.test_prefix == test_prefix)
            .cloned()
            .collect()
    }

    /// What is still to undo for the whole run, the last made first.
    pub async fn open(&self) -> Vec<Entry> {
        self.state.lock().await.document.entries.iter().rev().cloned().collect()
    }

    /// Ends the ledger: removed when nothing is left to undo, else kept for whoever comes next.
    pub async fn close(&self) -> Result<(), LedgerError> {
        if self.state.lock().await.document.entries.is_empty() {
            self.store.clear().await
        } else {
            self.flush().await
        }
    }

    async fn flush(&self) -> Result<(), LedgerError> {
        let wanted = self.state.lock().await.version;
        let mut saved = self.saved.lock().await;
        if *saved >= wanted {
            return Ok(());
        }
        let (document, version) = {
            let state = self.state.lock().await;
            (state.document.clone(), state.version)
        };
        self.store.save(&document).await?;
        *saved = version;
        Ok(())
    }
}
