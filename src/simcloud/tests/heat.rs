use hickory_proto::rr::RecordType;
use serde_json::json;

use super::client::{Client, ask, data, start};
use crate::simcloud::SimCloud;

const ZONE: &str = "
heat_template_version: 2018-08-31
parameters:
  zone_name: {type: string}
  ttl: {type: number, default: 60, constraints: [{range: {min: 1, max: 3600}}]}
  text: {type: string, default: made}
resources:
  zone:
    type: OS::Designate::Zone
    properties: {name: {get_param: zone_name}, email: ops@example.test, ttl: {get_param: ttl}, description: {get_param: text}}
outputs:
  zone_id: {value: {get_resource: zone}}
  serial: {value: {get_attr: [zone, serial]}}
";

const SERVERS: &str = "
heat_template_version: 2018-08-31
parameters:
  zone: {type: string}
  name: {type: string, default: web}
  with_server: {type: boolean, default: true}
conditions:
  boots: {equals: [{get_param: with_server}, true]}
resources:
  net:
    type: OS::Neutron::Net
    properties: {dns_domain: {get_param: zone}, value_specs: {description: run}}
  subnet:
    type: OS::Neutron::Subnet
    properties: {network: {get_resource: net}, cidr: 10.20.0.0/24}
  router:
    type: OS::Neutron::Router
    properties: {external_gateway_info: {network: public}}
  interface:
    type: OS::Neutron::RouterInterface
    properties: {router: {get_resource: router}, subnet: {get_resource: subnet}}
  group:
    type: OS::Neutron::SecurityGroup
    properties: {rules: [{protocol: tcp, port_range_min: 22, port_range_max: 22}]}
  port:
    type: OS::Neutron::Port
    properties:
      network: {get_resource: net}
      fixed_ips: [{subnet: {get_resource: subnet}}]
      dns_name: {get_param: name}
      security_groups: [{get_resource: group}]
      value_specs: {description: run}
  server:
    type: OS::Nova::Server
    condition: boots
    properties:
      name: {get_param: name}
      image: cirros-sim
      flavor: m1.nano
      networks: [{port: {get_resource: port}}]
      user_data_format: RAW
      user_data:
        str_replace: {template: 'look up NAME', params: {NAME: {list_join: ['.', [{get_param: name}, {get_param: zone}]]}}}
      metadata: {run: x}
  fip:
    type: OS::Neutron::FloatingIP
    depends_on: interface
    properties: {floating_network: public, port_id: {get_resource: port}, value_specs: {description: run}}
outputs:
  address: {value: {get_attr: [fip, floating_ip_address]}}
  fixed: {value: {get_attr: [port, fixed_ips, 0, ip_address]}}
  server: {value: {if: [boots, {get_attr: [server, first_address]}, none]}}
";

pub(super) fn output<'a>(stack: &'a serde_json::Value, key: &str) -> &'a serde_json::Value {
    let outputs = stack["outputs"].as_array().unwrap();
    &outputs.iter().find(|output| output["output_key"] == key).unwrap()["output_value"]
}

pub(super) async fn zone(cloud: &SimCloud, client: &Client, name: &str) -> serde_json::Value {
    let stack = client.stack("zone", ZONE, json!({"zone_name": name})).await;
    assert_eq!(stack["stack_status"], "CREATE_COMPLETE", "{}", stack["stack_status_reason"]);
    assert!(!cloud.snapshot().zones.is_empty());
    stack
}

