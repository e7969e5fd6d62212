//! Neutron's resources.

use http::Method;
use serde_json::{Value, json};

use super::{Change, Job, Progress, Trouble, collection, lookup, network_body};
use crate::simcloud::wire::Service;

pub(super) fn create(job: &mut Job<'_>) -> Result<(String, Value), Trouble> {
    match job.kind.as_str() {
        "OS::Neutron::RouterInterface" => return add_interface(job),
        "OS::Neutron::FloatingIPAssociation" => {
            let (fip, port) = (job.text("floatingip_id").to_owned(), job.text("port_id").to_owned());
            associate(job, &fip, &json!(port))?;
            return Ok((format!("{fip}:{port}"), Value::Null));
        }
        _ => {}
    }
    let Some((collection, singular)) = collection(&job.kind) else {
        return Err(Trouble::new("ResourceTypeUnavailable", "not simulated"));
    };
    let mut properties = job.properties.clone();
    if job.kind != "OS::Neutron::FloatingIP" {
        properties["name"] = json!(job.physical_name());
    }
    let body = network_body::of(job, &properties, true)?;
    let path = format!("/v2.0/{collection}");
    let made = job.call(Service::Network, Method::POST, &path, json!({singular: body}))?;
    let id = made[singular]["id"].as_str().unwrap_or_default().to_owned();
    job.id.clone_from(&id);
    set_tags(job, &properties, &path)?;
    if job.kind == "OS::Neutron::SecurityGroup" {
        set_rules(job, &properties)?;
    }
    Ok((id, Value::Null))
}

fn set_tags(job: &mut Job<'_>, properties: &Value, path: &str) -> Result<(), Trouble> {
    if properties["tags"].is_array() {
        let path = format!("{path}/{}/tags", job.id);
        let body = json!({"tags": properties["tags"]});
        job.call(Service::Network, Method::PUT, &path, body)?;
    }
    Ok(())
}

/// Heat replaces the rules of a group by the template's.
fn set_rules(job: &mut Job<'_>, properties: &Value) -> Result<(), Trouble> {
    let group = job.id.clone();
    let shown = show(job)?;
    let own = |rule: &&Value| {
        rule["direction"] == "egress" && rule["protocol"].is_null() && rule["remote_ip_prefix"].is_null()
    };
    let rules = properties["rules"].as_array().cloned().unwrap_or_default();
    let egress = rules.iter().any(|rule| rule["direction"] == "egress");
    for rule in shown["security_group_rules"].as_array().into_iter().flatten() {
        if own(&rule) && !egress {
            continue;
        }
        let path = format!("/v2.0/security-group-rules/{}", rule["id"].as_str().unwrap_or_default());
        job.call(Service::Network, Method::DELETE, &path, Value::Null)?;
    }
    for rule in rules {
        let mut wanted = json!({"security_group_id": group,
            "direction": rule["direction"].as_str().unwrap_or("ingress"),
            "ethertype": rule["ethertype"].as_str().unwrap_or("IPv4")});
        for name in ["protocol", "remote_ip_prefix"] {
            if let Some(value) = rule.get(name) {
                wanted[name] = value.clone();
            }
        }
        for name in ["port_range_min", "port_range_max"] {
            if let Some(value) = rule.get(name) {
                wanted[name] = lookup::number(value);
            }
        }
        if rule["remote_mode"] == "remote_group_id" {
            let remote = rule["remote_group_id"].as_str().unwrap_or(&group);
            wanted["remote_group_id"] = json!(remote);
        }
        let body = json!({"security_group_rule": wanted});
        job.call(Service::Network, Method::POST, "/v2.0/security-group-rules", body)?;
    }
    Ok(())
}

fn add_interface(job: &mut Job<'_>) -> Result<(String, Value), Trouble> {
    let wanted = job.text("router").to_owned();
    let router = lookup::network(job, "routers", &wanted)?;
    let (field, id) = if job.properties["port"].is_string() {
        let port = job.text("port").to_owned();
        ("port_id", lookup::network(job, "ports", &port)?)
    } else {
        let subnet = job.text("subnet").to_owned();
        ("subnet_id", lookup::network(job, "subnets", &subnet)?)
    };
    let path = format!("/v2.0/routers/{router}/add_router_interface");
    job.call(Service::Network, Method::PUT, &path, json!({field: id}))?;
    Ok((format!("{router}:{field}={id}"), Value::Null))
}

