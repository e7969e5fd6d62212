//! Makes the plan: which scenarios are played, which are skipped and why, and within which limits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use globset::{Glob, GlobMatcher};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::error::PlanError;
use super::facts::CloudFacts;
use super::gates::closed;
use super::identity::RunIdentity;
use super::request::zone_suffix;
use super::{Decision, Expectation, PlannedTest, RunPlan, Settings};
use crate::api::tempest_run::{CloudSpec, ExecutionSpec, FeatureMode, OnLeak, ScenariosSpec, TempestRunSpec};
use crate::outcome::{Reason, VerdictPolicy};
use crate::scenario::catalogue::Catalogue;
use crate::scenario::{Scenario, ServiceType};

/// Judges what can be judged before a cloud is touched.
pub fn check(spec: &TempestRunSpec, catalogue: &Catalogue) -> Result<(), PlanError> {
    zone_suffix(&spec.cloud.zone_suffix)?;
    Selection::of(&spec.scenarios, catalogue).map(|_| ())
}

/// Whether any of the chosen scenarios must be alone, or shares a lock with others.
pub fn needs_locks(spec: &TempestRunSpec, catalogue: &Catalogue) -> bool {
    Selection::of(&spec.scenarios, catalogue).is_ok_and(|selection| {
        selection.chosen.iter().any(|scenario| scenario.exclusive.is_some() || !scenario.locks.is_empty())
    })
}

/// Makes the plan. The same arguments give the same plan.
pub fn make(
    spec: &TempestRunSpec,
    catalogue: &Catalogue,
    facts: CloudFacts,
    run: RunIdentity,
) -> Result<RunPlan, PlanError> {
    asked_for(&spec.cloud, &facts)?;
    let selection = Selection::of(&spec.scenarios, catalogue)?;
    let today = run.started.to_zoned(TimeZone::UTC).date();
    let tests = selection
        .chosen
        .iter()
        .enumerate()
        .map(|(index, scenario)| PlannedTest {
            name: scenario.name.clone(),
            id: scenario.id.clone(),
            prefix: run.test_prefix(index + 1),
            decision: decide(scenario, &selection, &facts, spec, today),
            required: selection.required.iter().any(|glob| glob.is_match(&scenario.name)),
            expectation: selection.expectation(&scenario.name, today),
            seconds: catalogue.seconds(&scenario.name),
        })
        .collect();
    Ok(RunPlan {
        settings: settings(spec),
        zone_suffix: zone_suffix(&spec.cloud.zone_suffix)?,
        run,
        facts,
        tests,
    })
}

/// What the owner names must be there: skipping its tests would turn a typing error into a run that passes.
fn asked_for(spec: &CloudSpec, facts: &CloudFacts) -> Result<(), PlanError> {
    let asked = [
        ("image", &spec.image, &facts.image, ServiceType::Image),
        ("flavor", &spec.flavor, &facts.flavor, ServiceType::Compute),
        ("floatingNetwork", &spec.floating_network, &facts.floating_network, ServiceType::Network),
        ("publishedNetwork", &spec.published_network, &facts.published_network, ServiceType::Network),
    ];
    for (field, name, choice, service) in asked {
        // Without the service nothing can be named, and gates tell of that.
        if name.is_some() && choice.id.is_none() && facts.services.contains_key(service.as_str()) {
            return Err(PlanError::NotInTheCloud { field, why: choice.why.clone() });
        }
    }
    Ok(())
}

fn decide(
    scenario: &Arc<Scenario>,
    selection: &Selection,
    facts: &CloudFacts,
    spec: &TempestRunSpec,
    today: Date,
) -> Decision {
    let excluded = selection.excluded.iter().find(|exclusion| exclusion.applies(&scenario.name, today));
    if let Some(exclusion) = excluded {
        return Decision::Skip { reason: Reason::Excluded, message: exclusion.reason.clone() };
    }
    match closed(&scenario.gates, facts, spec.cloud.features) {
        Some(message) => Decision::Skip { reason: Reason::GateClosed, message },
        None => Decision::Play(Arc::clone(scenario)),
    }
}

