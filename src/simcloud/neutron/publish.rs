//! When a name is published in Designate and when it is not: Neutron's rules for ports and floating IPs.

use serde_json::Value;

use super::{Kind, Refusal, names, names::PortDns, networks::TENANT_SEGMENTS, ports::subnets_of, text};
use crate::simcloud::{
    faults::{Fault, Target},
    wire::Caller,
    world::World,
};

mod driver;

pub(super) use driver::DriverError;

/// A floating IP's DNS row: its own attributes and what is published for it.
#[derive(Clone, Debug, Default)]
pub(super) struct FipDns {
    pub(super) name: String,
    pub(super) published_name: String,
    pub(super) published_domain: String,
}

/// Whether the cloud is broken so that it publishes whatever has a name.
fn unasked(world: &World) -> bool {
    world.faults.is_on(&Fault::PublicationUnasked, Target::default())
}

/// Whether names of this network's ports go to Designate at all.
fn network_publishes(world: &World, network_id: &str) -> bool {
    if !world.options.external_dns {
        return false;
    }
    if unasked(world) {
        return true;
    }
    if subnets_of(world, network_id).iter().any(|s| s["dns_publish_fixed_ip"] == true) {
        return true;
    }
    let Some(network) = world.network.row(Kind::Network, network_id) else {
        return false;
    };
    if network["router:external"] == true {
        return false;
    }
    if network["segments"].as_array().is_some_and(|segments| segments.len() > 1) {
        return true;
    }
    match text(network, "provider:network_type") {
        "flat" => true,
        "vlan" | "gre" | "vxlan" | "geneve" => {
            // Inside the tenants' ranges it is an ordinary network.
            network["provider:segmentation_id"].as_u64().is_some_and(|id| id > TENANT_SEGMENTS)
        }
        _ => false,
    }
}

fn network_domain(world: &World, network_id: &str) -> String {
    let network = world.network.row(Kind::Network, network_id);
    network.map(|network| text(network, "dns_domain").to_owned()).unwrap_or_default()
}

/// The addresses that are published: those on flagged subnets, or all where no subnet is flagged.
fn published_ips(world: &World, ips: &Value) -> Vec<String> {
    let ips: Vec<&Value> = ips.as_array().into_iter().flatten().collect();
    let flagged = |ip: &&&Value| {
        let subnet = world.network.row(Kind::Subnet, text(ip, "subnet_id"));
        subnet.is_some_and(|subnet| subnet["dns_publish_fixed_ip"] == true)
    };
    let some: Vec<String> = ips.iter().filter(flagged).map(|ip| text(ip, "ip_address").to_owned()).collect();
    if !some.is_empty() && some.len() < ips.len() {
        world.faults.reach(&Fault::PublicationUnasked);
    }
    if some.is_empty() || unasked(world) {
        ips.iter().map(|ip| text(ip, "ip_address").to_owned()).collect()
    } else {
        some
    }
}

fn new_row(world: &World, caller: &Caller, network_id: &str, name: &str, domain: &str) -> PortDns {
    let mut external = domain.to_owned();
    if external.is_empty() {
        external = network_domain(world, network_id);
    }
    let mut row = PortDns { name: name.to_owned(), domain: domain.to_owned(), ..PortDns::default() };
    if name.is_empty() || external.is_empty() {
        return row;
    }
    if network_publishes(world, network_id) {
        name.clone_into(&mut row.current_name);
        row.current_domain = names::expand(world, caller, &external);
    } else {
        world.faults.reach(&Fault::PublicationUnasked);
    }
    row
}

/// After a port was made: whatever goes wrong now stays in Neutron's log.
pub(super) fn port_created(
    world: &mut World,
    caller: &Caller,
    id: &str,
    name: Option<String>,
    domain: Option<String>,
) {
    let name = name.unwrap_or_default();
    let domain = domain.unwrap_or_default();
    if (name.is_empty() && domain.is_empty()) || !names::enabled(world) {
        return;
    }
    let Some(port) = world.network.row(Kind::Port, id).cloned() else {
        return;
    };
    let row = new_row(world, caller, text(&port, "network_id"), &name, &domain);
    let ips = published_ips(world, &port["fixed_ips"]);
    let (name, domain) = (row.current_name.clone(), row.current_domain.clone());
    world.network.port_dns.insert(id.to_owned(), row);
    if !name.is_empty() {
        let _ = driver::create(world, caller, &domain, &name, &ips);
    }
}

