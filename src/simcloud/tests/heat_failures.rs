//! Stacks that fail: what Heat tries again, takes back and leaves.

use serde_json::{Value, json};

use super::client::{Client, start};

const SERVER: &str = "
heat_template_version: 2018-08-31
parameters: {port: {type: string}}
resources:
  server:
    type: OS::Nova::Server
    properties: {name: web, image: cirros-sim, flavor: m1.nano, networks: [{port: {get_param: port}}]}
";

async fn events(client: &Client, stack: &Value, resource: &str) -> Vec<String> {
    let (name, id) = (stack["stack_name"].as_str().unwrap(), stack["id"].as_str().unwrap());
    let all = client.get(&client.heat(&format!("/stacks/{name}/{id}/events?sort_dir=asc"))).await;
    let of_it = all["events"].as_array().unwrap().iter().filter(|event| event["resource_name"] == resource);
    of_it.map(|event| event["resource_status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_server_that_went_to_error_is_made_again() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    // Nova gives up for the port's name and takes it away, so that the second server boots.
    let port = json!({"port": {"network_id": client.network("private").await, "dns_name": "other"}});
    let port = client.post("/networking/v2.0/ports", port).await["port"]["id"].clone();
    let stack = client.stack("web", SERVER, json!({"port": port})).await;
    assert_eq!(stack["stack_status"], "CREATE_COMPLETE", "{stack}");
    assert_eq!(
        events(&client, &stack, "server").await,
        [
            "CREATE_IN_PROGRESS",
            "CREATE_FAILED",
            "DELETE_IN_PROGRESS",
            "DELETE_COMPLETE",
            "CREATE_IN_PROGRESS",
            "CREATE_COMPLETE"
        ]
    );
    let path = format!("/networking/v2.0/ports/{}", port.as_str().unwrap());
    assert_eq!(client.get(&path).await["port"]["dns_name"], "web");
    assert_eq!(cloud.snapshot().servers.len(), 1);
}

#[tokio::test]
async fn an_update_that_fails_goes_back_to_what_was() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let template = |ttl: u32, more: &str| {
        format!(
            "heat_template_version: 2018-08-31
resources:
  zone: {{type: OS::Designate::Zone, properties: {{name: back.example.test., email: a@b.test, ttl: {ttl}}}}}
  first: {{type: OS::Neutron::FloatingIP, properties: {{floating_network: public}}}}
{more}"
        )
    };
    let stack = client.stack("back", &template(60, ""), json!({})).await;
    let id = stack["id"].as_str().unwrap();
    let first = cloud.snapshot().floating_ips;
    let worse = "
  second: {type: OS::Neutron::FloatingIP, depends_on: zone, properties: {floating_network: public}}
  server:
    type: OS::Nova::Server
    depends_on: second
    properties: {image: cirros-sim, flavor: m1.nano, availability_zone: nowhere, networks: [{network: private}]}
";
    let body = json!({"template": template(90, worse), "disable_rollback": false});
    let path = client.heat(&format!("/stacks/back/{id}"));
    assert_eq!(client.call("PUT", &path, Some(body)).await.status, 202);
    let stack = client.settled("back", id).await;
    assert_eq!(stack["stack_status"], "ROLLBACK_COMPLETE", "{stack}");
    assert_eq!(cloud.snapshot().floating_ips, first);
    assert!(events(&client, &stack, "second").await.contains(&"DELETE_COMPLETE".to_owned()));
    let zones = client.get("/dns/v2/zones?name=back.example.test.").await;
    assert_eq!(zones["zones"][0]["ttl"], 60);
}

#[tokio::test]
async fn what_is_retained_outlives_its_stack() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let template = "
heat_template_version: 2018-08-31
resources:
  kept: {type: OS::Neutron::FloatingIP, deletion_policy: Retain, properties: {floating_network: public}}
  gone: {type: OS::Neutron::FloatingIP, properties: {floating_network: public}}
";
    let stack = client.stack("retain", template, json!({})).await;
    client.delete_stack("retain", stack["id"].as_str().unwrap()).await;
    assert_eq!(cloud.snapshot().floating_ips.len(), 1);
    let wrong = template.replace("Retain", "Forever");
    let answer = client
        .call("POST", &client.heat("/stacks"), Some(json!({"stack_name": "x", "template": wrong})))
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["error"]["message"], "Invalid deletion policy \"Forever\"");
}
