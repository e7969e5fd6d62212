//! What the simulated cloud reads: templates over HTTP, questions over DNS. Whatever comes, it stays up.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use http::Method;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tempest_operator::dns::{self, Question};
use tempest_operator::openstack::{
    CaSource, CloudsFile, EndpointPolicy, Response, RetryPolicy, Service, Session, SessionOptions,
};
use tempest_operator::scenario::Catalogue;
use tempest_operator::simcloud::{SimCloud, SimOptions};
use tokio::net::UdpSocket;

use super::mutate;

/// Long enough for a machine that is busy; only what hangs takes it.
const PATIENCE: Duration = Duration::from_secs(30);

async fn start() -> (SimCloud, Session) {
    let cloud = SimCloud::start(SimOptions::default()).await.unwrap();
    let clouds = CloudsFile::parse(&cloud.clouds_yaml(), None).unwrap();
    let entry = clouds.names()[0].to_owned();
    let options = SessionOptions {
        retry: RetryPolicy { retries: 0, ..RetryPolicy::default() },
        policy: EndpointPolicy::allowing_loopback(),
        ..SessionOptions::default()
    };
    let session =
        Session::connect(clouds.cloud(&entry, CaSource::Inline(None)).unwrap(), options).await.unwrap();
    (cloud, session)
}

/// The templates of the built-in scenarios, and one with every function.
fn templates() -> Vec<Value> {
    let catalogue = Catalogue::built_in().unwrap();
    let built_in =
        catalogue.iter().flat_map(|scenario| scenario.templates.values().cloned().collect::<Vec<_>>());
    built_in.chain([FUNCTIONS.to_owned()]).map(|text| serde_saphyr::from_str(&text).unwrap()).collect()
}

const FUNCTIONS: &str = "
heat_template_version: 2018-08-31
parameters:
  names: {type: comma_delimited_list, default: 'a,b,c'}
  count: {type: number, default: 2, constraints: [{range: {min: 1, max: 9}}]}
  text: {type: string, default: abc, constraints: [{allowed_pattern: '[a-c]+'}, {length: {max: 9}}]}
  map: {type: json, default: {x: [1, 2]}}
conditions:
  yes: {equals: [{get_param: text}, abc]}
  all: {and: [yes, {not: {or: [{equals: [1, 2]}, no]}}]}
  no: {not: yes}
resources:
  random: {type: 'OS::Heat::RandomString', properties: {length: 8, character_classes: [{class: digits, min: 2}]}}
  value:
    type: OS::Heat::Value
    condition: all
    properties:
      value:
        replaced: {str_replace: {template: '$a-$b', params: {$a: {get_param: text}, $b: {get_attr: [random, value]}}}}
        joined: {list_join: [',', {get_param: names}, [x, {get_param: [map, x, 0]}]]}
        split: {str_split: ['-', 'a-b-c', 1]}
        repeated: {repeat: {for_each: {<%n%>: {get_param: names}}, template: {name: <%n%>}}}
        merged: {map_merge: [{get_param: map}, {y: {if: [all, 1, 2]}}]}
        all: {list_concat: [{get_param: names}, [d]]}
  group:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: count}
      resource_def: {type: 'OS::Heat::Value', properties: {value: '%index%'}}
outputs:
  value: {value: {get_attr: [value, value]}}
  refs: {value: {get_attr: [group, refs]}}
";

async fn heat(session: &Session, path: &str, body: &Value) -> Response {
    let request = session.request(Service::Orchestration, Method::POST, path).json(body).send_any();
    tokio::time::timeout(PATIENCE, request).await.expect("an answer in time").expect("an answer")
}

/// Previews and creates a stack of the template, waits for its end and deletes it.
async fn play(session: &Session, template: &Value, number: usize) {
    let name = format!("fuzz-{number}");
    let body = json!({ "stack_name": name, "template": template, "parameters": {} });
    assert_ne!(heat(session, "/validate", &body).await.status, 500);
    assert_ne!(heat(session, "/stacks/preview", &body).await.status, 500);
    let made = heat(session, "/stacks", &body).await;
    assert_ne!(made.status, 500, "{}", made.body);
    if !made.is_success() {
        assert!(made.error_message().is_some(), "{}", made.body);
        return;
    }
    let heat = session.heat();
    let ended = async {
        loop {
            let stack = heat.find_stack(&name).await.expect("the stack");
            if stack.status.is_settled() {
                break stack;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let stack = tokio::time::timeout(PATIENCE, ended).await.expect("an end in time");
    heat.delete_stack(&stack.reference()).await.expect("a deletion");
}

#[test]
fn a_damaged_template_makes_a_stack_or_is_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_cloud, session) = runtime.block_on(start());
    let numbers = AtomicUsize::new(0);
    let texts = templates().iter().map(|template| serde_saphyr::to_string(template).unwrap()).collect();
    let damaged = prop_oneof![
        3 => mutate::json(templates()),
        1 => mutate::text(texts).prop_map(Value::String),
    ];
    let holds = TestRunner::new(mutate::few()).run(&damaged, |template| {
        runtime.block_on(play(&session, &template, numbers.fetch_add(1, Ordering::Relaxed)));
        Ok(())
    });
    holds.unwrap_or_else(|failure| panic!("{failure}"));
}

fn question(name: &str, rtype: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), rtype)).set_edns(Edns::new());
    message.to_vec().unwrap()
}

#[test]
fn after_damaged_questions_a_name_server_answers_good_ones() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (cloud, _session) = runtime.block_on(start());
    let server = cloud.name_servers()[0];
    let zone = cloud.zone_suffix().to_owned();
    let questions =
        [RecordType::SOA, RecordType::ANY, RecordType::TXT].map(|rtype| question(&zone, rtype)).to_vec();
    let holds = TestRunner::new(mutate::few()).run(&mutate::bytes(questions), |bytes| {
        runtime.block_on(asks(server, &bytes, &zone));
        Ok(())
    });
    holds.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn asks(server: SocketAddr, bytes: &[u8], zone: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&bytes[..bytes.len().min(60_000)], server).await.unwrap();
    let good = Question::new(zone, dns::RecordType::Soa);
    dns::ask(server, &good, dns::Transport::Udp, PATIENCE).await.expect("an answer");
}
