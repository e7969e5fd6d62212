//! Reports made by hand, for the tests of everything that renders one.

use jiff::{SignedDuration, Timestamp};

use super::RunReport;
use crate::outcome::{
    Evidence, FailedStep, Finding, Leak, Outcome, Propagation, Reason, RunFault, SkippedStep, StepResult,
    Summary, TestResult, VerdictPolicy,
};
use crate::plan::RunIdentity;
use crate::plan::facts::{Choice, CloudFacts};

pub fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
    start + SignedDuration::from_secs(seconds)
}

fn test(name: &str, outcome: Outcome) -> TestResult {
    TestResult {
        id: Some("6f1d0a52-3c1e-4d8e-9a55-0c7e8a8f0001".into()),
        reason: None,
        message: None,
        started: Some(at(2)),
        duration_ms: 41_300,
        ..TestResult::not_started(name, None, outcome, Reason::GateClosed, String::new())
    }
}

fn step(name: &str, kind: &str, outcome: Outcome) -> StepResult {
    StepResult {
        step: name.into(),
        kind: kind.into(),
        outcome,
        started_ms: 0,
        duration_ms: 20_500,
        polls: 7,
        message: None,
    }
}

fn leak(removed: bool) -> Leak {
    Leak {
        service: "network".into(),
        kind: "port".into(),
        id: "0b6b8a5e-7df5-4a55-8c9e-6f6ad4d5b111".into(),
        name: "to-0123456701-2-port".into(),
        removed,
        message: (!removed).then(|| "409 Conflict: the port is in use".into()),
    }
}

pub fn passed() -> TestResult {
    TestResult {
        steps: vec![step("create", "stack", Outcome::Passed), step("published", "records", Outcome::Passed)],
        propagation: vec![
            Propagation {
                name: "vm.zone.verify.example.org.".into(),
                record_type: "A".into(),
                published: true,
                api_ms: Some(420),
                first_name_server_ms: Some(1_950),
                all_name_servers_ms: Some(2_400),
                active_ms: Some(4_100),
                ..Propagation::default()
            },
            Propagation {
                name: "vm.zone.verify.example.org.".into(),
                record_type: "A".into(),
                published: false,
                api_ms: Some(300),
                first_look_ms: Some(310),
                ..Propagation::default()
            },
        ],
        skipped_steps: vec![SkippedStep {
            step: "look_up".into(),
            message: "no guest boots in this cloud".into(),
        }],
        ..test("floating_ip_with_name_from_port_to_dns", Outcome::Passed)
    }
}

pub fn failed() -> TestResult {
    TestResult {
        reason: Some(Reason::RecordMissing),
        message: Some("the PTR record was not there within 2m".into()),
        failed_step: Some(FailedStep {
            step: "published".into(),
            evidence: Evidence {
                service: Some("dns-wire".into()),
                method: Some("UDP".into()),
                path: Some("10.113.0.203.in-addr.arpa. PTR".into()),
                name_server: Some("ns2 (192.0.2.54:53)".into()),
                expected: Some("vm.zone.verify.example.org.".into()),
                observed: Some("NXDOMAIN, AA".into()),
                ..Evidence::default()
            },
        }),
        steps: vec![step("create", "stack", Outcome::Passed), step("published", "records", Outcome::Failed)],
        findings: vec![Finding { step: "ttl".into(), message: "the TTL is 3600".into() }],
        ..test("floating_ip_with_own_name_to_dns", Outcome::Failed)
    }
}

pub fn errored() -> TestResult {
    TestResult {
        reason: Some(Reason::ServiceError),
        message: Some("heat did not accept the stack".into()),
        failed_step: Some(FailedStep {
            step: "create".into(),
            evidence: Evidence {
                service: Some("orchestration".into()),
                method: Some("POST".into()),
                path: Some("/v1/3f2a/stacks".into()),
                http_status: Some(500),
                request_id: Some("req-5d3f".into()),
                expected: Some("201".into()),
                observed: Some("Internal server error".into()),
                ..Evidence::default()
            },
        }),
        leaked: vec![leak(false)],
        ..test("heat_zone_lifecycle", Outcome::Errored)
    }
}

pub fn skipped() -> TestResult {
    TestResult::not_started(
        "port_on_external_net_to_dns",
        None,
        Outcome::Skipped,
        Reason::GateClosed,
        "needs a published network: none is given".into(),
    )
}

/// Folds results as the runner's events would.
pub fn of(tests: Vec<TestResult>, fault: Option<RunFault>, leaked: Vec<Leak>) -> RunReport {
    let policy = VerdictPolicy::default();
    RunReport {
        run: Some(RunIdentity {
            installation: "cli-3f2a91c0de".into(),
            run_id: "0123456701".into(),
            started: at(0),
        }),
        started: Some(at(0)),
        finished: Some(at(192)),
        verdict: Some(crate::outcome::verdict(&tests, fault.as_ref(), &leaked, &policy)),
        summary: Summary::of(tests.len(), &tests, &policy),
        facts: Some(CloudFacts {
            region: "RegionOne".into(),
            image: Choice {
                id: Some("11".into()),
                name: Some("cirros".into()),
                why: "the only public one".into(),
            },
            ..CloudFacts::default()
        }),
        planned: tests.iter().map(|test| test.name.clone()).collect(),
        tests,
        fault,
        leaked,
        ..RunReport::default()
    }
}

pub fn all_passed() -> RunReport {
    of(vec![passed()], None, Vec::new())
}

pub fn mixed() -> RunReport {
    of(vec![skipped(), passed(), failed(), errored()], None, vec![leak(true)])
}

pub fn broken() -> RunReport {
    let fault = RunFault {
        reason: Reason::AuthenticationFailed,
        message: "keystone refused the credentials of 'demo'".into(),
        evidence: Evidence {
            service: Some("identity".into()),
            method: Some("POST".into()),
            path: Some("/v3/auth/tokens".into()),
            http_status: Some(401),
            request_id: Some("req-77".into()),
            ..Evidence::default()
        },
    };
    RunReport { planned: Vec::new(), facts: None, ..of(Vec::new(), Some(fault), Vec::new()) }
}

pub fn cancelled() -> RunReport {
    let test = TestResult {
        reason: Some(Reason::Cancelled),
        message: Some("cancelled".into()),
        ..test("heat_zone_lifecycle", Outcome::Cancelled)
    };
    of(vec![test], None, Vec::new())
}

pub fn hostile() -> RunReport {
    let evil = "\u{1b}[2J\u{9b}31m]]><!--\u{0}\u{202e}&amp;\u{fffe}\r\n<script>\u{7}";
    let mut test = failed();
    test.message = Some(evil.into());
    if let Some(step) = &mut test.failed_step {
        step.evidence.observed = Some(evil.into());
        step.evidence.path = Some(evil.into());
    }
    test.propagation =
        vec![Propagation { name: evil.into(), record_type: "A".into(), ..Propagation::default() }];
    of(
        vec![test, skipped()],
        None,
        vec![Leak { name: evil.into(), message: Some(evil.into()), ..leak(false) }],
    )
}
