//! Designate v2: zones and record sets whose truth arrives on the name servers later.

mod checks;
mod limits;
mod paging;
mod recordsets;
mod reverse;
mod worker;
mod zones;

use std::{collections::HashMap, sync::Arc};

use http::Method;
use serde_json::{Value, json};

pub(super) use checks::parse as parse_record;
pub(super) use limits::Limits;
pub(super) use reverse::names as reverse_names;
pub(super) use worker::{poll, refresh_all, serial_batch, transfer, zone_gone};

use super::{
    nameserver::{RecordData, ZoneCopy},
    table::Table,
    wire::{Call, Refusal, Reply},
    world::World,
};

pub(super) const PENDING: &str = "PENDING";
pub(super) const ACTIVE: &str = "ACTIVE";
pub(super) const ERROR: &str = "ERROR";
pub(super) const POOL: &str = "794ccc2c-d751-44fe-b57f-8894c9f5c842";

/// One record set.
#[derive(Clone, Debug)]
pub(super) struct RecordSet {
    pub(super) id: String,
    pub(super) project_id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) records: Vec<String>,
    pub(super) ttl: Option<u32>,
    pub(super) description: Option<String>,
    pub(super) status: &'static str,
    pub(super) action: &'static str,
    /// The zone serial that carries the latest change, once there is one.
    serial: Option<u32>,
    /// Designate's own: SOA and apex NS, and what was set for a floating IP.
    managed: bool,
    /// The floating IP that it was set for, and by which project.
    set_for: Option<(String, String)>,
    version: u32,
    created_at: String,
    updated_at: Option<String>,
}

/// One zone with its record sets.
#[derive(Debug)]
pub(super) struct Zone {
    pub(super) id: String,
    pub(super) project_id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) ttl: u32,
    pub(super) description: Option<String>,
    pub(super) serial: u32,
    pub(super) status: &'static str,
    pub(super) action: &'static str,
    version: u32,
    created_at: String,
    updated_at: Option<String>,
    pub(super) recordsets: Table<RecordSet>,
    batch_pending: bool,
    /// What the name servers are to have since the latest serial bump.
    published: Option<Arc<ZoneCopy>>,
    /// Record sets that a fault keeps on the wire after their end.
    ghosts: Vec<(String, RecordData)>,
}

/// Everything Designate knows.
#[derive(Debug, Default)]
pub(super) struct Dns {
    pub(super) zones: Table<Zone>,
    quotas: HashMap<String, Limits>,
}

/// Whose things a call may see.
#[derive(Clone, Debug)]
struct View {
    project_id: String,
    all: bool,
}

impl View {
    fn of(call: &Call) -> Result<Self, Refusal> {
        let all = call.header_is_true("x-auth-all-projects");
        let sudo = call.header("x-auth-sudo-project-id");
        if (all || sudo.is_some()) && !call.caller.is_admin() {
            // Refused by the middleware, which writes no body.
            return Err(Refusal::new(403, "", ""));
        }
        let own = call.caller.project_id.as_str();
        Ok(Self { project_id: sudo.unwrap_or(own).to_owned(), all })
    }

    fn sees(&self, project_id: &str) -> bool {
        self.all || self.project_id == project_id
    }
}

pub(super) fn handle(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let view = View::of(call)?;
    if call.method != Method::GET && world.only_reads(&call.caller) {
        return Err(Refusal::new(403, "forbidden", ""));
    }
    let path = call.segments();
    match (&call.method, path.as_slice()) {
        (&Method::GET, []) => Ok(Reply::ok(versions(world))),
        (&Method::GET, ["v2"]) => Ok(Reply::ok(json!({"v2": {}}))),
        (_, ["v2", "zones", rest @ ..]) => match rest {
            [id, "recordsets", rest @ ..] => recordsets::handle(world, call, &view, id, rest),
            _ => zones::handle(world, call, &view, rest),
        },
        (_, ["v2", "reverse", "floatingips", rest @ ..]) => reverse::handle(world, call, rest),
        (&Method::GET, ["v2", "recordsets"]) => recordsets::search(world, call, &view),
        (_, ["v2", "quotas", ..] | ["v2", "limits"]) => limits::handle(world, call, &path[1..]),
        (&Method::GET, ["v2", "service_statuses"]) => Ok(statuses(world)),
        (&Method::GET, ["v2", "pools"]) => Ok(Reply::ok(json!({"pools": [{"id": POOL, "name": "default",
                "ns_records": nameservers(world)}], "links": {}}))),
        _ => Err(Refusal::new(404, "not_found", "")),
    }
}

fn versions(world: &World) -> Value {
    let href = format!("{}/dns/v2", world.base_url);
    let version = |id: &str, status: &str| {
        json!({"id": id, "status": status, "updated": "2022-06-29T00:00:00Z",
            "links": [{"href": href, "rel": "self"}, {"rel": "help",
                "href": "https://docs.openstack.org/api-ref/dns"}]})
    };
    json!({"versions": [version("v2", "SUPPORTED"), version("v2.0", "SUPPORTED"),
        version("v2.1", "CURRENT")]})
}

fn statuses(world: &World) -> Reply {
    let now = world.timestamp_micros();
    let href = format!("{}/dns/v2/service_statuses", world.base_url);
    let service = |name: &str| {
        json!({"id": format!("simcloud-{name}"), "service_name": name, "hostname": "simcloud",
            "status": "UP", "stats": {}, "capabilities": {}, "created_at": now,
            "updated_at": now, "heartbeated_at": now,
            "links": {"self": format!("{href}/simcloud-{name}")}})
    };
    let all = ["api", "central", "mdns", "producer", "worker"].map(service);
    Reply::ok(json!({"service_statuses": all, "links": {"self": href}}))
}

/// The host names of the pool's name servers.
pub(super) fn nameservers(world: &World) -> Vec<Value> {
    (1..=world.options.name_server_count.max(1))
        .map(|n| json!({"hostname": nameserver_name(world, n), "priority": n}))
        .collect()
}

fn nameserver_name(world: &World, n: usize) -> String {
    format!("ns{n}.{}", world.options.zone_suffix)
}

fn bad_request(message: &str) -> Refusal {
    Refusal::new(400, "bad_request", message)
}

fn over_quota(what: &str) -> Refusal {
    Refusal::new(413, "over_quota", format!("Quota exceeded for {what}."))
}

/// A body that does not fit the schema, as the validator reports it.
fn invalid_object(path: &[Value], message: &str, validator: &str) -> Refusal {
    let mut refusal = Refusal::new(400, "invalid_object", "");
    refusal.detail = Some(json!({"errors": [{"path": path, "message": message,
        "validator": "format", "validator_value": [validator]}]}));
    refusal
}

/// A value that Designate's objects refuse to hold.
fn invalid_value(message: &str) -> Refusal {
    let message = format!("Provided object is not valid. Got a ValueError error with message {message}");
    Refusal::new(400, "invalid_object", message)
}
