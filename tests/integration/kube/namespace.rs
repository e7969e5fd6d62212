//! One namespace of the real API server, seen as a user sees it: with kubectl.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::helm;
use crate::support::{finish, repository, testbed, told, wait_until};

/// A fresh namespace with the roles of the chart; deleted in the end.
pub struct Namespace {
    /// Its name.
    pub name: String,
}

impl Namespace {
    /// Installs the definitions, makes the namespace and the roles.
    pub fn create(name: &str) -> Self {
        apply_definitions();
        let namespace = Self { name: format!("tempest-{name}-{:08x}", rand::random::<u32>()) };
        kubectl(&["create", "namespace", &namespace.name]).unwrap();
        namespace.apply(&helm::roles(&namespace.name));
        namespace
    }

    /// A kubeconfig of the operator's service account.
    pub fn operator_access(&self) -> String {
        let testbed = repository("tests/testbed/kube");
        let access = finish(Command::new(testbed).args(["kubeconfig-for", &self.name, "tempest-operator"]));
        assert!(access.status.success(), "{}", told(&access));
        String::from_utf8_lossy(&access.stdout).into_owned()
    }

    /// kubectl in this namespace, which must succeed.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).unwrap_or_else(|error| panic!("{error}"))
    }

    /// kubectl in this namespace; what it wrote when it fails.
    pub fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut all = vec!["-n", self.name.as_str()];
        all.extend(arguments);
        kubectl(&all)
    }

    /// Makes the Secret `cloud`.
    pub fn secret(&self, kind: &str, clouds: &str) {
        let kind = format!("--type={kind}");
        let data = format!("--from-literal=clouds.yaml={clouds}");
        self.kubectl(&["create", "secret", "generic", "cloud", &kind, &data]);
    }

    /// Applies the run `one`; `cloud` and the rest are of its spec, in YAML's flow style.
    pub fn apply_run(&self, cloud: &str, more: &str) {
        self.apply_run_named("one", cloud, more);
    }

    /// Applies a run of this name.
    pub fn apply_run_named(&self, name: &str, cloud: &str, more: &str) {
        self.apply(&format!(
            "apiVersion: crossservice.dev/v1alpha1\nkind: TempestRun\nmetadata: {{name: {name}}}\nspec:\n  \
             cloud: {{secretRef: {{name: cloud}}, primary: demo, {cloud}}}\n  {more}\n",
        ));
    }

    /// Applies a manifest, which must succeed.
    pub fn apply(&self, manifest: &str) {
        self.try_apply(manifest).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Applies a manifest; what kubectl wrote when it fails.
    pub fn try_apply(&self, manifest: &str) -> Result<(), String> {
        self.try_apply_with(manifest, &[])
    }

    /// Applies a manifest with further arguments; what kubectl wrote when it fails.
    pub fn try_apply_with(&self, manifest: &str, more: &[&str]) -> Result<(), String> {
        let mut child = Command::new(testbed("KUBECTL"))
            .args(["-n", &self.name, "apply", "-f", "-"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        if output.status.success() { Ok(()) } else { Err(told(&output)) }
    }

    /// The run `one` as it is.
    pub fn run(&self) -> Value {
        self.run_named("one")
    }

    /// A run as it is.
    pub fn run_named(&self, name: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", "tempestrun", name, "-o", "json"])).unwrap()
    }

    /// Waits until the run `one` looks like this.
    pub fn until(&self, what: &str, within: Duration, mut holds: impl FnMut(&Value) -> bool) -> Value {
        let mut run = Value::Null;
        wait_until(what, within, || {
            run = self.run();
            holds(&run)
        });
        run
    }

    /// The run `one` when kubectl says that it is finished.
    pub fn finished_run(&self, within: Duration) -> Value {
        let timeout = format!("--timeout={}s", within.as_secs());
        let waited = self.try_kubectl(&["wait", "--for=condition=Finished", "tempestrun/one", &timeout]);
        waited.unwrap_or_else(|error| panic!("{error} {:#}", self.run()));
        self.run()
    }

    /// Whether the run's ledger exists.
    pub fn has_ledger(&self) -> bool {
        self.kubectl(&["get", "configmaps", "-o", "name"]).contains("one-ledger")
    }

    /// Looks for a password in everything of the namespace but the Secret itself.
    pub fn nothing_tells(&self, password: &str) {
        for kind in ["tempestruns", "configmaps", "events.events.k8s.io"] {
            let all = self.kubectl(&["get", kind, "-o", "yaml"]);
            assert!(!all.contains(password), "{kind} tell the password");
        }
    }
}

/// Installs the definitions, and waits until the API server knows them.
pub fn apply_definitions() {
    let definitions = repository("charts/tempest-operator/files/crds");
    kubectl(&["apply", "--server-side", "--force-conflicts", "-f", definitions.to_str().unwrap()]).unwrap();
    wait_until("the definitions are served", Duration::from_secs(30), || {
        kubectl(&["get", "tempestruns,tempestscenarios,tempestschedules", "-A"]).is_ok()
    });
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = kubectl(&["delete", "namespace", &self.name, "--wait=false"]);
    }
}

/// The status of a run's conditions, in the order of the design's table.
pub fn row(run: &Value) -> [&str; 5] {
    ["Reconciling", "Stalled", "Ready", "Succeeded", "Finished"]
        .map(|kind| condition(run, kind)["status"].as_str().unwrap_or_default())
}

/// One condition of a run.
pub fn condition<'a>(run: &'a Value, kind: &str) -> &'a Value {
    let all = run["status"]["conditions"].as_array().expect("there are conditions");
    all.iter().find(|one| one["type"] == kind).unwrap_or_else(|| panic!("no {kind} in {run:#}"))
}

/// A port that nothing listens on.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What an operator on this machine serves at `path`, when it answers with 200.
pub fn served(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.contains("200 OK").then(|| body.to_owned())
}

/// kubectl; what it wrote when it fails.
pub fn kubectl(arguments: &[&str]) -> Result<String, String> {
    let output = finish(Command::new(testbed("KUBECTL")).args(arguments));
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(told(&output))
    }
}
