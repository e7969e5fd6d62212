//! What Neutron gives; only the members that are used.

use serde::Deserialize;

use crate::openstack::lenient::{count, null_default};

/// A network.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Network {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "null_default")]
    pub name: String,
    /// `ACTIVE`, …
    #[serde(default, deserialize_with = "null_default")]
    pub status: String,
    /// The project that it belongs to.
    #[serde(default, deserialize_with = "null_default")]
    pub project_id: String,
    /// The domain of its ports' names, with a dot at the end, or empty.
    #[serde(default, deserialize_with = "null_default")]
    pub dns_domain: String,
    /// Whether floating IPs come from it.
    #[serde(default, rename = "router:external", deserialize_with = "null_default")]
    pub external: bool,
    /// Whether every project may use it.
    #[serde(default, deserialize_with = "null_default")]
    pub shared: bool,
    /// The ids of its subnets.
    #[serde(default, deserialize_with = "null_default")]
    pub subnets: Vec<String>,
    /// `flat`, `vlan`, `vxlan`, …; administrators only.
    #[serde(default, rename = "provider:network_type")]
    pub provider_network_type: Option<String>,
    /// Administrators only.
    #[serde(default, rename = "provider:physical_network")]
    pub provider_physical_network: Option<String>,
    /// Administrators only.
    #[serde(default, rename = "provider:segmentation_id")]
    pub provider_segmentation_id: Option<u64>,
    /// Free text.
    #[serde(default, deserialize_with = "null_default")]
    pub description: String,
    /// Its tags.
    #[serde(default, deserialize_with = "null_default")]
    pub tags: Vec<String>,
    /// Grows with every change.
    #[serde(default, deserialize_with = "null_default")]
    pub revision_number: u64,
}

/// A subnet.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Subnet {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "null_default")]
    pub name: String,
    /// Its network.
    #[serde(default)]
    pub network_id: String,
    /// Its range.
    #[serde(default)]
    pub cidr: String,
    /// 4 or 6.
    #[serde(default)]
    pub ip_version: u8,
    /// The gateway's address.
    #[serde(default)]
    pub gateway_ip: Option<String>,
    /// Whether DHCP is on.
    #[serde(default, deserialize_with = "null_default")]
    pub enable_dhcp: bool,
    /// Whether its addresses are published.
    #[serde(default, deserialize_with = "null_default")]
    pub dns_publish_fixed_ip: bool,
    /// The name servers that guests are told.
    #[serde(default, deserialize_with = "null_default")]
    pub dns_nameservers: Vec<String>,
}

/// A router.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Router {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "null_default")]
    pub name: String,
    /// `ACTIVE`, …
    #[serde(default, deserialize_with = "null_default")]
    pub status: String,
    /// Its way out.
    #[serde(default)]
    pub external_gateway_info: Option<RouterGateway>,
    /// Free text.
    #[serde(default, deserialize_with = "null_default")]
    pub description: String,
    /// Its tags.
    #[serde(default, deserialize_with = "null_default")]
    pub tags: Vec<String>,
}

/// A router's way out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct RouterGateway {
    /// The external network.
    pub network_id: String,
    /// Its addresses there.
    #[serde(deserialize_with = "null_default")]
    pub external_fixed_ips: Vec<FixedIp>,
}

/// An address on a subnet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FixedIp {
    /// The subnet.
    #[serde(deserialize_with = "null_default")]
    pub subnet_id: String,
    /// The address.
    #[serde(deserialize_with = "null_default")]
    pub ip_address: String,
}

/// What Neutron calls an address inside the cloud.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct DnsAssignment {
    /// The address.
    #[serde(deserialize_with = "null_default")]
    pub ip_address: String,
    /// The host's name.
    #[serde(deserialize_with = "null_default")]
    pub hostname: String,
    /// The whole name, with a dot at the end.
    #[serde(deserialize_with = "null_default")]
    pub fqdn: String,
}

