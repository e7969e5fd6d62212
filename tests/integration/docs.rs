//! The documentation tells what is: its links lead somewhere, every reason has an entry, what is made from the sources is.

mod ci;
mod links;
pub mod manifests;
mod reasons;
mod reference;

use std::fs;
use std::path::PathBuf;

use crate::support::repository;

/// Every page for people, by its path in the repository.
pub fn pages() -> Vec<(PathBuf, String)> {
    let mut pages: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(PathBuf::from).into();
    for folder in ["docs", "charts/tempest-operator", "tests/testbed"] {
        let entries = fs::read_dir(repository(folder)).unwrap();
        let names = entries.map(|entry| PathBuf::from(folder).join(entry.unwrap().file_name()));
        pages.extend(names.filter(|name| name.extension().is_some_and(|kind| kind == "md")));
    }
    pages.sort();
    pages
        .into_iter()
        .map(|page| {
            let text = fs::read_to_string(repository(page.to_str().unwrap())).unwrap();
            (page, text)
        })
        .collect()
}
