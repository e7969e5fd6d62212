//! Logs, metrics, health and traces: what a cluster watches the operator by.

mod http;
mod logs;
mod metrics;
#[cfg(feature = "otel")]
mod traces;

pub use http::{Health, serve};
pub use logs::json_lines;
pub use metrics::{Counts, Metrics};
#[cfg(feature = "otel")]
pub use traces::{Traces, TracesError};
