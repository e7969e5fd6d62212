//! When each record set was seen to be true first: `t1` to `t4` since the change was accepted.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::wanted::Wanted;
use crate::dns::Question;
use crate::outcome::Propagation;
use crate::runner::context::Want;

/// First-true times, filled while rounds are asked.
pub struct Times {
    since: Instant,
    first_look: Option<Instant>,
    api: BTreeMap<String, Instant>,
    active: BTreeMap<String, Instant>,
    servers: BTreeMap<String, BTreeMap<String, Instant>>,
}

impl Times {
    /// Measures since `t0`.
    pub fn since(since: Instant) -> Self {
        Self {
            since,
            first_look: None,
            api: BTreeMap::new(),
            active: BTreeMap::new(),
            servers: BTreeMap::new(),
        }
    }

    /// A round is over. What the first one saw may have been true for long.
    pub fn looked(&mut self) {
        self.first_look.get_or_insert_with(Instant::now);
    }

    /// The API tells the truth about it (`t1`).
    pub fn api_true(&mut self, question: &Question) {
        self.api.entry(question.to_string()).or_insert_with(Instant::now);
    }

    /// Designate calls it ACTIVE (`t4`).
    pub fn active(&mut self, question: &Question) {
        self.active.entry(question.to_string()).or_insert_with(Instant::now);
    }

    /// This name server told the truth about it at that moment.
    pub fn server_true_at(&mut self, question: &Question, server: &str, at: Instant) {
        let servers = self.servers.entry(question.to_string()).or_default();
        servers.entry(server.to_owned()).or_insert(at);
    }

    /// Takes over what was seen on the wire meanwhile.
    pub fn merge_servers(&mut self, other: Self) {
        for (question, servers) in other.servers {
            let known = self.servers.entry(question).or_default();
            for (server, at) in servers {
                known.entry(server).or_insert(at);
            }
        }
    }

    /// What the report keeps: one entry a record set that had to become true. A name server that never did
    /// leaves `t3` open.
    pub fn into_propagation(self, wanted: &Wanted, asked: usize) -> Vec<Propagation> {
        let millis = |at: &Instant| duration_millis(at.saturating_duration_since(self.since));
        wanted
            .settling()
            .into_iter()
            .map(|item| {
                let key = item.question.to_string();
                let servers: BTreeMap<String, u64> = self
                    .servers
                    .get(&key)
                    .map(|servers| servers.iter().map(|(server, at)| (server.clone(), millis(at))).collect())
                    .unwrap_or_default();
                Propagation {
                    name: item.question.name.clone(),
                    record_type: item.question.rtype.to_string(),
                    published: item.want != Want::Absent,
                    api_ms: self.api.get(&key).map(millis),
                    first_name_server_ms: servers.values().min().copied(),
                    all_name_servers_ms: servers
                        .values()
                        .max()
                        .copied()
                        .filter(|_| asked > 0 && servers.len() >= asked),
                    active_ms: self.active.get(&key).map(millis),
                    first_look_ms: self.first_look.as_ref().map(millis),
                    name_servers_ms: servers,
                }
            })
            .collect()
    }
}

fn duration_millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
