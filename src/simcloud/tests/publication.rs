use hickory_proto::{op::ResponseCode, rr::RecordType};
use serde_json::{Value, json};

use super::client::{Client, ask, data, start};

fn reverse(address: &str) -> String {
    let mut octets: Vec<&str> = address.split('.').collect();
    octets.reverse();
    format!("{}.in-addr.arpa.", octets.join("."))
}

async fn fip(client: &Client, extra: Value) -> super::client::Answer {
    let mut wanted = json!({"floating_network_id": client.network("public").await});
    wanted.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    client.call("POST", "/networking/v2.0/floatingips", Some(json!({"floatingip": wanted}))).await
}

async fn port(client: &Client, network: &str, extra: Value) -> super::client::Answer {
    let mut wanted = json!({"network_id": client.network(network).await});
    wanted.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    client.call("POST", "/networking/v2.0/ports", Some(json!({"port": wanted}))).await
}

#[tokio::test]
async fn a_floating_ip_with_its_own_name_is_published_both_ways() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    client.zone("f.example.test.").await;
    let made = fip(&client, json!({"dns_name": "Web", "dns_domain": "f.example.test."})).await;
    assert_eq!(made.status, 201);
    let made = &made.body["floatingip"];
    assert_eq!(
        (made["dns_name"].as_str(), made["dns_domain"].as_str()),
        (Some("web"), Some("f.example.test."))
    );
    let address = made["floating_ip_address"].as_str().unwrap();
    for server in cloud.name_servers() {
        let answer = ask(server, "web.f.example.test.", RecordType::A).await.unwrap();
        assert_eq!(data(&answer), [address]);
        let answer = ask(server, &reverse(address), RecordType::PTR).await.unwrap();
        assert_eq!(data(&answer), ["web.f.example.test."]);
    }
    let path = format!("/networking/v2.0/floatingips/{}", made["id"].as_str().unwrap());
    let refused = client.call("PUT", &path, Some(json!({"floatingip": {"dns_name": "x"}}))).await;
    assert_eq!(refused.status, 400);
    assert_eq!(client.call("DELETE", &path, None).await.status, 204);
    let server = cloud.name_servers()[1];
    for (name, kind) in
        [("web.f.example.test.".to_owned(), RecordType::A), (reverse(address), RecordType::PTR)]
    {
        let answer = ask(server, &name, kind).await.unwrap();
        assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
    }
    // The reverse zone is Neutron's own, and stays.
    let snapshot = cloud.snapshot();
    assert_eq!((snapshot.zones.len(), snapshot.reverse_zones.len()), (1, 1));
    assert!(snapshot.recordsets.is_empty());
}

#[tokio::test]
async fn a_floating_ip_takes_its_ports_name_and_its_networks_domain() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    client.zone("g.example.test.").await;
    let network = client.network("private").await;
    let domain = json!({"network": {"dns_domain": "g.example.test."}});
    let path = format!("/networking/v2.0/networks/{network}");
    assert_eq!(client.call("PUT", &path, Some(domain)).await.status, 200);
    let one = port(&client, "private", json!({"dns_name": "one"})).await.body["port"].clone();
    let server = cloud.name_servers()[0];
    // A name on an ordinary tenant network stays inside.
    assert_eq!(one["dns_assignment"][0]["fqdn"], "one.internal.test.");
    let answer = ask(server, "one.g.example.test.", RecordType::A).await.unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
    let made = fip(&client, json!({"port_id": one["id"]})).await.body["floatingip"].clone();
    assert_eq!(made["dns_name"], "");
    let address = made["floating_ip_address"].as_str().unwrap().to_owned();
    assert_eq!(data(&ask(server, "one.g.example.test.", RecordType::A).await.unwrap()), [address.as_str()]);
    let two = port(&client, "private", json!({"dns_name": "two"})).await.body["port"].clone();
    let path = format!("/networking/v2.0/floatingips/{}", made["id"].as_str().unwrap());
    let moved = json!({"floatingip": {"port_id": two["id"]}});
    assert_eq!(client.call("PUT", &path, Some(moved)).await.status, 200);
    let answer = ask(server, "one.g.example.test.", RecordType::A).await.unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(data(&ask(server, "two.g.example.test.", RecordType::A).await.unwrap()), [address.as_str()]);
    assert_eq!(
        data(&ask(server, &reverse(&address), RecordType::PTR).await.unwrap()),
        ["two.g.example.test."]
    );
    // Neutron 29 forgets the name of one that moved: its A record stays behind, its reverse record does not.
    assert_eq!(client.call("DELETE", &path, None).await.status, 204);
    assert_eq!(data(&ask(server, "two.g.example.test.", RecordType::A).await.unwrap()), [address.as_str()]);
    let answer = ask(server, &reverse(&address), RecordType::PTR).await.unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
}

