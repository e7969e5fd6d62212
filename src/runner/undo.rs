//! Undoing what the ledger holds: in reverse, tolerating what is already gone, waiting until it is really gone,
//! and never stopping at the first error.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use http::Method;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cloud::{Cloud, fault_of, service_named};
use super::context::RunContext;
use super::fault::StepFault;
use super::ledger::{Entry, Ledger, Undo};
use super::poll::{Observation, Pending, Wait, poll};
use super::rhythm::Rhythm;
use crate::openstack::heat::StackRef;
use crate::openstack::{Service, Session};
use crate::outcome::{Leak, Reason, Role};

/// How long one thing may take to be gone; Designate retries a failed zone every two minutes.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often a stack that could not be deleted is deleted again.
const STACK_DELETES: u32 = 4;
/// How long an unreachable cloud is asked again before a thing is called leaked.
const UNREACHABLE_PATIENCE: Duration = Duration::from_mins(1);

/// What undoing needs.
pub struct Undoing<'a> {
    /// The cloud.
    pub cloud: &'a Cloud,
    /// Where undone things are struck out.
    pub ledger: &'a Ledger,
    /// How long things take in this cloud.
    pub rhythm: &'a Rhythm,
    /// Stops it; the ledger keeps what is left.
    pub abandon: &'a CancellationToken,
    /// Every deadline is multiplied by this.
    pub scale: f64,
}

impl<'a> Undoing<'a> {
    /// The undoing of a run.
    pub fn of(run: &'a RunContext) -> Self {
        Self {
            cloud: &run.cloud,
            ledger: &run.ledger,
            rhythm: &run.rhythm,
            abandon: &run.abandon,
            scale: run.plan.settings.timeout_scale.max(1.0),
        }
    }

    /// Undoes all entries, each test's in the given order and the tests beside one another; what remains is returned,
    /// with the reason.
    pub async fn undo_all(&self, entries: Vec<Entry>) -> Vec<Leak> {
        let mut by_test = BTreeMap::<String, Vec<Entry>>::new();
        for entry in entries {
            by_test.entry(entry.test_prefix.clone()).or_default().push(entry);
        }
        join_all(by_test.into_values().map(|entries| self.undo_in_order(entries))).await.concat()
    }

    async fn undo_in_order(&self, entries: Vec<Entry>) -> Vec<Leak> {
        let mut leaked = Vec::new();
        for entry in entries {
            match self.undo(&entry).await {
                Ok(()) => {
                    if let Err(error) = self.ledger.undone(entry.number).await {
                        // Undoing again finds nothing, so a stale entry does no harm.
                        tracing::warn!(%error, entry = entry.number, "an undone entry could not be struck out");
                    }
                }
                Err(fault) => leaked.push(leak_of(&entry, &fault)),
            }
        }
        leaked
    }

    async fn undo(&self, entry: &Entry) -> Result<(), StepFault> {
        match self.undo_as(entry.role, entry).await {
            // Who was let make something may not be let delete it: a reader in a cloud that lets readers write.
            Err(fault) if fault.evidence.http_status == Some(403) && entry.role != Role::Primary => {
                self.undo_as(Role::Primary, entry).await.map_err(|_| fault)
            }
            ended => ended,
        }
    }

    async fn undo_as(&self, role: Role, entry: &Entry) -> Result<(), StepFault> {
        let session = self.cloud.session(role)?;
        match &entry.undo {
            Undo::Stack { name, id } => self.stack(session, name, id.as_deref()).await,
            Undo::Item { service, collection, marked_by, marker, id } => {
                let service = known_service(service)?;
                let ids = match id {
                    Some(id) => vec![id.clone()],
                    None => self.marked(session, service, collection, marked_by, marker).await?,
                };
                for id in ids {
                    self.item(session, service, &format!("{collection}/{id}")).await?;
                }
                Ok(())
            }
            Undo::Restore { service, method, path, body } => {
                let service = known_service(service)?;
                self.restore(session, service, method, path, body.as_ref()).await
            }
        }
    }

