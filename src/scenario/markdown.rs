//! The catalogue as a page of documentation.

use std::fmt::Write as _;

use super::entry::Entry;

const HEAD: &str = "\
# Scenarios

<!-- Generated: tempest-operator scenarios list --output markdown > docs/scenarios.md -->

The built-in suite. `tempest-operator scenarios show NAME` prints one as a TempestScenario, to be read, changed and applied;
[tempestscenario.md](tempestscenario.md) explains its words. Select by name (`include`) or by tag (`tags`):

| tag | promises |
|---|---|
| `smoke` | a member's credentials are enough, no server is booted, and it is soon over |
| `core` | what every cloud with these services has to do |
| `negative` | wrong input and forbidden deeds have no effect in DNS |
| `characterisation` | it also reports what this cloud does where clouds differ: findings, not failures |
| `disruptive` | it changes something that others in the project or cloud notice, and sets it back |

Durations are those of one run of everything on the small real cloud of [tests/testbed](../tests/testbed/CLOUD.md), four at
once, clean-up included: *fast* below 30 s, *medium* below 2 min, *slow* above; `-` was not measured. The seconds are in
`scenarios/measured.yaml`, recorded by hand.
";

/// The whole page.
pub fn page(entries: &[Entry]) -> String {
    let mut page = HEAD.to_owned();
    // Writing to a String cannot fail.
    let _ = write!(page, "\n| scenario | tags | duration | proves |\n|---|---|---|---|\n");
    for entry in entries {
        let (name, tags) = (&entry.name, entry.tags.join(", "));
        let seconds = entry.seconds.map(|seconds| format!(" ({seconds} s)")).unwrap_or_default();
        let _ = writeln!(
            page,
            "| [{name}](#{name}) | {tags} | {}{seconds} | {} |",
            entry.duration_word(),
            cell(&entry.title)
        );
    }
    for entry in entries {
        section(&mut page, entry);
    }
    page
}

fn section(page: &mut String, entry: &Entry) {
    let _ = write!(page, "\n## {}\n\n{}.\n", entry.name, entry.title.trim_end_matches('.'));
    if let Some(description) = &entry.description {
        let _ = write!(page, "\n{}\n", description.trim());
    }
    let code = |words: &[String]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let facts = [
        ("tags", code(&entry.tags)),
        ("services", code(&entry.services)),
        ("needs", entry.needs.join(", ")),
        ("alone", entry.alone.join(", ")),
        ("repetitions", entry.repetitions.map(|count| count.to_string()).unwrap_or_default()),
        ("from", entry.source.join("; ")),
        ("id", entry.id.as_deref().map(|id| format!("`{id}`")).unwrap_or_default()),
    ];
    page.push('\n');
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(page, "- {name}: {value}");
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Catalogue;

    /// `cargo run -- scenarios list --output markdown > docs/scenarios.md` writes it anew.
    #[test]
    fn the_committed_page_is_the_generated_one() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenarios.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        let generated = page(&Catalogue::built_in().unwrap().entries());
        assert!(committed == generated, "docs/scenarios.md is of another state");
    }
}
