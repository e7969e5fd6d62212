//! Many `TempestRuns` of one Heat scenario against a simulated cloud: what the benchmarks of the operator have in common.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tempest_operator::api::tempest_run::{Phase, TempestRun};
use tempest_operator::outcome::Verdict;
use tempest_operator::simcloud::{Guests, Latency, SimCloud, SimOptions, shell};

/// A namespace, and a cloud with the pace of a small real one: what is measured is the operator and not the crowd at the
/// door.
pub struct Bed {
    pub client: Client,
    pub namespace: String,
    pub cloud: SimCloud,
}

/// What became of the runs.
pub struct Played {
    /// When each run was applied, in that order; their names sort the same.
    pub applied: Vec<(String, Instant)>,
    /// When the end of each run was seen, and the run as it was then.
    pub ended: BTreeMap<String, (Timestamp, TempestRun)>,
    pub wall: Duration,
}

impl Bed {
    /// In the cluster that `KUBECONFIG` names; the cloud listens on this address.
    pub async fn new(name: &str, listen: IpAddr) -> Self {
        let client = Client::try_default().await.expect("KUBECONFIG names an API server");
        let options = SimOptions {
            latency: Latency::Realistic { seed: 1 },
            guests: Guests::Booted(Arc::new(shell)),
            recorded_requests: 2_000_000,
            listen,
            ..SimOptions::default()
        };
        let cloud = SimCloud::start(options).await.expect("a simulated cloud");
        let namespace = format!("{name}-{}", std::process::id());
        let object = json!({ "metadata": { "name": namespace } });
        let object = serde_json::from_value(object).expect("a namespace");
        let namespaces: Api<Namespace> = Api::all(client.clone());
        namespaces.create(&PostParams::default(), &object).await.expect("the namespace is made");
        Self { client, namespace, cloud }
    }

    /// Applies so many runs, one each `pace`, and waits for their ends.
    pub async fn play(&self, count: u32, pace: Duration, execution: &Value) -> Played {
        let began = Instant::now();
        let (applied, ended) = tokio::join!(self.apply(count, pace, execution), self.follow(count));
        Played { applied, ended, wall: began.elapsed() }
    }

    /// Whether anything is left in the cloud, in a word.
    pub fn left(&self) -> &'static str {
        if self.cloud.snapshot().is_clean() { "nothing" } else { "SOMETHING" }
    }

    /// Deletes the runs, while there is an operator that lets them go.
    pub async fn delete_runs(&self) {
        let (runs, one) = (self.runs(), ListParams::default().limit(1));
        runs.delete_collection(&DeleteParams::default(), &ListParams::default())
            .await
            .expect("the runs are deleted");
        while !runs.list_metadata(&one).await.expect("listed").items.is_empty() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Takes the namespace and the cloud away.
    pub async fn end(self) {
        let namespaces: Api<Namespace> = Api::all(self.client);
        namespaces.delete(&self.namespace, &DeleteParams::default()).await.expect("the namespace is deleted");
        self.cloud.shutdown().await;
    }

    fn runs(&self) -> Api<TempestRun> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Applies a Secret and a run each.
    async fn apply(&self, count: u32, pace: Duration, execution: &Value) -> Vec<(String, Instant)> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let mut pace = tokio::time::interval(pace);
        let mut applied = Vec::new();
        for number in 0..count {
            let name = format!("run-{number:04}");
            let secret = json!({
                "metadata": { "name": name }, "type": "crossservice.dev/openstack-clouds",
                "stringData": { "clouds.yaml": self.cloud.clouds_yaml() },
            });
            let run = json!({
                "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestRun", "metadata": { "name": name },
                "spec": {
                    "cloud": {
                        "secretRef": { "name": name }, "primary": "demo",
                        "zoneSuffix": self.cloud.zone_suffix(), "nameservers": self.cloud.name_servers(),
                    },
                    "scenarios": { "include": ["heat_zone_lifecycle"] },
                    "execution": execution,
                },
            });
            let secret = serde_json::from_value(secret).expect("a Secret");
            let run = serde_json::from_value(run).expect("a run");
            secrets.create(&PostParams::default(), &secret).await.expect("the Secret is made");
            pace.tick().await;
            applied.push((name, Instant::now()));
            self.runs().create(&PostParams::default(), &run).await.expect("the run is made");
        }
        applied
    }

    /// Watches until so many runs have ended.
    async fn follow(&self, count: u32) -> BTreeMap<String, (Timestamp, TempestRun)> {
        let mut ended = BTreeMap::new();
        let mut changes =
            watcher(self.runs(), watcher::Config::default()).default_backoff().applied_objects().boxed();
        while ended.len() < count as usize {
            let Some(run) = changes.try_next().await.expect("runs can be watched") else { break };
            if run.status.as_ref().and_then(|status| status.phase) == Some(Phase::Completed) {
                ended.entry(run.name_any()).or_insert_with(|| (Timestamp::now(), run));
            }
        }
        ended
    }
}

impl Played {
    /// How many passed.
    pub fn passed(&self) -> usize {
        let verdict = |run: &TempestRun| run.status.as_ref().and_then(|status| status.verdict);
        self.ended.values().filter(|(_, run)| verdict(run) == Some(Verdict::Passed)).count()
    }
}

/// The median and the 99th percentile.
pub fn spread(mut all: Vec<Duration>) -> String {
    all.sort();
    let at = |percent: usize| all.get((all.len() * percent / 100).min(all.len().saturating_sub(1)));
    let shown =
        |one: Option<&Duration>| one.map_or_else(|| "–".to_owned(), |one| format!("{} ms", one.as_millis()));
    format!("{} / {}", shown(at(50)), shown(at(99)))
}

/// The most memory that was resident in a process, in MiB.
pub fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or_default()
        / 1024
}
