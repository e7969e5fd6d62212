//! The scenarios that a run can choose from: the built-in suite and users' own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::document::Scenario;
use super::entry::Entry;
use super::fault::{Fault, Faults};
use super::load::{TEMPLATE_END, load};
use super::yaml;

static SUITE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");
/// How long each took on the real cloud of `tests/testbed`, in seconds.
const MEASURED: &str = "measured.yaml";

/// What is wrong with the built-in suite.
pub type CatalogueError = Faults;

/// The scenarios that a run can choose from, by name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    scenarios: BTreeMap<String, Arc<Scenario>>,
    /// The built-in ones as they are written, templates included.
    texts: BTreeMap<String, Arc<str>>,
    /// How long built-in ones took, in seconds.
    measured: BTreeMap<String, u32>,
}

impl Catalogue {
    /// These scenarios; of several of one name the last counts.
    pub fn of(scenarios: Vec<Scenario>) -> Self {
        Self::default().with(scenarios)
    }

    /// The built-in suite.
    ///
    /// # Errors
    /// What is wrong with it; a unit test proves that nothing is.
    pub fn built_in() -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        let mut faults = Vec::new();
        for folder in SUITE.dirs() {
            let name = folder.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
            match load_folder(name, folder) {
                Ok((scenario, text)) => {
                    let twin = catalogue.iter().find(|other| other.id == scenario.id);
                    faults.extend(id_fault(&scenario, twin));
                    catalogue.texts.insert(name.to_owned(), text.into());
                    catalogue.add(scenario);
                }
                Err(more) => faults.extend(more),
            }
        }
        match measured() {
            Ok(measured) => catalogue.measured = measured,
            Err(fault) => faults.push(fault),
        }
        if faults.is_empty() { Ok(catalogue) } else { Err(Faults(faults)) }
    }

    /// What a person chooses scenarios by, in order of their names.
    pub fn entries(&self) -> Vec<Entry> {
        self.iter().map(|scenario| Entry::of(scenario, self.seconds(&scenario.name))).collect()
    }

    /// How long a built-in scenario took on the real cloud of `tests/testbed`, in seconds, if that was measured.
    pub fn seconds(&self, name: &str) -> Option<u32> {
        self.measured.get(name).copied()
    }

    /// Adds a scenario; one of the same name is replaced and given back.
    pub fn add(&mut self, scenario: Scenario) -> Option<Arc<Scenario>> {
        self.scenarios.insert(scenario.name.clone(), Arc::new(scenario))
    }

    /// These scenarios besides those that are there; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, scenarios: impl IntoIterator<Item = Scenario>) -> Self {
        for scenario in scenarios {
            self.add(scenario);
        }
        self
    }

    /// A scenario; built-in ones are also found by the name of their object, which has hyphens.
    pub fn get(&self, name: &str) -> Option<&Arc<Scenario>> {
        self.scenarios.get(name).or_else(|| self.scenarios.get(&name.replace('-', "_")))
    }

    /// All scenarios in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Scenario>> {
        self.scenarios.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.scenarios.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scenarios.is_empty()
    }

    /// A built-in scenario as a `TempestScenario` object that kubectl can apply; [`None`] when there is none of this
    /// name.
    pub fn show(&self, name: &str) -> Option<String> {
        let scenario = self.get(name)?;
        self.texts.get(&scenario.name).map(ToString::to_string)
    }
}

fn measured() -> Result<BTreeMap<String, u32>, Fault> {
    let text = SUITE.get_file(MEASURED).and_then(|file| file.contents_utf8()).unwrap_or_default();
    serde_saphyr::from_str(text).map_err(|error| Fault {
        file: Some(format!("scenarios/{MEASURED}")),
        message: format!("is no map of names to seconds: {error}"),
        ..Fault::default()
    })
}

fn id_fault(scenario: &Scenario, twin: Option<&Arc<Scenario>>) -> Option<Fault> {
    let message = match (&scenario.id, twin) {
        (None, _) => "'id' is missing".to_owned(),
        (Some(_), Some(twin)) => format!("'id' is that of '{}'", twin.name),
        (Some(_), None) => return None,
    };
    let file = Some(format!("scenarios/{}/scenario.yaml", scenario.name));
    let help = "make one with uuidgen".to_owned();
    Some(Fault { file, path: "spec.id".to_owned(), message, help, ..Fault::default() })
}

