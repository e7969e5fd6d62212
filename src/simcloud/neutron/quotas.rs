//! Quotas of projects.

use http::Method;
use serde_json::{Map, Value, json};

use super::{Kind, Refusal, Reply, no_resource, text};
use crate::simcloud::{wire::Call, world::World};

fn limit(world: &World, project: &str, kind: Kind) -> i64 {
    let own = world.network.quotas.get(project).and_then(|own| own.get(kind.singular()));
    if let Some(own) = own.and_then(Value::as_i64) {
        return own;
    }
    let quotas = &world.options.quotas;
    let limit = match kind {
        Kind::Network => quotas.networks,
        Kind::Subnet => quotas.subnets,
        Kind::Port => quotas.ports,
        Kind::Router => quotas.routers,
        Kind::FloatingIp => quotas.floating_ips,
        Kind::SecurityGroup => quotas.security_groups,
        Kind::SecurityGroupRule => quotas.security_groups * 20,
    };
    i64::try_from(limit).unwrap_or(-1)
}

fn used(world: &World, project: &str, kind: Kind) -> i64 {
    let mine = world.network.table(kind).filter(|row| text(row, "project_id") == project);
    i64::try_from(mine.count()).unwrap_or(i64::MAX)
}

/// Refuses one more than the project may have.
pub(super) fn check(world: &World, call: &Call, kind: Kind, wanted: &Value) -> Result<(), Refusal> {
    let own = call.caller.project_id.as_str();
    let project = wanted["project_id"].as_str().unwrap_or(own);
    let limit = limit(world, project, kind);
    if limit < 0 || used(world, project, kind) < limit {
        return Ok(());
    }
    let message = format!("Quota exceeded for resources: ['{}'].", kind.singular());
    Err(Refusal::new(409, "OverQuota", message))
}

pub(super) fn handle(world: &mut World, call: &Call, path: &[&str]) -> Result<Reply, Refusal> {
    let project = match path {
        [project, ..] => (*project).to_owned(),
        [] => call.caller.project_id.clone(),
    };
    if !call.caller.owns(&project) {
        return Err(Refusal::new(403, "PolicyNotAuthorized", "rule:get_quota is disallowed by policy"));
    }
    match (&call.method, path) {
        (&Method::GET, [_, "details" | "details.json"]) => {
            let mut quota = Map::new();
            for kind in Kind::ALL {
                let detail = json!({"limit": limit(world, &project, kind),
                    "used": used(world, &project, kind), "reserved": 0});
                quota.insert(kind.singular().to_owned(), detail);
            }
            Ok(Reply::ok(json!({"quota": quota})))
        }
        (&Method::GET, [_]) => Ok(view(world, &project)),
        (&Method::PUT, [_]) if call.caller.is_admin() => {
            let wanted = call.body["quota"].as_object().cloned().unwrap_or_default();
            world.network.quotas.entry(project.clone()).or_default().extend(wanted);
            Ok(view(world, &project))
        }
        (&Method::DELETE, [_]) if call.caller.is_admin() => {
            world.network.quotas.remove(&project);
            Ok(Reply::empty(204))
        }
        _ => Err(no_resource()),
    }
}

fn view(world: &World, project: &str) -> Reply {
    let mut quota = Map::new();
    for kind in Kind::ALL {
        quota.insert(kind.singular().to_owned(), json!(limit(world, project, kind)));
    }
    Reply::ok(json!({"quota": quota}))
}
