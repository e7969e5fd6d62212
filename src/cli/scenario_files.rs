//! Scenarios of files and folders that are named on the command line.

use std::path::{Path, PathBuf};

use tempest_operator::scenario::{Fault, Faults, Scenario, TEMPLATE_END, load_with_templates};

use super::problem::Problem;

/// The document of a folder, whose HOT templates lie beside it.
const DOCUMENT: &str = "scenario.yaml";

/// Everything that these paths hold, checked; a name may be there once only.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Scenario>, Problem> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for path in paths {
        let loaded = load(path)?.map_err(|faults| {
            Problem::input(format!("{} is not valid", path.display())).because(Faults(faults)).next(format!(
                "correct it; 'tempest-operator scenarios check {}' looks again",
                path.display()
            ))
        })?;
        for scenario in loaded {
            if scenarios.iter().any(|other| other.name == scenario.name) {
                return Err(Problem::input(format!("{} holds a second '{}'", path.display(), scenario.name))
                    .next("rename one of them"));
            }
            scenarios.push(scenario);
        }
    }
    Ok(scenarios)
}

/// The scenarios of a file or folder, or what is wrong with them.
pub fn load(path: &Path) -> Result<Result<Vec<Scenario>, Vec<Fault>>, Problem> {
    let file = if path.is_dir() { path.join(DOCUMENT) } else { path.to_owned() };
    let text = text_of(&file)?;
    let beside = if file.ends_with(DOCUMENT) { templates_beside(&file)? } else { Vec::new() };
    Ok(load_with_templates(&file.display().to_string(), &text, &beside))
}

/// The HOT templates of a document's folder, by their names.
fn templates_beside(file: &Path) -> Result<Vec<(String, String)>, Problem> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unreadable = |error| Problem::input(format!("{} cannot be read", folder.display())).because(error);
    let mut templates = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(template) = name.strip_suffix(TEMPLATE_END) {
            templates.push((template.to_owned(), text_of(&path)?));
        }
    }
    templates.sort();
    Ok(templates)
}

fn text_of(file: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(file).map_err(|error| {
        Problem::input(format!("{} cannot be read", file.display())).because(error).next(format!(
            "give the path of a TempestScenario in YAML, or of a folder with a {DOCUMENT} and NAME{TEMPLATE_END} beside it"
        ))
    })
}