/// Checks a folder; gives the scenario, and its object with the templates inside.
fn load_folder(name: &str, folder: &Dir<'_>) -> Result<(Scenario, String), Vec<Fault>> {
    let in_folder = |fault: Fault| {
        let file = fault.file.as_deref().unwrap_or("scenario.yaml");
        Fault { file: Some(format!("scenarios/{name}/{file}")), ..fault }
    };
    let fault = |line, message: String| vec![in_folder(Fault { line, message, ..Fault::default() })];
    let mut templates = Vec::new();
    let mut text = None;
    for file in folder.files() {
        let file_name = file.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match (file_name.strip_suffix(TEMPLATE_END), file.contents_utf8()) {
            (Some(template), Some(text)) => templates.push((template.to_owned(), text.to_owned())),
            (None, Some(found)) if file_name == "scenario.yaml" => text = Some(found),
            _ => {
                return Err(fault(
                    None,
                    format!("'{file_name}' is neither scenario.yaml nor NAME{TEMPLATE_END}"),
                ));
            }
        }
    }
    templates.sort();
    let text = text.ok_or_else(|| fault(None, "there is no scenario.yaml".to_owned()))?;
    let documents = yaml::parse(text).map_err(|error| fault(error.line, format!("is no YAML: {error}")))?;
    let Ok([document]) = <[yaml::Document; 1]>::try_from(documents) else {
        return Err(fault(None, "is not one document".to_owned()));
    };
    let object = document.value.pointer("/metadata/name").and_then(|name| name.as_str()).unwrap_or_default();
    if object != name.replace('_', "-") {
        let message = format!("metadata.name is '{object}', but the folder is '{name}'");
        return Err(fault(document.line("metadata.name"), message));
    }
    let scenario = load(&document, &templates, |_| name.to_owned())
        .map_err(|faults| faults.into_iter().map(in_folder).collect::<Vec<_>>())?;
    Ok((scenario, with_templates(text, &templates)))
}

