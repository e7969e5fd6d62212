//! Runs that are played while the API server misbehaves, as a printed seed draws it.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rstest::rstest;
use serde_json::Value;
use tempest_operator::simcloud::{Latency, SimOptions, Stages};

use super::api_proxy::{ApiProxy, Trouble};
use super::namespace::{Namespace, served};
use super::simulated::Cloud;
use crate::operator::Operator;
use crate::siege::{self, Acknowledged};
use crate::support::wait_until;

const RUNS: usize = 6;
/// More requests a second than this, for six runs, are a busy loop.
const BUSY: u64 = 60;

/// A cloud that takes long enough for every trouble to meet something.
fn cloud() -> Cloud {
    let stages = Stages {
        stack_step: Duration::from_millis(500),
        serial_batch: Duration::from_millis(300),
        poll_delay: Duration::from_millis(300),
        ..Stages::default()
    };
    Cloud::start(SimOptions { latency: Latency::Stages(stages), ..SimOptions::default() })
}

fn name(number: usize) -> String {
    format!("run-{number}")
}

/// Plays the run of each name again and again while there is trouble, then to its end.
#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn an_api_server_in_trouble_loses_nothing_doubles_nothing_and_leaves_nothing() {
    let cloud = cloud();
    let namespace = Namespace::create("api-trouble");
    namespace.secret("crossservice.dev/openstack-clouds", &cloud.clouds_yaml());
    let proxy = ApiProxy::between(&namespace.operator_access());
    let start = || Operator::start_as(&namespace.name, &proxy.access);
    let mut operator = start();
    operator.until_it_leads();
    let (begun, before) = (Instant::now(), proxy.requests());
    for number in 0..RUNS {
        namespace.apply_run_named(
            &name(number),
            &cloud.spec(),
            "scenarios: {include: [heat_zone_lifecycle]}",
        );
    }
    let mut acknowledged: Vec<Acknowledged> = (0..RUNS).map(|_| Acknowledged::default()).collect();
    let mut look = |operator: &mut Operator| -> Vec<Value> {
        // Whoever could not renew its lease has ended itself; the kubelet would start it again.
        if operator.has_ended() {
            *operator = start();
        }
        let runs: Vec<Value> = (0..RUNS).map(|number| namespace.run_named(&name(number))).collect();
        runs.iter().zip(&mut acknowledged).for_each(|(run, acknowledged)| acknowledged.check(run));
        runs
    };
    let mut chance = StdRng::seed_from_u64(siege::seed());
    let mut troubles = Trouble::ALL;
    troubles.shuffle(&mut chance);
    for trouble in troubles {
        eprintln!("{:>4.1} s: {trouble:?}", begun.elapsed().as_secs_f64());
        proxy.set(trouble);
        let lasts = match trouble {
            // Longer than any lease.
            Trouble::Away => Duration::from_mins(1),
            _ => Duration::from_millis(chance.random_range(1500..4000)),
        };
        let over = Instant::now() + lasts;
        wait_until("the trouble is over", Duration::from_mins(2), || {
            look(&mut operator);
            Instant::now() >= over
        });
        proxy.set(Trouble::None);
        // What ended meanwhile is played again, so that every trouble meets something.
        for run in look(&mut operator).iter().filter(|run| run["status"]["phase"] == "Completed") {
            let again = format!(r#"{{"spec":{{"runToken":"{:x}"}}}}"#, chance.random::<u32>());
            let name = run["metadata"]["name"].as_str().unwrap();
            namespace.kubectl(&["patch", "tempestrun", name, "--type=merge", "-p", &again]);
        }
    }
    let mut ended = Vec::new();
    wait_until("every run ends", Duration::from_mins(3), || {
        ended = look(&mut operator);
        ended.iter().all(|run| {
            run["status"]["phase"] == "Completed" && run["status"]["runToken"] == run["spec"]["runToken"]
        })
    });
    for run in &ended {
        assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
    }
    let requests = proxy.requests() - before;
    assert!(requests < BUSY * begun.elapsed().as_secs(), "{requests} requests in {:?}", begun.elapsed());
    namespace.kubectl(&["delete", "tempestruns", "--all", "--timeout=60s"]);
    cloud.is_clean();
}

#[rstest]
#[case::begin(r#""phase":"Running""#)]
#[case::end(r#""phase":"Completed""#)]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_whose_write_was_not_acknowledged_is_not_interrupted(#[case] written: &'static str) {
    let cloud = cloud();
    let namespace = Namespace::create("api-lost");
    namespace.secret("crossservice.dev/openstack-clouds", &cloud.clouds_yaml());
    let proxy = ApiProxy::between(&namespace.operator_access());
    proxy.set(Trouble::LostAnswerTo(written));
    let operator = Operator::start_as(&namespace.name, &proxy.access);
    operator.until_it_leads();
    namespace.apply_run(
        &cloud.spec(),
        "scenarios: {include: [heat_zone_lifecycle]}\n  execution: {onInterruption: Fail}",
    );
    let run = namespace.finished_run(Duration::from_mins(2));
    assert!(proxy.has_lost_an_answer());
    assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
    assert_eq!(run["status"]["attempt"], 1, "{run:#}");
    // Whoever wrote the end knows that it did.
    wait_until("the verdict is counted", Duration::from_secs(20), || {
        served(operator.port, "/metrics")
            .is_some_and(|text| text.contains("tempest_operator_runs_total{verdict=\"Passed\"} 1"))
    });
    namespace.kubectl(&["delete", "tempestrun", "one", "--timeout=60s"]);
    cloud.is_clean();
}