fn associate(job: &mut Job<'_>, fip: &str, port: &Value) -> Result<(), Trouble> {
    let path = format!("/v2.0/floatingips/{fip}");
    let body = json!({"floatingip": {"port_id": port}});
    job.call(Service::Network, Method::PUT, &path, body).map(drop)
}

pub(super) fn show(job: &mut Job<'_>) -> Result<Value, Trouble> {
    let Some((collection, singular)) = collection(&job.kind) else {
        return Ok(json!({}));
    };
    let path = format!("/v2.0/{collection}/{}", job.id);
    let shown = job.call(Service::Network, Method::GET, &path, Value::Null)?;
    let mut shown = shown[singular].clone();
    if job.kind == "OS::Neutron::Port" {
        // Heat's attribute has whole subnets where Neutron's port has ids.
        let mut subnets = Vec::new();
        for ip in shown["fixed_ips"].as_array().cloned().unwrap_or_default() {
            let path = format!("/v2.0/subnets/{}", ip["subnet_id"].as_str().unwrap_or_default());
            if let Ok(subnet) = job.call(Service::Network, Method::GET, &path, Value::Null) {
                subnets.push(subnet["subnet"].clone());
            }
        }
        shown["subnets"] = Value::Array(subnets);
    }
    Ok(shown)
}

pub(super) fn update(job: &mut Job<'_>, new: &Value, changed: &[&str]) -> Result<Change, Trouble> {
    if job.kind == "OS::Neutron::FloatingIP" {
        // Only the association is sent: changed names are accepted and ignored.
        if changed.iter().any(|name| matches!(*name, "port_id" | "fixed_ip_address")) {
            let mut wanted = json!({"port_id": new.get("port_id")});
            if let Some(fixed) = new.get("fixed_ip_address") {
                wanted["fixed_ip_address"] = fixed.clone();
            }
            let path = format!("/v2.0/floatingips/{}", job.id);
            job.call(Service::Network, Method::PUT, &path, json!({"floatingip": wanted}))?;
        }
        return Ok(Change::InPlace);
    }
    let Some((collection, singular)) = collection(&job.kind) else {
        return Ok(Change::Replace);
    };
    let mut wanted = json!({});
    for name in changed {
        wanted[*name] = match (new.get(*name), *name) {
            (Some(value), _) => value.clone(),
            (None, "dns_name" | "dns_domain" | "name" | "description") => json!(""),
            (None, _) => continue,
        };
    }
    let path = format!("/v2.0/{collection}");
    set_tags(job, &wanted, &path)?;
    if job.kind == "OS::Neutron::SecurityGroup" && changed.contains(&"rules") {
        set_rules(job, new)?;
    }
    let body = network_body::of(job, &wanted, false)?;
    if body.as_object().is_some_and(|body| !body.is_empty()) {
        let path = format!("{path}/{}", job.id);
        job.call(Service::Network, Method::PUT, &path, json!({singular: body}))?;
    }
    Ok(Change::InPlace)
}

pub(super) fn delete(job: &mut Job<'_>) -> Result<Progress, Trouble> {
    let id = job.id.clone();
    match job.kind.as_str() {
        "OS::Neutron::RouterInterface" => {
            let (router, rest) = id.split_once(':').unwrap_or((&id, ""));
            let (field, value) = rest.split_once('=').unwrap_or(("subnet_id", rest));
            let path = format!("/v2.0/routers/{router}/remove_router_interface");
            job.call(Service::Network, Method::PUT, &path, json!({field: value}))?;
        }
        "OS::Neutron::FloatingIPAssociation" => {
            let fip = id.split_once(':').map_or(id.as_str(), |(fip, _)| fip).to_owned();
            associate(job, &fip, &Value::Null)?;
        }
        kind => {
            if let Some((collection, _)) = collection(kind) {
                let path = format!("/v2.0/{collection}/{id}");
                job.call(Service::Network, Method::DELETE, &path, Value::Null)?;
            }
        }
    }
    Ok(Progress::Done)
}
