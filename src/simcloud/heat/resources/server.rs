//! `OS::Nova::Server` and `OS::Nova::KeyPair`.

use http::Method;
use serde_json::{Map, Value, json};

use super::{Change, Job, Progress, Trouble, lookup};
use crate::simcloud::wire::Service;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 4 / 3 + 4);
    for chunk in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4 {
            if place > chunk.len() {
                encoded.push('=');
            } else {
                let index = (bits >> (18 - 6 * place)) & 63;
                encoded.push(char::from(ALPHABET[index as usize]));
            }
        }
    }
    encoded
}

fn networks(job: &mut Job<'_>) -> Result<Option<Value>, Trouble> {
    let Some(wanted) = job.properties["networks"].as_array().cloned() else {
        return Ok(None);
    };
    let mut list = Vec::new();
    for wish in wanted {
        let mut entry = json!({});
        if let Some(port) = wish["port"].as_str() {
            entry["port"] = json!(lookup::network(job, "ports", port)?);
        } else if let Some(network) = wish["network"].as_str().or(wish["uuid"].as_str()) {
            entry["uuid"] = json!(lookup::network(job, "networks", network)?);
        }
        if let Some(ip) = wish["fixed_ip"].as_str() {
            entry["fixed_ip"] = json!(ip);
        }
        list.push(entry);
    }
    Ok(Some(Value::Array(list)))
}

pub(super) fn create(job: &mut Job<'_>) -> Result<(String, Value), Trouble> {
    let name = job.physical_name();
    let image = job.text("image").to_owned();
    let flavor = job.text("flavor").to_owned();
    let mut server = json!({"name": name, "imageRef": lookup::image(job, &image)?,
        "flavorRef": lookup::flavor(job, &flavor)?, "min_count": 1, "max_count": 1});
    if let Some(networks) = networks(job)? {
        server["networks"] = networks;
    }
    if let Some(user_data) = job.properties["user_data"].as_str() {
        server["user_data"] = json!(encode(user_data));
    }
    if let Some(metadata) = job.properties["metadata"].as_object() {
        let metadata: Map<String, Value> = metadata
            .iter()
            .map(|(key, value)| match value {
                Value::String(_) => (key.clone(), value.clone()),
                other => (key.clone(), json!(other.to_string())),
            })
            .collect();
        server["metadata"] = Value::Object(metadata);
    }
    for name in ["key_name", "config_drive", "availability_zone", "tags"] {
        if let Some(value) = job.properties.get(name) {
            server[name] = value.clone();
        }
    }
    if let Some(groups) = job.properties["security_groups"].as_array() {
        server["security_groups"] = groups.iter().map(|group| json!({"name": group})).collect();
    }
    let made = job.call(Service::Compute, Method::POST, "/v2.1/servers", json!({"server": server}))?;
    Ok((made["server"]["id"].as_str().unwrap_or_default().to_owned(), Value::Null))
}

pub(super) fn create_keypair(job: &mut Job<'_>) -> Result<(String, Value), Trouble> {
    let name = job.text("name").to_owned();
    let mut keypair = json!({"name": name});
    if let Some(key) = job.properties.get("public_key") {
        keypair["public_key"] = key.clone();
    }
    job.call(Service::Compute, Method::POST, "/v2.1/os-keypairs", json!({"keypair": keypair}))?;
    Ok((name, Value::Null))
}

fn path(job: &Job<'_>) -> String {
    if job.kind == "OS::Nova::KeyPair" {
        format!("/v2.1/os-keypairs/{}", job.id)
    } else {
        format!("/v2.1/servers/{}", job.id)
    }
}

pub(super) fn show(job: &mut Job<'_>) -> Result<Value, Trouble> {
    let path = path(job);
    let shown = job.call(Service::Compute, Method::GET, &path, Value::Null)?;
    let inner = if job.kind == "OS::Nova::KeyPair" { "keypair" } else { "server" };
    let mut shown = shown[inner].clone();
    // A server in ERROR can be deleted all the same.
    if inner == "server" && shown["OS-EXT-STS:task_state"] == "deleting" {
        shown["status"] = json!("DELETING");
    }
    Ok(shown)
}

pub(super) fn check(job: &mut Job<'_>) -> Result<Progress, Trouble> {
    let shown = show(job)?;
    match shown["status"].as_str() {
        Some("ACTIVE") => Ok(Progress::Done),
        Some("ERROR") => {
            let message = shown["fault"]["message"].as_str().unwrap_or("Unknown");
            let reason = format!("Went to status ERROR due to \"Message: {message}, Code: 500\"");
            Err(Trouble::new("ResourceInError", reason))
        }
        _ => Ok(Progress::Waiting),
    }
}

/// The server as `get_attr` sees it.
pub(super) fn attributes(job: &mut Job<'_>) -> Option<Value> {
    let mut shown = show(job).ok()?;
    let mut by_network = Map::new();
    let mut first = Value::Null;
    for (network, entries) in shown["addresses"].as_object().into_iter().flatten() {
        let ips: Vec<Value> =
            entries.as_array().into_iter().flatten().map(|entry| entry["addr"].clone()).collect();
        if first.is_null() {
            first = ips.first().cloned().unwrap_or_default();
        }
        by_network.insert(network.clone(), Value::Array(ips));
    }
    shown["networks"] = Value::Object(by_network);
    shown["first_address"] = first;
    Some(shown)
}

pub(super) fn update(job: &mut Job<'_>, new: &Value, changed: &[&str]) -> Result<Change, Trouble> {
    if changed.contains(&"name") {
        let path = path(job);
        let body = json!({"server": {"name": new["name"]}});
        job.call(Service::Compute, Method::PUT, &path, body)?;
    }
    if changed.contains(&"metadata") {
        let path = format!("{}/metadata", path(job));
        let body = json!({"metadata": new.get("metadata").cloned().unwrap_or_else(|| json!({}))});
        job.call(Service::Compute, Method::PUT, &path, body)?;
    }
    Ok(Change::InPlace)
}

pub(super) fn delete(job: &mut Job<'_>) -> Result<Progress, Trouble> {
    let path = path(job);
    job.call(Service::Compute, Method::DELETE, &path, Value::Null)?;
    Ok(if job.kind == "OS::Nova::KeyPair" { Progress::Done } else { Progress::Waiting })
}
