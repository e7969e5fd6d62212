//! Floating IPs.

use serde_json::{Value, json};

use super::{
    Kind, Refusal, bad_request, names, publish, routers,
    rows::{merge, new_row, shown, touch},
    text,
};
use crate::simcloud::{
    faults::{Fault, Target},
    wire::{Call, Caller},
    world::World,
};

const OWNER: &str = "network:floatingip";

/// The floating IP on a port, if there is one.
pub(super) fn on_port<'a>(world: &'a World, port_id: &str) -> Option<&'a Value> {
    world.network.table(Kind::FloatingIp).find(|fip| text(fip, "port_id") == port_id)
}

/// Whether a floating IP is reached over this router from that subnet.
pub(super) fn uses(world: &World, router: &str, subnet: &str) -> bool {
    world.network.table(Kind::FloatingIp).any(|fip| {
        text(fip, "router_id") == router
            && world.network.row(Kind::Port, text(fip, "port_id")).is_some_and(|port| {
                let ips = port["fixed_ips"].as_array();
                ips.into_iter().flatten().any(|ip| text(ip, "subnet_id") == subnet)
            })
    })
}

fn own_name(world: &World, wanted: &Value) -> Result<(String, String), Refusal> {
    let named = Target::named(text(wanted, "dns_name"));
    match checked_name(world, wanted) {
        Err(_) if world.faults.hit(&Fault::NamesUnchecked, named) => {
            Ok((text(wanted, "dns_name").to_owned(), text(wanted, "dns_domain").to_owned()))
        }
        Ok((name, _)) if names::dropped(world, &name) => Ok((String::new(), String::new())),
        other => other,
    }
}

fn checked_name(world: &World, wanted: &Value) -> Result<(String, String), Refusal> {
    if let Some(full) = wanted["dns_name"].as_str().filter(|name| name.ends_with('.')) {
        return Err(bad_request(format!(
            "Invalid input for dns_name. Reason: '{full}' is a FQDN. It should be a relative \
             domain name."
        )));
    }
    let name = names::name(world, &wanted["dns_name"])?.unwrap_or_default();
    let domain = names::domain(&wanted["dns_domain"])?.unwrap_or_default();
    let missing = match (name.is_empty(), domain.is_empty()) {
        (true, false) => "dns_domain cannot be specified without a dns_name",
        (false, true) => "dns_name cannot be specified without a dns_domain",
        _ => return Ok((name, domain)),
    };
    Err(Refusal::new(400, "BadRequest", format!("Bad floatingip request: {missing}.")))
}

/// What associating with a port changes in the row.
fn association(
    world: &World,
    call: &Call,
    fip_id: &str,
    external: &str,
    wanted: &Value,
) -> Result<Value, Refusal> {
    let Some(port_id) = wanted["port_id"].as_str() else {
        return Ok(json!({"port_id": null, "fixed_ip_address": null, "router_id": null,
            "port_details": null, "status": "DOWN"}));
    };
    let port = shown(world, call, Kind::Port, port_id)?;
    let wished = wanted["fixed_ip_address"].as_str();
    let fixed = port["fixed_ips"].as_array().into_iter().flatten().find(|ip| {
        let address = text(ip, "ip_address");
        !address.contains(':') && wished.is_none_or(|wished| wished == address)
    });
    let Some(fixed) = fixed else {
        let message = format!(
            "Bad floatingip request: Cannot add floating IP to port {port_id} that has no fixed IPv4 addresses."
        );
        return Err(Refusal::new(400, "BadRequest", message));
    };
    if let Some(other) = on_port(world, port_id)
        && text(other, "id") != fip_id
    {
        let message = format!(
            "Cannot associate floating IP {} ({fip_id}) with port {port_id} using fixed IP {}, as \
             that fixed IP already has a floating IP on external network {external}.",
            text(other, "floating_ip_address"),
            text(fixed, "ip_address")
        );
        return Err(Refusal::new(409, "FloatingIPPortAlreadyAssociated", message));
    }
    let subnet = text(fixed, "subnet_id");
    let router = world.network.table(Kind::Router).find(|router| {
        let id = text(router, "id");
        text(&router["external_gateway_info"], "network_id") == external
            && routers::ports_of(world, id, "network:router_interface").any(|port| {
                let ips = port["fixed_ips"].as_array();
                ips.into_iter().flatten().any(|ip| text(ip, "subnet_id") == subnet)
            })
    });
    let Some(router) = router else {
        let message = format!(
            "External network {external} is not reachable from subnet {subnet}.  Therefore, \
             cannot associate Port {port_id} with a Floating IP."
        );
        return Err(Refusal::new(404, "ExternalGatewayForFloatingIPNotFound", message));
    };
    let details = json!({"name": port["name"], "network_id": port["network_id"],
        "mac_address": port["mac_address"], "admin_state_up": port["admin_state_up"],
        "status": port["status"], "device_id": port["device_id"],
        "device_owner": port["device_owner"]});
    Ok(json!({"port_id": port_id, "fixed_ip_address": fixed["ip_address"],
        "router_id": router["id"], "port_details": details, "status": "ACTIVE"}))
}

