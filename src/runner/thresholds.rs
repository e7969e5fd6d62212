//! Holds what a test measured of DNS against what its scenario and its run allow.

use super::fault::StepFault;
use crate::outcome::{
    ChangePercentiles, Evidence, Outcome, Percentiles, PropagationSummary, Reason, TestResult,
};
use crate::scenario::{Limits, Thresholds};

/// What the result calls the step that decides.
const STEP: &str = "thresholds";

/// A test that passed has failed when DNS took longer than one of these allows.
pub fn judge(result: TestResult, thresholds: &[&Thresholds]) -> TestResult {
    if result.outcome != Outcome::Passed {
        return result;
    }
    let Some(fault) = too_slow(&result, thresholds) else { return result };
    TestResult {
        outcome: fault.outcome,
        reason: Some(fault.reason),
        message: Some(fault.message.clone()),
        failed_step: Some(fault.failed_step(STEP)),
        ..result
    }
}

/// All that took too long; the evidence is that of the first.
fn too_slow(result: &TestResult, thresholds: &[&Thresholds]) -> Option<StepFault> {
    let measured = PropagationSummary::of(&result.propagation)?;
    let mut found = Vec::new();
    for one in thresholds {
        let kinds = [
            ("published", &measured.published, &one.published),
            ("withdrawn", &measured.withdrawn, &one.withdrawn),
        ];
        for (change, measured, limits) in kinds {
            if let Some((measured, limits)) = measured.as_ref().zip(limits.as_ref()) {
                found.extend(exceeded(change, measured, limits));
            }
        }
    }
    let message = found.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join("; ");
    let first = found.into_iter().next()?;
    Some(StepFault { message, ..first })
}

/// A percentile by its name, and how it is read.
type Rank = (&'static str, fn(&Percentiles) -> u64, fn(&Limits) -> Option<u64>);

const RANKS: [Rank; 3] = [
    ("p50", |of| of.p50_ms, |of| of.p50_ms),
    ("p95", |of| of.p95_ms, |of| of.p95_ms),
    ("max", |of| of.max_ms, |of| of.max_ms),
];

fn exceeded(change: &str, measured: &ChangePercentiles, limits: &Limits) -> Vec<StepFault> {
    let one = |(name, of, limit): &Rank| {
        let (took, limit) = (of(&measured.all), limit(limits)?);
        if took <= limit {
            return None;
        }
        let mut servers: Vec<(&str, u64)> =
            measured.name_servers.iter().map(|(server, times)| (server.as_str(), of(times))).collect();
        servers.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
        let told: Vec<String> = servers.iter().map(|(server, took)| format!("{server} {took} ms")).collect();
        let message = format!(
            "{change} record sets were true at every name server after {took} ms ({name} of {}), and at most {limit} ms \
             are allowed; by name server: {}",
            measured.all.count,
            told.join(", ")
        );
        let evidence = Evidence {
            service: Some("dns-wire".to_owned()),
            name_server: servers.first().map(|(server, _)| (*server).to_owned()),
            expected: Some(format!("{change} {name} <= {limit} ms")),
            observed: Some(format!("{took} ms")),
            ..Evidence::default()
        };
        Some(StepFault::failed(Reason::PropagationTooSlow, message).with(evidence))
    };
    RANKS.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Propagation;

    fn measured(times: &[u64]) -> TestResult {
        let passed = TestResult::not_started("t", None, Outcome::Passed, Reason::GateClosed, String::new());
        let one = |ms: &u64| Propagation {
            published: true,
            all_name_servers_ms: Some(*ms),
            name_servers_ms: [("ns1".to_owned(), ms / 2), ("ns2".to_owned(), *ms)].into(),
            ..Propagation::default()
        };
        TestResult { propagation: times.iter().map(one).collect(), reason: None, message: None, ..passed }
    }

    fn at_most(p50_ms: Option<u64>, p95_ms: Option<u64>) -> Thresholds {
        Thresholds { published: Some(Limits { p50_ms, p95_ms, max_ms: None }), withdrawn: None }
    }

    #[test]
    fn a_test_that_took_too_long_has_failed_and_names_the_slowest_name_server() {
        let judged =
            judge(measured(&[100, 200, 900]), &[&Thresholds::default(), &at_most(Some(200), Some(500))]);
        assert_eq!((judged.outcome, judged.reason), (Outcome::Failed, Some(Reason::PropagationTooSlow)));
        assert_eq!(
            judged.message.as_deref(),
            Some(
                "published record sets were true at every name server after 900 ms (p95 of 3), and at most 500 ms are \
                 allowed; by name server: ns2 900 ms, ns1 450 ms"
            )
        );
        let failed = judged.failed_step.unwrap();
        assert_eq!((failed.step.as_str(), failed.evidence.name_server.as_deref()), (STEP, Some("ns2")));
    }

    #[test]
    fn what_is_within_its_limits_passes_and_what_did_not_pass_keeps_its_reason() {
        let within = measured(&[100, 200, 500]);
        assert_eq!(judge(within.clone(), &[&at_most(Some(200), Some(500))]), within);
        let failed = TestResult { outcome: Outcome::Failed, ..measured(&[900]) };
        assert_eq!(judge(failed.clone(), &[&at_most(Some(1), None)]), failed);
        assert_eq!(judge(measured(&[]), &[&at_most(Some(1), None)]).outcome, Outcome::Passed);
    }
}
