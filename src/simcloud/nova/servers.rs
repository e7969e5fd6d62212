//! Servers in the API.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};

use super::{Refusal, Reply, Server, actions, boot, build, not_found};
use crate::simcloud::{
    wire::Call,
    world::{Event, World},
};

fn missing(id: &str) -> Refusal {
    not_found(format!("Instance {id} could not be found."))
}

pub(super) fn find<'a>(world: &'a World, call: &Call, id: &str) -> Result<&'a Server, Refusal> {
    let found = world.compute.servers.get(id);
    found.filter(|server| call.caller.owns(&server.owner.project_id)).ok_or_else(|| missing(id))
}

pub(super) fn handle(world: &mut World, call: &Call, minor: u32, path: &[&str]) -> Result<Reply, Refusal> {
    match (&call.method, path) {
        (&Method::GET, []) => Ok(list(world, call, minor, false)),
        (&Method::GET, ["detail"]) => Ok(list(world, call, minor, true)),
        (&Method::POST, []) => boot::create(world, call, minor),
        (&Method::GET, [id]) => {
            let server = find(world, call, id)?;
            Ok(Reply::ok(json!({"server": view(world, server, minor)})))
        }
        (&Method::PUT, [id]) => update(world, call, minor, id),
        (&Method::DELETE, [id]) => delete(world, call, id),
        (&Method::POST, [id, "action"]) => actions::action(world, call, id),
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

pub(super) fn texts(value: &Value) -> BTreeMap<String, String> {
    let fields = value.as_object().into_iter().flatten();
    fields.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect()
}

pub(super) fn links(world: &World, id: &str) -> Value {
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

pub(super) fn delete(world: &mut World, call: &Call, id: &str) -> Result<Reply, Refusal> {
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
