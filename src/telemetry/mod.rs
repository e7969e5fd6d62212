//! Metrics and health: what a cluster watches the operator by.

mod http;
mod metrics;

pub use http::{Health, serve};
pub use metrics::Metrics;
