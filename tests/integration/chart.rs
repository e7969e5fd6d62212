//! The Helm chart: what it renders, what it says of itself, and what real Helm does with it on a real API server.

mod install;
mod monitoring;
mod options;
mod readme;
mod render;
mod security;
pub mod site;
mod values;
