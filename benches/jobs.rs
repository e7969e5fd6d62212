//! What it costs to play runs in pods of their own: fifty `TempestRuns` of one Heat scenario, first by the operator itself
//! (`executor: InProcess`), then each in a pod (`executor: Job`).
//!
//! `tests/run jobs` sets up a node, installs the chart on it, and prints a row for each. The simulated cloud runs in this
//! process, where pods reach this machine; it has the pace of a small real one.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin ends here")]

mod fleet;

use std::collections::{HashMap, VecDeque};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use serde_json::{Value, json};
use tempest_operator::openstack::install_crypto_provider;
use tempest_operator::simcloud::RecordedRequest;

use fleet::{Bed, Played, peak, spread};

const RUNS: u32 = 50;
/// How many play at once.
const PLAYING: u32 = 10;
/// Between two applies: nine or so play at once then, and nobody queues.
const PACE: Duration = Duration::from_secs(4);
const RELEASE: &str = "tempest-operator";
/// Between two looks at the memory of processes.
const EVERY: Duration = Duration::from_millis(500);

fn main() {
    install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    println!(
        "| executor | TempestRuns | passed | left in the cloud | wall | apply to first call, p50 / p99 | \
         since its turn came (a status has whole seconds), p50 / p99 | the operator's memory, peak | the memory of a run's pod, peak of the median / of the largest |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let all = ["InProcess", "Job"];
    // `cargo bench --bench jobs -- Job` prints that row only.
    let wanted: Vec<String> = std::env::args().filter(|one| all.contains(&one.as_str())).collect();
    for executor in all.into_iter().filter(|one| wanted.is_empty() || wanted.iter().any(|other| other == one))
    {
        runtime.block_on(row(executor));
    }
}

async fn row(executor: &str) {
    let host = given("TESTBED_NODE_HOST").parse().expect("an address");
    let bed = Bed::new(&format!("jobs-{}", executor.to_lowercase()), host).await;
    install(&bed.namespace);
    until_it_leads(&bed).await;

    let memory = Memory::watch(&bed.namespace);
    let played = bed.play(RUNS, PACE, &json!({ "executor": executor })).await;
    let (since_apply, since_turn) = first_calls(&bed.cloud.requests().latest, &played);
    println!(
        "| `{executor}` | {RUNS} | {} | {} | {:.0} s | {} | {} | {} MiB | {} |",
        played.passed(),
        bed.left(),
        played.wall.as_secs_f64(),
        spread(since_apply),
        spread(since_turn),
        memory.of_the_operator(),
        memory.of_pods(),
    );
    memory.watching.abort();
    bed.delete_runs().await;
    helm(&["uninstall", RELEASE, "--namespace", &bed.namespace, "--wait"]);
    bed.end().await;
}

fn given(name: &str) -> String {
    std::env::var(name).expect("tests/run jobs sets what this needs")
}

fn helm(arguments: &[&str]) {
    let ended = Command::new(given("HELM")).args(arguments).output().expect("Helm runs");
    assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
}

/// The chart as it is, with the image under test.
fn install(namespace: &str) {
    let image = given("TESTBED_OPERATOR_IMAGE");
    let (repository, tag) = image.rsplit_once(':').expect("an image with a tag");
    let values = [
        format!("image.repository={repository}"),
        format!("image.tag={tag}"),
        format!("controller.maxConcurrentRuns={PLAYING}"),
        format!("controller.maxConcurrentRunsPerCloud={PLAYING}"),
        "controller.log=warn".to_owned(),
    ];
    let mut arguments = vec!["install", RELEASE, "charts/tempest-operator", "--namespace", namespace];
    arguments.extend(["--take-ownership", "--wait", "--timeout", "2m"]);
    arguments.extend(values.iter().flat_map(|value| ["--set", value]));
    helm(&arguments);
}

async fn until_it_leads(bed: &Bed) {
    let leases: Api<Lease> = Api::namespaced(bed.client.clone(), &bed.namespace);
    let holder = |lease: Lease| lease.spec.and_then(|spec| spec.holder_identity);
    while leases.get_opt(RELEASE).await.expect("Leases can be read").and_then(holder).is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// From each apply, and from when the run's turn came, to the first call of the session that then made the run's stack: its
/// first one with a token.
fn first_calls(requests: &VecDeque<RecordedRequest>, played: &Played) -> (Vec<Duration>, Vec<Duration>) {
    let mut begun: HashMap<&str, Instant> = HashMap::new();
    let mut first: HashMap<String, Instant> = HashMap::new();
    for request in requests {
        let Some((_, token)) = request.headers.iter().find(|(name, _)| name == "x-auth-token") else {
            continue;
        };
        let at = *begun.entry(token).or_insert(request.at);
        if let Some(run_id) = run_of(request) {
            first.entry(run_id).or_insert(at);
        }
    }
    let (now, time) = (Instant::now(), Timestamp::now());
    let waited = played.applied.iter().filter_map(|(name, applied)| {
        let status = played.ended.get(name)?.1.status.as_ref()?;
        let first = *first.get(status.run_id.as_ref()?)?;
        let turn = Duration::try_from(time.duration_since(status.start_time?)).ok()?;
        Some((first.saturating_duration_since(*applied), turn.saturating_sub(now - first)))
    });
    waited.unzip()
}

/// The run whose stack is made, of whose id the stack's name tells: `to-RUNID-…`.
fn run_of(request: &RecordedRequest) -> Option<String> {
    if request.method != "POST" || !request.target.ends_with("/stacks") {
        return None;
    }
    let body: Value = serde_json::from_str(&request.body).ok()?;
    let rest = body["stack_name"].as_str()?.strip_prefix("to-")?;
    rest.split('-').next().map(ToOwned::to_owned)
}

/// The most memory of the operator and of each run's pod, seen from outside of them.
struct Memory {
    /// By the process; the operator's, and pods'.
    peaks: Arc<Mutex<(u64, HashMap<u32, u64>)>>,
    watching: tokio::task::JoinHandle<()>,
}

impl Memory {
    /// Watches the processes that serve this namespace.
    fn watch(namespace: &str) -> Self {
        let peaks: Arc<Mutex<(u64, HashMap<u32, u64>)>> = Arc::default();
        let (seen, told) = (Arc::clone(&peaks), format!("--namespace={namespace}"));
        let watching = tokio::spawn(async move {
            loop {
                for (process, command) in processes(&told) {
                    let (operator, pods) = &mut *seen.lock().expect("nobody broke it");
                    let peak = peak(process);
                    if command == "play" {
                        pods.entry(process).and_modify(|most| *most = peak.max(*most)).or_insert(peak);
                    } else {
                        *operator = peak.max(*operator);
                    }
                }
                tokio::time::sleep(EVERY).await;
            }
        });
        Self { peaks, watching }
    }

    fn of_the_operator(&self) -> u64 {
        self.peaks.lock().expect("nobody broke it").0
    }

    fn of_pods(&self) -> String {
        let mut all: Vec<u64> = self.peaks.lock().expect("nobody broke it").1.values().copied().collect();
        all.sort_unstable();
        let Some(largest) = all.last() else { return "–".to_owned() };
        format!("{} / {largest} MiB", all[all.len() / 2])
    }
}

/// Processes of this program with that argument, and what they do: `controller` or `play`.
fn processes(argument: &str) -> Vec<(u32, String)> {
    let all = std::fs::read_dir("/proc").expect("there is /proc").flatten();
    let ours = all.filter_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
        let words: Vec<&str> = line.split('\0').collect();
        let is_ours = words.first()?.ends_with("/tempest-operator") && words.contains(&argument);
        is_ours.then(|| (process, words.get(1).copied().unwrap_or_default().to_owned()))
    });
    ours.collect()
}
