//! `OS::Designate::Zone` and `OS::Designate::RecordSet`.

use http::Method;
use serde_json::{Map, Value, json};

use super::{Change, Job, Progress, Trouble, lookup};
use crate::simcloud::wire::Service;

fn body(properties: &Value, names: &[&str]) -> Value {
    let mut body = Map::new();
    for name in names {
        if let Some(value) = properties.get(*name) {
            let value = if *name == "ttl" { lookup::number(value) } else { value.clone() };
            body.insert((*name).to_owned(), value);
        }
    }
    Value::Object(body)
}

pub(super) fn create_zone(job: &mut Job<'_>) -> Result<(String, Value), Trouble> {
    let body = body(&job.properties, &["name", "email", "ttl", "description"]);
    let zone = job.call(Service::Dns, Method::POST, "/v2/zones", body)?;
    Ok((zone["id"].as_str().unwrap_or_default().to_owned(), Value::Null))
}

pub(super) fn create_recordset(job: &mut Job<'_>) -> Result<(String, Value), Trouble> {
    let wanted = job.text("zone").to_owned();
    let zone = lookup::zone(job, &wanted)?;
    let mut body = body(&job.properties, &["name", "type", "records", "ttl", "description"]);
    // Designate's client, by which Heat speaks, completes a name without its final dot.
    if let Some(name) = body["name"].as_str().filter(|name| !name.ends_with('.')).map(str::to_owned) {
        let path = format!("/v2/zones/{zone}");
        let shown = job.call(Service::Dns, Method::GET, &path, Value::Null)?;
        body["name"] = json!(format!("{name}.{}", shown["name"].as_str().unwrap_or_default()));
    }
    let path = format!("/v2/zones/{zone}/recordsets");
    let set = job.call(Service::Dns, Method::POST, &path, body)?;
    Ok((set["id"].as_str().unwrap_or_default().to_owned(), json!({"zone": zone})))
}

fn path(job: &Job<'_>) -> String {
    match job.data["zone"].as_str() {
        Some(zone) => format!("/v2/zones/{zone}/recordsets/{}", job.id),
        None => format!("/v2/zones/{}", job.id),
    }
}

pub(super) fn show(job: &mut Job<'_>) -> Result<Value, Trouble> {
    let path = path(job);
    job.call(Service::Dns, Method::GET, &path, Value::Null)
}

pub(super) fn check(job: &mut Job<'_>) -> Result<Progress, Trouble> {
    let shown = show(job)?;
    match shown["status"].as_str() {
        Some("ACTIVE") => Ok(Progress::Done),
        Some("ERROR") => Err(Trouble::new("ResourceInError", "Went to status ERROR due to \"Unknown\"")),
        _ => Ok(Progress::Waiting),
    }
}

pub(super) fn update(job: &mut Job<'_>, new: &Value, changed: &[&str]) -> Result<Change, Trouble> {
    // Heat passes on only what says something: a description cannot be taken away.
    let said: Vec<&str> = changed
        .iter()
        .copied()
        .filter(|name| !matches!(new.get(*name), None | Some(Value::Null)) && new[*name] != "")
        .collect();
    if said.is_empty() {
        return Ok(Change::InPlace);
    }
    let method = if job.data["zone"].is_string() { Method::PUT } else { Method::PATCH };
    let path = path(job);
    job.call(Service::Dns, method, &path, body(new, &said))?;
    Ok(Change::InPlace)
}

pub(super) fn delete(job: &mut Job<'_>) -> Result<Progress, Trouble> {
    let path = path(job);
    job.call(Service::Dns, Method::DELETE, &path, Value::Null)?;
    Ok(Progress::Waiting)
}
