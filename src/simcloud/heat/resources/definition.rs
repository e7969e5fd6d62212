//! The checks of a resource's definition, before anything is made.

use serde_json::{Map, Value};

use super::schema::Schema;
use crate::simcloud::{
    heat::{invalid, template::Definition},
    wire::{Caller, Refusal},
    world::World,
};

/// Heat took away what this type did, and left a shell that completes.
const REMOVED: &str = "OS::Designate::Domain";

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
    let wrong = |path: String, message: String| {
        invalid(format!("Property error: : resources.{name}.properties{path}: : {message}"))
    };
    if let Some(unknown) = given.keys().find(|name| schema.property(name).is_none()) {
        return Err(wrong(String::new(), format!("Unknown Property {unknown}")));
    }
    for property in schema.shown() {
        let older = format!("{}_id", property.name);
        let stands_for_it =
            schema.property(&older).is_some_and(|older| older.hidden) && given.contains_key(&older);
        let missing =
            !given.contains_key(property.name) || resolved.get(property.name).is_some_and(Value::is_null);
        if property.required && missing && !stands_for_it {
            return Err(wrong(String::new(), format!("Property {} not assigned", property.name)));
        }
        if let Some(value) = resolved.get(property.name) {
            let path = format!(".{}", property.name);
            property.check(world, caller, &path, value).map_err(|(path, message)| wrong(path, message))?;
        }
    }
    let specs = given.get("value_specs").and_then(Value::as_object);
    if let Some(banned) = specs
        .into_iter()
        .flat_map(Map::keys)
        .find(|name| matches!(name.as_str(), "shared" | "tenant_id") || schema.property(name).is_some())
    {
        return Err(invalid(format!("{banned} not allowed in value_specs")));
    }
    Ok(())
}

/// Checks what only several properties together can get wrong: not when a template is only validated.
pub(in crate::simcloud::heat) fn check_together(name: &str, definition: &Definition) -> Result<(), Refusal> {
    let nothing = Map::new();
    let given = definition.properties.as_object().unwrap_or(&nothing);
    let has = |name: &str| given.get(name).is_some_and(|value| !value.is_null());
    let message = match definition.kind.as_str() {
        "OS::Designate::Zone" if !has("email") && given.get("type").is_none_or(|kind| kind == "PRIMARY") => {
            "Property email is required for zone type PRIMARY".to_owned()
        }
        "OS::Neutron::Subnet" if !has("cidr") && !has("subnetpool") => {
            "At least one of the following properties must be specified: subnetpool, cidr.".to_owned()
        }
        "OS::Neutron::SecurityGroup" if given.get("name").is_some_and(|name| name == "default") => {
            "Security groups cannot be assigned the name \"default\".".to_owned()
        }
        "OS::Nova::Server"
            if !has("image") && !has("block_device_mapping_v2") && !has("block_device_mapping") =>
        {
            format!("Neither image nor bootable volume is specified for instance {name}")
        }
        "OS::Nova::Server" if nowhere(given) => format!(
            "One of the properties \"network\", \"port\", \"allocate_network\" or \"subnet\" should be set for the \
             specified network of server \"{name}\"."
        ),
        _ => return Ok(()),
    };
    Err(invalid(message))
}

/// Whether one of a server's networks is none.
fn nowhere(given: &Map<String, Value>) -> bool {
    let networks = given.get("networks").and_then(Value::as_array).into_iter().flatten();
    let named = ["network", "uuid", "port", "allocate_network", "subnet"];
    networks.filter_map(Value::as_object).any(|network| named.iter().all(|name| !network.contains_key(*name)))
}
