//! What many `TempestRuns` at once cost one operator: 10, 100 and 1,000 against a simulated cloud and the real API server
//! that `KUBECONFIG` names.
//!
//! `cargo bench --bench scale` prints a row for each. Runs are applied at a steady pace, and the cloud has the pace of a small
//! real one, so that what is measured is the operator and not the crowd at the door. Goals: everything ends right, resident memory at most 256 MiB, the status at
//! most 1 s behind the cloud and the first call at most 250 ms behind the apply (both p99), and at most
//! 2 + 2 × attempts + duration / 5 s writes of a status for each run.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin ends here")]

mod fleet;

use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, ResourceExt};
use serde_json::json;
use tempest_operator::api::tempest_run::TempestRun;
use tempest_operator::controller::reports;
use tempest_operator::openstack::install_crypto_provider;
use tempest_operator::report::RunReport;
use tempest_operator::simcloud::RecordedRequest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use fleet::{Bed, Played, peak, spread};

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
    let bed = Bed::new(&format!("scale-{count}"), Ipv4Addr::LOCALHOST.into()).await;
    let mut operator = Operator::start(&bed.namespace);
    operator.until_it_leads().await;

    // All wait in one queue: who is last must not have given up.
    let played = bed.play(count, Duration::from_secs(1) / A_SECOND, &json!({ "timeoutSeconds": 3600 })).await;

    let text = operator.metrics().await;
    let writes = metric(&text, "tempest_operator_status_writes_total");
    let allowed = played.ended.values().map(|(_, run)| allowed(run)).sum::<f64>();
    println!(
        "| {count} | {} | {} | {:.0} s | {} MiB | {} | {} | {:.1} of {:.1} |",
        played.passed(),
        bed.left(),
        played.wall.as_secs_f64(),
        peak(operator.process.id()),
        spread(first_calls(bed.cloud.requests().latest.iter(), &played)),
        spread(behind(&bed, &played).await),
        writes / f64::from(count),
        allowed / f64::from(count),
    );
    bed.delete_runs().await;
    operator.end();
    bed.end().await;
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
fn first_calls<'a>(requests: impl Iterator<Item = &'a RecordedRequest>, played: &Played) -> Vec<Duration> {
    let since = |(request, (_, applied)): (&RecordedRequest, &(String, Instant))| {
        request.at.saturating_duration_since(*applied)
    };
    let tokens = requests.filter(|request| request.target.ends_with("/auth/tokens"));
    tokens.zip(&played.applied).map(since).collect()
}

/// From each run's end, as its full report has it, until the end was seen in the status.
async fn behind(bed: &Bed, played: &Played) -> Vec<Duration> {
    let maps: Api<ConfigMap> = Api::namespaced(bed.client.clone(), &bed.namespace);
    let mut behind = Vec::new();
    for (name, (seen, _)) in &played.ended {
        let map = maps.get(&reports::name(name, 1)).await.expect("a report");
        let text = map.data.and_then(|mut data| data.remove(reports::JSON)).expect("a report in JSON");
        let report: RunReport = serde_json::from_str(&text).expect("a report");
        let finished = report.finished.expect("a report of a run that ended");
        behind.push(Duration::try_from(seen.duration_since(finished)).unwrap_or_default());
    }
    behind
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
