//! Runs in pods of their own, against a real API server and its Job controller. No node is there: the test does what a
//! kubelet does, and starts the pod's program with its arguments, under its service account.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempest_operator::simcloud::SimOptions;
use tempfile::TempDir;

use super::namespace::{Namespace, condition};
use super::simulated::Bed;
use crate::operator::Operator;
use crate::support::{binary, finish, repository, wait_until};

const SOON: Duration = Duration::from_mins(2);
const ACCOUNT: &str = "tempest-operator-run";

/// Applies a run that is to be played in a pod, with further execution controls.
fn play(bed: &Bed, more: &str) {
    bed.apply(&format!("executor: Job{more}"));
}

/// Of the run `one` nothing is left but its reports: neither leases nor what pods told.
fn only_reports_are_left(bed: &Bed) {
    wait_until("only reports are left", SOON, || {
        let maps = bed.namespace.kubectl(&["get", "configmaps", "-o", "name"]);
        maps.lines().filter(|map| map.starts_with("configmap/one-")).all(|map| map.contains("-report-"))
    });
}

/// The pod of an attempt, once the Job controller has made it.
fn made(namespace: &Namespace, attempt: u32) -> Value {
    // The pods of an object of this name that is gone may still be there.
    let uid = json!(format!("--uid={}", namespace.run()["metadata"]["uid"].as_str().unwrap()));
    let mut pod = Value::Null;
    wait_until("the attempt's pod is made", SOON, || {
        let pods: Value = serde_json::from_str(&namespace.kubectl(&["get", "pods", "-o", "json"])).unwrap();
        let of_the_attempt = |pod: &&Value| {
            let arguments = pod["spec"]["containers"][0]["args"].as_array().unwrap();
            arguments.contains(&uid) && arguments.contains(&json!(format!("--attempt={attempt}")))
        };
        pod = pods["items"].as_array().unwrap().iter().find(of_the_attempt).cloned().unwrap_or_default();
        !pod.is_null()
    });
    pod
}

/// A pod that runs, without a node.
struct Pod<'a> {
    namespace: &'a Namespace,
    name: String,
    process: Child,
    scratch: TempDir,
}

impl<'a> Pod<'a> {
    /// Starts the pod of an attempt, as a kubelet does once it is scheduled.
    fn start(bed: &'a Bed, attempt: u32) -> Self {
        let namespace = &bed.namespace;
        let pod = made(namespace, attempt);
        let spec = &pod["spec"];
        assert_eq!(spec["serviceAccountName"], ACCOUNT, "{pod:#}");
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        let scratch = tempfile::tempdir().unwrap();
        let access = finish(Command::new(repository("tests/testbed/kube")).args([
            "kubeconfig-for",
            &namespace.name,
            ACCOUNT,
        ]));
        let kubeconfig = scratch.path().join("kubeconfig");
        std::fs::write(&kubeconfig, &access.stdout).unwrap();
        let arguments = spec["containers"][0]["args"].as_array().unwrap();
        let process = binary()
            .args(arguments.iter().map(|one| one.as_str().unwrap()))
            .env("KUBECONFIG", kubeconfig)
            .stdout(Stdio::null())
            .stderr(File::create(scratch.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let pod = Self { namespace, name, process, scratch };
        pod.set_phase("Running");
        pod
    }

    /// Says of the pod what a kubelet says.
    fn set_phase(&self, phase: &str) {
        let patch = json!({ "status": { "phase": phase } }).to_string();
        let patch = ["--subresource=status", "--type=merge", "-p", &patch];
        // The object of a pod that is lost goes with its Job.
        let _ = self.namespace.try_kubectl(&[&["patch", "pod", &self.name], &patch[..]].concat());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("log")).unwrap_or_default()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} is sent");
    }

