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
use super::{Decision, PlannedTest, RunPlan, Settings};
use crate::api::tempest_run::{CloudSpec, ExecutionSpec, FeatureMode, OnLeak, ScenariosSpec, TempestRunSpec};
use crate::outcome::{Reason, VerdictPolicy};
use crate::scenario::catalogue::Catalogue;
use crate::scenario::{Scenario, ServiceType};

/// Judges what can be judged before a cloud is touched.
pub fn check(spec: &TempestRunSpec, catalogue: &Catalogue) -> Result<(), PlanError> {
    zone_suffix(&spec.cloud.zone_suffix)?;
    Selection::of(&spec.scenarios, catalogue).map(|_| ())
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
        on_leak,
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
        guest_required: features.guest == FeatureMode::Required,
        guest_offered: features.guest != FeatureMode::NotOffered,
        ptr_offered: features.ptr != FeatureMode::NotOffered,
        verdict: VerdictPolicy {
            strict: false,
            fail_on_leak: on_leak.unwrap_or_default() == OnLeak::Fail,
            min_executed: usize::try_from(spec.scenarios.min_executed.unwrap_or(1)).unwrap_or(1),
        },
    }
}

/// Which scenarios are in the plan.
struct Selection {
    chosen: Vec<Arc<Scenario>>,
    excluded: Vec<Excluded>,
    required: Vec<GlobMatcher>,
}

struct Excluded {
    glob: GlobMatcher,
    reason: String,
    until: Option<Date>,
}

impl Excluded {
    /// The last day counts.
    fn applies(&self, name: &str, today: Date) -> bool {
        self.glob.is_match(name) && self.until.is_none_or(|until| today <= until)
    }
}

impl Selection {
    fn of(spec: &ScenariosSpec, catalogue: &Catalogue) -> Result<Self, PlanError> {
        let all: Vec<&Arc<Scenario>> = catalogue.iter().collect();
        let include = globs("include", &spec.include, &all)?;
        let required = globs("required", &spec.required, &all)?;
        let excluded = spec.exclude.iter().map(|exclusion| {
            let until = exclusion.until.as_ref().map(|until| {
                until
                    .parse::<Date>()
                    .map_err(|_| PlanError::BadDate { name: exclusion.name.clone(), until: until.clone() })
            });
            let glob = compile("exclude", &exclusion.name)?;
            Ok(Excluded { glob, reason: exclusion.reason.clone(), until: until.transpose()? })
        });
        let excluded = excluded.collect::<Result<Vec<_>, PlanError>>()?;
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
        Ok(Self { chosen, excluded, required })
    }
}

fn globs(
    field: &'static str,
    patterns: &[String],
    all: &[&Arc<Scenario>],
) -> Result<Vec<GlobMatcher>, PlanError> {
    let compiled = patterns.iter().map(|pattern| {
        let glob = compile(field, pattern)?;
        if all.iter().any(|scenario| glob.is_match(&scenario.name)) {
            return Ok(glob);
        }
        let existing = all.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>().join(", ");
        Err(PlanError::NothingMatches { field, glob: pattern.clone(), existing })
    });
    compiled.collect()
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
            tags: vec![tag.to_owned()],
            gates: Gates { services: services.iter().copied().collect(), ..Gates::default() },
            variables: Vec::new(),
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
    fn prefixes_are_unique_labels() {
        let plan = planned(ScenariosSpec::default()).unwrap();
        let prefixes: BTreeSet<&str> = plan.tests.iter().map(|test| test.prefix.as_str()).collect();
        assert_eq!(prefixes.len(), 3);
    }
}
