use hickory_proto::rr::RecordType;
use rstest::rstest;
use serde_json::json;

use super::{
    client::{Client, ask, start},
    heat::{output, zone},
};

#[tokio::test]
async fn a_group_makes_its_members_and_the_functions_work() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    zone(&cloud, &client, "fleet.example.test.").await;
    let template = "
heat_template_version: 2018-08-31
parameters:
  count: {type: number, default: 3}
  names: {type: comma_delimited_list, default: 'a,b'}
  extra: {type: json, default: {deep: [1, {x: found}]}}
resources:
  fleet:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: count}
      resource_def:
        type: OS::Neutron::FloatingIP
        properties: {floating_network: public, dns_name: 'n%index%', dns_domain: fleet.example.test.}
  secret: {type: OS::Heat::RandomString, properties: {length: 12}}
  value:
    type: OS::Heat::Value
    properties: {value: {list_join: ['-', {get_param: names}, [{str_split: ['.', 'x.y.z', 1]}]]}}
outputs:
  addresses: {value: {get_attr: [fleet, floating_ip_address]}}
  second: {value: {get_attr: [fleet, resource.1.dns_name]}}
  refs: {value: {get_attr: [fleet, refs]}}
  secret: {value: {get_attr: [secret, value]}}
  value: {value: {get_attr: [value, value]}}
  deep: {value: {get_param: [extra, deep, 1, x]}}
  each: {value: {repeat: {for_each: {<%n%>: {get_param: names}}, template: 'host-<%n%>'}}}
  merged: {value: {map_merge: [{a: 1}, {b: 2}]}}
";
    let stack = client.stack("fleet", template, json!({})).await;
    assert_eq!(stack["stack_status"], "CREATE_COMPLETE", "{}", stack["stack_status_reason"]);
    assert_eq!(output(&stack, "addresses").as_array().unwrap().len(), 3);
    assert_eq!(output(&stack, "second"), "n1");
    assert_eq!(output(&stack, "refs").as_array().unwrap().len(), 3);
    assert_eq!(output(&stack, "secret").as_str().unwrap().len(), 12);
    assert_eq!(output(&stack, "value"), "a-b-y");
    assert_eq!(output(&stack, "deep"), "found");
    assert_eq!(output(&stack, "each"), &json!(["host-a", "host-b"]));
    assert_eq!(output(&stack, "merged"), &json!({"a": 1, "b": 2}));
    let id = stack["id"].as_str().unwrap();
    let path = client.heat(&format!("/stacks/fleet/{id}"));
    let fewer = json!({"template": template, "parameters": {"count": 1}});
    assert_eq!(client.call("PUT", &path, Some(fewer)).await.status, 202);
    assert_eq!(client.settled("fleet", id).await["stack_status"], "UPDATE_COMPLETE");
    assert_eq!(cloud.snapshot().floating_ips.len(), 1);
    let server = cloud.name_servers()[0];
    assert_eq!(ask(server, "n0.fleet.example.test.", RecordType::A).await.unwrap().answers.len(), 1);
    assert_eq!(ask(server, "n2.fleet.example.test.", RecordType::A).await.unwrap().answers.len(), 0);
    client.delete_stack("fleet", id).await;
    assert!(cloud.snapshot().floating_ips.is_empty());
}

#[tokio::test]
async fn updates_move_names_and_floating_ips() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    zone(&cloud, &client, "m.example.test.").await;
    let template = |name: &str, port: &str| {
        format!("
heat_template_version: 2018-08-31
resources:
  one: {{type: OS::Neutron::Port, properties: {{network: published, dns_name: {name}, value_specs: {{dns_domain: m.example.test.}}}}}}
  two: {{type: OS::Neutron::Port, properties: {{network: private}}}}
  three: {{type: OS::Neutron::Port, properties: {{network: private}}}}
  fip: {{type: OS::Neutron::FloatingIP, properties: {{floating_network: public, port_id: {{get_resource: {port}}}}}}}
outputs:
  port: {{value: {{get_resource: one}}}}
  fip: {{value: {{get_resource: fip}}}}
  on: {{value: {{get_attr: [fip, port_id]}}}}
  three: {{value: {{get_resource: three}}}}
")
    };
    let before = client.stack("m", &template("old", "two"), json!({})).await;
    assert_eq!(before["stack_status"], "CREATE_COMPLETE", "{}", before["stack_status_reason"]);
    let id = before["id"].as_str().unwrap();
    let path = client.heat(&format!("/stacks/m/{id}"));
    let body = json!({"template": template("new", "three")});
    assert_eq!(client.call("PUT", &path, Some(body)).await.status, 202);
    let after = client.settled("m", id).await;
    assert_eq!(after["stack_status"], "UPDATE_COMPLETE", "{}", after["stack_status_reason"]);
    assert_eq!(output(&before, "port"), output(&after, "port"));
    assert_eq!(output(&before, "fip"), output(&after, "fip"));
    assert_eq!(output(&after, "on"), output(&after, "three"));
    let server = cloud.name_servers()[1];
    assert_eq!(ask(server, "old.m.example.test.", RecordType::A).await.unwrap().answers.len(), 0);
    assert_eq!(ask(server, "new.m.example.test.", RecordType::A).await.unwrap().answers.len(), 1);
    // What somebody else hung on the network keeps the stack from going; afterwards it goes.
    let busy = json!({"template": template("new", "three")});
    assert_eq!(client.call("PUT", &path, Some(busy.clone())).await.status, 202);
    client.settled("m", id).await;
    client.delete_stack("m", id).await;
    assert!(cloud.snapshot().ports.is_empty());
}

