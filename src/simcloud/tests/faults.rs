use std::{sync::Arc, time::Duration};

use hickory_proto::{op::ResponseCode, rr::RecordType};
use serde_json::json;

use super::client::{Client, ask, ask_tcp, data, http, start};
use crate::simcloud::{Fault, GuestView, Guests, NameServerMode, Scope, Service, SimCloud, SimOptions};

async fn record(client: &Client, zone: &str, name: &str) -> String {
    let body = json!({"name": name, "type": "A", "records": ["192.0.2.9"]});
    let made = client.post(&format!("/dns/v2/zones/{zone}/recordsets"), body).await;
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_fault_has_a_name_of_its_own() {
    let mut names: Vec<&str> = Fault::all().iter().map(Fault::name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(names.iter().all(|name| Fault::by_name(name).is_some()));
}

#[tokio::test]
async fn name_servers_misbehave_one_by_one() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let zone = client.zone("q.example.test.").await;
    record(&client, &zone, "a.q.example.test.").await;
    let servers = cloud.name_servers();
    let name = "a.q.example.test.";
    let mode = |mode| cloud.faults().inject(Fault::NameServer { index: 1, mode });
    let code =
        async |server| ask(server, name, RecordType::A).await.map(|answer| answer.metadata.response_code);
    for (wrong, expected) in [
        (NameServerMode::ServFail, Some(ResponseCode::ServFail)),
        (NameServerMode::Refused, Some(ResponseCode::Refused)),
        (NameServerMode::Silent, None),
        (NameServerMode::Stopped, None),
        (NameServerMode::TcpOnly, None),
    ] {
        let id = mode(wrong);
        assert_eq!(code(servers[1]).await, expected, "{wrong:?}");
        assert_eq!(code(servers[0]).await, Some(ResponseCode::NoError));
        cloud.faults().clear(id);
    }
    let id = mode(NameServerMode::NotAuthoritative);
    assert!(!ask(servers[1], name, RecordType::A).await.unwrap().metadata.authoritative);
    cloud.faults().clear(id);
    let id = mode(NameServerMode::UdpOnly);
    assert!(ask_tcp(servers[1], name, RecordType::A).await.is_none());
    assert!(ask(servers[1], name, RecordType::A).await.is_some());
    cloud.faults().clear(id);
    let id = mode(NameServerMode::Truncating);
    assert!(ask(servers[1], name, RecordType::A).await.unwrap().metadata.truncation);
    cloud.faults().clear(id);
    mode(NameServerMode::Stale);
    record(&client, &zone, "b.q.example.test.").await;
    let new = async |server| ask(server, "b.q.example.test.", RecordType::A).await.unwrap().answers.len();
    assert_eq!((new(servers[0]).await, new(servers[1]).await), (1, 0));
    cloud.faults().clear_all();
    assert_eq!(new(servers[1]).await, 1);
}

#[tokio::test]
async fn the_worker_stops_and_goes_on() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let zone = client.zone("w.example.test.").await;
    let stopped = cloud.faults().inject(Fault::WorkerStopped);
    let id = record(&client, &zone, "a.w.example.test.").await;
    let path = format!("/dns/v2/zones/{zone}/recordsets/{id}");
    assert_eq!(client.get(&path).await["status"], "PENDING");
    let late = client.zone("late.example.test.").await;
    assert_eq!(client.get(&format!("/dns/v2/zones/{late}")).await["status"], "PENDING");
    cloud.faults().clear(stopped);
    assert_eq!(client.get(&path).await["status"], "ACTIVE");
    assert_eq!(client.get(&format!("/dns/v2/zones/{late}")).await["status"], "ACTIVE");
}

