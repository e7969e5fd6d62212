//! The authoritative name servers: each with its own copies of the zones.

mod answer;
mod sockets;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

pub(super) use answer::{Transport, answer};
pub(super) use sockets::{bind, serve};

/// The records of one name and type.
#[derive(Clone, Debug)]
pub(super) struct RecordData {
    pub(super) kind: String,
    pub(super) ttl: u32,
    pub(super) records: Vec<String>,
}

/// A zone as one server has it.
#[derive(Clone, Debug)]
pub(super) struct ZoneCopy {
    origin: String,
    serial: u32,
    names: BTreeMap<String, Vec<RecordData>>,
}

impl ZoneCopy {
    pub(super) fn new(origin: &str, serial: u32) -> Self {
        Self { origin: origin.to_owned(), serial, names: BTreeMap::new() }
    }

    /// Adds the records unless the name has some of that type already.
    pub(super) fn insert(&mut self, name: &str, data: RecordData) {
        let sets = self.names.entry(name.to_owned()).or_default();
        if !sets.iter().any(|set| set.kind == data.kind) {
            sets.push(data);
        }
    }

    /// What the zone holds under a name and type.
    pub(super) fn find(&self, name: &str, kind: &str) -> Option<&RecordData> {
        self.names.get(name)?.iter().find(|data| data.kind == kind)
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&str, &RecordData) -> bool) {
        for (name, sets) in &mut self.names {
            sets.retain(|set| keep(name, set));
        }
        self.names.retain(|_, sets| !sets.is_empty());
    }
}

/// What every server has.
#[derive(Debug)]
pub(super) struct Copies {
    servers: Vec<HashMap<String, Arc<ZoneCopy>>>,
}

impl Copies {
    pub(super) fn new(count: usize) -> Self {
        Self { servers: vec![HashMap::new(); count.max(1)] }
    }

    pub(super) fn count(&self) -> usize {
        self.servers.len()
    }

    pub(super) fn take(&mut self, server: usize, copy: Arc<ZoneCopy>) {
        if let Some(zones) = self.servers.get_mut(server) {
            zones.insert(copy.origin.clone(), copy);
        }
    }

    pub(super) fn serial(&self, server: usize, zone: &str) -> Option<u32> {
        self.servers.get(server)?.get(zone).map(|copy| copy.serial)
    }

    pub(super) fn drop_zone(&mut self, server: usize, zone: &str) {
        if let Some(zones) = self.servers.get_mut(server) {
            zones.remove(zone);
        }
    }

    pub(super) fn keep_only(&mut self, server: usize, names: &[String]) {
        if let Some(zones) = self.servers.get_mut(server) {
            zones.retain(|name, _| names.contains(name));
        }
    }

    /// The zone that a server answers a name from: the longest that contains it.
    fn zone_of(&self, server: usize, name: &str) -> Option<Arc<ZoneCopy>> {
        let zones = self.servers.get(server)?;
        let mut suffix = name;
        loop {
            if let Some(copy) = zones.get(suffix) {
                return Some(Arc::clone(copy));
            }
            suffix = suffix.split_once('.').map(|(_, rest)| rest).filter(|rest| !rest.is_empty())?;
        }
    }
}
