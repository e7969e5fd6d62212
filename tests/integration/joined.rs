//! What it is all for: a `TempestRun` applied to the real API server, played against the real OpenStack.

use std::time::Duration;

use serde_json::Value;

use crate::kube::namespace::{Namespace, condition, row, served};
use crate::operator::Operator;
use crate::siege::{self, Siege};
use crate::support::{Broken, CHAIN, cloud_for_oneself, leavings, nothing_is_left, testbed, wait_until};

const LONG: Duration = Duration::from_mins(10);
const ZONE: &str = "heat_zone_lifecycle";

/// Deletes the runs while there still is an operator that lets them go.
struct Served<'a> {
    namespace: &'a Namespace,
    operator: Operator,
}

impl<'a> Served<'a> {
    fn start(namespace: &'a Namespace) -> Self {
        let operator = Operator::start_patient(namespace);
        operator.until_it_leads();
        Self { namespace, operator }
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        let _ = self.namespace.try_kubectl(&["delete", "tempestruns", "--all", "--timeout=60s"]);
    }
}

/// A namespace with the real cloud's clouds.yaml in a Secret.
fn namespace(name: &str) -> Namespace {
    let namespace = Namespace::create(name);
    let clouds = std::fs::read_to_string(testbed("TESTBED_CLOUDS_YAML")).unwrap();
    namespace.secret("crossservice.dev/openstack-clouds", &clouds);
    namespace
}

/// Has the scenarios played; the fake hypervisor boots no guest, and waiting for one takes long.
fn play(namespace: &Namespace, scenarios: &str, scale_percent: u32) {
    let cloud = format!(
        "zoneSuffix: {}, floatingNetwork: {}, publishedNetwork: {}, nameservers: ['{}'], features: {{guest: NotOffered}}",
        testbed("TESTBED_ZONE_SUFFIX"),
        testbed("TESTBED_PUBLIC_NETWORK"),
        testbed("TESTBED_PUBLISHED_NETWORK"),
        testbed("TESTBED_NAMESERVERS").replace(',', "', '"),
    );
    let more = format!(
        "scenarios: {{include: ['{scenarios}']}}\n  execution: {{timeoutScalePercent: {scale_percent}}}"
    );
    namespace.apply_run(&cloud, &more);
}

fn test<'a>(run: &'a Value, name: &str) -> &'a Value {
    let tests = run["status"]["tests"].as_array().expect("the status has tests");
    tests.iter().find(|test| test["name"] == name).unwrap_or_else(|| panic!("no {name} in {run:#}"))
}

#[test]
#[ignore = "needs both test beds: tests/run cloud"]
fn a_run_that_is_applied_proves_the_cloud() {
    let _cloud = cloud_for_oneself();
    let namespace = namespace("proves");
    let operator = Served::start(&namespace);
    play(&namespace, &CHAIN.join("', '"), 100);
    let run = namespace.finished_run(LONG);
    assert_eq!(row(&run), ["False", "False", "True", "True", "True"], "{run:#}");
    assert_eq!(run["status"]["verdict"], "Passed");
    for name in CHAIN {
        let test = test(&run, name);
        assert_eq!(test["outcome"], "Passed", "{test:#}");
        assert!(test["duration"].is_string(), "{test:#}");
    }
    let published = &run["status"]["propagation"]["published"];
    assert!(published["count"].as_u64().is_some_and(|count| count >= 4), "{run:#}");
    assert!(published["p95Ms"].is_u64(), "{run:#}");
    let table = namespace.kubectl(&["get", "tempestruns"]);
    assert!(table.contains("Completed") && table.contains("Passed") && table.contains("4/4"), "{table}");
    let metrics = served(operator.operator.port, "/metrics").unwrap();
    assert!(metrics.contains("tempest_operator_runs_total{verdict=\"Passed\"} 1"), "{metrics}");
    assert!(metrics.contains("service=\"orchestration\""), "{metrics}");
    assert!(!namespace.has_ledger());
    nothing_is_left();
    namespace.kubectl(&["delete", "tempestrun", "one", "--timeout=30s"]);
}

