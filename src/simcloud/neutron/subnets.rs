//! Subnets.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{
    Kind, Refusal,
    addresses::{Range, address, number},
    bad_request,
    rows::{merge, new_row, shown, touch},
    text,
};
use crate::simcloud::{wire::Call, world::World};

fn invalid_cidr(cidr: &str) -> Refusal {
    Refusal::new(400, "InvalidInput", format!("Invalid input for operation: {cidr} is not in a CIDR format."))
}

pub(super) fn create(world: &mut World, call: &Call, wanted: &Value) -> Result<String, Refusal> {
    Kind::Subnet.check_attributes(wanted)?;
    let network_id = text(wanted, "network_id").to_owned();
    let network = shown(world, call, Kind::Network, &network_id)?;
    let external = network["router:external"] == true;
    let cidr = text(wanted, "cidr");
    let range = Range::parse(cidr).ok_or_else(|| invalid_cidr(cidr))?;
    let version = if range.v6 { 6 } else { 4 };
    if wanted["ip_version"].as_u64().is_some_and(|asked| asked != version) {
        return Err(bad_request("Invalid input for operation: IP version mismatch."));
    }
    let overlap = world.network.table(Kind::Subnet).any(|other| {
        text(other, "network_id") == network_id
            && Range::parse(text(other, "cidr")).is_some_and(|other| {
                other.v6 == range.v6 && other.first <= range.last && range.first <= other.last
            })
    });
    if overlap {
        let message = format!(
            "Invalid input for operation: Requested subnet with cidr: {} for network: \
             {network_id} overlaps with another subnet.",
            range.cidr()
        );
        return Err(Refusal::new(400, "InvalidInput", message));
    }
    let gateway = match wanted.get("gateway_ip") {
        Some(Value::Null) => None,
        Some(Value::String(ip)) => Some(ip.parse::<IpAddr>().map_err(|_| invalid_cidr(ip))?),
        _ => Some(address(range.first + 1, range.v6)),
    };
    let pools = match wanted["allocation_pools"].as_array().filter(|pools| !pools.is_empty()) {
        Some(pools) => Value::Array(pools.clone()),
        None => Value::Array(default_pools(&range, gateway)),
    };
    let (id, mut row) = new_row(world, call, wanted);
    let defaults = json!({"network_id": network_id, "ip_version": version,
        "cidr": range.cidr(), "gateway_ip": gateway, "allocation_pools": pools,
        "enable_dhcp": true, "dns_nameservers": [], "host_routes": [], "ipv6_ra_mode": null,
        "ipv6_address_mode": null, "dns_publish_fixed_ip": false, "subnetpool_id": null,
        "service_types": [], "router:external": external});
    for (name, value) in defaults.as_object().into_iter().flatten() {
        row[name.as_str()] = value.clone();
    }
    merge(
        &mut row,
        wanted,
        &[
            "enable_dhcp",
            "dns_nameservers",
            "host_routes",
            "ipv6_ra_mode",
            "ipv6_address_mode",
            "dns_publish_fixed_ip",
        ],
    );
    world.network.insert(Kind::Subnet, &id, row);
    if let Some(network) = world.network.row_mut(Kind::Network, &network_id)
        && let Some(subnets) = network["subnets"].as_array_mut()
    {
        subnets.push(json!(id));
    }
    Ok(id)
}

/// Everything but the network's own address, the broadcast address and the gateway.
fn default_pools(range: &Range, gateway: Option<IpAddr>) -> Vec<Value> {
    let low = range.first + 1;
    let high = if range.v6 { range.last } else { range.last.saturating_sub(1) };
    let gateway = gateway.filter(|gateway| range.contains(*gateway)).map(number);
    let parts = match gateway {
        Some(at) if at == low => vec![(low + 1, high)],
        Some(at) if at == high => vec![(low, high - 1)],
        Some(at) if at > low && at < high => vec![(low, at - 1), (at + 1, high)],
        _ => vec![(low, high)],
    };
    parts
        .into_iter()
        .filter(|(start, end)| start <= end)
        .map(|(start, end)| json!({"start": address(start, range.v6), "end": address(end, range.v6)}))
        .collect()
}

pub(super) fn update(world: &mut World, _call: &Call, id: &str, wanted: &Value) -> Result<(), Refusal> {
    Kind::Subnet.check_attributes(wanted)?;
    if let Some(row) = world.network.row_mut(Kind::Subnet, id) {
        merge(
            row,
            wanted,
            &[
                "name",
                "description",
                "gateway_ip",
                "allocation_pools",
                "enable_dhcp",
                "dns_nameservers",
                "host_routes",
                "dns_publish_fixed_ip",
            ],
        );
    }
    touch(world, Kind::Subnet, id);
    Ok(())
}

pub(super) fn delete(world: &mut World, id: &str) -> Result<(), Refusal> {
    let used = world
        .network
        .table(Kind::Port)
        .any(|port| port["fixed_ips"].as_array().into_iter().flatten().any(|ip| text(ip, "subnet_id") == id));
    if used {
        let message = format!(
            "Unable to complete operation on subnet {id}: One or more ports have an IP allocation \
             from this subnet."
        );
        return Err(Refusal::new(409, "SubnetInUse", message));
    }
    if let Some(row) = world.network.remove(Kind::Subnet, id)
        && let Some(network) = world.network.row_mut(Kind::Network, text(&row, "network_id"))
        && let Some(subnets) = network["subnets"].as_array_mut()
    {
        subnets.retain(|subnet| subnet.as_str() != Some(id));
    }
    world.network.allocations.forget(id);
    Ok(())
}