    /// Deletes a stack and waits until it is gone; a failed delete is tried again, for causes pass.
    pub async fn stack(&self, session: &Session, name: &str, id: Option<&str>) -> Result<(), StepFault> {
        let reference = if let Some(id) = id {
            StackRef { id: id.to_owned(), name: name.to_owned() }
        } else {
            let found = self.until(PATIENCE, "undo:find", || {
                async {
                    match session.heat().find_stack(name).await {
                        Ok(found) => Observation::Done(Some(found.reference())),
                        Err(error) if error.is_not_found() => Observation::Done(None),
                        Err(error) => Observation::waiting(fault_of(&error)),
                    }
                }
                .boxed()
            });
            match found.await? {
                Some(found) => found,
                None => return Ok(()),
            }
        };
        let deletes = AtomicU32::new(0);
        self.until(PATIENCE, "undo:stack", || {
            async {
                let stack = match session.heat().stack_status(&reference).await {
                    Ok(stack) => stack,
                    Err(error) if error.is_not_found() => return Observation::Done(()),
                    Err(error) => return Observation::waiting(fault_of(&error)),
                };
                let status = stack.status.to_string();
                if status == "DELETE_COMPLETE" {
                    return Observation::Done(());
                }
                let message = format!("stack {name} is {status}: {}", stack.status_reason);
                let fault = StepFault::failed(Reason::StackNotComplete, message);
                if matches!(status.as_str(), "DELETE_IN_PROGRESS" | "DELETE_COMPLETE") {
                    return Observation::Pending(Pending::fault(fault));
                }
                if deletes.load(Ordering::Relaxed) == STACK_DELETES {
                    return Observation::Fault(fault);
                }
                match session.heat().delete_stack(&reference).await {
                    Ok(()) => drop(deletes.fetch_add(1, Ordering::Relaxed)),
                    Err(error) if error.is_not_found() => return Observation::Done(()),
                    Err(error) => return Observation::waiting(fault_of(&error)),
                }
                Observation::Pending(Pending::fault(fault))
            }
            .boxed()
        })
        .await
    }

    /// The ids of a collection's items that carry the marker.
    async fn marked(
        &self,
        session: &Session,
        service: Service,
        collection: &str,
        marked_by: &str,
        marker: &str,
    ) -> Result<Vec<String>, StepFault> {
        let answer = self
            .until(PATIENCE, "undo:list", || {
                async {
                    match session.request(service, Method::GET, collection).send_pages(PAGE).await {
                        Ok(answer) => Observation::Done(Some(answer)),
                        // What the collection belongs to is gone itself.
                        Err(error) if error.is_not_found() => Observation::Done(None),
                        Err(error) => Observation::waiting(fault_of(&error)),
                    }
                }
                .boxed()
            })
            .await?;
        let Some(answer) = answer else { return Ok(Vec::new()) };
        Ok(items_of(&answer.body)
            .filter(|item| {
                item.get(marked_by).and_then(Value::as_str).is_some_and(|text| carries(text, marker))
            })
            .filter_map(|item| item.get("id").and_then(Value::as_str).map(str::to_owned))
            .collect())
    }

    /// Deletes one item and waits until it is gone. A delete that is refused because something is in the way is
    /// asked for again.
    pub async fn item(&self, session: &Session, service: Service, path: &str) -> Result<(), StepFault> {
        let accepted = AtomicBool::new(false);
        self.until(PATIENCE, "undo:item", || {
            async {
                let asked = if accepted.load(Ordering::Relaxed) {
                    session.request(service, Method::GET, path).send().await
                } else {
                    session.request(service, Method::DELETE, path).send().await
                };
                match asked {
                    Ok(_) => {
                        accepted.store(true, Ordering::Relaxed);
                        let message =
                            format!("{path} of the {} service is still there", service.service_type());
                        Observation::Pending(Pending::fault(StepFault::failed(
                            Reason::UnexpectedStatus,
                            message,
                        )))
                    }
                    Err(error) if error.is_not_found() => Observation::Done(()),
                    // Time changes no policy.
                    Err(error) if error.status() == Some(403) => Observation::Fault(fault_of(&error)),
                    Err(error) => Observation::waiting(fault_of(&error)),
                }
            }
            .boxed()
        })
        .await
    }

