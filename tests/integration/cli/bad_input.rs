use rstest::rstest;

use super::support::Home;

const RUN: &str = "\
apiVersion: crossservice.dev/v1alpha1
kind: TempestRun
metadata: {name: workshop}
spec:
  cloud:
    secretRef: {name: clouds}
    zoneSuffix: verify.example.org.
";

#[rstest]
#[case::no_command(&[])]
#[case::an_unknown_command(&["verify"])]
#[case::an_unknown_option(&["run", "--os-could", "demo"])]
#[case::a_duration(&["run", "--timeout", "soon"])]
#[case::a_number(&["run", "--max-parallel", "0"])]
#[case::an_output(&["run", "--output", "xml"])]
#[case::a_pull_policy(&["controller", "--job-image-pull-policy", "never"])]
fn arguments_that_cannot_be_meant_end_with_3(#[case] arguments: &[&str]) {
    let ended = Home::new().run(arguments);
    assert_eq!((ended.code, ended.out.as_str()), (3, ""), "{ended:?}");
    assert!(ended.err.contains("--help") || ended.err.contains("Usage"), "{ended:?}");
}

#[rstest]
#[case::a_log_filter(&["--log", "a=b=c", "run"], "a=b=c")]
#[case::a_zone_suffix(&["run", "--zone-suffix", "not a domain"], "not a domain")]
#[case::a_domain_that_is_nobodys(&["run", "--zone-suffix", "org"], "zoneSuffix 'org.'")]
#[case::an_exclusion(&["run", "--exclude", "=why"], "=why")]
#[case::a_file_that_is_not_there(&["run", "-f", "nowhere.yaml"], "nowhere.yaml")]
#[case::a_scenario_file_that_is_not_there(&["scenarios", "check", "nowhere.yaml"], "nowhere.yaml")]
fn arguments_that_cannot_be_used_are_named(#[case] arguments: &[&str], #[case] named: &str) {
    Home::new().run(arguments).refuses(named);
}

#[rstest]
#[case::broken(&format!("{RUN}    x: [1\n"), "run.yaml:")]
#[case::an_unknown_field(&RUN.replace("zoneSuffix", "zoneSufix"), "zoneSufix")]
#[case::no_run("apiVersion: v1\nkind: Secret\nmetadata: {name: clouds}\n", "holds no TempestRun")]
#[case::several(&format!("{RUN}---\n{}", RUN.replace("workshop", "second")), "'workshop' at line 1, 'second' at line 8")]
#[case::no_secret(RUN, "Secret 'clouds'")]
#[case::another_secret(&format!("{RUN}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: other}}\n"), "Secret 'clouds'")]
#[case::a_secret_without_clouds(
    &format!("{RUN}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: clouds}}\nstringData: {{cloud.yaml: ''}}\n"),
    "has no 'clouds.yaml'"
)]
#[case::a_secret_that_is_no_base64(
    &format!("{RUN}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: clouds}}\ndata: {{clouds.yaml: '?'}}\n"),
    "the Secret is malformed"
)]
fn a_file_that_cannot_be_used_is_named_with_the_fault(#[case] file: &str, #[case] named: &str) {
    let home = Home::new();
    home.file("run.yaml", file);
    home.run(&["run", "-f", "run.yaml"]).refuses(named);
}
