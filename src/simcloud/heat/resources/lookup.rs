//! Names turned into ids, and the constraints that ask whether something exists.

use http::Method;
use serde_json::{Value, json};

use super::{Job, Trouble};
use crate::simcloud::{
    wire::{Caller, Service},
    world::World,
};

/// The most characters of a whole name, and of one of its labels (RFC 1035).
const LONGEST_NAME: usize = 255;
const LONGEST_LABEL: usize = 63;

/// A number that may have come as text.
pub(super) fn number(value: &Value) -> Value {
    match value {
        Value::String(text) => text.parse::<i64>().map_or_else(|_| value.clone(), |n| json!(n)),
        other => other.clone(),
    }
}

fn by_name_or_id(
    world: &mut World,
    caller: &Caller,
    service: Service,
    path: &str,
    wanted: &str,
) -> Result<String, String> {
    let what = path.rsplit('/').next().unwrap_or_default().trim_end_matches('s').replace('-', "_");
    let query: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    let direct = world.internal(caller, service, Method::GET, &format!("{path}/{query}"), Value::Null);
    if let Ok(found) = direct {
        let found = found.get(&what).unwrap_or(&found);
        return Ok(found["id"].as_str().unwrap_or_default().to_owned());
    }
    let found = world.internal(caller, service, Method::GET, &format!("{path}?name={query}"), Value::Null);
    let found = found.map_err(|refusal| refusal.message)?;
    let list = found.as_object().into_iter().flat_map(|map| map.values()).find_map(Value::as_array);
    let exact: Vec<&Value> = list.into_iter().flatten().filter(|row| row["name"] == wanted).collect();
    match exact.as_slice() {
        [one] => Ok(one["id"].as_str().unwrap_or_default().to_owned()),
        [] => Err(format!("Unable to find {what} with name or id '{wanted}'")),
        _ => {
            Err(format!("Multiple {what} matches found for name '{wanted}', use an ID to be more specific."))
        }
    }
}

/// The id of something of Neutron's.
pub(super) fn network(job: &mut Job<'_>, collection: &str, wanted: &str) -> Result<String, Trouble> {
    let caller = job.caller.clone();
    by_name_or_id(job.world, &caller, Service::Network, &format!("/v2.0/{collection}"), wanted)
        .map_err(|message| Trouble::new("NotFound", message))
}

/// The id of a zone.
pub(super) fn zone(job: &mut Job<'_>, wanted: &str) -> Result<String, Trouble> {
    let caller = job.caller.clone();
    by_name_or_id(job.world, &caller, Service::Dns, "/v2/zones", wanted)
        .map_err(|message| Trouble::new("EntityNotFound", message))
}

pub(super) fn image(job: &mut Job<'_>, wanted: &str) -> Result<String, Trouble> {
    let caller = job.caller.clone();
    by_name_or_id(job.world, &caller, Service::Image, "/v2/images", wanted)
        .map_err(|message| Trouble::new("EntityNotFound", message))
}

fn find_flavor(world: &mut World, caller: &Caller, wanted: &str) -> Result<String, String> {
    let all = world.internal(caller, Service::Compute, Method::GET, "/v2.1/flavors", Value::Null);
    let all = all.map_err(|refusal| refusal.message)?;
    let found = all["flavors"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|flavor| flavor["id"] == wanted || flavor["name"] == wanted);
    let message = || format!("No Flavor matching {{'name': '{wanted}'}}. (HTTP 404)");
    found.map(|flavor| flavor["id"].as_str().unwrap_or_default().to_owned()).ok_or_else(message)
}

pub(super) fn flavor(job: &mut Job<'_>, wanted: &str) -> Result<String, Trouble> {
    let caller = job.caller.clone();
    find_flavor(job.world, &caller, wanted).map_err(|message| Trouble::new("EntityNotFound", message))
}

