//! What each resource type takes, and the checks that need nothing but the template.

use serde_json::{Map, Value};

use super::lookup;
use crate::simcloud::{
    heat::{invalid, template::Definition},
    wire::{Caller, Refusal},
    world::World,
};

/// A resource type.
#[derive(Debug)]
pub(in crate::simcloud::heat) struct Schema {
    pub(in crate::simcloud::heat) kind: &'static str,
    pub(in crate::simcloud::heat) required: &'static [&'static str],
    /// Properties that change in place.
    pub(in crate::simcloud::heat) updatable: &'static [&'static str],
    /// Properties that need a new resource.
    replacing: &'static [&'static str],
    /// Properties with a constraint that is checked before anything is made.
    constraints: &'static [(&'static str, &'static str)],
}

/// All types that can be made.
pub(in crate::simcloud::heat) const SCHEMAS: [Schema; 17] = [
    Schema {
        kind: "OS::Designate::Zone",
        required: &["name"],
        updatable: &["ttl", "email", "description", "primaries"],
        replacing: &["name", "type", "attributes"],
        constraints: &[],
    },
    Schema {
        kind: "OS::Designate::RecordSet",
        required: &["zone", "type", "records"],
        updatable: &["ttl", "records", "description"],
        replacing: &["name", "type", "zone"],
        constraints: &[("zone", "designate.zone")],
    },
    Schema {
        kind: "OS::Neutron::Net",
        required: &[],
        updatable: &[
            "name",
            "admin_state_up",
            "shared",
            "dns_domain",
            "tags",
            "port_security_enabled",
            "value_specs",
        ],
        replacing: &["tenant_id", "dhcp_agent_ids", "qos_policy", "availability_zone_hints"],
        constraints: &[("dns_domain", "dns_domain")],
    },
    Schema {
        kind: "OS::Neutron::ProviderNet",
        required: &["network_type"],
        updatable: &[
            "name",
            "admin_state_up",
            "shared",
            "dns_domain",
            "tags",
            "port_security_enabled",
            "router_external",
            "value_specs",
        ],
        replacing: &["network_type", "physical_network", "segmentation_id"],
        constraints: &[("dns_domain", "dns_domain")],
    },
    Schema {
        kind: "OS::Neutron::Subnet",
        required: &[],
        updatable: &[
            "name",
            "gateway_ip",
            "enable_dhcp",
            "dns_nameservers",
            "allocation_pools",
            "host_routes",
            "tags",
            "value_specs",
        ],
        replacing: &[
            "network",
            "network_id",
            "cidr",
            "ip_version",
            "ipv6_ra_mode",
            "ipv6_address_mode",
            "tenant_id",
            "subnetpool",
            "prefixlen",
        ],
        constraints: &[("cidr", "net_cidr"), ("network", "neutron.network")],
    },
    Schema {
        kind: "OS::Neutron::Router",
        required: &[],
        updatable: &["name", "admin_state_up", "external_gateway_info", "tags", "value_specs"],
        replacing: &["distributed", "ha", "availability_zone_hints"],
        constraints: &[],
    },
    Schema {
        kind: "OS::Neutron::RouterInterface",
        required: &["router"],
        updatable: &[],
        replacing: &["router", "subnet", "port"],
        constraints: &[("router", "neutron.router"), ("subnet", "neutron.subnet")],
    },
    Schema {
        kind: "OS::Neutron::Port",
        required: &[],
        updatable: &[
            "name",
            "admin_state_up",
            "fixed_ips",
            "security_groups",
            "dns_name",
            "value_specs",
            "tags",
            "allowed_address_pairs",
            "device_id",
            "device_owner",
            "port_security_enabled",
            "binding:vnic_type",
            "replacement_policy",
        ],
        replacing: &["network", "network_id", "mac_address"],
        constraints: &[("dns_name", "dns_name"), ("network", "neutron.network")],
    },
    Schema {
        kind: "OS::Neutron::FloatingIP",
        required: &[],
        updatable: &["port_id", "fixed_ip_address", "dns_name", "dns_domain"],
        replacing: &[
            "floating_network",
            "floating_network_id",
            "floating_subnet",
            "floating_ip_address",
            "value_specs",
        ],
        constraints: &[
            ("dns_name", "rel_dns_name"),
            ("dns_domain", "dns_domain"),
            ("floating_network", "neutron.network"),
            ("port_id", "neutron.port"),
        ],
    },
    Schema {
        kind: "OS::Neutron::FloatingIPAssociation",
        required: &["floatingip_id", "port_id"],
        updatable: &[],
        replacing: &["floatingip_id", "port_id", "fixed_ip_address"],
        constraints: &[],
    },
    Schema {
        kind: "OS::Neutron::SecurityGroup",
        required: &[],
        updatable: &["name", "description", "rules"],
        replacing: &[],
        constraints: &[],
    },
    Schema {
        kind: "OS::Nova::Server",
        required: &["flavor"],
        updatable: &["name", "metadata"],
        replacing: &[
            "image",
            "flavor",
            "networks",
            "user_data",
            "user_data_format",
            "key_name",
            "security_groups",
            "config_drive",
            "availability_zone",
            "tags",
            "user_data_update_policy",
            "image_update_policy",
            "flavor_update_policy",
            "scheduler_hints",
            "admin_pass",
            "software_config_transport",
            "block_device_mapping_v2",
        ],
        constraints: &[("image", "glance.image"), ("flavor", "nova.flavor"), ("key_name", "nova.keypair")],
    },
    Schema {
        kind: "OS::Nova::KeyPair",
        required: &["name"],
        updatable: &[],
        replacing: &["name", "public_key", "save_private_key", "type", "user"],
        constraints: &[],
    },
    Schema {
        kind: "OS::Heat::RandomString",
        required: &[],
        updatable: &[],
        replacing: &["length", "character_classes", "character_sequences", "salt"],
        constraints: &[],
    },
    Schema {
        kind: "OS::Heat::Value",
        required: &["value"],
        updatable: &[],
        replacing: &["value", "type"],
        constraints: &[],
    },
    Schema {
        kind: "OS::Heat::ResourceGroup",
        required: &["resource_def"],
        updatable: &["count", "resource_def", "index_var", "removal_policies"],
        replacing: &[],
        constraints: &[],
    },
    Schema { kind: "OS::Heat::None", required: &[], updatable: &[], replacing: &[], constraints: &[] },
];

