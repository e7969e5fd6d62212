//! What all of Neutron's resources share: who sees them, lists with filters, tags.

use http::Method;
use serde_json::{Map, Value, json};

use super::{Kind, Refusal, Reply, bad_request, groups, names, no_resource, text};
use crate::simcloud::{
    wire::{Call, Caller},
    world::World,
};

/// A new row with the fields that every resource has; only an administrator makes it for another project.
pub(super) fn new_row(world: &mut World, call: &Call, wanted: &Value) -> (String, Value) {
    let id = world.uuid();
    let now = world.timestamp();
    let own = call.caller.project_id.clone();
    let wished = wanted["project_id"].as_str().or(wanted["tenant_id"].as_str());
    let project = wished.filter(|_| call.caller.is_admin()).map_or(own, str::to_owned);
    let row = json!({"id": id, "name": text(wanted, "name"),
        "description": text(wanted, "description"), "project_id": project, "tenant_id": project,
        "tags": wanted["tags"].as_array().cloned().unwrap_or_default(), "created_at": now, "updated_at": now, "revision_number": 1});
    (id, row)
}

/// Copies the fields that the client sent.
pub(super) fn merge(row: &mut Value, wanted: &Value, names: &[&str]) {
    for name in names {
        if let Some(value) = wanted.get(*name) {
            row[*name] = value.clone();
        }
    }
}

/// Marks a row as changed.
pub(super) fn touch(world: &mut World, kind: Kind, id: &str) {
    let now = world.timestamp();
    if let Some(row) = world.network.row_mut(kind, id) {
        row["updated_at"] = json!(now);
        row["revision_number"] = json!(row["revision_number"].as_u64().unwrap_or_default() + 1);
    }
}

fn visible(world: &World, caller: &Caller, kind: Kind, row: &Value) -> bool {
    if caller.owns(text(row, "project_id")) {
        return true;
    }
    let network = match kind {
        Kind::Network => Some(row),
        Kind::Subnet => world.network.row(Kind::Network, text(row, "network_id")),
        _ => None,
    };
    network.is_some_and(|network| {
        network["shared"] == true || (kind == Kind::Network && network["router:external"] == true)
    })
}

/// The row as this caller sees it.
fn view(world: &World, caller: &Caller, kind: Kind, row: &Value) -> Value {
    let mut row = row.clone();
    match kind {
        Kind::Port => names::add_to(world, &mut row),
        Kind::SecurityGroup => {
            row["security_group_rules"] = groups::rules_of(world, text(&row, "id"));
        }
        _ => {}
    }
    if !caller.is_admin()
        && let Some(fields) = row.as_object_mut()
    {
        fields.retain(|name, _| {
            !name.starts_with("provider:")
                && !matches!(
                    name.as_str(),
                    "segments"
                        | "distributed"
                        | "ha"
                        | "binding:host_id"
                        | "binding:profile"
                        | "binding:vif_details"
                        | "binding:vif_type"
                )
        });
    }
    row
}

/// The row, if the caller may see it.
pub(super) fn shown(world: &World, call: &Call, kind: Kind, id: &str) -> Result<Value, Refusal> {
    world
        .network
        .row(kind, id)
        .filter(|row| visible(world, &call.caller, kind, row))
        .map(|row| view(world, &call.caller, kind, row))
        .ok_or_else(|| kind.not_found(id))
}

/// Makes sure that the caller may change the row.
pub(super) fn owned(world: &World, call: &Call, kind: Kind, id: &str) -> Result<(), Refusal> {
    let row = shown(world, call, kind, id)?;
    if call.caller.owns(text(&row, "project_id")) {
        return Ok(());
    }
    let message = format!("rule:update_{} is disallowed by policy", kind.singular());
    Err(Refusal::new(403, "PolicyNotAuthorized", message))
}

fn fits(row: &Value, name: &str, values: &[&str]) -> bool {
    if name == "fixed_ips" {
        return values.iter().all(|value| {
            let Some((field, wanted)) = value.split_once('=') else {
                return false;
            };
            row["fixed_ips"].as_array().into_iter().flatten().any(|ip| text(ip, field) == wanted)
        });
    }
    if name == "tags" {
        let tags = row["tags"].as_array();
        return values
            .iter()
            .flat_map(|value| value.split(','))
            .all(|wanted| tags.is_some_and(|tags| tags.iter().any(|tag| tag.as_str() == Some(wanted))));
    }
    values.iter().any(|wanted| match &row[name] {
        Value::String(text) => text == wanted,
        Value::Bool(flag) => wanted.eq_ignore_ascii_case(&flag.to_string()),
        Value::Number(number) => number.to_string() == *wanted,
        Value::Null => wanted.is_empty() || *wanted == "None",
        Value::Array(items) => items.iter().any(|item| item.as_str() == Some(wanted)),
        Value::Object(_) => false,
    })
}

