//! The table of values in the chart's README is made from `values.yaml`: its keys, defaults and comments.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::repository;

const BEGIN: &str = "<!-- made from values.yaml: CHART_README=write cargo test chart::readme -->\n";
const END: &str = "<!-- end -->\n";

/// One row: what it is called, its default, what it does.
struct Row {
    path: String,
    default: Value,
    text: String,
}

/// A row for each key with a comment. What a key without one holds has keys with comments.
fn rows(values: &str) -> Vec<Row> {
    let defaults: Value = serde_saphyr::from_str(values).unwrap();
    let (mut rows, mut path, mut comment) = (Vec::<Row>::new(), Vec::<(usize, String)>::new(), String::new());
    for line in values.lines() {
        let text = line.trim_start();
        if let Some(words) = text.strip_prefix('#') {
            comment = format!("{comment} {}", words.trim());
            continue;
        }
        let Some((key, _)) = text.split_once(':').filter(|_| !text.starts_with('-')) else { continue };
        let indent = line.len() - text.len();
        path.retain(|(outer, _)| *outer < indent);
        path.push((indent, key.to_owned()));
        let names: Vec<&str> = path.iter().map(|(_, name)| name.as_str()).collect();
        let (dotted, pointer) = (names.join("."), format!("/{}", names.join("/")));
        let default = defaults.pointer(&pointer).unwrap_or_else(|| panic!("no value {dotted}")).clone();
        let is_told = rows.iter().any(|row| dotted.starts_with(&format!("{}.", row.path)));
        if !comment.is_empty() {
            rows.push(Row { path: dotted, default, text: comment.trim().to_owned() });
        } else if !is_told {
            assert!(default.as_object().is_some_and(|inner| !inner.is_empty()), "{dotted} has no comment");
        }
        comment.clear();
    }
    rows
}

fn table(values: &str) -> String {
    let row = |Row { path, default, text }: &Row| {
        assert!(!text.contains('|'), "{path}: a table has no room for |");
        format!("| `{path}` | `{default}` | {text} |\n")
    };
    let rows: String = rows(values).iter().map(row).collect();
    format!("| value | default | what it does |\n|---|---|---|\n{rows}")
}

fn file(name: &str) -> PathBuf {
    repository("charts/tempest-operator").join(name)
}

#[test]
fn the_readme_has_every_value_as_it_is() {
    let readme = fs::read_to_string(file("README.md")).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the begin of the table is marked");
    let (_, after) = rest.split_once(END).expect("the end of the table is marked");
    let values = fs::read_to_string(file("values.yaml")).unwrap();
    let made = format!("{before}{BEGIN}\n{}\n{END}{after}", table(&values));
    if std::env::var("CHART_README").is_ok_and(|value| value == "write") {
        fs::write(file("README.md"), &made).unwrap();
    }
    let readme = fs::read_to_string(file("README.md")).unwrap();
    assert!(readme == made, "make it anew: CHART_README=write cargo test chart::readme");
}

#[test]
fn a_row_has_the_path_the_default_and_the_comment() {
    let made = table("# One.\na: 1\nb:\n  # Two,\n  # and more.\n  c: {d: [e]}\n# Three.\nf:\n  g: x\n");
    let rows: Vec<&str> = made.lines().skip(2).collect();
    assert_eq!(
        rows,
        [
            "| `a` | `1` | One. |",
            r#"| `b.c` | `{"d":["e"]}` | Two, and more. |"#,
            r#"| `f` | `{"g":"x"}` | Three. |"#
        ]
    );
}
