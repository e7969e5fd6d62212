//! `/livez`, `/readyz` and `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Metrics;

/// Whether the operator serves.
#[derive(Clone, Debug, Default)]
pub struct Health {
    ready: Arc<AtomicBool>,
}

impl Health {
    /// Says whether it does.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }
}

/// Serves until `shutdown`.
pub async fn serve(listener: TcpListener, metrics: Metrics, health: Health, shutdown: CancellationToken) {
    let ready = move || async move {
        if health.ready.load(Ordering::Relaxed) {
            (StatusCode::OK, "ok")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready")
        }
    };
    let measured = move || async move {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        match metrics.text() {
            Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text),
            Err(error) => {
                (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], error.to_string())
            }
        }
    };
    let app = Router::new()
        .route("/livez", get(async || "ok"))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured));
    let stopped = async move { shutdown.cancelled().await };
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "health and metrics are no longer served");
    }
}
