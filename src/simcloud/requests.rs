//! What was asked of the simulated cloud: counters that are complete, and the latest requests whole.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::wire::Service;

/// One recorded request.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// When it was answered.
    pub at: Instant,
    /// The service, where the path names one.
    pub service: Option<Service>,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers as they came.
    pub headers: Vec<(String, String)>,
    /// The body as it came, up to 16 KiB.
    pub body: String,
    /// The status it was answered with.
    pub status: u16,
    /// The request id it was answered with.
    pub request_id: String,
}

/// Everything that was asked so far.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// How many, by service and method.
    pub counts: BTreeMap<(Service, String), u64>,
    /// How many went to no service at all.
    pub strays: u64,
    /// How many DNS questions each name server was asked.
    pub dns_questions: Vec<u64>,
    /// The latest requests, oldest first.
    pub latest: VecDeque<RecordedRequest>,
}

impl Requests {
    /// How many requests a service got.
    pub fn to(&self, service: Service) -> u64 {
        self.counts.iter().filter(|((s, _), _)| *s == service).map(|(_, count)| count).sum()
    }

    /// How many requests of one method a service got.
    pub fn of(&self, service: Service, method: &str) -> u64 {
        self.counts.get(&(service, method.to_owned())).copied().unwrap_or(0)
    }

    pub(crate) fn record(&mut self, mut request: RecordedRequest, keep: usize) {
        match request.service {
            Some(service) => {
                *self.counts.entry((service, request.method.clone())).or_default() += 1;
            }
            None => self.strays += 1,
        }
        if keep == 0 {
            return;
        }
        let mut cut = request.body.len().min(16 * 1024);
        while !request.body.is_char_boundary(cut) {
            cut -= 1;
        }
        request.body.truncate(cut);
        while self.latest.len() >= keep {
            self.latest.pop_front();
        }
        self.latest.push_back(request);
    }

    pub(crate) fn asked(&mut self, server: usize) {
        if self.dns_questions.len() <= server {
            self.dns_questions.resize(server + 1, 0);
        }
        self.dns_questions[server] += 1;
    }
}
