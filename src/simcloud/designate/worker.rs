//! The way of a change to the name servers: a serial bump that carries a batch of changes, a transfer to
//! each server, and a poll that settles the statuses.

use std::{sync::Arc, time::Duration};

use super::{ACTIVE, ERROR, PENDING, RecordSet, Zone, zones};
use crate::simcloud::{
    faults::{Fault, NameServerMode, Target},
    nameserver::{RecordData, ZoneCopy},
    world::{Event, World},
};

/// After so many polls without success Designate reports ERROR (and goes on trying).
const POLL_ATTEMPTS: u32 = 10;
const POLL_RETRY: Duration = Duration::from_secs(1);
/// How often a zone in ERROR is tried again.
const RECOVERY: Duration = Duration::from_mins(2);

fn worker_stopped(world: &World, zone: &str) -> bool {
    world.faults.hit(&Fault::WorkerStopped, Target::named(zone))
}

/// Notes that a zone has changes; they go out with the next batch.
pub(super) fn changed(world: &mut World, zone_id: &str) {
    let Some(zone) = world.dns.zones.get_mut(zone_id) else {
        return;
    };
    if zone.action == "NONE" {
        zone.status = PENDING;
        zone.action = "UPDATE";
    }
    if zone.batch_pending {
        return;
    }
    zone.batch_pending = true;
    let batch = world.jitter(world.stages.serial_batch);
    world.schedule(batch, Event::SerialBatch(zone_id.to_owned()));
}

/// Hands a new zone to the name servers; it already has its first serial.
pub(super) fn created(world: &mut World, zone_id: &str) {
    let Some(name) = world.dns.zones.get(zone_id).map(|zone| zone.name.clone()) else {
        return;
    };
    if !worker_stopped(world, &name) {
        publish(world, zone_id);
        return;
    }
    if let Some(zone) = world.dns.zones.get_mut(zone_id) {
        zone.batch_pending = true;
    }
    world.park(Event::SerialBatch(zone_id.to_owned()));
}

/// Bumps the serial: from here on the zone's content is on its way.
pub(in crate::simcloud) fn serial_batch(world: &mut World, zone_id: &str) {
    let Some(name) = world.dns.zones.get(zone_id).map(|zone| zone.name.clone()) else {
        return;
    };
    if worker_stopped(world, &name) {
        world.park(Event::SerialBatch(zone_id.to_owned()));
        return;
    }
    let stuck = world.faults.hit(&Fault::SerialStuck, Target::named(&name));
    let seconds = world.unix_seconds();
    if let Some(zone) = world.dns.zones.get_mut(zone_id) {
        zone.batch_pending = false;
        if !stuck {
            zone.serial = zone.serial.saturating_add(1).max(seconds);
        }
        let serial = zone.serial;
        for set in zone.recordsets.values_mut() {
            if set.status == PENDING || set.kind == "SOA" {
                set.serial = Some(serial);
            }
        }
    }
    publish(world, zone_id);
}

/// Hands the zone as it is now to the name servers and plans the poll.
pub(super) fn publish(world: &mut World, zone_id: &str) {
    let Some(zone) = world.dns.zones.get(zone_id) else {
        return;
    };
    let soa = zones::soa(world, zone);
    let copy = Arc::new(copy_of(world, zone, &soa));
    if let Some(zone) = world.dns.zones.get_mut(zone_id) {
        zone.published = Some(copy);
        for set in zone.recordsets.values_mut().filter(|set| set.kind == "SOA") {
            set.records = vec![soa.clone()];
        }
    }
    send(world, zone_id);
}

/// Plans the transfer to every server, and the poll after them.
fn send(world: &mut World, zone_id: &str) {
    let slow = world.faults.find(Target::default(), |fault| match fault {
        Fault::SlowPropagation(delay) => Some(*delay),
        _ => None,
    });
    let slow = slow.unwrap_or_default();
    world.faults.reach(&Fault::SlowPropagation(slow));
    let transfer = world.stages.transfer;
    let mut after = slow;
    for server in 0..world.wire.count() {
        after += world.jitter(transfer);
        world.schedule(after, Event::Transfer(server, zone_id.to_owned()));
    }
    let poll = world.jitter(world.stages.poll_delay);
    world.schedule(after + poll, Event::Poll(zone_id.to_owned(), 0));
}