#[tokio::test]
async fn a_zone_stack_is_made_changed_and_deleted() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let stack = zone(&cloud, &client, "z.example.test.").await;
    let id = stack["id"].as_str().unwrap();
    assert!(output(&stack, "serial").as_u64().unwrap() > 0);
    let zone_id = output(&stack, "zone_id").as_str().unwrap().to_owned();
    let path = client.heat(&format!("/stacks/zone/{id}"));
    let body = json!({"template": ZONE, "parameters":
        {"zone_name": "z.example.test.", "ttl": 120, "text": "changed"}});
    assert_eq!(client.call("PUT", &path, Some(body)).await.status, 202);
    let stack = client.settled("zone", id).await;
    assert_eq!(stack["stack_status"], "UPDATE_COMPLETE", "{}", stack["stack_status_reason"]);
    let zone = client.get(&format!("/dns/v2/zones/{zone_id}")).await;
    assert_eq!((zone["ttl"].as_u64(), zone["description"].as_str()), (Some(120), Some("changed")));
    // Another name needs another zone.
    let body = json!({"parameters": {"zone_name": "y.example.test."}});
    assert_eq!(client.call("PATCH", &path, Some(body)).await.status, 202);
    let stack = client.settled("zone", id).await;
    assert_eq!(stack["stack_status"], "UPDATE_COMPLETE");
    assert_ne!(output(&stack, "zone_id"), zone_id.as_str());
    let names: Vec<String> = cloud.snapshot().zones.into_iter().map(|zone| zone.name).collect();
    assert_eq!(names, ["y.example.test."]);
    let by_name = client.call("GET", &client.heat("/stacks/zone"), None).await;
    assert_eq!(by_name.status, 302);
    assert!(by_name.headers["location"].to_str().unwrap().ends_with(&format!("/stacks/zone/{id}")));
    let stack = client.delete_stack("zone", id).await;
    assert_eq!(stack["stack_status"], "DELETE_COMPLETE");
    assert_eq!(client.call("GET", &client.heat("/stacks/zone"), None).await.status, 404);
    assert_eq!(client.call("DELETE", &path, None).await.status, 404);
    assert!(cloud.snapshot().is_clean());
}

#[tokio::test]
async fn a_server_stack_publishes_its_floating_ip() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    zone(&cloud, &client, "s.example.test.").await;
    let stack = client.stack("vms", SERVERS, json!({"zone": "s.example.test."})).await;
    assert_eq!(stack["stack_status"], "CREATE_COMPLETE", "{}", stack["stack_status_reason"]);
    assert_eq!(output(&stack, "fixed"), output(&stack, "server"));
    let address = output(&stack, "address").as_str().unwrap().to_owned();
    let server = cloud.name_servers()[0];
    assert_eq!(data(&ask(server, "web.s.example.test.", RecordType::A).await.unwrap()), [address.as_str()]);
    let id = stack["id"].as_str().unwrap();
    let resources = client.get(&client.heat(&format!("/stacks/vms/{id}/resources"))).await;
    assert_eq!(resources["resources"].as_array().unwrap().len(), 8);
    let events = client.get(&client.heat(&format!("/stacks/vms/{id}/events?limit=3"))).await;
    assert_eq!(events["events"].as_array().unwrap().len(), 3);
    assert_eq!(client.delete_stack("vms", id).await["stack_status"], "DELETE_COMPLETE");
    let snapshot = cloud.snapshot();
    assert!(snapshot.recordsets.is_empty() && snapshot.servers.is_empty(), "{snapshot:?}");
    assert!(snapshot.networks.is_empty() && snapshot.ports.is_empty(), "{snapshot:?}");
    let small = client.stack("vms", SERVERS, json!({"zone": "s.example.test.", "with_server": false})).await;
    assert_eq!(small["stack_status"], "CREATE_COMPLETE");
    assert!(cloud.snapshot().servers.is_empty());
    assert_eq!(output(&small, "server"), "none");
}

#[tokio::test]
async fn failures_tell_their_reason_and_roll_back() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let other = Client::login(&cloud, "demo2", "demo2").await;
    other.zone("taken.example.test.").await;
    let stack = client.stack("zone", ZONE, json!({"zone_name": "taken.example.test."})).await;
    assert_eq!(stack["stack_status"], "CREATE_FAILED");
    assert_eq!(
        stack["stack_status_reason"],
        "Resource CREATE failed: Conflict: resources.zone: Zone already exists, owned by a different tenant"
    );
    client.delete_stack("zone", stack["id"].as_str().unwrap()).await;
    let template = "
heat_template_version: 2018-08-31
resources:
  fip: {type: OS::Neutron::FloatingIP, properties: {floating_network: public}}
  zone: {type: OS::Designate::Zone, depends_on: fip, properties: {name: taken.example.test., email: a@b.test}}
";
    let body = json!({"stack_name": "back", "template": template, "disable_rollback": false});
    let made = client.post(&client.heat("/stacks"), body).await;
    let stack = client.settled("back", made["stack"]["id"].as_str().unwrap()).await;
    assert_eq!(stack["stack_status"], "ROLLBACK_COMPLETE");
    assert!(cloud.snapshot().floating_ips.is_empty());
}

