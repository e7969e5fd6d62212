//! The session's promises, against a cloud that misbehaves.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::response::IntoResponse;
use http::Method;
use serde_json::{Value, json};

use super::test_cloud::{PASSWORD, TOKEN, TestCloud, config, endless, options, reply, whole};
use super::*;

fn token_of(seen: &super::test_cloud::Seen) -> &str {
    seen.headers["x-auth-token"].to_str().unwrap()
}

#[tokio::test]
async fn a_call_goes_where_the_catalogue_says_with_its_evidence() {
    let cloud = TestCloud::start(|_, _| reply(200, &json!({ "ports": [] }))).await;
    let session = cloud.session().await;
    let response =
        session.request(Service::Network, Method::GET, "/ports").query("name", "a b&c").send().await.unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.path, "/network/v2.0/ports");
    assert_eq!(response.request_id.as_deref(), Some("req-from-the-cloud"));
    let seen = &cloud.seen()[0];
    assert_eq!(seen.query, "name=a+b%26c");
    assert_eq!(token_of(seen), format!("{TOKEN}-1"));
    let sent = seen.headers["x-openstack-request-id"].to_str().unwrap();
    assert_eq!(sent, response.global_request_id);
    assert!(sent.starts_with("req-") && sent.len() == 40, "{sent}");

    assert_eq!(session.project_id(), Some("p1"));
    assert_eq!(session.user_name(), "demo");
    assert_eq!(session.roles(), ["member"]);
    assert!(session.has_service(Service::Dns));
    assert!(!session.uses_application_credential());
    assert_eq!(session.endpoint(Service::Orchestration).unwrap().path(), "/orchestration/v1/p1");
}

