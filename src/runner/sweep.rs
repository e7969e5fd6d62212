//! Finds the leavings of one's own installation: by the words that every description carries.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::audit::{Found, find_matching};
use super::cloud::Cloud;
use super::fault::StepFault;
use super::undo::carries;
use crate::outcome::Leak;
use crate::plan::identity::{PREFIX, read_description};

/// Everything that `installation` made in runs that started before `before`.
///
/// A stack, port or zone says so in its description. What has no description of ours (a server, a network) is
/// found by the run's prefix in its name, when something else of that run told whose it is. What could not be
/// listed is told beside it.
pub async fn find(cloud: &Cloud, installation: &str, before: Timestamp) -> (Vec<Found>, Vec<StepFault>) {
    let ours = |_: &str, description: &str| {
        read_description(description)
            .is_some_and(|made| made.installation == installation && made.started < before)
    };
    let (candidates, unknown) =
        find_matching(cloud, &|_| true, &|name, description| starts(name) || starts(description)).await;
    let runs: Vec<String> = candidates
        .iter()
        .filter(|found| ours(&found.name, &found.description))
        .filter_map(|found| run_prefix(&found.description).map(str::to_owned))
        .collect();
    let found = candidates
        .into_iter()
        .filter(|found| {
            ours(&found.name, &found.description)
                || (read_description(&found.description).is_none()
                    && run_prefix(&found.name).is_some_and(|prefix| runs.iter().any(|run| run == prefix)))
        })
        .collect();
    (found, unknown)
}

fn starts(text: &str) -> bool {
    run_prefix(text).is_some()
}

/// The run's part of a name or description: `to-RUNID` of `to-RUNID-3-zone`.
fn run_prefix(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(PREFIX)?.strip_prefix('-')?;
    let id = rest.split('-').next()?;
    let is_id = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| &text[..PREFIX.len() + 1 + id.len()])
}

/// What is swept before a run: what nobody knows of any more, of runs that are long over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepFirst {
    /// Of runs that began at least so long ago.
    pub older_than: Duration,
    /// The prefixes of runs that somebody knows of: they are under way, kept, or undone by what their ledgers tell.
    pub spared: Vec<String>,
}

impl SweepFirst {
    /// Runs that began before this are swept.
    pub fn before(&self, now: Timestamp) -> Timestamp {
        SignedDuration::try_from(self.older_than)
            .ok()
            .and_then(|age| now.checked_sub(age).ok())
            .unwrap_or(Timestamp::MIN)
    }

    /// Whether something is not to be touched.
    pub fn spares(&self, found: &Found) -> bool {
        self.spared.iter().any(|prefix| carries(&found.name, prefix) || carries(&found.description, prefix))
    }
}

/// What became of something swept, for a person.
pub fn in_words(leak: &Leak) -> String {
    let what = format!("{} {} ({}) of an earlier run", leak.kind, leak.name, leak.id);
    match &leak.message {
        None => format!("swept {what}"),
        Some(message) => format!("could not sweep {what}: {message}"),
    }
}

/// Something found, as it is shown when nothing is removed.
pub fn as_leak(found: Found) -> Leak {
    Leak {
        service: found.service.service_type().to_owned(),
        kind: found.kind.to_owned(),
        id: found.id,
        name: if found.name.is_empty() { found.description } else { found.name },
        removed: false,
        message: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_run_id_makes_a_prefix() {
        assert_eq!(run_prefix("to-0123456789ab-3-zone"), Some("to-0123456789ab"));
        assert_eq!(run_prefix("to-0123456789ab made by"), None);
        assert_eq!(run_prefix("to-do-list"), None);
        assert_eq!(run_prefix("auto-0123456789ab-1"), None);
    }
}
