//! A server asked for: what the API checks before it says yes.

use http::Method;
use serde_json::{Value, json};

use super::{
    Refusal, Reply, Server, bad_request, build, conflict, flavors, hostname,
    servers::{links, texts},
};
use crate::simcloud::{
    glance,
    wire::{Call, Service},
    world::{Event, World},
};

/// The only one there is.
const AVAILABILITY_ZONE: &str = "nova";

pub(super) fn create(world: &mut World, call: &Call, minor: u32) -> Result<Reply, Refusal> {
    let wanted = &call.body["server"];
    let Some(name) = wanted["name"].as_str().filter(|name| !name.trim().is_empty()) else {
        return Err(incomplete(wanted, "name"));
    };
    if !wanted["flavorRef"].is_string() {
        return Err(incomplete(wanted, "flavorRef"));
    }
    let flavor = wanted["flavorRef"].as_str().unwrap_or_default();
    let flavor = flavor.rsplit('/').next().unwrap_or_default();
    let flavor =
        flavors::find(flavor).ok_or_else(|| bad_request(format!("Flavor {flavor} could not be found.")))?;
    if wanted["imageRef"].as_str() != Some(glance::IMAGE_ID) {
        return Err(bad_request("Can not find requested image"));
    }
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
    if wanted["availability_zone"].as_str().is_some_and(|zone| zone != AVAILABILITY_ZONE) {
        return Err(bad_request("The requested availability zone is not available"));
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
        hostname: if hostname.is_empty() { format!("Server-{id}") } else { hostname },
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
        Value::String(choice) if choice == "none" && minor >= 37 => return Ok(Vec::new()),
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
        let Ok(found) = found else {
            return Err(bad_request(message));
        };
        let device = found["port"]["device_id"].as_str().unwrap_or_default();
        if !device.is_empty() {
            let port = wish["port"].as_str().unwrap_or_default();
            return Err(conflict(format!("Port {port} is still in use.")));
        }
    }
    Ok(list)
}
