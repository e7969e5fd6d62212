//! Servers in the API.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};

use super::{Refusal, Reply, Server, bad_request, build, conflict, flavors, guest, hostname, not_found};
use crate::simcloud::{
    glance,
    options::Guests,
    wire::{Call, Service},
    world::{Event, World},
};

/// What Nova's fake driver says for every server.
const FAKE_CONSOLE: &str = "FAKE CONSOLE OUTPUT\nANOTHER\nLAST LINE";

fn missing(id: &str) -> Refusal {
    not_found(format!("Instance {id} could not be found."))
}

fn find<'a>(world: &'a World, call: &Call, id: &str) -> Result<&'a Server, Refusal> {
    let found = world.compute.servers.get(id);
    found.filter(|server| call.caller.owns(&server.owner.project_id)).ok_or_else(|| missing(id))
}

pub(super) fn handle(world: &mut World, call: &Call, minor: u32, path: &[&str]) -> Result<Reply, Refusal> {
    match (&call.method, path) {
        (&Method::GET, []) => Ok(list(world, call, minor, false)),
        (&Method::GET, ["detail"]) => Ok(list(world, call, minor, true)),
        (&Method::POST, []) => create(world, call, minor),
        (&Method::GET, [id]) => {
            let server = find(world, call, id)?;
            Ok(Reply::ok(json!({"server": view(world, server, minor)})))
        }
        (&Method::PUT, [id]) => update(world, call, minor, id),
        (&Method::DELETE, [id]) => delete(world, call, id),
        (&Method::POST, [id, "action"]) => action(world, call, id),
        (&Method::GET, [id, "os-interface"]) => {
            let server = find(world, call, id)?.clone();
            let attached: Vec<Value> = build::ports(world, &server)
                .iter()
                .map(|port| {
                    json!({"port_id": port["id"], "net_id": port["network_id"],
                        "mac_addr": port["mac_address"], "port_state": port["status"],
                        "fixed_ips": port["fixed_ips"], "tag": null})
                })
                .collect();
            Ok(Reply::ok(json!({"interfaceAttachments": attached})))
        }
        (&Method::GET, [id, "metadata"]) => {
            Ok(Reply::ok(json!({"metadata": find(world, call, id)?.metadata})))
        }
        (&Method::PUT, [id, "metadata"]) => {
            find(world, call, id)?;
            let metadata = texts(&call.body["metadata"]);
            if let Some(server) = world.compute.servers.get_mut(id) {
                server.metadata.clone_from(&metadata);
            }
            Ok(Reply::ok(json!({"metadata": metadata})))
        }
        _ => Err(not_found("The resource could not be found.")),
    }
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect()
}

fn links(world: &World, id: &str) -> Value {
    let base = format!("{}/compute", world.base_url);
    json!([{"rel": "self", "href": format!("{base}/v2.1/servers/{id}")},
        {"rel": "bookmark", "href": format!("{base}/servers/{id}")}])
}

fn view(world: &World, server: &Server, minor: u32) -> Value {
    let mut addresses: Map<String, Value> = Map::new();
    for port in build::ports(world, server) {
        let entry =
            addresses.entry(build::network_name(world, &port)).or_insert_with(|| Value::Array(Vec::new()));
        if let Some(list) = entry.as_array_mut() {
            list.extend(build::addresses(world, &port));
        }
    }
    let base = &world.base_url;
    let image = &server.image;
    let power = u8::from(server.status == "ACTIVE");
    let built = server.status != "BUILD";
    let mut view = json!({"id": server.id, "name": server.name, "status": server.status,
        "tenant_id": server.owner.project_id, "user_id": server.owner.user_id,
        "metadata": server.metadata, "hostId": if built { "simulated" } else { "" }, "accessIPv4": "", "accessIPv6": "",
        "image": {"id": image, "links": [{"rel": "bookmark",
            "href": format!("{base}/compute/images/{image}")}]},
        "created": server.created, "updated": server.updated, "addresses": addresses,
        "links": links(world, &server.id), "OS-DCF:diskConfig": "MANUAL", "config_drive": "",
        "key_name": server.key_name, "OS-EXT-AZ:availability_zone": if built { "nova" } else { "" }, "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:vm_state": match server.status {
            "ACTIVE" => "active", "ERROR" => "error", "SUSPENDED" => "suspended",
            "SHUTOFF" => "stopped", _ => "building" },
        "OS-EXT-STS:power_state": power, "OS-SRV-USG:launched_at": server.launched,
        "OS-SRV-USG:terminated_at": null, "os-extended-volumes:volumes_attached": []});
    view["flavor"] = if minor >= 47 {
        json!({"original_name": if server.flavor == "42" { "m1.nano" } else { "m1.tiny" },
            "vcpus": 1, "ram": 128, "disk": 1, "ephemeral": 0, "swap": 0, "extra_specs": {}})
    } else {
        json!({"id": server.flavor, "links": [{"rel": "bookmark",
            "href": format!("{base}/compute/flavors/{}", server.flavor)}]})
    };
    if server.status != "ERROR" {
        view["progress"] = json!(0);
    }
    if built {
        view["security_groups"] = json!(server.security_groups);
    }
    let since: [(u32, &str, Value); 6] = [
        (9, "locked", json!(false)),
        (19, "description", Value::Null),
        (26, "tags", json!(server.tags)),
        (63, "trusted_image_certificates", Value::Null),
        (71, "server_groups", json!([])),
        (73, "locked_reason", Value::Null),
    ];
    for (first, name, value) in since {
        if minor >= first {
            view[name] = value;
        }
    }
    if minor >= 90 {
        view["OS-EXT-SRV-ATTR:hostname"] = json!(server.hostname);
    }
    if let Some(fault) = &server.fault {
        view["fault"] = json!({"code": 500, "created": server.updated, "message": fault});
    }
    view
}

