//! The parsers against answers that a real cloud gave (`tests/fixtures/openstack`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rstest::rstest;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use super::designate::{PoolNameServer, RecordSet, Zone};
use super::glance::Image;
use super::heat::{Stack, StackAction, StackEvent, StackResource, StackState, StackStatus, TemplateSummary};
use super::neutron::{FloatingIp, Network, Port, Router, Subnet};
use super::nova::{Flavor, Server};
use super::token::Token;
use super::{Microversion, Service, envelope, paging, versions};

#[derive(Deserialize)]
struct Fixture {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Value,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openstack")
}

fn fixture(name: &str) -> Fixture {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// One member of a fixture's body (or all of it), as a type.
fn read<T: DeserializeOwned>(name: &str, member: &str) -> T {
    let body = fixture(name).body;
    let value = if member.is_empty() { body } else { body[member].clone() };
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_error_has_readable_words() {
    let mut errors = 0;
    for service in std::fs::read_dir(folder()).unwrap() {
        let service = service.unwrap().path();
        if !service.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(service).unwrap() {
            let path = file.unwrap().path();
            let fixture: Fixture = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            if fixture.status < 400 {
                continue;
            }
            errors += 1;
            let said = envelope::read(fixture.body.to_string().as_bytes());
            assert!(!said.kind.is_empty(), "{}: {said:?}", path.display());
            // Designate says nothing but the kind when it forbids.
            if said.kind != "forbidden" {
                assert!(!said.message.is_empty(), "{}: {said:?}", path.display());
            }
            assert!(!said.message.contains("<br"), "{}: {said:?}", path.display());
        }
    }
    assert!(errors > 40, "{errors}");
}

#[rstest]
#[case("designate/conflict-zone", "duplicate_zone", "Duplicate Zone")]
#[case("designate/bad-request-record", "invalid_object", "records.0: 'not an address' is not a 'A' Record")]
#[case("glance/not-found", "Not Found", "No image found with ID 00000000-0000-4000-8000-000000000000")]
#[case("heat/forbidden-reader", "Forbidden", "You are not authorized to use stacks:create.")]
#[case("heat/resource-type-designate-domain", "NotSupported", "OS::Designate::Domain is not supported.")]
#[case(
    "heat/stack-create-application-credential-restricted",
    "RemoteError",
    "The server has either erred or is incapable of performing the requested operation."
)]
#[case("keystone/token-wrong-password", "Unauthorized", "The request you have made requires authentication.")]
#[case("neutron/not-found", "PortNotFound", "Port 00000000-0000-4000-8000-000000000000 could not be found.")]
#[case("nova/bad-request-image", "badRequest", "Can not find requested image")]
fn errors(#[case] name: &str, #[case] kind: &str, #[case] message: &str) {
    let said = envelope::read(fixture(name).body.to_string().as_bytes());
    assert_eq!((said.kind.as_str(), said.message.as_str()), (kind, message));
}

#[rstest]
#[case("token-password", "demo", false)]
#[case("token-admin", "admin", false)]
#[case("token-reader", "demo", false)]
#[case("token-application-credential", "demo", true)]
fn tokens(#[case] name: &str, #[case] project: &str, #[case] application_credential: bool) {
    let body = fixture(&format!("keystone/{name}")).body;
    let received = Instant::now();
    let token = Token::parse("t".into(), body, Timestamp::UNIX_EPOCH, received).unwrap();
    assert_eq!(token.project.unwrap().name, project);
    assert_eq!(token.application_credential, application_credential);
    assert_eq!((token.replace_at - received).as_secs(), 3540);
    for service in Service::ALL {
        token.catalog.endpoint(service, super::Interface::Public, Some("RegionOne")).unwrap();
    }
}

fn status(action: StackAction, state: StackState) -> StackStatus {
    StackStatus { action, state }
}

#[test]
fn stacks() {
    let made: Stack = read("heat/stack-create-complete", "stack");
    assert_eq!(made.status, status(StackAction::Create, StackState::Complete));
    assert!(!made.outputs.is_empty());
    assert!(made.outputs.iter().all(|output| output.error.is_none()));
    let failed: Stack = read("heat/stack-create-failed", "stack");
    assert!(failed.status.is_failed());
    assert!(failed.status_reason.contains("192.0.2.1"));
    let deleted: Stack = read("heat/stack-after-delete", "stack");
    assert_eq!(deleted.status, status(StackAction::Delete, StackState::Complete));
    assert!(!deleted.is_gone(), "recorded before the deletion had a time");
    let all: Vec<Stack> = read("heat/stacks", "stacks");
    assert_eq!(all.len(), 1);
    let resources: Vec<StackResource> = read("heat/stack-create-failed-resources", "resources");
    assert!(resources.iter().any(|r| r.status == "CREATE_FAILED"));
    let events: Vec<StackEvent> = read("heat/stack-events", "events");
    assert!(events.iter().any(|e| e.status == "CREATE_COMPLETE" && !e.id.is_empty()));
    let types: Vec<String> = read("heat/resource-types", "resource_types");
    assert!(types.iter().any(|name| name == "OS::Designate::Zone"));
    assert!(!types.iter().any(|name| name == "OS::Designate::Domain"));
    let _: TemplateSummary = read("heat/template-validate", "");
}

