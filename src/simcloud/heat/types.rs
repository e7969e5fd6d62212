//! Resource types as the API tells of them.

use serde_json::{Map, Value, json};

use super::{
    Refusal, Reply,
    resources::{SCHEMAS, Schema},
};

/// Types that templates may still name but that do nothing: hidden from the list.
const HIDDEN: [&str; 2] = ["OS::Designate::Domain", "OS::Designate::Record"];

pub(super) fn list(name: Option<&str>) -> Reply {
    let kinds: Vec<&str> = SCHEMAS
        .iter()
        .map(|schema| schema.kind)
        .filter(|kind| name.is_none_or(|name| kind.contains(name)))
        .collect();
    Reply::ok(json!({"resource_types": kinds}))
}

pub(super) fn show(kind: &str) -> Result<Reply, Refusal> {
    if HIDDEN.contains(&kind) {
        let message = format!("{kind} is not supported.");
        return Err(Refusal::new(400, "NotSupported", message));
    }
    let Some(schema) = Schema::of(kind) else {
        let message = format!("The Resource Type ({kind}) could not be found.");
        return Err(Refusal::new(404, "EntityNotFound", message));
    };
    let mut properties = Map::new();
    for property in schema.shown() {
        let mut view = json!({"type": property.kind.word(), "required": property.required,
            "update_allowed": property.updatable, "immutable": false});
        if let Some(constraints) = property.constraints() {
            view["constraints"] = constraints;
        }
        properties.insert(property.name.to_owned(), view);
    }
    Ok(Reply::ok(json!({"resource_type": kind, "properties": properties,
        "attributes": {"show": {"type": "map", "description": "Detailed information about resource."}},
        "support_status": {"status": "SUPPORTED", "message": null, "version": "8.0.0",
            "previous_status": null}})))
}

pub(super) fn versions() -> Reply {
    let versions: Vec<Value> = ["2013-05-23", "2018-08-31", "2021-04-16"]
        .iter()
        .map(|version| {
            json!({"version": format!("heat_template_version.{version}"), "type": "hot",
                "aliases": []})
        })
        .collect();
    Reply::ok(json!({"template_versions": versions}))
}