fn copy_of(world: &World, zone: &Zone, soa: &str) -> ZoneCopy {
    let mut copy = ZoneCopy::new(&zone.name, zone.serial);
    let faults = &world.faults;
    for set in zone.recordsets.values() {
        let own = matches!(set.kind.as_str(), "SOA" | "NS");
        let stays = !own && set.status == ACTIVE;
        if stays && faults.hit(&Fault::LostOnChange, Target::named(&set.name)) {
            continue;
        }
        copy.insert(&set.name, data_of(world, zone, set, soa));
    }
    for (name, data) in &zone.ghosts {
        copy.insert(name, data.clone());
    }
    copy.retain(|name, data| {
        let lost = match data.kind.as_str() {
            "A" | "AAAA" => Fault::LostAddress,
            "PTR" => Fault::LostPtr,
            _ => return true,
        };
        !faults.hit(&lost, Target::named(name))
    });
    copy
}

fn data_of(world: &World, zone: &Zone, set: &RecordSet, soa: &str) -> RecordData {
    let named = Target::named(&set.name);
    let mut data =
        RecordData { kind: set.kind.clone(), ttl: set.ttl.unwrap_or(zone.ttl), records: set.records.clone() };
    if set.kind == "SOA" {
        data.records = vec![stale_soa(world, zone, soa).unwrap_or_else(|| soa.to_owned())];
        return data;
    }
    if let Some((fault, wrong)) = wrong_data(&set.kind)
        && world.faults.hit(&fault, named)
    {
        data.records = vec![wrong.to_owned()];
    }
    if set.kind == "PTR" && world.faults.hit(&Fault::DoublePtr, named) {
        data.records.push("second.invalid.".to_owned());
    }
    if !set.managed && world.faults.hit(&Fault::WrongTtl, named) {
        data.ttl += 1234;
    }
    data
}

/// The fault that spoils data of this type, and what is served then.
fn wrong_data(kind: &str) -> Option<(Fault, &'static str)> {
    Some(match kind {
        "A" => (Fault::WrongAddress, "203.0.113.254"),
        "AAAA" => (Fault::WrongAddress, "2001:db8::bad"),
        "PTR" => (Fault::WrongPtr, "wrong.invalid."),
        "CNAME" => (Fault::WrongData, "wrong.invalid."),
        "TXT" | "SPF" => (Fault::WrongData, "\"wrong\""),
        "MX" => (Fault::WrongData, "99 wrong.invalid."),
        "SRV" => (Fault::WrongData, "9 9 9 wrong.invalid."),
        "CAA" => (Fault::WrongData, "0 issue wrong.invalid"),
        _ => return None,
    })
}

/// The SOA that the servers have, with the new serial, where a fault keeps it.
fn stale_soa(world: &World, zone: &Zone, soa: &str) -> Option<String> {
    let old = zone.published.as_ref()?.find(&zone.name, "SOA")?.records.first()?;
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split(' ').collect(), soa.split(' ').collect());
    let changes = old.iter().zip(&new).enumerate().any(|(at, (old, new))| at != 2 && old != new);
    if !changes || !world.faults.hit(&Fault::StaleSoa, Target::named(&zone.name)) {
        return None;
    }
    let field = |(at, old): (usize, &&str)| if at == 2 { new[2].to_owned() } else { (*old).to_owned() };
    Some(old.iter().enumerate().map(field).collect::<Vec<_>>().join(" "))
}

/// Whether a server takes what it is given.
fn takes(world: &World, server: usize) -> bool {
    !world.faults.hit(&Fault::TransferRefused, Target::default())
        && !matches!(world.faults.name_server(server), Some(NameServerMode::Stopped | NameServerMode::Stale))
}

/// One server takes the zone.
pub(in crate::simcloud) fn transfer(world: &mut World, server: usize, zone_id: &str) {
    if !takes(world, server) {
        return;
    }
    let Some(zone) = world.dns.zones.get(zone_id) else {
        return;
    };
    if world.wire.serial(server, &zone.name).is_some()
        && world.faults.hit(&Fault::ActiveNotServed, Target::named(&zone.name))
    {
        return;
    }
    if let Some(copy) = zone.published.clone() {
        world.wire.take(server, copy);
    }
}

/// Whether a server tells Designate the serial it waits for.
fn has_serial(world: &World, server: usize, zone: &Zone) -> bool {
    if world.faults.is_on(&Fault::ActiveNotServed, Target::named(&zone.name)) {
        return true;
    }
    let tells = !matches!(
        world.faults.name_server(server),
        Some(
            NameServerMode::Stopped
                | NameServerMode::Silent
                | NameServerMode::ServFail
                | NameServerMode::Refused
        )
    );
    tells && world.wire.serial(server, &zone.name).is_some_and(|serial| serial >= zone.serial)
}

