//! Exports spans when the environment says where to, until the program ends.

use std::sync::OnceLock;

use tempest_operator::telemetry::Traces;
use tokio::runtime::Handle;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::Layer;

use super::problem::Problem;

/// Lives as long as the subscriber, which is the process's, too.
static TRACES: OnceLock<Traces> = OnceLock::new();

type Layers = Vec<Box<dyn Layer<Registry> + Send + Sync>>;

/// Adds the export to where logs go.
pub fn added_to(mut layers: Layers) -> Result<Layers, Problem> {
    let traces = Traces::from_env(Handle::current()).map_err(|error| {
        Problem::input("traces cannot be exported")
            .because(error)
            .next("see OTEL_EXPORTER_OTLP_ENDPOINT and the other OTEL_ variables, or unset it")
    })?;
    if let Some(traces) = traces {
        layers.push(TRACES.get_or_init(|| traces).layer().boxed());
    }
    Ok(layers)
}

/// Exports what has not been exported yet.
pub fn end() {
    if let Some(traces) = TRACES.get() {
        traces.end();
    }
}
