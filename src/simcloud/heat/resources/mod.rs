//! The resource types: how each is made, changed, watched, read and taken away.

mod basic;
mod definition;
mod designate;
pub(super) mod lookup;
mod network;
mod network_body;
mod property;
mod schema;
mod server;

use http::Method;
use serde_json::{Value, json};

pub(super) use definition::{check_definition, check_together};
pub(super) use schema::{SCHEMAS, Schema};

use super::{
    groups,
    stack::{Resource, Stack},
};
use crate::simcloud::{
    wire::{Caller, Refusal, Service},
    world::World,
};

/// One piece of work on a resource.
pub(super) struct Job<'a> {
    pub(super) world: &'a mut World,
    pub(super) caller: Caller,
    stack_name: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) properties: Value,
    pub(super) data: Value,
}

/// Whether something asynchronous has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Done,
    Waiting,
}

/// What an update did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    InPlace,
    Replace,
}

/// What Heat calls the failure of something that went to ERROR.
const IN_ERROR: &str = "ResourceInError";

/// Why a resource failed, in the words that Heat reports.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    class: String,
    message: String,
    /// The thing is not there: after a delete that is what was wanted.
    missing: bool,
}

impl Trouble {
    pub(super) fn new(class: &str, message: impl Into<String>) -> Self {
        Self { class: class.to_owned(), message: message.into(), missing: false }
    }

    /// Whether the service took the request, and what it made went to ERROR.
    pub(super) fn is_in_error(&self) -> bool {
        self.class == IN_ERROR
    }

    pub(super) fn reason(&self, resource: &str) -> String {
        format!("{}: resources.{resource}: {}", self.class, self.message)
    }

    /// A service's refusal as its Python client names it.
    fn of(service: Service, refusal: &Refusal, request_id: &str) -> Self {
        let Refusal { status, kind, message, .. } = refusal;
        let by_status = match status {
            400 => "BadRequest",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            409 => "Conflict",
            413 => "OverQuota",
            503 => "ServiceUnavailable",
            _ => "ClientException",
        };
        let (class, message) = match service {
            Service::Network => {
                let own = [
                    "NetworkNotFound",
                    "PortNotFound",
                    "NetworkInUse",
                    "OverQuota",
                    "IpAddressGenerationFailure",
                    "InvalidIpForNetwork",
                ];
                let class = if own.contains(&kind.as_str()) {
                    format!("{kind}Client")
                } else if *status >= 500 {
                    "InternalServerError".to_owned()
                } else {
                    by_status.to_owned()
                };
                (class, format!("{message}\nNeutron server returns request_ids: ['{request_id}']"))
            }
            Service::Compute => {
                (by_status.to_owned(), format!("{message} (HTTP {status}) (Request-ID: {request_id})"))
            }
            _ if *status >= 500 => ("RemoteError".to_owned(), message.clone()),
            // An object that is not valid has no message of its own, but one for each fault.
            Service::Dns if message.is_empty() => {
                let first = refusal.detail.as_ref().and_then(|detail| detail.pointer("/errors/0/message"));
                (by_status.to_owned(), first.and_then(Value::as_str).unwrap_or_default().to_owned())
            }
            _ => (by_status.to_owned(), message.clone()),
        };
        Self { class, message, missing: *status == 404 }
    }
}

impl<'a> Job<'a> {
    pub(super) fn of(world: &'a mut World, stack: &Stack, resource: &Resource) -> Self {
        Self {
            world,
            caller: stack.owner.clone(),
            stack_name: stack.name.clone(),
            name: resource.name.clone(),
            kind: resource.kind.clone(),
            id: resource.physical_id.clone().unwrap_or_default(),
            properties: resource.properties.clone(),
            data: resource.data.clone(),
        }
    }

    /// A call to a service with the rights of the stack's owner.
    pub(super) fn call(
        &mut self,
        service: Service,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<Value, Trouble> {
        let outcome = self.world.internal(&self.caller, service, method, path, body);
        outcome.map_err(|refusal| {
            let request_id = format!("req-{}", self.world.uuid());
            Trouble::of(service, &refusal, &request_id)
        })
    }

    /// The name that Heat gives where the template gives none.
    pub(super) fn physical_name(&mut self) -> String {
        if let Some(name) = self.properties["name"].as_str() {
            name.to_owned()
        } else {
            let random = self.world.hex_id();
            format!("{}-{}-{}", self.stack_name, self.name, &random[..12])
        }
    }

    pub(super) fn text(&self, property: &str) -> &str {
        self.properties[property].as_str().unwrap_or_default()
    }
}

/// The collection of a plain Neutron resource.
pub(super) fn collection(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "OS::Neutron::Net" | "OS::Neutron::ProviderNet" => ("networks", "network"),
        "OS::Neutron::Subnet" => ("subnets", "subnet"),
        "OS::Neutron::Port" => ("ports", "port"),
        "OS::Neutron::Router" => ("routers", "router"),
        "OS::Neutron::FloatingIP" => ("floatingips", "floatingip"),
        "OS::Neutron::SecurityGroup" => ("security-groups", "security_group"),
        _ => return None,
    })
}

