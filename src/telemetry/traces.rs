//! Spans, exported by OTLP over HTTP and configured by OpenTelemetry's own environment variables.

use std::env;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// Without one of these nothing is exported.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
/// One batch may take this long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Exports spans in batches.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

/// Why spans cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The environment says something impossible.
    #[error("the exporter cannot be made")]
    Exporter(#[from] ExporterBuildError),
    /// The HTTP client cannot be made.
    #[error("the exporter's HTTP client cannot be made")]
    Client(#[from] reqwest::Error),
}

impl Traces {
    /// An exporter whose requests `runtime` makes; [`None`] unless an endpoint is set.
    pub fn from_env(runtime: Handle) -> Result<Option<Self>, TracesError> {
        let is_set = |name: &&str| env::var(name).is_ok_and(|value| !value.is_empty());
        if !ENDPOINTS.iter().any(is_set) {
            return Ok(None);
        }
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        let exporter =
            SpanExporter::builder().with_http().with_http_client(Client { client, runtime }).build()?;
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource()).build();
        Ok(Some(Self { provider }))
    }

    /// What feeds the exporter: the spans of this program, not its log lines, nor other crates' spans.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("tempest-operator"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|span| span.is_span() && span.target().starts_with("tempest_operator")))
    }

    /// Exports what is left. Blocks, a few seconds at most, while the runtime sends.
    pub fn end(&self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "not every span was exported");
        }
    }
}

/// Who exports: the program's name, unless the environment has another.
fn resource() -> Resource {
    let known = Resource::builder_empty()
        .with_service_name("tempest-operator")
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.is_empty() => known.with_service_name(name).build(),
        _ => known.build(),
    }
}

/// The exporter works on a thread of its own, the HTTP client only on a runtime.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime.spawn(async move { client.send_bytes(request).await }).await?
    }
}
