//! The leak audit: what carries a run's or a test's prefix and is still there after everything was undone.

use futures::FutureExt;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use http::Method;
use serde_json::Value;

use super::cloud::{Cloud, fault_of, service_of};
use super::fault::StepFault;
use super::poll::{Observation, Pending};
use super::undo::{PAGE, Undoing, carries, items_of};
use crate::openstack::{Service, Session};
use crate::outcome::{Leak, Reason, Role};

use crate::plan::identity::description_of_tags;
use crate::scenario::ServiceType;

/// How long services may take to finish deleting what they said is deleted.
const SETTLING: Duration = Duration::from_secs(20);

/// One kind of thing that a scenario can make, in the order in which they are deleted.
struct Kind {
    service: Service,
    called: &'static str,
    collection: &'static str,
    list: &'static str,
}

const KINDS: [Kind; 9] = [
    kind(Service::Orchestration, "stack", "/stacks", "/stacks"),
    kind(Service::Compute, "server", "/servers", "/servers/detail"),
    kind(Service::Network, "floatingip", "/floatingips", "/floatingips"),
    kind(Service::Network, "port", "/ports", "/ports"),
    kind(Service::Network, "router", "/routers", "/routers"),
    kind(Service::Network, "subnet", "/subnets", "/subnets"),
    kind(Service::Network, "network", "/networks", "/networks"),
    kind(Service::Network, "security-group", "/security-groups", "/security-groups"),
    kind(Service::Dns, "zone", "/zones", "/zones"),
];

const fn kind(service: Service, kind: &'static str, collection: &'static str, list: &'static str) -> Kind {
    Kind { service, called: kind, collection, list }
}

/// What is looked for: the prefixes of tests, runs and attempts.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// One of these is on it.
    pub any: Vec<String>,
    /// And none of these: what they are on is kept on purpose.
    pub none: Vec<String>,
}

impl Marks {
    /// Only this prefix.
    pub fn of(prefix: &str) -> Self {
        Self { any: vec![prefix.to_owned()], none: Vec::new() }
    }

    fn are_on(&self, texts: &[&str]) -> bool {
        let carried = |prefix: &String| texts.iter().any(|text| carries(text, prefix));
        self.any.iter().any(carried) && !self.none.iter().any(carried)
    }
}

/// Something that carries the marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// As whom it was found.
    pub role: Role,
    /// The service.
    pub service: Service,
    /// What it is.
    pub kind: &'static str,
    /// The collection it is deleted from.
    pub collection: &'static str,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
}

/// Everything whose name or description carries the marks, in every project that the run acts in. A service that
/// cannot be asked is passed over: its trouble shows elsewhere. Without `services`, all of the catalogue.
pub async fn find(cloud: &Cloud, services: Option<&BTreeSet<ServiceType>>, marks: &Marks) -> Vec<Found> {
    let wanted =
        |service: Service| services.is_none_or(|all| all.iter().any(|one| service_of(*one) == service));
    let matches = |name: &str, description: &str| marks.are_on(&[name, description]);
    find_matching(cloud, &wanted, &matches).await.0
}

/// The audit after undoing: what is still there when services had a moment to finish, removed now if possible.
pub async fn audit(
    undoing: &Undoing<'_>,
    services: Option<&BTreeSet<ServiceType>>,
    marks: &Marks,
    known: &[Leak],
) -> Vec<Leak> {
    let last = Mutex::new(Vec::new());
    let settled = undoing
        .until(SETTLING, "audit", || {
            async {
                let found = find(undoing.cloud, services, marks).await;
                // What is known to be stuck is not waited for again.
                let open = found.iter().filter(|found| !is_known(found, known)).count();
                *last.lock().unwrap_or_else(PoisonError::into_inner) = found;
                if open == 0 {
                    return Observation::Done(());
                }
                let message = format!("{open} things are still there");
                Observation::Pending(Pending::fault(StepFault::failed(Reason::UnexpectedStatus, message)))
            }
            .boxed()
        })
        .await;
    if settled.is_ok() {
        return Vec::new();
    }
    let last = last.into_inner().unwrap_or_else(PoisonError::into_inner);
    remove(undoing, last, known).await
}

