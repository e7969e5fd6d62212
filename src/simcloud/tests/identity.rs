use serde_json::{Value, json};

use super::client::{Client, http, start};

#[tokio::test]
async fn a_wrong_password_gets_keystones_envelope() {
    let cloud = start().await;
    let body = json!({"auth": {"identity": {"methods": ["password"], "password": {"user":
        {"name": "demo", "domain": {"id": "default"}, "password": "no"}}}}});
    let url = format!("{}/auth/tokens", cloud.auth_url());
    let answer = http().post(url).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert!(answer.headers().contains_key("x-openstack-request-id"));
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["title"], "Unauthorized");
    assert_eq!(body["error"]["code"], 401);
}

#[tokio::test]
async fn the_catalogue_has_every_service_in_three_interfaces() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let catalog = client.get("/identity/v3/auth/catalog").await["catalog"].clone();
    let kinds: Vec<&str> = catalog
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "identity",
            "image",
            "compute",
            "network",
            "dns",
            "orchestration"
        ]
    );
    assert_eq!(catalog[4]["endpoints"].as_array().unwrap().len(), 3);
    for service in catalog.as_array().unwrap() {
        let url = service["endpoints"][0]["url"].as_str().unwrap();
        let answer = client.call("GET", url, None).await;
        assert!(
            answer.status == 200 || answer.status == 300 || answer.status == 404,
            "{url}"
        );
    }
}

#[tokio::test]
async fn roots_answer_as_the_real_ones() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    for (path, status) in [
        ("/identity", 300),
        ("/image", 300),
        ("/heat-api", 300),
        ("/compute", 200),
        ("/networking", 200),
        ("/dns", 200),
        ("/nothing", 404),
    ] {
        assert_eq!(
            client.call("GET", path, None).await.status,
            status,
            "{path}"
        );
    }
}

#[tokio::test]
async fn application_credentials_work_but_not_with_heat() {
    let cloud = start().await;
    let yaml = cloud.clouds_yaml();
    let value = |key: &str| {
        let line = yaml
            .lines()
            .find(|line| line.trim().starts_with(key))
            .unwrap();
        line.split(": ").nth(1).unwrap().to_owned()
    };
    let identity = json!({"methods": ["application_credential"], "application_credential": {
        "id": value("application_credential_id"),
        "secret": value("application_credential_secret")}});
    let client = Client::auth(&cloud, json!({"auth": {"identity": identity}})).await;
    client.get("/dns/v2/zones").await;
    let body = json!({"stack_name": "x", "template": {"heat_template_version": "2018-08-31"}});
    let answer = client
        .call("POST", &client.heat("/stacks"), Some(body))
        .await;
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.body["error"],
        json!({"type": "RemoteError", "traceback": null})
    );
    assert!(cloud.snapshot().stacks.is_empty());
}

#[tokio::test]
async fn nova_negotiates_microversions() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let ask = async |version: &str| {
        let headers = [("openstack-api-version", version)];
        client
            .call_with("GET", "/compute/v2.1/servers", None, &headers)
            .await
    };
    let answer = ask("compute 2.90").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["openstack-api-version"], "compute 2.90");
    assert!(answer.headers.contains_key("x-compute-request-id"));
    assert_eq!(ask("compute 2.999").await.status, 406);
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let cloud = start().await;
    let reader = Client::login(&cloud, "reader", "demo").await;
    reader.get("/dns/v2/zones").await;
    let zone = json!({"name": "r.example.test.", "email": "a@b.test"});
    assert_eq!(
        reader
            .call("POST", "/dns/v2/zones", Some(zone))
            .await
            .status,
        403
    );
    let network = json!({"network": {"name": "x"}});
    let refused = reader
        .call("POST", "/networking/v2.0/networks", Some(network))
        .await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.body["NeutronError"]["type"], "PolicyNotAuthorized");
}

#[tokio::test]
async fn requests_are_counted_and_recorded() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    client.get("/dns/v2/zones").await;
    let requests = cloud.requests();
    assert_eq!(requests.of(crate::simcloud::Service::Dns, "GET"), 1);
    assert_eq!(requests.to(crate::simcloud::Service::Identity), 1);
    let last = requests.latest.back().unwrap();
    let carries =
        |(name, value): &(String, String)| name == "x-auth-token" && *value == client.token;
    assert!(last.headers.iter().any(carries));
    cloud.shutdown().await;
}
