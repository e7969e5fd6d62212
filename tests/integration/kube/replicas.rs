//! Two replicas: one plays, whatever becomes of it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::namespace::served;
use super::simulated::Bed;
use crate::operator::Operator;
use crate::support::wait_until;

const SOON: Duration = Duration::from_mins(1);

/// A run that takes some seconds is being played.
fn play(bed: &Bed) {
    bed.apply("");
    bed.cloud.until_something_is_made();
}

fn passes(bed: &Bed, attempt: u64) {
    bed.passes(attempt);
    bed.delete();
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn of_two_replicas_one_leads_and_both_are_ready() {
    let bed = Bed::new("two");
    let first = Operator::start(&bed.namespace);
    first.until_it_leads();
    let second = Operator::start(&bed.namespace);
    wait_until("the second is ready", SOON, || served(second.port, "/readyz").is_some());
    play(&bed);
    passes(&bed, 1);
    assert!(first.leads() && !second.leads());
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_leader_that_is_told_to_stop_hands_over_at_once() {
    let bed = Bed::new("term");
    let mut first = Operator::start(&bed.namespace);
    first.until_it_leads();
    let second = Operator::start(&bed.namespace);
    play(&bed);
    first.signal("TERM");
    assert!(first.ended(Duration::from_secs(30)).success(), "{}", first.log());
    // Not the lease's duration, but a moment.
    let ended = Instant::now();
    second.until_it_leads();
    assert!(ended.elapsed() < Duration::from_secs(3), "{:?}", ended.elapsed());
    passes(&bed, 2);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_leader_that_is_paused_does_nothing_more_when_it_wakes_up() {
    let bed = Bed::new("stop");
    let mut first = Operator::start(&bed.namespace);
    first.until_it_leads();
    let second = Operator::start(&bed.namespace);
    play(&bed);
    first.signal("STOP");
    second.until_it_leads();
    let run = bed.namespace.until("the second plays it", SOON, |run| run["status"]["attempt"] == 2);
    assert!(run["status"]["verdict"].is_null());
    first.signal("CONT");
    let status = first.ended(Duration::from_secs(20));
    assert_eq!(status.code(), Some(2), "{}", first.log());
    assert!(first.log().contains("no longer leads"), "{}", first.log());
    passes(&bed, 2);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_leader_that_is_cut_off_from_the_api_server_asks_the_cloud_nothing_more() {
    let bed = Bed::new("cut");
    let (access, line) = Line::between(&bed.namespace.operator_access());
    let mut first = Operator::start_as(&bed.namespace.name, &access);
    first.until_it_leads();
    play(&bed);
    line.cut();
    let status = first.ended(Duration::from_secs(20));
    assert_eq!(status.code(), Some(2), "{}", first.log());
    let asked = bed.requests();
    let second = Operator::start(&bed.namespace);
    assert_eq!(bed.requests(), asked, "nobody asks before the lease has expired");
    second.until_it_leads();
    passes(&bed, 2);
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
