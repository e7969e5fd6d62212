//! Reverse records that projects set for their floating IPs.

use hickory_proto::rr::RecordType;
use serde_json::{Value, json};

use super::client::{Client, ask, data, start};

/// Makes a floating IP and sets its reverse record; its path in Neutron and its path in Designate.
async fn named(client: &Client, address: Option<&str>, name: &str) -> (Value, String, String) {
    let network = client.network("public").await;
    let wanted = json!({"floatingip": {"floating_network_id": network, "floating_ip_address": address}});
    let made = client.post("/networking/v2.0/floatingips", wanted).await["floatingip"].clone();
    let id = made["id"].as_str().unwrap();
    let in_dns = format!("/dns/v2/reverse/floatingips/RegionOne:{id}");
    if !name.is_empty() {
        let set = client.call("PATCH", &in_dns, Some(json!({"ptrdname": name}))).await;
        assert_eq!(set.status, 202, "{}", set.body);
    }
    (made["floating_ip_address"].clone(), format!("/networking/v2.0/floatingips/{id}"), in_dns)
}

fn reverse_name(address: &Value) -> String {
    let mut octets: Vec<&str> = address.as_str().unwrap().split('.').collect();
    octets.reverse();
    format!("{}.in-addr.arpa.", octets.join("."))
}

#[tokio::test]
async fn who_has_set_a_reverse_record_can_unset_it_after_the_floating_ip_is_gone() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let (address, floating_ip, in_dns) = named(&client, None, "one.example.").await;
    assert_eq!(client.call("DELETE", &floating_ip, None).await.status, 204);
    assert_eq!(client.call("GET", &in_dns, None).await.status, 404);
    let server = cloud.name_servers()[0];
    let name = reverse_name(&address);
    assert_eq!(data(&ask(server, &name, RecordType::PTR).await.unwrap()), ["one.example."]);
    let unset = json!({"ptrdname": null});
    assert_eq!(client.call("PATCH", &in_dns, Some(unset.clone())).await.status, 202);
    assert_eq!(client.call("PATCH", &in_dns, Some(unset)).await.status, 404);
    assert_eq!(data(&ask(server, &name, RecordType::PTR).await.unwrap()), [""; 0]);
    assert!(cloud.snapshot().is_clean());
}

#[tokio::test]
async fn what_the_last_owner_of_an_address_has_set_goes_when_the_next_one_looks() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let (address, floating_ip, in_dns) = named(&client, None, "one.example.").await;
    assert_eq!(client.call("DELETE", &floating_ip, None).await.status, 204);
    let admin = Client::login(&cloud, "admin", "admin").await;
    let (again, floating_ip, next) = named(&admin, address.as_str(), "").await;
    assert_eq!(again, address);
    let server = cloud.name_servers()[1];
    let name = reverse_name(&address);
    assert_eq!(data(&ask(server, &name, RecordType::PTR).await.unwrap()), ["one.example."]);
    let shown = admin.get(&next).await;
    assert_eq!((&shown["ptrdname"], &shown["status"]), (&Value::Null, &json!("INACTIVE")));
    assert_eq!(data(&ask(server, &name, RecordType::PTR).await.unwrap()), [""; 0]);
    assert_eq!(client.call("PATCH", &in_dns, Some(json!({"ptrdname": null}))).await.status, 404);
    assert_eq!(admin.call("DELETE", &floating_ip, None).await.status, 204);
    assert!(cloud.snapshot().is_clean());
}