/// A port.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Port {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "null_default")]
    pub name: String,
    /// Its network.
    #[serde(default)]
    pub network_id: String,
    /// The project that it belongs to.
    #[serde(default, deserialize_with = "null_default")]
    pub project_id: String,
    /// `DOWN`, `ACTIVE`, …
    #[serde(default, deserialize_with = "null_default")]
    pub status: String,
    /// Who uses it: `compute:nova`, `network:dhcp`, …
    #[serde(default, deserialize_with = "null_default")]
    pub device_owner: String,
    /// The id of who uses it.
    #[serde(default, deserialize_with = "null_default")]
    pub device_id: String,
    /// Its addresses.
    #[serde(default, deserialize_with = "null_default")]
    pub fixed_ips: Vec<FixedIp>,
    /// Its name in DNS, or empty.
    #[serde(default, deserialize_with = "null_default")]
    pub dns_name: String,
    /// Its own domain, or empty.
    #[serde(default, deserialize_with = "null_default")]
    pub dns_domain: String,
    /// Its names inside the cloud, one an address.
    #[serde(default, deserialize_with = "null_default")]
    pub dns_assignment: Vec<DnsAssignment>,
    /// Free text.
    #[serde(default, deserialize_with = "null_default")]
    pub description: String,
    /// Its tags.
    #[serde(default, deserialize_with = "null_default")]
    pub tags: Vec<String>,
    /// Grows with every change.
    #[serde(default, deserialize_with = "null_default")]
    pub revision_number: u64,
}

/// A floating IP.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct FloatingIp {
    /// The id.
    pub id: String,
    /// The address.
    #[serde(default, rename = "floating_ip_address", deserialize_with = "null_default")]
    pub address: String,
    /// The network that it comes from.
    #[serde(default)]
    pub floating_network_id: String,
    /// The project that it belongs to.
    #[serde(default, deserialize_with = "null_default")]
    pub project_id: String,
    /// The port that it is on.
    #[serde(default)]
    pub port_id: Option<String>,
    /// The port's address.
    #[serde(default)]
    pub fixed_ip_address: Option<String>,
    /// The router in between.
    #[serde(default)]
    pub router_id: Option<String>,
    /// `ACTIVE`, `DOWN`, `ERROR`.
    #[serde(default, deserialize_with = "null_default")]
    pub status: String,
    /// Its own name, or empty.
    #[serde(default, deserialize_with = "null_default")]
    pub dns_name: String,
    /// Its own domain, or empty.
    #[serde(default, deserialize_with = "null_default")]
    pub dns_domain: String,
    /// Free text; where this program says what is its own.
    #[serde(default, deserialize_with = "null_default")]
    pub description: String,
    /// Its tags.
    #[serde(default, deserialize_with = "null_default")]
    pub tags: Vec<String>,
}

/// How many addresses a network has and uses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct IpAvailability {
    /// The network.
    pub network_id: String,
    /// All addresses; the largest number for IPv6.
    #[serde(deserialize_with = "count")]
    pub total_ips: u64,
    /// The used ones.
    #[serde(deserialize_with = "count")]
    pub used_ips: u64,
    /// The same a subnet.
    #[serde(rename = "subnet_ip_availability", deserialize_with = "null_default")]
    pub subnets: Vec<SubnetAvailability>,
}

/// How many addresses a subnet has and uses.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SubnetAvailability {
    /// The subnet.
    pub subnet_id: String,
    /// 4 or 6.
    pub ip_version: u8,
    /// All addresses.
    #[serde(deserialize_with = "count")]
    pub total_ips: u64,
    /// The used ones.
    #[serde(deserialize_with = "count")]
    pub used_ips: u64,
}

/// What a project may have of something, and has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct QuotaUse {
    /// How many at most; -1 for no limit.
    pub limit: i64,
    /// How many there are.
    pub used: i64,
    /// How many are being made.
    pub reserved: i64,
}

impl QuotaUse {
    /// How many more there may be; `None` for no limit.
    pub fn room(&self) -> Option<u64> {
        (self.limit >= 0).then(|| u64::try_from(self.limit - self.used - self.reserved).unwrap_or(0))
    }
}
