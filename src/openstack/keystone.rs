//! Keystone, the identity service (API v3), beyond getting a token.

use http::Method;
use serde::Deserialize;

use super::error::Error;
use super::lenient::null_default;
use super::service::Service;
use super::session::Session;

/// The typed calls of Keystone.
#[derive(Debug, Clone)]
pub struct Keystone {
    session: Session,
}

impl Session {
    /// The typed calls of Keystone.
    pub fn keystone(&self) -> Keystone {
        Keystone { session: self.clone() }
    }
}

/// A project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Project {
    /// The id.
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "null_default")]
    pub name: String,
    /// The domain that it belongs to.
    #[serde(default, deserialize_with = "null_default")]
    pub domain_id: String,
    /// Whether it can be used.
    #[serde(default, deserialize_with = "null_default")]
    pub enabled: bool,
}

impl Keystone {
    /// The projects that this user has a role in: for "wrong project" hints.
    pub async fn own_projects(&self) -> Result<Vec<Project>, Error> {
        self.session
            .request(Service::Identity, Method::GET, "/auth/projects")
            .send()
            .await?
            .read(Some("projects"))
    }
}
