//! A `TempestRun` from a file, as for Kubernetes, with its Secret when that is in the same file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempest_operator::api::tempest_run::{ScenarioSelector, TempestRunSpec};
use tempest_operator::api::{GROUP, VERSION};
use tempest_operator::report::text;
use tempest_operator::scenario::{Faults, Scenario, load_file_text};

use super::problem::Problem;

/// What a file holds.
#[derive(Debug)]
pub struct Manifest {
    /// What is asked for.
    pub spec: TempestRunSpec,
    /// The Secret that it names, when it is in the file.
    pub secret: Option<SecretData>,
    /// The users' own scenarios that it selects, out of those in the file.
    pub scenarios: Vec<Scenario>,
    /// Documents that mean nothing here, as `Kind/name`.
    pub ignored: Vec<String>,
}

/// The data of a Secret; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretData(BTreeMap<String, String>);

impl SecretData {
    /// The text under a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

impl fmt::Debug for SecretData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Head {
    api_version: String,
    kind: String,
    metadata: HeadMetadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct HeadMetadata {
    name: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RunDocument {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    metadata: ObjectMeta,
    spec: TempestRunSpec,
    #[serde(default, rename = "status")]
    _status: Option<Value>,
}

/// One document of a file.
struct Document {
    line: usize,
    text: String,
}

impl Document {
    /// With empty lines in front, so that its line numbers are the file's.
    fn padded(&self) -> String {
        "\n".repeat(self.line - 1) + &self.text
    }
}

/// A `TempestRun` as it stands in a file.
#[derive(Debug)]
pub struct RunObject {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// What is asked for.
    pub spec: TempestRunSpec,
    /// What else is in the file, as `Kind/name`.
    pub beside: Vec<String>,
}

/// Reads the run of a file, or with `-` of standard input, as an object for Kubernetes.
pub fn read_run(path: &Path) -> Result<RunObject, Problem> {
    let file = path.display().to_string();
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|error| {
        Problem::input(format!("{file} cannot be read"))
            .because(error)
            .next("give --file the path of a TempestRun in YAML")
    })?;
    let mut runs = Vec::new();
    let mut beside = Vec::new();
    for document in documents(&text) {
        let head: Head = typed(&file, &document)?;
        if head.kind == "TempestRun" {
            check_version(&file, &document, &head.api_version)?;
            runs.push((document.line, typed::<RunDocument>(&file, &document)?));
        } else {
            beside.push(format!("{}/{}", head.kind, head.metadata.name.as_deref().unwrap_or("?")));
        }
    }
    let RunDocument { metadata, spec, .. } = only_run(&file, runs)?;
    Ok(RunObject { metadata, spec, beside })
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Manifest, Problem> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problem::input(format!("{file} cannot be read"))
            .because(error)
            .next("give --file the path of a TempestRun in YAML")
    })?;
    parse(&file, &text)
}

fn parse(file: &str, text: &str) -> Result<Manifest, Problem> {
    let mut runs = Vec::new();
    let mut secrets = Vec::new();
    let mut ignored = Vec::new();
    let mut scenarios = Vec::new();
    for document in documents(text) {
        let head: Head = typed(file, &document)?;
        match (head.api_version.split('/').next().unwrap_or_default(), head.kind.as_str()) {
            (GROUP, "TempestRun") => {
                check_version(file, &document, &head.api_version)?;
                runs.push((document.line, typed::<RunDocument>(file, &document)?));
            }
            (GROUP, "TempestScenario") => {
                check_version(file, &document, &head.api_version)?;
                scenarios.push((head.metadata, document));
            }
            ("v1", "Secret") => secrets.push(secret(file, &document)?),
            (_, "") => {
                return Err(Problem::input(format!("{file}:{}: the document has no kind", document.line))
                    .next(format!("begin it with 'apiVersion: {GROUP}/{VERSION}' and 'kind: TempestRun'")));
            }
            (_, kind) => {
                ignored.push(format!("{kind}/{}", head.metadata.name.as_deref().unwrap_or("?")));
            }
        }
    }
    let run = only_run(file, runs)?;
    let secret = match &run.spec.cloud.secret_ref {
        Some(wanted) => secrets.into_iter().find(|(name, _)| *name == wanted.name).map(|(_, data)| data),
        None => None,
    };
    let (scenarios, others) = selected(file, run.spec.scenarios.selector.as_ref(), scenarios)?;
    ignored.extend(others);
    Ok(Manifest { spec: run.spec, secret, scenarios, ignored })
}

