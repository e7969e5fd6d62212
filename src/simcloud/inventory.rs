//! What exists in the cloud, for leak checks, and how to log in to it.

use std::fmt::Write as _;

use serde_json::Value;

use super::world::World;

/// One thing that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// Its name, address or description: what tells a person which one it is.
    pub name: String,
    /// The project that owns it.
    pub project_id: String,
}

/// What exists besides what was there at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Heat stacks that are not deleted.
    pub stacks: Vec<Item>,
    /// Nova servers.
    pub servers: Vec<Item>,
    /// Nova key pairs.
    pub keypairs: Vec<Item>,
    /// Neutron ports.
    pub ports: Vec<Item>,
    /// Neutron floating IPs.
    pub floating_ips: Vec<Item>,
    /// Neutron networks.
    pub networks: Vec<Item>,
    /// Neutron subnets.
    pub subnets: Vec<Item>,
    /// Neutron routers.
    pub routers: Vec<Item>,
    /// Neutron security groups besides the default ones.
    pub security_groups: Vec<Item>,
    /// Designate zones besides reverse zones, which stay by design.
    pub zones: Vec<Item>,
    /// Neutron's reverse zones.
    pub reverse_zones: Vec<Item>,
    /// Designate record sets besides SOA and the apex NS, in all zones.
    pub recordsets: Vec<Item>,
}

impl Inventory {
    pub(super) fn of(world: &World) -> Self {
        let network = |collection: &str| -> Vec<Item> {
            world.network.made(collection).iter().map(item).collect()
        };
        let mut inventory = Self {
            stacks: super::heat::existing(world),
            servers: world
                .compute
                .servers
                .values()
                .map(|server| Item {
                    id: server.id.clone(),
                    name: server.name.clone(),
                    project_id: server.owner.project_id.clone(),
                })
                .collect(),
            keypairs: world.compute.keypair_items(),
            ports: network("ports"),
            floating_ips: network("floatingips"),
            networks: network("networks"),
            subnets: network("subnets"),
            routers: network("routers"),
            security_groups: network("security_groups"),
            ..Self::default()
        };
        for zone in world.dns.zones.values() {
            let item = Item {
                id: zone.id.clone(),
                name: zone.name.clone(),
                project_id: zone.project_id.clone(),
            };
            if zone.name.ends_with(".arpa.") {
                inventory.reverse_zones.push(item);
            } else {
                inventory.zones.push(item);
            }
            let own = |kind: &str| matches!(kind, "SOA" | "NS");
            for set in zone.recordsets.values() {
                if own(&set.kind) && set.name == zone.name {
                    continue;
                }
                inventory.recordsets.push(Item {
                    id: set.id.clone(),
                    name: format!("{} {}", set.name, set.kind),
                    project_id: set.project_id.clone(),
                });
            }
        }
        inventory
    }

    /// Whether nothing is left of any test (reverse zones may stay, their records may not).
    pub fn is_clean(&self) -> bool {
        let rest = Self {
            reverse_zones: Vec::new(),
            ..self.clone()
        };
        rest == Self::default()
    }
}

fn item(row: &Value) -> Item {
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    let name = ["floating_ip_address", "name", "description"]
        .into_iter()
        .map(text)
        .find(|name| !name.is_empty())
        .unwrap_or_default();
    Item {
        id: text("id").to_owned(),
        name: name.to_owned(),
        project_id: text("project_id").to_owned(),
    }
}

/// The entries that the built-in users log in with.
pub(super) fn clouds_yaml(world: &World, auth_url: &str) -> String {
    let mut yaml = "clouds:\n".to_owned();
    let password = &world.options.password;
    let users = [
        ("demo", "demo"),
        ("demo2", "demo2"),
        ("reader", "demo"),
        ("admin", "admin"),
    ];
    for (user, project) in users {
        // Writing to a string cannot fail.
        let _ = write!(
            yaml,
            "  {user}:\n    auth_type: password\n    auth:\n      auth_url: {auth_url}\n      \
             username: {user}\n      password: {password}\n      project_name: {project}\n      \
             user_domain_name: Default\n      project_domain_name: Default\n    \
             region_name: RegionOne\n    interface: public\n    identity_api_version: 3\n"
        );
    }
    if let Some(credential) = world.identity.credentials.first() {
        let (id, secret) = (&credential.id, &credential.secret);
        let _ = write!(
            yaml,
            "  demo-appcred:\n    auth_type: v3applicationcredential\n    auth:\n      \
             auth_url: {auth_url}\n      application_credential_id: {id}\n      \
             application_credential_secret: {secret}\n    region_name: RegionOne\n    \
             interface: public\n    identity_api_version: 3\n"
        );
    }
    yaml
}
