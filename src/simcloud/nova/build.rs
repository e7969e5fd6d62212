//! What Nova does after it has answered: plugs servers into their ports, names the ports, and unplugs them.

use http::Method;
use serde_json::{Value, json};

use super::Server;
use crate::simcloud::{
    faults::{Fault, Target},
    wire::{Caller, Refusal, Service},
    world::{Event, World},
};

const PORT_NOT_USABLE_DNS: &str = "PortNotUsableDNS";

/// Nova's own view of a port.
fn port(world: &World, id: &str) -> Option<Value> {
    world.network.port_row(id)
}

/// The server's ports that still exist.
pub(super) fn ports(world: &World, server: &Server) -> Vec<Value> {
    server.ports.iter().filter_map(|(id, _)| port(world, id)).collect()
}

pub(super) fn network_name(world: &World, port: &Value) -> String {
    let id = port["network_id"].as_str().unwrap_or_default();
    let network = world.network.network_row(id);
    network["name"].as_str().unwrap_or_default().to_owned()
}

/// The addresses of a port as a server shows them.
pub(super) fn addresses(world: &World, port: &Value) -> Vec<Value> {
    let mac = &port["mac_address"];
    let show = |ip: &Value, kind: &str| {
        let v6 = ip.as_str().is_some_and(|ip| ip.contains(':'));
        json!({"addr": ip, "version": if v6 { 6 } else { 4 }, "OS-EXT-IPS:type": kind,
            "OS-EXT-IPS-MAC:mac_addr": mac})
    };
    let mut list: Vec<Value> = port["fixed_ips"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|ip| show(&ip["ip_address"], "fixed"))
        .collect();
    let id = port["id"].as_str().unwrap_or_default();
    list.extend(world.network.floating_address(id).map(|ip| show(&ip, "floating")));
    list
}

/// Decodes user data; plain base64, as Nova wants it.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let mut buffer = 0_u32;
    let mut bits = 0;
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace() && *c != b'=') {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        buffer = (buffer << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits).to_le_bytes()[0]);
            buffer &= (1 << bits) - 1;
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn fail(world: &mut World, id: &str, message: String) {
    let now = world.timestamp();
    if let Some(server) = world.compute.servers.get_mut(id) {
        server.status = "ERROR";
        server.task_state = None;
        server.fault = Some(message);
        server.updated = now;
    }
}

/// A build that fails for a port's name is tried on another host, and there is none: the fault tells nothing of the
/// name. Other troubles with ports end it at once.
fn why(id: &str, refusal: &Refusal) -> String {
    if refusal.kind == PORT_NOT_USABLE_DNS {
        return format!(
            "Exceeded maximum number of retries. Exhausted all hosts available for retrying build failures for \
             instance {id}."
        );
    }
    format!("Build of instance {id} aborted: {}", refusal.message)
}

/// A build ends.
pub(in crate::simcloud) fn built(world: &mut World, id: &str) {
    let Some(server) = world.compute.servers.get(id).cloned() else {
        return;
    };
    if server.status != "BUILD" || server.task_state == Some("deleting") {
        return;
    }
    let named = Target::named(&server.name);
    if world.faults.hit(&Fault::ServerStuck, named) {
        world.park(Event::ServerBuilt(id.to_owned()));
        return;
    }
    if world.faults.hit(&Fault::ServerError, named) {
        fail(world, id, "No valid host was found. There are not enough hosts available.".to_owned());
        return;
    }
    for wish in &server.requested {
        match plug(world, &server, wish) {
            Ok(plugged) => {
                if let Some(server) = world.compute.servers.get_mut(id) {
                    server.ports.push(plugged);
                }
            }
            Err(refusal) => {
                let message = why(id, &refusal);
                fail(world, id, message);
                if refusal.kind == PORT_NOT_USABLE_DNS {
                    give_up(world, id);
                }
                return;
            }
        }
    }
    let now = world.timestamp();
    let launched = world.timestamp_micros();
    if let Some(server) = world.compute.servers.get_mut(id) {
        server.launched = Some(launched);
        server.status = "ACTIVE";
        server.task_state = None;
        server.updated = now;
    }
}

