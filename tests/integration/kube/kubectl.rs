//! The kubectl plugin, as kubectl itself calls it, against a real API server.

use std::os::unix::fs::symlink;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::SOON;
use super::api_proxy::{ApiProxy, Trouble};
use super::bed::Bed;
use super::namespace::Namespace;
use crate::support::{finish, testbed, told, wait_until};

/// A folder on the PATH with the plugin in it.
struct Kubectl {
    path: TempDir,
    namespace: String,
}

impl Kubectl {
    fn of(namespace: &Namespace) -> Self {
        let path = tempfile::tempdir().unwrap();
        symlink(env!("CARGO_BIN_EXE_tempest-operator"), path.path().join("kubectl-tempest")).unwrap();
        Self { path, namespace: namespace.name.clone() }
    }

    /// `kubectl tempest …` in the namespace.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(testbed("KUBECTL"));
        command.arg("tempest").args(arguments).args(["--namespace", &self.namespace]);
        command.env("PATH", self.path.path()).env_remove("RUST_LOG");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        finish(&mut self.command(arguments))
    }

    /// What it says when it refuses, with exit code 3.
    fn refused(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(3), 0), "{}", told(&ended));
        told(&ended)
    }
}

fn file(folder: &TempDir, scene: &str) -> String {
    let path = folder.path().join("run.yaml");
    let text = format!(
        "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {{name: nightly}}\nspec:\n  cloud: \
         {{secretRef: {{name: cloud}}, primary: demo, zoneSuffix: {scene}.example.}}\n"
    );
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_is_made_followed_and_run_again() {
    let bed = Bed::start("plugin");
    bed.usable_secret();
    let kubectl = Kubectl::of(&bed);
    let scratch = tempfile::tempdir().unwrap();
    let made = kubectl.run(&["run", "-f", &file(&scratch, "flip"), "--wait=60s"]);
    assert_eq!(made.status.code(), Some(1), "{}", told(&made));
    let out = String::from_utf8(made.stdout.clone()).unwrap();
    let name = out.lines().next().unwrap().strip_suffix(" created").unwrap().split('/').nth(1).unwrap();
    assert!(name.starts_with("nightly-") && name.len() > "nightly-".len(), "{out}");
    let progress = String::from_utf8_lossy(&made.stderr);
    assert!(progress.contains("test_00: Passed") && progress.contains("test_01: Failed"), "{progress}");
    assert!(!progress.contains('\u{1b}'), "plain lines where no terminal is: {progress}");
    assert!(out.lines().last().unwrap().contains(": Failed"), "{out}");

    let again = kubectl.run(&["rerun", name, "--failed", "--wait"]);
    assert_eq!(again.status.code(), Some(0), "{}", told(&again));
    assert_eq!(bed.player.played(), ["test_00", "test_01", "test_01"], "only what failed");
    let listed = told(&kubectl.run(&["list"]));
    let line = listed.lines().find(|line| line.starts_with(name)).unwrap();
    assert!(line.contains("Completed") && line.contains("Passed") && line.contains("2/2"), "{listed}");
    let report = kubectl.run(&["report", name, "--json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(report["verdict"], "Passed");
    // One that has ended is told at once.
    let watched = kubectl.run(&["watch", name]);
    assert!(watched.status.success() && told(&watched).contains(": Passed"), "{}", told(&watched));
    assert!(kubectl.refused(&["cancel", name]).contains("has ended already: Passed"));
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_run_that_is_cancelled_ends_the_watching_with_130_and_can_run_again() {
    let bed = Bed::start("plugin-cancel");
    bed.usable_secret();
    let kubectl = Kubectl::of(&bed);
    let flags = ["--secret", "cloud", "--primary", "demo", "--zone-suffix", "hold.example"];
    let made = kubectl.run(&[&["run", "--name", "one"], &flags[..]].concat());
    assert!(made.status.success() && told(&made).contains("tempestrun.crossservice.dev/one created"));
    bed.until("it runs", SOON, |run| run["status"]["currentSteps"].is_array());
    assert!(kubectl.refused(&["rerun", "one"]).contains("is under way already: Running"));
    let twice = kubectl.refused(&[&["run", "--name", "one"], &flags[..]].concat());
    assert!(twice.contains("is under way already"), "{twice}");
    let watching = kubectl.command(&["watch", "one"]).spawn().unwrap();
    assert!(kubectl.run(&["cancel", "one"]).status.success());
    let watched = watching.wait_with_output().unwrap();
    assert_eq!(watched.status.code(), Some(130), "{}", told(&watched));
    bed.player.go();
    let again = kubectl.run(&["rerun", "one", "--wait=60s"]);
    assert_eq!(again.status.code(), Some(0), "{}", told(&again));
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn what_cannot_be_is_said_with_the_next_step() {
    let namespace = Namespace::create("plugin-no");
    let kubectl = Kubectl::of(&namespace);
    for verb in ["watch", "report", "rerun", "cancel"] {
        let words = kubectl.refused(&[verb, "nobody"]);
        assert!(words.contains("there is no tempestrun/nobody in namespace"), "{words}");
    }
    assert!(told(&kubectl.run(&["list"])).contains("there is no run in namespace"));
    let words = kubectl.refused(&["run", "--secret", "s", "--zone-suffix", "not a domain"]);
    assert!(words.contains("zoneSuffix"), "{words}");
    // Somebody who may do nothing.
    namespace.kubectl(&["create", "serviceaccount", "nobody"]);
    let access = finish(Command::new(crate::support::repository("tests/testbed/kube")).args([
        "kubeconfig-for",
        &namespace.name,
        "nobody",
    ]));
    let kubeconfig = kubectl.path.path().join("kubeconfig");
    std::fs::write(&kubeconfig, access.stdout).unwrap();
    let ended = kubectl.run(&["list", "--kubeconfig", kubeconfig.to_str().unwrap()]);
    assert_eq!(ended.status.code(), Some(2), "{}", told(&ended));
    assert!(told(&ended).contains("ask for the right to list tempestruns"), "{}", told(&ended));
    let ended =
        kubectl.run(&["report", "one", "--wait", "20s", "--kubeconfig", kubeconfig.to_str().unwrap()]);
    assert!(told(&ended).contains("cannot be waited for"), "{}", told(&ended));
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn whoever_waits_for_a_report_waits_on_when_the_api_server_was_away() {
    let bed = Bed::start("plugin-away");
    bed.usable_secret();
    let kubectl = Kubectl::of(&bed);
    bed.play("stepwise", "");
    bed.until("it runs", SOON, |run| run["status"]["phase"] == "Running" && bed.has_ledger());
    let proxy = ApiProxy::between(&bed.operator_access());
    let kubeconfig = kubectl.path.path().join("kubeconfig");
    std::fs::write(&kubeconfig, &proxy.access).unwrap();
    let arguments =
        ["report", "one", "--wait", "60s", "--json", "--kubeconfig", kubeconfig.to_str().unwrap()];
    let waiting = kubectl.command(&arguments).spawn().unwrap();
    wait_until("it watches", SOON, || proxy.requests() >= 2);
    proxy.set(Trouble::Away);
    let before = proxy.requests();
    wait_until("it tries again in vain", SOON, || proxy.requests() > before);
    bed.player.go();
    bed.finished_run(SOON);
    proxy.set(Trouble::None);
    let ended = waiting.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report["verdict"], "Passed");
}
