//! Neutron's Designate driver: records with the caller's rights, reverse records with its own.

use http::Method;
use serde_json::{Value, json};

use crate::simcloud::{
    designate::reverse_names,
    faults::{Fault, Target},
    neutron::text,
    wire::{Caller, Refusal, Service},
    world::World,
};

/// What the driver tells Neutron.
#[derive(Debug)]
pub(in crate::simcloud::neutron) enum DriverError {
    DomainNotFound,
    Duplicate,
    OverQuota(&'static str),
    /// The driver translates nothing else.
    Other(Refusal),
}

impl DriverError {
    /// The answer that the API gives: some errors only go to the log.
    pub(in crate::simcloud::neutron) fn tolerated(self) -> Result<(), Refusal> {
        match self {
            Self::DomainNotFound | Self::Duplicate => Ok(()),
            Self::OverQuota(resource) => {
                let message = format!("External DNS Quota exceeded for resources: {resource}.");
                Err(Refusal::new(409, "ExternalDNSOverQuota", message))
            }
            Self::Other(refusal) => {
                tracing::debug!(kind = refusal.kind, message = refusal.message, "designate driver");
                let message = "Request Failed: internal server error while processing your request.";
                Err(Refusal::new(500, "HTTPInternalServerError", message))
            }
        }
    }

