//! Links within the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use regex::Regex;

use super::pages;
use crate::support::repository;

/// The anchors of a page, as repositories' browsers make them of its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        let title = line.trim_start_matches('#');
        if fenced || title == line || !title.starts_with(' ') {
            continue;
        }
        let kept = |one: char| (one.is_alphanumeric() || "-_ ".contains(one)).then_some(one);
        found.insert(
            title.trim().to_lowercase().chars().filter_map(kept).collect::<String>().replace(' ', "-"),
        );
    }
    found
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        if part == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
        plain
    })
}

#[test]
fn links_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut dead = Vec::new();
    let mut checked = 0;
    for (page, text) in pages() {
        for target in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            if target.contains("://") {
                continue;
            }
            checked += 1;
            let (path, anchor) =
                target.split_once('#').map_or((target.as_str(), None), |(path, anchor)| (path, Some(anchor)));
            let file = if path.is_empty() { page.clone() } else { plain(&page.parent().unwrap().join(path)) };
            let full = repository(file.to_str().unwrap());
            let known = match anchor {
                None => full.exists(),
                Some(anchor) => fs::read_to_string(full).is_ok_and(|text| anchors(&text).contains(anchor)),
            };
            if !known {
                dead.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
    assert!(checked > 50, "only {checked} links were found");
}

#[test]
fn anchors_are_made_as_browsers_make_them() {
    let page = "# A page\n## From the status to the service's log\n```\n# no heading\n```\n#### RecordMissing\n#!shebang\n";
    let wanted = ["a-page", "from-the-status-to-the-services-log", "recordmissing"].map(ToOwned::to_owned);
    assert_eq!(anchors(page), wanted.into());
}
