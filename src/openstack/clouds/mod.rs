//! Descriptions of clouds, as every `OpenStack` client reads them: `clouds.yaml` with an optional `secure.yaml`, and
//! `OS_*` environment variables.

mod entry;
mod error;
mod file;
mod local;

use std::collections::BTreeMap;

use url::Url;

use super::auth::{Credentials, Scope};
use super::service::{Interface, Service};

pub use error::ConfigError;
pub use file::{CaSource, CloudsFile};
pub use local::{LocalClouds, local_cloud, local_clouds};

/// One cloud as one identity sees it: everything that a [`Session`](super::Session) needs.
#[derive(Debug, Clone)]
pub struct CloudConfig {
    /// The entry's name (`envvars` for environment variables).
    pub name: String,
    /// Keystone's root, with its version.
    pub auth_url: Url,
    /// Who.
    pub credentials: Credentials,
    /// For what.
    pub scope: Scope,
    /// The region that endpoints are taken from; any if not said.
    pub region: Option<String>,
    /// The interface that endpoints are taken from.
    pub interface: Interface,
    /// Further certificate authorities, in PEM.
    pub ca_pem: Option<String>,
    /// `verify: false`: certificates are not checked. Never the default.
    pub insecure: bool,
    /// Addresses that count instead of the catalogue's.
    pub endpoint_overrides: BTreeMap<Service, String>,
}
