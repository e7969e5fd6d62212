//! Zones: made, shown, changed and deleted.

use http::Method;
use serde_json::{Value, json};

use super::{
    ACTIVE, Limits, PENDING, POOL, RecordSet, Refusal, Reply, View, Zone, bad_request, checks,
    nameserver_name, nameservers, over_quota, paging, worker,
};
use crate::simcloud::{
    faults::{Fault, Target},
    table::Table,
    wire::Call,
    world::World,
};

pub(super) fn view(world: &World, zone: &Zone) -> Value {
    let href = format!("{}/dns/v2/zones/{}", world.base_url, zone.id);
    json!({"id": zone.id, "pool_id": POOL, "project_id": zone.project_id, "name": zone.name,
        "email": zone.email, "ttl": zone.ttl, "serial": zone.serial, "status": zone.status,
        "action": zone.action, "description": zone.description, "masters": [],
        "type": "PRIMARY", "transferred_at": null, "version": zone.version,
        "attributes": {}, "shared": false, "created_at": zone.created_at,
        "updated_at": zone.updated_at, "links": {"self": href}})
}

pub(super) fn not_found() -> Refusal {
    Refusal::new(404, "zone_not_found", "Could not find Zone")
}

/// Whether the caller may see the zone.
fn sees(world: &World, who: &View, zone: &Zone) -> bool {
    who.sees(&zone.project_id) || world.faults.hit(&Fault::TenantsMixed, Target::named(&zone.name))
}

/// The zone by id, if the caller may see it.
pub(super) fn find<'a>(world: &'a World, who: &View, id: &str) -> Result<&'a Zone, Refusal> {
    if uuid::Uuid::try_parse(id).is_err() {
        return Err(Refusal::new(400, "invalid_uuid", format!("Invalid UUID zone_id: {id}")));
    }
    world.dns.zones.get(id).filter(|zone| sees(world, who, zone)).ok_or_else(not_found)
}

pub(super) fn handle(world: &mut World, call: &Call, who: &View, path: &[&str]) -> Result<Reply, Refusal> {
    match (&call.method, path) {
        (&Method::GET, []) => list(world, call, who),
        (&Method::POST, []) => create(world, call, who),
        (&Method::GET, [id]) => {
            let zone = find(world, who, id)?;
            Ok(Reply::ok(view(world, zone)))
        }
        (&Method::PATCH, [id]) => update(world, call, who, id),
        (&Method::DELETE, [id]) => delete(world, who, id),
        (&Method::GET, [id, "nameservers"]) => {
            find(world, who, id)?;
            Ok(Reply::ok(json!({"nameservers": nameservers(world)})))
        }
        _ => Err(Refusal::new(404, "not_found", "")),
    }
}

fn list(world: &World, call: &Call, who: &View) -> Result<Reply, Refusal> {
    let mut rows: Vec<Value> = world
        .dns
        .zones
        .values()
        .filter(|zone| paging::named(call, &zone.name) && sees(world, who, zone))
        .map(|zone| view(world, zone))
        .collect();
    paging::filter(call, &mut rows, &["name", "type", "email", "status", "description", "ttl", "pool_id"])?;
    paging::page(call, &world.base_url, "zones", rows).map(Reply::ok)
}

