//! How long DNS took to be true: each record set, and percentiles over many.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long one record set took to become true, in milliseconds since the change was accepted (`t0`).
///
/// A time is when the runner saw it first, so it is never early. It is late by at most one poll, unless it was true at
/// the first look: nobody looked before, so a time up to [`Self::first_look_ms`] is an upper bound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Propagation {
    /// Owner name of the record set.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub record_type: String,
    /// Whether it was published (`true`) or withdrawn (`false`).
    pub published: bool,
    /// `t1`: visible in the Designate API (or gone from it).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_ms: Option<u64>,
    /// `t2`: the first name server answers truthfully.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name_server_ms: Option<u64>,
    /// `t3`: every name server answers truthfully.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_name_servers_ms: Option<u64>,
    /// `t4`: Designate says ACTIVE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_ms: Option<u64>,
    /// When the first look was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_look_ms: Option<u64>,
    /// When each name server answered truthfully first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub name_servers_ms: BTreeMap<String, u64>,
}

impl Propagation {
    /// Whether a time of this record set only says "not later than".
    pub fn is_upper_bound(&self, ms: u64) -> bool {
        self.first_look_ms.is_some_and(|first| ms <= first)
    }
}

/// Percentiles of the times until DNS was true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PropagationSummary {
    /// Record sets that were published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<ChangePercentiles>,
    /// Record sets that were withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<ChangePercentiles>,
}

/// Percentiles of one kind of change: until every name server answered truthfully, and until each one did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ChangePercentiles {
    /// Until the last name server did.
    #[serde(flatten)]
    pub all: Percentiles,
    /// Until this name server did.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub name_servers: BTreeMap<String, Percentiles>,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u32,
    /// Median.
    pub p50_ms: u64,
    /// 95th percentile (nearest rank).
    pub p95_ms: u64,
    /// The longest.
    pub max_ms: u64,
}

/// The most name servers that are told of one by one.
const MAX_SERVERS: usize = 16;

impl PropagationSummary {
    /// Over everything that was measured; [`None`] when nothing was.
    pub fn of<'a>(measured: impl IntoIterator<Item = &'a Propagation>) -> Option<Self> {
        let (published, withdrawn): (Vec<_>, Vec<_>) = measured.into_iter().partition(|one| one.published);
        let summary = Self {
            published: ChangePercentiles::of(&published),
            withdrawn: ChangePercentiles::of(&withdrawn),
        };
        (summary != Self::default()).then_some(summary)
    }
}

impl ChangePercentiles {
    fn of(measured: &[&Propagation]) -> Option<Self> {
        let all = Percentiles::of(measured.iter().filter_map(|one| one.all_name_servers_ms).collect())?;
        let mut servers: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (server, ms) in measured.iter().flat_map(|one| &one.name_servers_ms) {
            servers.entry(server).or_default().push(*ms);
        }
        let name_servers = servers
            .into_iter()
            .take(MAX_SERVERS)
            .filter_map(|(server, times)| Some((server.to_owned(), Percentiles::of(times)?)))
            .collect();
        Some(Self { all, name_servers })
    }
}

impl Percentiles {
    /// Nearest-rank percentiles; [`None`] of nothing.
    pub fn of(mut times: Vec<u64>) -> Option<Self> {
        times.sort_unstable();
        let rank = |percent: usize| {
            let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(index).copied()
        };
        Some(Self {
            count: u32::try_from(times.len()).unwrap_or(u32::MAX),
            p50_ms: rank(50)?,
            p95_ms: rank(95)?,
            max_ms: times.last().copied()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(published: bool, servers: &[(&str, u64)]) -> Propagation {
        Propagation {
            published,
            all_name_servers_ms: servers.iter().map(|(_, ms)| *ms).max(),
            name_servers_ms: servers.iter().map(|(name, ms)| ((*name).to_owned(), *ms)).collect(),
            ..Propagation::default()
        }
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let percentiles = Percentiles::of((1..=100).collect()).unwrap();
        assert_eq!((percentiles.p50_ms, percentiles.p95_ms, percentiles.max_ms), (50, 95, 100));
        assert_eq!(Percentiles::of(Vec::new()), None);
    }

    #[test]
    fn each_kind_of_change_and_each_name_server_has_its_own() {
        let measured = [
            took(true, &[("ns1", 10), ("ns2", 30)]),
            took(true, &[("ns1", 20), ("ns2", 20)]),
            took(false, &[("ns1", 5), ("ns2", 7)]),
            // Never true at every name server: no time until all of them were.
            Propagation { all_name_servers_ms: None, ..took(false, &[("ns1", 9)]) },
        ];
        let summary = PropagationSummary::of(&measured).unwrap();
        let published = summary.published.unwrap();
        assert_eq!((published.all.count, published.all.p50_ms, published.all.max_ms), (2, 20, 30));
        assert_eq!((published.name_servers["ns1"].max_ms, published.name_servers["ns2"].p50_ms), (20, 20));
        let withdrawn = summary.withdrawn.unwrap();
        assert_eq!((withdrawn.all.count, withdrawn.name_servers["ns1"].count), (1, 2));
        assert_eq!(PropagationSummary::of(&[]), None);
    }
}