#[tokio::test]
async fn only_so_many_requests_are_under_way_at_once() {
    const AT_ONCE: usize = 4;
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // No answer ends before as many as may be are under way.
    let all_there = Arc::new(tokio::sync::Barrier::new(AT_ONCE));
    let counted = Arc::clone(&most);
    let cloud = TestCloud::start(move |_, _| {
        counted.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let (under_way, all_there) = (Arc::clone(&under_way), Arc::clone(&all_there));
        let body = futures::stream::once(async move {
            all_there.wait().await;
            under_way.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, std::convert::Infallible>("{}")
        });
        axum::response::Response::new(axum::body::Body::from_stream(body))
    })
    .await;
    let options = SessionOptions { max_in_flight: AT_ONCE, ..options() };
    let session = Session::connect(cloud.config(), options).await.unwrap();
    let calls = (0..AT_ONCE * 3).map(|_| session.request(Service::Network, Method::GET, "/ports").send());
    for result in futures::future::join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_for_many_callers() {
    let cloud = TestCloud::start(|seen, _| {
        if token_of(seen).ends_with("-1") {
            reply(401, &json!({ "error": { "message": "expired", "title": "Unauthorized" } }))
        } else {
            reply(200, &json!({ "zones": [] }))
        }
    })
    .await;
    let session = cloud.session().await;
    let calls = (0..20).map(|_| {
        let session = session.clone();
        async move { session.request(Service::Dns, Method::POST, "/zones").json(&json!({})).send().await }
    });
    for result in futures::future::join_all(calls).await {
        assert_eq!(result.unwrap().status, 200);
    }
    assert_eq!(cloud.tokens(), 2, "one at the start, one for all twenty");
}

#[tokio::test]
async fn a_second_401_is_told() {
    let cloud = TestCloud::start(|_, _| reply(401, &json!({ "error": { "message": "never" } }))).await;
    let session = cloud.session().await;
    let error = session.designate().zones(None).await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    assert!(error.api().is_some());
    assert_eq!((cloud.tokens(), cloud.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_token_is_replaced_before_it_ends() {
    let cloud = TestCloud::start(|_, _| reply(200, &json!({}))).await;
    cloud.tokens_live(Duration::from_millis(400)); // replaced at half of that
    let session = cloud.session().await;
    let get = || session.request(Service::Dns, Method::GET, "/limits").send();
    get().await.unwrap();
    assert_eq!(cloud.tokens(), 1);
    cloud.tokens_live(Duration::from_hours(1));
    // Several at a time, until one of them replaces it.
    while cloud.tokens() == 1 {
        let (a, b, c) = tokio::join!(get(), get(), get());
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
    }
    assert_eq!(cloud.tokens(), 2, "one replacement for all");
    get().await.unwrap();
    assert!(token_of(cloud.seen().last().unwrap()).ends_with("-2"));
}

#[tokio::test]
async fn refused_credentials_are_not_tried_again_and_again() {
    let cloud = TestCloud::start(|_, _| reply(401, &json!({}))).await;
    let session = cloud.session().await;
    cloud.refuse_credentials();
    let calls = (0..5).map(|_| session.request(Service::Dns, Method::GET, "/zones").send());
    for result in futures::future::join_all(calls).await {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Auth { .. }), "{error}");
        assert!(!whole(&error).contains(PASSWORD), "{error}");
    }
    let error = Session::connect(cloud.config(), options()).await.unwrap_err();
    assert!(matches!(error, Error::Auth { .. }));
    assert!(error.to_string().contains("[redacted]"), "{error}");
}

#[tokio::test]
async fn a_busy_service_is_asked_again_but_a_post_is_not() {
    for (method, attempts) in [(Method::GET, 2), (Method::DELETE, 2), (Method::POST, 1), (Method::PATCH, 1)] {
        let cloud = TestCloud::start(|_, call| match call {
            1 => reply(503, &json!({ "message": "busy" })),
            _ => reply(200, &json!({})),
        })
        .await;
        let session = cloud.session().await;
        let result = session.request(Service::Dns, method.clone(), "/zones").send().await;
        assert_eq!(cloud.seen().len(), attempts, "{method}");
        assert!(cloud.seen().iter().all(|seen| seen.method == method));
        assert_eq!(result.is_ok(), attempts == 2, "{method}");
        if let Err(error) = result {
            assert!(error.may_have_had_effect());
        }
    }
}

#[tokio::test]
async fn an_update_marked_once_is_not_repeated() {
    let cloud = TestCloud::start(|_, _| reply(504, &json!({}))).await;
    let session = cloud.session().await;
    let stack = heat::StackRef { id: "1".into(), name: "s".into() };
    let update = session.heat().update_stack(&stack, &heat::NewStack::default()).await;
    assert_eq!(update.unwrap_err().status(), Some(504));
    assert_eq!(cloud.seen().len(), 1);
}

/// The first attempt may have deleted it; what was refused, or is no error of the service's own, tells nothing of that.
#[rstest::rstest]
#[case::answer_lost(504, "req-1", true)]
#[case::refused(429, "req-1", false)]
#[case::page_of_a_proxy(504, "", false)]
#[tokio::test]
async fn a_repeated_delete_that_finds_nothing_was_carried_out_before(
    #[case] first: u16,
    #[case] request_id: &'static str,
    #[case] before: bool,
) {
    let cloud = TestCloud::start(move |_, call| match (call, request_id) {
        (1, _) => reply(first, &json!({})),
        (_, "") => (http::StatusCode::NOT_FOUND, "who?").into_response(),
        _ => reply(404, &json!({ "NeutronError": { "type": "PortNotFound", "message": "no" } })),
    })
    .await;
    let session = cloud.session().await;
    let delete = || session.request(Service::Network, Method::DELETE, "/ports/p1").send_any();
    let answer = delete().await.unwrap();
    assert_eq!((answer.status, answer.was_deleted_before()), (404, before), "{answer:?}");
    // Without an attempt before it, a 404 is what it says.
    assert!(!delete().await.unwrap().was_deleted_before());
}

#[tokio::test]
async fn retry_after_is_honoured_and_over_quota_is_final() {
    let cloud = TestCloud::start(|seen, call| match (seen.path.ends_with("zones"), call) {
        (true, 1) => {
            let mut busy = reply(429, &json!({}));
            busy.headers_mut().insert("retry-after", "1".parse().unwrap());
            busy
        }
        (true, _) => reply(202, &json!({})),
        _ => {
            reply(413, &json!({ "code": 413, "type": "over_quota", "message": "Quota exceeded for zones." }))
        }
    })
    .await;
    let session = cloud.session().await;
    let started = tokio::time::Instant::now();
    session.request(Service::Dns, Method::POST, "/zones").send().await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    let error = session.request(Service::Dns, Method::POST, "/other").send().await.unwrap_err();
    let api = error.api().unwrap();
    assert_eq!((api.status, api.kind.as_str()), (413, "over_quota"));
    assert_eq!(cloud.seen().len(), 3);
}

#[tokio::test]
async fn redirects_are_not_followed_and_the_token_stays_home() {
    let other = TestCloud::start(|_, _| reply(200, &json!({ "stack": "stolen" }))).await;
    let elsewhere = format!("http://{}/orchestration/v1/p1/stacks/s/1", other.address);
    let location = elsewhere.clone();
    let cloud = TestCloud::start(move |seen, _| {
        if seen.path.ends_with("/stacks/s/1") {
            return reply(
                200,
                &json!({ "stack": {
                "id": "1", "stack_name": "s", "stack_status": "CREATE_COMPLETE", "tags": null,
            } }),
            );
        }
        let mut redirect = reply(302, &json!({}));
        redirect.headers_mut().insert("location", location.parse().unwrap());
        redirect
    })
    .await;
    let session = cloud.session().await;
    let error = session.request(Service::Network, Method::GET, "/ports").send().await.unwrap_err();
    assert_eq!(error.status(), Some(302));
    assert!(error.to_string().contains("redirects"), "{error}");
    // Of Heat's redirect only the path is believed.
    let stack = session.heat().find_stack("s").await.unwrap();
    assert_eq!(stack.id, "1");
    assert!(other.seen().is_empty() && other.tokens() == 0);
}

#[tokio::test]
async fn send_any_gives_every_answer_with_secrets_struck_out() {
    let cloud = TestCloud::start(|seen, _| {
        reply(404, &json!({ "NeutronError": { "type": "PortNotFound", "message": format!("who sent {}?", token_of(seen)) } }))
    })
    .await;
    let session = cloud.session().await;
    let request = session.request(Service::Network, Method::GET, "/ports/x");
    let response = request.clone().send_any().await.unwrap();
    assert_eq!(response.status, 404);
    assert!(!response.body.to_string().contains(TOKEN));
    let error = request.send().await.unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().contains("neutron answered GET /network/v2.0/ports/x with 404 PortNotFound: who sent [redacted]? (req-from-the-cloud)"), "{error}");
    assert!(!whole(&error).contains(TOKEN));
}

#[tokio::test]
async fn a_404_counts_only_from_the_service_itself() {
    let cloud = TestCloud::start(|seen, _| {
        if seen.path.ends_with("/stacks/gone") {
            reply(404, &json!({ "error": { "type": "EntityNotFound", "message": "no" } }))
        } else {
            let page = axum::response::Html("<h1>404 Not Found</h1>nginx");
            (http::StatusCode::NOT_FOUND, page).into_response()
        }
    })
    .await;
    let session = cloud.session().await;
    let gone = session.heat().find_stack("gone").await.unwrap_err();
    assert!(gone.is_not_found());
    let proxy = session.heat().find_stack("proxy").await.unwrap_err();
    assert_eq!(proxy.status(), Some(404));
    assert!(!proxy.is_not_found(), "{proxy}");
}

#[tokio::test]
async fn answers_are_bounded_in_size_and_time() {
    let cloud = TestCloud::start(|seen, _| match seen.path.as_str() {
        "/dns/v2/large" => endless(),
        "/dns/v2/html" => axum::response::Html("<h1>Please log in</h1>").into_response(),
        _ => axum::body::Body::from_stream(futures::stream::pending::<Result<String, std::io::Error>>())
            .into_response(),
    })
    .await;
    let mut options = options();
    options.read_timeout = Duration::from_secs(2);
    options.retry.retries = 0;
    let session = Session::connect(cloud.config(), options).await.unwrap();
    let get = |path: &str| session.request(Service::Dns, Method::GET, path).send();
    let error = get("/large").await.unwrap_err();
    assert!(error.to_string().contains("more than 65536 bytes"), "{error}");
    let error = get("/html").await.unwrap_err();
    assert!(error.to_string().contains("expected JSON, got text/html: Please log in"), "{error}");
    let error = get("/slow").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { sent: true, .. }), "{error}");
    assert!(error.to_string().contains("took too long"), "{error}");
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_nothing_was_sent() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Session::connect(config(&format!("http://{closed}")), options()).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert!(!error.may_have_had_effect());
    assert!(error.to_string().contains(&closed.to_string()), "{error}");
    let error = Session::connect(config("http://nowhere.invalid:5000"), options()).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
}