/// After a port was changed; `before` is its old row.
pub(super) fn port_updated(
    world: &mut World,
    caller: &Caller,
    before: &Value,
    name: Option<String>,
    domain: Option<String>,
    addressed: bool,
) {
    if (name.is_none() && domain.is_none() && !addressed) || !names::enabled(world) {
        return;
    }
    let id = text(before, "id").to_owned();
    let network_id = text(before, "network_id").to_owned();
    let old = world.network.port_dns.get(&id).cloned();
    let publishes = network_publishes(world, &network_id);
    let row = match (old.clone(), publishes) {
        (Some(mut row), false) => {
            row.name = name.unwrap_or(row.name);
            row.domain = domain.unwrap_or(row.domain);
            row
        }
        (Some(row), true) => changed_row(world, caller, &network_id, row, name, domain, addressed),
        (None, _) => {
            let (name, domain) = (name.unwrap_or_default(), domain.unwrap_or_default());
            if name.is_empty() && domain.is_empty() {
                return;
            }
            new_row(world, caller, &network_id, &name, &domain)
        }
    };
    let old = old.unwrap_or_default();
    world.network.port_dns.insert(id.clone(), row.clone());
    let Some(after) = world.network.row(Kind::Port, &id).cloned() else {
        return;
    };
    let old_ips = published_ips(world, &before["fixed_ips"]);
    let new_ips = published_ips(world, &after["fixed_ips"]);
    let same_ips = old_ips.len() == new_ips.len() && old_ips.iter().all(|ip| new_ips.contains(ip));
    if old.name == row.name && old.domain == row.domain && same_ips {
        return;
    }
    let publishes = !row.previous_name.is_empty() || !row.current_name.is_empty();
    if publishes && world.faults.hit(&Fault::RepublicationLost, Target::named(&row.name)) {
        return;
    }
    if !row.previous_name.is_empty() {
        let gone = driver::delete(world, caller, &row.previous_domain, &row.previous_name, &old_ips);
        // An error that the hook does not know ends it; the update itself has been made.
        if matches!(gone, Err(DriverError::Other(_))) {
            return;
        }
    }
    if !row.current_name.is_empty() {
        let _ = driver::create(world, caller, &row.current_domain, &row.current_name, &new_ips);
    }
}

fn changed_row(
    world: &World,
    caller: &Caller,
    network_id: &str,
    mut row: PortDns,
    name: Option<String>,
    domain: Option<String>,
    addressed: bool,
) -> PortDns {
    let renamed = name.as_ref().is_some_and(|name| *name != row.name);
    let moved = domain.as_ref().is_some_and(|domain| *domain != row.domain);
    let readdressed = addressed && !row.current_name.is_empty();
    if !(renamed || moved || readdressed) {
        if row.current_name.is_empty() {
            row.previous_name.clear();
            row.previous_domain.clear();
        }
        return row;
    }
    row.previous_name.clone_from(&row.current_name);
    row.previous_domain.clone_from(&row.current_domain);
    if renamed || moved {
        row.name = name.unwrap_or(row.name);
        row.domain = domain.unwrap_or(row.domain);
        let external =
            if row.domain.is_empty() { network_domain(world, network_id) } else { row.domain.clone() };
        row.current_name.clone_from(&row.name);
        // Neutron forgets the keywords of a domain that has just been changed.
        row.current_domain = if moved { external } else { names::expand(world, caller, &external) };
        if row.current_name.is_empty() || row.current_domain.is_empty() {
            row.current_name.clear();
            row.current_domain.clear();
        }
    }
    row
}

/// Before a port goes: an unexpected error keeps it.
pub(super) fn port_deleted(world: &mut World, caller: &Caller, id: &str) -> Result<(), Refusal> {
    let Some(row) = world.network.port_dns.get(id).cloned() else {
        return Ok(());
    };
    if row.current_name.is_empty() || !world.options.external_dns {
        return Ok(());
    }
    let ips = world.network.row(Kind::Port, id).map(|port| published_ips(world, &port["fixed_ips"]));
    let ips = ips.unwrap_or_default();
    driver::delete(world, caller, &row.current_domain, &row.current_name, &ips)
        .or_else(DriverError::tolerated)
}