/// The run's limits, with the defaults that the custom resource documents.
pub fn settings(spec: &TempestRunSpec) -> Settings {
    let ExecutionSpec {
        max_parallel,
        timeout_seconds,
        scenario_timeout_seconds,
        timeout_scale_percent,
        fail_fast,
        retries,
        on_failure,
        on_leak,
        thresholds,
        ..
    } = &spec.execution;
    let seconds = |given: &Option<u32>, default: u32| Duration::from_secs(given.unwrap_or(default).into());
    let features = &spec.cloud.features;
    Settings {
        max_parallel: usize::try_from(max_parallel.unwrap_or(4)).unwrap_or(4),
        run_timeout: seconds(timeout_seconds, 3600),
        test_timeout: seconds(scenario_timeout_seconds, 1200),
        timeout_scale: f64::from(timeout_scale_percent.unwrap_or(100)) / 100.0,
        fail_fast: *fail_fast,
        retries: retries.unwrap_or_default(),
        keep_on_failure: Duration::from_secs(on_failure.unwrap_or_default().keep_resources_seconds.into()),
        guest_required: features.guest == FeatureMode::Required,
        guest_offered: features.guest != FeatureMode::NotOffered,
        ptr_offered: features.ptr != FeatureMode::NotOffered,
        thresholds: thresholds.unwrap_or_default(),
        floating_ip_dns_offered: features.floating_ip_dns != FeatureMode::NotOffered,
        verdict: VerdictPolicy {
            strict: spec.scenarios.strict,
            fail_on_leak: on_leak.unwrap_or_default() == OnLeak::Fail,
            min_executed: usize::try_from(spec.scenarios.min_executed.unwrap_or(1)).unwrap_or(1),
        },
    }
}

/// Which scenarios are in the plan.
struct Selection {
    chosen: Vec<Arc<Scenario>>,
    excluded: Vec<Dated>,
    expected: Vec<Dated>,
    required: Vec<GlobMatcher>,
}

/// What an owner says of scenarios, perhaps until a day.
struct Dated {
    glob: GlobMatcher,
    reason: String,
    until: Option<Date>,
}

impl Dated {
    fn of(field: &'static str, name: &str, reason: &str, until: Option<&String>) -> Result<Self, PlanError> {
        let until = until.map(|until| {
            until.parse::<Date>().map_err(|_| PlanError::BadDate {
                field,
                name: name.to_owned(),
                until: until.clone(),
            })
        });
        Ok(Self { glob: compile(field, name)?, reason: reason.to_owned(), until: until.transpose()? })
    }

    /// The last day counts.
    fn applies(&self, name: &str, today: Date) -> bool {
        self.glob.is_match(name) && self.until.is_none_or(|until| today <= until)
    }
}

impl Selection {
    /// The first that holds, else the first that has ended.
    fn expectation(&self, name: &str, today: Date) -> Option<Expectation> {
        let holds = self.expected.iter().find(|expected| expected.applies(name, today));
        if let Some(expected) = holds {
            return Some(Expectation::Holds { reason: expected.reason.clone() });
        }
        let mut ended = self.expected.iter().filter(|expected| expected.glob.is_match(name));
        let (expected, on) = ended.find_map(|expected| expected.until.map(|on| (expected, on)))?;
        Some(Expectation::Ended { reason: expected.reason.clone(), on })
    }

    fn of(spec: &ScenariosSpec, catalogue: &Catalogue) -> Result<Self, PlanError> {
        let all: Vec<&Arc<Scenario>> = catalogue.iter().collect();
        let include = globs("include", &spec.include, &all)?;
        let required = globs("required", &spec.required, &all)?;
        let excluded = spec
            .exclude
            .iter()
            .map(|given| Dated::of("exclude", &given.name, &given.reason, given.until.as_ref()))
            .collect::<Result<Vec<_>, PlanError>>()?;
        let expected = spec
            .expected_failures
            .iter()
            .map(|given| {
                matching("expectedFailures", &given.name, &all)?;
                Dated::of("expectedFailures", &given.name, &given.reason, given.until.as_ref())
            })
            .collect::<Result<Vec<_>, PlanError>>()?;
        let tags: BTreeSet<&str> =
            all.iter().flat_map(|scenario| scenario.tags.iter().map(String::as_str)).collect();
        if let Some(tag) = spec.tags.iter().find(|tag| !tags.contains(tag.as_str())) {
            let existing = tags.into_iter().collect::<Vec<_>>().join(", ");
            return Err(PlanError::UnknownTag { tag: tag.clone(), existing });
        }
        let chosen: Vec<Arc<Scenario>> = all
            .into_iter()
            .filter(|scenario| include.is_empty() || include.iter().any(|glob| glob.is_match(&scenario.name)))
            .filter(|scenario| {
                spec.tags.is_empty() || scenario.tags.iter().any(|tag| spec.tags.contains(tag))
            })
            .cloned()
            .collect();
        if chosen.is_empty() {
            return Err(PlanError::NothingSelected);
        }
        Ok(Self { chosen, excluded, expected, required })
    }
}