#[test]
#[ignore = "needs both test beds: tests/run cloud"]
fn what_a_killed_operator_made_is_undone_by_the_next() {
    let _cloud = cloud_for_oneself();
    let namespace = namespace("killed");
    let mut operator = Served::start(&namespace);
    play(&namespace, ZONE, 100);
    wait_until("it made something", LONG, || !leavings().is_empty());
    operator.operator.kill();
    assert!(namespace.has_ledger(), "what it made is written down");
    assert!(!leavings().is_empty(), "a killed operator undoes nothing");
    let _next = Served::start(&namespace);
    let run = namespace.finished_run(LONG);
    assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
    assert_eq!(run["status"]["attempt"], 2, "what was interrupted is played again");
    assert!(!namespace.has_ledger());
    nothing_is_left();
}

#[test]
#[ignore = "needs both test beds: tests/run cloud"]
fn ten_kills_lose_nothing_and_leave_nothing() {
    let _cloud = cloud_for_oneself();
    let namespace = namespace("kills");
    play(&namespace, &CHAIN.join("', '"), 100);
    let siege = Siege { seed: siege::seed(), replicas: 2, kills: 10, longest: Duration::from_secs(20) };
    siege.lay(&namespace);
    assert!(!namespace.has_ledger());
    nothing_is_left();
}

#[test]
#[ignore = "needs both test beds: tests/run cloud"]
fn what_is_broken_in_the_cloud_stands_in_the_status() {
    let _cloud = cloud_for_oneself();
    let namespace = namespace("broken");
    let _operator = Served::start(&namespace);
    let mut broken = Broken::not_yet("ns2");
    broken.on_purpose();
    play(&namespace, ZONE, 12);
    // Its judgement is made once it cleans up; what it undoes then, it undoes in a cloud that recovers.
    wait_until("it cleans up", LONG, || {
        let status = &namespace.run()["status"];
        status["phase"] == "CleaningUp"
            || status["phase"] == "Completed"
            || status["currentSteps"].to_string().contains("clean-up")
    });
    broken.mend();
    let run = namespace.finished_run(LONG);
    assert_eq!(row(&run), ["False", "True", "False", "False", "True"], "{run:#}");
    let test = test(&run, ZONE);
    assert_eq!(test["outcome"], "Failed", "{test:#}");
    assert_eq!(test["reason"], "StackNotComplete", "{test:#}");
    assert_eq!(test["evidence"]["service"], "orchestration", "{test:#}");
    assert_eq!(test["evidence"]["nameServer"], "127.0.0.1:5301", "{test:#}");
    assert!(test["message"].as_str().unwrap().contains("127.0.0.1:5301 does not answer"), "{test:#}");
    nothing_is_left();
}

#[test]
#[ignore = "needs both test beds: tests/run cloud"]
fn a_wrong_endpoint_in_the_catalogue_ends_the_run_and_names_the_service() {
    let _cloud = cloud_for_oneself();
    let namespace = namespace("endpoint");
    let _operator = Served::start(&namespace);
    let mut broken = Broken::not_yet("designate-endpoint");
    broken.on_purpose();
    play(&namespace, &CHAIN.join("', '"), 100);
    let run = namespace.finished_run(LONG);
    broken.mend();
    assert_eq!(row(&run), ["False", "True", "False", "False", "True"], "{run:#}");
    let stalled = condition(&run, "Stalled");
    assert_eq!(stalled["reason"], "CloudUnreachable", "{stalled:#}");
    assert!(
        stalled["message"].as_str().unwrap().contains("designate at 127.0.0.1:9 cannot be reached"),
        "{stalled:#}"
    );
    nothing_is_left();
}