fn create(world: &mut World, call: &Call, who: &View) -> Result<Reply, Refusal> {
    let body = &call.body;
    let known = ["name", "email", "ttl", "description", "type", "masters", "attributes"];
    checks::keys(body, "zone", &known)?;
    let name = checks::zone_name(&body["name"])?;
    let email = checks::email(&body["email"])?;
    let ttl = checks::ttl(&body["ttl"])?.unwrap_or(3600);
    let description = checks::description(&body["description"])?;
    let limit = Limits::of(world, &who.project_id).zones;
    let mine = world.dns.zones.values().filter(|zone| zone.project_id == who.project_id).count();
    if mine >= limit && !world.faults.hit(&Fault::QuotaIgnored, Target::named(&name)) {
        return Err(over_quota("zones"));
    }
    for zone in world.dns.zones.values() {
        if zone.name == name {
            let message = if zone.project_id == who.project_id {
                "Duplicate Zone"
            } else {
                "Zone already exists, owned by a different tenant"
            };
            return Err(Refusal::new(409, "duplicate_zone", message));
        }
        let (child, parent) =
            (name.ends_with(&format!(".{}", zone.name)), zone.name.ends_with(&format!(".{name}")));
        if zone.project_id == who.project_id
            || !(child || parent)
            || world.faults.hit(&Fault::TenantsMixed, Target::named(&name))
        {
            continue;
        }
        if child {
            let message = "Unable to create subzone in another tenants zone";
            return Err(Refusal::new(403, "illegal_child", message));
        }
        let message = "Unable to create zone because another tenant owns a subzone of the zone";
        return Err(Refusal::new(403, "illegal_parent", message));
    }
    let id = world.uuid();
    let now = world.timestamp_micros();
    let mut zone = Zone {
        id: id.clone(),
        project_id: who.project_id.clone(),
        name,
        email,
        ttl,
        description,
        serial: world.unix_seconds(),
        status: PENDING,
        action: "CREATE",
        version: 1,
        created_at: now,
        updated_at: None,
        recordsets: Table::default(),
        batch_pending: false,
        published: None,
        ghosts: Vec::new(),
    };
    for (kind, records) in own_records(world, &zone) {
        let recordset = RecordSet {
            id: world.uuid(),
            project_id: zone.project_id.clone(),
            name: zone.name.clone(),
            kind: kind.to_owned(),
            records,
            ttl: None,
            description: None,
            status: PENDING,
            action: "CREATE",
            serial: Some(zone.serial),
            managed: true,
            set_for: None,
            version: 1,
            created_at: zone.created_at.clone(),
            updated_at: None,
        };
        zone.recordsets.insert(recordset.id.clone(), recordset);
    }
    let reply = Reply::json(202, view(world, &zone))
        .with_header("location", format!("{}/dns/v2/zones/{id}", world.base_url));
    world.dns.zones.insert(id.clone(), zone);
    worker::created(world, &id);
    Ok(reply)
}

/// The record sets at the apex that Designate keeps itself.
fn own_records(world: &World, zone: &Zone) -> [(&'static str, Vec<String>); 2] {
    let servers = 1..=world.options.name_server_count.max(1);
    let names = servers.map(|n| nameserver_name(world, n)).collect();
    [("SOA", vec![soa(world, zone)]), ("NS", names)]
}

pub(super) fn soa(world: &World, zone: &Zone) -> String {
    let host = nameserver_name(world, 1);
    // A dot in the user part of an address is escaped in a host name.
    let mailbox = match zone.email.split_once('@') {
        Some((user, host)) => {
            format!("{}.{}.", user.replace('.', "\\."), host.trim_end_matches('.'))
        }
        None => format!("{}.", zone.email),
    };
    format!("{host} {mailbox} {} 3571 600 86400 3600", zone.serial)
}

fn update(world: &mut World, call: &Call, who: &View, id: &str) -> Result<Reply, Refusal> {
    let zone = find(world, who, id)?;
    if zone.action == "DELETE" {
        return Err(bad_request("Can not update a deleting zone"));
    }
    let body = &call.body;
    checks::keys(body, "zone", &["ttl", "email", "description", "masters"])?;
    let ttl = checks::ttl(&body["ttl"])?;
    let email = if body["email"].is_null() { None } else { Some(checks::email(&body["email"])?) };
    let description = checks::description(&body["description"])?;
    let now = world.timestamp_micros();
    if let Some(zone) = world.dns.zones.get_mut(id) {
        let on_the_wire = ttl.is_some() || email.is_some();
        if let Some(ttl) = ttl {
            zone.ttl = ttl;
        }
        if let Some(email) = email {
            zone.email = email;
        }
        if body.get("description").is_some() {
            zone.description = description;
        }
        zone.version += 1;
        zone.updated_at = Some(now);
        if on_the_wire && zone.status == ACTIVE {
            zone.status = PENDING;
            zone.action = "UPDATE";
        }
    }
    worker::changed(world, id);
    let zone = find(world, who, id)?;
    Ok(Reply::json(202, view(world, zone)))
}

fn delete(world: &mut World, who: &View, id: &str) -> Result<Reply, Refusal> {
    let zone = find(world, who, id)?;
    let suffix = format!(".{}", zone.name);
    if world.dns.zones.values().any(|other| other.name.ends_with(&suffix)) {
        let message = "Please delete any subzones before deleting this zone";
        return Err(Refusal::new(400, "zone_has_sub_zone", message));
    }
    let now = world.timestamp_micros();
    if let Some(zone) = world.dns.zones.get_mut(id) {
        zone.updated_at = Some(now);
        zone.status = PENDING;
        zone.action = "DELETE";
        zone.version += 1;
    }
    worker::delete_zone(world, id);
    let zone = find(world, who, id)?;
    Ok(Reply::json(202, view(world, zone)))
}
