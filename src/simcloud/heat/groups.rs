//! `OS::Heat::ResourceGroup`: its members live in the same stack, under names that nobody can write.

use serde_json::{Value, json};

use super::{
    Refusal,
    functions::{Resolver, substitute, walk},
    invalid, resources,
    stack::{Resource, Stack},
    template::Template,
};
use crate::simcloud::world::World;

pub(super) const KIND: &str = "OS::Heat::ResourceGroup";

/// Whether a resource is a member of a group, and so not the stack's own.
pub(super) fn is_member(name: &str) -> bool {
    name.contains('/')
}

/// The template with every group's members beside it; `stack` resolves the counts.
pub(super) fn expand(world: &mut World, stack: &Stack) -> Result<Template, Refusal> {
    let mut template = stack.template.clone();
    for (name, definition) in &stack.template.resources {
        if definition.kind != KIND {
            continue;
        }
        let count = definition.properties.get("count").cloned().unwrap_or(json!(1));
        let given = Resolver::new(world, stack).resolve(&count).map_err(invalid)?;
        let count = match &given {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        let count = count.filter(|count| *count <= 1000).ok_or_else(|| {
            let why = match given.as_i64() {
                Some(negative) if negative < 0 => format!("{negative} is out of range (min: 0, max: None)"),
                _ => format!("Value {given} is not an integer"),
            };
            invalid(format!("Property error: : resources.{name}.properties.count: : {why}"))
        })?;
        let variable = definition.properties["index_var"].as_str().unwrap_or("%index%");
        for index in 0..count {
            let body = substitute(&definition.properties["resource_def"], variable, &json!(index));
            let member = format!("{name}/{index}");
            let mut made = super::template::Definition::parse(&member, &body)?;
            made.depends_on.extend(definition.depends_on.iter().cloned());
            made.condition.clone_from(&definition.condition);
            template.resources.insert(member.clone(), made);
            if let Some(group) = template.resources.get_mut(name) {
                group.depends_on.push(member);
            }
        }
    }
    template.order()?;
    Ok(template)
}

/// What `get_attr` gives for a group: the same of every member, or one thing of one member.
pub(super) fn attribute(world: &mut World, stack: &Stack, group: &Resource, path: &[Value]) -> Value {
    let prefix = format!("{}/", group.name);
    let mut members: Vec<&Resource> =
        stack.resources.iter().filter(|one| one.name.starts_with(&prefix)).collect();
    members.sort_by_key(|one| one.name[prefix.len()..].parse::<u64>().unwrap_or_default());
    let Some((first, rest)) = path.split_first() else {
        return Value::Null;
    };
    let first = first.as_str().unwrap_or_default();
    if first == "refs" {
        let refs: Vec<Value> = members.iter().map(|one| resources::reference(one)).collect();
        return walk(&Value::Array(refs), rest);
    }
    let mut of = |member: &Resource, path: &[Value]| {
        if path.is_empty() {
            resources::reference(member)
        } else {
            resources::attribute(world, stack, member, path)
        }
    };
    if let Some(one) = first.strip_prefix("resource.") {
        let (index, attribute) = one.split_once('.').unwrap_or((one, ""));
        let member = members.iter().find(|member| member.name[prefix.len()..] == *index);
        let mut path: Vec<Value> = rest.to_vec();
        if !attribute.is_empty() {
            path.insert(0, json!(attribute));
        }
        return member.map_or(Value::Null, |member| of(member, &path));
    }
    let path = if first == "attributes" { rest } else { path };
    Value::Array(members.into_iter().map(|member| of(member, path)).collect())
}
