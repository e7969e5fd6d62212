//! Routers, their gateways and their interfaces.

use serde_json::{Value, json};

use super::{
    Kind, Refusal, Reply, bad_request, fips, no_resource, ports,
    rows::{merge, new_row, owned, shown, touch},
    text,
};
use crate::simcloud::{wire::Call, world::World};

pub(super) fn create(world: &mut World, call: &Call, wanted: &Value) -> Result<String, Refusal> {
    Kind::Router.check_attributes(wanted)?;
    let (id, mut row) = new_row(world, call, wanted);
    let defaults = json!({"status": "ACTIVE", "admin_state_up": true, "routes": [],
        "external_gateway_info": null, "distributed": false, "ha": false, "flavor_id": null,
        "availability_zone_hints": [], "availability_zones": []});
    for (name, value) in defaults.as_object().into_iter().flatten() {
        row[name.as_str()] = value.clone();
    }
    merge(&mut row, wanted, &["admin_state_up"]);
    row["external_gateway_info"] = gateway(world, call, &id, &wanted["external_gateway_info"])?;
    world.network.insert(Kind::Router, &id, row);
    Ok(id)
}

/// Makes the gateway's port and says what the router shows of it.
fn gateway(world: &mut World, call: &Call, id: &str, wanted: &Value) -> Result<Value, Refusal> {
    let Some(network_id) = wanted["network_id"].as_str().map(str::to_owned) else {
        return Ok(Value::Null);
    };
    let network = shown(world, call, Kind::Network, &network_id)?;
    if network["router:external"] != true {
        let message = format!("Bad router request: Network {network_id} is not a valid external network.");
        return Err(Refusal::new(400, "BadRequest", message));
    }
    let ips = service_port(world, call, &network_id, id, "network:router_gateway", None)?;
    Ok(json!({"network_id": network_id, "enable_snat": true, "external_fixed_ips": ips}))
}

/// A port that Neutron makes for itself; it belongs to no project.
pub(super) fn service_port(
    world: &mut World,
    call: &Call,
    network_id: &str,
    device_id: &str,
    owner: &str,
    wished: Option<&Vec<Value>>,
) -> Result<Value, Refusal> {
    let ips = Value::Array(ports::allocate(world, network_id, wished)?);
    let (id, mut row) = new_row(world, call, &Value::Null);
    let project =
        if owner == "network:router_interface" { text(&row, "project_id").to_owned() } else { String::new() };
    let fields = json!({"network_id": network_id, "device_id": device_id, "device_owner": owner,
        "project_id": project, "tenant_id": project, "fixed_ips": ips, "status": "ACTIVE",
        "admin_state_up": true, "security_groups": [], "port_security_enabled": false,
        "mac_address": format!("fa:16:3e:{}:{}:{}", &id[0..2], &id[2..4], &id[4..6])});
    for (name, value) in fields.as_object().into_iter().flatten() {
        row[name.as_str()] = value.clone();
    }
    world.network.insert(Kind::Port, &id, row);
    Ok(ips)
}

/// The service ports of a device.
pub(super) fn ports_of<'a>(
    world: &'a World,
    device_id: &'a str,
    owner: &'a str,
) -> impl Iterator<Item = &'a Value> {
    world
        .network
        .table(Kind::Port)
        .filter(move |p| text(p, "device_id") == device_id && text(p, "device_owner") == owner)
}

pub(super) fn drop_ports(world: &mut World, device_id: &str, owner: &str) {
    let ids: Vec<String> =
        ports_of(world, device_id, owner).map(|port| text(port, "id").to_owned()).collect();
    for id in ids {
        ports::drop_row(world, &id);
    }
}

pub(super) fn update(world: &mut World, call: &Call, id: &str, wanted: &Value) -> Result<(), Refusal> {
    Kind::Router.check_attributes(wanted)?;
    if let Some(info) = wanted.get("external_gateway_info") {
        let current = world.network.row(Kind::Router, id).map(|r| r["external_gateway_info"].clone());
        let current = current.unwrap_or_default();
        let same = info["network_id"] == current["network_id"];
        if !same {
            if world.network.table(Kind::FloatingIp).any(|fip| text(fip, "router_id") == id) {
                let message = format!(
                    "Gateway cannot be updated for router {id}, since a gateway to external \
                     network {} is required by one or more floating IPs.",
                    text(&current, "network_id")
                );
                let kind = "RouterExternalGatewayInUseByFloatingIp";
                return Err(Refusal::new(409, kind, message));
            }
            drop_ports(world, id, "network:router_gateway");
            let info = gateway(world, call, id, info)?;
            if let Some(row) = world.network.row_mut(Kind::Router, id) {
                row["external_gateway_info"] = info;
            }
        }
    }
    if let Some(row) = world.network.row_mut(Kind::Router, id) {
        merge(row, wanted, &["name", "description", "admin_state_up", "routes"]);
    }
    touch(world, Kind::Router, id);
    Ok(())
}