#[rstest]
#[case::a_condition_of_itself("{if: [own, 1, 2]}", "Circular definition for condition \"own\"")]
#[case::a_condition_of_itself_inside_a_function(
    "{if: [deep, 1, 2]}",
    "Circular definition for condition \"deep\""
)]
#[case::one_thing_to_compare("{equals: [1]}", "must be of the form: [value_1, value_2]")]
#[case::a_product_of_lists(
    "{repeat: {template: abcdef, for_each: {a: *long, b: *long, c: *long, d: *long, e: *long, f: *long}}}",
    "larger than"
)]
#[case::texts_in_texts("*replaced", "larger than")]
#[tokio::test]
async fn a_value_without_end_is_refused(#[case] value: &str, #[case] reason: &str) {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let longer = |inner: String, _| {
        format!("{{str_replace: {{template: {}, params: {{x: {inner}}}}}}}", "x".repeat(20))
    };
    let replaced = (0..12).fold("xx".to_owned(), longer);
    let template = format!(
        "
heat_template_version: 2018-08-31
conditions:
  own: own
  deep: {{equals: [{{if: [deep, 1, 2]}}, 1]}}
resources:
  value: {{type: 'OS::Heat::Value', properties: {{value: {value}}}}}
"
    );
    let template =
        template.replace("*long", &format!("[{}]", "item, ".repeat(100))).replace("*replaced", &replaced);
    let refused = client
        .call("POST", &client.heat("/stacks"), Some(json!({"stack_name": "endless", "template": template})))
        .await;
    let said = if refused.status < 300 {
        let id = refused.body["stack"]["id"].as_str().unwrap();
        client.settled("endless", id).await["stack_status_reason"].to_string()
    } else {
        refused.body.to_string()
    };
    assert!(said.replace("\\\"", "\"").contains(reason), "{said}");
}

#[rstest]
#[case::the_longest(512, None)]
#[case::longer(99_999_999_999, Some("99999999999 is out of range (min: 1, max: 512)"))]
#[tokio::test]
async fn a_random_text_has_heats_longest_length_at_most(#[case] length: u64, #[case] refusal: Option<&str>) {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let template = format!(
        "
heat_template_version: 2018-08-31
resources:
  random: {{type: 'OS::Heat::RandomString', properties: {{length: {length}}}}}
outputs:
  random: {{value: {{get_attr: [random, value]}}}}
"
    );
    if let Some(words) = refusal {
        let path = format!("/heat-api/v1/{}/stacks", client.project);
        let answer =
            client.call("POST", &path, Some(json!({"stack_name": "random", "template": template}))).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.to_string().contains(words), "{}", answer.body);
        return;
    }
    let stack = client.stack("random", &template, json!({})).await;
    assert_eq!(output(&stack, "random").as_str().unwrap().len(), 512);
}

#[rstest]
#[case::a_text("text", "Resource port properties type must be object")]
#[case::a_list("[text]", "Resource port properties type must be object")]
#[case::a_function("{get_param: text}", "Unknown Property get_param")]
#[tokio::test]
async fn properties_that_are_no_map_are_refused(#[case] properties: &str, #[case] reason: &str) {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let template = format!(
        "
heat_template_version: 2018-08-31
parameters: {{text: {{type: string, default: x}}}}
resources:
  port: {{type: 'OS::Neutron::Port', properties: {properties}}}
"
    );
    let body = json!({"stack_name": "flat", "template": template});
    let made = client.call("POST", &client.heat("/stacks"), Some(body)).await;
    let said = match made.body["stack"]["id"].as_str() {
        Some(id) => client.settled("flat", id).await["stack_status_reason"].to_string(),
        None => made.body["error"]["message"].to_string(),
    };
    assert!(said.contains(reason), "{said}");
}
