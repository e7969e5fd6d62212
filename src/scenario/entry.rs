//! What a person chooses a scenario by.

use serde::Serialize;
use serde_json::Value;

use super::document::Scenario;
use crate::outcome::Role;

/// A scenario of the catalogue, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its stable id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it proves, in one line.
    pub title: String,
    /// What it proves, at length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// How long it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<DurationClass>,
    /// The same in seconds, as measured on the real cloud of `tests/testbed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// Services that the cloud must have.
    pub services: Vec<String>,
    /// What else the cloud must declare, or the run's owner must give.
    pub needs: Vec<String>,
    /// Where it is played alone, and the locks that it takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alone: Vec<String>,
    /// How often it is played within one test, when more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetitions: Option<u32>,
    /// Which upstream tests or documented use cases it covers.
    pub source: Vec<String>,
}

/// How long a scenario takes on a small real cloud, clean-up included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DurationClass {
    /// Less than 30 seconds.
    Fast,
    /// Less than 2 minutes.
    Medium,
    /// Longer.
    Slow,
}

impl DurationClass {
    /// The class of what takes so many seconds.
    pub const fn of(seconds: u32) -> Self {
        match seconds {
            0..30 => Self::Fast,
            30..120 => Self::Medium,
            _ => Self::Slow,
        }
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Medium => "medium",
            Self::Slow => "slow",
        }
    }
}

impl Entry {
    /// The entry of a scenario that takes so many seconds, if that was measured.
    pub fn of(scenario: &Scenario, seconds: Option<u32>) -> Self {
        let gates = &scenario.gates;
        let mut needs: Vec<String> = gates.facts.iter().filter_map(word).collect();
        let roles = gates.credentials.iter().filter(|role| **role != Role::Primary);
        needs.extend(roles.map(|role| format!("credentials of {role}")));
        needs.extend(gates.extensions.iter().map(|alias| format!("extension {alias}")));
        needs.extend(gates.features.iter().filter_map(word).map(|feature| format!("feature {feature}")));
        let exclusive = scenario.exclusive.as_ref().and_then(word);
        let mut alone: Vec<String> = exclusive.into_iter().map(|place| format!("in its {place}")).collect();
        alone.extend(scenario.locks.iter().map(|lock| format!("lock {lock}")));
        Self {
            name: scenario.name.clone(),
            id: scenario.id.clone(),
            title: scenario.title.clone(),
            description: scenario.description.clone(),
            tags: scenario.tags.clone(),
            duration: seconds.map(DurationClass::of),
            seconds,
            services: gates.services.iter().map(|service| service.as_str().to_owned()).collect(),
            needs,
            alone,
            repetitions: scenario.repeat.map(|repeat| repeat.count),
            source: scenario.source.clone(),
        }
    }

    /// Whether it has one of these tags; without any, all have.
    pub fn has_one_of(&self, tags: &[String]) -> bool {
        tags.is_empty() || self.tags.iter().any(|tag| tags.contains(tag))
    }

    /// The word for how long it takes; a hyphen when that was not measured.
    pub fn duration_word(&self) -> &'static str {
        self.duration.map_or("-", DurationClass::as_str)
    }
}

/// The word of a document's vocabulary.
fn word(of: impl Serialize) -> Option<String> {
    match serde_json::to_value(of) {
        Ok(Value::String(word)) => Some(word),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Catalogue;

    #[test]
    fn an_entry_says_what_a_scenario_needs() {
        let entries = Catalogue::built_in().unwrap().entries();
        let entry = entries.iter().find(|entry| entry.name == "port_on_external_net_to_dns").unwrap();
        assert_eq!(entry.services, ["orchestration", "network", "compute", "dns"]);
        for need in ["publishedNetwork", "image", "extension dns-domain-ports"] {
            assert!(entry.needs.iter().any(|one| one == need), "{need}: {entry:?}");
        }
        assert!(entry.has_one_of(&["core".to_owned()]) && !entry.has_one_of(&["smoke".to_owned()]));
        assert!(entry.has_one_of(&[]));
    }

    #[test]
    fn classes_have_bounds() {
        let classes = [0, 29, 30, 119, 120].map(|seconds| DurationClass::of(seconds).as_str());
        assert_eq!(classes, ["fast", "fast", "medium", "medium", "slow"]);
    }
}
