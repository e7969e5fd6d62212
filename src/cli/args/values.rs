//! What is written behind an argument.

use std::time::Duration;

use clap::ValueEnum;
use jiff::SignedDuration;

/// How a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table for people
    #[default]
    Table,
    /// The full report
    Json,
    /// The status as Kubernetes would show it
    Yaml,
}

/// How the list of scenarios is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ListOutput {
    /// A table for people
    #[default]
    Table,
    /// Everything that is known of them
    Json,
    /// The same as YAML
    Yaml,
    /// As a page of documentation
    Markdown,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// How fast the simulated cloud is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Latency {
    /// As a small real cloud
    #[default]
    Realistic,
    /// At once
    Zero,
}

/// A run as kubectl names it: by its name, or with its kind before it.
pub fn run_name(text: &str) -> Result<String, String> {
    let name = match text.split_once('/') {
        Some(("tempestrun" | "tempestruns" | "trun", name)) => name,
        Some((kind, _)) => return Err(format!("'{kind}' is not 'tempestrun'")),
        None => text,
    };
    if name.is_empty() { Err("the name is missing".to_owned()) } else { Ok(name.to_owned()) }
}

/// A length of time, such as 90s, 30m or 24h.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no duration; use one such as 90s, 30m or 24h");
    let parsed: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(parsed).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        assert!(duration("-1h").is_err());
        assert!(duration("soon").is_err());
    }
}