#[test]
fn a_redirect_to_a_stack_names_it() {
    for name in ["stack-by-name-redirect", "stack-after-delete-by-name"] {
        let fixture = fixture(&format!("heat/{name}"));
        assert_eq!(fixture.status, 302);
        let stack = super::heat::redirected(&fixture.headers["location"]).unwrap();
        assert!(stack.name.starts_with("fixture"));
        assert_eq!(stack.id.len(), 36);
    }
    for location in ["", "http://c/x", "http://c/v1/p/stacks/", "/stacks/x"] {
        assert_eq!(super::heat::redirected(location), None, "{location}");
    }
}

#[test]
fn neutrons_things() {
    let networks: Vec<Network> = read("neutron/networks", "networks");
    assert!(networks.iter().any(|network| !network.external));
    let external: Vec<Network> = read("neutron/networks-external", "networks");
    assert!(!external.is_empty() && external.iter().all(|network| network.external));
    let seen_by_admin: Network = read("neutron/network-as-admin", "network");
    assert!(seen_by_admin.provider_network_type.is_some());
    let subnets: Vec<Subnet> = read("neutron/subnets", "subnets");
    assert!(subnets.iter().all(|s| s.ip_version == 4 || s.ip_version == 6));
    let routers: Vec<Router> = read("neutron/routers", "routers");
    assert!(routers.iter().any(|r| r.external_gateway_info.is_some()));
    let port: Port = read("neutron/port-published", "port");
    assert!(!port.dns_name.is_empty());
    assert_eq!(port.dns_assignment.len(), port.fixed_ips.len());
    assert!(port.dns_assignment[0].fqdn.ends_with('.'));
    let _: Vec<Port> = read("neutron/ports", "ports");
    let floating: FloatingIp = read("neutron/floatingip", "floatingip");
    assert!(floating.address.parse::<std::net::IpAddr>().is_ok());
    let found: Vec<FloatingIp> = read("neutron/floatingips-by-description", "floatingips");
    assert!(found.iter().all(|f| !f.description.is_empty()));
}

#[test]
fn novas_things() {
    let server: Server = read("nova/server-active", "server");
    assert_eq!((server.status.as_str(), &server.task_state), ("ACTIVE", &None));
    assert_eq!(server.addresses["private"][0].kind, "fixed");
    let old: Server = read("nova/server-active-microversion-2.1", "server");
    assert_eq!(old.id, server.id);
    let building: Server = read("nova/server-build", "server");
    assert_eq!(building.status, "BUILD");
    let flavors: Vec<Flavor> = read("nova/flavors", "flavors");
    assert!(flavors.iter().all(|flavor| flavor.ram > 0));
    let version = versions::parse(&fixture("nova/version").body);
    assert_eq!(version[0].max, Some(Microversion::new(2, 104)));
}

#[test]
fn designates_things() {
    let zone: Zone = read("designate/zone-active", "");
    assert!(zone.is_settled() && zone.serial > 0);
    let pending: Zone = read("designate/zone-pending", "");
    assert!(!pending.is_settled());
    let leaving: Zone = read("designate/zone-delete", "");
    assert_eq!((leaving.status.as_str(), leaving.action.as_str()), ("PENDING", "DELETE"));
    let broken: Zone = read("designate/zone-error", "");
    assert_eq!(broken.status, "ERROR");
    let set: RecordSet = read("designate/recordset-active", "");
    assert!(set.is_settled() && !set.records.is_empty());
    let sets: Vec<RecordSet> = read("designate/recordsets", "recordsets");
    assert!(sets.iter().any(|set| set.rtype == "SOA"));
    let servers: Vec<PoolNameServer> = read("designate/zone-nameservers", "nameservers");
    assert!(servers.iter().all(|server| server.hostname.ends_with('.')));
    let none: Vec<Zone> = read("designate/zones-none", "zones");
    assert!(none.is_empty());
}

#[test]
fn glances_things() {
    let images: Vec<Image> = read("glance/images", "images");
    assert_eq!(images[0].status, "active");
    let image: Image = read("glance/image", "");
    assert_eq!(image.id, images[0].id);
}

#[rstest]
#[case("designate/zones-page-1", "zones")]
#[case("designate/recordsets-page-1", "recordsets")]
#[case("heat/stack-events-page", "events")]
#[case("neutron/ports", "ports")]
#[case("nova/servers", "servers")]
#[case("glance/images", "images")]
fn lists_are_recognised(#[case] name: &str, #[case] key: &str) {
    assert_eq!(paging::list_key(&fixture(name).body).as_deref(), Some(key));
}

#[rstest]
#[case("keystone", "v3.14")]
#[case("nova", "v2.1")]
#[case("neutron", "v2.0")]
#[case("glance", "v2.0")]
#[case("heat", "v1.0")]
#[case("designate", "v2")]
fn version_lists(#[case] service: &str, #[case] id: &str) {
    let all = versions::parse(&fixture(&format!("{service}/versions")).body);
    assert!(all.iter().any(|version| version.id == id), "{all:?}");
}
