//! Keystone, the identity service (API v3), beyond getting a token.

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

use super::error::Error;
use super::lenient::null_default;
use super::service::Service;
use super::session::Session;
use super::token::Moment;

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

#[derive(Deserialize)]
struct ApplicationCredential {
    #[serde(default)]
    expires_at: Moment,
}

impl Keystone {
    /// When the session's own credentials end: its application credential or its user's password. [`None`] when they
    /// do not, or when Keystone does not tell. Reading one's own application credential is allowed by default, even
    /// with a restricted one
    /// (<https://docs.openstack.org/api-ref/identity/v3/#show-application-credential-details>).
    pub async fn credentials_expire_at(&self) -> Result<Option<Timestamp>, Error> {
        let Some(id) = self.session.application_credential_id() else {
            return Ok(self.session.password_expires_at());
        };
        let path = format!("/users/{}/application_credentials/{id}", self.session.user_id());
        let response = self.session.request(Service::Identity, Method::GET, path).send().await?;
        let credential: ApplicationCredential = response.read(Some("application_credential"))?;
        Ok(credential.expires_at.0)
    }

    /// The projects that this user has a role in: for "wrong project" hints.
    pub async fn own_projects(&self) -> Result<Vec<Project>, Error> {
        self.session
            .request(Service::Identity, Method::GET, "/auth/projects")
            .send()
            .await?
            .read(Some("projects"))
    }
}