#[tokio::test]
async fn a_port_on_a_published_network_follows_its_name_and_domain() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    client.zone("h.example.test.").await;
    client.zone("i.example.test.").await;
    let named = json!({"dns_name": "host", "dns_domain": "h.example.test."});
    let made = port(&client, "published", named).await.body["port"].clone();
    assert_eq!(made["dns_assignment"][0]["fqdn"], "host.h.example.test.");
    let address = made["fixed_ips"][0]["ip_address"].as_str().unwrap().to_owned();
    let server = cloud.name_servers()[1];
    assert_eq!(data(&ask(server, "host.h.example.test.", RecordType::A).await.unwrap()), [address.as_str()]);
    let path = format!("/networking/v2.0/ports/{}", made["id"].as_str().unwrap());
    let moved = json!({"port": {"dns_domain": "i.example.test.", "dns_name": "other"}});
    assert_eq!(client.call("PUT", &path, Some(moved)).await.status, 200);
    let answer = ask(server, "host.h.example.test.", RecordType::A).await.unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(data(&ask(server, "other.i.example.test.", RecordType::A).await.unwrap()), [address.as_str()]);
    assert_eq!(
        data(&ask(server, &reverse(&address), RecordType::PTR).await.unwrap()),
        ["other.i.example.test."]
    );
    assert_eq!(client.call("DELETE", &path, None).await.status, 204);
    assert!(cloud.snapshot().recordsets.is_empty());
}

#[tokio::test]
async fn a_subnet_flag_publishes_only_its_own_addresses() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    client.zone("j.example.test.").await;
    let net = client
        .post("/networking/v2.0/networks", json!({"network": {"name": "n", "dns_domain": "j.example.test."}}))
        .await;
    let net = net["network"]["id"].clone();
    for (cidr, publish) in [("10.5.0.0/24", false), ("2001:db8:5::/64", true)] {
        let version = if publish { 6 } else { 4 };
        client
            .post(
                "/networking/v2.0/subnets",
                json!({"subnet": {"network_id": net,
            "ip_version": version, "cidr": cidr, "dns_publish_fixed_ip": publish}}),
            )
            .await;
    }
    let made =
        client.post("/networking/v2.0/ports", json!({"port": {"network_id": net, "dns_name": "six"}})).await;
    assert_eq!(made["port"]["fixed_ips"].as_array().unwrap().len(), 2);
    let server = cloud.name_servers()[0];
    assert_eq!(ask(server, "six.j.example.test.", RecordType::AAAA).await.unwrap().answers.len(), 1);
    assert_eq!(ask(server, "six.j.example.test.", RecordType::A).await.unwrap().answers.len(), 0);
}

#[tokio::test]
async fn a_deleted_port_takes_back_only_what_its_subnets_publish_now() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    client.zone("l.example.test.").await;
    let net = json!({"network": {"name": "n", "dns_domain": "l.example.test."}});
    let net = client.post("/networking/v2.0/networks", net).await["network"]["id"].clone();
    let mut subnets = Vec::new();
    for (version, cidr) in [(4, "198.18.0.0/24"), (6, "2001:db8:6::/64")] {
        let wanted =
            json!({"network_id": net, "ip_version": version, "cidr": cidr, "dns_publish_fixed_ip": true});
        let made = client.post("/networking/v2.0/subnets", json!({"subnet": wanted})).await;
        subnets.push(made["subnet"]["id"].clone());
    }
    let set_v6 = async |publish: bool| {
        let path = format!("/networking/v2.0/subnets/{}", subnets[1].as_str().unwrap());
        let answer =
            client.call("PUT", &path, Some(json!({"subnet": {"dns_publish_fixed_ip": publish}}))).await;
        assert_eq!(answer.status, 200);
    };
    let delete = async |port: &Value| {
        let path = format!("/networking/v2.0/ports/{}", port["port"]["id"].as_str().unwrap());
        assert_eq!(client.call("DELETE", &path, None).await.status, 204);
    };
    let mut wanted = json!({"network_id": net, "dns_name": "both"});
    let made = client.post("/networking/v2.0/ports", json!({"port": wanted})).await;
    let server = cloud.name_servers()[0];
    let answers = async |kind| ask(server, "both.l.example.test.", kind).await.unwrap().answers.len();
    assert_eq!((answers(RecordType::A).await, answers(RecordType::AAAA).await), (1, 1));
    set_v6(false).await;
    delete(&made).await;
    assert_eq!((answers(RecordType::A).await, answers(RecordType::AAAA).await), (0, 1));
    // A port of the same name and addresses takes the rest along, and its reverse record.
    set_v6(true).await;
    wanted["fixed_ips"] = made["port"]["fixed_ips"].clone();
    let again = client.post("/networking/v2.0/ports", json!({"port": wanted})).await;
    delete(&again).await;
    assert!(cloud.snapshot().recordsets.is_empty());
}

