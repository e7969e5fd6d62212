//! Against the real OpenStack of the test bed. They break it on purpose and so run one at a time.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;
use tempfile::tempdir;

use crate::support::{against_the_cloud, cloud_command, finish, json, leavings, told, wait_until};

const FIP_OWN: &str = "floating_ip_with_own_name_to_dns";
const ZONE: &str = "heat_zone_lifecycle";
const PORT: &str = "port_on_external_net_to_dns";
const FIP_PORT: &str = "floating_ip_with_name_from_port_to_dns";

fn test<'a>(report: &'a Value, name: &str) -> &'a Value {
    let tests = report["tests"].as_array().expect("the report has tests");
    tests.iter().find(|test| test["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn all_scenarios_pass_and_nothing_is_left() {
    let state = tempdir().unwrap();
    let junit = state.path().join("out.xml");
    let output =
        finish(against_the_cloud("run", state.path()).args(["--output", "json", "--junit"]).arg(&junit));
    let report = json(&output);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    for name in [FIP_PORT, FIP_OWN, PORT, ZONE] {
        let test = test(&report, name);
        assert_eq!(test["outcome"], "Passed", "{test:#}");
        assert_eq!(test["leaked"].as_array().map_or(0, Vec::len), 0, "{test:#}");
    }
    let published = test(&report, FIP_OWN)["propagation"].as_array().unwrap();
    assert!(published.iter().any(|one| one["allNameServersMs"].is_u64()), "{published:#?}");
    assert_eq!(report["verdict"], "Passed");
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains(FIP_PORT) && xml.contains("failures=\"0\""), "{xml}");
    assert_eq!(leavings(), Vec::<String>::new());
}

/// Mends the cloud even when the test fails.
struct Broken(&'static str);

impl Broken {
    fn on_purpose(fault: &'static str) -> Self {
        cloud_command(&["break", fault]);
        Self(fault)
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        cloud_command(&["mend", self.0]);
    }
}

#[rstest]
#[case::ptr_publication_off("ptr", FIP_OWN, "Failed", "RecordMissing", &["dns-wire"], "PTR")]
#[case::second_name_server_stopped("ns2", FIP_OWN, "Errored", "NameServerUnanswering", &["dns-wire"], "5301")]
#[case::zone_transfer_refused("axfr", ZONE, "Failed", "", &["dns-wire", "orchestration", "dns"], "")]
#[case::designate_worker_stopped("designate-worker", ZONE, "Failed", "StackNotComplete", &["orchestration"], "Zone")]
#[case::wrong_designate_endpoint("designate-endpoint", ZONE, "", "", &["orchestration", "dns"], "")]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn a_broken_cloud_is_told_with_reason_and_evidence(
    #[case] fault: &'static str,
    #[case] scenario: &str,
    #[case] outcome: &str,
    #[case] reason: &str,
    #[case] services: &[&str],
    #[case] word: &str,
) {
    let state = tempdir().unwrap();
    let run = {
        let _broken = Broken::on_purpose(fault);
        let file = state.path().join("run.yaml");
        std::fs::write(&file, shortened(scenario)).unwrap();
        finish(against_the_cloud("run", state.path()).args(["--output", "json", "-f"]).arg(&file))
    };
    let code = run.status.code();
    assert!(code == Some(1) || code == Some(2), "{}", told(&run));
    let report = json(&run);
    let (told_reason, evidence, message, told_outcome) = match report["tests"]
        .as_array()
        .and_then(|tests| tests.first())
    {
        Some(test) => (&test["reason"], &test["failedStep"]["evidence"], &test["message"], &test["outcome"]),
        None => (
            &report["fault"]["reason"],
            &report["fault"]["evidence"],
            &report["fault"]["message"],
            &Value::Null,
        ),
    };
    if !outcome.is_empty() {
        assert_eq!(told_outcome, outcome, "{report:#}");
    }
    if !reason.is_empty() {
        assert_eq!(told_reason, reason, "{report:#}");
    }
    let service = evidence["service"].as_str().unwrap_or_default();
    assert!(services.contains(&service), "evidence of {service:?}: {report:#}");
    assert!(message.as_str().unwrap_or_default().contains(word), "{message}");
    // Once mended, what could not be undone while it was broken is swept, and nothing is left.
    let sweep = finish(against_the_cloud("sweep", state.path()).args(["--older-than", "0s"]));
    assert_eq!(sweep.status.code(), Some(0), "{}", told(&sweep));
    assert_eq!(leavings(), Vec::<String>::new(), "{report:#}");
}

/// A run of one scenario with short deadlines: a broken cloud stays broken however long one waits.
fn shortened(scenario: &str) -> String {
    format!(
        "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {{name: broken}}\nspec:\n  \
         cloud: {{zoneSuffix: example.test.}}\n  scenarios: {{include: [{scenario}]}}\n  \
         execution: {{timeoutScalePercent: 15}}\n"
    )
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn what_a_killed_run_made_is_swept() {
    let state = tempdir().unwrap();
    let mut run = against_the_cloud("run", state.path())
        .args(["--include", FIP_PORT])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // In a pipe there is a line an event: it is killed when the second step has begun.
    let lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    for line in lines.map_while(Result::ok) {
        seen.push(line);
        if !leavings().is_empty() {
            break;
        }
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(!leavings().is_empty(), "it was killed before it made anything: {seen:#?}");
    let dry = finish(against_the_cloud("sweep", state.path()).args(["--older-than", "0s", "--dry-run"]));
    assert_eq!(dry.status.code(), Some(0), "{}", told(&dry));
    assert!(!leavings().is_empty(), "a dry run removed something: {}", told(&dry));
    let sweep = finish(against_the_cloud("sweep", state.path()).args(["--older-than", "24h"]));
    assert_eq!(sweep.status.code(), Some(0), "{}", told(&sweep));
    wait_until("everything is gone", Duration::from_secs(60), || leavings().is_empty());
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn preflight_reads_only_and_says_what_would_run() {
    let state = tempdir().unwrap();
    let output = finish(&mut against_the_cloud("preflight", state.path()));
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let text = told(&output);
    for word in [FIP_PORT, ZONE, "public", "published"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    assert_eq!(leavings(), Vec::<String>::new());
}
