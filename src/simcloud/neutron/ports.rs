//! Ports: addresses, names, and who hangs on them.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{
    Kind, Refusal,
    addresses::Range,
    bad_request, fips, groups, names, publish,
    rows::{merge, new_row, shown, touch},
    text,
};
use crate::simcloud::{wire::Call, world::World};

/// The subnets of a network.
pub(super) fn subnets_of(world: &World, network_id: &str) -> Vec<Value> {
    let on_it = |row: &&Value| text(row, "network_id") == network_id;
    world.network.table(Kind::Subnet).filter(on_it).cloned().collect()
}

/// Gives a port its addresses: those that are wished for, or one of each family.
pub(super) fn allocate(
    world: &mut World,
    network_id: &str,
    wished: Option<&Vec<Value>>,
) -> Result<Vec<Value>, Refusal> {
    let subnets = subnets_of(world, network_id);
    let mut given: Vec<Value> = Vec::new();
    let outcome = match wished {
        Some(wished) => wished
            .iter()
            .try_for_each(|wish| grant(world, network_id, &subnets, wish).map(|ip| given.push(ip))),
        None => [4, 6].into_iter().try_for_each(|version| {
            let mut of_family = subnets.iter().filter(|s| s["ip_version"] == version).peekable();
            if of_family.peek().is_none() {
                return Ok(());
            }
            let found = of_family.find_map(|subnet| {
                let address = world.network.allocations.take_any(subnet)?;
                Some(json!({"subnet_id": subnet["id"], "ip_address": address}))
            });
            given.push(found.ok_or_else(|| exhausted(network_id))?);
            Ok(())
        }),
    };
    if let Err(refusal) = outcome {
        release(world, &given);
        return Err(refusal);
    }
    Ok(given)
}

fn exhausted(network_id: &str) -> Refusal {
    let message = format!("No more IP addresses available on network {network_id}.");
    Refusal::new(409, "IpAddressGenerationFailure", message)
}

fn grant(world: &mut World, network_id: &str, subnets: &[Value], wish: &Value) -> Result<Value, Refusal> {
    let address: Option<IpAddr> = match wish["ip_address"].as_str() {
        Some(ip) => Some(ip.parse().map_err(|_| {
            bad_request(format!("Invalid input for fixed_ips. Reason: '{ip}' is not a valid IP address."))
        })?),
        None => None,
    };
    let subnet = subnets.iter().find(|subnet| {
        if let Some(id) = wish["subnet_id"].as_str() {
            text(subnet, "id") == id
        } else {
            let range = Range::parse(text(subnet, "cidr"));
            address.is_none_or(|ip| range.is_some_and(|range| range.contains(ip)))
        }
    });
    if let (None, Some(address)) = (subnet, address) {
        let message = format!(
            "IP address {address} is not a valid IP for any of the subnets on the specified \
             network."
        );
        return Err(Refusal::new(400, "InvalidIpForNetwork", message));
    }
    let Some(subnet) = subnet else {
        let message = format!(
            "Invalid input for operation: Failed to create port on network {network_id}, because \
             fixed_ips included invalid subnet {}.",
            text(wish, "subnet_id")
        );
        return Err(Refusal::new(400, "InvalidInput", message));
    };
    let id = text(subnet, "id");
    let address = match address {
        Some(address) => {
            if !Range::parse(text(subnet, "cidr")).is_some_and(|range| range.contains(address)) {
                let message = format!("IP address {address} is not a valid IP for the specified subnet.");
                return Err(Refusal::new(400, "InvalidIpForSubnet", message));
            }
            world.network.allocations.take(id, address)?;
            address
        }
        None => world.network.allocations.take_any(subnet).ok_or_else(|| exhausted(network_id))?,
    };
    Ok(json!({"subnet_id": id, "ip_address": address}))
}

pub(super) fn release(world: &mut World, ips: &[Value]) {
    for ip in ips {
        world.network.allocations.give_back(text(ip, "subnet_id"), text(ip, "ip_address"));
    }
}

