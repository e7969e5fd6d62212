//! What the program exports when the environment says where to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::support::Home;

/// A collector that keeps every span it is sent.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Value>>>,
    services: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    async fn start(&self) -> SocketAddr {
        let kept = self.clone();
        let take = async move |Json(body): Json<Value>| {
            for resource in body["resourceSpans"].as_array().unwrap() {
                kept.services.lock().unwrap().push(attribute(&resource["resource"], "service.name").clone());
                for scope in resource["scopeSpans"].as_array().unwrap() {
                    kept.spans.lock().unwrap().extend(scope["spans"].as_array().unwrap().iter().cloned());
                }
            }
            Json(json!({}))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        address
    }

    fn named(&self, name: &str) -> Vec<Value> {
        self.spans.lock().unwrap().iter().filter(|span| span["name"] == name).cloned().collect()
    }
}

fn attribute<'a>(of: &'a Value, key: &str) -> &'a Value {
    let all = of["attributes"].as_array().unwrap();
    all.iter().find(|one| one["key"] == key).map_or(&Value::Null, |one| &one["value"]["stringValue"])
}

/// Whether `span` is within one of `outer`.
fn is_within(span: &Value, outer: &[Value]) -> bool {
    outer.iter().any(|outer| outer["spanId"] == span["parentSpanId"] && outer["traceId"] == span["traceId"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_exported_as_one_trace_of_tests_steps_and_requests() {
    let collector = Collector::default();
    let endpoint = format!("http://{}", collector.start().await);
    let ended = tokio::task::spawn_blocking(move || {
        Home::new().run_in(
            &["try", "--latency", "zero", "--include", "heat_zone_lifecycle"],
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ],
        )
    })
    .await
    .unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");

    let runs = collector.named("run");
    let [run] = runs.as_slice() else { panic!("not one run: {runs:#?}") };
    assert_eq!(attribute(run, "verdict"), "Passed", "{run:#}");
    assert!(run["parentSpanId"].as_str().is_none_or(str::is_empty), "{run:#}");
    let tests = collector.named("test");
    assert_eq!(tests.len(), 1);
    assert!(is_within(&tests[0], &runs), "{tests:#?}");
    assert_eq!(attribute(&tests[0], "test"), "heat_zone_lifecycle");
    assert_eq!(attribute(&tests[0], "outcome"), "Passed");
    let steps = collector.named("step");
    assert!(steps.len() > 3 && steps.iter().all(|step| is_within(step, &tests)), "{steps:#?}");
    let requests = collector.named("request");
    let within = requests.iter().filter(|request| is_within(request, &steps)).count();
    assert!(within > 3, "only {within} of {} requests are a step's", requests.len());
    assert!(requests.iter().all(|request| attribute(request, "openstack.service").is_string()));
    assert!(collector.services.lock().unwrap().iter().all(|name| name == "tempest-operator"));
}

#[test]
fn an_endpoint_that_does_not_answer_costs_no_run() {
    let ended = Home::new().run_in(
        &["try", "--latency", "zero", "--include", "heat_zone_lifecycle"],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")],
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("heat_zone_lifecycle"), "{ended:?}");
}