#[tokio::test]
async fn keywords_of_a_domain_are_filled_in_but_not_when_it_has_just_been_changed() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let named = json!({"dns_name": "a", "dns_domain": "<project_id>.m.example.test."});
    let made = port(&client, "published", named).await.body["port"].clone();
    let path = format!("/networking/v2.0/ports/{}", made["id"].as_str().unwrap());
    let fqdn = |port: &Value| port["dns_assignment"][0]["fqdn"].as_str().unwrap().to_owned();
    assert_eq!(fqdn(&made), format!("a.{}.m.example.test.", client.project));
    for (change, expected) in [
        (json!({"dns_domain": "<project_id>.n.example.test."}), "a.<project_id>.n.example.test.".to_owned()),
        (json!({"dns_name": "b"}), format!("b.{}.n.example.test.", client.project)),
    ] {
        let changed = client.call("PUT", &path, Some(json!({"port": change}))).await;
        assert_eq!((changed.status, fqdn(&changed.body["port"])), (200, expected));
    }
}

#[tokio::test]
async fn what_designate_refuses_neutron_mostly_swallows() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let other = Client::login(&cloud, "demo2", "demo2").await;
    let zone = client.zone("k.example.test.").await;
    // No zone, a foreign zone, a name that is taken: all accepted, none published.
    let missing = json!({"dns_name": "a", "dns_domain": "missing.example.test."});
    assert_eq!(fip(&client, missing).await.status, 201);
    let foreign = json!({"dns_name": "a", "dns_domain": "k.example.test."});
    assert_eq!(fip(&other, foreign.clone()).await.status, 201);
    assert_eq!(fip(&client, foreign.clone()).await.status, 201);
    assert_eq!(fip(&client, foreign).await.status, 201);
    assert_eq!(cloud.snapshot().recordsets.len(), 2);
    // Over quota is told, and leaves the floating IP behind.
    let admin = Client::login(&cloud, "admin", "admin").await;
    let path = format!("/dns/v2/quotas/{}", client.project);
    let headers = [("x-auth-all-projects", "true")];
    let quota = admin.call_with("PATCH", &path, Some(json!({"zone_recordsets": 3})), &headers).await;
    assert_eq!(quota.status, 200);
    let before = cloud.snapshot().floating_ips.len();
    let over = fip(&client, json!({"dns_name": "b", "dns_domain": "k.example.test."})).await;
    assert_eq!(
        (over.status, over.body["NeutronError"]["type"].as_str()),
        (409, Some("ExternalDNSOverQuota"))
    );
    assert_eq!(cloud.snapshot().floating_ips.len(), before + 1);
    let quiet = json!({"dns_name": "c", "dns_domain": "k.example.test."});
    assert_eq!(port(&client, "published", quiet).await.status, 201);
    let direct = json!({"name": "d.k.example.test.", "type": "A", "records": ["192.0.2.1"]});
    let direct = client.call("POST", &format!("/dns/v2/zones/{zone}/recordsets"), Some(direct)).await;
    assert_eq!((direct.status, direct.body["type"].as_str()), (413, Some("over_quota")));
}

#[tokio::test]
async fn names_are_checked() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    for bad in ["a_b", "-a", "a-", "a.b.", "x.123", "x.123."] {
        assert_eq!(port(&client, "published", json!({"dns_name": bad})).await.status, 400, "{bad}");
    }
    for bad in [
        json!({"dns_name": "a"}),
        json!({"dns_domain": "a.test."}),
        json!({"dns_name": "a", "dns_domain": "a.test"}),
    ] {
        assert_eq!(fip(&client, bad.clone()).await.status, 400, "{bad}");
    }
    let plain = port(&client, "published", json!({})).await.body["port"].clone();
    let hostname = plain["dns_assignment"][0]["hostname"].as_str().unwrap();
    assert!(hostname.starts_with("host-10-99-"), "{hostname}");
}
