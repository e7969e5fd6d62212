//! Finds out, once a run, what the cloud declares, and chooses what the owner left out. Reads only.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::cloud::fault_of;
use super::fault::StepFault;
use crate::dns::NameServer;
use crate::openstack::{EndpointPolicy, Error, Service, Session};
use crate::outcome::Role;
use crate::plan::CloudRequest;
use crate::plan::facts::{Choice, CloudFacts, Identity, NameServerFact};

/// From when on the end of credentials is warned of.
const WARN_BEFORE_END: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Looks at the cloud with the primary's eyes.
///
/// # Errors
/// Only what makes everything else pointless: a service that is in the catalogue and cannot be reached.
pub async fn discover(
    sessions: &BTreeMap<Role, Session>,
    request: &CloudRequest,
    policy: &EndpointPolicy,
    now: Timestamp,
) -> Result<CloudFacts, StepFault> {
    let Some(primary) = sessions.get(&Role::Primary) else {
        let message = "there are no credentials for primary";
        return Err(StepFault::errored(crate::outcome::Reason::AuthenticationFailed, message));
    };
    let mut facts = CloudFacts {
        region: primary.region().unwrap_or_default().to_owned(),
        identities: join_all(sessions.iter().map(|(role, session)| identity(*role, session)))
            .await
            .into_iter()
            .collect(),
        ..CloudFacts::default()
    };
    facts
        .warnings
        .extend(facts.identities.iter().filter_map(|(role, identity)| ends_soon(*role, identity, now)));
    let versions = join_all(Service::ALL.map(|service| version(primary, service))).await;
    for (service, version) in Service::ALL.into_iter().zip(versions) {
        if let Some(version) = version? {
            facts.services.insert(service.service_type().to_owned(), version);
        }
    }
    let has = |service: Service| facts.services.contains_key(service.service_type());
    if has(Service::Network) {
        let extensions = primary.neutron().extensions().await.map_err(|error| fault_of(&error))?;
        facts.extensions = extensions.into_iter().collect();
    }
    if has(Service::Orchestration) {
        facts.resource_types = resource_types(primary).await?;
    }
    facts.image = choose_image(primary, has(Service::Image), request.image.as_deref()).await?;
    facts.flavor = choose_flavor(primary, has(Service::Compute), request.flavor.as_deref()).await?;
    facts.floating_network =
        choose_floating_network(primary, has(Service::Network), request.floating_network.as_deref()).await?;
    facts.published_network =
        choose_published_network(primary, has(Service::Network), request.published_network.as_deref())
            .await?;
    (facts.name_servers, facts.name_servers_why) = name_servers(&request.nameservers, policy).await?;
    if primary.uses_application_credential() && has(Service::Orchestration) {
        facts.warnings.push(
            "the primary is an application credential: Heat makes a trust for every stack, and Keystone refuses \
             trusts to application credentials (CVE-2026-43000), so stacks are likely to fail; use a password"
                .to_owned(),
        );
    }
    Ok(facts)
}

async fn identity(role: Role, session: &Session) -> (Role, Identity) {
    // A cloud may forbid to read this; the credentials are as good as before then.
    let expires = session.keystone().credentials_expire_at().await.unwrap_or_else(|error| {
        tracing::debug!(%error, %role, "when the credentials end is not known");
        None
    });
    let identity = Identity {
        project_id: session.project_id().unwrap_or_default().to_owned(),
        project_name: session.project_name().unwrap_or_default().to_owned(),
        user_id: session.user_id().to_owned(),
        user_name: session.user_name().to_owned(),
        roles: session.roles().to_vec(),
        application_credential: session.uses_application_credential(),
        expires,
    };
    (role, identity)
}

/// Warns of credentials that end before somebody will have replaced them without haste.
fn ends_soon(role: Role, identity: &Identity, now: Timestamp) -> Option<String> {
    let expires = identity.expires.filter(|expires| *expires < now + WARN_BEFORE_END)?;
    let kind = if identity.application_credential { "application credential" } else { "password" };
    let days = expires.duration_since(now).as_hours() / 24;
    Some(format!("the {kind} of {role} ends at {expires:.0}, in {days} days: put another one in its place"))
}

