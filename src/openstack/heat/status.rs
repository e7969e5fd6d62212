//! The status of a stack: what was asked for, and how far it is.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What Heat does, or did last, to a stack (H `engine/stack.py`; `Init` comes before anything).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it all
pub enum StackAction {
    Init,
    Create,
    Delete,
    Update,
    Rollback,
    Suspend,
    Resume,
    Adopt,
    Snapshot,
    Check,
    Restore,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it all
pub enum StackState {
    InProgress,
    Complete,
    Failed,
}

/// A status such as `CREATE_COMPLETE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StackStatus {
    /// What is done.
    pub action: StackAction,
    /// How far it is.
    pub state: StackState,
}

const ACTIONS: [(StackAction, &str); 11] = [
    (StackAction::Init, "INIT"),
    (StackAction::Create, "CREATE"),
    (StackAction::Delete, "DELETE"),
    (StackAction::Update, "UPDATE"),
    (StackAction::Rollback, "ROLLBACK"),
    (StackAction::Suspend, "SUSPEND"),
    (StackAction::Resume, "RESUME"),
    (StackAction::Adopt, "ADOPT"),
    (StackAction::Snapshot, "SNAPSHOT"),
    (StackAction::Check, "CHECK"),
    (StackAction::Restore, "RESTORE"),
];

const STATES: [(StackState, &str); 3] = [
    (StackState::InProgress, "_IN_PROGRESS"),
    (StackState::Complete, "_COMPLETE"),
    (StackState::Failed, "_FAILED"),
];

impl StackStatus {
    /// Whether nothing is going on any more.
    pub fn is_settled(self) -> bool {
        self.state != StackState::InProgress
    }

    /// Whether the last action failed.
    pub fn is_failed(self) -> bool {
        self.state == StackState::Failed
    }
}

impl fmt::Display for StackAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ACTIONS.iter().find(|(action, _)| action == self);
        f.write_str(name.map_or("?", |(_, name)| name))
    }
}

impl fmt::Display for StackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = STATES.iter().find(|(state, _)| *state == self.state);
        write!(f, "{}{}", self.action, name.map_or("?", |(_, name)| name))
    }
}

impl FromStr for StackStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        STATES
            .iter()
            .find_map(|(state, suffix)| {
                let action = text.strip_suffix(suffix)?;
                let (action, _) = ACTIONS.iter().find(|(_, name)| *name == action)?;
                Some(Self { action: *action, state: *state })
            })
            .ok_or_else(|| format!("{text:?} is not the status of a stack"))
    }
}

impl<'de> Deserialize<'de> for StackStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for StackStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_in_every_state_round_trips() {
        for (action, _) in ACTIONS {
            for (state, _) in STATES {
                let status = StackStatus { action, state };
                assert_eq!(status.to_string().parse(), Ok(status));
                assert_eq!(status.is_settled(), state != StackState::InProgress);
            }
        }
        assert_eq!(
            "CREATE_COMPLETE".parse(),
            Ok(StackStatus { action: StackAction::Create, state: StackState::Complete })
        );
        for text in ["", "CREATE", "_COMPLETE", "DANCE_COMPLETE", "create_complete"] {
            assert!(text.parse::<StackStatus>().is_err(), "{text}");
        }
    }
}