/// Everything whose name and description `matches` accepts, and why some things could not be listed.
pub async fn find_matching(
    cloud: &Cloud,
    wanted: &(dyn Fn(Service) -> bool + Send + Sync),
    matches: &(dyn Fn(&str, &str) -> bool + Send + Sync),
) -> (Vec<Found>, Vec<StepFault>) {
    let writers = cloud.sessions().filter(|(role, _)| matches!(role, Role::Primary | Role::Alternate));
    let asked = writers.flat_map(|(role, session)| {
        KINDS
            .iter()
            .filter(|kind| wanted(kind.service) && session.has_service(kind.service))
            .map(move |kind| list(role, session, kind))
    });
    let (mut all, mut unknown) = (Vec::new(), Vec::new());
    for listed in join_all(asked).await {
        match listed {
            Ok(found) => {
                all.extend(found.into_iter().filter(|found| matches(&found.name, &found.description)));
            }
            Err(fault) => unknown.push(fault),
        }
    }
    (all, unknown)
}

async fn list(role: Role, session: &Session, kind: &'static Kind) -> Result<Vec<Found>, StepFault> {
    match session.request(kind.service, Method::GET, kind.list).send_pages(PAGE).await {
        Ok(answer) => Ok(items_of(&answer.body).filter_map(|item| found(role, kind, item)).collect()),
        Err(error) => {
            tracing::warn!(%error, kind = kind.called, "the audit could not list");
            let mut fault = fault_of(&error);
            fault.message = format!("the {role}'s {}s could not be listed: {}", kind.called, fault.message);
            Err(fault)
        }
    }
}

fn found(role: Role, kind: &'static Kind, item: &Value) -> Option<Found> {
    let text = |key: &str| item.get(key).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").or_else(|| text("stack_name")).unwrap_or_default();
    let tags = item.get("tags").and_then(Value::as_array).into_iter().flatten();
    let tags: Vec<String> = tags.filter_map(Value::as_str).map(str::to_owned).collect();
    // A stack's description is its template's; ours is in its tags.
    let description = if kind.service == Service::Orchestration {
        description_of_tags(&tags)
    } else {
        text("description").unwrap_or_default()
    };
    Some(Found {
        role,
        service: kind.service,
        kind: kind.called,
        collection: kind.collection,
        id: text("id")?,
        name,
        description,
    })
}

fn is_known(found: &Found, known: &[Leak]) -> bool {
    known.iter().any(|leak| leak.id == found.id || (leak.kind == found.kind && leak.name == found.name))
}

/// Removes what was found, after `known` leaks, which were tried already; gives one leak for each.
pub async fn remove(undoing: &Undoing<'_>, found: Vec<Found>, known: &[Leak]) -> Vec<Leak> {
    let mut leaks = Vec::new();
    for found in found {
        if is_known(&found, known) {
            continue;
        }
        tracing::warn!(kind = found.kind, id = %found.id, name = %found.name, "found after undoing");
        let end = remove_one(undoing, &found).await;
        leaks.push(Leak {
            service: found.service.service_type().to_owned(),
            kind: found.kind.to_owned(),
            id: found.id,
            name: if found.name.is_empty() { found.description } else { found.name },
            removed: end.is_ok(),
            message: end.err().map(|fault| crate::outcome::shorten(&fault.message, 400)),
        });
    }
    leaks
}

async fn remove_one(undoing: &Undoing<'_>, found: &Found) -> Result<(), StepFault> {
    let session = undoing.cloud.session(found.role)?;
    match found.kind {
        "stack" => undoing.stack(session, &found.name, Some(&found.id)).await,
        "router" => {
            detach(session, &found.id).await;
            undoing.item(session, found.service, &format!("{}/{}", found.collection, found.id)).await
        }
        _ => undoing.item(session, found.service, &format!("{}/{}", found.collection, found.id)).await,
    }
}

/// Takes a router off its subnets: it cannot be deleted before.
async fn detach(session: &Session, router: &str) {
    let ports = session.request(Service::Network, Method::GET, "/ports").query("device_id", router);
    let Ok(answer) = ports.send_pages(PAGE).await else { return };
    for port in items_of(&answer.body).filter_map(|port| port.get("id")) {
        let path = format!("/routers/{router}/remove_router_interface");
        let body = serde_json::json!({ "port_id": port });
        if let Err(error) = session.request(Service::Network, Method::PUT, path).json(&body).send().await {
            tracing::debug!(%error, router, "an interface could not be removed");
        }
    }
}