#[tokio::test]
async fn an_untrusted_certificate_is_a_tls_error_until_its_authority_is_given() {
    install_crypto_provider();
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                use tokio::io::AsyncWriteExt;
                let _ = stream.write_all(b"HTTP/1.1 418 I'm a teapot\r\ncontent-length: 0\r\n\r\n").await;
            }
        }
    });
    let mut cloud = config(&format!("https://localhost:{port}"));
    let error = Session::connect(cloud.clone(), options()).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
    assert!(error.to_string().starts_with("TLS with keystone at localhost:"), "{error}");

    cloud.ca_pem = Some(cert.pem());
    let error = Session::connect(cloud.clone(), options()).await.unwrap_err();
    assert_eq!(error.status(), Some(418), "{error}");

    cloud.ca_pem = Some("not a certificate".into());
    let error = Session::connect(cloud.clone(), options()).await.unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::BadCa)), "{error}");

    cloud.ca_pem = None;
    cloud.insecure = true;
    let error = Session::connect(cloud, options()).await.unwrap_err();
    assert_eq!(error.status(), Some(418), "{error}");

    // The other way round: TLS spoken to a server that does not.
    let plain = TestCloud::start(|_, _| reply(200, &json!({}))).await;
    let cloud = config(&format!("https://{}", plain.address));
    let error = Session::connect(cloud, options()).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
    server.abort();

    // Or to one that hangs up on what it does not understand.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cloud = config(&format!("https://{}", deaf.local_addr().unwrap()));
    let server = tokio::spawn(async move {
        use tokio::io::AsyncReadExt;
        loop {
            let (mut stream, _) = deaf.accept().await.unwrap();
            // What was read is not answered by a reset.
            let _ = stream.read(&mut [0; 4096]).await;
        }
    });
    let error = Session::connect(cloud, options()).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
    server.abort();
}