fn plug(world: &mut World, server: &Server, wish: &Value) -> Result<(String, bool), Refusal> {
    let owner = server.owner.clone();
    let (port_id, made) = if let Some(id) = wish["port"].as_str() {
        let found = port(world, id)
            .ok_or_else(|| Refusal::new(404, "itemNotFound", format!("Port id {id} could not be found.")))?;
        let name = world.network.port_name(id);
        if !name.is_empty() && name != server.hostname {
            let message = format!(
                "Port {id} not usable for instance {}. Value {name} assigned to dns_name \
                 attribute does not match instance's hostname {}",
                server.id, server.hostname
            );
            return Err(Refusal::new(500, PORT_NOT_USABLE_DNS, message));
        }
        if !found["device_id"].as_str().unwrap_or_default().is_empty() {
            return Err(Refusal::new(409, "PortInUse", format!("Port {id} is still in use.")));
        }
        (id.to_owned(), false)
    } else {
        let mut wanted = json!({"network_id": wish["uuid"], "device_id": server.id,
            "admin_state_up": true});
        if let Some(ip) = wish["fixed_ip"].as_str() {
            wanted["fixed_ips"] = json!([{"ip_address": ip}]);
        }
        let body = json!({"port": wanted});
        let made = world.internal(&owner, Service::Network, Method::POST, "/v2.0/ports", body)?;
        (made["port"]["id"].as_str().unwrap_or_default().to_owned(), true)
    };
    let path = format!("/v2.0/ports/{port_id}");
    let binding = json!({"port": {"device_id": server.id, "device_owner": "compute:nova",
        "binding:host_id": "simulated-host"}});
    let nova = world.identity.nova.clone();
    world.internal(&nova, Service::Network, Method::PUT, &path, binding)?;
    let named = world.network.port_name(&port_id) == server.hostname;
    if !named && world.faults.hit(&Fault::PortUnnamed, Target::named(&server.name)) {
        return Ok((port_id, made));
    }
    // The name goes with the user's own rights: it may have to be published in the user's zone.
    let name = json!({"port": {"dns_name": server.hostname}});
    world.internal(&owner, Service::Network, Method::PUT, &path, name)?;
    Ok((port_id, made))
}

/// A delete ends: ports that Nova made go, the others are unplugged and lose their name.
pub(in crate::simcloud) fn gone(world: &mut World, id: &str) {
    let Some(server) = world.compute.servers.remove(id) else {
        return;
    };
    for (port_id, made) in &server.ports {
        unplug(world, &server.owner, port_id, *made);
    }
}

/// A build given up leaves the ports that it was given as a delete does: unplugged and without a name.
fn give_up(world: &mut World, id: &str) {
    let Some(server) = world.compute.servers.get_mut(id) else {
        return;
    };
    let (owner, mut ports) = (server.owner.clone(), std::mem::take(&mut server.ports));
    for wish in &server.requested {
        let given = wish["port"].as_str().filter(|given| ports.iter().all(|(port, _)| port != given));
        ports.extend(given.map(|given| (given.to_owned(), false)));
    }
    for (port_id, made) in ports {
        unplug(world, &owner, &port_id, made);
    }
}

fn unplug(world: &mut World, owner: &Caller, port_id: &str, made: bool) {
    let path = format!("/v2.0/ports/{port_id}");
    // Nova logs what Neutron refuses here and goes on.
    if made {
        let _ = world.internal(owner, Service::Network, Method::DELETE, &path, Value::Null);
        return;
    }
    let name = json!({"port": {"dns_name": ""}});
    let _ = world.internal(owner, Service::Network, Method::PUT, &path, name);
    let unbound = json!({"port": {"device_id": "", "device_owner": "", "binding:host_id": ""}});
    let nova = world.identity.nova.clone();
    let _ = world.internal(&nova, Service::Network, Method::PUT, &path, unbound);
}
