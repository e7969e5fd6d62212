//! The one HTTP listener: finds the service, checks the token, plays the faults, keeps the record.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    connection::{CuttableListener, Cutter},
    faults::{Fault, Faults, Target},
    keystone,
    requests::RecordedRequest,
    spoil::{Instead, Spoiling},
    wire::{Body, Call, Caller, Refusal, Reply, Service, webob},
    world::{World, injected},
};

/// What every connection shares.
pub(super) struct Shared {
    world: Mutex<World>,
    pub(super) faults: Faults,
    pub(super) stop: CancellationToken,
}

impl Shared {
    pub(super) fn new(world: World, faults: Faults) -> Self {
        Self { world: Mutex::new(world), faults, stop: CancellationToken::new() }
    }

    /// The world as it is now.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance();
        world
    }
}

pub(super) async fn serve(listener: CuttableListener, shared: Arc<Shared>) {
    let stop = shared.stop.clone();
    let app = Router::new().fallback(answer).with_state(shared);
    let app = app.into_make_service_with_connect_info::<Cutter>();
    // Serving ends by `stop` only; accept errors are retried inside.
    let _ = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await;
}

/// Ways to lose an answer, or to give another.
enum Trouble {
    Hang,
    Reset,
    AnswerLost,
    Answer(u16),
    Echo(u16),
    Instead(Instead),
    Spoiling(Spoiling),
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let segments = segments(uri.path());
    let service = segments.first().and_then(|first| Service::by_prefix(first));
    let latency = {
        let mut world = shared.world();
        let api = world.stages.api;
        world.jitter(api)
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let target = Target { service, method: Some(&method), path: Some(uri.path()), name: None };
    let trouble = shared.faults.find(target, |fault| match fault {
        Fault::Hang => Some(Trouble::Hang),
        Fault::Reset => Some(Trouble::Reset),
        Fault::AnswerLost => Some(Trouble::AnswerLost),
        Fault::Answer(status) => Some(Trouble::Answer(*status)),
        Fault::Echo(status) => Some(Trouble::Echo(*status)),
        Fault::Redirect(location) => Some(Trouble::Instead(Instead::Redirect(location.clone()))),
        Fault::HtmlPage(status) => Some(Trouble::Instead(Instead::Page(*status))),
        Fault::HalfBody => Some(Trouble::Spoiling(Spoiling::Half)),
        Fault::HugeBody => Some(Trouble::Spoiling(Spoiling::Huge)),
        Fault::WrongContentType => Some(Trouble::Spoiling(Spoiling::Mislabelled)),
        _ => None,
    });
    let mut refusal = None;
    let mut spoiling = None;
    match trouble {
        Some(Trouble::Hang) => tokio::select! {
            () = shared.stop.cancelled() => {}
            () = shared.faults.changed() => {}
        },
        Some(Trouble::Reset) => {
            cutter.cut();
            return StatusCode::BAD_GATEWAY.into_response();
        }
        Some(Trouble::AnswerLost) => cutter.cut(),
        Some(Trouble::Answer(status)) => refusal = Some(injected(status)),
        Some(Trouble::Echo(status)) => refusal = Some(echo(status, &headers, &body)),
        Some(Trouble::Instead(instead)) => return instead.answer(),
        Some(Trouble::Spoiling(how)) => spoiling = Some(how),
        None => {}
    }
    // Everything below is synchronous: one call is one step of the world.
    let request = Request { method, uri, headers, body, segments, service };
    let answer = render(&shared, &request, refusal);
    match spoiling {
        Some(how) => how.spoil(answer).await,
        None => answer,
    }
}

fn echo(status: u16, headers: &HeaderMap, body: &Bytes) -> Refusal {
    let sent: Vec<_> = headers.values().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    Refusal::new(status, "echo", format!("{} {}", String::from_utf8_lossy(body), sent.join(" ")))
}

struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    segments: Vec<String>,
    service: Option<Service>,
}

