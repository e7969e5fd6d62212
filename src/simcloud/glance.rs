//! Glance v2: one small image, to be looked up.

use http::Method;
use serde_json::{Value, json};

use super::{
    wire::{Call, Refusal, Reply},
    world::World,
};

/// The only image.
pub(super) const IMAGE_ID: &str = "6f1c7e5a-5b1d-4d5c-9d0e-0a1b2c3d4e5f";
pub(super) const IMAGE_NAME: &str = "cirros-sim";

pub(super) fn handle(world: &World, call: &Call) -> Result<Reply, Refusal> {
    match (&call.method, call.segments().as_slice()) {
        (&Method::GET, []) => Ok(Reply::json(300, versions(world))),
        (&Method::GET, ["versions"]) => Ok(Reply::ok(versions(world))),
        (&Method::GET, ["v2", "images"]) => list(world, call),
        (&Method::GET, ["v2", "images", id]) if *id == IMAGE_ID => Ok(Reply::ok(image(world))),
        (&Method::GET, ["v2", "images", id]) => {
            let message = format!("No image found with ID {id}");
            Err(Refusal::new(404, "Not Found", message))
        }
        (_, ["v2", "images", ..]) => {
            let message = "You are not authorized to complete delete_image action.";
            Err(Refusal::new(403, "Forbidden", message))
        }
        _ => Err(Refusal::new(404, "Not Found", "The resource could not be found.")),
    }
}

fn versions(world: &World) -> Value {
    let href = format!("{}/image/v2/", world.base_url);
    let version = |id: &str, status: &str| json!({"id": id, "status": status, "links": [{"rel": "self", "href": href}]});
    json!({"versions": [version("v2.17", "CURRENT"), version("v2.16", "SUPPORTED"),
        version("v2.0", "SUPPORTED")]})
}

fn image(world: &World) -> Value {
    json!({"id": IMAGE_ID, "name": IMAGE_NAME, "status": "active", "visibility": "public",
        "disk_format": "qcow2", "container_format": "bare", "size": 21_233_664, "min_ram": 0,
        "min_disk": 0, "protected": false, "owner": world.identity.project_id("admin"),
        "checksum": "87617e24a5e30cb3b87fe8c0764838f0", "virtual_size": null,
        "os_hidden": false, "tags": [], "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z", "self": format!("/v2/images/{IMAGE_ID}"),
        "file": format!("/v2/images/{IMAGE_ID}/file"), "schema": "/v2/schemas/image"})
}

fn list(world: &World, call: &Call) -> Result<Reply, Refusal> {
    let limit = match call.query("limit").map(str::parse) {
        Some(Err(_)) => return Err(Refusal::new(400, "Bad Request", "limit param must be an integer")),
        Some(Ok(limit)) => limit,
        None => usize::MAX,
    };
    let image = image(world);
    let matches = |key: &str| {
        call.query(key).is_none_or(|wanted| {
            let wanted = wanted.strip_prefix("in:").unwrap_or(wanted);
            image[key].as_str() == Some(wanted)
        })
    };
    let after_the_last = call.query("marker").is_some();
    let found = matches("name") && matches("status") && matches("visibility") && matches("id");
    let images = if found && !after_the_last && limit > 0 { vec![image.clone()] } else { Vec::new() };
    let asked = call.query.iter().filter(|(name, _)| name != "marker");
    let asked = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
    let first = if asked.is_empty() { "/v2/images".to_owned() } else { format!("/v2/images?{asked}") };
    Ok(Reply::ok(json!({"images": images, "first": first, "schema": "/v2/schemas/images"})))
}
