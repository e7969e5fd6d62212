//! What many `TempestRuns` at once cost one operator: 10, 100 and 1,000 against a simulated cloud and the real API server
//! that `KUBECONFIG` names.
//!
//! `cargo bench --bench scale` prints a row for each. Runs are applied at a steady pace, and the cloud has the pace of a small
//! real one, so that what is measured is the operator and not the crowd at the door. Goals: everything ends right, resident memory at most 256 MiB, the status at
//! most 1 s behind the cloud and the first call at most 250 ms behind the apply (both p99), and at most
//! 2 + 2 × attempts + duration / 5 s writes of a status for each run.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin ends here")]

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{DeleteParams, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tempest_operator::api::tempest_run::{Phase, TempestRun};
use tempest_operator::controller::reports;
use tempest_operator::openstack::install_crypto_provider;
use tempest_operator::outcome::Verdict;
use tempest_operator::report::RunReport;
use tempest_operator::simcloud::{Guests, Latency, RecordedRequest, SimCloud, SimOptions, shell};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How many are applied in a second.
const A_SECOND: u32 = 5;
/// How many may play at once: all.
const PLAYING: &str = "1000";

fn main() {
    install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    println!(
        "| TempestRuns | passed | left in the cloud | wall | resident memory, peak | apply to first call, p50 / p99 | \
         status behind the cloud, p50 / p99 | status writes a run, of those allowed |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for count in [10, 100, 1000_u32] {
        runtime.block_on(row(count));
    }
}

async fn row(count: u32) {
    let client = Client::try_default().await.expect("KUBECONFIG names an API server");
    let options = SimOptions {
        latency: Latency::Realistic { seed: 1 },
        guests: Guests::Booted(Arc::new(shell)),
        recorded_requests: 2_000_000,
        ..SimOptions::default()
    };
    let cloud = SimCloud::start(options).await.expect("a simulated cloud");
    let namespace = format!("scale-{count}-{}", std::process::id());
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let object = json!({ "metadata": { "name": namespace } });
    let object = serde_json::from_value(object).expect("a namespace");
    namespaces.create(&PostParams::default(), &object).await.expect("the namespace is made");
    let mut operator = Operator::start(&namespace);
    operator.until_it_leads().await;

    let began = Instant::now();
    let runs: Api<TempestRun> = Api::namespaced(client.clone(), &namespace);
    let (applied, ended) =
        tokio::join!(apply(&client, &namespace, &cloud, count), follow(runs.clone(), count));
    let wall = began.elapsed();

    let text = operator.metrics().await;
    let writes = metric(&text, "tempest_operator_status_writes_total");
    let requests = cloud.requests().latest;
    let first = first_calls(requests.iter(), &applied);
    let behind = behind(&client, &namespace, &ended).await;
    let passed = ended.values().filter(|(_, run)| verdict(run) == Some(Verdict::Passed)).count();
    let clean = if cloud.snapshot().is_clean() { "nothing" } else { "SOMETHING" };
    println!(
        "| {count} | {passed} | {clean} | {:.0} s | {} MiB | {} | {} | {:.1} of {:.1} |",
        wall.as_secs_f64(),
        operator.peak(),
        spread(first),
        spread(behind),
        writes / f64::from(count),
        ended.values().map(|(_, run)| allowed(run)).sum::<f64>() / f64::from(count),
    );
    // The finalizers go before the operator does.
    runs.delete_collection(&DeleteParams::default(), &kube::api::ListParams::default())
        .await
        .expect("the runs are deleted");
    while !runs
        .list_metadata(&kube::api::ListParams::default().limit(1))
        .await
        .expect("listed")
        .items
        .is_empty()
    {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    operator.end();
    namespaces.delete(&namespace, &DeleteParams::default()).await.expect("the namespace is deleted");
    cloud.shutdown().await;
}

/// When the end of each run was seen, and the run as it was then.
type Ends = BTreeMap<String, (Timestamp, TempestRun)>;

/// Applies a Secret and a run each, at a steady pace; gives the moments of applying.
async fn apply(client: &Client, namespace: &str, cloud: &SimCloud, count: u32) -> Vec<Instant> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let runs: Api<TempestRun> = Api::namespaced(client.clone(), namespace);
    let mut pace = tokio::time::interval(Duration::from_secs(1) / A_SECOND);
    let mut applied = Vec::new();
    for number in 0..count {
        let name = format!("run-{number:04}");
        let secret = json!({
            "metadata": { "name": name }, "type": "crossservice.dev/openstack-clouds",
            "stringData": { "clouds.yaml": cloud.clouds_yaml() },
        });
        let run = json!({
            "apiVersion": "crossservice.dev/v1alpha1", "kind": "TempestRun", "metadata": { "name": name },
            "spec": {
                "cloud": {
                    "secretRef": { "name": name }, "primary": "demo", "zoneSuffix": cloud.zone_suffix(),
                    "nameservers": cloud.name_servers(),
                },
                "scenarios": { "include": ["heat_zone_lifecycle"] },
                // All wait in one queue: who is last must not have given up.
                "execution": { "timeoutSeconds": 3600 },
            },
        });
        let secret = serde_json::from_value(secret).expect("a Secret");
        let run = serde_json::from_value(run).expect("a run");
        secrets.create(&PostParams::default(), &secret).await.expect("the Secret is made");
        pace.tick().await;
        applied.push(Instant::now());
        runs.create(&PostParams::default(), &run).await.expect("the run is made");
    }
    applied
}

/// Watches until so many runs have ended; gives when each end was seen.
async fn follow(runs: Api<TempestRun>, count: u32) -> Ends {
    let mut ended = BTreeMap::new();
    let mut changes = watcher(runs, watcher::Config::default()).default_backoff().applied_objects().boxed();
    while ended.len() < count as usize {
        let Some(run) = changes.try_next().await.expect("runs can be watched") else { break };
        if run.status.as_ref().and_then(|status| status.phase) == Some(Phase::Completed) {
            ended.entry(run.name_any()).or_insert_with(|| (Timestamp::now(), run));
        }
    }
    ended
}

fn verdict(run: &TempestRun) -> Option<Verdict> {
    run.status.as_ref().and_then(|status| status.verdict)
}

/// How many writes of its status a run may cost.
fn allowed(run: &TempestRun) -> f64 {
    let status = run.status.clone().unwrap_or_default();
    let lived = run.creation_timestamp().zip(status.completion_time);
    let seconds = lived.map_or(0.0, |(made, ended)| ended.duration_since(made.0).as_secs_f64());
    2.0 + 2.0 * f64::from(status.attempt.unwrap_or(1)) + seconds / 5.0
}

/// From each apply to the run's first call to the cloud, which asks for a token. Runs begin in the order in which they
/// are applied, so the first apply belongs to the first token, and so on.
fn first_calls<'a>(
    requests: impl Iterator<Item = &'a RecordedRequest>,
    applied: &[Instant],
) -> Vec<Duration> {
    let tokens = requests.filter(|request| request.target.ends_with("/auth/tokens"));
    tokens.zip(applied).map(|(request, applied)| request.at.saturating_duration_since(*applied)).collect()
}

