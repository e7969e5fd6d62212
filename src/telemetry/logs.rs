//! Log lines for machines.

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// Writes each line as one JSON object: what it says and whom it is about (namespace, run, test, step), all at the top
/// level, where it is easy to ask for.
pub fn json_lines<S, W>(writer: W) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    json_subscriber::layer()
        .with_writer(writer)
        .flatten_event(true)
        .flatten_span_list_on_top_level(true)
        .with_current_span(false)
        .with_span_list(false)
}
