//! Commands that documentation shows are ones that the program takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use clap::error::ErrorKind;
use clap::{Error, Parser};
use regex::Regex;
use rstest::rstest;

use super::args::Cli;
use super::kubectl::{Command, Kubectl};

/// Pages for people that show commands, by their path in the repository.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md", "charts/tempest-operator/README.md"]
        .map(|page| root.join(page))
        .into();
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        pages.push(entry.unwrap().path());
    }
    pages
}

/// The commands of a page: lines of its blocks, and what is set as code in its text.
fn shown(page: &str) -> Vec<Vec<String>> {
    let page = page.replace("\\\n", " ");
    let code = Regex::new("`([^`\n]+)`").unwrap();
    let fences = page.lines().scan(false, |fenced, line| {
        *fenced ^= line.trim_start().starts_with("```");
        Some((*fenced || line.starts_with("    "), line))
    });
    let mut commands = Vec::new();
    for (is_block, line) in fences {
        if is_block {
            commands.extend(command(line));
        } else {
            commands.extend(code.captures_iter(line).filter_map(|found| command(&found[1])));
        }
    }
    commands
}

/// The program's arguments, as a shell hands them over, if the line is a command of ours with any.
fn command(line: &str) -> Option<Vec<String>> {
    let mut words = words(line.trim_start().trim_start_matches("$ "));
    let is_setting = |word: &String| word.split_once('=').is_some_and(|(key, _)| !key.contains('-'));
    while words.first().is_some_and(is_setting) {
        words.remove(0);
    }
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["cargo", "run", ..] => {
            let own = words.iter().position(|word| word == "--")?;
            words[own] = "tempest-operator".to_owned();
            Some(words.split_off(own))
        }
        ["tempest-operator", _, ..] => Some(words),
        ["kubectl", "tempest", _, ..] => Some(words.split_off(1)),
        _ => None,
    }
}

/// The words of one command; a comment, or what becomes of its output, ends it. Brackets say that something may be left out.
fn words(line: &str) -> Vec<String> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"'([^']*)'|([^\s']+)").unwrap());
    let quoted_or_not = WORD.captures_iter(line).map(|found| match found.get(1) {
        Some(quoted) => quoted.as_str().to_owned(),
        None => found[2].trim_matches(['[', ']']).to_owned(),
    });
    quoted_or_not
        .take_while(|word| !matches!(word.as_str(), "|" | ">" | "&&" | ";") && !word.starts_with('#'))
        .collect()
}

/// Whether the program takes it, and could do something with it. Its first word alone speaks of the command as such.
fn check(command: &[String]) -> Result<(), String> {
    if command[0] == "tempest-operator" {
        let is_name =
            |error: &Error| command.len() == 2 && error.kind() == ErrorKind::MissingRequiredArgument;
        return match Cli::try_parse_from(command) {
            Err(error) if !is_name(&error) => Err(error.to_string()),
            _ => Ok(()),
        };
    }
    match Kubectl::try_parse_from(command).map_err(|error| error.to_string())?.command {
        Command::Run(run) if run.file.is_none() && (run.secret.is_none() || run.zone_suffix.is_none()) => {
            Err("it names no cloud".to_owned())
        }
        _ => Ok(()),
    }
}

#[test]
fn every_command_that_is_shown_is_taken() {
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for page in pages() {
        for command in shown(&fs::read_to_string(&page).unwrap()) {
            checked += 1;
            if let Err(error) = check(&command) {
                wrong.push(format!("{}: {}: {error}", page.display(), command.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked > 30, "only {checked} commands were found");
}

#[rstest]
#[case::comment("    $ tempest-operator try   # plays", &["tempest-operator", "try"])]
#[case::quotes("    tempest-operator try --include 'a b*' > x", &["tempest-operator", "try", "--include", "a b*"])]
#[case::cargo("    cargo run --release -- try", &["tempest-operator", "try"])]
#[case::variable("    A=b tempest-operator try \\\n  --latency zero", &["tempest-operator", "try", "--latency", "zero"])]
#[case::plugin("Say `kubectl tempest list [-A]`.", &["tempest", "list", "-A"])]
fn commands_are_found(#[case] page: &str, #[case] words: &[&str]) {
    assert_eq!(shown(page), [words]);
}

#[rstest]
#[case::no_such_command("tempest-operator play-it")]
#[case::no_such_flag("tempest-operator sweep --everything")]
#[case::no_cloud("kubectl tempest run --wait")]
fn a_wrong_one_is_refused(#[case] line: &str) {
    assert!(check(&command(line).unwrap()).is_err());
}
