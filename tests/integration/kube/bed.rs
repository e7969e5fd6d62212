//! A namespace with an operator of this very process, whose cloud is a script.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tempest_operator::controller::jobs::JobConfig;
use tempest_operator::controller::lease::LeaseOptions;
use tempest_operator::controller::queue::Limits;
use tempest_operator::controller::{ControllerOptions, LeaseConfig, connect, run_with};
use tempest_operator::openstack::EndpointPolicy;
use tokio_util::sync::CancellationToken;

use super::namespace::{Namespace, free_port, served};
use super::player::Script;
use crate::support::wait_until;

/// A password that must never be seen again.
pub const PASSWORD: &str = "hush-4711-never-told";

/// A namespace, its operator and what that plays.
pub struct Bed {
    namespace: Namespace,
    pub player: Arc<Script>,
    port: u16,
    /// How many runs the next operator plays at once.
    pub limits: Limits,
    operator: Option<(tokio::runtime::Runtime, CancellationToken, Receiver<()>)>,
}

impl Bed {
    /// A fresh namespace, and an operator under the roles of the chart.
    pub fn start(name: &str) -> Self {
        let namespace = Namespace::create(name);
        let limits = Limits { runs: 10, runs_of_a_cloud: 2 };
        let mut bed = Self { namespace, player: Arc::default(), port: free_port(), limits, operator: None };
        bed.restart();
        bed
    }

    /// Starts an operator as the namespace's service account.
    pub fn restart(&mut self) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let kubeconfig = Kubeconfig::from_yaml(&self.operator_access()).unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let stop = CancellationToken::new();
        let options = ControllerOptions {
            namespaces: vec![self.name.clone()],
            bind: ([127, 0, 0, 1], self.port).into(),
            endpoints: EndpointPolicy::allowing_loopback(),
            installation: "test".to_owned(),
            limits: self.limits,
            lease: LeaseConfig {
                namespace: Some(self.name.clone()),
                name: "tempest-operator".to_owned(),
                options: LeaseOptions {
                    identity: format!("{:x}", rand::random::<u64>()),
                    duration: Duration::from_secs(3),
                },
            },
            jobs: JobConfig { image: Some("tempest-operator:test".to_owned()), ..JobConfig::default() },
        };
        let (told, ended) = std::sync::mpsc::channel();
        let (player, stopped) = (Arc::clone(&self.player), stop.clone());
        runtime.spawn(async move {
            let config =
                Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
            let client = connect(config).unwrap();
            run_with(options, client, stopped, player).await.unwrap();
            let _ = told.send(());
        });
        self.operator = Some((runtime, stop, ended));
        wait_until("the operator is ready", Duration::from_secs(30), || {
            served(self.port, "/readyz").is_some_and(|text| text == "ok")
        });
    }

    /// Ends the operator at once, as a kill would: nothing of it runs on.
    pub fn kill(&mut self) {
        if let Some((runtime, ..)) = self.operator.take() {
            runtime.shutdown_timeout(Duration::ZERO);
        }
    }

    /// Tells the operator to stop, as SIGTERM does, and waits for its end.
    pub fn stop(&mut self) {
        if let Some((runtime, stop, ended)) = self.operator.take() {
            stop.cancel();
            ended.recv_timeout(Duration::from_secs(30)).expect("the operator ends");
            runtime.shutdown_timeout(Duration::ZERO);
        }
    }

    /// Makes a Secret that may be used.
    pub fn usable_secret(&self) {
        let clouds = format!(
            "clouds: {{demo: {{auth: {{auth_url: 'http://127.0.0.1:1/v3', username: u, password: {PASSWORD}, \
             project_name: p, user_domain_name: d, project_domain_name: d}}}}}}"
        );
        self.secret("crossservice.dev/openstack-clouds", &clouds);
    }

    /// Has the script play what `scene` says.
    pub fn play(&self, scene: &str, more: &str) {
        self.apply_run(&format!("zoneSuffix: {scene}.example."), more);
    }

    /// Patches the run `one`; the API server's words when it refuses.
    pub fn try_patch(&self, patch: &str) -> Result<String, String> {
        self.try_kubectl(&["patch", "tempestrun", "one", "--type=merge", "-p", patch])
    }

    /// The operator's metrics.
    pub fn metrics(&self) -> String {
        served(self.port, "/metrics").expect("metrics are served")
    }
}

impl Deref for Bed {
    type Target = Namespace;

    fn deref(&self) -> &Namespace {
        &self.namespace
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        // The operator is still there to release what is deleted.
        let _ = self.try_kubectl(&["delete", "tempestruns", "--all", "--timeout=20s"]);
        if let Some((runtime, stop, _)) = self.operator.take() {
            stop.cancel();
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}