fn globs(
    field: &'static str,
    patterns: &[String],
    all: &[&Arc<Scenario>],
) -> Result<Vec<GlobMatcher>, PlanError> {
    patterns.iter().map(|pattern| matching(field, pattern, all)).collect()
}

/// A glob that must match something: otherwise it is a typing error, more often than not.
fn matching(field: &'static str, pattern: &str, all: &[&Arc<Scenario>]) -> Result<GlobMatcher, PlanError> {
    let glob = compile(field, pattern)?;
    if all.iter().any(|scenario| glob.is_match(&scenario.name)) {
        return Ok(glob);
    }
    let existing = all.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>().join(", ");
    Err(PlanError::NothingMatches { field, glob: pattern.to_owned(), existing })
}

fn compile(field: &'static str, pattern: &str) -> Result<GlobMatcher, PlanError> {
    Glob::new(pattern).map(|glob| glob.compile_matcher()).map_err(|error| PlanError::BadGlob {
        field,
        glob: pattern.to_owned(),
        why: error.kind().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::tempest_run::{CloudSpec, Exclusion};
    use crate::scenario::ServiceType;
    use crate::scenario::document::Gates;
    use uuid::Uuid;

    fn scenario(name: &str, tag: &str, services: &[ServiceType]) -> Scenario {
        Scenario {
            name: name.to_owned(),
            id: None,
            title: name.to_owned(),
            description: None,
            tags: vec![tag.to_owned()],
            source: Vec::new(),
            gates: Gates { services: services.iter().copied().collect(), ..Gates::default() },
            variables: Vec::new(),
            exclusive: None,
            locks: BTreeSet::new(),
            repeat: None,
            thresholds: crate::scenario::Thresholds::default(),
            templates: std::collections::BTreeMap::new(),
            steps: Vec::new(),
        }
    }

    fn catalogue() -> Catalogue {
        Catalogue::of(vec![
            scenario("fip_a", "smoke", &[]),
            scenario("fip_b", "core", &[ServiceType::Compute]),
            scenario("zone", "smoke", &[]),
        ])
    }

    fn planned(scenarios: ScenariosSpec) -> Result<RunPlan, PlanError> {
        let cloud = CloudSpec { zone_suffix: "t.example.".to_owned(), ..CloudSpec::default() };
        let spec = TempestRunSpec { cloud, scenarios, ..TempestRunSpec::default() };
        let run = RunIdentity::new("lab", Uuid::from_u128(1), 1, "2026-11-23T23:00:00Z".parse().unwrap());
        make(&spec, &catalogue(), CloudFacts::default(), run)
    }

    fn names(plan: &RunPlan) -> Vec<&str> {
        plan.tests.iter().map(|test| test.name.as_str()).collect()
    }

    #[test]
    fn everything_is_selected_unless_said_otherwise_and_a_closed_gate_skips() {
        let plan = planned(ScenariosSpec::default()).unwrap();
        assert_eq!(names(&plan), ["fip_a", "fip_b", "zone"]);
        assert!(matches!(plan.tests[0].decision, Decision::Play(_)));
        let Decision::Skip { reason, message } = &plan.tests[1].decision else { panic!("played") };
        assert_eq!(*reason, Reason::GateClosed);
        assert!(message.contains("compute"), "{message}");
    }

    #[test]
    fn globs_and_tags_select() {
        let include =
            |glob: &str| ScenariosSpec { include: vec![glob.to_owned()], ..ScenariosSpec::default() };
        assert_eq!(names(&planned(include("fip_*")).unwrap()), ["fip_a", "fip_b"]);
        let tags = ScenariosSpec { tags: vec!["core".to_owned()], ..ScenariosSpec::default() };
        assert_eq!(names(&planned(tags).unwrap()), ["fip_b"]);
        let error = planned(include("fop_*")).unwrap_err().to_string();
        assert!(error.contains("'fop_*'") && error.contains("fip_a, fip_b, zone"), "{error}");
        let error = planned(include("a[")).unwrap_err();
        assert!(matches!(error, PlanError::BadGlob { .. }), "{error}");
    }

    #[test]
    fn an_exclusion_has_a_reason_and_holds_to_its_last_day() {
        let exclude = |until: &str| ScenariosSpec {
            exclude: vec![Exclusion {
                name: "zone".into(),
                reason: "bug 1".into(),
                until: Some(until.to_owned()),
            }],
            ..ScenariosSpec::default()
        };
        let decision = |until: &str| planned(exclude(until)).unwrap().tests.remove(2).decision;
        assert!(matches!(decision("2026-11-23"), Decision::Skip { reason: Reason::Excluded, .. }));
        assert!(matches!(decision("2026-11-22"), Decision::Play(_)));
        assert!(matches!(planned(exclude("tomorrow")), Err(PlanError::BadDate { .. })));
    }

    #[test]
    fn an_expected_failure_has_a_reason_and_holds_to_its_last_day() {
        let expect = |name: &str, until: Option<&str>| ScenariosSpec {
            expected_failures: vec![crate::api::tempest_run::Expectation {
                name: name.into(),
                reason: "bug 1".into(),
                until: until.map(str::to_owned),
            }],
            ..ScenariosSpec::default()
        };
        let expectation = |until| planned(expect("zone", until)).unwrap().tests.remove(2).expectation;
        let holds = Some(Expectation::Holds { reason: "bug 1".into() });
        assert_eq!((expectation(None), expectation(Some("2026-11-23"))), (holds.clone(), holds));
        let on = "2026-11-22".parse().unwrap();
        assert_eq!(expectation(Some("2026-11-22")), Some(Expectation::Ended { reason: "bug 1".into(), on }));
        let error = planned(expect("zoen", None)).unwrap_err().to_string();
        assert!(error.contains("expectedFailures") && error.contains("'zoen'"), "{error}");
        let error = planned(expect("zone", Some("soon"))).unwrap_err().to_string();
        assert!(error.contains("expectedFailures") && error.contains("'soon'"), "{error}");
    }

    #[test]
    fn a_second_try_and_each_repetition_have_names_of_their_own() {
        let test = planned(ScenariosSpec::default()).unwrap().tests.remove(0);
        assert_eq!(test.try_number(1).prefix, test.prefix);
        assert_eq!(test.try_number(2).prefix, format!("{}r2", test.prefix));
        assert!(test.try_number(6).prefix.len() <= 24);
        assert_eq!(test.repetition(2).prefix, format!("{}n2", test.prefix));
        let longest = PlannedTest { prefix: "to-445566778801-999".to_owned(), ..test };
        assert!(longest.try_number(6).repetition(99).prefix.len() <= 24);
    }

    #[test]
    fn prefixes_are_unique_labels() {
        let plan = planned(ScenariosSpec::default()).unwrap();
        let prefixes: BTreeSet<&str> = plan.tests.iter().map(|test| test.prefix.as_str()).collect();
        assert_eq!(prefixes.len(), 3);
    }

    #[test]
    fn the_longest_begins_first_and_what_was_not_measured_may_be_long() {
        let mut plan = planned(ScenariosSpec::default()).unwrap();
        assert_eq!(plan.playing_order(), [0, 1, 2], "nothing is known");
        for (test, seconds) in plan.tests.iter_mut().zip([Some(30), None, Some(90)]) {
            test.seconds = seconds;
        }
        assert_eq!(plan.playing_order(), [1, 2, 0]);
    }
}
