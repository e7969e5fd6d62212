//! Publishes Kubernetes Events about a run.

use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event as KubeEvent, EventType, Recorder};

use super::notes::{Note, Notes};
use crate::outcome::shorten;
use crate::runner::event::Event;

/// Longest note of an Event (events.k8s.io/v1 allows 1 kB).
const NOTE: usize = 900;

/// Tells the cluster what happens to one run.
pub struct Notifier {
    recorder: Recorder,
    about: ObjectReference,
    notes: Mutex<Notes>,
}

impl Notifier {
    /// A notifier about one object.
    pub fn new(recorder: Recorder, about: ObjectReference) -> Self {
        Self { recorder, about, notes: Mutex::default() }
    }

    /// Publishes one Event; trouble doing so is logged and nothing more.
    pub async fn publish(&self, type_: EventType, reason: &str, action: &str, note: &str) {
        let event = KubeEvent {
            type_,
            reason: reason.to_owned(),
            note: Some(shorten(note, NOTE)),
            action: action.to_owned(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &self.about).await {
            tracing::debug!(%error, reason, "an event could not be published");
        }
    }

    /// Publishes what is worth an Event of what happens in a run.
    pub async fn tell(&self, event: &Event) {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner).of(event);
        for Note { type_, reason, action, text } in notes {
            self.publish(type_, &reason, action, &text).await;
        }
    }
}