pub(super) fn create(world: &mut World, call: &Call, wanted: &Value) -> Result<String, Refusal> {
    Kind::FloatingIp.check_attributes(wanted)?;
    let external = text(wanted, "floating_network_id").to_owned();
    let network = shown(world, call, Kind::Network, &external)?;
    if network["router:external"] != true {
        let message = format!("Bad floatingip request: Network {external} is not a valid external network.");
        return Err(Refusal::new(400, "BadRequest", message));
    }
    let own = own_name(world, wanted)?;
    let (id, mut row) = new_row(world, call, wanted);
    let association = association(world, call, &id, &external, wanted)?;
    let wished = wanted["floating_ip_address"].as_str().map(|ip| vec![json!({"ip_address": ip})]);
    let ips = routers::service_port(world, call, &external, &id, OWNER, wished.as_ref())?;
    let fields = json!({"floating_network_id": external,
        "floating_ip_address": ips[0]["ip_address"], "dns_name": own.0, "dns_domain": own.1});
    for source in [&fields, &association] {
        for (name, value) in source.as_object().into_iter().flatten() {
            row[name.as_str()] = value.clone();
        }
    }
    if let Some(fields) = row.as_object_mut() {
        fields.remove("name");
    }
    world.network.insert(Kind::FloatingIp, &id, row.clone());
    // From here on the floating IP is there, whatever DNS says.
    publish::fip_created(world, &call.caller, &row, own)?;
    if world.faults.hit(&Fault::LeakyConflict, Target::default()) {
        let message = "External DNS Quota exceeded for resources: recordset.";
        return Err(Refusal::new(409, "ExternalDNSOverQuota", message));
    }
    Ok(id)
}

pub(super) fn update(world: &mut World, call: &Call, id: &str, wanted: &Value) -> Result<(), Refusal> {
    Kind::FloatingIp.check_attributes(wanted)?;
    let read_only = ["dns_name", "dns_domain", "floating_network_id", "floating_ip_address"];
    if let Some(name) = read_only.iter().find(|name| wanted.get(**name).is_some()) {
        return Err(bad_request(format!("Cannot update read-only attribute {name}")));
    }
    let Some(row) = world.network.row(Kind::FloatingIp, id).cloned() else {
        return Err(Kind::FloatingIp.not_found(id));
    };
    let described = wanted.as_object().is_some_and(|fields| !fields.contains_key("port_id"));
    if described && wanted.get("description").is_some() {
        if let Some(row) = world.network.row_mut(Kind::FloatingIp, id) {
            merge(row, wanted, &["description"]);
        }
        touch(world, Kind::FloatingIp, id);
        return Ok(());
    }
    let association = association(world, call, id, text(&row, "floating_network_id"), wanted)?;
    if let Some(row) = world.network.row_mut(Kind::FloatingIp, id) {
        merge(row, wanted, &["description"]);
        for (name, value) in association.as_object().into_iter().flatten() {
            row[name.as_str()] = value.clone();
        }
    }
    touch(world, Kind::FloatingIp, id);
    let row = world.network.row(Kind::FloatingIp, id).cloned().unwrap_or_default();
    publish::fip_updated(world, &call.caller, &row)
}

pub(super) fn delete(world: &mut World, call: &Call, id: &str) -> Result<(), Refusal> {
    let Some(row) = world.network.row(Kind::FloatingIp, id).cloned() else {
        return Err(Kind::FloatingIp.not_found(id));
    };
    // The records go first: if that fails, the floating IP stays.
    publish::fip_deleted(world, &call.caller, &row)?;
    routers::drop_ports(world, id, OWNER);
    world.network.remove(Kind::FloatingIp, id);
    Ok(())
}

/// A port goes: its floating IP loses its association, and what was published for it.
pub(super) fn leave_port(world: &mut World, caller: &Caller, port_id: &str) -> Result<(), Refusal> {
    let Some(fip) = on_port(world, port_id).cloned() else {
        return Ok(());
    };
    publish::fip_deleted(world, caller, &fip)?;
    if let Some(row) = world.network.row_mut(Kind::FloatingIp, text(&fip, "id")) {
        for name in ["port_id", "fixed_ip_address", "router_id", "port_details"] {
            row[name] = Value::Null;
        }
        row["status"] = json!("DOWN");
        row["dns_name"] = json!("");
        row["dns_domain"] = json!("");
    }
    Ok(())
}