impl Schema {
    pub(in crate::simcloud::heat) fn of(kind: &str) -> Option<&'static Self> {
        SCHEMAS.iter().find(|schema| schema.kind == kind)
    }

    /// Every property's name.
    pub(in crate::simcloud::heat) fn all(&self) -> impl Iterator<Item = &'static str> {
        self.updatable.iter().chain(self.replacing).copied()
    }
}

/// Heat took away what this type did, and left a shell that completes.
pub(in crate::simcloud::heat) const REMOVED: &str = "OS::Designate::Domain";

/// Checks a resource's definition; `resolved` holds the properties that are known by now.
pub(in crate::simcloud::heat) fn check_definition(
    world: &mut World,
    caller: &Caller,
    name: &str,
    definition: &Definition,
    resolved: &Map<String, Value>,
) -> Result<(), Refusal> {
    if definition.kind == REMOVED || definition.kind == "OS::Heat::None" {
        return Ok(());
    }
    let Some(schema) = Schema::of(&definition.kind) else {
        let message = format!("The Resource Type ({}) could not be found.", definition.kind);
        return Err(Refusal::new(400, "StackValidationFailed", message));
    };
    let given = definition.properties.as_object().cloned().unwrap_or_default();
    if let Some(unknown) = given.keys().find(|name| !schema.all().any(|known| known == *name)) {
        return Err(invalid(format!(
            "Property error: : resources.{name}.properties: : Unknown Property {unknown}"
        )));
    }
    for required in schema.required {
        if !given.contains_key(*required) || resolved.get(*required).is_some_and(Value::is_null) {
            return Err(invalid(format!(
                "Property error: : resources.{name}.properties: : Property {required} not assigned"
            )));
        }
    }
    let native: Vec<&str> = schema.all().collect();
    for repeated in given.get("value_specs").and_then(Value::as_object).into_iter().flatten() {
        if native.contains(&repeated.0.as_str()) {
            return Err(invalid(format!(
                "value_specs can not include property that is already in use: {}",
                repeated.0
            )));
        }
        if matches!(repeated.0.as_str(), "shared" | "tenant_id") {
            return Err(invalid(format!("{} not allowed in value_specs", repeated.0)));
        }
    }
    for (property, constraint) in schema.constraints {
        let Some(value) = resolved.get(*property).and_then(Value::as_str) else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        lookup::custom(world, caller, constraint, value).map_err(|why| {
            invalid(format!(
                "Property error: : resources.{name}.properties.{property}: : Error validating \
                 value '{value}': {why}"
            ))
        })?;
    }
    Ok(())
}
