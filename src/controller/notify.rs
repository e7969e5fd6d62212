//! Kubernetes Events: for the start, each test that failed, leaks, an interruption and the end; never one a poll.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event as KubeEvent, EventType, Recorder};

use crate::outcome::shorten;
use crate::outcome::{Outcome, Reason};
use crate::runner::event::{Event, EventKind};

/// Longest note of an Event (events.k8s.io/v1 allows 1 kB).
const NOTE: usize = 900;

/// Tells the cluster what happens to one run.
#[derive(Clone)]
pub struct Notifier {
    recorder: Recorder,
    about: ObjectReference,
}

impl Notifier {
    /// A notifier about one object.
    pub fn new(recorder: Recorder, about: ObjectReference) -> Self {
        Self { recorder, about }
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
        match &event.kind {
            EventKind::RunStarted { run } => {
                self.publish(EventType::Normal, "Started", "Play", &format!("run {} began", run.run_id))
                    .await;
            }
            EventKind::TestFinished { result } => {
                let failed = matches!(result.outcome, Outcome::Failed | Outcome::Errored | Outcome::TimedOut);
                if failed {
                    let reason = result.reason.unwrap_or(Reason::ServiceError);
                    let message = result.message.as_deref().unwrap_or_default();
                    let note = format!("{} {} ({reason}): {message}", result.name, result.outcome);
                    self.publish(EventType::Warning, &format!("Test{}", result.outcome), "Play", &note).await;
                }
                if !result.leaked.is_empty() {
                    let things: Vec<String> =
                        result.leaked.iter().map(|leak| format!("{} {}", leak.kind, leak.id)).collect();
                    let note = format!("{} left behind: {}", result.name, things.join(", "));
                    self.publish(EventType::Warning, "Leaked", "CleanUp", &note).await;
                }
            }
            EventKind::RunFinished { end } => {
                let (kind, note) = match &end.fault {
                    Some(fault) => (EventType::Warning, format!("{}: {}", fault.reason, fault.message)),
                    None => (EventType::Normal, "the run ended".to_owned()),
                };
                self.publish(kind, "Finished", "Play", &note).await;
            }
            _ => {}
        }
    }
}
