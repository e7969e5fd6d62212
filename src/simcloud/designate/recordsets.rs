//! Record sets: made, shown, changed, deleted and searched.

use http::Method;
use serde_json::{Value, json};

use super::{
    ACTIVE, Limits, PENDING, RecordSet, Refusal, Reply, View, Zone, bad_request, checks, over_quota, paging,
    worker, zones,
};
use crate::simcloud::{
    faults::{Fault, Target},
    wire::Call,
    world::World,
};

const FILTERS: [&str; 6] = ["name", "type", "ttl", "status", "description", "zone_id"];

fn view(world: &World, zone: &Zone, set: &RecordSet) -> Value {
    let href = format!("{}/dns/v2/zones/{}/recordsets/{}", world.base_url, zone.id, set.id);
    json!({"id": set.id, "zone_id": zone.id, "zone_name": zone.name,
        "project_id": set.project_id, "name": set.name, "type": set.kind, "records": set.records,
        "ttl": set.ttl, "description": set.description, "status": set.status,
        "action": set.action, "version": set.version, "created_at": set.created_at,
        "updated_at": set.updated_at, "links": {"self": href}})
}

fn not_found() -> Refusal {
    Refusal::new(404, "recordset_not_found", "Could not find RecordSet")
}

fn misplaced(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "invalid_recordset_location", message)
}

pub(super) fn handle(
    world: &mut World,
    call: &Call,
    who: &View,
    zone_id: &str,
    path: &[&str],
) -> Result<Reply, Refusal> {
    let zone = zones::find(world, who, zone_id)?;
    match (&call.method, path) {
        (&Method::GET, []) => {
            let mut rows: Vec<Value> = zone
                .recordsets
                .values()
                .filter(|set| paging::named(call, &set.name))
                .map(|set| view(world, zone, set))
                .collect();
            with_data(call, &mut rows);
            paging::filter(call, &mut rows, &FILTERS)?;
            paging::page(call, &world.base_url, "recordsets", rows).map(Reply::ok)
        }
        (&Method::POST, []) => create(world, call, who, zone_id),
        (&Method::GET, [id]) => {
            let set = zone.recordsets.get(id).ok_or_else(not_found)?;
            Ok(Reply::ok(view(world, zone, set)))
        }
        (&Method::PUT, [id]) => update(world, call, zone_id, id),
        (&Method::DELETE, [id]) => delete(world, call, zone_id, id),
        _ => Err(Refusal::new(404, "not_found", "")),
    }
}

/// Keeps the rows that hold a record like the wanted one.
fn with_data(call: &Call, rows: &mut Vec<Value>) {
    let Some(wanted) = call.query("data") else {
        return;
    };
    rows.retain(|row| {
        let records = row["records"].as_array();
        records.into_iter().flatten().any(|r| r.as_str().is_some_and(|r| paging::glob(wanted, r)))
    });
}

/// All the record sets of all the zones that the caller may see.
pub(super) fn search(world: &World, call: &Call, who: &View) -> Result<Reply, Refusal> {
    let mut rows: Vec<Value> = world
        .dns
        .zones
        .values()
        .filter(|zone| who.sees(&zone.project_id))
        .flat_map(|zone| {
            zone.recordsets
                .values()
                .filter(|set| paging::named(call, &set.name))
                .map(move |set| view(world, zone, set))
        })
        .collect();
    with_data(call, &mut rows);
    paging::filter(call, &mut rows, &FILTERS)?;
    paging::page(call, &world.base_url, "recordsets", rows).map(Reply::ok)
}

fn check_place(world: &World, zone: &Zone, name: &str, kind: &str) -> Result<(), Refusal> {
    if name != zone.name && !name.ends_with(&format!(".{}", zone.name)) {
        return Err(misplaced("RecordSet is not contained within it's parent zone"));
    }
    for child in world.dns.zones.values() {
        let below = child.name.ends_with(&format!(".{}", zone.name));
        if below && (name == child.name || name.ends_with(&format!(".{}", child.name))) {
            return Err(misplaced(format!("RecordSet belongs in a child zone: {}", child.name)));
        }
    }
    if kind == "CNAME" && name == zone.name {
        return Err(misplaced("CNAME recordsets may not be created at the zone apex"));
    }
    for other in zone.recordsets.values().filter(|other| other.name == name) {
        if other.kind == kind {
            return Err(Refusal::new(409, "duplicate_recordset", "Duplicate RecordSet"));
        }
        if other.kind == "CNAME" || kind == "CNAME" {
            return Err(misplaced("CNAME recordsets may not share a name with any other records"));
        }
    }
    Ok(())
}

fn check_quota(world: &World, zone: &Zone, added: usize, records: usize) -> Result<(), Refusal> {
    match quota(world, zone, added, records) {
        Err(_) if world.faults.hit(&Fault::QuotaIgnored, Target::named(&zone.name)) => Ok(()),
        other => other,
    }
}

