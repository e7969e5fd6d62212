//! Install, test, upgrade, roll back and uninstall, with the simulated cloud beside the operator.

use rstest::rstest;
use serde_json::Value;

use super::bed::{Bed, SOON};
use crate::chart::site::{Site, definitions_are_there};
use crate::helm::{Helm, RELEASE};
use crate::kube::namespace::{kubectl, row};
use crate::support::wait_until;

/// A run of one scenario against the simulated cloud; the chart's notes say the same of it.
fn spec(scenario: &str) -> String {
    format!(
        "cloud: {{secretRef: {{name: tempest-operator-simcloud}}, primary: demo, alternate: demo2, \
         zoneSuffix: example.test., publishedNetwork: published, \
         nameservers: ['127.0.0.1:8901', '127.0.0.1:8902']}}, scenarios: {{include: [{scenario}]}}"
    )
}

/// Takes half a minute at the simulated cloud's pace.
const ZONE: &str = "heat_zone_lifecycle";
/// Takes a few seconds.
const QUICK: &str = "heat_validate_preview";
const SIMCLOUD: &str = "simcloud.enabled=true";

#[rstest]
#[case::helm_3("three", Helm::Three)]
#[case::helm_4("four", Helm::Four)]
#[ignore = "needs a node: tests/run node"]
fn a_release_tests_itself_changes_goes_back_and_leaves_what_it_found(#[case] name: &str, #[case] helm: Helm) {
    let bed = Bed::install_all(name, helm, &[SIMCLOUD]);
    let report = bed.helm(&["test", RELEASE, "--logs", "--timeout", "10m"]);
    assert!(report.lines().any(|line| line.starts_with("Passed: ")), "{report}");
    let smoke = bed.run("tempest-operator-smoke");
    assert_eq!(row(&smoke), ["False", "False", "True", "True", "True"], "{smoke:#}");

    let first = bed.pods();
    bed.upgrade(&[SIMCLOUD, "controller.maxConcurrentRuns=20"]);
    wait_until("the pod is another one", SOON, || bed.pods().len() == 1 && bed.pods() != first);
    bed.play("mine", &spec(QUICK));
    let run = bed.finished("mine", SOON);
    assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");

    bed.helm(&["rollback", RELEASE, "1", "--wait", "--timeout", "2m"]);
    assert_eq!(bed.argument("max-concurrent-runs").as_deref(), Some("10"));
    bed.play("again", &spec(QUICK));
    let run = bed.finished("again", SOON);
    assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");

    let uid = bed.uid_of_run();
    bed.helm(&["uninstall", RELEASE]);
    wait_until("the pods are gone", SOON, || bed.pods().is_empty());
    assert!(definitions_are_there());
    assert_eq!(bed.uid_of_run(), uid);
    assert_eq!(bed.run("mine")["status"]["verdict"], "Passed", "what it told is still there");
}

#[test]
#[ignore = "needs a node: tests/run node"]
fn a_namespaced_release_works_without_any_right_of_the_cluster() {
    let bed = Bed::install("namespaced", &[SIMCLOUD]);
    let label = format!("app.kubernetes.io/instance={RELEASE}");
    assert_eq!(
        kubectl(&["get", "clusterroles,clusterrolebindings", "-l", &label, "-o", "name"]).unwrap(),
        ""
    );
    bed.until_it_leads();
    bed.play("mine", &spec(ZONE));
    let run = bed.finished("mine", SOON);
    assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
    let metrics = bed.served("/metrics");
    assert!(metrics.contains("tempest_operator_runs_total{verdict=\"Passed\"} 1"), "{metrics}");
    let pod = bed.pods().remove(0);
    let log = bed.kubectl(&["logs", &pod, "-c", "operator"]);
    let told_of = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|line| line["run"] == "mine");
    assert!(log.lines().any(told_of), "{log}");
}

/// Time zones are files of the image.
#[test]
#[ignore = "needs a node: tests/run node"]
fn a_schedule_in_a_time_zone_makes_runs() {
    let bed = Bed::install("zone", &[SIMCLOUD]);
    bed.apply(&format!(
        "apiVersion: crossservice.dev/v1alpha1\nkind: TempestSchedule\nmetadata: {{name: always}}\nspec:\n  \
         schedule: '* * * * *'\n  timeZone: Pacific/Auckland\n  runTemplate: {{spec: {{{}}}}}\n",
        spec(QUICK)
    ));
    bed.kubectl(&["wait", "--for=condition=Ready", "tempestschedule/always", "--timeout=30s"]);
    wait_until("a run of it has passed", SOON * 2, || {
        let runs: Value = serde_json::from_str(&bed.kubectl(&["get", "tempestruns", "-o", "json"])).unwrap();
        runs["items"].as_array().unwrap().iter().any(|run| run["status"]["verdict"] == "Passed")
    });
    bed.kubectl(&["delete", "tempestschedules", "--all", "--timeout=30s"]);
}

#[test]
#[ignore = "needs a node: tests/run node"]
fn a_release_serves_another_namespace_and_only_that() {
    let team = Site::beside("team", Helm::Four);
    let bed = Bed::install("central", &[SIMCLOUD, &format!("watchNamespaces={{{}}}", team.namespace)]);
    // Helm shows logs of pods in the release's own namespace only, and so the notes say it otherwise.
    bed.helm(&["test", RELEASE, "--timeout", "10m"]);
    let show = ["logs", "tempest-operator-smoke"];
    let notes = bed.helm(&["get", "notes", RELEASE]);
    let told = format!("kubectl --namespace {} {}", team.namespace, show.join(" "));
    assert!(notes.contains(&told) && !notes.contains("--logs"), "{notes}");
    let report = team.kubectl(&show);
    assert!(report.lines().any(|line| line.starts_with("Passed: ")), "{report}");
    // Nobody serves the release's own namespace; whoever did would have taken the run up before that other one passed.
    bed.play("mine", &spec(ZONE));
    let manifest = format!(
        "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {{name: theirs}}\nspec: {{{}}}\n",
        spec(QUICK)
    );
    team.apply(&manifest);
    team.kubectl(&["wait", "--for=condition=Succeeded", "tempestrun/theirs", "--timeout=60s"]);
    assert!(bed.run("mine")["status"]["phase"].is_null(), "{:#}", bed.run("mine"));
    // While the operator is still there.
    team.kubectl(&["delete", "tempestruns", "--all", "--timeout=60s"]);
}
