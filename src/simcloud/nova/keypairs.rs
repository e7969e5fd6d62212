//! Key pairs: they belong to users, not projects.

use http::Method;
use serde_json::{Value, json};

use super::{Refusal, Reply, bad_request, conflict, not_found};
use crate::simcloud::{wire::Call, world::World};

pub(super) fn handle(world: &mut World, call: &Call, minor: u32, path: &[&str]) -> Result<Reply, Refusal> {
    let user = call.caller.user_id.clone();
    match (&call.method, path) {
        (&Method::GET, []) => {
            let mine: Vec<Value> = world
                .compute
                .keypairs
                .iter()
                .filter(|((owner, _), _)| *owner == user)
                .map(|(_, keypair)| json!({"keypair": keypair}))
                .collect();
            Ok(Reply::ok(json!({"keypairs": mine})))
        }
        (&Method::POST, []) => create(world, call, minor, user),
        (&Method::GET, [name]) => {
            let found = world.compute.keypairs.get(&(user.clone(), (*name).to_owned()));
            found.map(|keypair| Reply::ok(json!({"keypair": keypair}))).ok_or_else(|| missing(name, &user))
        }
        (&Method::DELETE, [name]) => {
            let removed = world.compute.keypairs.remove(&(user.clone(), (*name).to_owned()));
            removed.map(|_| Reply::empty(204)).ok_or_else(|| missing(name, &user))
        }
        _ => Err(not_found("The resource could not be found.")),
    }
}

fn missing(name: &str, user: &str) -> Refusal {
    not_found(format!("Keypair {name} not found for user {user}"))
}

fn create(world: &mut World, call: &Call, minor: u32, user: String) -> Result<Reply, Refusal> {
    let wanted = &call.body["keypair"];
    let Some(name) = wanted["name"].as_str().map(str::to_owned) else {
        return Err(bad_request("Invalid input for field/attribute keypair."));
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ')) {
        return Err(bad_request(format!(
            r"Invalid input for field/attribute name. Value: {name}. '{name}' does not match '^[_\\- a-zA-Z0-9]+$'"
        )));
    }
    let key = wanted["public_key"].as_str();
    if key.is_none() && minor >= 92 {
        return Err(bad_request(
            "Invalid input for field/attribute keypair. 'public_key' is a required property",
        ));
    }
    if world.compute.keypairs.contains_key(&(user.clone(), name.clone())) {
        return Err(conflict(format!("Key pair '{name}' already exists.")));
    }
    let fingerprint = world.hex_id();
    let mut keypair = json!({"name": name, "user_id": user, "fingerprint": fingerprint,
        "public_key": key.unwrap_or("ssh-ed25519 AAAA simulated"), "type": "ssh"});
    world.compute.keypairs.insert((user, name), keypair.clone());
    if key.is_none() {
        keypair["private_key"] = json!("simulated");
    }
    Ok(Reply::json(if minor >= 2 { 201 } else { 200 }, json!({"keypair": keypair})))
}