#[tokio::test]
async fn the_policy_counts_for_literal_addresses_and_for_names() {
    let cloud = TestCloud::start(|_, _| reply(200, &json!({}))).await;
    let mut strict = options();
    strict.policy = EndpointPolicy::default();
    let port = cloud.address.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"] {
        let cloud = config(&format!("http://{host}:{port}/identity"));
        let error = Session::connect(cloud, strict.clone()).await.unwrap_err();
        assert!(matches!(error, Error::EndpointDenied { .. }), "{host}: {error}");
    }
    assert_eq!(cloud.tokens(), 0);
    // The catalogue's addresses are checked as well.
    let mut elsewhere = cloud.config();
    elsewhere.endpoint_overrides.insert(Service::Dns, "http://169.254.169.254/".into());
    let session = Session::connect(elsewhere, options()).await.unwrap();
    let error = session.designate().zones(None).await.unwrap_err();
    assert!(matches!(error, Error::EndpointDenied { .. }), "{error}");
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_told_before_sending() {
    let cloud = TestCloud::start(|_, _| reply(200, &json!({}))).await;
    let mut described = cloud.config();
    described.region = Some("Mars".into());
    let session = Session::connect(described, options()).await.unwrap();
    let error = session.heat().resource_types().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the cloud has no public endpoint for orchestration (heat) in region Mars: it has public in RegionOne"
    );
    let session = cloud.session().await;
    let call = |path: &str| session.request(Service::Dns, Method::GET, path);
    for request in [
        call("http://evil/"),
        call("/../x"),
        call("/zones").header("X-Auth-Token", "mine"),
        call("/zones").header("bad header", "x"),
        call("/zones").header("x", "a\r\nb"),
    ] {
        let error = request.send().await.unwrap_err();
        assert!(matches!(error, Error::BadRequest { .. }), "{error}");
    }
    assert!(cloud.seen().is_empty());
}

