//! One file a command.

pub mod controller;
pub mod crds;
pub mod play;
pub mod preflight;
pub mod report;
pub mod run;
pub mod scenarios;
pub mod simcloud;
pub mod sweep;
pub mod try_it;
