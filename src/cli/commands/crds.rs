//! `crds`: the custom resource definitions as YAML.

use tempest_operator::api::definitions::definitions;
use tempest_operator::report::json::yaml;

use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::terminal;

/// Runs the command.
pub fn run() -> Result<Exit, Problem> {
    for definition in definitions() {
        let document = yaml(&definition)
            .map_err(|error| Problem::unable("the definitions cannot be written").because(error))?;
        terminal::out(&format!("---\n{document}"))?;
    }
    Ok(Exit::Passed)
}
