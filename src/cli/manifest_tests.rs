use rstest::rstest;

use super::*;

const RUN: &str = "\
apiVersion: crossservice.dev/v1alpha1
kind: TempestRun
metadata: {name: workshop}
spec:
  cloud:
    secretRef: {name: clouds}
    zoneSuffix: verify.example.org.
";

const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: clouds}
data:
  clouds.yaml: Y2xvdWRzOiB7fQ==
  cacert: b2xk
stringData:
  cacert: new
";

fn problem(text: &str) -> String {
    parse("run.yaml", text).unwrap_err().text()
}

#[test]
fn a_run_and_its_secret_are_found_among_others() {
    let other = SECRET.replace("name: clouds", "name: other").replace("new", "wrong");
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: verification}\n";
    let text = format!("# a comment\n---\n{namespace}---\n{other}---\n{SECRET}--- # the run\n{RUN}---\n");
    let manifest = parse("run.yaml", &text).unwrap();
    assert_eq!(manifest.spec.cloud.zone_suffix, "verify.example.org.");
    let secret = manifest.secret.unwrap();
    assert_eq!(secret.get("clouds.yaml"), Some("clouds: {}"));
    assert_eq!(secret.get("cacert"), Some("new"), "stringData wins as in Kubernetes");
    assert_eq!(manifest.ignored, ["Namespace/verification"]);
    assert!(!format!("{secret:?}").contains("new"));
}

#[test]
fn a_run_alone_has_no_secret() {
    assert_eq!(parse("run.yaml", RUN).unwrap().secret, None);
}

#[rstest]
#[case::empty("", "run.yaml holds no TempestRun")]
#[case::only_a_secret(SECRET, "run.yaml holds no TempestRun")]
#[case::no_kind("spec: {}", "run.yaml:1: the document has no kind")]
#[case::another_version(&RUN.replace("v1alpha1", "v9"), "run.yaml:1: apiVersion 'crossservice.dev/v9' is not known")]
#[case::several(&format!("{RUN}---\n{RUN}"), "several TempestRuns: 'workshop' at line 1, 'workshop' at line 8")]
#[case::broken(&format!("{SECRET}---\n{RUN}  x: [1\n"), "run.yaml:")]
#[case::unknown_field(&RUN.replace("zoneSuffix", "zoneSufix"), "zoneSufix")]
#[case::unknown_field_outside_the_spec(&format!("{RUN}spek: 1\n"), "spek")]
#[case::a_wrong_type(&format!("{RUN}  execution: {{maxParallel: many}}\n"), "run.yaml:8")]
#[case::a_field_that_is_missing(&RUN.replace("    zoneSuffix: verify.example.org.\n", ""), "zoneSuffix")]
fn what_is_wrong_is_named(#[case] text: &str, #[case] told: &str) {
    let problem = problem(text);
    assert!(problem.contains(told), "{problem}");
    assert!(problem.contains("\n  next: "), "{problem}");
}

#[test]
fn the_line_is_that_of_the_file() {
    let problem = problem(&format!("{SECRET}---\n{}", RUN.replace("zoneSuffix:", "zoneSufix:")));
    assert!(problem.starts_with("error: run.yaml:16: "), "{problem}");
}

#[rstest]
#[case::no_base64(&SECRET.replace("b2xk", "'hunter2!'"))]
#[case::no_text(&SECRET.replace("b2xk", "/w=="))]
#[case::a_map(&SECRET.replace("cacert: new", "cacert: {pass: hunter2!}"))]
fn a_malformed_secret_is_not_repeated(#[case] secret: &str) {
    let problem = problem(&format!("{secret}---\n{RUN}"));
    assert!(problem.contains("the Secret is malformed") && !problem.contains("hunter2"), "{problem}");
}

const SCENARIOS: &str = "\
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {name: mine, labels: {team: net}}
spec: {title: t, steps: [{name: look, expect: {service: dns, path: /zones, that: [status == 200]}}]}
---
apiVersion: crossservice.dev/v1alpha1
kind: TempestScenario
metadata: {name: broken, labels: {team: dns}}
spec: {title: t, steps: [{name: look, expect: {service: dns, path: /zones, that: [status =]}}]}
";

fn selecting(selector: &str) -> String {
    format!("{RUN}  scenarios: {{selector: {selector}}}\n---\n{SCENARIOS}")
}

#[test]
fn scenarios_of_the_file_are_selected_as_in_kubernetes() {
    let manifest = parse("run.yaml", &selecting("{matchLabels: {team: net}}")).unwrap();
    let names: Vec<&str> = manifest.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(
        (names.as_slice(), manifest.ignored.as_slice()),
        (["user/mine"].as_slice(), ["TempestScenario/broken".to_owned()].as_slice())
    );
    let manifest = parse("run.yaml", &format!("{RUN}---\n{SCENARIOS}")).unwrap();
    assert!(manifest.scenarios.is_empty(), "only what a selector asks for");
    let unlabelled =
        selecting("{}").replace("labels: {team: net}", "labels:").replace("status =]", "status == 200]");
    assert_eq!(parse("run.yaml", &unlabelled).unwrap().scenarios.len(), 2);
}

#[rstest]
#[case::none(&selecting("{matchLabels: {team: dsn}}"), "selects none of its 2 TempestScenarios")]
#[case::not_valid(&selecting("{}"), "run.yaml:18: spec.steps[0].expect.that[0]")]
#[case::twins(&format!("{}---\n{}", selecting("{matchLabels: {team: net}}"), SCENARIOS), "run.yaml:19: there is a second 'user/mine'")]
fn scenarios_that_cannot_be_selected_are_named(#[case] text: &str, #[case] told: &str) {
    let told_now = problem(text);
    assert!(told_now.contains(told), "{told_now}");
}
