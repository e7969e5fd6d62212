//! A small client: reqwest and hickory, nothing of the crate's own.

use std::{net::SocketAddr, sync::Once, time::Duration};

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::{Name, RecordType},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};

use crate::simcloud::{SimCloud, SimOptions};

static PROVIDER: Once = Once::new();

pub(super) struct Client {
    http: reqwest::Client,
    pub(super) token: String,
    pub(super) project: String,
    base: String,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Value,
}

pub(super) fn http() -> reqwest::Client {
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_mins(1))
        .build()
        .unwrap()
}

pub(super) async fn start() -> SimCloud {
    SimCloud::start(SimOptions::default()).await.unwrap()
}

impl Client {
    pub(super) async fn login(cloud: &SimCloud, user: &str, project: &str) -> Self {
        let identity = json!({"methods": ["password"], "password": {"user": {"name": user,
            "domain": {"name": "Default"}, "password": SimOptions::default().password}}});
        let scope = json!({"project": {"name": project, "domain": {"id": "default"}}});
        Self::auth(cloud, json!({"auth": {"identity": identity, "scope": scope}})).await
    }

    pub(super) async fn auth(cloud: &SimCloud, body: Value) -> Self {
        let http = http();
        let url = format!("{}/auth/tokens", cloud.auth_url());
        let answer = http.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let token = answer.headers()["x-subject-token"].to_str().unwrap().to_owned();
        let body: Value = answer.json().await.unwrap();
        let project = body["token"]["project"]["id"].as_str().unwrap().to_owned();
        let base = cloud.auth_url().trim_end_matches("/identity/v3").to_owned();
        Self { http, token, project, base }
    }

    pub(super) async fn demo(cloud: &SimCloud) -> Self {
        Self::login(cloud, "demo", "demo").await
    }

    pub(super) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call_with(method, path, body, &[]).await
    }

    pub(super) async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let method = method.parse().unwrap();
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = self.http.request(method, url);
        request = request.header("x-auth-token", &self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let text = answer.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.call("POST", path, Some(body)).await;
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
        answer.body
    }

    pub(super) fn heat(&self, path: &str) -> String {
        format!("/heat-api/v1/{}{path}", self.project)
    }

    /// Creates a stack and waits for its end; answers with the whole stack.
    pub(super) async fn stack(&self, name: &str, template: &str, parameters: Value) -> Value {
        let body = json!({"stack_name": name, "template": template, "parameters": parameters});
        let made = self.post(&self.heat("/stacks"), body).await;
        self.settled(name, made["stack"]["id"].as_str().unwrap()).await
    }

    pub(super) async fn settled(&self, name: &str, id: &str) -> Value {
        for _ in 0..500 {
            let stack = self.get(&self.heat(&format!("/stacks/{name}/{id}"))).await;
            let status = stack["stack"]["stack_status"].as_str().unwrap();
            if !status.ends_with("IN_PROGRESS") {
                return stack["stack"].clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("stack {name} does not settle");
    }

    pub(super) async fn delete_stack(&self, name: &str, id: &str) -> Value {
        let answer = self.call("DELETE", &self.heat(&format!("/stacks/{name}/{id}")), None).await;
        assert_eq!(answer.status, 204);
        self.settled(name, id).await
    }

    pub(super) async fn zone(&self, name: &str) -> String {
        let zone = json!({"name": name, "email": "a@example.test", "ttl": 60});
        self.post("/dns/v2/zones", zone).await["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn network(&self, name: &str) -> String {
        let found = self.get(&format!("/networking/v2.0/networks?name={name}")).await;
        found["networks"][0]["id"].as_str().unwrap().to_owned()
    }
}

pub(super) fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

/// Asks one server over UDP; none when it stays silent.
pub(super) async fn ask(server: SocketAddr, name: &str, kind: RecordType) -> Option<Message> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(server).await.unwrap();
    let mut message = question(name, kind);
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    message.set_edns(edns);
    socket.send(&message.to_vec().unwrap()).await.unwrap();
    let mut buffer = [0; 4096];
    let answer = tokio::time::timeout(Duration::from_millis(1500), socket.recv(&mut buffer)).await;
    let length = answer.ok()?.ok()?;
    Some(Message::from_vec(&buffer[..length]).unwrap())
}

pub(super) async fn ask_tcp(server: SocketAddr, name: &str, kind: RecordType) -> Option<Message> {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await.ok()?;
        let bytes = question(name, kind).to_vec().ok()?;
        stream.write_u16(u16::try_from(bytes.len()).ok()?).await.ok()?;
        stream.write_all(&bytes).await.ok()?;
        let length = stream.read_u16().await.ok()?;
        let mut buffer = vec![0; usize::from(length)];
        stream.read_exact(&mut buffer).await.ok()?;
        Message::from_vec(&buffer).ok()
    };
    tokio::time::timeout(Duration::from_millis(1500), exchange).await.ok().flatten()
}

/// The data of the answer section.
pub(super) fn data(message: &Message) -> Vec<String> {
    message.answers.iter().map(|record| record.data.to_string()).collect()
}