#[tokio::test]
async fn what_is_served_can_be_wrong() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let zone = client.zone("v.example.test.").await;
    let server = cloud.name_servers()[0];
    let only = |name: &str| Scope { name: Some(name.to_owned()), ..Scope::default() };
    cloud.faults().inject_in(Fault::LostAddress, only("lost."));
    cloud.faults().inject_in(Fault::WrongAddress, only("wrong."));
    cloud.faults().inject_in(Fault::WrongTtl, only("ttl."));
    cloud.faults().inject_in(Fault::RecordLeftBehind, only("left."));
    for name in ["lost", "wrong", "ttl", "left"] {
        let id = record(&client, &zone, &format!("{name}.v.example.test.")).await;
        if name == "left" {
            client.call("DELETE", &format!("/dns/v2/zones/{zone}/recordsets/{id}"), None).await;
            assert!(cloud.snapshot().recordsets.iter().all(|set| !set.name.starts_with("left")));
        }
    }
    let found = async |name: &str| {
        let answer = ask(server, &format!("{name}.v.example.test."), RecordType::A).await.unwrap();
        (data(&answer), answer.answers.first().map_or(0, |record| record.ttl))
    };
    assert_eq!(found("lost").await, (vec![], 0));
    assert_eq!(found("wrong").await, (vec!["203.0.113.254".to_owned()], 60));
    assert_eq!(found("ttl").await, (vec!["192.0.2.9".to_owned()], 1294));
    assert_eq!(found("left").await.0, ["192.0.2.9"]);
}

#[tokio::test]
async fn calls_fail_as_told() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let dns = Scope { service: Some(Service::Dns), times: Some(2), skip: 1, ..Scope::default() };
    cloud.faults().inject_in(Fault::Answer(503), dns);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(client.call("GET", "/dns/v2/zones", None).await.status);
    }
    assert_eq!(seen, [200, 503, 503, 200]);
    assert_eq!(client.call("GET", "/networking/v2.0/ports", None).await.status, 200);
    let url = format!("{}/dns/v2/zones", cloud.auth_url().trim_end_matches("/identity/v3"));
    let once = || Scope { times: Some(1), ..Scope::default() };
    cloud.faults().inject_in(Fault::Reset, once());
    assert!(http().get(&url).header("x-auth-token", &client.token).send().await.is_err());
    // The answer is lost, the change is not.
    cloud.faults().inject_in(Fault::AnswerLost, once());
    let body = json!({"name": "lost.example.test.", "email": "a@b.test"});
    let lost = http().post(&url).header("x-auth-token", &client.token).json(&body).send().await;
    assert!(lost.is_err());
    assert_eq!(cloud.snapshot().zones.len(), 1);
    let hang = cloud.faults().inject(Fault::Hang);
    let pending = http().get(&url).header("x-auth-token", &client.token).send();
    assert!(tokio::time::timeout(Duration::from_millis(100), pending).await.is_err());
    cloud.faults().clear(hang);
    cloud.faults().inject(Fault::TokenLifetime(Duration::ZERO));
    assert_eq!(client.call("GET", "/dns/v2/zones", None).await.status, 401);
    cloud.faults().clear_all();
    assert_eq!(client.call("GET", "/dns/v2/zones", None).await.status, 200);
}

#[tokio::test]
async fn stacks_lie_and_leak_as_told() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let template = "
heat_template_version: 2018-08-31
resources:
  zone: {type: OS::Designate::Zone, properties: {name: e.example.test., email: a@b.test}}
  fip: {type: OS::Neutron::FloatingIP, properties: {floating_network: public}}
";
    let designate = Scope { name: Some("Designate".to_owned()), ..Scope::default() };
    cloud.faults().inject_in(Fault::EmptyStack, designate);
    cloud.faults().inject(Fault::FloatingIpLeftBehind);
    let stack = client.stack("e", template, json!({})).await;
    assert_eq!(stack["stack_status"], "CREATE_COMPLETE");
    assert!(cloud.snapshot().zones.is_empty());
    client.delete_stack("e", stack["id"].as_str().unwrap()).await;
    let snapshot = cloud.snapshot();
    assert_eq!(snapshot.floating_ips.len(), 1);
    assert!(!snapshot.is_clean());
}