fn list(world: &World, call: &Call, minor: u32, detail: bool) -> Reply {
    let all = call.caller.is_admin() && call.query("all_tenants").is_some();
    // Nova matches names as regular expressions; a plain text, perhaps anchored, is all that is needed here.
    let named = |server: &Server| {
        call.query("name").is_none_or(|name| {
            let start = name.starts_with('^');
            let end = name.ends_with('$');
            let plain = name.trim_start_matches('^').trim_end_matches('$');
            match (start, end) {
                (true, true) => server.name == plain,
                (true, false) => server.name.starts_with(plain),
                (false, true) => server.name.ends_with(plain),
                (false, false) => server.name.contains(plain),
            }
        })
    };
    let mut rows: Vec<Value> = world
        .compute
        .servers
        .values()
        .rev()
        .filter(|server| all || server.owner.project_id == call.caller.project_id)
        .filter(|server| named(server))
        .filter(|server| call.query("status").is_none_or(|status| server.status == status))
        .filter(|server| {
            call.query("tags")
                .is_none_or(|tags| tags.split(',').all(|tag| server.tags.iter().any(|known| known == tag)))
        })
        .map(|server| {
            if detail {
                view(world, server, minor)
            } else {
                json!({"id": server.id, "name": server.name, "links": links(world, &server.id)})
            }
        })
        .collect();
    if let Some(marker) = call.query("marker")
        && let Some(at) = rows.iter().position(|row| row["id"].as_str() == Some(marker))
    {
        rows.drain(..=at);
    }
    if let Some(limit) = call.query("limit").and_then(|limit| limit.parse().ok()) {
        rows.truncate(limit);
    }
    Reply::ok(json!({"servers": rows}))
}

fn create(world: &mut World, call: &Call, minor: u32) -> Result<Reply, Refusal> {
    let wanted = &call.body["server"];
    let Some(name) = wanted["name"].as_str().filter(|name| !name.trim().is_empty()) else {
        return Err(incomplete(wanted, "name"));
    };
    if !wanted["flavorRef"].is_string() {
        return Err(incomplete(wanted, "flavorRef"));
    }
    if wanted["imageRef"].as_str() != Some(glance::IMAGE_ID) {
        return Err(bad_request("Can not find requested image"));
    }
    let flavor = wanted["flavorRef"].as_str().unwrap_or_default();
    let flavor = flavor.rsplit('/').next().unwrap_or_default();
    let flavor =
        flavors::find(flavor).ok_or_else(|| bad_request(format!("Flavor {flavor} could not be found.")))?;
    let used = world
        .compute
        .servers
        .values()
        .filter(|server| server.owner.project_id == call.caller.project_id)
        .count();
    if used >= world.options.quotas.instances {
        let message =
            format!("Quota exceeded for instances: Requested 1, but already used {used} of {used} instances");
        return Err(Refusal::new(403, "forbidden", message));
    }
    if let Some(key) = wanted["key_name"].as_str() {
        let key = (call.caller.user_id.clone(), key.to_owned());
        if !world.compute.keypairs.contains_key(&key) {
            return Err(bad_request("Invalid key_name provided."));
        }
    }
    let requested = requested(world, call, wanted, minor)?;
    let user_data = wanted["user_data"].as_str().unwrap_or_default();
    let user_data = build::decode(user_data)
        .ok_or_else(|| bad_request("Invalid input for field/attribute user_data."))?;
    let own_hostname = wanted["hostname"].as_str().filter(|_| minor >= 90);
    let id = world.uuid();
    let hostname = own_hostname.map_or_else(|| hostname(name), str::to_owned);
    let groups = wanted["security_groups"].as_array().cloned();
    let now = world.timestamp();
    let server = Server {
        id: id.clone(),
        name: name.to_owned(),
        owner: call.caller.clone(),
        hostname: if hostname.is_empty() { format!("server-{id}") } else { hostname },
        image: glance::IMAGE_ID.to_owned(),
        flavor: flavor.to_owned(),
        requested,
        ports: Vec::new(),
        security_groups: groups.unwrap_or_else(|| vec![json!({"name": "default"})]),
        user_data,
        metadata: texts(&wanted["metadata"]),
        tags: serde_json::from_value(wanted["tags"].clone()).unwrap_or_default(),
        key_name: wanted["key_name"].as_str().map(str::to_owned),
        status: "BUILD",
        task_state: Some("scheduling"),
        fault: None,
        launched: None,
        created: now.clone(),
        updated: now,
    };
    world.compute.servers.insert(id.clone(), server);
    let build = world.jitter(world.stages.server_build);
    world.schedule(build, Event::ServerBuilt(id.clone()));
    let location = format!("{}/compute/v2.1/servers/{id}", world.base_url);
    let body = json!({"server": {"id": id, "links": links(world, &id), "adminPass": "simulated",
        "OS-DCF:diskConfig": "MANUAL", "security_groups": [{"name": "default"}]}});
    Ok(Reply::json(202, body).with_header("location", location))
}

