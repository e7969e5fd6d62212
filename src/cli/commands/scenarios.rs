//! `scenarios`: lists, shows and checks scenarios; needs no cloud.

use std::path::PathBuf;

use tempest_operator::report::json::{RenderError, pretty, yaml};
use tempest_operator::report::{table, text};
use tempest_operator::scenario::{Entry, markdown};

use crate::cli::args::{ListOutput, ScenariosCommand};
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::request;
use crate::cli::scenario_files;
use crate::cli::terminal;

/// Runs the command.
pub fn run(command: ScenariosCommand) -> Result<Exit, Problem> {
    match command {
        ScenariosCommand::List { tags, output } => list(&tags, output),
        ScenariosCommand::Show { name } => show(&name),
        ScenariosCommand::Check { paths } => check(&paths),
    }
}

fn list(tags: &[String], output: ListOutput) -> Result<Exit, Problem> {
    let mut entries = request::catalogue()?.entries();
    let known = |tag: &&String| entries.iter().any(|entry| entry.tags.contains(tag));
    if let Some(unknown) = tags.iter().find(|tag| !known(tag)) {
        return Err(Problem::input(format!("no built-in scenario has the tag '{unknown}'"))
            .next("'tempest-operator scenarios list' shows the tags of all"));
    }
    entries.retain(|entry| entry.has_one_of(tags));
    let failed = |error: RenderError| Problem::unable("the list cannot be shown").because(error);
    let rendered = match output {
        ListOutput::Json => pretty(&entries).map_err(failed)?,
        ListOutput::Yaml => yaml(&entries).map_err(failed)?,
        ListOutput::Markdown => markdown::page(&entries),
        ListOutput::Table => {
            let header = ["NAME", "TAGS", "DURATION", "NEEDS", "PROVES"];
            table::plain(&header, entries.into_iter().map(row).collect(), terminal::width())
        }
    };
    terminal::out(&rendered)?;
    Ok(Exit::Passed)
}

fn row(entry: Entry) -> Vec<String> {
    let needs = [entry.services.join(","), entry.needs.join(", ")].join("; ");
    let duration = entry.duration_word().to_owned();
    vec![entry.name, entry.tags.join(","), duration, needs.trim_end_matches("; ").to_owned(), entry.title]
}

fn show(name: &str) -> Result<Exit, Problem> {
    let Some(document) = request::catalogue()?.show(name) else {
        return Err(Problem::input(format!("there is no built-in scenario '{name}'"))
            .next("'tempest-operator scenarios list' names them all"));
    };
    terminal::out(&document)?;
    Ok(Exit::Passed)
}

/// Every path is checked, whatever is wrong with the ones before.
fn check(paths: &[PathBuf]) -> Result<Exit, Problem> {
    let mut faults = 0;
    for path in paths {
        for fault in scenario_files::load(path)?.err().unwrap_or_default() {
            faults += 1;
            terminal::out(&format!("{}\n", text::line(&fault.to_string())))?;
        }
    }
    if faults == 0 {
        terminal::out(&format!("{} checked, nothing is wrong\n", text::count(paths.len(), "file")))?;
        return Ok(Exit::Passed);
    }
    Err(Problem::input(format!("{} in {}", text::count(faults, "fault"), text::count(paths.len(), "file")))
        .next("correct what is named above; 'tempest-operator scenarios show NAME' shows working ones"))
}
