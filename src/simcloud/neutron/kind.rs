//! The kinds of resources: their names, what may be written, how each is missed.

use serde_json::{Map, Value};

use super::{Refusal, bad_request};

/// The kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Network,
    Subnet,
    Port,
    Router,
    FloatingIp,
    SecurityGroup,
    SecurityGroupRule,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::Network,
        Self::Subnet,
        Self::Port,
        Self::Router,
        Self::FloatingIp,
        Self::SecurityGroup,
        Self::SecurityGroupRule,
    ];

    pub(super) fn singular(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Subnet => "subnet",
            Self::Port => "port",
            Self::Router => "router",
            Self::FloatingIp => "floatingip",
            Self::SecurityGroup => "security_group",
            Self::SecurityGroupRule => "security_group_rule",
        }
    }

    pub(super) fn collection(self) -> String {
        format!("{}s", self.singular())
    }

    pub(super) fn by_collection(collection: &str) -> Option<Self> {
        let singular = collection.strip_suffix('s')?.replace('-', "_");
        Self::ALL.into_iter().find(|kind| kind.singular() == singular)
    }

    pub(super) fn not_found(self, id: &str) -> Refusal {
        let (kind, message) = match self {
            Self::Network => ("NetworkNotFound", format!("Network {id} could not be found.")),
            Self::Subnet => ("SubnetNotFound", format!("Subnet {id} could not be found.")),
            Self::Port => ("PortNotFound", format!("Port {id} could not be found.")),
            Self::Router => ("RouterNotFound", format!("Router {id} could not be found")),
            Self::FloatingIp => ("FloatingIPNotFound", format!("Floating IP {id} could not be found")),
            Self::SecurityGroup => ("SecurityGroupNotFound", format!("Security group {id} does not exist")),
            Self::SecurityGroupRule => {
                ("SecurityGroupRuleNotFound", format!("Security group rule {id} does not exist"))
            }
        };
        Refusal::new(404, kind, message)
    }

    /// What a client may write, besides name, description, project and tags.
    pub(super) fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Network => &[
                "admin_state_up",
                "shared",
                "router:external",
                "provider:network_type",
                "provider:physical_network",
                "provider:segmentation_id",
                "segments",
                "mtu",
                "dns_domain",
                "port_security_enabled",
                "is_default",
                "availability_zone_hints",
            ],
            Self::Subnet => &[
                "network_id",
                "ip_version",
                "cidr",
                "gateway_ip",
                "allocation_pools",
                "enable_dhcp",
                "dns_nameservers",
                "host_routes",
                "ipv6_ra_mode",
                "ipv6_address_mode",
                "dns_publish_fixed_ip",
                "subnetpool_id",
                "prefixlen",
            ],
            Self::Port => &[
                "network_id",
                "admin_state_up",
                "mac_address",
                "fixed_ips",
                "device_id",
                "device_owner",
                "security_groups",
                "allowed_address_pairs",
                "extra_dhcp_opts",
                "dns_name",
                "dns_domain",
                "binding:vnic_type",
                "binding:profile",
                "binding:host_id",
                "port_security_enabled",
            ],
            Self::Router => &[
                "admin_state_up",
                "external_gateway_info",
                "distributed",
                "ha",
                "routes",
                "availability_zone_hints",
            ],
            Self::FloatingIp => &[
                "floating_network_id",
                "floating_ip_address",
                "port_id",
                "fixed_ip_address",
                "subnet_id",
                "dns_name",
                "dns_domain",
                "qos_policy_id",
            ],
            Self::SecurityGroup => &["stateful"],
            Self::SecurityGroupRule => &[
                "security_group_id",
                "direction",
                "ethertype",
                "protocol",
                "port_range_min",
                "port_range_max",
                "remote_ip_prefix",
                "remote_group_id",
                "remote_address_group_id",
            ],
        }
    }

    /// Refuses a wish without what it cannot do without.
    pub(super) fn check_required(self, wanted: &Value) -> Result<(), Refusal> {
        let required: &[&str] = match self {
            Self::Subnet | Self::Port => &["network_id"],
            Self::FloatingIp => &["floating_network_id"],
            Self::SecurityGroupRule => &["security_group_id"],
            Self::Network | Self::Router | Self::SecurityGroup => &[],
        };
        match required.iter().find(|name| wanted.get(**name).is_none()) {
            Some(name) => Err(bad_request(format!(
                "Failed to parse request. Required attribute '{name}' not specified"
            ))),
            None => Ok(()),
        }
    }

    /// Refuses attributes that Neutron does not know.
    pub(super) fn check_attributes(self, wanted: &Value) -> Result<(), Refusal> {
        let common = ["name", "description", "project_id", "tenant_id", "tags"];
        for name in wanted.as_object().into_iter().flat_map(Map::keys) {
            if !common.contains(&name.as_str()) && !self.attributes().contains(&name.as_str()) {
                return Err(bad_request(format!("Unrecognized attribute(s) '{name}'")));
            }
        }
        Ok(())
    }
}
