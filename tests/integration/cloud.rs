//! Against the real OpenStack of the test bed. They break it on purpose and so run one at a time.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rstest::rstest;
use serde_json::Value;
use tempest_operator::scenario::Catalogue;
use tempfile::tempdir;

use crate::support::{
    Broken, CHAIN, Watched, against_the_cloud, against_the_cloud_as, against_the_cloud_under, cloud_command,
    cloud_for_oneself, finish, leavings, nothing_is_left, repository, testbed, told,
};

const FIP_OWN: &str = "floating_ip_with_own_name_to_dns";
const ZONE: &str = "heat_zone_lifecycle";
const WITHOUT_HEAT: &str = "nameserver_agreement";
const FIP_PORT: &str = "floating_ip_with_name_from_port_to_dns";

fn test<'a>(report: &'a Value, name: &str) -> &'a Value {
    let tests = report["tests"].as_array().expect("the report has tests");
    tests.iter().find(|test| test["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

/// A run's document in `directory`. The fake hypervisor boots no guest, and waiting for one takes long.
fn run_file(directory: &Path, scenarios: &str, guest: &str, scale_percent: u32) -> PathBuf {
    let file = directory.join("run.yaml");
    let text = format!(
        "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {{name: test}}\nspec:\n  \
         cloud: {{zoneSuffix: example.test., features: {{guest: {guest}}}}}\n  \
         scenarios: {{include: [{scenarios}]}}\n  \
         execution: {{timeoutScalePercent: {scale_percent}}}\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}

fn with_all_roles(command: &mut Command) -> &mut Command {
    for role in ["alternate", "admin", "reader"] {
        let entry = testbed(&format!("TESTBED_CLOUD_{}", role.to_uppercase()));
        command.arg(format!("--{role}")).arg(entry);
    }
    command
}

/// What closes a gate in the test bed, whose fake hypervisor boots no guest; everything else must be played.
const CLOSED_GATES: [&str; 1] = ["feature 'guest' is declared as not offered"];

/// Plays these scenarios with all roles: each passes, or is skipped by a gate that this cloud truly closes.
fn each_passes_and_nothing_is_left(names: &[&str]) -> Value {
    let state = tempdir().unwrap();
    let junit = state.path().join("out.xml");
    let file = run_file(state.path(), &names.join(", "), "NotOffered", 100);
    let mut command = against_the_cloud("run", state.path());
    with_all_roles(&mut command).args(["--output", "json", "--junit"]).arg(&junit).arg("-f").arg(file);
    let run = Watched::run(&mut command, state.path(), |_, _| ());
    assert_eq!(run.status.code(), Some(0), "{}", run.told());
    let report = run.json();
    assert_eq!(report["tests"].as_array().map(Vec::len), Some(names.len()), "{report:#}");
    for name in names {
        let test = test(&report, name);
        let message = test["message"].as_str().unwrap_or_default();
        let skipped = test["outcome"] == "Skipped" && CLOSED_GATES.iter().any(|gate| message.contains(gate));
        assert!(test["outcome"] == "Passed" || skipped, "{test:#}");
        assert_eq!(test["leaked"].as_array().map_or(0, Vec::len), 0, "{test:#}");
    }
    assert_eq!(report["verdict"], "Passed");
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(xml.contains(FIP_PORT) && xml.contains("failures=\"0\""), "{xml}");
    nothing_is_left();
    report
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn the_chain_passes_and_nothing_is_left() {
    let _cloud = cloud_for_oneself();
    let report = each_passes_and_nothing_is_left(&CHAIN);
    let published = test(&report, FIP_OWN)["propagation"].as_array().unwrap();
    assert!(published.iter().any(|one| one["allNameServersMs"].is_u64()), "{published:#?}");
}

/// Takes this machine's cloud about a quarter of an hour, and so has a command of its own.
#[test]
#[ignore = "needs the OpenStack test bed: tests/run suite"]
fn all_scenarios_pass_and_nothing_is_left() {
    let _cloud = cloud_for_oneself();
    let suite = Catalogue::built_in().unwrap();
    let names: Vec<&str> = suite.iter().map(|scenario| scenario.name.as_str()).collect();
    each_passes_and_nothing_is_left(&names);
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn a_guest_that_does_not_boot_is_left_out_and_the_rest_counts() {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    let file = run_file(state.path(), FIP_PORT, "Auto", 25);
    let mut command = against_the_cloud("run", state.path());
    let run = Watched::run(command.args(["--output", "json", "-f"]).arg(file), state.path(), |_, _| ());
    assert_eq!(run.status.code(), Some(0), "{}", run.told());
    let report = run.json();
    let skipped = &test(&report, FIP_PORT)["skippedSteps"][0];
    assert_eq!(skipped["step"], "guests", "{report:#}");
    assert!(skipped["message"].as_str().unwrap().contains("no guest boots here"), "{skipped}");
    nothing_is_left();
}

/// What a broken cloud must be told as.
struct Told {
    outcome: &'static str,
    reason: &'static str,
    service: &'static str,
    name_server: &'static str,
    words: &'static [&'static str],
}

const AT_THE_START: &str = "";
const NS2: &str = "127.0.0.1:5301";

#[rstest]
#[case::ptr_publication_off("ptr", AT_THE_START, FIP_OWN, Told {
    outcome: "Failed",
    reason: "RecordMissing",
    service: "dns-wire",
    name_server: "127.0.0.1:530",
    words: &["PTR", "in-addr.arpa."],
})]
#[case::second_name_server_stopped("ns2", AT_THE_START, ZONE, Told {
    outcome: "Failed",
    reason: "StackNotComplete",
    service: "orchestration",
    name_server: NS2,
    words: &["OS::Designate::Zone", "PENDING CREATE", "name server 127.0.0.1:5301 does not answer", "127.0.0.1:5300 serves it"],
})]
#[case::second_name_server_stopped_when_the_zone_is_there("ns2", "zone: Passed", FIP_OWN, Told {
    outcome: "Errored",
    reason: "NameServerUnanswering",
    service: "dns-wire",
    name_server: NS2,
    words: &["name server 127.0.0.1:5301 does not answer"],
})]
#[case::zone_transfer_refused("axfr", AT_THE_START, ZONE, Told {
    outcome: "Failed",
    reason: "StackNotComplete",
    service: "orchestration",
    name_server: NS2,
    words: &["OS::Designate::Zone", "127.0.0.1:5301", "SERVFAIL", "127.0.0.1:5300 serves it"],
})]
#[case::designate_worker_stopped("designate-worker", AT_THE_START, ZONE, Told {
    outcome: "Failed",
    reason: "StackNotComplete",
    service: "orchestration",
    // None of them is to blame.
    name_server: "",
    words: &["OS::Designate::Zone", "PENDING CREATE", "127.0.0.1:5300", "127.0.0.1:5301", "REFUSED"],
})]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn a_broken_cloud_is_told_with_reason_and_evidence(
    #[case] fault: &'static str,
    #[case] break_at: &str,
    #[case] scenario: &str,
    #[case] expected: Told,
) {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    let mut broken = Broken::not_yet(fault);
    if break_at == AT_THE_START {
        broken.on_purpose();
    }
    // A broken cloud stays broken however long one waits.
    let file = run_file(state.path(), scenario, "NotOffered", 12);
    let mut command = against_the_cloud("run", state.path());
    command.args(["--output", "json", "-f"]).arg(file);
    let run = Watched::run(&mut command, state.path(), |line, _| {
        if !break_at.is_empty() && line.contains(break_at) {
            broken.on_purpose();
        }
        // Its judgement is made; what it undoes now, it undoes in a cloud that recovers.
        if line.contains("cleaning up") {
            broken.mend();
        }
    });
    drop(broken);
    let code = if expected.outcome == "Failed" { 1 } else { 2 };
    assert_eq!(run.status.code(), Some(code), "{}", run.told());
    let report = run.json();
    let test = test(&report, scenario);
    assert_eq!(test["outcome"], expected.outcome, "{test:#}");
    assert_eq!(test["reason"], expected.reason, "{test:#}");
    let evidence = &test["failedStep"]["evidence"];
    assert_eq!(evidence["service"], expected.service, "{test:#}");
    let name_server = evidence["nameServer"].as_str().unwrap_or_default();
    assert!(name_server.contains(expected.name_server), "{test:#}");
    assert_eq!(name_server.is_empty(), expected.name_server.is_empty(), "{test:#}");
    let message = test["message"].as_str().unwrap();
    for word in expected.words {
        assert!(message.contains(word), "no {word:?} in {message:?}");
    }
    assert_eq!(test["leaked"].as_array().map_or(0, Vec::len), 0, "{test:#}");
    nothing_is_left();
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn a_wrong_endpoint_in_the_catalogue_ends_the_run_before_it_makes_anything() {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    let mut broken = Broken::not_yet("designate-endpoint");
    broken.on_purpose();
    let run = Watched::run(
        against_the_cloud("run", state.path()).args(["--output", "json"]),
        state.path(),
        |_, _| (),
    );
    let preflight = finish(&mut against_the_cloud("preflight", state.path()));
    let sweep = finish(against_the_cloud("sweep", state.path()).args(["--older-than", "0s"]));
    drop(broken);
    assert_eq!(run.status.code(), Some(2), "{}", run.told());
    let report = run.json();
    assert_eq!(report["verdict"], "Errored");
    let fault = &report["fault"];
    assert_eq!(fault["reason"], "CloudUnreachable", "{fault:#}");
    assert_eq!(fault["evidence"]["service"], "dns", "{fault:#}");
    assert_eq!(preflight.status.code(), Some(2), "{}", told(&preflight));
    assert!(told(&preflight).contains("service dns"), "{}", told(&preflight));
    // A sweep that cannot ask a service must not say that nothing is left.
    assert_eq!(sweep.status.code(), Some(2), "{}", told(&sweep));
    assert!(told(&sweep).contains("dns"), "{}", told(&sweep));
    nothing_is_left();
}

/// Does something to a run of the zone scenario once it has begun to make something.
fn in_the_middle(state: &Path, installation: &str, mut act: impl FnMut(&mut Child)) -> Watched {
    let mut command = against_the_cloud("run", state);
    command.args(["--include", ZONE, "--installation", installation, "--output", "json"]);
    let mut done = false;
    let run = Watched::run(&mut command, state, |line, child| {
        if !done && line.contains("CREATE_IN_PROGRESS") {
            done = true;
            act(child);
        }
    });
    assert!(done, "it never began to make anything: {}", run.told());
    run
}

fn kill(run: &mut Child) {
    run.kill().unwrap();
}

fn sweep(state: &Path, arguments: &[&str]) -> String {
    let output = finish(against_the_cloud("sweep", state).args(arguments));
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    told(&output)
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn what_a_killed_run_made_is_swept() {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    in_the_middle(state.path(), "killed", kill);
    let made = leavings();
    assert!(!made.is_empty(), "it was killed before it made anything");
    let mine = ["--installation", "killed"];
    let dry = sweep(state.path(), &[&mine[..], &["--dry-run"]].concat());
    assert!(dry.contains("stack to-"), "{dry}");
    assert!(!leavings().is_empty(), "a dry run removed something: {dry}");
    // What is in the ledger of a run that died goes at any age.
    sweep(state.path(), &mine);
    nothing_is_left();
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn a_sweep_without_a_ledger_goes_by_the_marks_and_leaves_those_of_others() {
    let _cloud = cloud_for_oneself();
    let (state, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    in_the_middle(state.path(), "theirs", kill);
    let made = leavings();
    assert!(!made.is_empty(), "it was killed before it made anything");
    sweep(elsewhere.path(), &["--installation", "ours", "--older-than", "0s"]);
    assert!(!leavings().is_empty(), "it swept what another installation made: {made:?}");
    sweep(elsewhere.path(), &["--installation", "theirs", "--older-than", "1h"]);
    assert!(!leavings().is_empty(), "it swept what is younger than asked for: {made:?}");
    sweep(elsewhere.path(), &["--installation", "theirs", "--older-than", "0s"]);
    nothing_is_left();
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn an_interrupted_run_undoes_all_and_says_that_it_was_cancelled() {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    let run = in_the_middle(state.path(), "interrupted", |run| {
        let interrupted = Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
        assert!(interrupted.success());
    });
    assert_eq!(run.status.code(), Some(130), "{}", run.told());
    assert!(run.lines.iter().any(|line| line.contains("once more stops at once")), "{}", run.told());
    let report = run.json();
    assert_eq!(report["verdict"], "Cancelled");
    assert_eq!(test(&report, ZONE)["outcome"], "Cancelled");
    nothing_is_left();
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn preflight_reads_only_and_says_what_would_run() {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    let output = finish(with_all_roles(&mut against_the_cloud("preflight", state.path())));
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let text = told(&output);
    let count = Catalogue::built_in().unwrap().len();
    let all = format!("{count} of {count} scenarios would be played");
    for word in [FIP_PORT, ZONE, "public", "published", &all] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    assert!(!text.contains("Warnings"), "{text}");
    nothing_is_left();
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn an_application_credential_is_warned_of_and_refused_by_heat_with_a_hint() {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    let entry = testbed("TESTBED_CLOUD_APPCRED");
    let preflight = finish(&mut against_the_cloud_as(&entry, "preflight", state.path()));
    assert_eq!(preflight.status.code(), Some(0), "{}", told(&preflight));
    assert!(told(&preflight).contains("primary is an application credential"), "{}", told(&preflight));
    let mut command = against_the_cloud_as(&entry, "run", state.path());
    command.args(["--include", ZONE, "--include", WITHOUT_HEAT, "--output", "json"]);
    let run = Watched::run(&mut command, state.path(), |_, _| ());
    assert!(matches!(run.status.code(), Some(1 | 2)), "{}", run.told());
    let report = run.json();
    assert_eq!(test(&report, WITHOUT_HEAT)["outcome"], "Passed", "{report:#}");
    let test = test(&report, ZONE);
    let message = test["message"].as_str().unwrap();
    assert!(message.contains("Use a user's password"), "{message}");
    assert_eq!(test["failedStep"]["evidence"]["service"], "orchestration", "{test:#}");
    assert!(test["failedStep"]["evidence"]["requestId"].is_string(), "{test:#}");
    nothing_is_left();
}

/// Every template of the suite, and one that is wrong.
#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn heat_validates_every_template_before_a_run() {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    let preflight = |more: &[&str]| {
        let mut command = against_the_cloud("preflight", state.path());
        finish(command.arg("--validate").args(more))
    };
    let all = preflight(&["--alternate", "demo2", "--admin", "admin", "--reader", "reader"]);
    assert_eq!(all.status.code(), Some(0), "{}", told(&all));
    let folder = state.path().join("wrong");
    std::fs::create_dir(&folder).unwrap();
    let own = repository("scenarios").join(ZONE);
    std::fs::copy(own.join("scenario.yaml"), folder.join("scenario.yaml")).unwrap();
    let template = std::fs::read_to_string(own.join("zone.hot.yaml")).unwrap();
    std::fs::write(folder.join("zone.hot.yaml"), template.replace("      ttl:", "      ttk:")).unwrap();
    let wrong = preflight(&["--scenario", folder.to_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(1), "{}", told(&wrong));
    assert!(
        told(&wrong).contains("zone of user/heat-zone-lifecycle: ") && told(&wrong).contains("ttk"),
        "{}",
        told(&wrong)
    );
    nothing_is_left();
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn a_request_id_of_the_report_is_found_in_the_services_own_log_with_the_true_cause() {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    // Heat hides why: its answer says only that it erred.
    let entry = testbed("TESTBED_CLOUD_APPCRED");
    let report = refused(&mut against_the_cloud_as(&entry, "run", state.path()), state.path());
    let evidence = &test(&report, ZONE)["failedStep"]["evidence"];
    assert_eq!(evidence["service"], "orchestration", "{evidence:#}");
    let id = evidence["requestId"].as_str().unwrap();
    let log = std::fs::read_to_string(Path::new(&testbed("TESTBED_LOGS")).join("heat-api.log")).unwrap();
    let about: Vec<_> = log.lines().filter(|line| line.contains(id)).collect();
    assert!(about.iter().any(|line| line.contains("cannot manage trusts")), "{id}: {about:#?}");
    nothing_is_left();
}

/// A run of the zone scenario that cannot go well, as JSON.
fn refused(command: &mut Command, state: &Path) -> Value {
    command.args(["--include", ZONE, "--output", "json"]);
    let run = Watched::run(command, state, |_, _| ());
    assert!(matches!(run.status.code(), Some(1 | 2)), "{}", run.told());
    run.json()
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn a_wrong_password_and_a_network_that_is_not_there_are_named_with_the_next_step() {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    let clouds = std::fs::read_to_string(testbed("TESTBED_CLOUDS_YAML")).unwrap();
    let wrong = state.path().join("clouds.yaml");
    let mut clouds: Value = serde_json::from_str(&clouds).unwrap();
    clouds["clouds"]["demo"]["auth"]["password"] = "not-it".into();
    std::fs::write(&wrong, clouds.to_string()).unwrap();
    let mut command = against_the_cloud("run", state.path());
    let report = refused(command.env("OS_CLIENT_CONFIG_FILE", wrong), state.path());
    assert_eq!(report["fault"]["reason"], "AuthenticationFailed", "{report:#}");
    assert!(report["fault"]["evidence"]["requestId"].is_string(), "{report:#}");
    let message = report["fault"]["message"].as_str().unwrap();
    assert!(message.contains("primary (entry 'demo')") && message.contains("look at user"), "{message}");

    let mut command = against_the_cloud("run", state.path());
    let report = refused(command.args(["--image", "nonesuch"]), state.path());
    assert_eq!(report["fault"]["reason"], "InvalidSpec", "{report:#}");
    let message = report["fault"]["message"].as_str().unwrap();
    assert!(message.contains("spec.cloud.image") && message.contains("there are: tiny"), "{message}");
    nothing_is_left();
}

/// A zone of another project; deleted in the end.
struct ForeignZone {
    name: String,
}

impl ForeignZone {
    fn create() -> Self {
        let zone = Self {
            name: format!("foreign-{:08x}.{}", rand::random::<u32>(), testbed("TESTBED_ZONE_SUFFIX")),
        };
        zone.openstack(&["create", "--email", "owner@example.test"]);
        zone
    }

    fn openstack(&self, arguments: &[&str]) {
        let other = testbed("TESTBED_CLOUD_ALTERNATE");
        cloud_command(&[&["openstack", "--os-cloud", &other, "zone"], arguments, &[&self.name]].concat());
    }
}

impl Drop for ForeignZone {
    fn drop(&mut self) {
        self.openstack(&["delete"]);
    }
}

#[test]
#[ignore = "needs the OpenStack test bed: tests/run cloud"]
fn a_zone_suffix_of_another_project_is_named_with_the_next_step() {
    let _cloud = cloud_for_oneself();
    let state = tempdir().unwrap();
    let foreign = ForeignZone::create();
    let entry = testbed("TESTBED_CLOUD_PRIMARY");
    let report =
        refused(&mut against_the_cloud_under(&foreign.name, &entry, "run", state.path()), state.path());
    drop(foreign);
    let test = test(&report, ZONE);
    assert_eq!((&test["outcome"], &test["reason"]), (&"Failed".into(), &"StackFailed".into()), "{test:#}");
    assert!(test["message"].as_str().unwrap().contains("belongs to another project"), "{test:#}");
    nothing_is_left();
}
