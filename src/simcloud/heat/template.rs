//! Templates: read, checked for shape, and put in order.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Refusal, invalid};

const VERSIONS: [&str; 17] = [
    "2013-05-23",
    "2014-10-16",
    "2015-04-30",
    "2015-10-15",
    "2016-04-08",
    "2016-10-14",
    "2017-02-24",
    "2017-09-01",
    "2018-03-02",
    "2018-08-31",
    "2021-04-16",
    "newton",
    "ocata",
    "pike",
    "queens",
    "rocky",
    "wallaby",
];

/// Reads YAML as Heat does: a bare `n` or `y` is a word, not a truth value.
pub(super) fn yaml(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

/// A resource as the template says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Definition {
    pub(super) kind: String,
    pub(super) properties: Value,
    pub(super) depends_on: Vec<String>,
    pub(super) condition: Option<Value>,
    /// Deleting the stack leaves it.
    pub(super) retained: bool,
}

/// A template.
#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    pub(super) raw: Value,
    pub(super) description: String,
    pub(super) parameters: Map<String, Value>,
    pub(super) conditions: Map<String, Value>,
    pub(super) resources: BTreeMap<String, Definition>,
    pub(super) outputs: Map<String, Value>,
}

fn section(raw: &Value, name: &str) -> Result<Map<String, Value>, Refusal> {
    match raw.get(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map.clone()),
        Some(_) => Err(invalid(format!("The \"{name}\" section must be a map"))),
    }
}

impl Template {
    /// Reads a template from a document or its text.
    pub(super) fn parse(given: &Value) -> Result<Self, Refusal> {
        let raw = match given {
            Value::String(text) => yaml(text).map_err(|error| {
                Refusal::new(400, "HTTPBadRequest", format!("Error parsing template: {error}"))
            })?,
            other => other.clone(),
        };
        if !raw.is_object() {
            return Err(Refusal::new(
                400,
                "HTTPBadRequest",
                "The template is not a JSON object or YAML mapping.",
            ));
        }
        let version = raw["heat_template_version"].as_str().unwrap_or_default();
        if version.is_empty() {
            let message = "The template version is invalid: Template version was not provided";
            return Err(Refusal::new(400, "InvalidTemplateVersion", message));
        }
        if !VERSIONS.contains(&version) {
            let message = format!(
                "The template version is invalid: \"heat_template_version: {version}\". \
                 \"heat_template_version\" should be one of: {}",
                VERSIONS.join(", ")
            );
            return Err(Refusal::new(400, "InvalidTemplateVersion", message));
        }
        let known = [
            "heat_template_version",
            "description",
            "parameter_groups",
            "parameters",
            "resources",
            "outputs",
            "conditions",
        ];
        if let Some(other) =
            raw.as_object().into_iter().flat_map(Map::keys).find(|name| !known.contains(&name.as_str()))
        {
            return Err(Refusal::new(
                400,
                "InvalidTemplateSection",
                format!("The template section is invalid: {other}"),
            ));
        }
        let mut resources = BTreeMap::new();
        for (name, body) in section(&raw, "resources")? {
            resources.insert(name.clone(), Definition::parse(&name, &body)?);
        }
        let template = Self {
            description: raw["description"].as_str().unwrap_or("No description").to_owned(),
            parameters: section(&raw, "parameters")?,
            conditions: section(&raw, "conditions")?,
            outputs: section(&raw, "outputs")?,
            resources,
            raw,
        };
        if let Some(twice) = template.parameters.keys().find(|name| template.resources.contains_key(*name)) {
            return Err(invalid(format!("Duplicate names {{'{twice}'}}")));
        }
        template.check_conditions()?;
        template.check_references()?;
        template.order()?;
        Ok(template)
    }

    /// A condition that is named must be defined.
    fn check_conditions(&self) -> Result<(), Refusal> {
        for (name, definition) in &self.resources {
            let named = definition.condition.as_ref().and_then(Value::as_str);
            if let Some(unknown) = named.filter(|named| !self.conditions.contains_key(*named)) {
                return Err(invalid(format!(
                    "resources.{name}.condition: : Invalid condition \"{unknown}\""
                )));
            }
        }
        Ok(())
    }

    fn check_references(&self) -> Result<(), Refusal> {
        for (name, definition) in &self.resources {
            let properties = definition.properties.as_object().into_iter().flatten();
            let used = properties.flat_map(|(property, value)| {
                let place = format!("{name}.Properties.{property}");
                references(value).into_iter().map(move |target| (target, place.clone()))
            });
            let named = definition.depends_on.iter().map(|target| (target.clone(), name.clone()));
            for (target, place) in used.chain(named) {
                if !self.resources.contains_key(&target) {
                    let message = format!("The specified reference \"{target}\" (in {place}) is incorrect.");
                    return Err(Refusal::new(400, "InvalidTemplateReference", message));
                }
            }
        }
        self.check_outputs()
    }

    fn check_outputs(&self) -> Result<(), Refusal> {
        for (name, output) in &self.outputs {
            let Some(value) = output.get("value") else {
                return Err(invalid(format!(
                    "Output validation error: outputs.{name}: Each output definition must contain a value key."
                )));
            };
            if let Some(target) =
                references(value).iter().find(|target| !self.resources.contains_key(*target))
            {
                let function = if value.get("get_attr").is_some() { ".get_attr" } else { "" };
                return Err(invalid(format!(
                    "outputs.{name}.value{function}: The specified reference \"{target}\" (in unknown) is incorrect."
                )));
            }
        }
        Ok(())
    }

