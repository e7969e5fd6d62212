//! The resource types and their properties, as Heat shows them in `GET /resource_types/TYPE`.

use super::property::{Property, any, boolean, integer, list, map, text};

/// A resource type.
#[derive(Debug)]
pub(in crate::simcloud::heat) struct Schema {
    pub(in crate::simcloud::heat) kind: &'static str,
    pub(in crate::simcloud::heat) properties: &'static [Property],
}

impl Schema {
    pub(in crate::simcloud::heat) fn of(kind: &str) -> Option<&'static Self> {
        SCHEMAS.iter().find(|schema| schema.kind == kind)
    }

    /// A property by its name.
    pub(super) fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The properties that Heat shows.
    pub(in crate::simcloud::heat) fn shown(&self) -> impl Iterator<Item = &'static Property> {
        self.properties.iter().filter(|property| !property.hidden)
    }
}

/// All types that can be made.
pub(in crate::simcloud::heat) const SCHEMAS: [Schema; 17] = [
    Schema {
        kind: "OS::Designate::Zone",
        properties: &[
            text("name").required().length(None, Some(255)),
            integer("ttl").updatable().range(Some(1), Some(2_147_483_647)),
            text("description").updatable().length(None, Some(160)),
            text("email").updatable(),
            text("type").one_of(&["PRIMARY", "SECONDARY"]),
            list("masters").updatable(),
            list("primaries").updatable(),
            map("attributes"),
        ],
    },
    Schema {
        kind: "OS::Designate::RecordSet",
        properties: &[
            text("name").length(None, Some(255)),
            integer("ttl").updatable().range(Some(1), Some(2_147_483_647)),
            text("description").updatable().length(None, Some(160)),
            text("type").required().one_of(&[
                "A", "AAAA", "CNAME", "MX", "SRV", "TXT", "SPF", "NS", "PTR", "SSHFP", "SOA", "CAA", "CERT",
                "NAPTR",
            ]),
            list("records").required().updatable(),
            text("zone").required().custom("designate.zone"),
        ],
    },
    Schema {
        kind: "OS::Neutron::Net",
        properties: &[
            text("name").updatable(),
            map("value_specs").updatable(),
            boolean("admin_state_up").updatable(),
            text("tenant_id"),
            boolean("shared").updatable(),
            list("dhcp_agent_ids").updatable(),
            boolean("port_security_enabled").updatable(),
            text("qos_policy").updatable().custom("neutron.qos_policy"),
            text("dns_domain").updatable().custom("dns_domain"),
            list("availability_zone_hints"),
            list("tags").updatable(),
        ],
    },
    Schema {
        kind: "OS::Neutron::ProviderNet",
        properties: &[
            text("name").updatable(),
            text("network_type")
                .required()
                .updatable()
                .one_of(&["local", "vlan", "vxlan", "gre", "geneve", "flat"]),
            text("physical_network").updatable(),
            text("segmentation_id").updatable(),
            boolean("admin_state_up").updatable(),
            boolean("shared").updatable(),
            boolean("port_security_enabled").updatable(),
            boolean("router_external").updatable(),
            list("tags").updatable(),
            text("dns_domain").updatable().custom("dns_domain"),
            list("availability_zone_hints").updatable(),
            text("tenant_id"),
        ],
    },
    Schema {
        kind: "OS::Neutron::Subnet",
        properties: &[
            text("network").required().custom("neutron.network"),
            text("subnetpool").custom("neutron.subnetpool"),
            integer("prefixlen").range(Some(0), None),
            text("cidr").custom("net_cidr"),
            map("value_specs").updatable(),
            text("name").updatable(),
            integer("ip_version").one_of_numbers(&[4, 6]),
            list("dns_nameservers").updatable(),
            text("gateway_ip").updatable(),
            boolean("enable_dhcp").updatable(),
            list("allocation_pools")
                .updatable()
                .of(&[text("start").required().custom("ip_addr"), text("end").required().custom("ip_addr")]),
            text("tenant_id"),
            list("host_routes").updatable().of(&[
                text("destination").required().custom("net_cidr"),
                text("nexthop").required().custom("ip_addr"),
            ]),
            text("ipv6_ra_mode").one_of(&["dhcpv6-stateful", "dhcpv6-stateless", "slaac"]),
            text("ipv6_address_mode").one_of(&["dhcpv6-stateful", "dhcpv6-stateless", "slaac"]),
            text("segment").updatable().custom("neutron.segment"),
            list("tags").updatable(),
            text("network_id").hidden(),
        ],
    },
    Schema {
        kind: "OS::Neutron::Router",
        properties: &[
            text("name").updatable(),
            map("external_gateway_info").updatable().of(&[
                text("network").required(),
                boolean("enable_snat"),
                list("external_fixed_ips"),
            ]),
            map("value_specs").updatable(),
            boolean("admin_state_up").updatable(),
            list("l3_agent_ids").updatable(),
            boolean("distributed"),
            boolean("ha"),
            list("availability_zone_hints").updatable(),
            list("tags").updatable(),
            text("tenant_id"),
        ],
    },
    Schema {
        kind: "OS::Neutron::RouterInterface",
        properties: &[
            text("router").required().custom("neutron.router"),
            text("subnet").custom("neutron.subnet"),
            text("port").custom("neutron.port"),
            text("router_id").hidden(),
            text("subnet_id").hidden(),
            text("port_id").hidden(),
        ],
    },
    Schema {
        kind: "OS::Neutron::Port",
        properties: &[
            text("name").updatable(),
            text("network").required().custom("neutron.network"),
            text("device_id").updatable(),
            text("device_owner").updatable(),
            list("fixed_ips").updatable().of(&[
                text("subnet_id").custom("neutron.subnet"),
                text("subnet").custom("neutron.subnet"),
                text("ip_address").custom("ip_addr"),
            ]),
            list("security_groups").updatable(),
            text("dns_name").updatable().custom("dns_name"),
            list("tags").updatable(),
            map("value_specs").updatable(),
            boolean("admin_state_up").updatable(),
            text("mac_address").custom("mac_addr"),
            list("allowed_address_pairs").updatable(),
            text("binding:vnic_type").updatable().one_of(&[
                "normal",
                "direct",
                "macvtap",
                "direct-physical",
                "baremetal",
                "virtio-forwarder",
                "smart-nic",
            ]),
            boolean("port_security_enabled").updatable(),
            text("qos_policy").updatable().custom("neutron.qos_policy"),
            boolean("propagate_uplink_status").updatable(),
            boolean("no_fixed_ips").updatable(),
            text("network_id").hidden(),
        ],
    },
    Schema {
        kind: "OS::Neutron::FloatingIP",
        properties: &[
            text("floating_network").required().custom("neutron.network"),
            text("floating_subnet").custom("neutron.subnet"),
            map("value_specs"),
            text("port_id").updatable().custom("neutron.port"),
            text("fixed_ip_address").updatable().custom("ip_addr"),
            text("floating_ip_address").custom("ip_addr"),
            text("dns_name").updatable().custom("rel_dns_name"),
            text("dns_domain").updatable().custom("dns_domain"),
            text("floating_network_id").hidden(),
        ],
    },
    Schema {
        kind: "OS::Neutron::FloatingIPAssociation",
        properties: &[
            text("floatingip_id").required().updatable().replaced(),
            text("port_id").required().updatable().replaced().custom("neutron.port"),
            text("fixed_ip_address").updatable().replaced().custom("ip_addr"),
        ],
    },
    Schema {
        kind: "OS::Neutron::SecurityGroup",
        properties: &[
            text("name").updatable(),
            text("description").updatable(),
            list("rules").updatable().of(&[
                text("direction").one_of(&["ingress", "egress"]),
                text("ethertype").one_of(&["IPv4", "IPv6"]),
                integer("port_range_min").range(Some(0), Some(65535)),
                integer("port_range_max").range(Some(0), Some(65535)),
                text("protocol"),
                text("remote_mode").one_of(&["remote_ip_prefix", "remote_group_id"]),
                text("remote_group_id").custom("neutron.security_group"),
                text("remote_ip_prefix").custom("net_cidr"),
                text("description"),
            ]),
            boolean("stateful").updatable(),
        ],
    },
    Schema {
        kind: "OS::Nova::Server",
        properties: &[
            text("name").updatable(),
            text("image").updatable().replaced().custom("glance.image"),
            list("block_device_mapping"),
            list("block_device_mapping_v2"),
            text("flavor").required().updatable().replaced().custom("nova.flavor"),
            text("flavor_update_policy").updatable().replaced().one_of(&["RESIZE", "REPLACE"]),
            text("image_update_policy").updatable().replaced().one_of(&[
                "REBUILD",
                "REPLACE",
                "REBUILD_PRESERVE_EPHEMERAL",
            ]),
            text("key_name").custom("nova.keypair"),
            text("availability_zone"),
            list("security_groups"),
            list("networks").updatable().replaced().of(&[
                text("uuid").custom("neutron.network"),
                text("network").custom("neutron.network"),
                text("allocate_network").one_of(&["none", "auto"]),
                text("fixed_ip").custom("ip_addr"),
                text("port").custom("neutron.port"),
                map("port_extra_properties"),
                text("subnet"),
                text("floating_ip"),
                text("tag"),
            ]),
            map("scheduler_hints"),
            map("metadata").updatable(),
            text("user_data_format").one_of(&["HEAT_CFNTOOLS", "RAW", "SOFTWARE_CONFIG"]),
            text("software_config_transport").updatable().replaced().one_of(&[
                "POLL_SERVER_CFN",
                "POLL_SERVER_HEAT",
                "POLL_TEMP_URL",
                "ZAQAR_MESSAGE",
            ]),
            text("user_data_update_policy").updatable().replaced().one_of(&["REPLACE", "IGNORE", "REBUILD"]),
            text("user_data").updatable().replaced(),
            text("reservation_id"),
            boolean("config_drive"),
            text("diskConfig").one_of(&["AUTO", "MANUAL"]),
            map("personality"),
            text("admin_pass").updatable().replaced(),
            list("tags").updatable().replaced(),
            map("deployment_swift_data").updatable().replaced(),
        ],
    },
    Schema {
        kind: "OS::Nova::KeyPair",
        properties: &[
            text("name").required().length(Some(1), Some(255)),
            boolean("save_private_key"),
            text("public_key"),
            text("type").one_of(&["ssh", "x509"]),
            text("user").custom("keystone.user"),
        ],
    },
    Schema {
        kind: "OS::Heat::RandomString",
        properties: &[
            integer("length").range(Some(1), Some(512)),
            list("character_classes"),
            list("character_sequences"),
            text("salt"),
        ],
    },
    Schema {
        kind: "OS::Heat::Value",
        properties: &[
            any("value").required().updatable().replaced(),
            text("type").updatable().replaced().one_of(&[
                "string",
                "number",
                "comma_delimited_list",
                "json",
                "boolean",
            ]),
        ],
    },
    Schema {
        kind: "OS::Heat::ResourceGroup",
        properties: &[
            integer("count").updatable().range(Some(0), None),
            text("index_var").length(Some(3), None),
            map("resource_def").required().updatable(),
            list("removal_policies").updatable(),
            text("removal_policies_mode").updatable().one_of(&["append", "update"]),
        ],
    },
    Schema { kind: "OS::Heat::None", properties: &[] },
];
