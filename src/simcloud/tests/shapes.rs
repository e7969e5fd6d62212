//! The answers of the simulated cloud beside recordings of a real one: same status, keys, types.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::client::{Answer, Client, start};

/// Where the recordings are; without them there is nothing to compare.
pub(super) fn recording(name: &str) -> Option<Value> {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openstack");
    let dir = std::env::var_os("SIMCLOUD_FIXTURES").map_or(own, PathBuf::from);
    let text = std::fs::read_to_string(dir.join(format!("{name}.json"))).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What the real answer has and ours lacks or has otherwise.
fn differences(path: &str, real: &Value, ours: &Value, found: &mut Vec<String>) {
    match (real, ours) {
        (Value::Object(real), Value::Object(ours)) => {
            for (key, value) in real {
                match ours.get(key) {
                    Some(own) => differences(&format!("{path}.{key}"), value, own, found),
                    None => found.push(format!("{path}.{key} is missing")),
                }
            }
            for key in ours.keys().filter(|key| !real.contains_key(*key)) {
                found.push(format!("{path}.{key} is invented"));
            }
        }
        (Value::Array(real), Value::Array(ours)) => {
            if let (Some(real), Some(ours)) = (real.first(), ours.first()) {
                differences(&format!("{path}[]"), real, ours, found);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (real, ours) if kind(real) != kind(ours) => {
            found.push(format!("{path} is {}, not {}", kind(ours), kind(real)));
        }
        _ => {}
    }
}

#[derive(Default)]
pub(super) struct Comparison {
    pub(super) found: Vec<String>,
}

impl Comparison {
    /// Compares one answer; `ignored` are paths that depend on how a cloud is set up.
    pub(super) fn of(&mut self, name: &str, ours: &Answer, ignored: &[&str]) {
        let Some(real) = recording(name) else { return };
        let mut found = Vec::new();
        if real["status"] != ours.status {
            found.push(format!("status {} instead of {}", ours.status, real["status"]));
        }
        for header in real["headers"].as_object().unwrap().keys() {
            if !ours.headers.contains_key(header) && header != "content-type" {
                found.push(format!("header {header} is missing"));
            }
        }
        differences("", &real["body"], &ours.body, &mut found);
        found.retain(|one| !ignored.iter().any(|path| one.starts_with(path)));
        self.found.extend(found.into_iter().map(|one| format!("{name}: {one}")));
    }
}

#[tokio::test]
async fn documents_look_like_the_recorded_ones() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let mut comparison = Comparison::default();
    let unset = [".versions[]", ".catalog", ".networks[].is_default"];
    for (name, path) in [
        ("designate/versions", "/dns"),
        ("heat/versions", "/heat-api"),
        ("glance/versions", "/image"),
        ("neutron/versions", "/networking"),
        ("nova/versions", "/compute"),
        ("keystone/versions", "/identity"),
        ("keystone/version", "/identity/v3"),
        ("neutron/version", "/networking/v2.0/"),
        ("nova/version", "/compute/v2.1/"),
        ("keystone/catalog", "/identity/v3/auth/catalog"),
        ("designate/limits", "/dns/v2/limits"),
        ("neutron/networks", "/networking/v2.0/networks"),
        ("neutron/subnets", "/networking/v2.0/subnets"),
        ("neutron/networks-external", "/networking/v2.0/networks?router:external=true"),
        ("neutron/routers", "/networking/v2.0/routers"),
        ("neutron/extensions", "/networking/v2.0/extensions"),
        ("nova/limits", "/compute/v2.1/limits"),
        ("designate/zones-none", "/dns/v2/zones?name=no.example.test."),
        ("designate/service-statuses", "/dns/v2/service_statuses"),
    ] {
        comparison.of(name, &client.call("GET", path, None).await, &unset);
    }
    assert!(comparison.found.is_empty(), "{:#?}", comparison.found);
}

#[tokio::test]
async fn zones_look_like_the_recorded_ones() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let mut comparison = Comparison::default();
    let zone = json!({"name": "d.example.test.", "email": "a@b.test", "ttl": 300, "description": "x"});
    let made = client.call("POST", "/dns/v2/zones", Some(zone)).await;
    comparison.of("designate/zone-create", &made, &[]);
    let zone = format!("/dns/v2/zones/{}", made.body["id"].as_str().unwrap());
    comparison.of("designate/zone-active", &client.call("GET", &zone, None).await, &[]);
    comparison.of(
        "designate/zone-nameservers",
        &client.call("GET", &format!("{zone}/nameservers"), None).await,
        &[],
    );
    comparison.of(
        "designate/recordsets",
        &client.call("GET", &format!("{zone}/recordsets"), None).await,
        &[],
    );
    let set = json!({"name": "www.d.example.test.", "type": "A", "records": ["192.0.2.1"], "ttl": 60});
    let set = client.call("POST", &format!("{zone}/recordsets"), Some(set)).await;
    comparison.of("designate/recordset-create", &set, &[]);
    let path = format!("{zone}/recordsets/{}", set.body["id"].as_str().unwrap());
    comparison.of(
        "designate/recordset-update",
        &client.call("PUT", &path, Some(json!({"records": ["192.0.2.3"]}))).await,
        &[],
    );
    comparison.of("designate/recordset-delete", &client.call("DELETE", &path, None).await, &[]);
    comparison.of("designate/zone-delete", &client.call("DELETE", &zone, None).await, &[]);
    assert!(comparison.found.is_empty(), "{:#?}", comparison.found);
}

#[tokio::test]
async fn servers_and_stacks_look_like_the_recorded_ones() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let mut comparison = Comparison::default();
    let network = client.network("private").await;
    let port = json!({"port": {"network_id": network, "dns_name": "inside"}});
    let port = client.call("POST", "/networking/v2.0/ports", Some(port)).await;
    comparison.of("neutron/port-create-private", &port, &[]);
    let fip = json!({"floatingip": {"floating_network_id": client.network("public").await,
        "port_id": port.body["port"]["id"], "dns_name": "f", "dns_domain": "d.example.test."}});
    let fip = client.call("POST", "/networking/v2.0/floatingips", Some(fip.clone())).await;
    comparison.of("neutron/floatingip-create", &fip, &[".floatingip.qos_policy_id"]);
    let image = client.get("/image/v2/images").await["images"][0]["id"].clone();
    let boot = json!({"server": {"name": "x", "imageRef": image, "flavorRef": "42",
        "networks": [{"uuid": network}]}});
    let version = [("openstack-api-version", "compute 2.79")];
    let made = client.call_with("POST", "/compute/v2.1/servers", Some(boot), &version).await;
    comparison.of("nova/server-create", &made, &[]);
    let server = format!("/compute/v2.1/servers/{}", made.body["server"]["id"].as_str().unwrap());
    comparison.of("nova/server-active", &client.call_with("GET", &server, None, &version).await, &[]);
    comparison.of("nova/server-active-microversion-2.1", &client.call("GET", &server, None).await, &[]);
    comparison.of(
        "nova/server-interfaces",
        &client.call_with("GET", &format!("{server}/os-interface"), None, &version).await,
        &[],
    );
    comparison.of(
        "nova/flavors",
        &client.call_with("GET", "/compute/v2.1/flavors/detail", None, &version).await,
        &[],
    );
    comparison.of("nova/server-delete", &client.call("DELETE", &server, None).await, &[]);
    stack_documents(&client, &mut comparison).await;
    assert!(comparison.found.is_empty(), "{:#?}", comparison.found);
}

