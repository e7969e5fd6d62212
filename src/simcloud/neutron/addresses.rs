//! Addresses: ranges as numbers, and which of them are taken.

use std::{
    collections::{BTreeSet, HashMap},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use serde_json::Value;

use super::{Refusal, text};

/// A subnet's range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) v6: bool,
    pub(super) first: u128,
    pub(super) last: u128,
    pub(super) prefix: u32,
}

pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

pub(super) fn address(number: u128, v6: bool) -> IpAddr {
    if v6 {
        IpAddr::V6(Ipv6Addr::from_bits(number))
    } else {
        IpAddr::V4(Ipv4Addr::from_bits(
            u32::try_from(number).unwrap_or(u32::MAX),
        ))
    }
}

impl Range {
    pub(super) fn parse(cidr: &str) -> Option<Self> {
        let (base, prefix) = cidr.split_once('/')?;
        let base: IpAddr = base.parse().ok()?;
        let prefix: u32 = prefix.parse().ok()?;
        let width: u32 = if base.is_ipv6() { 128 } else { 32 };
        let host_bits = width.checked_sub(prefix)?;
        let size = 1_u128
            .checked_shl(host_bits)
            .map_or(u128::MAX, |size| size - 1);
        let first = number(base) & !size;
        Some(Self {
            v6: base.is_ipv6(),
            first,
            last: first | size,
            prefix,
        })
    }

    pub(super) fn contains(&self, other: IpAddr) -> bool {
        other.is_ipv6() == self.v6 && (self.first..=self.last).contains(&number(other))
    }

    pub(super) fn cidr(&self) -> String {
        format!("{}/{}", address(self.first, self.v6), self.prefix)
    }
}

/// The addresses that are taken, by subnet.
#[derive(Debug, Default)]
pub(super) struct Allocations {
    taken: HashMap<String, BTreeSet<u128>>,
    /// Where the search goes on: an address just given back is not given out at once again.
    next: HashMap<String, u128>,
}

impl Allocations {
    /// Takes one address.
    pub(super) fn take(&mut self, subnet_id: &str, wanted: IpAddr) -> Result<(), Refusal> {
        if self
            .taken
            .entry(subnet_id.to_owned())
            .or_default()
            .insert(number(wanted))
        {
            return Ok(());
        }
        let message = format!("IP address {wanted} already allocated in subnet {subnet_id}");
        Err(Refusal::new(409, "IpAddressAlreadyAllocated", message))
    }

    /// Takes the next free address of a subnet's pools.
    pub(super) fn take_any(&mut self, subnet: &Value) -> Option<IpAddr> {
        let id = text(subnet, "id");
        let range = Range::parse(text(subnet, "cidr"))?;
        let taken = self.taken.entry(id.to_owned()).or_default();
        let from = self.next.get(id).copied().unwrap_or_default();
        let pools: Vec<(u128, u128)> = subnet["allocation_pools"]
            .as_array()?
            .iter()
            .filter_map(|pool| {
                let edge = |name| text(pool, name).parse().ok().map(number);
                Some((edge("start")?, edge("end")?))
            })
            .collect();
        let free = |low: u128| {
            pools
                .iter()
                .flat_map(|(start, end)| (*start).max(low)..=*end)
                .find(|candidate| !taken.contains(candidate))
        };
        let found = free(from).or_else(|| free(0))?;
        taken.insert(found);
        self.next.insert(id.to_owned(), found + 1);
        Some(address(found, range.v6))
    }

    /// Gives an address back.
    pub(super) fn give_back(&mut self, subnet_id: &str, address: &str) {
        if let (Some(taken), Ok(address)) = (self.taken.get_mut(subnet_id), address.parse()) {
            taken.remove(&number(address));
        }
    }

    pub(super) fn forget(&mut self, subnet_id: &str) {
        self.taken.remove(subnet_id);
        self.next.remove(subnet_id);
    }
}
