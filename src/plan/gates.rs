//! Gates: what a scenario needs that a cloud declares, or does not. Behaviour is never a gate.

use super::facts::{Choice, CloudFacts};
use crate::api::tempest_run::{FeatureMode, Features};
use crate::scenario::document::Gates;
use crate::scenario::{Feature, NeededFact, ServiceType};

/// The first gate that this cloud closes, with what was found instead and the next step.
pub fn closed(gates: &Gates, facts: &CloudFacts, features: Features) -> Option<String> {
    if gates.closed.is_some() {
        return gates.closed.clone();
    }
    let feature = gates.features.iter().find(|feature| mode(features, **feature) == FeatureMode::NotOffered);
    if let Some(feature) = feature {
        let name = feature_name(*feature);
        return Some(format!("feature '{name}' is declared as not offered in spec.cloud.features"));
    }
    if let Some(role) = gates.credentials.iter().find(|role| !facts.identities.contains_key(role)) {
        return Some(format!("it acts as {role}; name the entry of clouds.yaml in spec.cloud.{role}"));
    }
    if let Some(service) =
        gates.services.iter().find(|service| !facts.services.contains_key(service.as_str()))
    {
        let there: Vec<&str> = facts.services.keys().map(String::as_str).collect();
        return Some(format!(
            "service '{}' is not in the catalogue; there are {}",
            service.as_str(),
            there.join(", ")
        ));
    }
    if let Some(alias) = gates.extensions.iter().find(|alias| !facts.extensions.contains(*alias)) {
        return Some(format!(
            "Neutron has no extension '{alias}'; its operator enables it with an extension driver of ML2"
        ));
    }
    if gates.services.contains(&ServiceType::Orchestration)
        && let Some(kind) = gates.resource_types.iter().find(|kind| !facts.resource_types.contains(*kind))
    {
        return Some(format!("Heat has no resource type '{kind}' for this user"));
    }
    gates.facts.iter().find_map(|fact| missing(*fact, facts))
}

fn missing(fact: NeededFact, facts: &CloudFacts) -> Option<String> {
    let unchosen = |what: &str, choice: &Choice| {
        choice.id.is_none().then(|| format!("no {what} to use: {}", choice.why))
    };
    match fact {
        NeededFact::Image => unchosen("image", &facts.image),
        NeededFact::Flavor => unchosen("flavor", &facts.flavor),
        NeededFact::FloatingNetwork => unchosen("floatingNetwork", &facts.floating_network),
        NeededFact::PublishedNetwork => unchosen("publishedNetwork", &facts.published_network),
        // Without given ones each zone's NS set is resolved; that it cannot be is then the cloud's failure.
        NeededFact::NameServers => None,
    }
}

/// What the owner declares of a feature.
pub const fn mode(features: Features, feature: Feature) -> FeatureMode {
    match feature {
        Feature::Ptr => features.ptr,
        Feature::FloatingIpDns => features.floating_ip_dns,
        Feature::Guest => features.guest,
    }
}

const fn feature_name(feature: Feature) -> &'static str {
    match feature {
        Feature::Ptr => "ptr",
        Feature::FloatingIpDns => "floatingIpDns",
        Feature::Guest => "guest",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Role;
    use crate::plan::facts::Identity;
    use rstest::rstest;

    fn cloud() -> CloudFacts {
        let chosen = Choice { id: Some("1".into()), name: Some("one".into()), why: "given".into() };
        CloudFacts {
            services: ["dns", "network", "orchestration"]
                .map(|name| (name.to_owned(), "v2".to_owned()))
                .into(),
            extensions: ["dns-integration".to_owned()].into(),
            resource_types: ["OS::Designate::Zone".to_owned()].into(),
            identities: [(Role::Primary, Identity::default())].into(),
            image: Choice { why: "there is no active image".into(), ..Choice::default() },
            floating_network: chosen,
            ..CloudFacts::default()
        }
    }

    fn services() -> Gates {
        Gates { services: [ServiceType::Orchestration].into(), ..Gates::default() }
    }

    #[rstest]
    #[case::service(Gates { services: [ServiceType::Compute].into(), ..Gates::default() }, "'compute' is not in the catalogue; there are dns")]
    #[case::extension(Gates { extensions: ["dns-domain-ports".to_owned()].into(), ..Gates::default() }, "no extension 'dns-domain-ports'")]
    #[case::resource_type(Gates { resource_types: ["OS::Nova::Server".to_owned()].into(), ..services() }, "no resource type 'OS::Nova::Server'")]
    #[case::fact(Gates { facts: [NeededFact::Image].into(), ..Gates::default() }, "no image to use: there is no active image")]
    #[case::credentials(Gates { credentials: [Role::Admin].into(), ..Gates::default() }, "spec.cloud.admin")]
    fn a_closed_gate_says_what_is_there_instead(#[case] gates: Gates, #[case] words: &str) {
        let said = closed(&gates, &cloud(), Features::default()).expect("closed");
        assert!(said.contains(words), "{said}");
    }

    #[test]
    fn what_the_cloud_declares_opens_the_gates() {
        let gates = Gates {
            services: [ServiceType::Dns, ServiceType::Orchestration].into(),
            extensions: ["dns-integration".to_owned()].into(),
            resource_types: ["OS::Designate::Zone".to_owned()].into(),
            facts: [NeededFact::FloatingNetwork].into(),
            credentials: [Role::Primary].into(),
            features: [Feature::Ptr].into(),
            closed: None,
        };
        assert_eq!(closed(&gates, &cloud(), Features::default()), None);
        let refused = Gates { closed: Some("not as admin".to_owned()), ..gates.clone() };
        assert_eq!(closed(&refused, &cloud(), Features::default()).as_deref(), Some("not as admin"));
        let features = Features { ptr: FeatureMode::NotOffered, ..Features::default() };
        assert!(closed(&gates, &cloud(), features).is_some_and(|said| said.contains("'ptr'")));
    }
}
