//! The next step for errors that people meet: the service's words stay, what to do is added.

use crate::openstack::{Error, Service};

/// What to do when an application credential cannot drive Heat (CVE-2026-43000).
pub const APPLICATION_CREDENTIAL: &str = ". The primary is an application credential: Keystone refuses trusts to \
     those, and Heat makes one for every stack. Use a user's password, or ask the cloud's operator about Heat's \
     deferred_auth_method";

/// Known words of services, in lower case, and what to do about them.
const HINTS: &[(&str, &str)] = &[
    ("illegal_child", ZONE_SUFFIX),
    ("illegal_parent", ZONE_SUFFIX),
    ("subzone in another tenants zone", ZONE_SUFFIX),
    ("subzone in another tenant's zone", ZONE_SUFFIX),
    ("invalid tld", "the cloud allows certain top-level domains only: use one of them in zoneSuffix"),
    ("no more ip addresses", "the network has no address left: free some, or give another network"),
    ("ipaddressgenerationfailure", "the network has no address left: free some, or give another network"),
    ("quota", "the project's quota is used up: raise it, or run tempest-operator sweep for old leavings"),
    ("no valid host", "no compute host can take the server: look at the flavor and the hosts' capacity"),
    (
        "trust",
        "Heat could not make a trust: the user needs to delegate its roles, which application credentials cannot",
    ),
];

const ZONE_SUFFIX: &str = "the zone suffix belongs to another project: give one that is yours to use";

/// What to do about an error that is about the way to a service, if anything is known.
pub fn next_step(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Auth { .. } => "look at user, password, project and domains of the entry in clouds.yaml",
        Error::Unreachable { service: Service::Identity, .. } => {
            "look at auth_url of the entry in clouds.yaml, and at the way there"
        }
        Error::Unreachable { .. } => {
            "look at the service itself, at its endpoint in 'openstack catalog list', and at the way there"
        }
        Error::Tls { .. } => {
            "look at the server's certificate, and give the CA that signed it as cacert, in the text of clouds.yaml"
        }
        Error::EndpointNotFound { .. } => "look at region and interface, and at 'openstack catalog list'",
        _ => return None,
    })
}

/// The service's words, and the next step where it is known.
pub fn explain(words: &str) -> String {
    let lower = words.to_lowercase();
    match HINTS.iter().find(|(known, _)| lower.contains(known)) {
        Some((_, hint)) => format!("{words} ({hint})"),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_error_says_what_to_do_and_keeps_the_services_words() {
        let said = explain("IpAddressGenerationFailureClient: No more IP addresses available on network x.");
        assert!(
            said.starts_with("IpAddressGenerationFailureClient") && said.contains("no address left"),
            "{said}"
        );
        assert_eq!(explain("something else"), "something else");
    }
}
