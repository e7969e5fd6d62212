//! What is done to a server: its state changed, its console read.

use serde_json::{Value, json};

use super::{
    Refusal, Reply, Server, bad_request, conflict, guest, not_found,
    servers::{delete, find},
};
use crate::simcloud::{options::Guests, wire::Call, world::World};

/// What Nova's fake driver says for every server.
const FAKE_CONSOLE: &str = "FAKE CONSOLE OUTPUT\nANOTHER\nLAST LINE";

pub(super) fn action(world: &mut World, call: &Call, id: &str) -> Result<Reply, Refusal> {
    // The API looks for the cell first.
    let unmapped = |_| not_found(format!("Instance {id} has no mapping to a cell."));
    let server = find(world, call, id).map_err(unmapped)?;
    let Some((name, arguments)) = call.body.as_object().and_then(|body| body.iter().next()) else {
        return Err(bad_request("There is no such action."));
    };
    let (from, to) = match name.as_str() {
        "os-getConsoleOutput" => return console(world, server, arguments),
        "forceDelete" => return delete(world, call, id),
        "suspend" => ("ACTIVE", "SUSPENDED"),
        "resume" => ("SUSPENDED", "ACTIVE"),
        "os-stop" => ("ACTIVE", "SHUTOFF"),
        "os-start" => ("SHUTOFF", "ACTIVE"),
        "reboot" => ("ACTIVE", "ACTIVE"),
        other => return Err(bad_request(format!("There is no such action: {other}"))),
    };
    if server.status != from {
        let message = format!(
            "Cannot '{name}' instance {id} while it is in vm_state {}",
            server.status.to_ascii_lowercase()
        );
        return Err(conflict(message));
    }
    if let Some(server) = world.compute.servers.get_mut(id) {
        server.status = to;
    }
    Ok(Reply::empty(202))
}

fn console(world: &World, server: &Server, arguments: &Value) -> Result<Reply, Refusal> {
    if server.status == "BUILD" {
        return Err(conflict(format!("Instance {} is not ready", server.id)));
    }
    let output = match &world.options.guests {
        Guests::NoBoot => FAKE_CONSOLE.to_owned(),
        Guests::Booted(print) => print(&guest::view(world, server)),
    };
    let length = match &arguments["length"] {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|length| usize::try_from(length).ok()),
    };
    let lines: Vec<&str> = output.lines().collect();
    let skip = length.map_or(0, |length| lines.len().saturating_sub(length));
    Ok(Reply::ok(json!({"output": lines[skip..].join("\n")})))
}
