//! The whole runner against the simulated cloud, in this process: fast, and broken in every way we know.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod bad_input;
mod endings;
mod faults;
mod many;
mod passing;
mod player;
mod secrets;
