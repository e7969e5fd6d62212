//! Durations as documents write them: `300s`, `5m`, `1m30s` (GEP-2257).

use std::time::Duration;

/// Longest duration of a document.
pub const LONGEST: Duration = Duration::from_hours(24);

/// Reads one; [`None`] when it is none, is zero or is longer than a day.
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        if digits == 0 || digits > 5 || parts == 4 {
            return None;
        }
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let unit = after.find(|character: char| character.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        total += match unit {
            "h" => Duration::from_hours(number),
            "m" => Duration::from_mins(number),
            "s" => Duration::from_secs(number),
            "ms" => Duration::from_millis(number),
            _ => return None,
        };
        rest = after;
        parts += 1;
    }
    (parts > 0 && total > Duration::ZERO && total <= LONGEST).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("300s", Some(300_000))]
    #[case("1m30s", Some(90_000))]
    #[case("500ms", Some(500))]
    #[case("1h", Some(3_600_000))]
    #[case("", None)]
    #[case("5", None)]
    #[case("5d", None)]
    #[case("s", None)]
    #[case("0s", None)]
    #[case("123456s", None)]
    #[case("25h", None)]
    #[case("1s1s1s1s1s", None)]
    #[case("-1s", None)]
    #[case("1.5s", None)]
    fn durations_are_geps(#[case] text: &str, #[case] millis: Option<u64>) {
        assert_eq!(parse(text), millis.map(Duration::from_millis));
    }
}
