//! Neutron v2.0: networks, ports, floating IPs, and the publication of their names in Designate.

mod addresses;
mod fips;
mod groups;
mod kind;
mod names;
mod networks;
mod ports;
mod publish;
mod quotas;
mod routers;
mod rows;
mod seed;
mod subnets;

use std::collections::{HashMap, HashSet};

use http::Method;
use serde_json::{Map, Value, json};

pub(super) use seed::seed;

use super::{
    table::Table,
    wire::{Call, Refusal, Reply},
    world::World,
};
use addresses::Allocations;
use kind::Kind;
use names::PortDns;
use publish::FipDns;

/// Everything Neutron knows. Rows are documents as the API shows them to an administrator.
#[derive(Debug, Default)]
pub(super) struct Network {
    tables: HashMap<Kind, Table<Value>>,
    allocations: Allocations,
    port_dns: HashMap<String, PortDns>,
    fip_dns: HashMap<String, FipDns>,
    quotas: HashMap<String, Map<String, Value>>,
    /// What was there before any test: no leak.
    given: HashSet<String>,
    next_segment: u32,
}

impl Network {
    fn table(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Value> {
        self.tables.get(&kind).into_iter().flat_map(Table::values)
    }

    fn row(&self, kind: Kind, id: &str) -> Option<&Value> {
        self.tables.get(&kind)?.get(id)
    }

    fn row_mut(&mut self, kind: Kind, id: &str) -> Option<&mut Value> {
        self.tables.get_mut(&kind)?.get_mut(id)
    }

    fn insert(&mut self, kind: Kind, id: &str, row: Value) {
        self.tables.entry(kind).or_default().insert(id, row);
    }

    fn remove(&mut self, kind: Kind, id: &str) -> Option<Value> {
        self.tables.get_mut(&kind)?.remove(id)
    }

    /// A port's row, for Nova.
    pub(super) fn port_row(&self, id: &str) -> Option<Value> {
        self.row(Kind::Port, id).cloned()
    }

    /// A port's `dns_name`, for Nova.
    pub(super) fn port_name(&self, id: &str) -> String {
        self.port_dns.get(id).map(|dns| dns.name.clone()).unwrap_or_default()
    }

    /// A network's row, for Nova.
    pub(super) fn network_row(&self, id: &str) -> Value {
        self.row(Kind::Network, id).cloned().unwrap_or_default()
    }

    /// The ports of these networks that have a name: what the networks' own DNS knows.
    pub(super) fn ports_of_networks(&self, networks: &[String]) -> Vec<(String, Value)> {
        self.table(Kind::Port)
            .filter(|port| networks.iter().any(|network| network == text(port, "network_id")))
            .map(|port| (self.port_name(text(port, "id")), port.clone()))
            .filter(|(name, _)| !name.is_empty())
            .collect()
    }

    /// The floating address on a port, for Nova.
    pub(super) fn floating_address(&self, port_id: &str) -> Option<Value> {
        self.table(Kind::FloatingIp)
            .find(|fip| text(fip, "port_id") == port_id)
            .map(|fip| fip["floating_ip_address"].clone())
    }

    /// The rows of a collection that a test must have made, for leak checks.
    pub(super) fn made(&self, collection: &str) -> Vec<Value> {
        let Some(kind) = Kind::by_collection(collection) else {
            return Vec::new();
        };
        // What belongs to no project is part of a router or floating IP, which is listed itself.
        let made =
            |row: &&Value| !self.given.contains(text(row, "id")) && !text(row, "project_id").is_empty();
        self.table(kind).filter(made).cloned().collect()
    }
}

/// A text field of a row; empty where there is none.
pub(super) fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}

const EXTENSIONS: [(&str, &str); 27] = [
    ("dns-integration", "DNS Integration"),
    ("dns-domain-ports", "dns_domain for ports"),
    ("subnet-dns-publish-fixed-ip", "Subnet DNS publish fixed IP"),
    ("dns-integration-domain-keywords", "DNS domain names with keywords allowed"),
    ("router", "Neutron L3 Router"),
    ("external-net", "Neutron external network"),
    ("ext-gw-mode", "Neutron L3 Configurable external gateway mode"),
    ("security-group", "security-group"),
    ("quotas", "Quota management support"),
    ("quota_details", "Quota details management support"),
    ("provider", "Provider Network"),
    ("binding", "Port Binding"),
    ("standard-attr-tag", "Tag support for resources with standard attribute"),
    ("standard-attr-description", "standard-attr-description"),
    ("standard-attr-revisions", "Resource revision numbers"),
    ("standard-attr-timestamp", "Resource timestamps"),
    ("port-security", "Port Security"),
    ("tag-creation", "Tag creation"),
    ("filter-validation", "Filter parameters validation"),
    ("fip-port-details", "Floating IP Port Details Extension"),
    ("multi-provider", "Multi Provider Network"),
    ("net-mtu", "Network MTU"),
    ("pagination", "Pagination support"),
    ("sorting", "Sorting support"),
    ("project-id", "project_id field enabled"),
    ("subnet_allocation", "Subnet Allocation"),
    ("network_availability_zone", "Network Availability Zone"),
];