/// From each run's end, as its full report has it, until the end was seen in the status.
async fn behind(client: &Client, namespace: &str, ended: &Ends) -> Vec<Duration> {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let mut behind = Vec::new();
    for (name, (seen, _)) in ended {
        let map = maps.get(&reports::name(name, 1)).await.expect("a report");
        let text = map.data.and_then(|mut data| data.remove(reports::JSON)).expect("a report in JSON");
        let report: RunReport = serde_json::from_str(&text).expect("a report");
        let finished = report.finished.expect("a report of a run that ended");
        behind.push(Duration::try_from(seen.duration_since(finished)).unwrap_or_default());
    }
    behind
}

fn spread(mut all: Vec<Duration>) -> String {
    all.sort();
    let at = |percent: usize| all.get((all.len() * percent / 100).min(all.len().saturating_sub(1)));
    let shown =
        |one: Option<&Duration>| one.map_or_else(|| "–".to_owned(), |one| format!("{} ms", one.as_millis()));
    format!("{} / {}", shown(at(50)), shown(at(99)))
}

fn metric(text: &str, name: &str) -> f64 {
    let value =
        text.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.trim().parse().ok());
    value.unwrap_or(f64::NAN)
}

/// The operator as a process of its own: its memory is only its own then.
struct Operator {
    process: Child,
    port: u16,
}

impl Operator {
    fn start(namespace: &str) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let process = Command::new(env!("CARGO_BIN_EXE_tempest-operator"))
            .args(["controller", "--namespace", namespace, "--lease-namespace", namespace])
            .args(["--max-concurrent-runs", PLAYING, "--max-concurrent-runs-per-cloud", PLAYING])
            .args(["--bind", &format!("127.0.0.1:{port}"), "--allow-loopback-endpoints", "--log", "error"])
            .stdout(Stdio::null())
            .spawn()
            .expect("the operator starts");
        Self { process, port }
    }

    async fn metrics(&self) -> String {
        let get = async {
            let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await?;
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                .await?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            Ok::<_, std::io::Error>(text)
        };
        get.await.unwrap_or_default()
    }

    async fn until_it_leads(&self) {
        while !self.metrics().await.contains("tempest_operator_leader 1") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The most memory that was resident, in MiB.
    fn peak(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or_default()
            / 1024
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.end();
    }
}
