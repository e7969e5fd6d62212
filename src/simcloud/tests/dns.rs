use hickory_proto::{op::ResponseCode, rr::RecordType};
use serde_json::json;

use super::client::{Client, ask, ask_tcp, data, start};

#[tokio::test]
async fn a_record_set_arrives_on_every_server_and_leaves_again() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let zone = client.zone("a.example.test.").await;
    let path = format!("/dns/v2/zones/{zone}/recordsets");
    let before = client.get(&format!("/dns/v2/zones/{zone}")).await;
    assert_eq!((before["status"].as_str(), before["action"].as_str()), (Some("ACTIVE"), Some("NONE")));
    let body = json!({"name": "www.a.example.test.", "type": "A", "records": ["192.0.2.7"]});
    let made = client.call("POST", &path, Some(body)).await;
    assert_eq!(made.status, 202);
    assert_eq!(
        (made.body["status"].as_str(), made.body["action"].as_str()),
        (Some("PENDING"), Some("CREATE"))
    );
    let id = made.body["id"].as_str().unwrap().to_owned();
    assert_eq!(client.get(&format!("{path}/{id}")).await["status"], "ACTIVE");
    let after = client.get(&format!("/dns/v2/zones/{zone}")).await;
    assert!(after["serial"].as_u64() > before["serial"].as_u64());
    for server in cloud.name_servers() {
        let answer = ask(server, "WWW.a.example.test.", RecordType::A).await.unwrap();
        assert!(answer.metadata.authoritative);
        assert_eq!(data(&answer), ["192.0.2.7"]);
        assert_eq!(answer.answers[0].ttl, 60);
        assert_eq!(
            data(&ask_tcp(server, "www.a.example.test.", RecordType::A).await.unwrap()),
            ["192.0.2.7"]
        );
        let soa = ask(server, "a.example.test.", RecordType::SOA).await.unwrap();
        assert!(data(&soa)[0].contains(&after["serial"].to_string()));
        let nodata = ask(server, "www.a.example.test.", RecordType::AAAA).await.unwrap();
        assert_eq!(nodata.metadata.response_code, ResponseCode::NoError);
        assert_eq!((nodata.answers.len(), nodata.authorities.len()), (0, 1));
        let missing = ask(server, "no.a.example.test.", RecordType::A).await.unwrap();
        assert_eq!(missing.metadata.response_code, ResponseCode::NXDomain);
        assert_eq!(missing.authorities.len(), 1);
        let foreign = ask(server, "elsewhere.test.", RecordType::A).await.unwrap();
        assert_eq!(foreign.metadata.response_code, ResponseCode::Refused);
        assert!(!foreign.metadata.authoritative);
    }
    let gone = client.call("DELETE", &format!("{path}/{id}"), None).await;
    assert_eq!((gone.status, gone.body["action"].as_str()), (202, Some("DELETE")));
    assert_eq!(client.call("GET", &format!("{path}/{id}"), None).await.status, 404);
    let server = cloud.name_servers()[1];
    let missing = ask(server, "www.a.example.test.", RecordType::A).await.unwrap();
    assert_eq!(missing.metadata.response_code, ResponseCode::NXDomain);
    assert_eq!(client.call("DELETE", &format!("/dns/v2/zones/{zone}"), None).await.status, 202);
    assert_eq!(client.call("GET", &format!("/dns/v2/zones/{zone}"), None).await.status, 404);
    let refused = ask(server, "a.example.test.", RecordType::SOA).await.unwrap();
    assert_eq!(refused.metadata.response_code, ResponseCode::Refused);
    assert!(cloud.snapshot().is_clean());
}