pub(super) fn handle(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let path = call.segments();
    let base = format!("{}/networking/v2.0/", world.base_url);
    match (&call.method, path.as_slice()) {
        (&Method::GET, []) => Ok(Reply::ok(json!({"versions": [{"id": "v2.0",
            "status": "CURRENT", "links": [{"rel": "self", "href": base}]}]}))),
        (&Method::GET, ["v2.0"]) => Ok(Reply::ok(json!({"resources": Kind::ALL.map(|kind| {
            let collection = kind.collection();
            json!({"name": kind.singular(), "collection": collection,
                "links": [{"rel": "self", "href": format!("{base}{collection}")}]})
        })}))),
        (&Method::GET, ["v2.0", "extensions"]) => {
            Ok(Reply::ok(json!({"extensions": EXTENSIONS.map(extension)})))
        }
        (&Method::GET, ["v2.0", "extensions", alias]) => EXTENSIONS
            .iter()
            .find(|(known, _)| known == alias)
            .map(|found| Reply::ok(json!({"extension": extension(*found)})))
            .map_or_else(|| Ok(no_extension(alias)), Ok),
        (_, ["v2.0", "quotas", rest @ ..]) => quotas::handle(world, call, rest),
        (_, ["v2.0", collection, rest @ ..]) => match Kind::by_collection(collection) {
            Some(kind) => resource(world, call, kind, rest),
            None => Err(no_resource()),
        },
        _ => Err(no_resource()),
    }
}

/// Pecan answers by itself, in webob's words.
fn no_extension(alias: &str) -> Reply {
    let message = format!(
        "The resource could not be found.<br /><br />\nExtension with alias {alias} does not exist\n\n"
    );
    Reply::json(404, json!({"message": message, "title": "Not Found", "code": "404 Not Found"}))
}

fn extension((alias, name): (&str, &str)) -> Value {
    json!({"alias": alias, "name": name, "description": name, "links": [],
        "updated": "2016-06-01T00:00:00-00:00"})
}

fn no_resource() -> Refusal {
    Refusal::new(404, "HTTPNotFound", "The resource could not be found.")
}

fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "HTTPBadRequest", message)
}

fn resource(world: &mut World, call: &Call, kind: Kind, path: &[&str]) -> Result<Reply, Refusal> {
    let verb = match call.method {
        Method::GET => "get",
        Method::POST => "create",
        Method::PUT => "update",
        _ => "delete",
    };
    if verb != "get" && world.only_reads(&call.caller) {
        let message = format!("rule:{verb}_{} is disallowed by policy", kind.singular());
        return Err(Refusal::new(403, "PolicyNotAuthorized", message));
    }
    match (&call.method, path) {
        (&Method::GET, []) => rows::list(world, call, kind),
        (&Method::POST, []) => {
            let wanted = &call.body[kind.singular()];
            if !wanted.is_object() {
                return Err(bad_request(format!("Unable to find '{}' in request body", kind.singular())));
            }
            kind.check_required(wanted)?;
            quotas::check(world, call, kind, wanted)?;
            let id = create(world, call, kind, wanted)?;
            let mut row = rows::shown(world, call, kind, &id)?;
            if kind == Kind::Network {
                // Later only an external network tells of it.
                row["is_default"] = json!(wanted["is_default"] == true);
            }
            Ok(Reply::json(201, json!({kind.singular(): row})))
        }
        (&Method::GET, [id]) => {
            let mut row = rows::shown(world, call, kind, id)?;
            rows::only_fields(call, &mut row);
            Ok(Reply::ok(json!({kind.singular(): row})))
        }
        (&Method::PUT, [id]) => {
            rows::owned(world, call, kind, id)?;
            let wanted = &call.body[kind.singular()];
            update(world, call, kind, id, wanted)?;
            let row = rows::shown(world, call, kind, id)?;
            Ok(Reply::ok(json!({kind.singular(): row})))
        }
        (&Method::DELETE, [id]) => {
            rows::owned(world, call, kind, id)?;
            delete(world, call, kind, id)?;
            Ok(Reply::empty(204))
        }
        (_, [id, "tags", rest @ ..]) => rows::tags(world, call, kind, id, rest),
        (&Method::PUT, [id, action]) if kind == Kind::Router => routers::interface(world, call, id, action),
        _ => Err(no_resource()),
    }
}

fn create(world: &mut World, call: &Call, kind: Kind, wanted: &Value) -> Result<String, Refusal> {
    match kind {
        Kind::Network => networks::create(world, call, wanted),
        Kind::Subnet => subnets::create(world, call, wanted),
        Kind::Port => ports::create(world, call, wanted),
        Kind::Router => routers::create(world, call, wanted),
        Kind::FloatingIp => fips::create(world, call, wanted),
        Kind::SecurityGroup => groups::create(world, call, wanted),
        Kind::SecurityGroupRule => groups::create_rule(world, call, wanted),
    }
}

fn update(world: &mut World, call: &Call, kind: Kind, id: &str, wanted: &Value) -> Result<(), Refusal> {
    match kind {
        Kind::Network => networks::update(world, call, id, wanted),
        Kind::Subnet => subnets::update(world, call, id, wanted),
        Kind::Port => ports::update(world, call, id, wanted),
        Kind::Router => routers::update(world, call, id, wanted),
        Kind::FloatingIp => fips::update(world, call, id, wanted),
        Kind::SecurityGroup => groups::update(world, call, id, wanted),
        Kind::SecurityGroupRule => Err(no_resource()),
    }
}

fn delete(world: &mut World, call: &Call, kind: Kind, id: &str) -> Result<(), Refusal> {
    match kind {
        Kind::Network => networks::delete(world, id),
        Kind::Subnet => subnets::delete(world, id),
        Kind::Port => ports::delete(world, call, id),
        Kind::Router => routers::delete(world, id),
        Kind::FloatingIp => fips::delete(world, call, id),
        Kind::SecurityGroup => groups::delete(world, id),
        Kind::SecurityGroupRule => {
            world.network.remove(kind, id);
            Ok(())
        }
    }
}
