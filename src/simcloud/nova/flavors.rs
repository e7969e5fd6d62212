//! The two flavors.

use http::Method;
use serde_json::{Value, json};

use super::{Refusal, Reply, not_found};
use crate::simcloud::{wire::Call, world::World};

const FLAVORS: [(&str, &str, u32, u32); 2] = [("42", "m1.nano", 128, 1), ("1", "m1.tiny", 512, 1)];

/// The id of a flavor by id or name.
pub(super) fn find(wanted: &str) -> Option<&'static str> {
    FLAVORS.iter().find(|(id, ..)| *id == wanted).map(|(id, ..)| *id)
}

fn view(world: &World, (id, name, ram, disk): (&str, &str, u32, u32), detail: bool) -> Value {
    let base = format!("{}/compute", world.base_url);
    let links = json!([{"rel": "self", "href": format!("{base}/v2.1/flavors/{id}")},
        {"rel": "bookmark", "href": format!("{base}/flavors/{id}")}]);
    if !detail {
        return json!({"id": id, "name": name, "links": links});
    }
    json!({"id": id, "name": name, "ram": ram, "disk": disk, "vcpus": 1, "swap": 0,
        "rxtx_factor": 1.0, "OS-FLV-DISABLED:disabled": false, "OS-FLV-EXT-DATA:ephemeral": 0,
        "os-flavor-access:is_public": true, "links": links, "description": null,
        "extra_specs": {}})
}

pub(super) fn handle(world: &World, call: &Call, path: &[&str]) -> Result<Reply, Refusal> {
    if call.method != Method::GET {
        return Err(Refusal::new(403, "forbidden", "Policy doesn't allow this."));
    }
    match path {
        [] | ["detail"] => {
            let after = call.query("marker");
            let skip = after
                .map_or(0, |marker| FLAVORS.iter().position(|(id, ..)| *id == marker).map_or(0, |at| at + 1));
            let limit = call.query("limit").and_then(|limit| limit.parse().ok());
            let rows: Vec<Value> = FLAVORS
                .into_iter()
                .skip(skip)
                .take(limit.unwrap_or(1000))
                .map(|flavor| view(world, flavor, !path.is_empty()))
                .collect();
            Ok(Reply::ok(json!({"flavors": rows})))
        }
        [id] => FLAVORS
            .into_iter()
            .find(|(known, ..)| known == id)
            .map(|flavor| Reply::ok(json!({"flavor": view(world, flavor, true)})))
            .ok_or_else(|| not_found(format!("Flavor {id} could not be found."))),
        _ => Err(not_found("The resource could not be found.")),
    }
}
