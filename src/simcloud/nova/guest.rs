//! A guest that boots: it plays just as much of a boot script as the console shows.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use super::{Server, build};
use crate::simcloud::{
    faults::{Fault, Target},
    options::GuestView,
    world::World,
};

/// What the server's guest knows of itself and of the network it is in.
pub(super) fn view(world: &World, server: &Server) -> GuestView {
    let ports = build::ports(world, server);
    let text = |port: &serde_json::Value, name: &str| port[name].as_str().unwrap_or_default().to_owned();
    let addresses = |port: &serde_json::Value| {
        let fixed = port["fixed_ips"].as_array().cloned().unwrap_or_default();
        fixed.into_iter().filter_map(|ip| ip["ip_address"].as_str()?.parse().ok()).collect::<Vec<_>>()
    };
    let networks: Vec<String> = ports.iter().map(|port| text(port, "network_id")).collect();
    let names = world.network.ports_of_networks(&networks);
    let found = |name: &str, port: &serde_json::Value| {
        if world.faults.hit(&Fault::GuestMisled, Target::named(name)) {
            return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        addresses(port).first().copied()
    };
    GuestView {
        server_id: server.id.clone(),
        name: server.name.clone(),
        project_id: server.owner.project_id.clone(),
        user_data: server.user_data.clone(),
        metadata: server.metadata.clone().into_iter().collect(),
        addresses: ports.iter().flat_map(addresses).collect(),
        names: names.iter().filter_map(|(name, port)| Some((name.clone(), found(name, port)?))).collect(),
    }
}

/// What a guest with a shell prints: of its boot script it understands `echo … >/dev/console`, in it
/// `$(hostname)`, and one `name=$(ping -c 1 HOST …)`, whose value is the address that the network's own DNS gives.
pub fn shell(guest: &GuestView) -> String {
    let mut console = format!("[    0.000000] {} boots\n", guest.name);
    let mut variables = BTreeMap::new();
    for line in guest.user_data.lines().map(str::trim) {
        if let Some((name, command)) = line.split_once("=$(ping -c 1 ") {
            let host = command.split([' ', ')']).next().unwrap_or_default();
            let found =
                guest.names.iter().find(|(name, _)| name == host).map(|(_, address)| address.to_string());
            variables.insert(format!("${name}"), found.unwrap_or_default());
        } else if let Some(said) =
            line.strip_prefix("echo ").and_then(|line| line.strip_suffix(">/dev/console"))
        {
            let mut said = said.trim().trim_matches(['\'', '"']).to_owned();
            said = said.replace("$(hostname)", &super::hostname(&guest.name));
            for (name, value) in &variables {
                said = said.replace(name, value);
            }
            console.push_str(&said);
            console.push('\n');
        }
    }
    console.push_str("login: ");
    console
}