    fn of(refusal: Refusal) -> Self {
        match refusal.status {
            404 => Self::DomainNotFound,
            409 => Self::Duplicate,
            413 => Self::OverQuota("recordset"),
            _ => Self::Other(refusal),
        }
    }
}

fn get(world: &mut World, caller: &Caller, path: &str, all_projects: bool) -> Result<Value, DriverError> {
    let headers: &[(&str, &str)] = if all_projects { &[ALL_PROJECTS] } else { &[] };
    world.internal_with(caller, Service::Dns, Method::GET, path, Value::Null, headers).map_err(|refusal| {
        match refusal.status {
            403 => DriverError::DomainNotFound,
            _ => DriverError::of(refusal),
        }
    })
}

/// The zone by its name, with the caller's eyes.
fn zone_id(world: &mut World, caller: &Caller, domain: &str, all: bool) -> Result<String, DriverError> {
    let found = get(world, caller, &format!("/v2/zones?name={domain}"), all)?;
    found["zones"]
        .as_array()
        .and_then(|zones| zones.first())
        .map(|zone| text(zone, "id").to_owned())
        .ok_or(DriverError::DomainNotFound)
}

const ALL_PROJECTS: (&str, &str) = ("x-auth-all-projects", "true");

fn add(world: &mut World, caller: &Caller, domain: &str, record: &Value) -> Result<(), DriverError> {
    let named = Target::named(text(record, "name"));
    let (zone, headers) = match zone_id(world, caller, domain, false) {
        Err(DriverError::DomainNotFound) => {
            let own = world.identity.neutron.clone();
            let zone = zone_id(world, &own, domain, true)?;
            if !world.faults.hit(&Fault::ForeignZone, named) {
                return Err(DriverError::DomainNotFound);
            }
            (zone, [ALL_PROJECTS].to_vec())
        }
        other => (other?, Vec::new()),
    };
    let foreign = !headers.is_empty();
    let caller = if foreign { world.identity.neutron.clone() } else { caller.clone() };
    let path = format!("/v2/zones/{zone}/recordsets");
    let made = world.internal_with(&caller, Service::Dns, Method::POST, &path, record.clone(), &headers);
    match made.map_err(DriverError::of) {
        Err(DriverError::Duplicate)
            if record["type"] != "PTR" && world.faults.hit(&Fault::RecordOverwritten, named) =>
        {
            overwrite(world, &caller, &path, record)
        }
        other => other.map(drop),
    }
}

/// What a fault does to the record that has the name already.
fn overwrite(world: &mut World, caller: &Caller, path: &str, record: &Value) -> Result<(), DriverError> {
    let found = get(
        world,
        caller,
        &format!("{path}?name={}&type={}", text(record, "name"), text(record, "type")),
        false,
    )?;
    let path = format!("{path}/{}", text(&found["recordsets"][0], "id"));
    let data = json!({"records": record["records"]});
    world.internal(caller, Service::Dns, Method::PUT, &path, data).map(drop).map_err(DriverError::of)
}

/// Another zone of the caller, where a fault publishes instead.
fn other_zone(world: &mut World, caller: &Caller, domain: &str) -> Option<String> {
    let zones = get(world, caller, "/v2/zones", false).ok()?;
    let mut names = zones["zones"].as_array()?.iter().map(|zone| text(zone, "name"));
    names.find(|name| *name != domain).map(str::to_owned)
}

/// Publishes a name with its addresses.
pub(super) fn create(
    world: &mut World,
    caller: &Caller,
    domain: &str,
    name: &str,
    ips: &[String],
) -> Result<(), DriverError> {
    let wanted = format!("{name}.{domain}");
    if world.faults.is_on(&Fault::PublicationLost, Target::named(&wanted)) {
        return Ok(());
    }
    let mut domain = domain.to_owned();
    if world.faults.is_on(&Fault::WrongZone, Target::named(&wanted)) {
        match other_zone(world, caller, &domain) {
            Some(other) => domain = other,
            None => return Ok(()),
        }
    }
    let domain = domain.as_str();
    let fqdn = format!("{name}.{domain}");
    let (v6, v4): (Vec<&String>, Vec<&String>) = ips.iter().partition(|ip| ip.contains(':'));
    for (kind, records) in [("A", v4), ("AAAA", v6)] {
        if !records.is_empty() {
            let record = json!({"name": fqdn, "type": kind, "records": records});
            add(world, caller, domain, &record)?;
        }
    }
    // From here on it is known that there was something to publish.
    world.faults.reach(&Fault::PublicationLost);
    world.faults.reach(&Fault::WrongZone);
    if world.faults.hit(&Fault::StrayRecord, Target::named(&fqdn)) {
        let stray = json!({"name": format!("stray-{fqdn}"), "type": "TXT", "records": ["\"stray\""]});
        add(world, caller, domain, &stray)?;
    }
    if !world.options.reverse_dns || world.faults.hit(&Fault::PtrOff, Target::named(&fqdn)) {
        return Ok(());
    }
    let own = world.identity.neutron.clone();
    for ip in ips {
        let Ok(address) = ip.parse() else { continue };
        let (reverse_name, reverse_zone) = reverse_names(address);
        let record = json!({"name": reverse_name, "type": "PTR", "records": [fqdn]});
        match add(world, &own, &reverse_zone, &record) {
            Err(DriverError::DomainNotFound) => {}
            // A PTR that is there already is an error the driver does not expect.
            Err(DriverError::Duplicate) => {
                let refusal = Refusal::new(409, "duplicate_recordset", "Duplicate RecordSet");
                return Err(DriverError::Other(refusal));
            }
            other => {
                other?;
                continue;
            }
        }
        let labels: Vec<&str> = reverse_name.trim_end_matches('.').rsplit('.').take(2).collect();
        let zone = json!({"name": reverse_zone,
            "email": format!("admin@{}", domain.trim_end_matches('.')),
            "description": format!("An {}.{}. zone for reverse lookups set up by Neutron.",
                labels.get(1).unwrap_or(&""), labels.first().unwrap_or(&""))});
        match world.internal(&own, Service::Dns, Method::POST, "/v2/zones", zone) {
            Err(refusal) if refusal.status == 413 => return Err(DriverError::OverQuota("zone")),
            Err(refusal) if refusal.status != 409 => return Err(DriverError::Other(refusal)),
            _ => {}
        }
        add(world, &own, &reverse_zone, &record)?;
    }
    Ok(())
}

/// The record sets of a name that hold one of the addresses.
fn holders(
    world: &mut World,
    caller: &Caller,
    domain: &str,
    fqdn: &str,
    ips: &[String],
    all: bool,
) -> Result<(String, Vec<String>), DriverError> {
    let zone = zone_id(world, caller, domain, all)?;
    let found = get(world, caller, &format!("/v2/zones/{zone}/recordsets?name={fqdn}"), all)?;
    let holds = |set: &&Value| {
        let records = set["records"].as_array();
        records.into_iter().flatten().any(|r| ips.iter().any(|ip| r.as_str() == Some(ip)))
    };
    let sets = found["recordsets"].as_array();
    let ids = sets.into_iter().flatten().filter(holds).map(|set| text(set, "id").to_owned());
    Ok((zone, ids.collect()))
}

/// Takes a name's addresses back.
pub(super) fn delete(
    world: &mut World,
    caller: &Caller,
    domain: &str,
    name: &str,
    ips: &[String],
) -> Result<(), DriverError> {
    let fqdn = format!("{name}.{domain}");
    if world.faults.is_on(&Fault::PublicationKept, Target::named(&fqdn)) {
        return Ok(());
    }
    let mut all = false;
    let (zone, ids) = match holders(world, caller, domain, &fqdn, ips, false) {
        Err(DriverError::DomainNotFound) => {
            all = true;
            holders(world, caller, domain, &fqdn, ips, true)?
        }
        other => other?,
    };
    let headers: &[(&str, &str)] = if all { &[ALL_PROJECTS] } else { &[] };
    for id in ids {
        world.faults.reach(&Fault::PublicationKept);
        let path = format!("/v2/zones/{zone}/recordsets/{id}");
        let gone = world.internal_with(caller, Service::Dns, Method::DELETE, &path, Value::Null, headers);
        gone.map_err(DriverError::Other)?;
    }
    if !world.options.reverse_dns {
        return Ok(());
    }
    let own = world.identity.neutron.clone();
    for ip in ips {
        let Ok(address) = ip.parse() else { continue };
        let (reverse_name, reverse_zone) = reverse_names(address);
        let Ok(zone) = zone_id(world, &own, &reverse_zone, false) else {
            continue;
        };
        let path = format!("/v2/zones/{zone}/recordsets?name={reverse_name}&type=PTR");
        let found = get(world, &own, &path, false)?;
        // Already gone is only worth a warning.
        let Some(id) = found["recordsets"][0]["id"].as_str() else {
            continue;
        };
        if world.faults.hit(&Fault::PtrKept, Target::named(&fqdn)) {
            continue;
        }
        let path = format!("/v2/zones/{zone}/recordsets/{id}");
        // Neutron also removes what was set for the floating IP by another way.
        let headers = [("x-designate-edit-managed-records", "true")];
        match world.internal_with(&own, Service::Dns, Method::DELETE, &path, Value::Null, &headers) {
            Err(refusal) if refusal.status != 404 => return Err(DriverError::Other(refusal)),
            _ => {}
        }
    }
    Ok(())
}
