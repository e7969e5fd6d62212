use serde_json::{Value, json};

use super::{
    client::{Client, start},
    shapes::{Comparison, recording},
};

#[tokio::test]
async fn errors_look_like_the_recorded_ones() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let mut stranger = Client::demo(&cloud).await;
    "nonsense".clone_into(&mut stranger.token);
    let mut comparison = Comparison::default();
    let none = "00000000-0000-4000-8000-000000000000";
    let gets = [
        ("designate/not-found", format!("/dns/v2/zones/{none}")),
        ("designate/bad-request-uuid", "/dns/v2/zones/not-a-uuid".to_owned()),
        ("neutron/not-found", format!("/networking/v2.0/ports/{none}")),
        ("nova/not-found", format!("/compute/v2.1/servers/{none}")),
        ("glance/not-found", format!("/image/v2/images/{none}")),
        ("heat/not-found", client.heat("/stacks/no-such-stack")),
        ("heat/not-found-resource-type", client.heat("/resource_types/OS::No::Such")),
        ("heat/resource-type-designate-domain", client.heat("/resource_types/OS::Designate::Domain")),
        ("keystone/forbidden", "/identity/v3/users".to_owned()),
        ("keystone/project-not-found", format!("/identity/v3/projects/{none}")),
    ];
    for (name, path) in gets {
        comparison.of(name, &client.call("GET", &path, None).await, &[]);
    }
    for (name, path) in [
        ("designate/bad-token", "/dns/v2/zones".to_owned()),
        ("neutron/bad-token", "/networking/v2.0/ports".to_owned()),
        ("nova/bad-token", "/compute/v2.1/servers".to_owned()),
        ("glance/bad-token", "/image/v2/images".to_owned()),
        ("heat/bad-token", client.heat("/stacks")),
        ("keystone/bad-token", "/identity/v3/auth/projects".to_owned()),
    ] {
        comparison.of(name, &stranger.call("GET", &path, None).await, &[]);
    }
    assert!(comparison.found.is_empty(), "{:#?}", comparison.found);
}

#[tokio::test]
async fn refusals_look_like_the_recorded_ones() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let mut comparison = Comparison::default();
    let network = client.network("private").await;
    let published = client.network("published").await;
    let stack = |resources: Value| {
        json!({"stack_name": "s", "template": {"heat_template_version": "2018-08-31",
            "resources": resources}})
    };
    let stacks = client.heat("/stacks");
    let posts = [
        ("designate/bad-request-zone", "/dns/v2/zones", json!({"name": "no-dot", "email": "x"})),
        (
            "neutron/bad-request-attribute",
            "/networking/v2.0/ports",
            json!({"port": {"network_id": network, "no_such_attribute": 1}}),
        ),
        (
            "neutron/bad-request-dns-name",
            "/networking/v2.0/ports",
            json!({"port": {"network_id": network, "dns_name": "not_a_name!"}}),
        ),
        (
            "neutron/bad-request-address",
            "/networking/v2.0/ports",
            json!({"port": {"network_id": network, "fixed_ips": [{"ip_address": "192.0.2.1"}]}}),
        ),
        (
            "neutron/forbidden-address",
            "/networking/v2.0/ports",
            json!({"port": {"network_id": published, "fixed_ips": [{"ip_address": "192.0.2.1"}]}}),
        ),
        (
            "neutron/forbidden",
            "/networking/v2.0/networks",
            json!({"network": {"provider:network_type": "flat"}}),
        ),
        ("nova/bad-request", "/compute/v2.1/servers", json!({"server": {"name": "x"}})),
        ("heat/bad-request-unknown-type", &stacks, stack(json!({"x": {"type": "OS::No::Such"}}))),
        (
            "heat/bad-request-unknown-property",
            &stacks,
            stack(json!({"x": {"type": "OS::Neutron::Net", "properties": {"nonsense": 1}}})),
        ),
        (
            "heat/bad-request-unknown-image",
            &stacks,
            stack(
                json!({"x": {"type": "OS::Nova::Server", "properties": {"image": "no-such-image", "flavor": "m1.nano"}}}),
            ),
        ),
        ("heat/bad-request-no-version", &stacks, json!({"stack_name": "s", "template": {"resources": {}}})),
        (
            "heat/bad-request-missing-parameter",
            &stacks,
            json!({"stack_name": "s", "template": {"heat_template_version": "2018-08-31", "parameters": {"needed": {"type": "string"}}}}),
        ),
    ];
    for (name, path, body) in posts {
        let answer = client.call("POST", path, Some(body)).await;
        if let Some(real) = recording(name)
            && !name.starts_with("nova")
            && name != "neutron/bad-request-dns-name"
        {
            let words = |body: &Value| {
                body.pointer("/NeutronError/message").or(body.pointer("/error/message")).cloned()
            };
            assert_eq!(words(&answer.body), words(&real["body"]), "{name}");
        }
        comparison.of(name, &answer, &[]);
    }
    assert!(comparison.found.is_empty(), "{:#?}", comparison.found);
}

#[tokio::test]
async fn readers_are_refused_like_recorded() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let mut comparison = Comparison::default();
    let reader = Client::login(&cloud, "reader", "demo").await;
    let zone = json!({"name": "a.example.test.", "email": "a@b.test"});
    comparison.of("designate/forbidden-reader", &reader.call("POST", "/dns/v2/zones", Some(zone)).await, &[]);
    let net = json!({"network": {"name": "x"}});
    comparison.of(
        "neutron/forbidden-reader",
        &reader.call("POST", "/networking/v2.0/networks", Some(net)).await,
        &[],
    );
    let stack = json!({"stack_name": "s", "template": {"heat_template_version": "2018-08-31"}});
    let answer = reader.call("POST", &client.heat("/stacks"), Some(stack)).await;
    comparison.of("heat/forbidden-reader", &answer, &[]);
    assert!(comparison.found.is_empty(), "{:#?}", comparison.found);
}