/// The scenarios that the run selects, as in Kubernetes; and the names of the others.
fn selected(
    file: &str,
    selector: Option<&ScenarioSelector>,
    all: Vec<(HeadMetadata, Document)>,
) -> Result<(Vec<Scenario>, Vec<String>), Problem> {
    let (count, none) = (all.len(), BTreeMap::new());
    let is_selected = |head: &HeadMetadata| {
        selector.is_some_and(|selector| selector.matches(head.labels.as_ref().unwrap_or(&none)))
    };
    let (selected, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(head, _)| is_selected(head));
    if selector.is_some() && selected.is_empty() {
        return Err(Problem::input(format!(
            "{file}: spec.scenarios.selector selects none of its {count} TempestScenarios"
        ))
        .next("add the scenarios to the file, with labels that the selector asks for"));
    }
    let mut scenarios: Vec<Scenario> = Vec::new();
    for (_, document) in selected {
        let loaded = load_file_text(file, &document.padded()).map_err(|faults| {
            Problem::input(format!("a scenario of {file} is not valid"))
                .because(Faults(faults))
                .next(format!("correct it; 'tempest-operator scenarios check {file}' looks again"))
        })?;
        if let Some(twin) = loaded.iter().find(|one| scenarios.iter().any(|other| other.name == one.name)) {
            return Err(Problem::input(format!(
                "{file}:{}: there is a second '{}'",
                document.line, twin.name
            ))
            .next("rename one of them"));
        }
        scenarios.extend(loaded);
    }
    let named = |(head, _): (HeadMetadata, Document)| {
        format!("TempestScenario/{}", head.name.as_deref().unwrap_or("?"))
    };
    Ok((scenarios, others.into_iter().map(named).collect()))
}

fn check_version(file: &str, document: &Document, version: &str) -> Result<(), Problem> {
    let ours = format!("{GROUP}/{VERSION}");
    if version == ours {
        return Ok(());
    }
    Err(Problem::input(format!("{file}:{}: apiVersion '{version}' is not known", document.line))
        .next(format!("use '{ours}'")))
}

fn only_run(file: &str, mut runs: Vec<(usize, RunDocument)>) -> Result<RunDocument, Problem> {
    match (runs.pop(), runs.as_slice()) {
        (None, _) => Err(Problem::input(format!("{file} holds no TempestRun"))
            .next(format!("add a document of kind TempestRun ({GROUP}/{VERSION})"))),
        (Some((_, run)), []) => Ok(run),
        (Some(last), others) => {
            let all: Vec<_> = others
                .iter()
                .chain([&last])
                .map(|(line, run)| {
                    format!("'{}' at line {line}", run.metadata.name.as_deref().unwrap_or("?"))
                })
                .collect();
            Err(Problem::input(format!("{file} holds several TempestRuns: {}", all.join(", ")))
                .next("give each its own file and its own run"))
        }
    }
}

fn secret(file: &str, document: &Document) -> Result<(String, SecretData), Problem> {
    // The parser's words would repeat what is in the Secret, so only the place is told.
    let malformed = |line: u64| {
        Problem::input(format!("{file}:{line}: the Secret is malformed"))
            .next("give it 'stringData' of texts, or 'data' of texts in base64")
    };
    let first = document.line as u64;
    let secret: Secret = serde_saphyr::from_str(&document.padded())
        .map_err(|error| malformed(error.location().map_or(first, |location| location.line())))?;
    let name = secret.metadata.name.unwrap_or_default();
    let mut data = BTreeMap::new();
    for (key, value) in secret.data.unwrap_or_default() {
        data.insert(key, String::from_utf8(value.0).map_err(|_| malformed(first))?);
    }
    // As in Kubernetes: stringData wins.
    data.extend(secret.string_data.unwrap_or_default());
    Ok((name, SecretData(data)))
}

fn typed<T: DeserializeOwned>(file: &str, document: &Document) -> Result<T, Problem> {
    let mut path = String::new();
    let parsed = serde_saphyr::with_deserializer_from_str(&document.padded(), |deserializer| {
        let mut track = serde_path_to_error::Track::new();
        let deserializer = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        let parsed = T::deserialize(deserializer);
        if parsed.is_err() {
            path = track.path().to_string();
        }
        parsed
    });
    let error = match parsed {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let (line, message) = fault(&error, document.line);
    let field = if path.is_empty() || path == "." { String::new() } else { format!("{path}: ") };
    Err(Problem::input(format!("{file}:{line}: {field}{message}"))
        .next("correct that line; 'kubectl explain tempestrun.spec --recursive' lists every field"))
}

/// Where and what, without the lines of the file around it: they may belong to a Secret.
pub fn fault(error: &serde_saphyr::Error, first_line: usize) -> (u64, String) {
    let line = error.location().map_or(first_line as u64, |location| location.line());
    let told = error.without_snippet().to_string();
    let message = text::line(told.lines().next().unwrap_or_default());
    // The parser ends with the place, which stands in front already.
    let place = message.rfind(" at line ").or_else(|| message.rfind(" (line "));
    (line, place.map_or(message.as_str(), |place| &message[..place]).trim_end_matches([',', ':']).to_owned())
}

/// The documents of a file, without those that hold nothing.
fn documents(text: &str) -> Vec<Document> {
    let mut documents = vec![(1, String::new())];
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let is_marker = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if is_marker {
            documents.push((number + 1, String::new()));
        }
        if let Some((_, document)) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    let holds_something = |document: &str| {
        document
            .lines()
            .map(str::trim)
            .any(|line| !line.is_empty() && !line.starts_with(['#', '%']) && line != "---" && line != "...")
    };
    documents
        .into_iter()
        .filter(|(_, document)| holds_something(document))
        .map(|(line, text)| Document { line, text })
        .collect()
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
