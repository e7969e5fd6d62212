//! A hundred kills, of one replica and of the leader of two, spread over runs of the whole chain on a simulated cloud.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tempest_operator::simcloud::{Latency, SimOptions, Stages};

use super::namespace::Namespace;
use super::simulated::Cloud;
use crate::siege::{self, Siege};
use crate::support::CHAIN;

/// Namespaces beside one another, each with operators of its own.
const NAMESPACES: u64 = 5;
const KILLS: usize = 20;

/// A cloud that takes long enough to be interrupted everywhere.
fn cloud() -> Cloud {
    let stages = Stages {
        server_build: Duration::from_millis(900),
        server_delete: Duration::from_millis(400),
        serial_batch: Duration::from_millis(400),
        poll_delay: Duration::from_millis(400),
        transfer: Duration::from_millis(100),
        stack_step: Duration::from_millis(200),
        api: Duration::from_millis(10),
        jitter_percent: 50,
    };
    Cloud::start(SimOptions {
        latency: Latency::Stages(stages),
        recorded_requests: 500_000,
        ..SimOptions::default()
    })
}

fn play(namespace: &Namespace, cloud: &Cloud) {
    namespace.secret("crossservice.dev/openstack-clouds", &cloud.clouds_yaml());
    let more = format!("runToken: first\n  scenarios: {{include: [{}]}}", CHAIN.join(", "));
    namespace.apply_run(&cloud.spec(), &more);
}

#[test]
#[ignore = "needs the Kubernetes test bed: tests/run kube"]
fn a_hundred_kills_lose_nothing_double_nothing_and_leave_nothing() {
    let cloud = cloud();
    let seed = siege::seed();
    let uids: Vec<String> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..NAMESPACES)
            .map(|number| {
                let cloud = &cloud;
                scope.spawn(move || {
                    let namespace = Namespace::create("kills");
                    play(&namespace, cloud);
                    let uid = namespace.run()["metadata"]["uid"].as_str().unwrap().to_owned();
                    let replicas = usize::try_from(number % 2).unwrap() + 1;
                    let longest = Duration::from_secs(6);
                    Siege { seed: seed.wrapping_add(number), replicas, kills: KILLS, longest }
                        .lay(&namespace);
                    uid
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    cloud.is_clean();
    let sessions = sessions(&cloud);
    for uid in uids {
        one_at_a_time(&uid, &sessions);
    }
}

/// When a session asked first and last, and what for.
struct Session {
    first: Instant,
    last: Instant,
    names: String,
}

/// The sessions of all operators, told apart by their tokens.
fn sessions(cloud: &Cloud) -> Vec<Session> {
    let mut sessions = BTreeMap::<String, Session>::new();
    let requests = cloud.requests();
    let all: u64 = requests.counts.values().sum();
    assert_eq!(all, requests.latest.len() as u64, "every request was recorded");
    for request in requests.latest {
        let token = request.headers.iter().find(|(name, _)| name == "x-auth-token");
        let Some((_, token)) = token else { continue };
        let session = sessions.entry(token.clone()).or_insert_with(|| Session {
            first: request.at,
            last: request.at,
            names: String::new(),
        });
        session.last = request.at;
        if request.method == "POST" {
            session.names += &request.body;
        }
        session.names += &request.target;
    }
    sessions.into_values().collect()
}

/// No two processes had calls in flight for one run.
fn one_at_a_time(uid: &str, sessions: &[Session]) {
    let prefix = format!("to-{}", &uid[uid.len() - 10..]);
    let mut own: Vec<&Session> = sessions.iter().filter(|session| session.names.contains(&prefix)).collect();
    own.sort_by_key(|session| session.first);
    // How many kills meet a session depends on the machine: who is killed early has not asked yet.
    assert!(own.len() > 1, "{} sessions of {prefix} were seen", own.len());
    for pair in own.windows(2) {
        assert!(pair[0].last < pair[1].first, "two sessions of {prefix} asked at the same time");
    }
}
