//! Nova 2.1: servers that build, plug into ports and name them; flavors, key pairs, limits.

mod actions;
mod boot;
mod build;
mod flavors;
mod guest;
mod keypairs;
mod servers;

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

pub(super) use build::{built, gone};
pub use guest::shell;

use super::{
    inventory::Item,
    table::Table,
    wire::{Call, Caller, Refusal, Reply},
    world::World,
};

/// The newest microversion.
const MAX_MINOR: u32 = 104;

/// One server.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: Caller,
    hostname: String,
    image: String,
    flavor: String,
    /// What was asked for, until the build has made it true.
    requested: Vec<Value>,
    /// Port ids, and whether Nova made them.
    ports: Vec<(String, bool)>,
    security_groups: Vec<Value>,
    user_data: String,
    metadata: BTreeMap<String, String>,
    tags: Vec<String>,
    key_name: Option<String>,
    status: &'static str,
    task_state: Option<&'static str>,
    fault: Option<String>,
    launched: Option<String>,
    created: String,
    updated: String,
}

/// Everything Nova knows.
#[derive(Debug, Default)]
pub(super) struct Compute {
    pub(super) servers: Table<Server>,
    keypairs: BTreeMap<(String, String), Value>,
}

impl Compute {
    pub(super) fn keypair_items(&self) -> Vec<Item> {
        self.keypairs
            .keys()
            .map(|(user, name)| Item { id: name.clone(), name: name.clone(), project_id: user.clone() })
            .collect()
    }
}

fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new(404, "itemNotFound", message)
}

fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "badRequest", message)
}

fn conflict(message: impl Into<String>) -> Refusal {
    Refusal::new(409, "conflictingRequest", message)
}

/// The microversion that a call asks for.
fn asked(call: &Call) -> Option<&str> {
    call.header("openstack-api-version")
        .and_then(|value| value.strip_prefix("compute "))
        .or_else(|| call.header("x-openstack-nova-api-version"))
        .map(str::trim)
}

/// The minor version that a call gets.
fn negotiate(call: &Call) -> Result<u32, Refusal> {
    let Some(wanted) = asked(call) else {
        return Ok(1);
    };
    if wanted == "latest" {
        return Ok(MAX_MINOR);
    }
    let minor = wanted.strip_prefix("2.").and_then(|minor| minor.parse::<u32>().ok());
    let Some(minor) = minor else {
        let message =
            format!("API Version String {wanted} is of invalid format. Must be of format MajorNum.MinorNum.");
        return Err(bad_request(message));
    };
    if (1..=MAX_MINOR).contains(&minor) {
        return Ok(minor);
    }
    let message =
        format!("Version {wanted} is not supported by the API. Minimum is 2.1 and maximum is 2.{MAX_MINOR}.");
    Err(Refusal::new(406, "computeFault", message))
}

pub(super) fn handle(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    // Errors carry the version headers too, so they are put into their envelope here.
    let (version, outcome) = match negotiate(call) {
        Ok(minor) => (format!("2.{minor}"), route(world, call, minor)),
        Err(refusal) => (asked(call).unwrap_or("2.1").to_owned(), Err(refusal)),
    };
    if call.path.is_empty() || call.in_process {
        return outcome;
    }
    let service = crate::simcloud::wire::Service::Compute;
    let reply = outcome.unwrap_or_else(|refusal| refusal.envelope(service, &call.request_id));
    Ok(reply
        .with_header("openstack-api-version", format!("compute {version}"))
        .with_header("x-openstack-nova-api-version", version)
        .with_header("vary", "X-OpenStack-Nova-API-Version"))
}

fn version(world: &World) -> Value {
    let href = format!("{}/compute/v2.1/", world.base_url);
    json!({"id": "v2.1", "status": "CURRENT", "version": format!("2.{MAX_MINOR}"),
        "min_version": "2.1", "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": href}],
        "media-types": [{"base": "application/json",
            "type": "application/vnd.openstack.compute+json;version=2.1"}]})
}

fn route(world: &mut World, call: &Call, minor: u32) -> Result<Reply, Refusal> {
    let path = call.segments();
    if call.method != Method::GET && world.only_reads(&call.caller) {
        let message = "Policy doesn't allow os_compute_api:servers to be performed.";
        return Err(Refusal::new(403, "forbidden", message));
    }
    match (&call.method, path.as_slice()) {
        (&Method::GET, []) => {
            let old = format!("{}/compute/v2/", world.base_url);
            let old = json!({"id": "v2.0", "status": "DEPRECATED", "version": "",
                "min_version": "", "updated": "2025-07-04T12:00:00Z",
                "links": [{"rel": "self", "href": old}]});
            let mut current = version(world);
            if let Some(fields) = current.as_object_mut() {
                fields.remove("media-types");
            }
            Ok(Reply::ok(json!({"versions": [old, current]})))
        }
        (&Method::GET, ["v2.1"]) => Ok(Reply::ok(json!({"version": version(world)}))),
        (_, ["v2.1", "flavors", rest @ ..]) => flavors::handle(world, call, rest),
        (_, ["v2.1", "servers", rest @ ..]) => servers::handle(world, call, minor, rest),
        (_, ["v2.1", "os-keypairs", rest @ ..]) => keypairs::handle(world, call, minor, rest),
        (&Method::GET, ["v2.1", "limits"]) => Ok(limits(world, call)),
        (&Method::GET, ["v2.1", "os-availability-zone"]) => Ok(Reply::ok(json!({
            "availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": true},
                "hosts": null}]}))),
        _ => Err(not_found("The resource could not be found.")),
    }
}

fn limits(world: &World, call: &Call) -> Reply {
    let mine = world
        .compute
        .servers
        .values()
        .filter(|server| server.owner.project_id == call.caller.project_id)
        .count();
    Reply::ok(json!({"limits": {"rate": [], "absolute": {
        "maxTotalInstances": world.options.quotas.instances, "totalInstancesUsed": mine,
        "maxTotalCores": -1, "totalCoresUsed": mine, "maxTotalRAMSize": -1,
        "totalRAMUsed": mine * 64, "maxTotalKeypairs": 100, "maxServerMeta": 128,
        "maxServerGroups": 10, "maxServerGroupMembers": 10, "totalServerGroupsUsed": 0}}}))
}

/// Nova's host name for a display name: the name is cut before anything is dropped from it.
pub(super) fn hostname(name: &str) -> String {
    let clean: String = name
        .chars()
        .take(63)
        .map(|c| if matches!(c, ' ' | '_' | '.') { '-' } else { c })
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    clean.to_ascii_lowercase().trim_matches('-').to_owned()
}
