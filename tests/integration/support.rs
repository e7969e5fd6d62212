//! What tests share: the binary, the test bed, and waiting for a condition.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A value that `tests/run` took from the test bed.
pub fn testbed(key: &str) -> String {
    std::env::var(key).unwrap_or_else(|_| panic!("{key} is not set: run these tests by tests/run"))
}

/// A program of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The binary under test, with nothing of the caller's clouds in its environment.
pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tempest-operator"));
    for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("OS_") || key.starts_with("TEMPEST_"))
    {
        command.env_remove(key);
    }
    command.env_remove("RUST_LOG");
    command
}

/// `run`, `sweep` or `preflight` against the real cloud as its `demo` user, with its state in `state`.
pub fn against_the_cloud(verb: &str, state: &Path) -> Command {
    let mut command = binary();
    command.env("OS_CLIENT_CONFIG_FILE", testbed("TESTBED_CLOUDS_YAML"));
    command.args([verb, "--os-cloud", &testbed("TESTBED_CLOUD_PRIMARY")]);
    command.args(["--zone-suffix", &testbed("TESTBED_ZONE_SUFFIX")]);
    command.args(["--published-network", &testbed("TESTBED_PUBLISHED_NETWORK")]);
    command.args(["--floating-network", &testbed("TESTBED_PUBLIC_NETWORK")]);
    for server in testbed("TESTBED_NAMESERVERS").split(',') {
        command.args(["--nameserver", server]);
    }
    if verb != "preflight" {
        command.arg("--state-dir").arg(state);
    }
    command
}

/// Runs to the end; everything it wrote is in the panic of whoever does not like it.
pub fn finish(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Standard output as JSON.
pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("not JSON ({error}): {}", told(output)))
}

/// Everything a program wrote, and how it ended.
pub fn told(output: &Output) -> String {
    format!(
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Waits until `done`, at most `patience`.
pub fn wait_until(what: &str, patience: Duration, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + patience;
    while !done() {
        assert!(Instant::now() < end, "{what} did not happen within {patience:?}");
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

/// The test bed's own command, which must succeed.
pub fn cloud_command(arguments: &[&str]) -> String {
    let output = finish(Command::new(repository("tests/testbed/cloud")).args(arguments));
    assert!(output.status.success(), "cloud {arguments:?}: {}", told(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Everything in the real cloud whose name begins as ours do, asked with the `OpenStack` client, not with ours.
pub fn leavings() -> Vec<String> {
    let kinds: [&[&str]; 7] = [
        &["stack", "list", "-f", "value", "-c", "Stack Name"],
        &["server", "list", "-f", "value", "-c", "Name"],
        &["floating", "ip", "list", "--long", "-f", "value", "-c", "Description"],
        &["port", "list", "-f", "value", "-c", "Name"],
        &["network", "list", "-f", "value", "-c", "Name"],
        &["router", "list", "-f", "value", "-c", "Name"],
        &["zone", "list", "-f", "value", "-c", "name"],
    ];
    let mut found = Vec::new();
    for kind in kinds {
        let mut arguments = vec!["openstack", "--os-cloud", "demo"];
        arguments.extend(kind);
        let list = cloud_command(&arguments);
        found.extend(
            list.lines().filter(|line| line.starts_with("to-")).map(|line| format!("{}: {line}", kind[0])),
        );
    }
    found
}
