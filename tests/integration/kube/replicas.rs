//! Two replicas: one plays, whatever becomes of it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempest_operator::simcloud::{Latency, SimCloud, SimOptions, Stages};

use super::namespace::{Namespace, served};
use crate::operator::Operator;
use crate::support::wait_until;

const SOON: Duration = Duration::from_mins(1);

struct Bed {
    namespace: Namespace,
    cloud: SimCloud,
    _runtime: tokio::runtime::Runtime,
}

/// A run that takes some seconds on a simulated cloud.
fn bed(name: &str) -> Bed {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let stages = Stages { stack_step: Duration::from_secs(1), ..Stages::default() };
    let options = SimOptions { latency: Latency::Stages(stages), ..SimOptions::default() };
    let cloud = runtime.block_on(SimCloud::start(options)).unwrap();
    let namespace = Namespace::create(name);
    namespace.secret("crossservice.dev/openstack-clouds", &cloud.clouds_yaml());
    Bed { namespace, cloud, _runtime: runtime }
}

impl Bed {
    fn play(&self) {
        let servers: Vec<String> =
            self.cloud.name_servers().iter().map(|server| format!("'{server}'")).collect();
        let cloud = format!(
            "zoneSuffix: {}, nameservers: [{}], features: {{guest: NotOffered}}",
            self.cloud.zone_suffix(),
            servers.join(", ")
        );
        self.namespace.apply_run(&cloud, "scenarios: {include: [heat_zone_lifecycle]}");
        wait_until("it makes something", SOON, || !self.cloud.snapshot().stacks.is_empty());
    }

    fn passes(&self, attempt: u64) {
        let run = self.namespace.finished_run(SOON);
        assert_eq!(run["status"]["verdict"], "Passed", "{run:#}");
        assert_eq!(run["status"]["attempt"], attempt, "{run:#}");
        assert!(!self.namespace.has_ledger());
        assert!(self.cloud.snapshot().is_clean(), "{:#?}", self.cloud.snapshot());
        self.namespace.kubectl(&["delete", "tempestrun", "one", "--timeout=40s"]);
    }

    fn requests(&self) -> u64 {
        self.cloud.requests().counts.values().sum()
    }
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn of_two_replicas_one_leads_and_both_are_ready() {
    let bed = bed("two");
    let first = Operator::start(&bed.namespace);
    first.until_it_leads();
    let second = Operator::start(&bed.namespace);
    wait_until("the second is ready", SOON, || served(second.port, "/readyz").is_some());
    bed.play();
    bed.passes(1);
    assert!(first.leads() && !second.leads());
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_leader_that_is_told_to_stop_hands_over_at_once() {
    let bed = bed("term");
    let mut first = Operator::start(&bed.namespace);
    first.until_it_leads();
    let second = Operator::start(&bed.namespace);
    bed.play();
    first.signal("TERM");
    assert!(first.ended(Duration::from_secs(30)).success(), "{}", first.log());
    // Not the lease's duration, but a moment.
    let ended = Instant::now();
    second.until_it_leads();
    assert!(ended.elapsed() < Duration::from_secs(3), "{:?}", ended.elapsed());
    bed.passes(2);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_leader_that_is_paused_does_nothing_more_when_it_wakes_up() {
    let bed = bed("stop");
    let mut first = Operator::start(&bed.namespace);
    first.until_it_leads();
    let second = Operator::start(&bed.namespace);
    bed.play();
    first.signal("STOP");
    second.until_it_leads();
    let run = bed.namespace.until("the second plays it", SOON, |run| run["status"]["attempt"] == 2);
    assert!(run["status"]["verdict"].is_null());
    first.signal("CONT");
    let status = first.ended(Duration::from_secs(20));
    assert_eq!(status.code(), Some(2), "{}", first.log());
    assert!(first.log().contains("no longer leads"), "{}", first.log());
    bed.passes(2);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_leader_that_is_cut_off_from_the_api_server_asks_the_cloud_nothing_more() {
    let bed = bed("cut");
    let (access, line) = Line::between(&bed.namespace.operator_access());
    let mut first = Operator::start_as(&bed.namespace.name, &access);
    first.until_it_leads();
    bed.play();
    line.cut();
    let status = first.ended(Duration::from_secs(20));
    assert_eq!(status.code(), Some(2), "{}", first.log());
    let asked = bed.requests();
    let second = Operator::start(&bed.namespace);
    assert_eq!(bed.requests(), asked, "nobody asks before the lease has expired");
    second.until_it_leads();
    bed.passes(2);
}

/// A way to the API server that can be cut.
struct Line {
    is_cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    /// A kubeconfig that goes through it, and the line.
    fn between(access: &str) -> (String, Self) {
        let server = access.split("https://").nth(1).unwrap().split(['\n', '"']).next().unwrap().trim();
        let target: SocketAddr = server.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap();
        let line = Self { is_cut: Arc::default(), open: Arc::default() };
        let (is_cut, open) = (Arc::clone(&line.is_cut), Arc::clone(&line.open));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if is_cut.load(Ordering::Relaxed) {
                    continue;
                }
                let far = TcpStream::connect(target).unwrap();
                open.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                pump(near.try_clone().unwrap(), far.try_clone().unwrap());
                pump(far, near);
            }
        });
        (access.replace(server, &here.to_string()), line)
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
        for stream in self.open.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
