//! Names of runs and of what they make: derived, never invented on the way, so that they can be found again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Begins the name of everything that any installation makes.
pub const PREFIX: &str = "to";

/// One run of one installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunIdentity {
    /// The operator, or the person's command line: it undoes and sweeps only its own.
    pub installation: String,
    /// This run: ten hexadecimal characters of the object's UID and the attempt.
    pub run_id: String,
    /// When it began.
    pub started: Timestamp,
}

/// Begins the name of everything that the run of this id makes.
pub fn prefix(run_id: &str) -> String {
    format!("{PREFIX}-{run_id}")
}

impl RunIdentity {
    /// The identity of an attempt (from 1) of the object with this UID.
    pub fn new(installation: &str, uid: Uuid, attempt: u32, started: Timestamp) -> Self {
        let hex = uid.simple().to_string();
        // The last group is random in every UUID version that Kubernetes and we make; the first is not in v7.
        let run_id = format!("{}{attempt:02x}", &hex[hex.len() - 10..]);
        // Whole seconds: it is written into names and tags, which people read.
        let started = Timestamp::from_second(started.as_second()).unwrap_or(started);
        Self { installation: installation.to_owned(), run_id, started }
    }

    /// Begins the name of everything this run makes.
    pub fn prefix(&self) -> String {
        prefix(&self.run_id)
    }

    /// Begins the name of everything that this run's test number `index` makes: a DNS label.
    pub fn test_prefix(&self, index: usize) -> String {
        format!("{}-{index}", self.prefix())
    }

    /// The Heat tags of this run's stacks: how an installation's leavings are found again. A tag has at most 80
    /// characters and no comma (Orchestration API reference).
    pub fn stack_tags(&self) -> Vec<String> {
        vec![
            format!("{INSTALLATION_TAG}{}", self.installation),
            format!("{RUN_TAG}{}", self.prefix()),
            format!("{STARTED_TAG}{}", self.started),
        ]
    }

    /// The description of everything that has one: found again by the prefix in front, understood by a person.
    pub fn description(&self, test_prefix: &str) -> String {
        describe(test_prefix, &self.installation, &self.started.to_string())
    }
}

const INSTALLATION_TAG: &str = "tempest-operator-installation=";
const RUN_TAG: &str = "tempest-operator-run=";
const STARTED_TAG: &str = "tempest-operator-started=";
const MADE_BY: &str = " made by tempest-operator, installation ";
const STARTED: &str = ", started ";

fn describe(prefix: &str, installation: &str, started: &str) -> String {
    format!("{prefix}{MADE_BY}{installation}{STARTED}{started}")
}

/// The description that a stack would have, from its tags; empty when they are not ours.
pub fn description_of_tags(tags: &[String]) -> String {
    let tag = |begin: &str| tags.iter().find_map(|tag| tag.strip_prefix(begin));
    match (tag(RUN_TAG), tag(INSTALLATION_TAG), tag(STARTED_TAG)) {
        (Some(prefix), Some(installation), Some(started)) => describe(prefix, installation, started),
        _ => String::new(),
    }
}

/// Who made something, and when its run began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeBy {
    /// The installation.
    pub installation: String,
    /// When the run began.
    pub started: Timestamp,
}

/// Reads a description back; [`None`] when it is not ours.
pub fn read_description(description: &str) -> Option<MadeBy> {
    let (_, rest) = description.split_once(MADE_BY)?;
    let (installation, started) = rest.split_once(STARTED)?;
    Some(MadeBy { installation: installation.to_owned(), started: started.trim().parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> RunIdentity {
        let started = "2026-11-23T04:05:06.7Z".parse().unwrap();
        RunIdentity::new("lab", Uuid::from_u128(0x1234_5678_9abc_def0_1122_3344_5566_7788), 1, started)
    }

    #[test]
    fn names_are_derived_and_are_dns_labels() {
        let run = identity();
        assert_eq!(run.run_id, "445566778801");
        assert_eq!(run.test_prefix(12), "to-445566778801-12");
        assert!(run.test_prefix(999).len() <= 24);
    }

    #[test]
    fn a_description_and_tags_say_whose_it_is() {
        let run = identity();
        let made = MadeBy { installation: "lab".into(), started: run.started };
        assert_eq!(read_description(&run.description(&run.test_prefix(1))), Some(made.clone()));
        assert_eq!(read_description(&description_of_tags(&run.stack_tags())), Some(made));
        assert_eq!(read_description("made by hand"), None);
        assert!(run.stack_tags().iter().all(|tag| tag.len() <= 80 && !tag.contains(',')));
    }
}