#[tokio::test]
async fn designate_refuses_as_the_real_one() {
    let cloud = start().await;
    let one = Client::demo(&cloud).await;
    let two = Client::login(&cloud, "demo2", "demo2").await;
    one.zone("b.example.test.").await;
    let refusal = async |client: &Client, name: &str| {
        let body = json!({"name": name, "email": "a@b.test"});
        let answer = client.call("POST", "/dns/v2/zones", Some(body)).await;
        assert!(answer.body["request_id"].is_string(), "{}", answer.body);
        (answer.status, answer.body["type"].as_str().unwrap_or_default().to_owned())
    };
    let said = |status, kind: &str| (status, kind.to_owned());
    assert_eq!(refusal(&one, "b.example.test.").await, said(409, "duplicate_zone"));
    assert_eq!(refusal(&two, "b.example.test.").await, said(409, "duplicate_zone"));
    assert_eq!(refusal(&two, "x.b.example.test.").await, said(403, "illegal_child"));
    assert_eq!(refusal(&two, "example.test.").await, said(403, "illegal_parent"));
    assert_eq!(refusal(&two, "nodot.example.test").await, said(400, "invalid_object"));
    let id = one.get("/dns/v2/zones").await["zones"][0]["id"].as_str().unwrap().to_owned();
    let hidden = two.call("GET", &format!("/dns/v2/zones/{id}"), None).await;
    assert_eq!((hidden.status, hidden.body["type"].as_str()), (404, Some("zone_not_found")));
    let bad = one.call("GET", "/dns/v2/zones/nonsense", None).await;
    assert_eq!((bad.status, bad.body["type"].as_str()), (400, Some("invalid_uuid")));
    let admin = Client::login(&cloud, "admin", "admin").await;
    assert_eq!(admin.get("/dns/v2/zones").await["metadata"]["total_count"], 0);
    let all = [("x-auth-all-projects", "true")];
    let seen = admin.call_with("GET", "/dns/v2/zones", None, &all).await;
    assert_eq!(seen.body["metadata"]["total_count"], 1);
    assert_eq!(one.call_with("GET", "/dns/v2/zones", None, &all).await.status, 403);
}

#[tokio::test]
async fn lists_come_in_pages_of_twenty() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let zone = client.zone("p.example.test.").await;
    let path = format!("/dns/v2/zones/{zone}/recordsets");
    for n in 0..25 {
        let body = json!({"name": format!("n{n}.p.example.test."), "type": "A",
            "records": ["192.0.2.1"]});
        client.post(&path, body).await;
    }
    let first = client.get(&path).await;
    assert_eq!(first["recordsets"].as_array().unwrap().len(), 20);
    assert_eq!(first["metadata"]["total_count"], 27);
    let next = first["links"]["next"].as_str().unwrap();
    let second = client.get(next).await;
    assert_eq!(second["recordsets"].as_array().unwrap().len(), 7);
    assert!(second["links"].get("next").is_none());
    let full = client.get(&format!("{path}?limit=27")).await;
    assert!(full["links"]["next"].is_string());
    let one = client.get(&format!("{path}?name=n3.p.example.test.&type=A")).await;
    assert_eq!(one["recordsets"].as_array().unwrap().len(), 1);
    let by_data = client.get("/dns/v2/recordsets?data=192.0.2.1&limit=100").await;
    assert_eq!(by_data["recordsets"].as_array().unwrap().len(), 25);
}

#[tokio::test]
async fn every_type_of_record_is_served() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let zone = client.zone("t.example.test.").await;
    let path = format!("/dns/v2/zones/{zone}/recordsets");
    let cases = [
        ("AAAA", "2001:db8::1"),
        ("CNAME", "x.example.test."),
        ("MX", "10 mail.example.test."),
        ("TXT", "\"hello world\""),
        ("SRV", "0 5 5060 sip.example.test."),
        ("CAA", "0 issue ca.example"),
        ("PTR", "host.example.test."),
        ("SSHFP", "1 1 dd465c09cfa51fb45020cc83316fff21b9ec74ac"),
        ("NAPTR", "100 50 \"s\" \"http\" \"\" www.example.test."),
    ];
    for (kind, record) in cases {
        let name = format!("{}.t.example.test.", kind.to_lowercase());
        let body = json!({"name": name, "type": kind, "records": [record]});
        client.post(&path, body).await;
        let answer = ask(cloud.name_servers()[0], &name, kind.parse().unwrap()).await.unwrap();
        assert_eq!(answer.answers.len(), 1, "{kind}");
    }
}
