//! The catalogue: every service under its path on the one listener, in one region.

use serde_json::{Value, json};

use crate::simcloud::{
    faults::{Fault, Target},
    wire::Service,
    world::World,
};

pub(super) fn version(world: &World) -> Value {
    let href = format!("{}/identity/v3/", world.base_url);
    json!({"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": href}],
        "media-types": [{"base": "application/json",
            "type": "application/vnd.openstack.identity-v3+json"}]})
}

/// The only region.
pub(crate) const REGION: &str = "RegionOne";

pub(super) fn catalog(world: &World, project_id: &str) -> Value {
    let base = &world.base_url;
    let wrong_dns = world.faults.hit(&Fault::WrongDnsEndpoint, Target::default());
    let entries: Vec<Value> = Service::ALL
        .iter()
        .map(|service| {
            let prefix = service.prefix();
            let url = match service {
                Service::Identity => format!("{base}/{prefix}/v3"),
                Service::Compute => format!("{base}/{prefix}/v2.1"),
                Service::Orchestration => format!("{base}/{prefix}/v1/{project_id}"),
                Service::Dns if wrong_dns => format!("{base}/not-{prefix}"),
                _ => format!("{base}/{prefix}"),
            };
            let endpoints: Vec<Value> = ["public", "internal", "admin"]
                .iter()
                .map(|interface| {
                    json!({"id": format!("{prefix}-{interface}"), "interface": interface,
                        "region": REGION, "region_id": REGION, "url": url})
                })
                .collect();
            json!({"id": service.project(), "name": service.project(),
                "type": service.catalog_type(), "endpoints": endpoints})
        })
        .collect();
    Value::Array(entries)
}
