//! Names of ports: what Neutron takes as a name or a domain, and what it makes of them.

use serde_json::{Value, json};

use super::{Refusal, bad_request, text};
use crate::simcloud::{
    faults::{Fault, Target},
    wire::Caller,
    world::World,
};

/// A port's DNS row: its own attributes and what is published for it.
#[derive(Clone, Debug, Default)]
pub(super) struct PortDns {
    pub(super) name: String,
    pub(super) domain: String,
    pub(super) current_name: String,
    pub(super) current_domain: String,
    pub(super) previous_name: String,
    pub(super) previous_domain: String,
}

const DEFAULT_DOMAIN: &str = "openstacklocal.";
const KEYWORDS: [&str; 4] = ["<project_id>", "<project_name>", "<user_id>", "<user_name>"];

/// Whether Neutron takes port names at all: only if its own domain is not the default one.
pub(super) fn enabled(world: &World) -> bool {
    let domain = own_domain(world);
    !domain.is_empty() && domain != DEFAULT_DOMAIN
}

fn own_domain(world: &World) -> String {
    let domain = &world.options.dns_domain;
    if domain.is_empty() || domain.ends_with('.') { domain.clone() } else { format!("{domain}.") }
}

fn invalid(field: &str, name: &str, why: &str) -> Refusal {
    bad_request(format!(
        "Invalid input for {field}. Reason: '{name}' not a valid PQDN or FQDN. Reason: {why}."
    ))
}

/// Checks the shape that names and domains share.
fn check(field: &str, name: &str) -> Result<(), Refusal> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let labels: Vec<&str> = bare.split('.').collect();
    if labels.iter().any(|label| label.is_empty()) {
        return Err(invalid(field, name, "Encountered an empty component"));
    }
    for label in &labels {
        let fits = label.len() <= 63 && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        if !fits {
            let why = format!(
                "Name '{label}' must be 1-63 characters long, each of which can only be \
                 alphanumeric or a hyphen"
            );
            return Err(invalid(field, name, &why));
        }
        if label.starts_with('-') || label.ends_with('-') {
            let why = format!("Name '{label}' must not start or end with a hyphen");
            return Err(invalid(field, name, &why));
        }
    }
    // A single label has no top-level domain.
    if let Some(tld) = labels.last().filter(|_| labels.len() > 1)
        && tld.bytes().all(|c| c.is_ascii_digit())
    {
        return Err(invalid(field, name, &format!("TLD '{tld}' must not be all numeric")));
    }
    if name.len() > 255 {
        return Err(invalid(field, name, "it exceeds the 255 character FQDN limit"));
    }
    Ok(())
}

/// A `dns_name` as Neutron stores it; none where the client sent none.
pub(super) fn name(world: &World, value: &Value) -> Result<Option<String>, Refusal> {
    let name = match value {
        Value::Null => return Ok(None),
        Value::String(name) => name.to_ascii_lowercase(),
        other => return Err(invalid("dns_name", &other.to_string(), "not a string")),
    };
    if name.is_empty() {
        return Ok(Some(name));
    }
    match check_name(world, &name) {
        Err(refusal) if !world.faults.hit(&Fault::NamesUnchecked, Target::named(&name)) => Err(refusal),
        _ => Ok(Some(name)),
    }
}

fn check_name(world: &World, name: &str) -> Result<(), Refusal> {
    check("dns_name", name)?;
    let domain = own_domain(world);
    if name.ends_with('.') && !name.ends_with(&format!(".{domain}")) {
        let domain = domain.trim_end_matches('.');
        let message = format!(
            "Invalid input for dns_name. Reason: The dns_name passed is a FQDN. Its higher level \
             labels must be equal to the dns_domain option in neutron.conf, that has been set to \
             '{domain}'. It must also include one or more valid DNS labels to the left of \
             '{domain}'."
        );
        return Err(bad_request(message));
    }
    Ok(())
}

/// The name that a port gets, unless a fault drops it.
pub(super) fn for_port(world: &World, value: &Value) -> Result<Option<String>, Refusal> {
    Ok(name(world, value)?.map(|name| if dropped(world, &name) { String::new() } else { name }))
}

/// Whether a fault drops a name.
pub(super) fn dropped(world: &World, name: &str) -> bool {
    !name.is_empty() && world.faults.hit(&Fault::NameDropped, Target::named(name))
}

/// A `dns_domain` as Neutron stores it; none where the client sent none.
pub(super) fn domain(value: &Value) -> Result<Option<String>, Refusal> {
    let domain = match value {
        Value::Null => return Ok(None),
        Value::String(domain) => domain.to_ascii_lowercase(),
        other => return Err(invalid("dns_domain", &other.to_string(), "not a string")),
    };
    if domain.is_empty() {
        return Ok(Some(domain));
    }
    if !domain.ends_with('.') {
        return Err(bad_request(format!("Invalid input for dns_domain. Reason: '{domain}' is not a FQDN.")));
    }
    let plain = KEYWORDS.iter().fold(domain.clone(), |plain, word| plain.replace(word, "x"));
    check("dns_domain", &plain)?;
    Ok(Some(domain))
}

/// Fills in the keywords of a domain with what the caller is.
pub(super) fn expand(world: &World, caller: &Caller, domain: &str) -> String {
    if !domain.contains('<') {
        return domain.to_owned();
    }
    let project = world.identity.project_name(&caller.project_id);
    domain
        .replace("<project_id>", &caller.project_id)
        .replace("<project_name>", &project)
        .replace("<user_id>", &caller.user_id)
        .replace("<user_name>", &caller.user_name)
}

/// Adds what Neutron computes about a port's names.
pub(super) fn add_to(world: &World, port: &mut Value) {
    let dns = world.network.port_dns.get(text(port, "id"));
    let name = dns.map_or("", |dns| dns.name.as_str());
    let mut domain = own_domain(world);
    if let Some(dns) = dns
        && enabled(world)
        && !dns.current_domain.is_empty()
    {
        domain.clone_from(&dns.current_domain);
    }
    let assignment: Vec<Value> = port["fixed_ips"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|ip| {
            let address = text(ip, "ip_address");
            let hostname = if name.is_empty() {
                format!("host-{}", address.replace(['.', ':'], "-"))
            } else if world.faults.hit(&Fault::WrongAssignment, Target::named(name)) {
                "wrong".to_owned()
            } else {
                name.to_owned()
            };
            let fqdn = if hostname.ends_with('.') || domain.is_empty() {
                hostname.clone()
            } else {
                format!("{hostname}.{domain}")
            };
            json!({"ip_address": address, "hostname": hostname, "fqdn": fqdn})
        })
        .collect();
    port["dns_name"] = json!(name);
    port["dns_domain"] = json!(dns.map_or("", |dns| dns.domain.as_str()));
    port["dns_assignment"] = json!(assignment);
}
