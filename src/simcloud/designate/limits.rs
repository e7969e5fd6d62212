//! Quotas: what a project may have, and the administrator's changes to that.

use http::Method;
use serde_json::{Value, json};

use super::{Refusal, Reply};
use crate::simcloud::{wire::Call, world::World};

/// A project's quotas.
#[derive(Clone, Copy, Debug)]
pub(in crate::simcloud) struct Limits {
    pub(in crate::simcloud) zones: usize,
    pub(in crate::simcloud) zone_recordsets: usize,
    pub(in crate::simcloud) zone_records: usize,
    pub(in crate::simcloud) recordset_records: usize,
    api_export_size: usize,
}

impl Limits {
    pub(in crate::simcloud) fn of(world: &World, project_id: &str) -> Self {
        world
            .dns
            .quotas
            .get(project_id)
            .copied()
            .unwrap_or_else(|| {
                let quotas = &world.options.quotas;
                Self {
                    zones: quotas.zones,
                    zone_recordsets: quotas.zone_recordsets,
                    zone_records: quotas.zone_recordsets,
                    recordset_records: quotas.recordset_records,
                    api_export_size: 1000,
                }
            })
    }

    fn view(self) -> Value {
        json!({"zones": self.zones, "zone_recordsets": self.zone_recordsets,
            "zone_records": self.zone_records, "recordset_records": self.recordset_records,
            "api_export_size": self.api_export_size})
    }

    fn set(&mut self, name: &str, value: usize) -> bool {
        let field = match name {
            "zones" => &mut self.zones,
            "zone_recordsets" => &mut self.zone_recordsets,
            "zone_records" => &mut self.zone_records,
            "recordset_records" => &mut self.recordset_records,
            "api_export_size" => &mut self.api_export_size,
            _ => return false,
        };
        *field = value;
        true
    }
}

pub(super) fn handle(world: &mut World, call: &Call, path: &[&str]) -> Result<Reply, Refusal> {
    let own = call.caller.project_id.clone();
    let project = match path {
        ["limits"] => return Ok(limits(world, &own)),
        ["quotas"] => own.clone(),
        ["quotas", project] => (*project).to_owned(),
        _ => return Err(Refusal::new(404, "not_found", "")),
    };
    if project != own && !(call.caller.is_admin() && call.header_is_true("x-auth-all-projects")) {
        return Err(Refusal::new(403, "forbidden", ""));
    }
    match call.method {
        Method::GET => Ok(Reply::ok(Limits::of(world, &project).view())),
        _ if !call.caller.is_admin() => Err(Refusal::new(403, "forbidden", "")),
        Method::PATCH => {
            let mut limits = Limits::of(world, &project);
            for (name, value) in call.body.as_object().into_iter().flatten() {
                // -1 means without limit.
                let value = match value.as_i64() {
                    Some(-1) => usize::MAX / 2,
                    Some(number) => usize::try_from(number).unwrap_or(0),
                    None => return Err(super::bad_request("Quota must be a number")),
                };
                if !limits.set(name, value) {
                    let message = format!(
                        "Provided object does not match schema. Keys ['{name}'] are not valid for \
                         quota"
                    );
                    return Err(Refusal::new(400, "invalid_object", message));
                }
            }
            world.dns.quotas.insert(project, limits);
            Ok(Reply::ok(limits.view()))
        }
        Method::DELETE => {
            world.dns.quotas.remove(&project);
            Ok(Reply::empty(204))
        }
        _ => Err(Refusal::new(405, "method_not_allowed", "")),
    }
}

fn limits(world: &World, project: &str) -> Reply {
    let limits = Limits::of(world, project);
    Reply::ok(
        json!({"max_page_limit": 1000, "max_recordset_name_length": 255,
        "max_recordset_records": limits.recordset_records,
        "max_zone_name_length": 255, "max_zone_records": limits.zone_records,
        "max_zone_recordsets": limits.zone_recordsets, "max_zones": limits.zones,
        "min_ttl": 0}),
    )
}