    /// What a resource needs first: what it says, what it refers to, and what Heat adds.
    pub(super) fn requires(&self, name: &str) -> Vec<String> {
        let Some(definition) = self.resources.get(name) else {
            return Vec::new();
        };
        let mut needs = self.plain_requires(definition);
        // Heat knows that addresses come from subnets, and that floating IPs need the router's interface.
        let implied = match definition.kind.as_str() {
            "OS::Neutron::Port" | "OS::Nova::Server" => Some("OS::Neutron::Subnet"),
            "OS::Neutron::FloatingIP" | "OS::Neutron::FloatingIPAssociation" => {
                Some("OS::Neutron::RouterInterface")
            }
            _ => None,
        };
        for (other, definition) in &self.resources {
            if Some(definition.kind.as_str()) == implied
                && !needs.contains(other)
                && !self.reaches(other, name)
            {
                needs.push(other.clone());
            }
        }
        needs.sort();
        needs.dedup();
        needs
    }

    fn plain_requires(&self, definition: &Definition) -> Vec<String> {
        let mut needs = references(&definition.properties);
        needs.extend(definition.depends_on.iter().cloned());
        needs.retain(|need| self.resources.contains_key(need));
        needs
    }

    /// Whether a resource needs another, directly or not.
    fn reaches(&self, from: &str, to: &str) -> bool {
        let mut open = vec![from.to_owned()];
        let mut seen: Vec<String> = Vec::new();
        while let Some(name) = open.pop() {
            if name == to {
                return true;
            }
            if !seen.contains(&name) {
                if let Some(definition) = self.resources.get(&name) {
                    open.extend(self.plain_requires(definition));
                }
                seen.push(name);
            }
        }
        false
    }

    /// The resources so that each comes after what it needs.
    pub(super) fn order(&self) -> Result<Vec<String>, Refusal> {
        let mut order: Vec<String> = Vec::with_capacity(self.resources.len());
        while order.len() < self.resources.len() {
            let ready: Vec<String> = self
                .resources
                .keys()
                .filter(|name| !order.contains(name))
                .filter(|name| self.requires(name).iter().all(|need| order.contains(need)))
                .cloned()
                .collect();
            if ready.is_empty() {
                return Err(self.circular(&order));
            }
            order.extend(ready);
        }
        Ok(order)
    }
}

impl Template {
    /// Names the resources that wait for one another, as Heat prints its graph.
    fn circular(&self, done: &[String]) -> Refusal {
        let printed = |name: &String| {
            let kind = self.resources.get(name).map_or("", |one| one.kind.rsplit(':').next().unwrap_or(""));
            format!("{kind} \"{name}\"")
        };
        let open = self.resources.keys().filter(|name| !done.contains(name)).map(|name| {
            let needs: Vec<String> =
                self.requires(name).iter().filter(|need| !done.contains(need)).map(printed).collect();
            format!("{}: {{{}}}", printed(name), needs.join(", "))
        });
        let graph = open.collect::<Vec<_>>().join(", ");
        Refusal::new(400, "CircularDependencyException", format!("Circular Dependency Found: {{{graph}}}"))
    }
}

impl Definition {
    /// Reads one resource.
    pub(super) fn parse(name: &str, body: &Value) -> Result<Self, Refusal> {
        let Some(kind) = body["type"].as_str() else {
            return Err(invalid("Each resource must contain a type key."));
        };
        let known = [
            "type",
            "properties",
            "metadata",
            "depends_on",
            "update_policy",
            "deletion_policy",
            "external_id",
            "condition",
        ];
        if let Some(other) =
            body.as_object().into_iter().flat_map(Map::keys).find(|k| !known.contains(&k.as_str()))
        {
            return Err(invalid(format!("\"{other}\" is not a valid keyword inside a resource definition")));
        }
        if !body["properties"].is_null() && !body["properties"].is_object() {
            return Err(invalid(format!("Resource {name} properties type must be object")));
        }
        let depends_on = match &body["depends_on"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        let policy = body["deletion_policy"].as_str().unwrap_or("Delete");
        if !["delete", "retain", "snapshot"].contains(&policy.to_ascii_lowercase().as_str()) {
            return Err(invalid(format!("Invalid deletion policy \"{policy}\"")));
        }
        Ok(Self {
            kind: kind.to_owned(),
            properties: body["properties"].clone(),
            depends_on,
            condition: body.get("condition").cloned(),
            retained: policy.eq_ignore_ascii_case("retain"),
        })
    }
}

/// The resources that a value refers to.
pub(super) fn references(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => {
            if map.len() == 1 {
                if let Some(name) = map.get("get_resource").and_then(Value::as_str) {
                    found.push(name.to_owned());
                    return;
                }
                if let Some(path) = map.get("get_attr").and_then(Value::as_array) {
                    found.extend(path.first().and_then(Value::as_str).map(str::to_owned));
                    path.iter().skip(1).for_each(|part| collect(part, found));
                    return;
                }
            }
            map.values().for_each(|item| collect(item, found));
        }
        _ => {}
    }
}