fn render(shared: &Shared, request: &Request, refusal: Option<Refusal>) -> Response {
    let mut world = shared.world();
    let request_id = format!("req-{}", world.uuid());
    let reply = match (request.service, refusal) {
        (None, _) => Reply::text(404, "text/html", "<h1>Not Found</h1>"),
        (Some(service), Some(refusal)) => refusal.envelope(service, &request_id),
        (Some(service), None) => call(&mut world, request, service, &request_id)
            .unwrap_or_else(|refusal| refused(&world, &refusal, service, &request_id)),
    };
    let keep = world.options.recorded_requests;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    world.requests.record(
        RecordedRequest {
            at: Instant::now(),
            service: request.service,
            method: request.method.to_string(),
            target: request.uri.to_string(),
            headers: request.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            status: reply.status,
            request_id: request_id.clone(),
        },
        keep,
    );
    drop(world);
    respond(reply, request.service, &request_id)
}

fn refused(world: &World, refusal: &Refusal, service: Service, request_id: &str) -> Reply {
    let mut reply = refusal.envelope(service, request_id);
    if refusal.status == 401 && service == Service::Image {
        // Glance lets its own framework refuse.
        reply = webob(
            401,
            "This server could not verify that you are authorized to access the document you \
             requested. Either you supplied the wrong credentials (e.g., bad password), or your \
             browser does not understand how to supply the credentials required.",
        );
    }
    if refusal.status == 401 {
        let url = format!("Keystone uri=\"{}/identity\"", world.base_url);
        return reply.with_header("www-authenticate", url);
    }
    reply
}

fn call(world: &mut World, request: &Request, service: Service, request_id: &str) -> Result<Reply, Refusal> {
    let mut headers = BTreeMap::new();
    for (name, value) in &request.headers {
        headers.insert(name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    let path: Vec<String> = request.segments.iter().skip(1).cloned().collect();
    let caller = if is_open(service, &request.method, &path) {
        Caller::default()
    } else {
        keystone::authenticate(world, headers.get("x-auth-token").map(String::as_str))?
    };
    let body = if request.body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&request.body).map_err(|_| malformed(service))?
    };
    let query = request.uri.query().unwrap_or_default();
    let call = Call {
        method: request.method.clone(),
        path,
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers,
        body,
        caller,
        request_id: request_id.to_owned(),
        in_process: false,
    };
    world.dispatch(service, &call)
}

/// What needs no token: getting one, and the version documents.
fn is_open(service: Service, method: &Method, path: &[String]) -> bool {
    let depth = path.len();
    let first = path.first().map(String::as_str);
    if service == Service::Identity && method == Method::POST && depth == 3 {
        return path[1] == "auth" && path[2] == "tokens";
    }
    method == Method::GET
        && (depth == 0
            || (depth == 1
                && matches!(
                    (service, first),
                    (Service::Identity, Some("v3"))
                        | (Service::Compute, Some("v2.1"))
                        | (Service::Image, Some("versions"))
                )))
}

fn malformed(service: Service) -> Refusal {
    match service {
        Service::Dns => Refusal::new(400, "invalid_json", "Malformed JSON in request body"),
        Service::Compute => Refusal::new(400, "badRequest", "cannot understand JSON"),
        Service::Network => Refusal::new(400, "HTTPBadRequest", "Malformed request body: it is not JSON."),
        Service::Orchestration => Refusal::new(400, "HTTPBadRequest", "cannot understand JSON"),
        Service::Identity | Service::Image => {
            Refusal::new(400, "ValidationError", "Malformed json in request body")
        }
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect()
}

/// Percent-decodes one path segment (a plus sign stays one, unlike in a query).
fn decode(segment: &str) -> String {
    let escaped = segment.replace('+', "%2B");
    url::form_urlencoded::parse(escaped.as_bytes()).next().map_or_else(String::new, |(name, value)| {
        if value.is_empty() { name.into_owned() } else { format!("{name}={value}") }
    })
}

fn respond(reply: Reply, service: Option<Service>, request_id: &str) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (content_type, body) = match reply.body {
        Body::Empty => (None, Bytes::new()),
        Body::Json(value) => (Some("application/json"), Bytes::from(value.to_string())),
        Body::Text(content_type, text) => (Some(content_type), Bytes::from(text)),
    };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(http::header::CONTENT_TYPE);
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if let Some(content_type) = content_type {
        set("content-type", content_type);
    }
    if service.is_some() {
        set("x-openstack-request-id", request_id);
    }
    match service {
        Some(Service::Compute) => set("x-compute-request-id", request_id),
        Some(Service::Identity) => set("vary", "X-Auth-Token"),
        _ => {}
    }
    for (name, value) in reply.headers {
        set(name, &value);
    }
    response
}
