//! The operator as a process of its own, under the roles of the chart.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::kube::namespace::{Namespace, free_port, served};
use crate::support::{binary, wait_until};

const SOON: Duration = Duration::from_secs(40);

/// One replica.
pub struct Operator {
    process: Child,
    /// Where its health and metrics are.
    pub port: u16,
    scratch: TempDir,
}

impl Operator {
    /// Starts a replica that serves this namespace.
    pub fn start(namespace: &Namespace) -> Self {
        Self::start_as(&namespace.name, &namespace.operator_access())
    }

    /// Starts a replica that bears an API server which takes its time, and so is longer missed when it has gone.
    pub fn start_patient(namespace: &Namespace) -> Self {
        Self::start_patient_as(&namespace.name, &namespace.operator_access())
    }

    /// The same with this kubeconfig.
    pub fn start_patient_as(namespace: &str, access: &str) -> Self {
        Self::start_leasing(namespace, access, "8s")
    }

    /// Starts a replica with this kubeconfig.
    pub fn start_as(namespace: &str, access: &str) -> Self {
        Self::start_leasing(namespace, access, "3s")
    }

    fn start_leasing(namespace: &str, access: &str, lease: &str) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let kubeconfig = scratch.path().join("kubeconfig");
        std::fs::write(&kubeconfig, access).unwrap();
        let port = free_port();
        let log = File::create(scratch.path().join("log")).unwrap();
        let mut command: Command = binary();
        let process = command
            .args(["controller", "--namespace", namespace, "--installation", "test"])
            .args(["--lease-namespace", namespace, "--lease-duration", lease])
            .args(["--bind", &format!("127.0.0.1:{port}"), "--allow-loopback-endpoints"])
            .args(["--job-image", "tempest-operator:test"])
            .env("KUBECONFIG", kubeconfig)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { process, port, scratch }
    }

    /// Whether it says that it leads.
    pub fn leads(&self) -> bool {
        served(self.port, "/metrics").is_some_and(|text| text.contains("tempest_operator_leader 1"))
    }

    /// Waits until it leads.
    pub fn until_it_leads(&self) {
        wait_until("the operator leads", SOON, || {
            assert!(!self.is_dead(), "the operator ended: {}", self.log());
            self.leads()
        });
    }

    /// Whether its process is over, without waiting for it.
    fn is_dead(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.scratch.path().join("log")
    }

    /// Sends a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} is sent");
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Whether it ended on its own.
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().is_ok_and(|status| status.is_some())
    }

    /// How it ended, once it did.
    pub fn ended(&mut self, within: Duration) -> ExitStatus {
        let mut status = None;
        wait_until("the operator ends", within, || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let last: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("the operator at {} wrote last:", self.port);
            last.iter().rev().for_each(|line| eprintln!("  {line}"));
        }
    }
}