/// The name that a floating IP takes from its port, with the domain of the port's network.
fn inherited(world: &World, fip: &Value) -> (String, String) {
    let Some(port_id) = fip["port_id"].as_str() else {
        return Default::default();
    };
    let Some(dns) = world.network.port_dns.get(port_id) else {
        return Default::default();
    };
    let Some(port) = world.network.row(Kind::Port, port_id) else {
        return Default::default();
    };
    if dns.name.is_empty() {
        return Default::default();
    }
    (dns.name.clone(), network_domain(world, text(port, "network_id")))
}

/// What is published for a floating IP: its address, unless a fault takes the fixed one.
fn public_addresses(world: &World, fip: &Value, name: &str) -> Vec<String> {
    let mut addresses = vec![text(fip, "floating_ip_address").to_owned()];
    if let Some(fixed) = fip["fixed_ip_address"].as_str() {
        if world.faults.hit(&Fault::PrivateAddress, Target::named(name)) {
            addresses.clear();
            addresses.push(fixed.to_owned());
        } else if world.faults.hit(&Fault::PrivateAddressToo, Target::named(name)) {
            addresses.push(fixed.to_owned());
        }
    }
    addresses
}

/// After a floating IP was made: an error is told, and the floating IP stays.
pub(super) fn fip_created(
    world: &mut World,
    caller: &Caller,
    fip: &Value,
    own: (String, String),
) -> Result<(), Refusal> {
    if !world.options.external_dns {
        return Ok(());
    }
    let (name, domain) = if own.0.is_empty() { inherited(world, fip) } else { own.clone() };
    if name.is_empty() || domain.is_empty() {
        return Ok(());
    }
    let row = FipDns { name: own.0, published_name: name.clone(), published_domain: domain.clone() };
    world.network.fip_dns.insert(text(fip, "id").to_owned(), row);
    let ips = public_addresses(world, fip, &name);
    driver::create(world, caller, &domain, &name, &ips).or_else(DriverError::tolerated)
}

/// After a floating IP was changed: one with its own name is left alone.
pub(super) fn fip_updated(world: &mut World, caller: &Caller, fip: &Value) -> Result<(), Refusal> {
    let id = text(fip, "id").to_owned();
    let old = world.network.fip_dns.get(&id).cloned();
    if !world.options.external_dns || old.as_ref().is_some_and(|old| !old.name.is_empty()) {
        return Ok(());
    }
    let (name, domain) = inherited(world, fip);
    let publishes = !name.is_empty() && !domain.is_empty();
    let ips = [text(fip, "floating_ip_address").to_owned()];
    let unchanged =
        old.as_ref().is_some_and(|old| old.published_name == name && old.published_domain == domain);
    if unchanged
        || ((old.is_some() || publishes) && world.faults.hit(&Fault::RepublicationLost, Target::named(&name)))
    {
        return Ok(());
    }
    if let Some(old) = old {
        // Neutron never stores the new name in a row that is there: it goes on believing in the first one.
        if !publishes {
            world.network.fip_dns.remove(&id);
        }
        driver::delete(world, caller, &old.published_domain, &old.published_name, &ips)
            .or_else(DriverError::tolerated)?;
    } else if publishes {
        let (published_name, published_domain) = (name.clone(), domain.clone());
        let row = FipDns { published_name, published_domain, ..FipDns::default() };
        world.network.fip_dns.insert(id, row);
    }
    if !publishes {
        return Ok(());
    }
    let ips = public_addresses(world, fip, &name);
    driver::create(world, caller, &domain, &name, &ips).or_else(DriverError::tolerated)
}

/// Before a floating IP goes, or its port does: what was published for it is taken back.
pub(super) fn fip_deleted(world: &mut World, caller: &Caller, fip: &Value) -> Result<(), Refusal> {
    let Some(row) = world.network.fip_dns.get(text(fip, "id")).cloned() else {
        return Ok(());
    };
    let ips = [text(fip, "floating_ip_address").to_owned()];
    driver::delete(world, caller, &row.published_domain, &row.published_name, &ips)
        .or_else(DriverError::tolerated)?;
    world.network.fip_dns.remove(text(fip, "id"));
    Ok(())
}