pub(super) fn delete(world: &mut World, id: &str) -> Result<(), Refusal> {
    let ports: Vec<&str> =
        ports_of(world, id, "network:router_interface").map(|port| text(port, "id")).collect();
    if !ports.is_empty() {
        let message = format!("Router {id} has ports still attached: {}", ports.join(", "));
        return Err(Refusal::new(409, "RouterInUse", message));
    }
    drop_ports(world, id, "network:router_gateway");
    world.network.remove(Kind::Router, id);
    Ok(())
}

pub(super) fn interface(world: &mut World, call: &Call, id: &str, action: &str) -> Result<Reply, Refusal> {
    owned(world, call, Kind::Router, id)?;
    let answer = match action {
        "add_router_interface" => add(world, call, id)?,
        "remove_router_interface" => remove(world, call, id)?,
        _ => return Err(no_resource()),
    };
    touch(world, Kind::Router, id);
    Ok(Reply::ok(answer))
}

fn described(call: &Call, router: &str, port: &Value) -> Value {
    let subnet = &port["fixed_ips"][0]["subnet_id"];
    json!({"id": router, "project_id": call.caller.project_id, "port_id": port["id"],
        "network_id": port["network_id"], "subnet_id": subnet, "subnet_ids": [subnet]})
}

fn add(world: &mut World, call: &Call, id: &str) -> Result<Value, Refusal> {
    if let Some(port_id) = call.body["port_id"].as_str() {
        let port = shown(world, call, Kind::Port, port_id)?;
        if let Some(row) = world.network.row_mut(Kind::Port, port_id) {
            row["device_id"] = json!(id);
            row["device_owner"] = json!("network:router_interface");
            row["status"] = json!("ACTIVE");
        }
        return Ok(described(call, id, &port));
    }
    let subnet_id = call.body["subnet_id"].as_str().unwrap_or_default().to_owned();
    let subnet = shown(world, call, Kind::Subnet, &subnet_id)?;
    if subnet["gateway_ip"].is_null() {
        return Err(bad_request(format!(
            "Bad router request: Subnet for router interface must have a gateway IP: {subnet_id}."
        )));
    }
    if port_on(world, id, &subnet_id).is_some() {
        let message = format!("Bad router request: Router already has a port on subnet {subnet_id}.");
        return Err(Refusal::new(400, "BadRequest", message));
    }
    let wished = vec![json!({"subnet_id": subnet_id, "ip_address": subnet["gateway_ip"]})];
    let network_id = text(&subnet, "network_id");
    service_port(world, call, network_id, id, "network:router_interface", Some(&wished))?;
    let port = port_on(world, id, &subnet_id).cloned().unwrap_or_default();
    Ok(described(call, id, &port))
}

/// The router's port on a subnet.
fn port_on<'a>(world: &'a World, router: &'a str, subnet: &str) -> Option<&'a Value> {
    ports_of(world, router, "network:router_interface").find(|port| {
        port["fixed_ips"].as_array().into_iter().flatten().any(|ip| text(ip, "subnet_id") == subnet)
    })
}

fn remove(world: &mut World, call: &Call, id: &str) -> Result<Value, Refusal> {
    let subnet_id = call.body["subnet_id"].as_str();
    let port_id = call.body["port_id"].as_str();
    let port = match (subnet_id, port_id) {
        (Some(subnet), _) => port_on(world, id, subnet),
        (None, Some(port)) => {
            ports_of(world, id, "network:router_interface").find(|found| text(found, "id") == port)
        }
        (None, None) => None,
    };
    let Some(port) = port.cloned() else {
        let message =
            format!("Router {id} has no interface on subnet {}", subnet_id.or(port_id).unwrap_or_default());
        return Err(Refusal::new(404, "RouterInterfaceNotFoundForSubnet", message));
    };
    let subnet = text(&port["fixed_ips"][0], "subnet_id").to_owned();
    if fips::uses(world, id, &subnet) {
        let message = format!(
            "Router interface for subnet {subnet} on router {id} cannot be deleted, as it is \
             required by one or more floating IPs."
        );
        return Err(Refusal::new(409, "RouterInterfaceInUseByFloatingIP", message));
    }
    let answer = described(call, id, &port);
    ports::drop_row(world, text(&port, "id"));
    Ok(answer)
}
