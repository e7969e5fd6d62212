//! `crds`: the custom resource definitions as YAML.

use tempest_operator::api::definitions::{definitions, file_name};
use tempest_operator::report::json::yaml;

use crate::cli::args::CrdsArgs;
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::terminal;

/// Runs the command.
pub fn run(args: &CrdsArgs) -> Result<Exit, Problem> {
    for definition in definitions() {
        let document = yaml(&definition)
            .map_err(|error| Problem::unable("the definitions cannot be written").because(error))?;
        let text = format!("---\n{document}");
        match &args.output_dir {
            Some(folder) => terminal::file(&folder.join(file_name(&definition)), &text)?,
            None => terminal::out(&text)?,
        }
    }
    Ok(Exit::Passed)
}
