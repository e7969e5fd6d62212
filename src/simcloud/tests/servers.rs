use serde_json::json;

use super::client::{Client, start};
use crate::simcloud::nova::hostname;

#[test]
fn a_long_name_is_cut_before_anything_is_dropped_from_it() {
    assert_eq!(hostname(&format!("!{}.bc", "A".repeat(61))), "a".repeat(61));
}

#[tokio::test]
async fn a_server_names_its_port_and_leaves_it_nameless() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let made = client
        .post("/networking/v2.0/ports", json!({"port": {"network_id": client.network("private").await}}))
        .await["port"]
        .clone();
    let id = made["id"].as_str().unwrap();
    let image = client.get("/image/v2/images").await["images"][0]["id"].clone();
    let boot = json!({"server": {"name": "My_VM.1", "imageRef": image, "flavorRef": "42",
        "networks": [{"port": id}]}});
    let server = client.call("POST", "/compute/v2.1/servers", Some(boot.clone())).await;
    assert_eq!(server.status, 202);
    let path = format!("/compute/v2.1/servers/{}", server.body["server"]["id"].as_str().unwrap());
    let shown = client.get(&path).await["server"].clone();
    assert_eq!(shown["status"], "ACTIVE");
    assert_eq!(shown["addresses"]["private"][0]["OS-EXT-IPS:type"], "fixed");
    let bound = client.get(&format!("/networking/v2.0/ports/{id}")).await["port"].clone();
    assert_eq!(
        (bound["dns_name"].as_str(), bound["device_owner"].as_str()),
        (Some("my-vm-1"), Some("compute:nova"))
    );
    let console = client.post(&format!("{path}/action"), json!({"os-getConsoleOutput": {}})).await;
    assert_eq!(console["output"], "FAKE CONSOLE OUTPUT\nANOTHER\nLAST LINE");
    assert_eq!(client.call("POST", "/compute/v2.1/servers", Some(boot.clone())).await.status, 409);
    assert_eq!(client.call("DELETE", &path, None).await.status, 204);
    assert_eq!(client.call("GET", &path, None).await.status, 404);
    let unbound = client.get(&format!("/networking/v2.0/ports/{id}")).await["port"].clone();
    assert_eq!((unbound["dns_name"].as_str(), unbound["device_owner"].as_str()), (Some(""), Some("")));
    // A port that somebody named otherwise breaks the build, not the request.
    let rename = json!({"port": {"dns_name": "wrong"}});
    client.call("PUT", &format!("/networking/v2.0/ports/{id}"), Some(rename)).await;
    let server = client.call("POST", "/compute/v2.1/servers", Some(boot)).await;
    assert_eq!(server.status, 202);
    let path = format!("/compute/v2.1/servers/{}", server.body["server"]["id"].as_str().unwrap());
    let broken = client.get(&path).await["server"].clone();
    assert_eq!(broken["status"], "ERROR");
    assert!(broken["fault"]["message"].as_str().unwrap().contains("Exhausted all hosts"));
    let left = client.get(&format!("/networking/v2.0/ports/{id}")).await["port"].clone();
    assert_eq!((left["dns_name"].as_str(), left["device_id"].as_str()), (Some(""), Some("")));
}
