//! Networks.

use serde_json::{Value, json};

use super::{
    Kind, Refusal, names,
    rows::{merge, new_row, touch},
    subnets, text,
};
use crate::simcloud::{wire::Call, world::World};

/// Segment ids up to here are for tenants; a name on such a network is not published.
pub(super) const TENANT_SEGMENTS: u64 = 1000;

const PROVIDER: [&str; 3] =
    ["provider:network_type", "provider:physical_network", "provider:segmentation_id"];

fn check_rights(call: &Call, wanted: &Value) -> Result<(), Refusal> {
    let mut reserved = PROVIDER.iter().chain(&["segments", "router:external", "shared"]);
    let asks =
        |name: &&&str| wanted.get(**name).is_some_and(|value| !value.is_null() && *value != json!(false));
    match reserved.find(asks) {
        Some(name) if !call.caller.is_admin() => {
            let rule = if call.method == http::Method::PUT { "update_network" } else { "create_network" };
            let message = format!("(rule:{rule} and rule:{rule}:{name}) is disallowed by policy");
            Err(Refusal::new(403, "PolicyNotAuthorized", message))
        }
        _ => Ok(()),
    }
}

pub(super) fn create(world: &mut World, call: &Call, wanted: &Value) -> Result<String, Refusal> {
    Kind::Network.check_attributes(wanted)?;
    check_rights(call, wanted)?;
    let dns_domain = names::domain(&wanted["dns_domain"])?.unwrap_or_default();
    let (id, mut row) = new_row(world, call, wanted);
    world.network.next_segment = world.network.next_segment % 900 + 1;
    let segment = world.network.next_segment;
    let defaults = json!({"status": "ACTIVE", "admin_state_up": true, "shared": false,
        "router:external": false, "mtu": 1442, "subnets": [], "port_security_enabled": true,
        "ipv4_address_scope": null, "ipv6_address_scope": null, "qinq": false, "vlan_transparent": false,
        "availability_zone_hints": [], "availability_zones": [],
        "provider:network_type": "geneve", "provider:physical_network": null,
        "provider:segmentation_id": segment});
    for (name, value) in defaults.as_object().into_iter().flatten() {
        row[name.as_str()] = value.clone();
    }
    merge(
        &mut row,
        wanted,
        &[
            "admin_state_up",
            "shared",
            "router:external",
            "mtu",
            "port_security_enabled",
            "segments",
            "availability_zone_hints",
        ],
    );
    if PROVIDER.iter().any(|name| wanted.get(*name).is_some()) {
        for name in PROVIDER {
            row[name] = wanted.get(name).cloned().unwrap_or_default();
        }
    }
    if row["router:external"] == true {
        row["is_default"] = json!(wanted["is_default"] == true);
    }
    row["dns_domain"] = json!(dns_domain);
    world.network.insert(Kind::Network, &id, row);
    Ok(id)
}

pub(super) fn update(world: &mut World, call: &Call, id: &str, wanted: &Value) -> Result<(), Refusal> {
    Kind::Network.check_attributes(wanted)?;
    check_rights(call, wanted)?;
    let dns_domain = names::domain(&wanted["dns_domain"])?;
    if let Some(row) = world.network.row_mut(Kind::Network, id) {
        merge(
            row,
            wanted,
            &[
                "name",
                "description",
                "admin_state_up",
                "shared",
                "router:external",
                "mtu",
                "port_security_enabled",
            ],
        );
        if let Some(dns_domain) = dns_domain {
            row["dns_domain"] = json!(dns_domain);
        }
    }
    touch(world, Kind::Network, id);
    Ok(())
}

pub(super) fn delete(world: &mut World, id: &str) -> Result<(), Refusal> {
    let on_it = |row: &&Value| text(row, "network_id") == id;
    let ports: Vec<&str> =
        world.network.table(Kind::Port).filter(on_it).map(|port| text(port, "id")).collect();
    if !ports.is_empty() {
        let message = format!(
            "Unable to complete operation on network {id}. There are one or more ports still in \
             use on the network, id for these ports is: {}.",
            ports.join(",")
        );
        return Err(Refusal::new(409, "NetworkInUse", message));
    }
    let subnets: Vec<String> =
        world.network.table(Kind::Subnet).filter(on_it).map(|subnet| text(subnet, "id").to_owned()).collect();
    for subnet in subnets {
        subnets::delete(world, &subnet)?;
    }
    world.network.remove(Kind::Network, id);
    Ok(())
}
