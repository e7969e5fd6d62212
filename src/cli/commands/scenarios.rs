//! `scenarios`: lists, shows and checks scenarios; needs no cloud.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tempest_operator::report::json::{RenderError, pretty, yaml};
use tempest_operator::report::{table, text};
use tempest_operator::scenario::load_file_text;

use crate::cli::args::{Output, ScenariosCommand};
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::request;
use crate::cli::terminal;

/// Runs the command.
pub fn run(command: ScenariosCommand) -> Result<Exit, Problem> {
    match command {
        ScenariosCommand::List { output } => list(output),
        ScenariosCommand::Show { name } => show(&name),
        ScenariosCommand::Check { files } => check(&files),
    }
}

#[derive(Serialize)]
struct Row {
    name: String,
    title: String,
    tags: Vec<String>,
}

fn list(output: Output) -> Result<Exit, Problem> {
    let catalogue = request::catalogue()?;
    let rows: Vec<Row> = catalogue
        .iter()
        .map(|scenario| Row {
            name: scenario.name.clone(),
            title: scenario.title.clone(),
            tags: scenario.tags.clone(),
        })
        .collect();
    let failed = |error: RenderError| Problem::unable("the list cannot be shown").because(error);
    let rendered = match output {
        Output::Json => pretty(&rows).map_err(failed)?,
        Output::Yaml => yaml(&rows).map_err(failed)?,
        Output::Table => {
            let rows = rows.into_iter().map(|row| vec![row.name, row.tags.join(","), row.title]).collect();
            table::plain(&["NAME", "TAGS", "PROVES"], rows, terminal::width())
        }
    };
    terminal::out(&rendered)?;
    Ok(Exit::Passed)
}

fn show(name: &str) -> Result<Exit, Problem> {
    let Some(document) = request::catalogue()?.show(name) else {
        return Err(Problem::input(format!("there is no built-in scenario '{name}'"))
            .next("'tempest-operator scenarios list' names them all"));
    };
    terminal::out(&document)?;
    Ok(Exit::Passed)
}

/// Every file is checked, whatever is wrong with the ones before.
fn check(files: &[PathBuf]) -> Result<Exit, Problem> {
    let mut faults = 0;
    for file in files {
        faults += check_one(file)?;
    }
    if faults == 0 {
        terminal::out(&format!("{} checked, nothing is wrong\n", text::count(files.len(), "file")))?;
        return Ok(Exit::Passed);
    }
    Err(Problem::input(format!("{} in {}", text::count(faults, "fault"), text::count(files.len(), "file")))
        .next("correct what is named above; 'tempest-operator scenarios show NAME' shows working ones"))
}

fn check_one(path: &Path) -> Result<usize, Problem> {
    let file = path.display().to_string();
    let document = std::fs::read_to_string(path).map_err(|error| {
        Problem::input(format!("{file} cannot be read"))
            .because(error)
            .next("give the path of a TempestScenario in YAML")
    })?;
    let faults = load_file_text(&file, &document).err().unwrap_or_default();
    for fault in &faults {
        terminal::out(&format!("{}\n", text::line(&fault.to_string())))?;
    }
    Ok(faults.len())
}
