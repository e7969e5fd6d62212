//! What Heat says of resources that it does not make, in the words of the real one (Heat 25, asked by previews).

use rstest::rstest;
use serde_json::json;

use super::client::{Client, start};

#[rstest]
#[case(
    "OS::Designate::Zone",
    "name: a.test., email: a@b.test, ttl: 0",
    "r.properties.ttl: : 0 is out of range (min: 1, max: 2147483647)"
)]
#[case(
    "OS::Designate::Zone",
    "name: a.test., email: a@b.test, ttl: soon",
    "r.properties.ttl: : Value 'soon' is not an integer"
)]
#[case(
    "OS::Designate::Zone",
    "name: [a], email: a@b.test",
    "r.properties.name: : Value must be a string; got ['a']"
)]
#[case(
    "OS::Designate::Zone",
    "name: a.test., email: a@b.test, type: X",
    "r.properties.type: : \"X\" is not an allowed value [\"PRIMARY\", \"SECONDARY\"]"
)]
#[case("OS::Designate::Zone", "email: a@b.test", "r.properties: : Property name not assigned")]
#[case("OS::Designate::Zone", "name: a.test.", "Property email is required for zone type PRIMARY")]
#[case(
    "OS::Designate::RecordSet",
    "zone: none.test., type: A, records: [192.0.2.1]",
    "Error validating value 'none.test.': The Designate Zone (none.test.) could not be found."
)]
#[case(
    "OS::Neutron::Net",
    "admin_state_up: maybe",
    "r.properties.admin_state_up: : \"maybe\" is not a valid boolean"
)]
#[case("OS::Neutron::Net", "tags: a", "r.properties.tags: : \"'a'\" is not a list")]
#[case("OS::Neutron::Net", "value_specs: x", "r.properties.value_specs: : \"x\" is not a map")]
#[case("OS::Neutron::Net", "value_specs: {name: x}", "name not allowed in value_specs")]
#[case(
    "OS::Neutron::Net",
    "dns_domain: no.dot",
    "r.properties.dns_domain: : Error validating value 'no.dot': 'no.dot' must end with '.'."
)]
#[case(
    "OS::Neutron::Subnet",
    "network: private, cidr: 10.0.0.0/24, ip_version: 5",
    "r.properties.ip_version: : 5 is not an allowed value [4, 6]"
)]
#[case(
    "OS::Neutron::Subnet",
    "network: private",
    "At least one of the following properties must be specified: subnetpool, cidr."
)]
#[case("OS::Neutron::Port", "{}", "r.properties: : Property network not assigned")]
#[case(
    "OS::Neutron::Port",
    "network: private, fixed_ips: [{colour: 1}]",
    "r.properties.fixed_ips[0]: : Unknown Property colour"
)]
#[case(
    "OS::Neutron::Port",
    "network: private, fixed_ips: [{ip_address: x}]",
    "r.properties.fixed_ips[0].ip_address: : Error validating value 'x': Invalid IP address"
)]
#[case(
    "OS::Neutron::Port",
    "network: private, dns_name: my_port",
    "'my_port' not in valid format. Reason: Name 'my_port' must be 1-63 characters long, each of which can only be alphanumeric or a hyphen."
)]
#[case(
    "OS::Neutron::FloatingIP",
    "floating_network: public, dns_name: a.b., dns_domain: b.",
    "r.properties.dns_name: : Error validating value 'a.b.': 'a.b.' is a FQDN. It should be a relative domain name."
)]
#[case(
    "OS::Neutron::SecurityGroup",
    "rules: [{protocol: tcp, port_range_min: 70000}]",
    "r.properties.rules[0].port_range_min: : 70000 is out of range (min: 0, max: 65535)"
)]
#[case(
    "OS::Nova::Server",
    "image: cirros-sim, flavor: none",
    "r.properties.flavor: : Error validating value 'none': No Flavor matching {'name': 'none'}. (HTTP 404)"
)]
#[case(
    "OS::Nova::Server",
    "flavor: m1.nano",
    "Neither image nor bootable volume is specified for instance r"
)]
#[case(
    "OS::Nova::Server",
    "image: cirros-sim, flavor: m1.nano, user_data_format: X",
    "\"X\" is not an allowed value [\"HEAT_CFNTOOLS\", \"RAW\", \"SOFTWARE_CONFIG\"]"
)]
#[case(
    "OS::Heat::ResourceGroup",
    "count: -1, resource_def: {type: 'OS::Heat::None'}",
    "r.properties.count: : -1 is out of range (min: 0, max: None)"
)]
#[case(
    "OS::Heat::RandomString",
    "length: 600",
    "r.properties.length: : 600 is out of range (min: 1, max: 512)"
)]
#[tokio::test]
async fn heat_says_which_property_it_is_and_why(
    #[case] kind: &str,
    #[case] properties: &str,
    #[case] why: &str,
) {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let properties = if properties == "{}" { properties.to_owned() } else { format!("{{{properties}}}") };
    let template = format!(
        "heat_template_version: 2018-08-31\nresources: {{r: {{type: '{kind}', properties: {properties}}}}}\n"
    );
    let body = json!({"stack_name": "x", "template": template});
    let answer = client.call("POST", &client.heat("/stacks"), Some(body)).await;
    let said = answer.body["error"]["message"].as_str().unwrap_or_default();
    assert_eq!((answer.status, said.contains(why)), (400, true), "{}", answer.body);
    assert!(cloud.snapshot().is_clean());
}