#[tokio::test]
async fn pages_are_followed_by_marker_only() {
    let cloud = TestCloud::start(|seen, _| {
        assert!(seen.query.contains("limit="), "{}", seen.query);
        let ids: &[u32] = match seen.query.split("marker=").nth(1) {
            None => &[1, 2],
            Some("2") => &[3, 4],
            Some("4") => &[5],
            other => panic!("{other:?}"),
        };
        let zones: Vec<Value> = ids.iter().map(|id| json!({ "id": id.to_string(), "name": "z." })).collect();
        let links = if ids.contains(&5) {
            json!({})
        } else {
            json!({ "next": "http://internal:9001/v2/zones?marker=evil" })
        };
        reply(200, &json!({ "zones": zones, "links": links }))
    })
    .await;
    let session = cloud.session().await;
    let zones = session.designate().zones(None).await.unwrap();
    assert_eq!(zones.iter().map(|z| z.id.as_str()).collect::<Vec<_>>(), ["1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn a_service_that_ignores_the_marker_does_not_loop() {
    let cloud =
        TestCloud::start(|_, _| reply(200, &json!({ "networks": [{ "id": "1" }, { "id": "2" }] }))).await;
    let session = cloud.session().await;
    let response = session.request(Service::Network, Method::GET, "/networks").send_pages(2).await.unwrap();
    assert_eq!(response.body["networks"].as_array().map(Vec::len), Some(2));
    assert_eq!(cloud.seen().len(), 2);
}

#[derive(Debug, Default)]
struct Watcher {
    words: Mutex<Vec<String>>,
    ids: AtomicBool,
}

impl RequestObserver for Watcher {
    fn observed(&self, record: &RequestRecord) {
        let word = match record.status_or_error {
            Ok(status) => status.to_string(),
            Err(word) => word.to_owned(),
        };
        self.ids.fetch_or(record.request_id.is_some(), Ordering::SeqCst);
        self.words.lock().unwrap().push(format!("{} {} {word}", record.service, record.method));
    }
}

#[tokio::test]
async fn the_observer_sees_every_exchange() {
    let cloud =
        TestCloud::start(|_, call| reply(if call == 1 { 503 } else { 200 }, &json!({ "extensions": [] })))
            .await;
    let watcher = Arc::new(Watcher::default());
    let mut options = options();
    options.observer = Some(Arc::clone(&watcher) as Arc<dyn RequestObserver>);
    let session = Session::connect(cloud.config(), options).await.unwrap();
    session.neutron().extensions().await.unwrap();
    assert_eq!(*watcher.words.lock().unwrap(), ["keystone POST 201", "neutron GET 503", "neutron GET 200"]);
    assert!(watcher.ids.load(Ordering::SeqCst));
}

/// Collects everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_no_debug_and_no_error_holds_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // With one dispatcher only, tracing asks whichever test's thread comes first whether a call site matters.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::callsite::rebuild_interest_cache();
    let cloud =
        TestCloud::start(|seen, _| reply(400, &json!({ "badRequest": { "message": token_of(seen) } }))).await;
    let session = cloud.session().await;
    let shown = format!("{session:?} {:?} {:?}", cloud.config(), options());
    let request = session.request(Service::Compute, Method::GET, "/servers");
    let mut shown = format!("{shown} {request:?}");
    for result in [request.clone().send().await, request.send_any().await] {
        match result {
            Ok(response) => shown = format!("{shown} {response:?}"),
            Err(error) => shown.push_str(&whole(&error)),
        }
    }
    cloud.refuse_credentials();
    let error = Session::connect(cloud.config(), options()).await.unwrap_err();
    shown.push_str(&whole(&error));
    let closed = config("http://127.0.0.1:1/");
    shown.push_str(&whole(&Session::connect(closed, options()).await.unwrap_err()));
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("openstack call"), "{logged}");
    for text in [&shown, &logged] {
        assert!(!text.contains(PASSWORD), "{text}");
        assert!(!text.contains(TOKEN), "{text}");
    }
}
