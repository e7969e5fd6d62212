//! The command line from outside: exit codes, and one clear message for each bad input. Needs no cloud.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod bad_input;
mod clouds;
mod help;
mod kubectl;
mod scenarios;
mod signals;
mod simcloud;
mod state;
mod support;
#[cfg(feature = "otel")]
mod traces;
mod try_it;
