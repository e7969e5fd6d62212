//! Evidence as lines for people: the same in the table and in `JUnit` XML.

use super::text;
use crate::outcome::{Evidence, TestResult};

/// Labelled facts, in the order in which a person looks for them; made safe to print.
pub fn facts(evidence: &Evidence) -> Vec<(&'static str, String)> {
    let asked = match (&evidence.method, &evidence.path) {
        (None, None) => None,
        (method, path) => {
            Some([method.as_deref(), path.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
    };
    [
        ("service", evidence.service.clone()),
        ("asked", asked),
        ("name server", evidence.name_server.clone()),
        ("status", evidence.http_status.map(|status| status.to_string())),
        ("request id", evidence.request_id.clone()),
        ("expected", evidence.expected.clone()),
        ("observed", evidence.observed.clone()),
    ]
    .into_iter()
    .filter_map(|(label, value)| value.map(|value| (label, text::line(&value))))
    .collect()
}

/// The same as lines, indented by `indent` spaces.
pub fn lines(evidence: &Evidence, indent: usize) -> String {
    let lines: Vec<_> = facts(evidence)
        .into_iter()
        .map(|(label, value)| format!("{:indent$}{label:<12} {value}\n", ""))
        .collect();
    lines.concat()
}

/// Why a test did not simply pass, in one safe line: reason and message, or an empty string.
pub fn why(test: &TestResult) -> String {
    if test.reason.is_none() && test.message.is_none() && !test.leaked.is_empty() {
        return format!("left {} behind", text::count(test.leaked.len(), "thing"));
    }
    let reason = test.reason.map(|reason| reason.to_string());
    [reason.as_deref(), test.message.as_deref()]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .map(text::line)
        .collect::<Vec<_>>()
        .join(": ")
}