#[tokio::test]
async fn a_booted_guest_prints_what_the_test_says() {
    let print = |guest: &GuestView| format!("{}\n{}", guest.name, guest.user_data);
    let guests = Guests::Booted(Arc::new(print));
    let cloud = SimCloud::start(SimOptions { guests, ..SimOptions::default() }).await.unwrap();
    let client = Client::demo(&cloud).await;
    let template = "
heat_template_version: 2018-08-31
resources:
  server:
    type: OS::Nova::Server
    properties: {name: guest, image: cirros-sim, flavor: m1.nano, networks: [{network: private}], user_data_format: RAW, user_data: 'look up'}
outputs: {id: {value: {get_resource: server}}}
";
    let stack = client.stack("g", template, json!({})).await;
    let id = stack["outputs"][0]["output_value"].as_str().unwrap();
    let path = format!("/compute/v2.1/servers/{id}/action");
    let console = client.post(&path, json!({"os-getConsoleOutput": {"length": 5}})).await;
    assert_eq!(console["output"], "guest\nlook up");
}

#[tokio::test]
async fn many_tests_at_once_fit() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let template = "
heat_template_version: 2018-08-31
parameters: {name: {type: string}}
resources:
  zone: {type: OS::Designate::Zone, properties: {name: {get_param: name}, email: a@b.test}}
  net: {type: OS::Neutron::Net}
  subnet: {type: OS::Neutron::Subnet, properties: {network: {get_resource: net}, cidr: 10.1.0.0/24}}
  fip: {type: OS::Neutron::FloatingIP, depends_on: zone, properties: {floating_network: public, dns_name: web, dns_domain: {get_param: name}}}
";
    let stacks = (0..200).map(|n| {
        let client = &client;
        async move {
            let name = format!("s{n}");
            let zone = json!({"name": format!("z{n}.example.test.")});
            let stack = client.stack(&name, template, zone).await;
            assert_eq!(stack["stack_status"], "CREATE_COMPLETE", "{}", stack["stack_status_reason"]);
            let stack = client.delete_stack(&name, stack["id"].as_str().unwrap()).await;
            assert_eq!(stack["stack_status"], "DELETE_COMPLETE");
        }
    });
    futures::future::join_all(stacks).await;
    assert!(cloud.snapshot().is_clean());
}

#[tokio::test]
async fn what_a_fault_would_break_is_counted_whether_it_is_on_or_not() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let zone = client.zone("c.example.test.").await;
    let reached = |fault: &Fault| cloud.faults().reached().get(fault.name()).copied().unwrap_or_default();
    assert_eq!((reached(&Fault::LostAddress), reached(&Fault::LostOnChange)), (0, 0));
    record(&client, &zone, "a.c.example.test.").await;
    client.get(&format!("/dns/v2/zones/{zone}")).await;
    assert!(reached(&Fault::LostAddress) > 0);
    assert_eq!(reached(&Fault::LostOnChange), 0, "there was nothing yet to lose");
    record(&client, &zone, "b.c.example.test.").await;
    client.get(&format!("/dns/v2/zones/{zone}")).await;
    assert!(reached(&Fault::LostOnChange) > 0);
    assert_eq!(reached(&Fault::PublicationLost), 0, "nobody published anything");
}

#[tokio::test]
async fn a_change_loses_what_was_there_and_a_name_server_is_told_wrong_things() {
    let cloud = start().await;
    let client = Client::demo(&cloud).await;
    let zone = client.zone("l.example.test.").await;
    let server = cloud.name_servers()[0];
    record(&client, &zone, "a.l.example.test.").await;
    let lost = cloud.faults().inject(Fault::LostOnChange);
    record(&client, &zone, "b.l.example.test.").await;
    let answers = async |name: &str| ask(server, name, RecordType::A).await.unwrap().answers.len();
    assert_eq!((answers("a.l.example.test.").await, answers("b.l.example.test.").await), (0, 1));
    cloud.faults().clear(lost);
    assert_eq!(answers("a.l.example.test.").await, 1);
    cloud.faults().inject(Fault::ActiveNotServed);
    let id = record(&client, &zone, "c.l.example.test.").await;
    let shown = client.get(&format!("/dns/v2/zones/{zone}/recordsets/{id}")).await;
    assert_eq!((shown["status"].as_str(), answers("c.l.example.test.").await), (Some("ACTIVE"), 0));
}