#[rstest]
#[case("{type: string, constraints: [{allowed_values: [red, green]}]}", json!("blue"), "\"blue\" is not an allowed value [\"red\", \"green\"]")]
#[case("{type: number, constraints: [{allowed_values: [1, 2]}]}", json!(3), "3 is not an allowed value [1, 2]")]
#[case("{type: number, constraints: [{modulo: {step: 2, offset: 0}}]}", json!(3), "3 is not a multiple of 2 with an offset of 0")]
#[case("{type: number}", json!("x"), "could not convert string to float: 'x'")]
#[case("{type: string, constraints: [{length: {min: 3}, description: own words}]}", json!("a"), "own words")]
#[tokio::test]
async fn heat_says_what_a_parameter_takes(
    #[case] parameter: &str,
    #[case] value: serde_json::Value,
    #[case] why: &str,
) {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let template = format!("heat_template_version: 2018-08-31\nparameters: {{p: {parameter}}}\n");
    let body = json!({"stack_name": "x", "template": template, "parameters": {"p": value}});
    let answer = client.call("POST", &client.heat("/stacks/preview"), Some(body)).await;
    let said = format!("Parameter 'p' is invalid: {why}");
    assert_eq!((answer.status, answer.body["error"]["message"].as_str()), (400, Some(said.as_str())));
}

#[rstest]
#[case("{filter: [[a], [a, b, a, c]]}", json!(["b", "c"]))]
#[case("{map_replace: [{k: v, l: w, n: 3}, {keys: {k: K}, values: {w: W}}]}", json!({"K": "v", "l": "W", "n": 3}))]
#[case("{make_url: {scheme: http, host: example.org, port: 8080, path: /a b, username: u, password: p, query: {q: a b}, fragment: f}}", json!("http://u:p@example.org:8080/a%20b?q=a+b#f"))]
#[case("{make_url: {scheme: https, host: '2001:db8::1', path: x}}", json!("https://[2001:db8::1]/x"))]
#[case("{list_concat_unique: [[a, b], [b, c]]}", json!(["a", "b", "c"]))]
#[case("{list_concat: [[a, b], [b, c]]}", json!(["a", "b", "b", "c"]))]
#[case("{repeat: {for_each: {'%a%': [x, y], '%b%': ['1', '2']}, template: '%a%-%b%', permutations: false}}", json!(["x-1", "y-2"]))]
#[case("{repeat: {for_each: {'%a%': [x, y], '%b%': ['1', '2']}, template: '%a%-%b%'}}", json!(["x-1", "x-2", "y-1", "y-2"]))]
#[tokio::test]
async fn a_preview_shows_what_functions_make(#[case] value: &str, #[case] made: serde_json::Value) {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let template = format!(
        "heat_template_version: 2021-04-16\nresources: {{r: {{type: OS::Heat::Value, properties: {{value: {value}}}}}}}\n"
    );
    let body = json!({"stack_name": "x", "template": template});
    let preview = client.post(&client.heat("/stacks/preview"), body).await;
    assert_eq!(preview["stack"]["resources"][0]["properties"]["value"], made);
}

#[tokio::test]
async fn a_resource_type_shows_its_properties() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let shown = client.get(&client.heat("/resource_types/OS::Designate::RecordSet")).await;
    assert_eq!(
        shown["properties"]["ttl"],
        json!({"type": "integer", "required": false, "update_allowed": true, "immutable": false,
            "constraints": [{"range": {"min": 1, "max": 2_147_483_647}}]})
    );
    assert_eq!(shown["properties"]["records"]["type"], "list");
    let port = client.get(&client.heat("/resource_types/OS::Neutron::Port")).await;
    assert!(port["properties"]["network_id"].is_null(), "an older name is not shown");
}
