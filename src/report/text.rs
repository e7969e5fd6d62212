//! Text for people: made safe to print, cut and counted.
//!
//! Much of what is printed comes from a cloud, which may be hostile: nothing of it may move a terminal's
//! cursor, hide itself or reorder its neighbours.

use std::error::Error;
use std::fmt::Write as _;

/// One line that is safe to print; line breaks and tabs become spaces, other control characters visible.
pub fn line(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => clean.push(' '),
            other => push_visible(&mut clean, other),
        }
    }
    clean
}

/// Lines that are safe to print: as [`line()`], but line breaks and tabs are kept.
pub fn block(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => clean.push(character),
            other => push_visible(&mut clean, other),
        }
    }
    clean
}

fn push_visible(clean: &mut String, character: char) {
    if is_unsafe(character) {
        // Writing to a string cannot fail.
        let _ = write!(clean, "\\u{{{:x}}}", u32::from(character));
    } else {
        clean.push(character);
    }
}

/// Whether a character does something to its surroundings instead of being seen.
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// The first `most` characters, with a mark where it was cut.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// A duration for people: `0.8s`, `41s`, `3m12s`, `1h02m`.
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..10 => format!("{}.{}s", seconds, milliseconds % 1000 / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `1 thing`, `2 things`.
pub fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// An error and its causes in one safe line; a cause that its predecessor already said is left out.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = line(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = line(&error.to_string());
        if !next.is_empty() && !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("zone verify.example.org.", "zone verify.example.org.")]
    #[case::a_terminal_sequence("\u{1b}[2Jgone", "\\u{1b}[2Jgone")]
    #[case::its_one_character_form("\u{9b}31mred", "\\u{9b}31mred")]
    #[case::reordered("a\u{202e}b", "a\\u{202e}b")]
    #[case::several_lines("a\r\nb\tc", "a  b c")]
    #[case::other_scripts("größe 雲", "größe 雲")]
    fn a_line_is_safe(#[case] text: &str, #[case] safe: &str) {
        assert_eq!(line(text), safe);
    }

    #[rstest]
    #[case(0, "0.0s")]
    #[case(840, "0.8s")]
    #[case(9_999, "9.9s")]
    #[case(41_000, "41s")]
    #[case(192_000, "3m12s")]
    #[case(3_720_000, "1h02m")]
    fn a_duration_reads(#[case] milliseconds: u64, #[case] text: &str) {
        assert_eq!(duration(milliseconds), text);
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("größe", 4), "grö…");
        assert_eq!(cut("größe", 5), "größe");
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("in\nner")]
    struct Inner;

    #[test]
    fn a_chain_is_one_line() {
        assert_eq!(chain(&Outer(Inner)), "outer: in ner");
    }
}
