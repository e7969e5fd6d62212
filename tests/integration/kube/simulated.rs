//! A namespace whose runs are played against a simulated cloud of this process, by operators that are other processes.

use std::time::Duration;

use serde_json::{Value, json};
use tempest_operator::simcloud::{Latency, SimCloud, SimOptions, Stages};
use tokio::runtime::{Builder, Runtime};

use super::namespace::Namespace;
use crate::support::wait_until;

const SOON: Duration = Duration::from_mins(2);
const SECRET: &str = "crossservice.dev/openstack-clouds";

/// A simulated cloud that answers while it lives.
pub struct Cloud {
    cloud: SimCloud,
    _runtime: Runtime,
}

impl Cloud {
    /// Starts it.
    pub fn start(options: SimOptions) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let cloud = runtime.block_on(SimCloud::start(options)).unwrap();
        Self { cloud, _runtime: runtime }
    }

    /// One that takes some seconds for a test.
    pub fn unhurried(options: SimOptions) -> Self {
        let stages = Stages { stack_step: Duration::from_secs(1), ..Stages::default() };
        Self::start(SimOptions { latency: Latency::Stages(stages), ..options })
    }

    /// What a run's `spec.cloud` says of it besides the Secret, in YAML's flow style; no guest is booted in it.
    pub fn spec(&self) -> String {
        let servers: Vec<String> = self.name_servers().iter().map(|server| format!("'{server}'")).collect();
        format!(
            "zoneSuffix: {}, publishedNetwork: published, nameservers: [{}], features: {{guest: NotOffered}}",
            self.zone_suffix(),
            servers.join(", ")
        )
    }

    /// Waits until somebody made something in it.
    pub fn until_something_is_made(&self) {
        wait_until("something is made", SOON, || !self.snapshot().stacks.is_empty());
    }

    /// Nothing of anybody is left in it.
    pub fn is_clean(&self) {
        let left = self.snapshot();
        assert!(left.is_clean(), "{left:#?}");
    }
}

impl std::ops::Deref for Cloud {
    type Target = SimCloud;

    fn deref(&self) -> &SimCloud {
        &self.cloud
    }
}

/// A namespace with a Secret for a cloud of its own.
pub struct Bed {
    pub namespace: Namespace,
    pub cloud: Cloud,
}

impl Bed {
    /// A fresh namespace, and a cloud that takes some seconds for a test.
    pub fn new(name: &str) -> Self {
        let cloud = Cloud::unhurried(SimOptions::default());
        let namespace = Namespace::create(name);
        namespace.secret(SECRET, &cloud.clouds_yaml());
        Self { namespace, cloud }
    }

    /// Applies the run `one` of one short scenario, with these execution controls.
    pub fn apply(&self, execution: &str) {
        self.apply_scenarios("heat_zone_lifecycle", execution);
    }

    /// Applies the run `one` of these scenarios.
    pub fn apply_scenarios(&self, scenarios: &str, execution: &str) {
        let more = format!("scenarios: {{include: [{scenarios}]}}\n  execution: {{{execution}}}");
        self.namespace.apply_run(&self.cloud.spec(), &more);
    }

    /// Changes the spec of the run `one`.
    pub fn change(&self, spec: &Value) {
        let patch = json!({ "spec": spec }).to_string();
        self.namespace.kubectl(&["patch", "tempestrun", "one", "--type=merge", "-p", &patch]);
    }

    /// Puts another `clouds.yaml` into the Secret.
    pub fn replace_secret(&self, clouds: &str) {
        let patch = json!({ "stringData": { "clouds.yaml": clouds } }).to_string();
        self.namespace.kubectl(&["patch", "secret", "cloud", "--type=merge", "-p", &patch]);
    }

    /// The run `one` passes as this attempt, and nothing is left.
    pub fn passes(&self, attempt: u64) -> Value {
        let run = self.namespace.finished_run(SOON);
        assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
        assert_eq!(run["status"]["attempt"], attempt, "{run:#}");
        self.is_clean();
        run
    }

    /// Nothing is left to undo, and nothing in the cloud.
    pub fn is_clean(&self) {
        assert!(!self.namespace.has_ledger());
        self.cloud.is_clean();
    }

    /// How often the cloud was asked.
    pub fn requests(&self) -> u64 {
        self.cloud.requests().counts.values().sum()
    }

    /// Deletes the run `one`, while somebody is there to let it go.
    pub fn delete(&self) {
        self.namespace.kubectl(&["delete", "tempestrun", "one", "--timeout=60s"]);
    }
}
