//! Every reason that a user can be given has an entry in `docs/troubleshooting.md`, every Event's one a row in
//! `docs/observability.md`, and no entry is of nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;
use syn::Item;

use crate::support::repository;

/// What is in a resource's conditions for no reason of its own.
const HEADINGS_OF_NO_REASON: [&str; 1] = ["Nothing at all"];

/// The reasons of tests.
fn of_tests() -> BTreeSet<String> {
    let source = fs::read_to_string(repository("src/outcome.rs")).unwrap();
    let items = syn::parse_file(&source).unwrap().items;
    let reasons = items.into_iter().find_map(|item| match item {
        Item::Enum(one) if one.ident == "Reason" => Some(one.variants),
        _ => None,
    });
    reasons.unwrap().into_iter().map(|variant| variant.ident.to_string()).collect()
}

/// The reasons of conditions and of warning Events: the words that the operator's sources give for one; and all of the sources.
fn of_the_operator() -> (BTreeSet<String>, String) {
    // As `reason: "X"`, as an argument beside it, and in the tables that lead from a state to its words.
    let given = Regex::new(
        r#"(?x) (?: reason:\s* | reason\s=\s | unusable\( | EventType::Warning,\s | :\s&str\s=\s | \(true,\s | \(false,\s
            | \("(?:True|False|Unknown)",\s | =>\s | \{\s )"([A-Z][a-z]+(?:[A-Z][a-z]+)+|Queued|Running|Suspended|Leaked|Invalid|Checked|Scheduled)" "#,
    )
    .unwrap();
    let (mut found, mut all) = (BTreeSet::new(), String::new());
    let mut open = vec![repository("src/controller")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("model") {
                    open.push(path);
                }
            } else if !is_of_tests(&path) {
                let source = fs::read_to_string(&path).unwrap();
                let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
                found.extend(given.captures_iter(source).map(|one| one[1].to_owned()));
                all.push_str(source);
            }
        }
    }
    (found, all)
}

fn is_of_tests(path: &Path) -> bool {
    path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("tests"))
}

#[test]
fn every_reason_has_an_entry() {
    let page = fs::read_to_string(repository("docs/troubleshooting.md")).unwrap();
    let entries: BTreeSet<String> =
        page.lines().filter_map(|line| line.strip_prefix("### ")).map(ToOwned::to_owned).collect();
    let mut reasons = of_tests();
    let (operators, sources) = of_the_operator();
    for sure in
        ["WaitingForCredentials", "SecretNotAllowed", "Queued", "TestsFailed", "RunsFail", "CleanupAbandoned"]
    {
        assert!(
            operators.contains(sure),
            "the sources are no longer read rightly: no {sure} in {operators:?}"
        );
    }
    reasons.extend(operators);
    let told: BTreeSet<&String> = reasons.difference(&entries).collect();
    assert!(told.is_empty(), "docs/troubleshooting.md has no entry of {told:?}");
    let known = |entry: &&String| {
        reasons.contains(*entry)
            || sources.contains(&format!("\"{entry}\""))
            || HEADINGS_OF_NO_REASON.contains(&entry.as_str())
    };
    let of_nothing: Vec<&String> = entries.iter().filter(|entry| !known(entry)).collect();
    assert!(
        of_nothing.is_empty(),
        "docs/troubleshooting.md has entries of {of_nothing:?}, which nobody says"
    );
}

/// Each Event that the operator's sources publish under a word of their own, and its type.
fn events() -> BTreeSet<(String, String)> {
    let given = Regex::new(
        r#"EventType::(Normal|Warning),\s*(?:reason:\s*)?(?:"(\w+)"|([A-Z_]+)\b|&format!\("Test\{\}")"#,
    )
    .unwrap();
    let (_, sources) = of_the_operator();
    let word = |constant: &str| {
        let value = sources.split(&format!("const {constant}: &str = \"")).nth(1);
        value
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_else(|| panic!("{constant} is no word"))
            .to_owned()
    };
    let mut events = BTreeSet::new();
    for found in given.captures_iter(&sources) {
        let reasons = match (found.get(2), found.get(3)) {
            (Some(reason), _) => vec![reason.as_str().to_owned()],
            (_, Some(constant)) => vec![word(constant.as_str())],
            // By the outcomes that went wrong.
            _ => ["TestFailed", "TestErrored", "TestTimedOut"].map(ToOwned::to_owned).into(),
        };
        events.extend(reasons.into_iter().map(|reason| (reason, found[1].to_owned())));
    }
    events
}

#[test]
fn the_table_of_events_has_each_with_its_type_and_no_other() {
    let page = fs::read_to_string(repository("docs/observability.md")).unwrap();
    let section = page.split("\n## Events\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let documented: BTreeSet<(String, String)> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let type_ = cells[1].to_owned();
            let reasons = cells[0].split(',').map(|reason| reason.trim().trim_matches('`').to_owned());
            reasons.map(|reason| (reason, type_.clone())).collect::<Vec<_>>()
        })
        .collect();
    let events = events();
    for sure in ["Started", "TestTimedOut", "PodLost", "RunMade", "RunRefused"] {
        assert!(
            events.iter().any(|(reason, _)| reason == sure),
            "no {sure} is read from the sources: {events:?}"
        );
    }
    assert_eq!(documented, events);
}