#[tokio::test]
async fn a_record_sets_name_without_its_final_dot_is_completed_with_the_zones() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    client.zone("a.example.test.").await;
    let template = "
heat_template_version: 2018-08-31
resources:
  set: {type: OS::Designate::RecordSet, properties: {zone: a.example.test., name: www, type: A, records: [192.0.2.9]}}
";
    let stack = client.stack("set", template, json!({})).await;
    assert_eq!(stack["stack_status"], "CREATE_COMPLETE", "{stack}");
    let sets = cloud.snapshot().recordsets;
    assert!(sets.iter().any(|set| set.name == "www.a.example.test. A"), "{sets:?}");
}

#[tokio::test]
async fn heat_refuses_before_it_makes_anything() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let refusal = async |template: &str, parameters: serde_json::Value| {
        let body = json!({"stack_name": "x", "template": template, "parameters": parameters});
        let answer = client.call("POST", &client.heat("/stacks"), Some(body)).await;
        assert!(answer.body["explanation"].is_string(), "{template}: {}", answer.body);
        (answer.status, answer.body["error"]["type"].as_str().unwrap_or_default().to_owned())
    };
    let said = |status, kind: &str| (status, kind.to_owned());
    assert_eq!(refusal(ZONE, json!({})).await, said(400, "UserParameterMissing"));
    assert_eq!(
        refusal(ZONE, json!({"zone_name": "a.test.", "b": 1})).await,
        said(400, "UnknownUserParameter")
    );
    assert_eq!(
        refusal(ZONE, json!({"zone_name": "a.test.", "ttl": 0})).await,
        said(400, "StackValidationFailed")
    );
    let template = |body: &str| format!("heat_template_version: 2018-08-31\nresources: {{r: {body}}}\n");
    for bad in [
        "{type: OS::Nothing}",
        "{type: OS::Neutron::Net, properties: {color: red}}",
        "{type: OS::Neutron::Port, properties: {network: private, dns_name: Upper}}",
        "{type: OS::Neutron::Port, properties: {network: nowhere}}",
        "{type: OS::Neutron::Net, properties: {dns_domain: '<project_id>.test.'}}",
        "{type: OS::Nova::Server, properties: {image: none, flavor: m1.nano}}",
    ] {
        assert_eq!(refusal(&template(bad), json!({})).await, said(400, "StackValidationFailed"), "{bad}");
    }
    let refers = template("{type: OS::Neutron::Port, properties: {network: {get_resource: n}}}");
    assert_eq!(refusal(&refers, json!({})).await, said(400, "InvalidTemplateReference"));
    assert_eq!(
        refusal("heat_template_version: 1999-01-01", json!({})).await,
        said(400, "InvalidTemplateVersion")
    );
    let missing = client.call("GET", &client.heat("/stacks/none"), None).await;
    assert_eq!((missing.status, missing.body["error"]["type"].as_str()), (404, Some("EntityNotFound")));
    let removed = client.call("GET", &client.heat("/resource_types/OS::Designate::Domain"), None).await;
    assert_eq!((removed.status, removed.body["error"]["type"].as_str()), (400, Some("NotSupported")));
    // The removed type still completes, and makes nothing.
    let stack = client
        .stack("old", &template("{type: OS::Designate::Domain, properties: {name: o.test.}}"), json!({}))
        .await;
    assert_eq!(stack["stack_status"], "CREATE_COMPLETE");
    assert!(cloud.snapshot().zones.is_empty());
    let again = json!({"stack_name": "old", "template": template("{type: OS::Heat::None}")});
    let exists = client.call("POST", &client.heat("/stacks"), Some(again)).await;
    assert_eq!((exists.status, exists.body["error"]["type"].as_str()), (409, Some("StackExists")));
}

#[tokio::test]
async fn templates_are_validated_and_previewed() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let valid = client.post(&client.heat("/validate"), json!({"template": SERVERS})).await;
    assert_eq!(valid["Parameters"]["with_server"]["Type"], "Boolean");
    let body = json!({"stack_name": "p", "template": SERVERS, "parameters": {"zone": "a.test."}});
    let preview = client.post(&client.heat("/stacks/preview"), body).await;
    assert_eq!(preview["stack"]["resources"].as_array().unwrap().len(), 8);
    assert!(cloud.snapshot().is_clean());
}