/// The newest version that a service of the catalogue declares; [`None`] when it is not in the catalogue.
async fn version(session: &Session, service: Service) -> Result<Option<String>, StepFault> {
    if !session.has_service(service) {
        return Ok(None);
    }
    let versions = match session.versions(service).await {
        Ok(versions) => versions,
        // Some clouds hide the version documents behind a proxy; the service itself may still be fine.
        Err(Error::Api(_) | Error::Protocol { .. }) => Vec::new(),
        Err(error) => return Err(fault_of(&error)),
    };
    let newest = versions.into_iter().max_by(|one, other| (one.max, &one.id).cmp(&(other.max, &other.id)));
    Ok(Some(newest.map_or_else(
        || "unknown".to_owned(),
        |newest| newest.max.map_or_else(|| newest.id.clone(), |max| format!("{} ({max})", newest.id)),
    )))
}

async fn resource_types(session: &Session) -> Result<BTreeSet<String>, StepFault> {
    let types = session.heat().resource_types().await.map_err(|error| fault_of(&error))?;
    Ok(types.into_iter().collect())
}

/// Chooses by name or id out of what there is; the text says why.
fn by_name_or_id(kind: &str, wanted: &str, all: &[(String, String)]) -> Choice {
    let found: Vec<_> = all.iter().filter(|(id, name)| id == wanted || name == wanted).collect();
    match found.as_slice() {
        [(id, name)] => chosen(id, name, format!("{kind} '{wanted}' as given")),
        [] => {
            let names: Vec<&str> = all.iter().map(|(_, name)| name.as_str()).take(10).collect();
            none(format!("there is no {kind} '{wanted}'; there are: {}", list_or_none(&names)))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|(id, _)| id.as_str()).collect();
            none(format!("{kind} '{wanted}' is not unique; give one of the ids {}", ids.join(", ")))
        }
    }
}

