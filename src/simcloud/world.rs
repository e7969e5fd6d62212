//! The whole state of the simulated cloud and its clock.
//!
//! It is a discrete-event simulation that is moved on lazily: whoever looks (an HTTP call, a DNS question, a
//! snapshot) first lets everything happen that is due by then, each at its own time. So no task ticks,
//! nothing sleeps, and paused test clocks work.

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use jiff::Timestamp;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    designate,
    faults::Faults,
    faults::Target,
    glance, heat, keystone, nameserver, neutron, nova,
    options::{SimOptions, Stages},
    requests::Requests,
    wire::{Call, Caller, Refusal, Reply, Service},
};
use crate::simcloud::faults::Fault;

/// Something that will happen.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    ServerBuilt(String),
    ServerGone(String),
    /// Designate bumps a zone's serial and hands its changes to the name servers.
    SerialBatch(String),
    /// One name server takes the zone as it was when the serial was bumped.
    Transfer(usize, String),
    /// Designate asks the name servers for the zone's serial; the number counts the attempts.
    Poll(String, u32),
    ZoneGone(String),
    /// Heat goes on with a stack.
    StackStep(String),
}

/// The simulated cloud.
pub(crate) struct World {
    pub(crate) options: SimOptions,
    pub(crate) stages: Stages,
    pub(crate) faults: Faults,
    pub(crate) base_url: String,
    pub(crate) requests: Requests,
    pub(crate) now: Duration,
    pub(crate) identity: keystone::Identity,
    pub(crate) compute: nova::Compute,
    pub(crate) network: neutron::Network,
    pub(crate) dns: designate::Dns,
    pub(crate) wire: nameserver::Copies,
    pub(crate) orchestration: heat::Orchestration,
    epoch: Timestamp,
    started: Instant,
    queue: BTreeMap<(Duration, u64), Event>,
    sequence: u64,
    parked: Vec<Event>,
    generation: u64,
    rng: StdRng,
}

impl World {
    pub(crate) fn new(options: SimOptions, faults: Faults, base_url: String) -> Self {
        let seed = match options.latency {
            super::options::Latency::Realistic { seed } => options.seed ^ seed,
            _ => options.seed,
        };
        let mut world = Self {
            stages: options.latency.stages(),
            generation: faults.generation(),
            faults,
            base_url,
            requests: Requests::default(),
            now: Duration::ZERO,
            identity: keystone::Identity::default(),
            compute: nova::Compute::default(),
            network: neutron::Network::default(),
            dns: designate::Dns::default(),
            wire: nameserver::Copies::new(options.name_server_count),
            orchestration: heat::Orchestration::default(),
            epoch: Timestamp::now(),
            started: Instant::now(),
            queue: BTreeMap::new(),
            sequence: 0,
            parked: Vec::new(),
            rng: StdRng::seed_from_u64(seed),
            options,
        };
        keystone::seed(&mut world);
        neutron::seed(&mut world);
        world
    }

    /// Lets everything happen that is due by now.
    pub(crate) fn advance(&mut self) {
        let until = self.started.elapsed();
        let generation = self.faults.generation();
        if generation != self.generation {
            self.generation = generation;
            for event in std::mem::take(&mut self.parked) {
                self.schedule(Duration::ZERO, event);
            }
            designate::refresh_all(self);
        }
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > until {
                break;
            }
            self.now = self.now.max(entry.key().0);
            let event = entry.remove();
            self.happen(event);
        }
        self.now = self.now.max(until);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ServerBuilt(id) => nova::built(self, &id),
            Event::ServerGone(id) => nova::gone(self, &id),
            Event::SerialBatch(zone) => designate::serial_batch(self, &zone),
            Event::Transfer(server, zone) => designate::transfer(self, server, &zone),
            Event::Poll(zone, attempt) => designate::poll(self, &zone, attempt),
            Event::ZoneGone(zone) => designate::zone_gone(self, &zone),
            Event::StackStep(stack) => heat::step(self, &stack),
        }
    }

    pub(crate) fn schedule(&mut self, after: Duration, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), event);
    }

    /// Sets an event aside until a fault is cleared or injected.
    pub(crate) fn park(&mut self, event: Event) {
        self.parked.push(event);
    }

    /// A stage's duration with its jitter.
    pub(crate) fn jitter(&mut self, duration: Duration) -> Duration {
        let percent = self.stages.jitter_percent;
        if percent == 0 || duration.is_zero() {
            return duration;
        }
        duration * (100 + self.rng.random_range(0..=percent)) / 100
    }

    /// A new random id with dashes.
    pub(crate) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid().to_string()
    }

    /// A new random id as Keystone writes them.
    pub(crate) fn hex_id(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid().simple().to_string()
    }

    pub(crate) fn random_below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { self.rng.random_range(0..limit) }
    }

    /// The wall clock of the simulation.
    pub(crate) fn wall(&self) -> Timestamp {
        self.epoch.checked_add(self.now).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn unix_seconds(&self) -> u32 {
        u32::try_from(self.wall().as_second()).unwrap_or(u32::MAX)
    }

    /// `2026-08-01T12:00:00Z`, as Nova, Neutron and Heat write time.
    pub(crate) fn timestamp(&self) -> String {
        self.wall().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// `2026-08-01T12:00:00.000000`, as Designate and Keystone write time (Keystone adds a `Z`).
    pub(crate) fn timestamp_micros(&self) -> String {
        self.wall().strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()
    }

    /// A call of one service to another, with the rights of `caller`.
    ///
    /// It goes through the same code as a call from outside, so it meets the same rules and the same faults.
    pub(crate) fn internal(
        &mut self,
        caller: &Caller,
        service: Service,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<Value, Refusal> {
        self.internal_with(caller, service, method, path, body, &[])
    }

    /// As [`World::internal`], with headers.
    pub(crate) fn internal_with(
        &mut self,
        caller: &Caller,
        service: Service,
        method: Method,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Result<Value, Refusal> {
        let full = format!("/{}{path}", service.prefix());
        let target = Target { service: Some(service), method: Some(&method), path: Some(&full), name: None };
        if let Some(status) = self.faults.find(target, |fault| match fault {
            Fault::Answer(status) => Some(*status),
            _ => None,
        }) {
            return Err(injected(status));
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request_id = format!("req-{}", self.uuid());
        let call = Call {
            method,
            path: path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body,
            caller: caller.clone(),
            request_id,
            in_process: true,
        };
        self.dispatch(service, &call).map(Reply::into_value)
    }

    /// Whether a caller may only read.
    pub(crate) fn only_reads(&self, caller: &Caller) -> bool {
        !caller.may_write() && !self.faults.hit(&Fault::ReaderWrites, Target::default())
    }

    /// Hands a call to its service.
    pub(crate) fn dispatch(&mut self, service: Service, call: &Call) -> Result<Reply, Refusal> {
        match service {
            Service::Identity => keystone::handle(self, call),
            Service::Image => glance::handle(self, call),
            Service::Compute => nova::handle(self, call),
            Service::Network => neutron::handle(self, call),
            Service::Dns => designate::handle(self, call),
            Service::Orchestration => heat::handle(self, call),
        }
    }
}

/// The refusal that an injected status stands for.
pub(crate) fn injected(status: u16) -> Refusal {
    Refusal::new(status, "injectedFault", format!("simulated fault: status {status}"))
}