fn incomplete(wanted: &Value, missing: &str) -> Refusal {
    let value = wanted.to_string().replace('"', "'").replace(':', ": ");
    bad_request(format!(
        "Invalid input for field/attribute server. Value: {value}. '{missing}' is a required \
         property"
    ))
}

/// The networks that were asked for, as far as the API checks them.
fn requested(world: &mut World, call: &Call, wanted: &Value, minor: u32) -> Result<Vec<Value>, Refusal> {
    let list = match &wanted["networks"] {
        Value::Array(list) => list.clone(),
        Value::String(word) if word == "none" && minor >= 37 => return Ok(Vec::new()),
        _ => {
            // Without a wish the project's only network is taken.
            let path = "/v2.0/networks?router:external=false&shared=false";
            let found = world.internal(&call.caller, Service::Network, Method::GET, path, Value::Null)?;
            return match found["networks"].as_array().map(Vec::as_slice) {
                Some([one]) => Ok(vec![json!({"uuid": one["id"]})]),
                Some([]) | None => Ok(Vec::new()),
                _ => Err(conflict("Multiple possible networks found, use a Network ID to be more specific.")),
            };
        }
    };
    for wish in &list {
        let (path, message) = match (wish["port"].as_str(), wish["uuid"].as_str()) {
            (Some(port), _) => (format!("/v2.0/ports/{port}"), format!("Port id {port} could not be found.")),
            (None, Some(network)) => {
                (format!("/v2.0/networks/{network}"), format!("Network {network} could not be found."))
            }
            (None, None) => return Err(bad_request("Invalid input for field/attribute networks.")),
        };
        let found = world.internal(&call.caller, Service::Network, Method::GET, &path, Value::Null);
        let Ok(found) = found else { return Err(bad_request(message)) };
        let device = found["port"]["device_id"].as_str().unwrap_or_default();
        if !device.is_empty() {
            let port = wish["port"].as_str().unwrap_or_default();
            return Err(conflict(format!("Port {port} is still in use.")));
        }
    }
    Ok(list)
}

fn update(world: &mut World, call: &Call, minor: u32, id: &str) -> Result<Reply, Refusal> {
    find(world, call, id)?;
    let now = world.timestamp();
    if let Some(server) = world.compute.servers.get_mut(id) {
        if let Some(name) = call.body["server"]["name"].as_str() {
            name.clone_into(&mut server.name);
        }
        if let Some(hostname) = call.body["server"]["hostname"].as_str().filter(|_| minor >= 90) {
            hostname.clone_into(&mut server.hostname);
        }
        server.updated = now;
    }
    let server = find(world, call, id)?;
    Ok(Reply::ok(json!({"server": view(world, server, minor)})))
}

fn delete(world: &mut World, call: &Call, id: &str) -> Result<Reply, Refusal> {
    find(world, call, id)?;
    let again = world
        .compute
        .servers
        .get_mut(id)
        .is_some_and(|server| server.task_state.replace("deleting") == Some("deleting"));
    if !again {
        let after = world.jitter(world.stages.server_delete);
        world.schedule(after, Event::ServerGone(id.to_owned()));
    }
    Ok(Reply::empty(204))
}

fn action(world: &mut World, call: &Call, id: &str) -> Result<Reply, Refusal> {
    let server = find(world, call, id)?;
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