/// Checks a custom constraint; the error is Heat's sentence.
pub(in crate::simcloud::heat) fn custom(
    world: &mut World,
    caller: &Caller,
    constraint: &str,
    value: &str,
) -> Result<(), String> {
    let (service, path) = match constraint {
        "neutron.network" => (Service::Network, "/v2.0/networks"),
        "neutron.subnet" => (Service::Network, "/v2.0/subnets"),
        "neutron.port" => (Service::Network, "/v2.0/ports"),
        "neutron.router" => (Service::Network, "/v2.0/routers"),
        "neutron.security_group" => (Service::Network, "/v2.0/security-groups"),
        "designate.zone" => {
            return by_name_or_id(world, caller, Service::Dns, "/v2/zones", value)
                .map(drop)
                .map_err(|_| format!("The Designate Zone ({value}) could not be found."));
        }
        "glance.image" => {
            return by_name_or_id(world, caller, Service::Image, "/v2/images", value)
                .map(drop)
                .map_err(|_| format!("No images matching {{'name': '{value}'}}."));
        }
        "nova.flavor" => return find_flavor(world, caller, value).map(drop),
        "nova.keypair" => {
            let path = format!("/v2.1/os-keypairs/{value}");
            return world
                .internal(caller, Service::Compute, Method::GET, &path, Value::Null)
                .map(drop)
                .map_err(|_| format!("The Key ({value}) could not be found."));
        }
        "net_cidr" => {
            let fits = value.split_once('/').is_some_and(|(base, prefix)| {
                base.parse::<std::net::IpAddr>().is_ok() && prefix.parse::<u8>().is_ok()
            });
            return if fits { Ok(()) } else { Err(format!("Invalid net cidr invalid IPNetwork {value} ")) };
        }
        "ip_addr" => {
            let fits = value.parse::<std::net::IpAddr>().is_ok();
            return if fits { Ok(()) } else { Err("Invalid IP address".to_owned()) };
        }
        "rel_dns_name" | "dns_name" | "dns_domain" => return dns(constraint, value),
        // Others are taken for satisfied: they concern services that are not simulated.
        _ => return Ok(()),
    };
    by_name_or_id(world, caller, service, path, value).map(drop)
}

/// Heat's own opinion of DNS names (`heat.common.netutils`): lower case only, and a domain ends with a dot.
fn dns(constraint: &str, value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Ok(());
    }
    if constraint == "rel_dns_name" {
        if value.ends_with('.') {
            return Err(format!("'{value}' is a FQDN. It should be a relative domain name."));
        }
        if value.len() > LONGEST_NAME - 3 {
            return Err(format!(
                "'{value}' contains '{}' characters. Adding a domain name will cause it to exceed the maximum \
                 length of a FQDN of '{LONGEST_NAME}'.",
                value.len()
            ));
        }
    }
    dns_format(value).map_err(|reason| format!("'{value}' not in valid format. Reason: {reason}"))?;
    if constraint == "dns_domain" && !value.ends_with('.') {
        return Err(format!("'{value}' must end with '.'."));
    }
    Ok(())
}

fn dns_format(value: &str) -> Result<(), String> {
    let bare = value.strip_suffix('.').unwrap_or(value);
    if bare.len() > LONGEST_NAME {
        return Err(format!("'{bare}' exceeds the {LONGEST_NAME} character FQDN limit"));
    }
    let labels: Vec<&str> = bare.split('.').collect();
    for label in &labels {
        if label.is_empty() {
            return Err("Encountered an empty component.".to_owned());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(format!("Name '{label}' must not start or end with a hyphen."));
        }
        let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if label.len() > LONGEST_LABEL || !label.bytes().all(fits) {
            return Err(format!(
                "Name '{label}' must be 1-{LONGEST_LABEL} characters long, each of which can only be \
                 alphanumeric or a hyphen."
            ));
        }
    }
    match labels.as_slice() {
        [_, .., tld] if value.ends_with('.') && tld.bytes().all(|c| c.is_ascii_digit()) => {
            Err(format!("TLD '{tld}' must not be all numeric."))
        }
        _ => Ok(()),
    }
}