async fn stack_documents(client: &Client, comparison: &mut Comparison) {
    let template = json!({"heat_template_version": "2021-04-16", "resources": {"port":
        {"type": "OS::Neutron::Port", "properties": {"network": "private"}}},
        "outputs": {"port": {"description": "its id", "value": {"get_resource": "port"}}}});
    let body = json!({"stack_name": "s", "template": template, "tags": "one,two", "timeout_mins": 5});
    let made = client.call("POST", &client.heat("/stacks"), Some(body.clone())).await;
    comparison.of("heat/stack-create", &made, &[]);
    let id = made.body["stack"]["id"].as_str().unwrap().to_owned();
    client.settled("s", &id).await;
    let path = |rest: &str| client.heat(&format!("/stacks/s/{id}{rest}"));
    for (name, path) in [
        ("heat/stack-create-complete", path("")),
        ("heat/stack-resources", path("/resources")),
        ("heat/stack-resource", path("/resources/port")),
        ("heat/stack-events", path("/events")),
        ("heat/stack-output", path("/outputs/port")),
        ("heat/stacks", client.heat("/stacks?tags=one")),
        ("heat/stack-by-name-redirect", client.heat("/stacks/s")),
        ("heat/resource-types", client.heat("/resource_types")),
        ("heat/resource-type-designate-zone", client.heat("/resource_types/OS::Designate::Zone")),
        ("heat/build-info", client.heat("/build_info")),
    ] {
        let setup = [".resource.attributes.subnets", ".properties", ".attributes"];
        comparison.of(name, &client.call("GET", &path, None).await, &setup);
    }
    comparison.of(
        "heat/conflict-stack",
        &client.call("POST", &client.heat("/stacks"), Some(body.clone())).await,
        &[],
    );
    comparison.of("heat/stack-update", &client.call("PUT", &path(""), Some(body.clone())).await, &[]);
    client.settled("s", &id).await;
    comparison.of(
        "heat/template-validate",
        &client.call("POST", &client.heat("/validate"), Some(body)).await,
        &[".Parameters"],
    );
    comparison.of("heat/stack-delete", &client.call("DELETE", &path(""), None).await, &[]);
    client.settled("s", &id).await;
    comparison.of("heat/stack-after-delete", &client.call("GET", &path(""), None).await, &[]);
}
