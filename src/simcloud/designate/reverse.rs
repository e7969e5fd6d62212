//! Reverse records that a tenant sets for its floating IPs (API reference, "Floating IPs").

use std::net::{IpAddr, Ipv4Addr};

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{RecordSet, Refusal, Reply, Zone, bad_request, checks};
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
            let (id, address) = floating_ip(world, call, parsed(key)?)?;
            Ok(Reply::ok(view(world, call, &id, address)?))
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

/// The region and the id of a key `REGION:ID`.
fn parsed(key: &str) -> Result<(&str, &str), Refusal> {
    let parts = key.split_once(':').filter(|(region, id)| !region.is_empty() && Uuid::parse_str(id).is_ok());
    parts.ok_or_else(|| bad_request(&format!("Floating IP {key} is not in the format of <region>:<uuid>")))
}

/// The floating IP that a key names, if the caller's Neutron has it.
fn floating_ip(
    world: &mut World,
    call: &Call,
    (region, id): (&str, &str),
) -> Result<(String, Ipv4Addr), Refusal> {
    let project = &call.caller.project_id;
    let missing = || {
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
    // An administrator's Neutron tells of all of them; Designate asks for those of one project.
    let found = Some(&found["floatingip"]).filter(|found| found["project_id"] == project.as_str());
    let address = found.and_then(|found| found["floating_ip_address"].as_str()?.parse().ok());
    Ok((id.to_owned(), address.ok_or_else(missing)?))
}

/// Where the reverse record of an address is: its zone, and the row itself.
fn row(world: &World, address: Ipv4Addr) -> (Option<&Zone>, Option<&RecordSet>) {
    let (name, zone) = names(address.into());
    let zone = world.dns.zones.values().find(|one| one.name == zone);
    let row =
        zone.and_then(|zone| zone.recordsets.values().find(|set| set.name == name && set.kind == "PTR"));
    (zone, row)
}

/// What a project sees of its floating IP. What another project has set for the address is removed.
fn view(world: &mut World, call: &Call, id: &str, address: Ipv4Addr) -> Result<Value, Refusal> {
    // Rows that Neutron made are not Designate's own: this API does not see them.
    let set_by = |set: &RecordSet| set.set_for.as_ref().map(|(_, project)| project.clone());
    if let (Some(zone), Some(row)) = row(world, address)
        && set_by(row).is_some_and(|project| project != call.caller.project_id)
    {
        let (zone, row) = (zone.id.clone(), row.id.clone());
        remove(world, &zone, &row)?;
    }
    let href = format!("{}/dns/v2/reverse/floatingips/{REGION}:{id}", world.base_url);
    let (zone, row) = row(world, address);
    let row = row.filter(|set| set.set_for.is_some());
    let zone_ttl = row.and(zone).map(|zone| zone.ttl);
    Ok(json!({"id": format!("{REGION}:{id}"), "address": address, "links": {"self": href},
        "ptrdname": row.and_then(|set| set.records.first()), "ttl": row.and_then(|set| set.ttl).or(zone_ttl),
        "description": row.and_then(|set| set.description.clone()),
        "status": row.map_or("INACTIVE", |set| set.status), "action": row.map_or("NONE", |set| set.action)}))
}

fn list(world: &mut World, call: &Call) -> Result<Reply, Refusal> {
    let found =
        world.internal(&call.caller, Service::Network, Method::GET, "/v2.0/floatingips", Value::Null)?;
    let mut all = Vec::new();
    for fip in found["floatingips"].as_array().into_iter().flatten() {
        let address = fip["floating_ip_address"].as_str().and_then(|text| text.parse().ok());
        if let (Some(id), Some(address)) = (fip["id"].as_str(), address)
            && fip["project_id"] == call.caller.project_id.as_str()
        {
            all.push(view(world, call, id, address)?);
        }
    }
    let href = format!("{}/dns/v2/reverse/floatingips", world.base_url);
    Ok(Reply::ok(
        json!({"metadata": {"total_count": all.len()}, "floatingips": all, "links": {"self": href}}),
    ))
}

fn remove(world: &mut World, zone: &str, row: &str) -> Result<(), Refusal> {
    let own = world.identity.neutron.clone();
    let path = format!("/v2/zones/{zone}/recordsets/{row}");
    world.internal_with(&own, Service::Dns, Method::DELETE, &path, Value::Null, &[EDIT_MANAGED]).map(drop)
}

/// Takes back what the project has set, whether or not the floating IP is still there.
fn unset(world: &mut World, call: &Call, (region, id): (&str, &str)) -> Result<Reply, Refusal> {
    let wanted = (id.to_owned(), call.caller.project_id.clone());
    let found = world.dns.zones.values().find_map(|zone| {
        let row = zone.recordsets.values().find(|set| set.set_for.as_ref() == Some(&wanted))?;
        Some((zone.id.clone(), row.id.clone()))
    });
    let Some((zone, row)) = found else {
        return Err(Refusal::new(404, "not_found", format!("No such FloatingIP {region}:{id}")));
    };
    remove(world, &zone, &row)?;
    Ok(Reply::json(202, Value::Null))
}

fn set(world: &mut World, call: &Call, key: &str) -> Result<Reply, Refusal> {
    let key = parsed(key)?;
    let body = &call.body;
    checks::keys(body, "floatingip", &["ptrdname", "ttl", "description"])?;
    let name = match body.get("ptrdname") {
        Some(Value::Null) => None,
        name => Some(checks::full_name(name.unwrap_or(&Value::Null), "Domain", false)?),
    };
    let ttl = checks::ttl(&body["ttl"])?;
    let description = checks::description(&body["description"])?;
    let Some(name) = name else {
        return unset(world, call, key);
    };
    let (id, address) = floating_ip(world, call, key)?;
    let (reverse_name, zone_name) = names(address.into());
    let own = world.identity.neutron.clone();
    let (zone, row) = row(world, address);
    let (zone, row) = (zone.map(|zone| zone.id.clone()), row.map(|set| set.id.clone()));
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
        set.set_for = Some((id.clone(), call.caller.project_id.clone()));
    }
    Ok(Reply::json(202, view(world, call, &id, address)?))
}