    async fn restore(
        &self,
        session: &Session,
        service: Service,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(), StepFault> {
        let method: Method = method.parse().map_err(|_| {
            StepFault::errored(Reason::ServiceError, format!("'{method}' in the ledger is no method"))
        })?;
        self.until(PATIENCE, "undo:restore", || {
            async {
                let request = session.request(service, method.clone(), path);
                let request = if let Some(body) = body { request.json(body) } else { request };
                match request.send().await {
                    Ok(_) => Observation::Done(()),
                    // What held the value is gone itself.
                    Err(error) if error.is_not_found() => Observation::Done(()),
                    Err(error) => Observation::waiting(fault_of(&error)),
                }
            }
            .boxed()
        })
        .await
    }

    /// Waits with the one poller. A cloud that cannot be reached at all is not waited for as long.
    pub async fn until<'b, T: Send + 'b>(
        &self,
        patience: Duration,
        kind: &str,
        mut observe: impl FnMut() -> BoxFuture<'b, Observation<T>> + Send,
    ) -> Result<T, StepFault> {
        let deadline = Instant::now() + patience.mul_f64(self.scale);
        let wait = Wait {
            rhythm: self.rhythm,
            key: kind,
            general: kind,
            every: None,
            deadline,
            test_deadline: deadline,
            cancel: self.abandon,
            on_change: &|seen| tracing::debug!(kind, seen, "undoing"),
        };
        let unreachable_since = Arc::new(Mutex::new(None));
        let (end, _) = poll(&wait, || {
            let (look, since) = (observe(), Arc::clone(&unreachable_since));
            async move { bounded(look.await, &mut since.lock().unwrap_or_else(PoisonError::into_inner)) }
                .boxed()
        })
        .await;
        end
    }
}

/// Ends a wait for a cloud that could not be reached for too long.
fn bounded<T>(observation: Observation<T>, since: &mut Option<Instant>) -> Observation<T> {
    match observation {
        Observation::Pending(pending) if pending.fault.reason == Reason::CloudUnreachable => {
            let since = *since.get_or_insert_with(Instant::now);
            if since.elapsed() < UNREACHABLE_PATIENCE {
                Observation::Pending(pending)
            } else {
                Observation::Fault(pending.fault)
            }
        }
        observation => {
            *since = None;
            observation
        }
    }
}

/// Items asked for in one page.
pub const PAGE: u32 = 500;

/// The items of a list's answer: the only list in it.
pub fn items_of(body: &Value) -> impl Iterator<Item = &Value> {
    body.as_object().into_iter().flat_map(serde_json::Map::values).filter_map(Value::as_array).flatten()
}

/// Whether a text carries a run's or a test's prefix, as a whole word: `to-1-1` is not in `to-1-12`.
pub fn carries(text: &str, prefix: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    text.match_indices(prefix).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(is_word);
        let after = text[at + prefix.len()..].chars().next().is_some_and(is_word);
        !before && !after
    })
}

fn known_service(name: &str) -> Result<Service, StepFault> {
    service_named(name).ok_or_else(|| {
        StepFault::errored(
            Reason::ServiceError,
            format!("'{name}' in the ledger is no service that is known"),
        )
    })
}

fn leak_of(entry: &Entry, fault: &StepFault) -> Leak {
    let message = Some(crate::outcome::shorten(&fault.message, 400));
    match &entry.undo {
        Undo::Stack { name, id } => Leak {
            service: "orchestration".to_owned(),
            kind: "stack".to_owned(),
            id: id.clone().unwrap_or_default(),
            name: name.clone(),
            removed: false,
            message,
        },
        Undo::Item { service, collection, marker, id, .. } => Leak {
            service: service.clone(),
            kind: collection.trim_matches('/').trim_end_matches('s').to_owned(),
            id: id.clone().unwrap_or_default(),
            name: marker.clone(),
            removed: false,
            message,
        },
        Undo::Restore { service, method, path, .. } => Leak {
            service: service.clone(),
            kind: "value".to_owned(),
            id: path.clone(),
            name: format!("{method} {path}"),
            removed: false,
            message,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_carried_only_as_a_whole_word() {
        assert!(carries("to-ab01-1-zone", "to-ab01-1"));
        assert!(carries("to-ab01-1.example.", "to-ab01-1"));
        assert!(carries("to-ab01-1 made by tempest-operator", "to-ab01-1"));
        assert!(!carries("to-ab01-12-zone", "to-ab01-1"));
        assert!(!carries("auto-ab01-1", "to-ab01-1"));
    }
}
