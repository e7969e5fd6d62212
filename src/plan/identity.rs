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

impl RunIdentity {
    /// The identity of an attempt (from 1) of the object with this UID.
    pub fn new(installation: &str, uid: Uuid, attempt: u32, started: Timestamp) -> Self {
        let hex = uid.simple().to_string();
        // The last group is random in every UUID version that Kubernetes and we make; the first is not in v7.
        let run_id = format!("{}{attempt:02x}", &hex[hex.len() - 10..]);
        Self { installation: installation.to_owned(), run_id, started }
    }

    /// Begins the name of everything this run makes.
    pub fn prefix(&self) -> String {
        format!("{PREFIX}-{}", self.run_id)
    }

    /// Begins the name of everything that this run's test number `index` makes: a DNS label.
    pub fn test_prefix(&self, index: usize) -> String {
        format!("{}-{index}", self.prefix())
    }

    /// The Heat tags of this run's stacks: how it, and an installation's leavings, are found again.
    pub fn stack_tags(&self) -> Vec<String> {
        vec!["tempest-operator".to_owned(), installation_tag(&self.installation), run_tag(&self.run_id)]
    }

    /// The description of everything that has one: found again by the prefix in front, understood by a person.
    pub fn description(&self, test_prefix: &str) -> String {
        format!(
            "{test_prefix} made by tempest-operator, installation {}, started {}",
            self.installation, self.started
        )
    }
}

/// The Heat tag that names an installation.
pub fn installation_tag(installation: &str) -> String {
    format!("installation={installation}")
}

/// The Heat tag that names a run.
pub fn run_tag(run_id: &str) -> String {
    format!("run={run_id}")
}