/// The object with its templates inside. `spec` is the last field of every built-in document.
fn with_templates(text: &str, templates: &[(String, String)]) -> String {
    let mut whole = text.trim_end().to_owned();
    whole.push('\n');
    if !templates.is_empty() {
        whole.push_str("  templates:\n");
    }
    for (name, template) in templates {
        let _ = writeln!(whole, "    {name}: |");
        for line in template.lines() {
            let _ = if line.is_empty() { writeln!(whole) } else { writeln!(whole, "      {line}") };
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::outcome::Role;
    use crate::scenario::{NeededFact, ServiceType, load_file_text};

    fn suite() -> Catalogue {
        Catalogue::built_in().unwrap_or_else(|faults| panic!("{faults}"))
    }

    #[test]
    fn nothing_is_wrong_with_the_built_in_suite() {
        let suite = suite();
        assert!(suite.len() >= 4, "{}", suite.len());
        let names: Vec<&str> = suite.iter().map(|scenario| scenario.name.as_str()).collect();
        assert!(names.is_sorted(), "{names:?}");
        let ids: BTreeSet<&str> = suite.iter().filter_map(|scenario| scenario.id.as_deref()).collect();
        assert_eq!(ids.len(), suite.len(), "ids are there and unique");
        for scenario in suite.iter() {
            let name = &scenario.name;
            assert!(scenario.description.is_some(), "{name} does not say what it proves");
            assert!(!scenario.source.is_empty(), "{name} does not say where it comes from");
        }
        let strangers: Vec<&String> =
            suite.measured.keys().filter(|name| suite.get(name).is_none()).collect();
        assert!(strangers.is_empty(), "measured, and not there: {strangers:?}");
    }

    /// Each tag is a promise, so there are few.
    #[test]
    fn tags_of_the_built_in_suite_say_what_they_promise() {
        let tags = ["smoke", "core", "negative", "characterisation", "disruptive"];
        for scenario in suite().iter() {
            let (name, gates) = (&scenario.name, &scenario.gates);
            assert!(!scenario.tags.is_empty(), "{name} can be selected by no tag");
            for tag in &scenario.tags {
                assert!(tags.contains(&tag.as_str()), "{name}: there is no tag '{tag}', but {tags:?}");
            }
            let has = |tag: &str| scenario.tags.iter().any(|one| one == tag);
            if has("smoke") {
                // A member alone, no server.
                assert!(!gates.services.contains(&ServiceType::Compute), "{name}");
                assert!(gates.credentials.iter().all(|role| *role == Role::Primary), "{name}");
                assert_eq!(scenario.exclusive, None, "{name}");
            }
            let reports = scenario.steps.iter().any(|step| step.report);
            assert!(!reports || has("characterisation"), "{name} reports what a cloud does");
        }
    }

    #[test]
    fn what_is_shown_can_be_changed_and_applied() {
        let suite = suite();
        for scenario in suite.iter() {
            let shown = suite.show(&scenario.name).unwrap();
            let mut read = read_one(&shown);
            let object = scenario.name.replace('_', "-");
            assert_eq!(read.name, format!("user/{object}"));
            read.name.clone_from(&scenario.name);
            assert_eq!(format!("{read:#?}"), format!("{scenario:#?}"), "it means something else");
            let changed = shown.replace(&format!("name: {object}\n"), "name: mine\n");
            let title = format!("\n  title: {}", scenario.title);
            assert!(changed.contains(&title), "{} has no line with its title", scenario.name);
            let read = read_one(&changed.replace(&title, "\n  title: My own"));
            assert_eq!((read.name.as_str(), read.title.as_str()), ("user/mine", "My own"));
        }
        assert_eq!(suite.show("no_such_scenario"), None);
    }

    fn read_one(text: &str) -> Scenario {
        let read = load_file_text("shown.yaml", text).unwrap_or_else(|faults| panic!("{}", Faults(faults)));
        let Ok([one]) = <[Scenario; 1]>::try_from(read) else { panic!("several: {text}") };
        one
    }

    /// By it everything is found and undone.
    #[test]
    fn every_name_in_dns_carries_the_tests_prefix() {
        use serde_json::json;
        let identity = json!({ "projectId": "p", "projectName": "demo", "userId": "u", "userName": "demo" });
        for scenario in suite().iter() {
            let mut scope = crate::scenario::expression::Scope::default();
            scope.set("run", json!({ "id": "445566778801", "zoneSuffix": "verify.example.org." }));
            scope.set(
                "test",
                json!({ "prefix": "to-445566778801-1", "description": "to-445566778801-1 made" }),
            );
            scope.set(
                "facts",
                json!({
                    "region": "RegionOne", "image": "i", "flavor": "f", "floatingNetwork": "n",
                    "publishedNetwork": "n", "nameServers": ["ns1"], "ptr": true, "guest": true,
                    "primary": identity, "alternate": identity, "admin": identity, "reader": identity,
                }),
            );
            for (name, template) in &scenario.variables {
                let value =
                    template.evaluate(&scope).unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
                let text = value.as_str().unwrap_or_default();
                if text.ends_with("verify.example.org.") && !text.contains('@') {
                    assert!(text.contains("to-445566778801-1"), "{}: {name} is {text}", scenario.name);
                }
                scope.set_in("vars", name, value);
            }
        }
    }

    #[test]
    fn gates_come_from_what_a_scenario_uses() {
        let suite = suite();
        let gates = &suite.get("floating-ip-with-own-name-to-dns").unwrap().gates;
        assert!(gates.resource_types.contains("OS::Neutron::FloatingIP"), "{gates:?}");
        assert!(gates.services.contains(&ServiceType::Dns) && gates.services.contains(&ServiceType::Network));
        assert!(gates.facts.contains(&NeededFact::FloatingNetwork));
        assert!(!gates.facts.contains(&NeededFact::Image), "{gates:?}");
    }
}