    /// Waits for its end; gives the exit code, and says so of the pod.
    fn ended(&mut self) -> Option<i32> {
        let mut status = None;
        wait_until("the pod ends", SOON, || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        let code = status.unwrap().code();
        self.set_phase(if code == Some(0) { "Succeeded" } else { "Failed" });
        code
    }
}

impl Drop for Pod<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("pod {} wrote:\n{}", self.name, self.log());
        }
    }
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_is_played_in_a_pod_of_its_own_and_published_by_the_leader() {
    let bed = Bed::new("job");
    let operator = Operator::start_patient(&bed.namespace);
    operator.until_it_leads();
    play(&bed, "");
    let mut pod = Pod::start(&bed, 1);
    let seen =
        bed.namespace.until("its steps are told", SOON, |run| run["status"]["currentSteps"].is_array());
    assert_eq!(seen["status"]["phase"], "Running", "{seen:#}");
    let run = bed.passes(1);
    assert_eq!(pod.ended(), Some(0), "{}", pod.log());
    assert_eq!(run["status"]["progress"], "1/1");
    let job: Value = serde_json::from_str(&bed.namespace.kubectl(&["get", "jobs", "-o", "json"])).unwrap();
    let job = &job["items"][0];
    assert_eq!(job["metadata"]["ownerReferences"][0]["uid"], run["metadata"]["uid"], "{job:#}");
    only_reports_are_left(&bed);
    let metrics = super::namespace::served(operator.port, "/metrics").unwrap();
    assert!(metrics.contains("tempest_operator_runs_total{verdict=\"Passed\"} 1"), "{metrics}");
    bed.delete();
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_pod_may_no_more_than_it_needs() {
    let namespace = Namespace::create("job-roles");
    let who = format!("system:serviceaccount:{}:{ACCOUNT}", namespace.name);
    let may =
        |verb: &str, what: &str| namespace.try_kubectl(&["auth", "can-i", verb, what, "--as", &who]).is_ok();
    wait_until("the roles are there", SOON, || may("get", "tempestruns.crossservice.dev"));
    for (verb, what) in [("get", "secrets"), ("create", "configmaps"), ("update", "configmaps")] {
        assert!(may(verb, what), "{verb} {what}");
    }
    for (verb, what) in [
        ("update", "tempestruns.crossservice.dev"),
        ("patch", "tempestruns.crossservice.dev"),
        ("list", "tempestruns.crossservice.dev"),
        ("list", "secrets"),
        ("watch", "secrets"),
        ("create", "jobs.batch"),
        ("get", "pods"),
        ("update", "leases.coordination.k8s.io"),
        ("create", "events.events.k8s.io"),
    ] {
        assert!(!may(verb, what), "{verb} {what}");
    }
    let status =
        ["auth", "can-i", "patch", "tempestruns.crossservice.dev", "--subresource=status", "--as", &who];
    assert!(namespace.try_kubectl(&status).is_err(), "only the leader writes a status");
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_lost_pod_is_an_interruption_and_the_next_one_plays_on() {
    let bed = Bed::new("job-lost");
    let operator = Operator::start_patient(&bed.namespace);
    operator.until_it_leads();
    play(&bed, "");
    let mut first = Pod::start(&bed, 1);
    bed.cloud.until_something_is_made();
    first.signal("KILL");
    first.ended();
    // Nobody undoes before the pod's lease has run out.
    let mut second = Pod::start(&bed, 2);
    let run = bed.passes(2);
    assert_eq!(second.ended(), Some(0), "{}", second.log());
    assert!(run["status"]["history"][0]["verdict"].is_null(), "{run:#}");
    only_reports_are_left(&bed);
    let events = bed.namespace.kubectl(&["get", "events.events.k8s.io", "-o", "json"]);
    assert!(events.contains("PodLost") && events.contains("the pod that played it"), "{events}");
    bed.delete();
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_lost_pods_run_ends_where_that_is_wanted() {
    let bed = Bed::new("job-fail");
    let operator = Operator::start_patient(&bed.namespace);
    operator.until_it_leads();
    play(&bed, ", onInterruption: Fail");
    let mut pod = Pod::start(&bed, 1);
    bed.cloud.until_something_is_made();
    // As a drained node: the pod has time to undo.
    pod.signal("TERM");
    assert_eq!(pod.ended(), Some(2), "{}", pod.log());
    let run = bed.namespace.finished_run(SOON);
    assert_eq!(run["status"]["verdict"], "Errored", "{run:#}");
    let stalled = condition(&run, "Stalled");
    assert_eq!(stalled["reason"], "Interrupted");
    assert!(stalled["message"].as_str().unwrap().contains("the pod that played it"), "{stalled:#}");
    bed.is_clean();
    only_reports_are_left(&bed);
    bed.delete();
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_pod_that_is_paused_does_nothing_more_when_it_wakes_up() {
    let bed = Bed::new("job-stop");
    let operator = Operator::start_patient(&bed.namespace);
    operator.until_it_leads();
    play(&bed, "");
    let mut first = Pod::start(&bed, 1);
    bed.cloud.until_something_is_made();
    first.signal("STOP");
    // Its Job says that it runs, as of a node that is lost.
    let mut second = Pod::start(&bed, 2);
    first.signal("CONT");
    assert_eq!(first.ended(), Some(2), "{}", first.log());
    bed.passes(2);
    assert_eq!(second.ended(), Some(0), "{}", second.log());
    bed.delete();
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_pod_undoes_when_its_run_is_cancelled_or_deleted() {
    let bed = Bed::new("job-cancel");
    let operator = Operator::start_patient(&bed.namespace);
    operator.until_it_leads();
    play(&bed, "");
    let mut pod = Pod::start(&bed, 1);
    bed.cloud.until_something_is_made();
    bed.change(&json!({ "cancel": true }));
    let run = bed.namespace.finished_run(SOON);
    assert_eq!(run["status"]["verdict"], "Cancelled", "{run:#}");
    assert_eq!(pod.ended(), Some(0), "{}", pod.log());
    bed.is_clean();
    bed.delete();

    play(&bed, "");
    let mut pod = Pod::start(&bed, 1);
    bed.cloud.until_something_is_made();
    bed.delete();
    assert_eq!(pod.process.wait().unwrap().code(), Some(0), "{}", pod.log());
    bed.cloud.is_clean();
}

/// What the status tells: the phase, and how many tests have ended.
fn stands(run: &Value, phase: &str, progress: &str) -> bool {
    (&run["status"]["phase"], &run["status"]["progress"]) == (&json!(phase), &json!(progress))
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_pod_takes_credentials_that_are_replaced_while_it_plays() {
    let bed = Bed::new("job-rotated");
    let operator = Operator::start_patient(&bed.namespace);
    operator.until_it_leads();
    play(&bed, "");
    let mut pod = Pod::start(&bed, 1);
    bed.cloud.until_something_is_made();
    let new = "another-password-5678";
    bed.replace_secret(&bed.cloud.clouds_yaml().replace(&SimOptions::default().password, new));
    // All tokens end with it.
    bed.cloud.change_password("demo", new);
    bed.passes(1);
    assert_eq!(pod.ended(), Some(0), "{}", pod.log());
    assert!(!pod.log().contains(new), "{}", pod.log());
    bed.namespace.nothing_tells(new);
    bed.delete();
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_pod_begins_no_test_while_its_run_is_suspended() {
    let bed = Bed::new("job-suspend");
    let operator = Operator::start_patient(&bed.namespace);
    operator.until_it_leads();
    bed.apply_scenarios("heat_zone_lifecycle, port_on_external_net_to_dns", "executor: Job, maxParallel: 1");
    let mut pod = Pod::start(&bed, 1);
    bed.cloud.until_something_is_made();
    bed.change(&json!({ "suspend": true }));
    // What was being played ends as it would have.
    let run = bed.namespace.until("the first test ends", SOON, |run| stands(run, "Suspended", "1/2"));
    assert_eq!(condition(&run, "Reconciling")["reason"], "Suspended");
    bed.cloud.is_clean();
    assert_eq!(pod.log().matches("the test begins").count(), 1, "{}", pod.log());
    bed.change(&json!({ "suspend": false }));
    let run = bed.passes(1);
    assert_eq!(run["status"]["progress"], "2/2");
    assert_eq!(pod.ended(), Some(0), "{}", pod.log());
    bed.delete();
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn what_was_asked_for_while_the_pod_was_awaited_counts_from_its_first_test_on() {
    let bed = Bed::new("job-early");
    let operator = Operator::start_patient(&bed.namespace);
    operator.until_it_leads();
    play(&bed, "");
    made(&bed.namespace, 1);
    bed.change(&json!({ "suspend": true }));
    let mut pod = Pod::start(&bed, 1);
    bed.namespace.until("the pod says that it is suspended", SOON, |run| stands(run, "Suspended", "0/1"));
    bed.cloud.is_clean();
    assert!(!bed.namespace.has_ledger(), "no test has begun");
    bed.change(&json!({ "suspend": false }));
    bed.passes(1);
    assert_eq!(pod.ended(), Some(0), "{}", pod.log());
    bed.delete();
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_pod_plays_on_while_the_leader_changes() {
    let bed = Bed::new("job-leader");
    let mut first = Operator::start_patient(&bed.namespace);
    first.until_it_leads();
    play(&bed, "");
    let mut pod = Pod::start(&bed, 1);
    bed.cloud.until_something_is_made();
    first.kill();
    let second = Operator::start_patient(&bed.namespace);
    second.until_it_leads();
    let run = bed.passes(1);
    assert_eq!(pod.ended(), Some(0), "{}", pod.log());
    assert!(run["status"]["history"].is_null(), "{run:#}");
    bed.delete();
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_second_process_for_an_attempt_does_not_play_it_again() {
    let bed = Bed::new("job-twice");
    let operator = Operator::start_patient(&bed.namespace);
    operator.until_it_leads();
    play(&bed, "");
    let mut pod = Pod::start(&bed, 1);
    bed.cloud.until_something_is_made();
    let mut twin = Pod::start(&bed, 1);
    bed.passes(1);
    assert_eq!(pod.ended(), Some(0), "{}", pod.log());
    let asked = bed.requests();
    let code = twin.process.wait().unwrap().code();
    assert_eq!(code, Some(2), "{}", twin.log());
    assert_eq!(bed.requests(), asked, "it asked the cloud nothing");
    bed.delete();
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn what_the_api_server_refuses_of_a_pod_ends_the_run_with_its_words() {
    let bed = Bed::new("job-refused");
    let operator = Operator::start_patient(&bed.namespace);
    operator.until_it_leads();
    play(&bed, ", job: {labels: {'not a key': x}}");
    let run = bed.namespace.finished_run(SOON);
    let stalled = condition(&run, "Stalled");
    assert_eq!((&run["status"]["verdict"], &stalled["reason"]), (&json!("Errored"), &json!("InvalidSpec")));
    assert!(stalled["message"].as_str().unwrap().contains("not a key"), "{stalled:#}");
    let in_process = bed.namespace.try_apply(
        "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {name: two}\nspec:\n  \
         cloud: {secretRef: {name: cloud}, zoneSuffix: a.example.}\n  execution: {job: {labels: {a: b}}}\n",
    );
    assert!(in_process.unwrap_err().contains("means nothing otherwise"));
    bed.delete();
}
