//! Reverse records that a tenant sets for its floating IPs (API reference, "Floating IPs").

use std::net::{IpAddr, Ipv4Addr};

use http::Method;
use serde_json::{Value, json};

use super::{RecordSet, Refusal, Reply, checks};
use crate::simcloud::{
    keystone::REGION,
    wire::{Call, Service},
    world::World,
};

/// With it Designate lets its own rows be changed.
const EDIT_MANAGED: (&str, &str) = ("x-designate-edit-managed-records", "true");

pub(super) fn handle(world: &mut World, call: &Call, path: &[&str]) -> Result<Reply, Refusal> {
    match (&call.method, path) {
        (&Method::GET, []) => list(world, call),
        (&Method::GET, [key]) => {
            let (id, address) = floating_ip(world, call, key)?;
            Ok(Reply::ok(view(world, &id, address)))
        }
        (&Method::PATCH, [key]) => set(world, call, key),
        _ => Err(Refusal::new(404, "not_found", "")),
    }
}

/// The reverse name of an address and the zone that it is kept in: a /24, or a /120.
pub(in crate::simcloud) fn names(address: IpAddr) -> (String, String) {
    let (labels, suffix, skip) = match address {
        IpAddr::V4(v4) => {
            let labels = v4.octets().iter().rev().map(u8::to_string).collect::<Vec<_>>();
            (labels, "in-addr.arpa.", 1)
        }
        IpAddr::V6(v6) => {
            let nibbles = format!("{:032x}", v6.to_bits());
            (nibbles.chars().rev().map(String::from).collect(), "ip6.arpa.", 2)
        }
    };
    let name = format!("{}.{suffix}", labels.join("."));
    let zone = format!("{}.{suffix}", labels[skip..].join("."));
    (name, zone)
}

/// The floating IP that a key `REGION:ID` names, if the caller's Neutron has it.
fn floating_ip(world: &mut World, call: &Call, key: &str) -> Result<(String, Ipv4Addr), Refusal> {
    let (region, id) = key.split_once(':').unwrap_or(("", key));
    let missing = || {
        let project = &call.caller.project_id;
        let message = format!("FloatingIP {id} in {region} is not associated for project \"{project}\"");
        Refusal::new(404, "not_found", message)
    };
    if region != REGION {
        return Err(missing());
    }
    let path = format!("/v2.0/floatingips/{id}");
    let found = world
        .internal(&call.caller, Service::Network, Method::GET, &path, Value::Null)
        .map_err(|_| missing())?;
    let address = found["floatingip"]["floating_ip_address"].as_str().and_then(|text| text.parse().ok());
    Ok((id.to_owned(), address.ok_or_else(missing)?))
}

/// Where the reverse record of an address is: its zone, and the row itself.
fn row(world: &World, address: Ipv4Addr) -> (Option<&str>, Option<&RecordSet>) {
    let (name, zone) = names(address.into());
    let zone = world.dns.zones.values().find(|one| one.name == zone);
    let row =
        zone.and_then(|zone| zone.recordsets.values().find(|set| set.name == name && set.kind == "PTR"));
    (zone.map(|zone| zone.id.as_str()), row)
}

fn view(world: &World, id: &str, address: Ipv4Addr) -> Value {
    let href = format!("{}/dns/v2/reverse/floatingips/{REGION}:{id}", world.base_url);
    // Rows that Neutron made are not Designate's own: this API does not see them.
    let row = row(world, address).1.filter(|set| set.managed);
    json!({"id": format!("{REGION}:{id}"), "address": address, "links": {"self": href},
        "ptrdname": row.and_then(|set| set.records.first()), "ttl": row.and_then(|set| set.ttl),
        "description": row.and_then(|set| set.description.clone()),
        "status": row.map_or("INACTIVE", |set| set.status), "action": row.map_or("NONE", |set| set.action)})
}

fn list(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let found =
        world.internal(&call.caller, Service::Network, Method::GET, "/v2.0/floatingips", Value::Null)?;
    let all: Vec<Value> = found["floatingips"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|row| row["project_id"] == call.caller.project_id.as_str())
        .filter_map(|row| {
            let address = row["floating_ip_address"].as_str()?.parse().ok()?;
            Some(view(world, row["id"].as_str()?, address))
        })
        .collect();
    let href = format!("{}/dns/v2/reverse/floatingips", world.base_url);
    Ok(Reply::ok(
        json!({"metadata": {"total_count": all.len()}, "floatingips": all, "links": {"self": href}}),
    ))
}

fn set(world: &mut World, call: &Call, key: &str) -> Result<Reply, Refusal> {
    let body = &call.body;
    checks::keys(body, "floatingip", &["ptrdname", "ttl", "description"])?;
    let name = match body.get("ptrdname") {
        Some(Value::Null) => None,
        name => Some(checks::full_name(name.unwrap_or(&Value::Null), "Domain", false)?),
    };
    let ttl = checks::ttl(&body["ttl"])?;
    let description = checks::description(&body["description"])?;
    let (id, address) = floating_ip(world, call, key)?;
    let (reverse_name, zone_name) = names(address.into());
    let own = world.identity.neutron.clone();
    let (zone, row) = row(world, address);
    let (zone, row) = (zone.map(str::to_owned), row.map(|set| set.id.clone()));
    let Some(name) = name else {
        if let (Some(zone), Some(row)) = (zone, row) {
            let path = format!("/v2/zones/{zone}/recordsets/{row}");
            world.internal_with(&own, Service::Dns, Method::DELETE, &path, Value::Null, &[EDIT_MANAGED])?;
        }
        return Ok(Reply::json(202, Value::Null));
    };
    let zone = if let Some(zone) = zone {
        zone
    } else {
        let wanted = json!({"name": zone_name, "email": "hostmaster@example.test"});
        let made = world.internal(&own, Service::Dns, Method::POST, "/v2/zones", wanted)?;
        made["id"].as_str().unwrap_or_default().to_owned()
    };
    let mut wanted = json!({"records": [name], "ttl": ttl, "description": description});
    let (method, path) = if let Some(row) = row {
        (Method::PUT, format!("/v2/zones/{zone}/recordsets/{row}"))
    } else {
        wanted["name"] = json!(reverse_name);
        wanted["type"] = json!("PTR");
        (Method::POST, format!("/v2/zones/{zone}/recordsets"))
    };
    let made = world.internal_with(&own, Service::Dns, method, &path, wanted, &[EDIT_MANAGED])?;
    let row = made["id"].as_str().unwrap_or_default();
    if let Some(set) = world.dns.zones.get_mut(&zone).and_then(|zone| zone.recordsets.get_mut(row)) {
        set.managed = true;
    }
    Ok(Reply::json(202, view(world, &id, address)))
}
