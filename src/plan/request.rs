//! What a run wants of a cloud, before anything is known of it.

use std::collections::BTreeMap;

use crate::outcome::Role;

/// Which credentials act, and what of the cloud may be used; what is [`None`] is discovered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudRequest {
    /// Entries of clouds.yaml by role; the primary is always there.
    pub entries: BTreeMap<Role, String>,
    /// Region instead of the entry's.
    pub region: Option<String>,
    /// Interface of the catalogue instead of the entry's.
    pub interface: Option<String>,
    /// Everything made in DNS lies under this domain; with its final dot.
    pub zone_suffix: String,
    /// Image by name or id.
    pub image: Option<String>,
    /// Flavor by name or id.
    pub flavor: Option<String>,
    /// External network by name or id.
    pub floating_network: Option<String>,
    /// Published network by name or id.
    pub published_network: Option<String>,
    /// Authoritative name servers as written.
    pub nameservers: Vec<String>,
}