pub(super) fn create(job: &mut Job<'_>) -> Result<(String, Value), Trouble> {
    match job.kind.as_str() {
        "OS::Designate::Zone" => designate::create_zone(job),
        "OS::Designate::RecordSet" => designate::create_recordset(job),
        "OS::Nova::Server" => server::create(job),
        "OS::Nova::KeyPair" => server::create_keypair(job),
        kind if kind.starts_with("OS::Neutron::") => network::create(job),
        _ => Ok(basic::create(job)),
    }
}

/// Whether what was begun has ended.
pub(super) fn check(job: &mut Job<'_>) -> Result<Progress, Trouble> {
    match job.kind.as_str() {
        "OS::Designate::Zone" | "OS::Designate::RecordSet" => designate::check(job),
        "OS::Nova::Server" => server::check(job),
        _ => Ok(Progress::Done),
    }
}

/// Changes a resource to new properties, or says that it must be replaced.
pub(super) fn update(job: &mut Job<'_>, new: &Value) -> Result<Change, Trouble> {
    let Some(schema) = Schema::of(&job.kind) else {
        return Ok(Change::None);
    };
    let old = job.properties.clone();
    let changed = || schema.properties.iter().filter(|one| old.get(one.name) != new.get(one.name));
    if changed().any(|property| !property.in_place()) {
        return Ok(Change::Replace);
    }
    let changed: Vec<&str> = changed().map(|property| property.name).collect();
    if changed.is_empty() {
        return Ok(Change::None);
    }
    match job.kind.as_str() {
        "OS::Designate::Zone" | "OS::Designate::RecordSet" => designate::update(job, new, &changed),
        "OS::Nova::Server" => server::update(job, new, &changed),
        kind if kind.starts_with("OS::Neutron::") => network::update(job, new, &changed),
        groups::KIND => Ok(Change::InPlace),
        _ => Ok(Change::Replace),
    }
}

pub(super) fn delete(job: &mut Job<'_>) -> Result<Progress, Trouble> {
    let outcome = match job.kind.as_str() {
        "OS::Designate::Zone" | "OS::Designate::RecordSet" => designate::delete(job),
        "OS::Nova::Server" | "OS::Nova::KeyPair" => server::delete(job),
        kind if kind.starts_with("OS::Neutron::") => network::delete(job),
        _ => Ok(Progress::Done),
    };
    match outcome {
        Err(trouble) if trouble.missing => Ok(Progress::Done),
        other => other,
    }
}

/// Whether what is being deleted has gone.
pub(super) fn is_gone(job: &mut Job<'_>) -> Result<Progress, Trouble> {
    let outcome = match job.kind.as_str() {
        "OS::Designate::Zone" | "OS::Designate::RecordSet" => designate::show(job),
        "OS::Nova::Server" => server::show(job),
        _ => return Ok(Progress::Done),
    };
    match outcome {
        Ok(shown) if shown["status"] == "ERROR" => {
            Err(Trouble::new("ResourceInError", "Went to status ERROR due to \"Unknown\""))
        }
        Ok(_) => Ok(Progress::Waiting),
        Err(trouble) if trouble.missing => Ok(Progress::Done),
        Err(trouble) => Err(trouble),
    }
}

/// What `get_resource` gives.
pub(super) fn reference(resource: &Resource) -> Value {
    match resource.kind.as_str() {
        "OS::Heat::RandomString" => resource.data["value"].clone(),
        _ => resource.physical_id.as_ref().map_or(Value::Null, |id| json!(id)),
    }
}

/// What `get_attr` gives.
pub(super) fn attribute(world: &mut World, stack: &Stack, resource: &Resource, path: &[Value]) -> Value {
    if resource.physical_id.is_none() || resource.hollow {
        return Value::Null;
    }
    if resource.kind == groups::KIND {
        return groups::attribute(world, stack, resource, path);
    }
    let mut job = Job::of(world, stack, resource);
    let shown = match job.kind.as_str() {
        "OS::Designate::Zone" | "OS::Designate::RecordSet" => designate::show(&mut job).ok(),
        "OS::Nova::Server" => server::attributes(&mut job),
        "OS::Nova::KeyPair" => server::show(&mut job).ok(),
        kind if kind.starts_with("OS::Neutron::") => network::show(&mut job).ok(),
        _ => Some(job.data.clone()),
    };
    let Some(shown) = shown else {
        return Value::Null;
    };
    let Some((first, rest)) = path.split_first() else {
        return shown;
    };
    if first == "show" {
        return super::functions::walk(&shown, rest);
    }
    super::functions::walk(&shown, path)
}
