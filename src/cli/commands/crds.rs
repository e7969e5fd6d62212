//! `crds`: the custom resource definitions as YAML.

use crate::cli::exit::Exit;
use crate::cli::parts::controller;
use crate::cli::problem::Problem;
use crate::cli::terminal;

/// Runs the command.
pub fn run() -> Result<Exit, Problem> {
    terminal::out(&controller::crds()?)?;
    Ok(Exit::Passed)
}