/// What a list may be filtered by besides the attributes that can be written.
const FILTERS: [&str; 14] = [
    "id",
    "name",
    "description",
    "project_id",
    "tenant_id",
    "tags",
    "status",
    "revision_number",
    "router_id",
    "mac_address",
    "subnets",
    "created_at",
    "updated_at",
    "security_group_id",
];
const CONTROL: [&str; 6] = ["fields", "limit", "marker", "sort_key", "sort_dir", "page_reverse"];

fn check_filters(call: &Call, kind: Kind) -> Result<(), Refusal> {
    let known =
        |name: &str| FILTERS.contains(&name) || CONTROL.contains(&name) || kind.attributes().contains(&name);
    match call.query.iter().find(|(name, _)| !known(name)) {
        Some((name, _)) => Err(bad_request(format!("['{name}'] is invalid attribute for filtering"))),
        None => Ok(()),
    }
}

pub(super) fn list(world: &mut World, call: &Call, kind: Kind) -> Result<Reply, Refusal> {
    check_filters(call, kind)?;
    if kind == Kind::SecurityGroup {
        groups::ensure_default(world, &call.caller.project_id);
    }
    // What Neutron computes can only be compared once it is there; all else is compared first.
    let computed = |name: &str| name.starts_with("dns_") && kind == Kind::Port;
    let fits_all = |row: &Value, late: bool| {
        let filters = call.query.iter().map(|(name, _)| name.as_str());
        filters.filter(|name| !CONTROL.contains(name) && computed(name) == late).all(|name| {
            let same = call.query.iter().filter(|(other, _)| other == name);
            let values: Vec<&str> = same.map(|(_, value)| value.as_str()).collect();
            fits(row, name, &values)
        })
    };
    let mut rows: Vec<Value> = world
        .network
        .table(kind)
        .filter(|row| visible(world, &call.caller, kind, row) && fits_all(row, false))
        .map(|row| view(world, &call.caller, kind, row))
        .filter(|row| fits_all(row, true))
        .collect();
    if let Some(marker) = call.query("marker")
        && let Some(at) = rows.iter().position(|row| text(row, "id") == marker)
    {
        rows.drain(..=at);
    }
    let mut body = Map::new();
    if let Some(limit) = call.query("limit").and_then(|limit| limit.parse::<usize>().ok())
        && limit > 0
        && rows.len() > limit
    {
        rows.truncate(limit);
        let marker = rows.last().map(|row| text(row, "id").to_owned()).unwrap_or_default();
        let base = &world.base_url;
        let collection = kind.collection();
        let href = format!("{base}/networking/v2.0/{collection}?limit={limit}&marker={marker}");
        body.insert(format!("{collection}_links"), json!([{"rel": "next", "href": href}]));
    }
    for row in &mut rows {
        only_fields(call, row);
    }
    body.insert(kind.collection(), Value::Array(rows));
    Ok(Reply::ok(Value::Object(body)))
}

/// Leaves of a row what the call asked for, if it asked for anything.
pub(super) fn only_fields(call: &Call, row: &mut Value) {
    let fields: Vec<&str> =
        call.query.iter().filter(|(name, _)| name == "fields").map(|(_, v)| v.as_str()).collect();
    if let Some(row) = row.as_object_mut()
        && !fields.is_empty()
    {
        row.retain(|name, _| fields.contains(&name.as_str()));
    }
}

pub(super) fn tags(
    world: &mut World,
    call: &Call,
    kind: Kind,
    id: &str,
    path: &[&str],
) -> Result<Reply, Refusal> {
    let row = shown(world, call, kind, id)?;
    let mut tags: Vec<Value> = row["tags"].as_array().cloned().unwrap_or_default();
    let has = |tag: &str| tags.iter().any(|known| known.as_str() == Some(tag));
    match (&call.method, path) {
        (&Method::GET, []) => return Ok(Reply::ok(json!({"tags": tags}))),
        (&Method::GET, [tag]) => return if has(tag) { Ok(Reply::empty(204)) } else { Err(no_resource()) },
        _ => {}
    }
    owned(world, call, kind, id)?;
    let reply = match (&call.method, path) {
        (&Method::PUT, []) => {
            tags = call.body["tags"].as_array().cloned().unwrap_or_default();
            Reply::ok(json!({"tags": tags}))
        }
        (&Method::PUT, [tag]) => {
            if !has(tag) {
                tags.push(json!(tag));
            }
            Reply::empty(201)
        }
        (&Method::DELETE, []) => {
            tags.clear();
            Reply::empty(204)
        }
        (&Method::DELETE, [tag]) => {
            tags.retain(|known| known.as_str() != Some(tag));
            Reply::empty(204)
        }
        _ => return Err(no_resource()),
    };
    if let Some(row) = world.network.row_mut(kind, id) {
        row["tags"] = Value::Array(tags);
    }
    Ok(reply)
}
