//! The services' answers: those that a real cloud gave, damaged.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempest_operator::openstack::designate::{PoolNameServer, RecordSet, Zone};
use tempest_operator::openstack::glance::Image;
use tempest_operator::openstack::heat::{Stack, StackEvent, StackResource, TemplateSummary};
use tempest_operator::openstack::neutron::{FloatingIp, Network, Port, Router, Subnet};
use tempest_operator::openstack::nova::{Flavor, Server};
use tempest_operator::openstack::{
    CaSource, CloudsFile, EndpointPolicy, Response, RetryPolicy, Service, Session, SessionOptions,
};

use super::{LONGEST_ERROR, mutate};
use crate::support::repository;

const PASSWORD: &str = "fake-password-1234";
const TOKEN: &str = "gAAAA-fake-token";

/// The bodies of the answers of one service, or of all.
fn bodies(service: &str) -> Vec<Value> {
    let mut folders = vec![repository("tests/fixtures/openstack").join(service)];
    let mut bodies = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let mut fixture: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
                bodies.push(fixture["body"].take());
            }
        }
    }
    assert!(!bodies.is_empty());
    bodies
}

fn response(status: u16, body: &Value) -> Response {
    Response {
        service: Service::Orchestration,
        method: Method::GET,
        path: "/stacks".to_owned(),
        status,
        headers: std::collections::BTreeMap::new(),
        body: body.clone(),
        request_id: None,
        global_request_id: "req-1".to_owned(),
        elapsed: Duration::ZERO,
        repeated: false,
    }
}

/// Reads it as a type; an error is short.
fn read<T: DeserializeOwned>(body: &Value, member: &str) -> Result<(), TestCaseError> {
    let member = Some(member).filter(|member| !member.is_empty());
    if let Err(error) = response(200, body).read::<T>(member) {
        let text = error.to_string();
        prop_assert!(text.chars().count() <= LONGEST_ERROR, "{}", text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(mutate::few())]

    #[test]
    fn a_damaged_answer_is_read_or_its_error_is_short(body in mutate::json(bodies(""))) {
        read::<Stack>(&body, "stack")?;
        read::<Vec<Stack>>(&body, "stacks")?;
        read::<Vec<StackResource>>(&body, "resources")?;
        read::<Vec<StackEvent>>(&body, "events")?;
        read::<TemplateSummary>(&body, "")?;
        read::<Zone>(&body, "")?;
        read::<Vec<Zone>>(&body, "zones")?;
        read::<RecordSet>(&body, "")?;
        read::<Vec<RecordSet>>(&body, "recordsets")?;
        read::<Vec<PoolNameServer>>(&body, "nameservers")?;
        read::<Vec<Network>>(&body, "networks")?;
        read::<Vec<Subnet>>(&body, "subnets")?;
        read::<Vec<Router>>(&body, "routers")?;
        read::<Port>(&body, "port")?;
        read::<Vec<Port>>(&body, "ports")?;
        read::<FloatingIp>(&body, "floatingip")?;
        read::<Server>(&body, "server")?;
        read::<Vec<Server>>(&body, "servers")?;
        read::<Vec<Flavor>>(&body, "flavors")?;
        read::<Image>(&body, "")?;
        read::<Vec<Image>>(&body, "images")?;
    }

    #[test]
    fn a_damaged_refusal_has_short_words(body in mutate::json(bodies(""))) {
        let message = response(400, &body).error_message().unwrap_or_default();
        prop_assert!(message.chars().count() <= LONGEST_ERROR, "{}", message);
    }
}

/// A Keystone that answers every login with whatever it was told to.
struct Keystone {
    address: SocketAddr,
    body: Arc<Mutex<String>>,
}

impl Keystone {
    async fn start() -> Self {
        let body = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&body);
        let answer = move || {
            let body = told.lock().unwrap().clone();
            async move { ([("x-subject-token", TOKEN), ("content-type", "application/json")], body) }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, body }
    }

    /// What a client says of the answer.
    async fn login(&self, body: &str) -> Result<(), String> {
        body.clone_into(&mut self.body.lock().unwrap());
        let clouds = format!(
            "clouds: {{ test: {{ auth: {{ auth_url: 'http://{}', username: demo, password: {PASSWORD}, \
             project_name: demo, user_domain_id: default }} }} }}",
            self.address
        );
        let cloud = CloudsFile::parse(&clouds, None).unwrap().cloud("test", CaSource::Inline(None)).unwrap();
        let options = SessionOptions {
            retry: RetryPolicy { retries: 0, ..RetryPolicy::default() },
            policy: EndpointPolicy::allowing_loopback(),
            ..SessionOptions::default()
        };
        Session::connect(cloud, options).await.map(drop).map_err(|error| format!("{error} {error:?}"))
    }
}

#[test]
fn a_damaged_token_is_taken_or_its_error_is_short_and_keeps_secrets() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let keystone = runtime.block_on(Keystone::start());
    let mut tokens = bodies("keystone");
    for token in &mut tokens {
        token["echo"] = Value::from(PASSWORD);
    }
    let damaged = prop_oneof![
        mutate::json_text(tokens.clone()),
        mutate::text(tokens.iter().map(ToString::to_string).collect()),
    ];
    let holds = TestRunner::new(mutate::few()).run(&damaged, |body| {
        if let Err(told) = runtime.block_on(keystone.login(&body)) {
            prop_assert!(told.chars().count() <= 2 * LONGEST_ERROR, "{}", told);
            prop_assert!(!told.contains(PASSWORD) && !told.contains(TOKEN), "{}", told);
        }
        Ok(())
    });
    holds.unwrap_or_else(|failure| panic!("{failure}"));
}
