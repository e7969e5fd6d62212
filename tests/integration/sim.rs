//! The whole runner against the simulated cloud, in this process: fast, and broken in every way we know.

mod alarms;
mod bad_input;
mod chaos;
mod credentials;
mod endings;
mod faults;
mod life;
mod logs;
mod many;
mod matrix;
mod misbehaving;
mod pace;
mod passing;
mod player;
mod secrets;
mod sweep;
mod users;
mod words;
