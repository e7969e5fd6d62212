//! A way to the API server that breaks as told: what load balancers, overloaded servers, webhooks and networks do.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;
use tokio::sync::watch;

/// What the way does to requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// Every request and every open watch breaks off.
    Away,
    /// Every second request is answered with this status.
    Status(u16),
    /// Every second request is answered with a load balancer's page.
    Html,
    /// Every second write is done, and its answer is lost.
    LostAnswers,
    /// The first write that holds this text is done, and its answer is lost.
    LostAnswerTo(&'static str),
    /// Every second change of an object is refused: somebody else was first.
    Conflicts,
    /// A webhook holds every write up, and fails for every second.
    Webhook,
    /// Watches are told that their version is too old.
    Expired,
    /// Every request takes a while.
    Slow,
}

impl Trouble {
    /// All that can come at any time.
    pub const ALL: [Self; 11] = [
        Self::Away,
        Self::Status(429),
        Self::Status(500),
        Self::Status(503),
        Self::Status(504),
        Self::Html,
        Self::LostAnswers,
        Self::Conflicts,
        Self::Webhook,
        Self::Expired,
        Self::Slow,
    ];
}

/// The way; it ends when dropped.
pub struct ApiProxy {
    /// A kubeconfig that goes through it.
    pub access: String,
    state: Arc<Way>,
    _runtime: tokio::runtime::Runtime,
}

struct Way {
    server: String,
    http: reqwest::Client,
    trouble: watch::Sender<Trouble>,
    requests: AtomicU64,
    turn: Mutex<u64>,
    lost: AtomicBool,
}

impl ApiProxy {
    /// Goes between the owner of a kubeconfig and the API server that it names.
    pub fn between(access: &str) -> Self {
        let server = access.split("server:").nth(1).unwrap().lines().next().unwrap();
        let server = server.trim().trim_matches('"').to_owned();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let here: SocketAddr = listener.local_addr().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        // What is tested is on the near side; the far side is a server on this machine.
        let http = reqwest::Client::builder().danger_accept_invalid_certs(true).build().unwrap();
        let state = Arc::new(Way {
            server: server.clone(),
            http,
            trouble: watch::Sender::new(Trouble::None),
            requests: AtomicU64::new(0),
            turn: Mutex::new(0),
            lost: AtomicBool::new(false),
        });
        let app = Router::new().fallback(pass).with_state(Arc::clone(&state));
        runtime.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { access: access.replace(&server, &format!("http://{here}")), state, _runtime: runtime }
    }

    /// From now on this happens.
    pub fn set(&self, trouble: Trouble) {
        self.state.trouble.send_replace(trouble);
    }

    /// Whether the answer was lost that [`Trouble::LostAnswerTo`] names.
    pub fn has_lost_an_answer(&self) -> bool {
        self.state.lost.load(Ordering::Relaxed)
    }

    /// How many requests came.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }
}

impl Way {
    fn every_second(&self) -> bool {
        let mut turn = self.turn.lock().unwrap();
        *turn += 1;
        turn.is_multiple_of(2)
    }

    async fn forward(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let body: Bytes = to_bytes(body, usize::MAX).await.unwrap();
        let mut headers = head.headers;
        headers.remove(header::HOST);
        headers.remove(header::ACCEPT_ENCODING);
        let sent =
            self.http.request(head.method, format!("{}{path}", self.server)).headers(headers).body(body);
        let answer = match sent.send().await {
            Ok(answer) => answer,
            Err(error) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        };
        let mut response = Response::builder().status(answer.status());
        if let Some(kind) = answer.headers().get(header::CONTENT_TYPE) {
            response = response.header(header::CONTENT_TYPE, kind);
        }
        let away = self.trouble.subscribe();
        let chunks = answer.bytes_stream().map(|chunk| chunk.map_err(io::Error::other));
        response.body(Body::from_stream(until_away(chunks, away))).unwrap()
    }
}

/// Breaks a stream off, in the middle, once the server is away.
fn until_away(
    chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    mut trouble: watch::Receiver<Trouble>,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let away = async move {
        let _ = trouble.wait_for(|trouble| *trouble == Trouble::Away).await;
    };
    chunks.take_until(away).chain(stream::iter([]))
}

async fn pass(State(way): State<Arc<Way>>, request: Request) -> Response {
    way.requests.fetch_add(1, Ordering::Relaxed);
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let changes = matches!(*request.method(), Method::PUT | Method::PATCH);
    let watches = request.uri().query().is_some_and(|query| query.contains("watch="));
    let trouble = *way.trouble.borrow();
    match trouble {
        Trouble::Away => broken_off(),
        Trouble::Status(code) if way.every_second() => {
            status(code, "InternalError", "the server is not well")
        }
        Trouble::Html if way.every_second() => html(),
        Trouble::LostAnswers if writes && way.every_second() => {
            drop(way.forward(request).await);
            broken_off()
        }
        Trouble::LostAnswerTo(text) if writes => {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let is_meant = String::from_utf8_lossy(&body).contains(text);
            let answer = way.forward(Request::from_parts(head, Body::from(body))).await;
            if is_meant && answer.status().is_success() && !way.lost.swap(true, Ordering::Relaxed) {
                return broken_off();
            }
            answer
        }
        Trouble::Conflicts if changes && way.every_second() => {
            status(409, "Conflict", "the object has been modified")
        }
        Trouble::Webhook if writes => {
            tokio::time::sleep(Duration::from_millis(700)).await;
            if way.every_second() {
                return status(500, "InternalError", "failed calling webhook \"policy.example.test\"");
            }
            way.forward(request).await
        }
        Trouble::Expired if watches => {
            let event = json!({ "type": "ERROR", "object": {
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 410, "reason": "Expired",
                "message": "too old resource version",
            } });
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], format!("{event}\n"))
                .into_response()
        }
        Trouble::Slow => {
            tokio::time::sleep(Duration::from_millis(400)).await;
            way.forward(request).await
        }
        _ => way.forward(request).await,
    }
}

fn status(code: u16, reason: &str, message: &str) -> Response {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message,
    });
    (StatusCode::from_u16(code).unwrap(), axum::Json(body)).into_response()
}

fn html() -> Response {
    let mut page = (StatusCode::BAD_GATEWAY, "<html><h1>502 Bad Gateway</h1></html>").into_response();
    page.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    page
}

/// An answer that breaks off in the middle.
fn broken_off() -> Response {
    let broken: [io::Result<Bytes>; 2] =
        [Ok(Bytes::from_static(b"{\"kind\":")), Err(io::Error::other("broken off"))];
    Response::new(Body::from_stream(stream::iter(broken)))
}
