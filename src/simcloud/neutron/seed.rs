//! The networks that are there from the start.

use http::Method;
use serde_json::{Value, json};

use super::{Kind, text};
use crate::simcloud::{
    wire::{Caller, Service},
    world::World,
};

/// `public` (external), `private` of the first tenant behind a router, and `published` and `published-dual`, shared and
/// outside the tenants' ranges, so that names of ports on them go to DNS; the latter has IPv6 too.
pub(in crate::simcloud) fn seed(world: &mut World) {
    let admin = Caller { project_id: world.identity.project_id("admin"), ..world.identity.neutron.clone() };
    let demo = world.identity.project_id("demo");
    let external = json!({"name": "public", "router:external": true, "shared": false,
        "provider:network_type": "flat", "provider:physical_network": "public"});
    let public = make(world, &admin, Kind::Network, &external);
    make(
        world,
        &admin,
        Kind::Subnet,
        &json!({"name": "public-subnet", "network_id": public,
        "ip_version": 4, "cidr": "172.24.0.0/16", "gateway_ip": "172.24.0.1",
        "enable_dhcp": false,
        "allocation_pools": [{"start": "172.24.4.2", "end": "172.24.255.254"}]}),
    );
    let published = json!({"name": "published", "shared": true,
        "provider:network_type": "vxlan", "provider:segmentation_id": 12345});
    let published = make(world, &admin, Kind::Network, &published);
    make(
        world,
        &admin,
        Kind::Subnet,
        &json!({"name": "published-subnet",
        "network_id": published, "ip_version": 4, "cidr": "10.99.0.0/16"}),
    );
    let dual = json!({"name": "published-dual", "shared": true,
        "provider:network_type": "vxlan", "provider:segmentation_id": 12346});
    let dual = make(world, &admin, Kind::Network, &dual);
    for (version, cidr) in [(4, "10.98.0.0/16"), (6, "2001:db8:98::/64")] {
        let subnet = json!({"name": format!("published-dual-subnet-v{version}"), "network_id": dual,
            "ip_version": version, "cidr": cidr});
        make(world, &admin, Kind::Subnet, &subnet);
    }
    let private = make(world, &admin, Kind::Network, &json!({"name": "private", "project_id": demo}));
    let subnet = make(
        world,
        &admin,
        Kind::Subnet,
        &json!({"name": "private-subnet",
        "network_id": private, "ip_version": 4, "cidr": "10.0.0.0/20", "project_id": demo}),
    );
    let router = make(
        world,
        &admin,
        Kind::Router,
        &json!({"name": "router1",
        "project_id": demo, "external_gateway_info": {"network_id": public}}),
    );
    let path = format!("/v2.0/routers/{router}/add_router_interface");
    // The seed is made of valid calls; if one failed, the first test would say so.
    let _ = world.internal(&admin, Service::Network, Method::PUT, &path, json!({"subnet_id": subnet}));
    let ports: Vec<String> =
        world.network.table(Kind::Port).map(|port| text(port, "id").to_owned()).collect();
    world.network.given.extend(ports);
}

fn make(world: &mut World, caller: &Caller, kind: Kind, wanted: &Value) -> String {
    let path = format!("/v2.0/{}", kind.collection());
    let body = json!({kind.singular(): wanted});
    let made = world.internal(caller, Service::Network, Method::POST, &path, body);
    let id = made.map(|row| text(&row[kind.singular()], "id").to_owned()).unwrap_or_default();
    world.network.given.insert(id.clone());
    id
}