pub(super) fn create(world: &mut World, call: &Call, wanted: &Value) -> Result<String, Refusal> {
    Kind::Port.check_attributes(wanted)?;
    let network_id = text(wanted, "network_id").to_owned();
    let network = shown(world, call, Kind::Network, &network_id)?;
    let addressed = wanted["fixed_ips"].as_array().into_iter().flatten();
    if !call.caller.owns(text(&network, "project_id"))
        && addressed.clone().any(|ip| ip["ip_address"].is_string())
    {
        let message = "(rule:create_port and (rule:create_port:fixed_ips and \
                       (rule:create_port:fixed_ips:ip_address))) is disallowed by policy";
        return Err(Refusal::new(403, "PolicyNotAuthorized", message));
    }
    let dns_name = names::for_port(world, &wanted["dns_name"])?;
    let dns_domain = names::domain(&wanted["dns_domain"])?;
    let groups = match wanted["security_groups"].as_array() {
        Some(groups) => {
            for group in groups {
                shown(world, call, Kind::SecurityGroup, group.as_str().unwrap_or_default())?;
            }
            groups.clone()
        }
        None if network["port_security_enabled"] == false || wanted["port_security_enabled"] == false => {
            Vec::new()
        }
        None => vec![json!(groups::ensure_default(world, &call.caller.project_id))],
    };
    let fixed_ips = allocate(world, &network_id, wanted["fixed_ips"].as_array())?;
    let (id, mut row) = new_row(world, call, wanted);
    let mac = format!("fa:16:3e:{}:{}:{}", &id[0..2], &id[2..4], &id[4..6]);
    let defaults = json!({"network_id": network_id, "admin_state_up": true, "status": "DOWN",
        "mac_address": mac, "fixed_ips": fixed_ips, "device_id": "", "device_owner": "",
        "security_groups": groups, "allowed_address_pairs": [], "extra_dhcp_opts": [],
        "port_security_enabled": true, "binding:vnic_type": "normal", "binding:host_id": "",
        "binding:profile": {}, "binding:vif_type": "unbound", "binding:vif_details": {}});
    for (name, value) in defaults.as_object().into_iter().flatten() {
        row[name.as_str()] = value.clone();
    }
    merge(
        &mut row,
        wanted,
        &[
            "admin_state_up",
            "mac_address",
            "device_id",
            "device_owner",
            "allowed_address_pairs",
            "binding:vnic_type",
            "binding:host_id",
            "port_security_enabled",
        ],
    );
    world.network.insert(Kind::Port, &id, row);
    publish::port_created(world, &call.caller, &id, dns_name, dns_domain);
    Ok(id)
}

pub(super) fn update(world: &mut World, call: &Call, id: &str, wanted: &Value) -> Result<(), Refusal> {
    Kind::Port.check_attributes(wanted)?;
    let dns_name = names::for_port(world, &wanted["dns_name"])?;
    let dns_domain = names::domain(&wanted["dns_domain"])?;
    let Some(before) = world.network.row(Kind::Port, id).cloned() else {
        return Err(Kind::Port.not_found(id));
    };
    let old_ips = before["fixed_ips"].as_array().cloned().unwrap_or_default();
    let mut new_ips = None;
    if let Some(wished) = wanted["fixed_ips"].as_array() {
        let kept = |ip: &Value| wished.iter().any(|wish| text(wish, "ip_address") == text(ip, "ip_address"));
        let removed: Vec<Value> = old_ips.iter().filter(|ip| !kept(ip)).cloned().collect();
        if !removed.is_empty() && fips::on_port(world, id).is_some() {
            let message = "Bad port request: Cannot change the fixed IP of a port with a floating IP.";
            return Err(Refusal::new(400, "BadRequest", message));
        }
        release(world, &old_ips);
        match allocate(world, text(&before, "network_id"), Some(wished)) {
            Ok(ips) => new_ips = Some(ips),
            Err(refusal) => {
                for ip in &old_ips {
                    if let Ok(address) = text(ip, "ip_address").parse() {
                        world.network.allocations.take(text(ip, "subnet_id"), address)?;
                    }
                }
                return Err(refusal);
            }
        }
    }
    if let Some(row) = world.network.row_mut(Kind::Port, id) {
        merge(
            row,
            wanted,
            &[
                "name",
                "description",
                "admin_state_up",
                "device_id",
                "device_owner",
                "security_groups",
                "allowed_address_pairs",
                "binding:vnic_type",
                "binding:host_id",
                "binding:profile",
                "port_security_enabled",
            ],
        );
        let bound = !text(row, "binding:host_id").is_empty();
        row["status"] = json!(if bound { "ACTIVE" } else { "DOWN" });
        row["binding:vif_type"] = json!(if bound { "ovs" } else { "unbound" });
        if let Some(ips) = new_ips {
            row["fixed_ips"] = Value::Array(ips);
        }
    }
    touch(world, Kind::Port, id);
    let addressed = wanted.get("fixed_ips").is_some();
    publish::port_updated(world, &call.caller, &before, dns_name, dns_domain, addressed);
    Ok(())
}

pub(super) fn delete(world: &mut World, call: &Call, id: &str) -> Result<(), Refusal> {
    let owner = world.network.row(Kind::Port, id).map(|row| text(row, "device_owner").to_owned());
    let owner = owner.unwrap_or_default();
    if owner.starts_with("network:router") || owner == "network:floatingip" {
        let message =
            format!("Port {id} cannot be deleted directly via the port API: has device owner {owner}.");
        return Err(Refusal::new(409, "ServicePortInUse", message));
    }
    // The names go first: if that fails, the port stays.
    publish::port_deleted(world, &call.caller, id)?;
    fips::leave_port(world, &call.caller, id)?;
    drop_row(world, id);
    Ok(())
}

/// Removes a port's row and gives its addresses back.
pub(super) fn drop_row(world: &mut World, id: &str) {
    if let Some(row) = world.network.remove(Kind::Port, id) {
        let ips = row["fixed_ips"].as_array().cloned().unwrap_or_default();
        release(world, &ips);
    }
    world.network.port_dns.remove(id);
}
