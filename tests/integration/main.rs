//! Integration tests, one binary. `tests/run` says which tier needs which servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::similar_names,
    reason = "a test says by a panic what is wrong; a player plays and has played"
)]

mod chart;
mod cli;
mod cloud;
mod contract;
mod docs;
mod fuzz;
mod gitops;
mod helm;
mod image;
mod joined;
mod kstatus;
mod kube;
mod layering;
mod node;
mod operator;
mod siege;
mod sim;
mod support;