/// Asks all servers and settles what they have, or tries again.
pub(in crate::simcloud) fn poll(world: &mut World, zone_id: &str, attempt: u32) {
    let Some(zone) = world.dns.zones.get(zone_id) else {
        return;
    };
    let name = zone.name.clone();
    if zone.action == "DELETE" {
        return;
    }
    if worker_stopped(world, &name) {
        world.park(Event::Poll(zone_id.to_owned(), attempt));
        return;
    }
    if (0..world.wire.count()).all(|server| has_serial(world, server, zone)) {
        settle(world, zone_id);
        return;
    }
    let zone = world.dns.zones.get_mut(zone_id);
    if attempt == POLL_ATTEMPTS
        && let Some(zone) = zone
    {
        zone.status = ERROR;
        let serial = zone.serial;
        for set in zone.recordsets.values_mut() {
            if set.status == PENDING && set.serial.is_some_and(|s| s <= serial) {
                set.status = ERROR;
            }
        }
    }
    if attempt < POLL_ATTEMPTS {
        world.schedule(POLL_RETRY, Event::Poll(zone_id.to_owned(), attempt + 1));
    } else {
        // The recovery sends it again; it succeeds once the servers take it.
        for server in 0..world.wire.count() {
            world.schedule(RECOVERY, Event::Transfer(server, zone_id.to_owned()));
        }
        world.schedule(RECOVERY, Event::Poll(zone_id.to_owned(), POLL_ATTEMPTS + 1));
    }
}

fn settle(world: &mut World, zone_id: &str) {
    let now = world.timestamp_micros();
    let Some(zone) = world.dns.zones.get_mut(zone_id) else {
        return;
    };
    let serial = zone.serial;
    for set in zone.recordsets.values_mut() {
        if set.serial.is_some_and(|at| at <= serial) {
            set.status = ACTIVE;
            set.action = "NONE";
        }
    }
    if !zone.batch_pending {
        if zone.status != ACTIVE {
            zone.updated_at = Some(now);
        }
        zone.status = ACTIVE;
        zone.action = "NONE";
    }
}

/// Takes a record set out of its zone; a fault may keep it on the wire.
pub(super) fn removed(world: &mut World, zone_id: &str, set: &RecordSet) {
    let stays = world.faults.hit(&Fault::RecordLeftBehind, Target::named(&set.name));
    let Some(zone) = world.dns.zones.get_mut(zone_id) else {
        return;
    };
    zone.recordsets.remove(&set.id);
    if stays {
        let ttl = set.ttl.unwrap_or(zone.ttl);
        let data = RecordData { kind: set.kind.clone(), ttl, records: set.records.clone() };
        zone.ghosts.push((set.name.clone(), data));
    }
}

/// Plans a zone's end on the name servers.
pub(super) fn delete_zone(world: &mut World, zone_id: &str) {
    let batch = world.jitter(world.stages.transfer + world.stages.poll_delay);
    world.schedule(batch, Event::ZoneGone(zone_id.to_owned()));
}

/// The zone leaves the servers, then the API.
pub(in crate::simcloud) fn zone_gone(world: &mut World, zone_id: &str) {
    let Some(name) = world.dns.zones.get(zone_id).map(|zone| zone.name.clone()) else {
        return;
    };
    if worker_stopped(world, &name) {
        world.park(Event::ZoneGone(zone_id.to_owned()));
        return;
    }
    let left = world.faults.hit(&Fault::RecordLeftBehind, Target::named(&name));
    for server in 0..world.wire.count() {
        if takes(world, server) && !left {
            world.wire.drop_zone(server, &name);
        }
    }
    world.dns.zones.remove(zone_id);
}

/// After the faults changed: every server is offered every zone again, and loses the ones that are no more.
pub(in crate::simcloud) fn refresh_all(world: &mut World) {
    let haunted = world.faults.active().iter().any(|(_, fault)| *fault == Fault::RecordLeftBehind);
    let ids = world.dns.zones.ids();
    let names: Vec<String> = world.dns.zones.values().map(|zone| zone.name.clone()).collect();
    for server in 0..world.wire.count() {
        if takes(world, server) && !haunted {
            world.wire.keep_only(server, &names);
        }
    }
    for id in ids {
        let Some(zone) = world.dns.zones.get_mut(&id) else {
            continue;
        };
        if !haunted {
            zone.ghosts.clear();
        }
        // What is already on its way keeps its own time.
        if zone.published.is_none() || zone.batch_pending || zone.action == "DELETE" {
            continue;
        }
        let name = zone.name.clone();
        if !worker_stopped(world, &name) {
            publish(world, &id);
        }
    }
}
