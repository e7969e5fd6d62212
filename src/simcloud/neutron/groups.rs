//! Security groups and their rules.

use serde_json::{Value, json};

use super::{
    Kind, Refusal,
    rows::{merge, new_row, shown, touch},
    text,
};
use crate::simcloud::{
    wire::{Call, Caller},
    world::World,
};

/// The project's default group, made when first needed.
pub(super) fn ensure_default(world: &mut World, project_id: &str) -> String {
    let found = world
        .network
        .table(Kind::SecurityGroup)
        .find(|group| text(group, "project_id") == project_id && text(group, "name") == "default");
    if let Some(group) = found {
        return text(group, "id").to_owned();
    }
    let caller = Caller { project_id: project_id.to_owned(), ..Caller::default() };
    let call = blank(caller);
    let wanted = json!({"name": "default", "description": "Default security group"});
    let id = make(world, &call, &wanted);
    // Every project has one: it is nobody's leak.
    world.network.given.insert(id.clone());
    id
}

fn blank(caller: Caller) -> Call {
    Call {
        method: http::Method::POST,
        path: Vec::new(),
        query: Vec::new(),
        headers: std::collections::BTreeMap::new(),
        body: Value::Null,
        caller,
        request_id: String::new(),
        in_process: true,
    }
}

fn make(world: &mut World, call: &Call, wanted: &Value) -> String {
    let (id, mut row) = new_row(world, call, wanted);
    row["stateful"] = json!(true);
    row["shared"] = json!(false);
    world.network.insert(Kind::SecurityGroup, &id, row);
    for ethertype in ["IPv4", "IPv6"] {
        let rule = json!({"security_group_id": id, "direction": "egress", "ethertype": ethertype});
        make_rule(world, call, &rule);
    }
    id
}

fn make_rule(world: &mut World, call: &Call, wanted: &Value) -> String {
    let (id, mut row) = new_row(world, call, wanted);
    let names = [
        "security_group_id",
        "direction",
        "protocol",
        "port_range_min",
        "port_range_max",
        "remote_ip_prefix",
        "remote_group_id",
        "remote_address_group_id",
    ];
    for name in names {
        row[name] = wanted.get(name).cloned().unwrap_or_default();
    }
    row["ethertype"] = json!(wanted["ethertype"].as_str().unwrap_or("IPv4"));
    if let Some(fields) = row.as_object_mut() {
        fields.remove("name");
    }
    world.network.insert(Kind::SecurityGroupRule, &id, row);
    id
}

pub(super) fn create(world: &mut World, call: &Call, wanted: &Value) -> Result<String, Refusal> {
    Kind::SecurityGroup.check_attributes(wanted)?;
    ensure_default(world, &call.caller.project_id);
    if text(wanted, "name") == "default" {
        let message = "Default security group already exists.";
        return Err(Refusal::new(409, "SecurityGroupDefaultAlreadyExists", message));
    }
    Ok(make(world, call, wanted))
}

pub(super) fn create_rule(world: &mut World, call: &Call, wanted: &Value) -> Result<String, Refusal> {
    Kind::SecurityGroupRule.check_attributes(wanted)?;
    let group = text(wanted, "security_group_id").to_owned();
    shown(world, call, Kind::SecurityGroup, &group)?;
    let fields =
        ["direction", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id"];
    let ethertype = wanted["ethertype"].as_str().unwrap_or("IPv4");
    let same = world.network.table(Kind::SecurityGroupRule).find(|rule| {
        text(rule, "security_group_id") == group
            && text(rule, "ethertype") == ethertype
            && fields.iter().all(|name| rule[*name] == wanted[*name])
    });
    if let Some(rule) = same {
        let message = format!("Security group rule already exists. Rule id is {}.", text(rule, "id"));
        return Err(Refusal::new(409, "SecurityGroupRuleExists", message));
    }
    Ok(make_rule(world, call, wanted))
}

pub(super) fn rules_of(world: &World, group: &str) -> Value {
    let rules = world.network.table(Kind::SecurityGroupRule);
    Value::Array(rules.filter(|r| text(r, "security_group_id") == group).cloned().collect())
}

pub(super) fn update(world: &mut World, _call: &Call, id: &str, wanted: &Value) -> Result<(), Refusal> {
    Kind::SecurityGroup.check_attributes(wanted)?;
    if let Some(row) = world.network.row_mut(Kind::SecurityGroup, id) {
        merge(row, wanted, &["name", "description"]);
    }
    touch(world, Kind::SecurityGroup, id);
    Ok(())
}

pub(super) fn delete(world: &mut World, id: &str) -> Result<(), Refusal> {
    let used = world.network.table(Kind::Port).any(|port| {
        let groups = port["security_groups"].as_array();
        groups.into_iter().flatten().any(|group| group.as_str() == Some(id))
    });
    if used {
        let message = format!("Security Group {id} in use.");
        return Err(Refusal::new(409, "SecurityGroupInUse", message));
    }
    let rules: Vec<String> = world
        .network
        .table(Kind::SecurityGroupRule)
        .filter(|rule| text(rule, "security_group_id") == id)
        .map(|rule| text(rule, "id").to_owned())
        .collect();
    for rule in rules {
        world.network.remove(Kind::SecurityGroupRule, &rule);
    }
    world.network.remove(Kind::SecurityGroup, id);
    Ok(())
}