fn quota(world: &World, zone: &Zone, added: usize, records: usize) -> Result<(), Refusal> {
    let limits = Limits::of(world, &zone.project_id);
    if records > limits.recordset_records {
        return Err(over_quota("recordset_records"));
    }
    let sets = zone.recordsets.values().count();
    if added > 0 && sets + added > limits.zone_recordsets {
        return Err(over_quota("zone_recordsets"));
    }
    let own = zone.recordsets.values().filter(|set| !set.managed);
    if own.map(|set| set.records.len()).sum::<usize>() + records > limits.zone_records {
        return Err(over_quota("zone_records"));
    }
    Ok(())
}

fn create(world: &mut World, call: &Call, who: &View, zone_id: &str) -> Result<Reply, Refusal> {
    let body = &call.body;
    let name = checks::record_name(&body["name"])?;
    let kind = checks::kind(&body["type"])?;
    let zone = zones::find(world, who, zone_id)?;
    if zone.action == "DELETE" {
        return Err(bad_request("Can not update a deleting zone"));
    }
    if kind == "SOA" {
        return Err(bad_request("Creating a SOA recordset is not allowed"));
    }
    let records = checks::records(&body["records"], &kind)?;
    let ttl = checks::ttl(&body["ttl"])?;
    let description = checks::description(&body["description"])?;
    check_place(world, zone, &name, &kind)?;
    check_quota(world, zone, 1, records.len())?;
    let nothing = records.is_empty();
    let owner = who.project_id.clone();
    let id = world.uuid();
    let set = RecordSet {
        id: id.clone(),
        project_id: owner,
        name,
        kind,
        records,
        ttl,
        description,
        status: if nothing { ACTIVE } else { PENDING },
        action: if nothing { "NONE" } else { "CREATE" },
        serial: None,
        managed: false,
        set_for: None,
        version: 1,
        created_at: world.timestamp_micros(),
        updated_at: None,
    };
    if let Some(zone) = world.dns.zones.get_mut(zone_id) {
        zone.recordsets.insert(id.clone(), set);
    }
    let location = format!("{}/dns/v2/zones/{zone_id}/recordsets/{id}", world.base_url);
    if nothing {
        // Without records there is nothing to bring to the name servers.
        let zone = zones::find(world, who, zone_id)?;
        let set = zone.recordsets.get(&id).ok_or_else(not_found)?;
        return Ok(Reply::json(201, view(world, zone, set)).with_header("location", location));
    }
    Ok(finish(world, zone_id, &id)?.with_header("location", location))
}

/// The rows that Designate keeps itself are not to be touched.
fn changeable<'a>(call: &Call, zone: &'a Zone, id: &str) -> Result<&'a RecordSet, Refusal> {
    let set = zone.recordsets.get(id).ok_or_else(not_found)?;
    let deletes = call.method == Method::DELETE;
    if set.kind == "SOA" && deletes {
        return Err(bad_request("Deleting a SOA recordset is not allowed"));
    }
    if set.managed && !call.header_is_true("x-designate-edit-managed-records") {
        let what = if deletes { "deleted" } else { "updated" };
        return Err(bad_request(&format!("Managed records may not be {what}")));
    }
    Ok(set)
}

fn update(world: &mut World, call: &Call, zone_id: &str, id: &str) -> Result<Reply, Refusal> {
    let zone = world.dns.zones.get(zone_id).ok_or_else(zones::not_found)?;
    let set = changeable(call, zone, id)?;
    let body = &call.body;
    checks::keys(body, "recordset", &["records", "ttl", "description"])?;
    let records = match body.get("records") {
        Some(records) => Some(checks::records(records, &set.kind)?),
        None => None,
    };
    let ttl = checks::ttl(&body["ttl"])?;
    let description = checks::description(&body["description"])?;
    if let Some(records) = &records {
        check_quota(world, zone, 0, records.len())?;
    }
    let now = world.timestamp_micros();
    let set = world.dns.zones.get_mut(zone_id).and_then(|zone| zone.recordsets.get_mut(id));
    if let Some(set) = set {
        if let Some(records) = records {
            set.records = records;
        }
        if body.get("ttl").is_some() {
            set.ttl = ttl;
        }
        if body.get("description").is_some() {
            set.description = description;
        }
        set.version += 1;
        set.updated_at = Some(now);
        set.status = PENDING;
        set.action = "UPDATE";
        set.serial = None;
    }
    finish(world, zone_id, id)
}

/// The row goes at once; the name servers learn of it with the next serial.
fn delete(world: &mut World, call: &Call, zone_id: &str, id: &str) -> Result<Reply, Refusal> {
    let zone = world.dns.zones.get(zone_id).ok_or_else(zones::not_found)?;
    let mut set = changeable(call, zone, id)?.clone();
    set.status = PENDING;
    set.action = "DELETE";
    set.version += 1;
    set.updated_at = Some(world.timestamp_micros());
    let shown = view(world, zone, &set);
    worker::removed(world, zone_id, &set);
    worker::changed(world, zone_id);
    Ok(Reply::json(202, shown))
}

/// Tells the worker of the change and shows the row as it is before the worker has run.
fn finish(world: &mut World, zone_id: &str, id: &str) -> Result<Reply, Refusal> {
    worker::changed(world, zone_id);
    let zone = world.dns.zones.get(zone_id).ok_or_else(zones::not_found)?;
    let set = zone.recordsets.get(id).ok_or_else(not_found)?;
    Ok(Reply::json(202, view(world, zone, set)))
}
