//! One namespace with an operator of its own.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;
use tempest_operator::controller::{ControllerOptions, run_with};
use tokio_util::sync::CancellationToken;

use super::player::Script;
use crate::support::{finish, repository, testbed, told, wait_until};

/// A password that must never be seen again.
pub const PASSWORD: &str = "hush-4711-never-told";

/// A namespace, its operator and what that plays.
pub struct Bed {
    pub namespace: String,
    pub player: Arc<Script>,
    port: u16,
    operator: Option<(tokio::runtime::Runtime, CancellationToken)>,
}

impl Bed {
    /// A fresh namespace with the roles of `examples/rbac.yaml`, and an operator under them.
    pub fn start(name: &str) -> Self {
        let definition = repository("crds/tempestruns.yaml");
        kubectl(&["apply", "--server-side", "--force-conflicts", "-f", definition.to_str().unwrap()])
            .unwrap();
        wait_until("the definition is served", Duration::from_secs(30), || {
            kubectl(&["get", "tempestruns", "-A"]).is_ok()
        });
        let namespace = format!("tempest-{name}-{:08x}", rand::random::<u32>());
        kubectl(&["create", "namespace", &namespace]).unwrap();
        let roles = repository("examples/rbac.yaml");
        kubectl(&["-n", &namespace, "apply", "-f", roles.to_str().unwrap()]).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut bed = Self { namespace, player: Arc::default(), port, operator: None };
        bed.restart();
        bed
    }

    /// Starts an operator as the namespace's service account.
    pub fn restart(&mut self) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let access = finish(Command::new(repository("tests/testbed/kube")).args([
            "kubeconfig-for",
            &self.namespace,
            "tempest-operator",
        ]));
        assert!(access.status.success(), "{}", told(&access));
        let kubeconfig = Kubeconfig::from_yaml(&String::from_utf8_lossy(&access.stdout)).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let stop = CancellationToken::new();
        let options = ControllerOptions {
            namespaces: vec![self.namespace.clone()],
            bind: ([127, 0, 0, 1], self.port).into(),
            allow_loopback_endpoints: true,
            installation: "test".to_owned(),
        };
        let (player, stopped) = (Arc::clone(&self.player), stop.clone());
        runtime.spawn(async move {
            let config =
                Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
            let client = Client::try_from(config).unwrap();
            run_with(options, client, None, stopped, player).await.unwrap();
        });
        self.operator = Some((runtime, stop));
        wait_until("the operator is ready", Duration::from_secs(30), || {
            self.get("/readyz").is_some_and(|text| text == "ok")
        });
    }

    /// Ends the operator at once, as a kill would: nothing of it runs on.
    pub fn kill(&mut self) {
        if let Some((runtime, _)) = self.operator.take() {
            runtime.shutdown_timeout(Duration::ZERO);
        }
    }

    /// kubectl in this namespace, which must succeed.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let mut all = vec!["-n", self.namespace.as_str()];
        all.extend(arguments);
        kubectl(&all).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Makes the Secret `cloud`.
    pub fn secret(&self, kind: &str, clouds: &str) {
        let type_ = format!("--type={kind}");
        let data = format!("--from-literal=clouds.yaml={clouds}");
        self.kubectl(&["create", "secret", "generic", "cloud", &type_, &data]);
    }

    /// Makes a Secret that may be used.
    pub fn usable_secret(&self) {
        let clouds = format!(
            "clouds: {{demo: {{auth: {{auth_url: 'http://127.0.0.1:1/v3', username: u, password: {PASSWORD}, \
             project_name: p, user_domain_name: d, project_domain_name: d}}}}}}"
        );
        self.secret("crossservice.dev/openstack-clouds", &clouds);
    }

    /// Applies the run `one`.
    pub fn apply_run(&self, zone_suffix: &str, more: &str) {
        let run = format!(
            "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {{name: one, namespace: {}}}\nspec:\n  \
             cloud: {{secretRef: {{name: cloud}}, primary: demo, zoneSuffix: {zone_suffix}}}\n  {more}\n",
            self.namespace
        );
        let mut child = Command::new(testbed("KUBECTL"))
            .args(["apply", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), run.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
    }

    /// The run `one` as it is.
    pub fn run(&self) -> Value {
        serde_json::from_str(&self.kubectl(&["get", "tempestrun", "one", "-o", "json"])).unwrap()
    }

    /// Patches the run `one`; the API server's words when it refuses.
    pub fn try_patch(&self, patch: &str) -> Result<String, String> {
        kubectl(&["-n", &self.namespace, "patch", "tempestrun", "one", "--type=merge", "-p", patch])
    }

    /// Whether the run's ledger exists.
    pub fn has_ledger(&self) -> bool {
        self.kubectl(&["get", "configmaps", "-o", "name"]).contains("one-ledger")
    }

    /// The operator's metrics.
    pub fn metrics(&self) -> String {
        self.get("/metrics").expect("metrics are served")
    }

    /// Looks for the password in everything of the namespace but the Secret itself.
    pub fn no_secret_anywhere(&self) {
        for kind in ["tempestruns", "configmaps", "events.events.k8s.io"] {
            let all = self.kubectl(&["get", kind, "-o", "yaml"]);
            assert!(!all.contains(PASSWORD), "{kind} tell the password");
        }
    }

    fn get(&self, path: &str) -> Option<String> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.contains("200 OK").then(|| body.to_owned())
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        // The operator is still there to release what is deleted.
        let _ = kubectl(&["-n", &self.namespace, "delete", "tempestruns", "--all", "--timeout=20s"]);
        if let Some((runtime, stop)) = self.operator.take() {
            stop.cancel();
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
        let _ = kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
    }
}

fn kubectl(arguments: &[&str]) -> Result<String, String> {
    let output = finish(Command::new(testbed("KUBECTL")).args(arguments));
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(told(&output))
    }
}
