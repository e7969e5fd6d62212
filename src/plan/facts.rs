//! What is known of a cloud: discovered once a run, and recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::outcome::Role;

/// What was found of a cloud and chosen from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CloudFacts {
    /// Region.
    pub region: String,
    /// Services of the catalogue by type, with the version found.
    pub services: BTreeMap<String, String>,
    /// Neutron extension aliases.
    pub extensions: BTreeSet<String>,
    /// Heat resource types that the primary may use.
    pub resource_types: BTreeSet<String>,
    /// Who each credential is.
    pub identities: BTreeMap<Role, Identity>,
    /// Image to boot.
    pub image: Choice,
    /// Flavor to boot it with.
    pub flavor: Choice,
    /// External network for floating IPs.
    pub floating_network: Choice,
    /// Network whose ports' fixed addresses are published.
    pub published_network: Choice,
    /// Authoritative name servers given by the owner; empty: each zone's NS set is resolved when needed.
    pub name_servers: Vec<NameServerFact>,
    /// Where the name servers come from, or why there are none.
    pub name_servers_why: String,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// Who a credential is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Identity {
    /// Project id, from the token.
    pub project_id: String,
    /// Project name.
    pub project_name: String,
    /// User id.
    pub user_id: String,
    /// User name.
    pub user_name: String,
    /// Role names in the project.
    pub roles: Vec<String>,
    /// Whether it is an application credential.
    pub application_credential: bool,
    /// When the credential ends, if it does and Keystone tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// Something chosen, or the reason why nothing was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Choice {
    /// Its id; [`None`] when nothing fits.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Why this one, or why none.
    pub why: String,
}

/// A name server to ask.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NameServerFact {
    /// As the owner or the NS set calls it.
    pub label: String,
    /// Where it is asked.
    pub address: SocketAddr,
}
