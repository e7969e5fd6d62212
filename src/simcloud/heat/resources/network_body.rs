//! Properties of Neutron resources turned into what the API takes.

use serde_json::{Map, Value, json};

use super::{Job, Trouble, lookup};

/// The request body for these properties.
pub(super) fn of(job: &mut Job<'_>, properties: &Value, new: bool) -> Result<Value, Trouble> {
    let mut body = Map::new();
    for (name, value) in properties.as_object().into_iter().flatten() {
        match name.as_str() {
            // Told in another way, or only Heat's.
            "tags" | "rules" | "replacement_policy" | "value_specs" => {}
            "network" | "network_id" => {
                let id = lookup::network(job, "networks", text(value))?;
                body.insert("network_id".to_owned(), json!(id));
            }
            "floating_network" | "floating_network_id" => {
                let id = lookup::network(job, "networks", text(value))?;
                body.insert("floating_network_id".to_owned(), json!(id));
            }
            "floating_subnet" => {
                let id = lookup::network(job, "subnets", text(value))?;
                body.insert("subnet_id".to_owned(), json!(id));
            }
            "external_gateway_info" => {
                let wanted = value["network"].as_str().or(value["network_id"].as_str());
                let wanted = wanted.unwrap_or_default().to_owned();
                let id = lookup::network(job, "networks", &wanted)?;
                body.insert(name.clone(), json!({"network_id": id}));
            }
            "security_groups" => {
                let mut ids = Vec::new();
                for group in value.as_array().into_iter().flatten() {
                    ids.push(json!(lookup::network(job, "security-groups", text(group))?));
                }
                body.insert(name.clone(), Value::Array(ids));
            }
            "fixed_ips" => {
                body.insert(name.clone(), fixed_ips(job, value)?);
            }
            "network_type" | "physical_network" => {
                body.insert(format!("provider:{name}"), value.clone());
            }
            "segmentation_id" => {
                body.insert(format!("provider:{name}"), lookup::number(value));
            }
            "router_external" => {
                body.insert("router:external".to_owned(), value.clone());
            }
            "ip_version" | "mtu" => {
                body.insert(name.clone(), lookup::number(value));
            }
            _ => {
                body.insert(name.clone(), value.clone());
            }
        }
    }
    if job.kind == "OS::Neutron::Subnet" && new && !body.contains_key("ip_version") {
        body.insert("ip_version".to_owned(), json!(4));
    }
    // Whatever Heat has no property for goes along as it is.
    for (name, value) in properties["value_specs"].as_object().into_iter().flatten() {
        body.insert(name.clone(), value.clone());
    }
    Ok(Value::Object(body))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn fixed_ips(job: &mut Job<'_>, value: &Value) -> Result<Value, Trouble> {
    let mut ips = Vec::new();
    for ip in value.as_array().into_iter().flatten() {
        let mut wanted = json!({});
        if let Some(subnet) = ip["subnet"].as_str().or(ip["subnet_id"].as_str()) {
            wanted["subnet_id"] = json!(lookup::network(job, "subnets", subnet)?);
        }
        if let Some(address) = ip["ip_address"].as_str() {
            wanted["ip_address"] = json!(address);
        }
        ips.push(wanted);
    }
    Ok(Value::Array(ips))
}
