//! What tests share: the binary, the test bed, and waiting for a condition.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
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

/// The scenarios that go through the whole chain: few, so that a test that kills or breaks something can have them played.
pub const CHAIN: [&str; 4] = [
    "floating_ip_with_name_from_port_to_dns",
    "floating_ip_with_own_name_to_dns",
    "port_on_external_net_to_dns",
    "heat_zone_lifecycle",
];

/// `run`, `sweep` or `preflight` against the real cloud as its `demo` user, with its state in `state`.
pub fn against_the_cloud(verb: &str, state: &Path) -> Command {
    against_the_cloud_as(&testbed("TESTBED_CLOUD_PRIMARY"), verb, state)
}

/// The same as another entry of its clouds.yaml.
pub fn against_the_cloud_as(entry: &str, verb: &str, state: &Path) -> Command {
    against_the_cloud_under(&testbed("TESTBED_ZONE_SUFFIX"), entry, verb, state)
}

/// The same under another zone suffix.
pub fn against_the_cloud_under(suffix: &str, entry: &str, verb: &str, state: &Path) -> Command {
    let mut command = binary();
    command.env("OS_CLIENT_CONFIG_FILE", testbed("TESTBED_CLOUDS_YAML"));
    command.args([verb, "--os-cloud", entry]);
    command.args(["--zone-suffix", suffix]);
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

/// A program that writes one line an event to standard error, while `on_line` hears each.
pub struct Watched {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// The lines.
    pub lines: Vec<String>,
}

impl Watched {
    /// Runs to the end. Standard output goes to a file in `scratch` meanwhile: nobody reads it while lines come.
    pub fn run(command: &mut Command, scratch: &Path, mut on_line: impl FnMut(&str, &mut Child)) -> Self {
        let out = scratch.join("stdout");
        let file = File::create(&out).expect("a file for standard output");
        let mut child = command
            .stdout(file)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stderr = BufReader::new(child.stderr.take().expect("standard error is piped"));
        let mut lines = Vec::new();
        for line in stderr.lines().map_while(Result::ok) {
            on_line(&line, &mut child);
            lines.push(line);
        }
        let status = child.wait().expect("it ends");
        Self { status, stdout: std::fs::read_to_string(out).expect("what it wrote"), lines }
    }

    /// Everything it wrote.
    pub fn told(&self) -> String {
        format!("{}\n{}\n{}", self.status, self.stdout, self.lines.join("\n"))
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.told()))
    }
}

/// The first of three ports in a row that nothing listens on, below those that the system gives to clients.
pub fn three_free_ports() -> u16 {
    let free =
        |port| TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok();
    loop {
        let first = 20_000 + rand::random::<u16>() % 12_000;
        if (first..first + 3).all(free) {
            return first;
        }
    }
}

/// A process that ends with its test.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs to the end; everything it wrote is in the panic of whoever does not like it.
pub fn finish(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
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

/// The real cloud for oneself, as long as the answer lives: tests break it, and look at everything in it. Test runs
/// beside one another take turns.
pub fn cloud_for_oneself() -> File {
    let beside = PathBuf::from(testbed("TESTBED_CLOUDS_YAML")).with_file_name("tests.lock");
    let lock = File::create(&beside).unwrap_or_else(|error| panic!("{}: {error}", beside.display()));
    lock.lock().expect("a lock on the test cloud");
    lock
}

/// The test bed's own command, which must succeed.
pub fn cloud_command(arguments: &[&str]) -> String {
    let output = finish(Command::new(repository("tests/testbed/cloud")).args(arguments));
    assert!(output.status.success(), "cloud {arguments:?}: {}", told(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Everything in the real cloud whose name begins as ours do, asked with OpenStack's own client.
pub fn leavings() -> Vec<String> {
    let python = PathBuf::from(testbed("TESTBED_PYTHON_ENV")).join("bin/python");
    let output = finish(
        Command::new(python)
            .arg(repository("tests/testbed/leavings.py"))
            .env("OS_CLIENT_CONFIG_FILE", testbed("TESTBED_CLOUDS_YAML")),
    );
    assert!(output.status.success(), "{}", told(&output));
    String::from_utf8_lossy(&output.stdout).lines().map(ToOwned::to_owned).collect()
}

/// Waits until `holds`, looking again every now and then: other programs tell nobody when they are done.
pub fn wait_until(what: &str, within: Duration, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < within, "not within {} s: {what}", within.as_secs());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Nothing of ours is in the real cloud.
pub fn nothing_is_left() {
    assert_eq!(leavings(), Vec::<String>::new());
}

/// A fault of the cloud; it is mended even when the test fails.
pub struct Broken {
    fault: &'static str,
    is_broken: bool,
}

impl Broken {
    /// Whole as yet.
    pub const fn not_yet(fault: &'static str) -> Self {
        Self { fault, is_broken: false }
    }

    /// Breaks it.
    pub fn on_purpose(&mut self) {
        if !self.is_broken {
            self.is_broken = true;
            cloud_command(&["break", self.fault]);
        }
    }

    /// Makes it whole.
    pub fn mend(&mut self) {
        if self.is_broken {
            cloud_command(&["mend", self.fault]);
            self.is_broken = false;
        }
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        self.mend();
    }
}
