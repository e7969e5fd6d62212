//! The span of one exchange with a service, named by OpenTelemetry's conventions for HTTP clients where it has them.

use http::Method;
use tracing::field::Empty;
use tracing::{Instrument, debug_span};
use url::Url;

use super::response::{kept_headers, request_id};
use super::service::Service;
use super::transport::{RawResponse, Trouble};

/// Sends within a span. The query is left out: what it is has no bound.
pub(super) async fn in_request(
    service: Service,
    method: &Method,
    url: &Url,
    sending: impl Future<Output = Result<RawResponse, Trouble>>,
) -> Result<RawResponse, Trouble> {
    let span = debug_span!(
        "request",
        otel.kind = "client",
        openstack.service = %service,
        http.request.method = %method,
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        url.path = url.path(),
        http.response.status_code = Empty,
        openstack.request_id = Empty,
        error.type = Empty,
        otel.status_code = Empty
    );
    let raw = sending.instrument(span.clone()).await;
    match &raw {
        Ok(response) => {
            span.record("http.response.status_code", response.status);
            span.record("openstack.request_id", request_id(&kept_headers(&response.headers)));
        }
        Err(trouble) => {
            span.record("error.type", trouble.word());
        }
    }
    if !raw.as_ref().is_ok_and(|response| response.status < 400) {
        span.record("otel.status_code", "ERROR");
    }
    raw
}
