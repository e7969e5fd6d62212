//! What is wrong with a document, where, and what to do about it.

use std::borrow::Cow;
use std::fmt;

/// The most characters that are shown of one part of a fault: it may quote the document.
const LONGEST: usize = 400;
/// The most faults that are shown.
const MAX_SHOWN: usize = 100;

/// One thing that is wrong with a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The file, when the document came from one.
    pub file: Option<String>,
    /// The line, counted from 1, when the document came from a text.
    pub line: Option<u64>,
    /// The field, such as `spec.steps[3].stack.template`; empty for the whole document.
    pub path: String,
    /// The step it is in.
    pub step: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do next; may be empty.
    pub help: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if self.file.is_some() || self.line.is_some() {
            f.write_str(" ")?;
        }
        if !self.path.is_empty() {
            f.write_str(&in_short(&self.path))?;
            if let Some(step) = &self.step {
                write!(f, " (step '{}')", in_short(step))?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&in_short(&self.message))?;
        if !self.help.is_empty() {
            write!(f, "; {}", in_short(&self.help))?;
        }
        Ok(())
    }
}

/// All that is wrong with one or several documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().take(MAX_SHOWN).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        match self.0.len().saturating_sub(MAX_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Faults {}

/// The beginning and the end of a text: what is said of a quotation often follows it.
fn in_short(text: &str) -> Cow<'_, str> {
    let length = text.chars().count();
    if length <= LONGEST {
        return Cow::Borrowed(text);
    }
    let half = LONGEST / 2;
    let characters = || text.chars();
    Cow::Owned(characters().take(half).chain(['…']).chain(characters().skip(length - half)).collect())
}

/// `a, b, c`, or `none`; not more than twelve names.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(12);
    names.truncate(12);
    match (names.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}

/// The next step after a wrong name: the closest right one, else all of them.
pub fn suggestion<'a>(wrong: &str, right: impl IntoIterator<Item = &'a str>) -> String {
    let right: Vec<&str> = right.into_iter().collect();
    match closest(wrong, &right) {
        Some(name) => format!("did you mean '{name}'?"),
        None if right.is_empty() => String::new(),
        None => format!("there are: {}", listed(right)),
    }
}

/// The name that differs least, when it differs little.
pub fn closest<'a>(wrong: &str, right: &[&'a str]) -> Option<&'a str> {
    let allowed = (wrong.chars().count() / 3).max(1);
    right
        .iter()
        .map(|name| (distance(&wrong.to_lowercase(), &name.to_lowercase()), *name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// How many characters must be added, removed, replaced or swapped with their neighbour (Damerau and Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.chars().take(100).collect();
    let other: Vec<char> = other.chars().take(100).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, character) in one.iter().enumerate() {
        let mut next = vec![line + 1];
        for (column, wanted) in other.iter().enumerate() {
            let cell = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = cell(&row, column) + usize::from(character != wanted);
            let mut least = replaced.min(cell(&row, column + 1) + 1).min(cell(&next, column) + 1);
            let swapped = line > 0
                && column > 0
                && one.get(line - 1) == Some(wanted)
                && other.get(column - 1) == Some(character);
            if swapped {
                least = least.min(cell(&before, column - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("tempalte", "did you mean 'template'?")]
    #[case("Template", "did you mean 'template'?")]
    #[case("quite_else", "there are: name, template")]
    fn a_wrong_name_gets_a_next_step(#[case] wrong: &str, #[case] help: &str) {
        assert_eq!(suggestion(wrong, ["name", "template"]), help);
    }

    #[test]
    fn what_is_quoted_is_shown_in_short() {
        let message = format!("'{}' is not one of the possible values", "ß".repeat(10_000));
        let fault = Fault { path: "spec.x".to_owned(), message, ..Fault::default() };
        let text = fault.to_string();
        assert!(text.chars().count() < 500, "{text}");
        assert!(
            text.starts_with("spec.x: 'ßß") && text.ends_with("ß' is not one of the possible values"),
            "{text}"
        );
    }

    #[test]
    fn of_many_faults_the_first_are_shown() {
        let faults = Faults(vec![Fault { message: "is wrong".to_owned(), ..Fault::default() }; 1234]);
        let text = faults.to_string();
        assert_eq!((text.lines().count(), text.lines().last()), (101, Some("and 1134 more")));
    }

    #[rstest]
    #[case("", "abc", 3)]
    #[case("kitten", "sitting", 3)]
    #[case("same", "same", 0)]
    #[case("tgas", "tags", 1)]
    #[case("tempalte", "template", 1)]
    fn distances_count_edits(#[case] one: &str, #[case] other: &str, #[case] wanted: usize) {
        assert_eq!(distance(one, other), wanted);
    }
}
