//! Integration tests, one binary. `tests/run` says which tier needs which servers.

mod cloud;
mod layering;
mod support;
