//! The manifests in documentation and examples.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::pages;
use crate::support::repository;

/// What a run is called of which a page shows a part.
pub const PART: &str = "part";

/// A block of a page that has no `kind` is a part of a run's spec.
fn whole(block: Value) -> Value {
    if block["kind"].is_string() {
        return block;
    }
    let mut run = json!({
        "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestRun", "metadata": { "name": PART },
        "spec": { "cloud": { "secretRef": { "name": "cloud" }, "zoneSuffix": "verify.example.org." } },
    });
    for (field, value) in block.as_object().expect("a part of a spec has fields") {
        run["spec"][field] = value.clone();
    }
    run
}

/// Every document with a `kind` in the examples and every one in the YAML blocks of pages, with where it stands.
pub fn manifests() -> Vec<(String, Value)> {
    let mut texts: Vec<(String, String)> = Vec::new();
    for (page, text) in pages() {
        for (number, block) in text.split("```yaml\n").skip(1).enumerate() {
            let block = block.split("```").next().unwrap_or_default();
            texts.push((format!("{}, block {}", page.display(), number + 1), block.to_owned()));
        }
    }
    let mut open = vec![repository("examples")];
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|kind| kind == "yaml") {
                texts.push((name(&path), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    texts.sort();
    let mut manifests = Vec::new();
    for (place, text) in texts {
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
        let of_a_page = place.contains(", block ");
        let documents = documents.into_iter().map(|one| if of_a_page { whole(one) } else { one });
        manifests.extend(documents.filter(|one| one["kind"].is_string()).map(|one| (place.clone(), one)));
    }
    manifests
}

fn name(path: &Path) -> String {
    let root: PathBuf = repository("");
    path.strip_prefix(&root).unwrap_or(path).display().to_string()
}

#[test]
fn they_are_found() {
    let manifests = manifests();
    let of = |kind: &str| manifests.iter().filter(|(_, one)| one["kind"] == kind).count();
    for (kind, least) in [("TempestRun", 4), ("TempestScenario", 1), ("TempestSchedule", 1), ("Secret", 1)] {
        assert!(of(kind) >= least, "{} of {kind}", of(kind));
    }
}
