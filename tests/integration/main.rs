//! Integration tests, one binary. `tests/run` says which tier needs which servers.

mod cli;
mod cloud;
mod layering;
mod sim;
mod support;
