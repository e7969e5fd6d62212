//! A tiny cloud in this process, for the session's tests: it counts, remembers and misbehaves as told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{CaSource, CloudConfig, CloudsFile, EndpointPolicy, Error, RetryPolicy, Session, SessionOptions};

pub(super) const PASSWORD: &str = "fake-password-1234";
pub(super) const TOKEN: &str = "gAAAA-fake-token";

/// One request that arrived.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Value,
}

/// What the cloud does with a request that is not for Keystone's tokens; the number counts such requests from 1.
pub(super) type Behaviour = Arc<dyn Fn(&Seen, u32) -> Response + Send + Sync>;

pub(super) struct TestCloud {
    pub address: SocketAddr,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

struct Inner {
    address: SocketAddr,
    behaviour: Behaviour,
    seen: Mutex<Vec<Seen>>,
    calls: AtomicU32,
    tokens: AtomicU32,
    lifetime: Mutex<Duration>,
    password: Mutex<Option<String>>,
}

impl Drop for TestCloud {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TestCloud {
    pub async fn start(behaviour: impl Fn(&Seen, u32) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            address,
            behaviour: Arc::new(behaviour),
            seen: Mutex::default(),
            calls: AtomicU32::new(0),
            tokens: AtomicU32::new(0),
            lifetime: Mutex::new(Duration::from_hours(1)),
            password: Mutex::new(Some(PASSWORD.to_owned())),
        });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, inner, task }
    }

    /// How many tokens were given out.
    pub fn tokens(&self) -> u32 {
        self.inner.tokens.load(Ordering::SeqCst)
    }

    /// The requests that were not for tokens.
    pub fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }

    pub fn tokens_live(&self, lifetime: Duration) {
        *self.inner.lifetime.lock().unwrap() = lifetime;
    }

    pub fn refuse_credentials(&self) {
        *self.inner.password.lock().unwrap() = None;
    }

    pub fn change_password(&self, password: &str) {
        *self.inner.password.lock().unwrap() = Some(password.to_owned());
    }

    pub fn config(&self) -> CloudConfig {
        config(&format!("http://{}/identity", self.address))
    }

    pub async fn session(&self) -> Session {
        Session::connect(self.config(), options()).await.unwrap()
    }
}

pub(super) fn config(auth_url: &str) -> CloudConfig {
    let text = format!(
        "clouds: {{ test: {{ auth: {{ auth_url: '{auth_url}', username: demo, password: {PASSWORD}, \
         project_name: demo, user_domain_id: default }} }} }}"
    );
    CloudsFile::parse(&text, None).unwrap().cloud("test", CaSource::Inline(None)).unwrap()
}

pub(super) fn options() -> SessionOptions {
    SessionOptions {
        connect_timeout: Duration::from_secs(2),
        read_timeout: Duration::from_secs(2),
        request_timeout: Duration::from_secs(2),
        max_body: 64 * 1024,
        retry: RetryPolicy { retries: 2, base: Duration::from_millis(5), longest: Duration::from_secs(5) },
        policy: EndpointPolicy::allowing_loopback(),
        ..SessionOptions::default()
    }
}

pub(super) fn reply(status: u16, body: &Value) -> Response {
    (
        StatusCode::from_u16(status).unwrap(),
        [("x-openstack-request-id", "req-from-the-cloud")],
        axum::Json(body.clone()),
    )
        .into_response()
}

/// The error's whole text: display, debug and sources.
pub(super) fn whole(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(current) = source {
        text = format!("{text} {current} {current:?}");
        source = current.source();
    }
    text
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let seen = Seen {
        method,
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    if seen.path == "/identity/v3/auth/tokens" {
        return inner.token(&seen);
    }
    let call = inner.calls.fetch_add(1, Ordering::SeqCst) + 1;
    inner.seen.lock().unwrap().push(seen.clone());
    (inner.behaviour)(&seen, call)
}

impl Inner {
    fn token(&self, seen: &Seen) -> Response {
        let password = &seen.body["auth"]["identity"]["password"]["user"]["password"];
        if password.as_str() != self.password.lock().unwrap().as_deref() {
            // A service that echoes what it was sent.
            let message = format!("no such user with {password}");
            return reply(
                401,
                &json!({ "error": { "code": 401, "message": message, "title": "Unauthorized" } }),
            );
        }
        let number = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        let issued = Timestamp::now();
        let expires = issued + *self.lifetime.lock().unwrap();
        let services: Vec<Value> = ["compute", "network", "dns", "image", "orchestration"]
            .iter()
            .map(|kind| {
                json!({ "type": kind, "name": kind, "endpoints": [{
                    "interface": "public", "region": "RegionOne", "region_id": "RegionOne",
                    "url": format!("http://{}/{kind}", self.address),
                }] })
            })
            .collect();
        let name = &seen.body["auth"]["scope"]["project"]["name"];
        let project = if name == "demo" { "p1" } else { "p2" };
        let body = json!({ "token": {
            "issued_at": issued.to_string(), "expires_at": expires.to_string(),
            "user": { "id": "u1", "name": "demo" }, "project": { "id": project, "name": name },
            "roles": [{ "id": "r1", "name": "member" }], "methods": ["password"],
            "catalog": services,
        } });
        (StatusCode::CREATED, [("x-subject-token", format!("{TOKEN}-{number}"))], axum::Json(body))
            .into_response()
    }
}

/// A body without end.
pub(super) fn endless() -> Response {
    let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 8192])));
    Response::new(Body::from_stream(chunks))
}
