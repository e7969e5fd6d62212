//! The full report as JSON, and any value as YAML.

use std::fmt::Write as _;

use serde::Serialize;

use super::RunReport;
use super::text::is_unsafe;

/// A report could not be written out.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// As JSON.
    #[error("the report cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// As YAML.
    #[error("the status cannot be written as YAML")]
    Yaml(#[source] serde_saphyr::SerializeError),
    /// As `JUnit` XML.
    #[error("the report cannot be written as XML")]
    Junit(#[source] quick_junit::SerializeError),
}

/// The full report, safe to print: what would move a terminal's cursor is escaped.
pub fn render(report: &RunReport) -> Result<String, RenderError> {
    pretty(report)
}

/// Any value as JSON that is safe to print, with a line break at the end.
pub fn pretty(value: &impl Serialize) -> Result<String, RenderError> {
    let text = serde_json::to_string_pretty(value).map_err(RenderError::Json)?;
    let mut safe = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        // Outside strings JSON has only line breaks of these, so escaping keeps the meaning.
        if is_unsafe(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe.push('\n');
    Ok(safe)
}

/// Any value as YAML that is safe to print, with a line break at the end.
pub fn yaml(value: &impl Serialize) -> Result<String, RenderError> {
    let text = serde_saphyr::to_string(value).map_err(RenderError::Yaml)?;
    // Control characters are escaped already; those that hide or reorder text are not, and whether an escape
    // is understood depends on how the text around is quoted, while a replacement always is.
    let mut text = text.replace(|character| is_unsafe(character) && character != '\n', "\u{fffd}");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_full_report() {
        insta::assert_snapshot!(render(&samples::mixed()).unwrap());
    }

    #[test]
    fn hostile_text_survives_a_round_trip_and_is_escaped() {
        let text = render(&samples::hostile()).unwrap();
        assert!(!text.chars().any(|character| is_unsafe(character) && character != '\n'), "{text}");
        let back: RunReport = serde_json::from_str(&text).unwrap();
        assert_eq!(back.tests, samples::hostile().tests);
    }

    #[test]
    fn yaml_of_hostile_text_is_safe() {
        let text = yaml(&samples::hostile().tests).unwrap();
        assert!(!text.chars().any(|character| is_unsafe(character) && character != '\n'), "{text}");
        let back: Vec<crate::outcome::TestResult> = serde_saphyr::from_str(&text).unwrap();
        let message = samples::hostile().tests[0].message.clone().unwrap();
        assert_eq!(back[0].message, Some(message.replace('\u{202e}', "\u{fffd}")));
    }
}