fn list_or_none(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn chosen(id: &str, name: &str, why: String) -> Choice {
    Choice { id: Some(id.to_owned()), name: Some(name.to_owned()), why }
}

fn none(why: String) -> Choice {
    Choice { id: None, name: None, why }
}

fn not_in_catalogue(service: Service) -> Choice {
    none(format!("the {} service is not in the catalogue", service.service_type()))
}

async fn choose_image(session: &Session, there: bool, wanted: Option<&str>) -> Result<Choice, StepFault> {
    if !there {
        return Ok(not_in_catalogue(Service::Image));
    }
    let images = session.glance().images(None).await.map_err(|error| fault_of(&error))?;
    if let Some(wanted) = wanted {
        let all: Vec<_> = images.into_iter().map(|image| (image.id, image.name)).collect();
        return Ok(by_name_or_id("image", wanted, &all));
    }
    // The smallest boots fastest; names that say what they are for come first.
    let small = |name: &str| name.to_lowercase().contains("cirros");
    let best = images
        .iter()
        .min_by_key(|image| (!small(&image.name), image.min_disk, image.size, image.name.clone()));
    Ok(best.map_or_else(
        || none("there is no active image".to_owned()),
        |image| chosen(&image.id, &image.name, "the smallest active image, CirrOS first".to_owned()),
    ))
}

async fn choose_flavor(session: &Session, there: bool, wanted: Option<&str>) -> Result<Choice, StepFault> {
    if !there {
        return Ok(not_in_catalogue(Service::Compute));
    }
    let flavors = session.nova().flavors().await.map_err(|error| fault_of(&error))?;
    if let Some(wanted) = wanted {
        let all: Vec<_> = flavors.into_iter().map(|flavor| (flavor.id, flavor.name)).collect();
        return Ok(by_name_or_id("flavor", wanted, &all));
    }
    let best =
        flavors.iter().min_by_key(|flavor| (flavor.ram, flavor.vcpus, flavor.disk, flavor.name.clone()));
    Ok(best.map_or_else(
        || none("there is no flavor".to_owned()),
        |flavor| chosen(&flavor.id, &flavor.name, "the smallest flavor".to_owned()),
    ))
}

async fn choose_floating_network(
    session: &Session,
    there: bool,
    wanted: Option<&str>,
) -> Result<Choice, StepFault> {
    if !there {
        return Ok(not_in_catalogue(Service::Network));
    }
    let networks =
        session.neutron().networks(&[("router:external", "true")]).await.map_err(|error| fault_of(&error))?;
    let all: Vec<_> = networks.iter().map(|network| (network.id.clone(), network.name.clone())).collect();
    if let Some(wanted) = wanted {
        return Ok(by_name_or_id("external network", wanted, &all));
    }
    Ok(match all.as_slice() {
        [] => none("there is no external network".to_owned()),
        [(id, name)] => chosen(id, name, "the only external network".to_owned()),
        several => {
            let names: Vec<&str> = several.iter().map(|(_, name)| name.as_str()).collect();
            none(format!("there are several external networks ({}); give floatingNetwork", names.join(", ")))
        }
    })
}

async fn choose_published_network(
    session: &Session,
    there: bool,
    wanted: Option<&str>,
) -> Result<Choice, StepFault> {
    let Some(wanted) = wanted else {
        return Ok(none(
            "publishedNetwork is not given, and what makes a network one only admins see".to_owned(),
        ));
    };
    if !there {
        return Ok(not_in_catalogue(Service::Network));
    }
    let networks = session.neutron().networks(&[]).await.map_err(|error| fault_of(&error))?;
    if let Some(external) =
        networks.iter().find(|network| network.external && (network.id == wanted || network.name == wanted))
    {
        let name = &external.name;
        return Ok(none(format!(
            "network '{name}' is external: Neutron never publishes fixed addresses of those"
        )));
    }
    let all: Vec<_> = networks.into_iter().map(|network| (network.id, network.name)).collect();
    Ok(by_name_or_id("network", wanted, &all))
}

async fn name_servers(
    given: &[String],
    policy: &EndpointPolicy,
) -> Result<(Vec<NameServerFact>, String), StepFault> {
    if given.is_empty() {
        return Ok((Vec::new(), "not given: each zone's own NS set is resolved".to_owned()));
    }
    let mut all = Vec::new();
    for text in given {
        let servers = NameServer::resolve(text).await.map_err(|error| {
            let message = format!("name server '{text}' of spec.cloud.nameservers: {error}");
            StepFault::errored(crate::outcome::Reason::NameServerUnanswering, message)
        })?;
        for server in &servers {
            policy.check(server.address.ip()).map_err(|violation| {
                let message =
                    format!("name server '{text}' of spec.cloud.nameservers may not be asked: {violation}");
                StepFault::errored(crate::outcome::Reason::EndpointUnusable, message)
            })?;
        }
        all.extend(
            servers.into_iter().map(|server| NameServerFact { label: server.label, address: server.address }),
        );
    }
    Ok((all, "as given".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::without_an_end(false, None, None)]
    #[case::far_off(true, Some("2026-12-08T00:00:00Z"), None)]
    #[case::soon(
        true,
        Some("2026-11-26T12:00:00Z"),
        Some(
            "the application credential of alternate ends at 2026-11-26T12:00:00Z, in 3 days: put another one in its place"
        )
    )]
    #[case::a_password(
        false,
        Some("2026-11-23T12:00:00Z"),
        Some(
            "the password of alternate ends at 2026-11-23T12:00:00Z, in 0 days: put another one in its place"
        )
    )]
    fn the_end_of_credentials_is_told_ahead(
        #[case] application_credential: bool,
        #[case] expires: Option<&str>,
        #[case] warning: Option<&str>,
    ) {
        let expires = expires.map(|text| text.parse().unwrap());
        let identity = Identity { application_credential, expires, ..Identity::default() };
        let now = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(ends_soon(Role::Alternate, &identity, now).as_deref(), warning);
    }

    fn all() -> Vec<(String, String)> {
        [("1", "a"), ("2", "b"), ("3", "b")].map(|(id, name)| (id.to_owned(), name.to_owned())).to_vec()
    }

    #[test]
    fn a_name_that_is_not_there_lists_what_is() {
        let choice = by_name_or_id("image", "c", &all());
        assert_eq!((choice.id, choice.why.as_str()), (None, "there is no image 'c'; there are: a, b, b"));
    }

    #[test]
    fn a_name_that_is_not_unique_lists_the_ids() {
        let choice = by_name_or_id("network", "b", &all());
        assert_eq!(
            (choice.id, choice.why.as_str()),
            (None, "network 'b' is not unique; give one of the ids 2, 3")
        );
    }

    #[test]
    fn an_id_is_as_good_as_a_name() {
        assert_eq!(by_name_or_id("image", "3", &all()).id.as_deref(), Some("3"));
    }
}
