//! A session: one identity in one cloud, its token kept fresh, and the way in for every call.

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, RwLock};
use tokio::time::Instant;
use url::Url;

use super::catalog::Catalog;
use super::clouds::CloudConfig;
use super::endpoint::{self, PathError};
use super::error::Error;
use super::login::authenticate;
use super::options::SessionOptions;
use super::request::Request;
use super::service::{Interface, Service};
use super::token::{Named, Token};
use super::transport::Http;
use super::versions::{self, ApiVersion};

/// One identity in one cloud. Cloning is cheap, and clones share the token and the connections.
#[derive(Clone)]
pub struct Session {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub cloud: CloudConfig,
    pub http: Http,
    token: RwLock<Arc<Token>>,
    /// What does not change with the token.
    first: Arc<Token>,
    /// Held by the one caller that gets a new token.
    renewal: Mutex<Renewal>,
    /// The secrets of all credentials that were ever in use here.
    secrets: std::sync::RwLock<Vec<SecretString>>,
}

struct Renewal {
    /// With the credentials that are in use now.
    cloud: CloudConfig,
    /// The last refusal, so that those who waited do not ask again.
    refusal: Option<Refusal>,
}

struct Refusal {
    at: Instant,
    message: String,
    request_id: Option<String>,
}

/// How long a refusal of the credentials counts for others: repeated attempts lock accounts.
const REFUSAL_COUNTS: Duration = Duration::from_secs(5);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("cloud", &self.inner.cloud.name)
            .field("auth_url", &self.inner.cloud.auth_url.as_str())
            .field("user", &self.inner.first.user.name)
            .field("project", &self.project_name())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Authenticates and reads the catalogue.
    ///
    /// # Errors
    /// [`Error::Auth`] for refused credentials; otherwise why Keystone cannot be used.
    pub async fn connect(cloud: CloudConfig, options: SessionOptions) -> Result<Self, Error> {
        let http = Http::new(cloud.ca_pem.as_deref(), cloud.insecure, options)?;
        let token = Arc::new(authenticate(&http, &cloud).await?);
        Ok(Self {
            inner: Arc::new(Inner {
                secrets: std::sync::RwLock::new(vec![cloud.credentials.secret().clone()]),
                renewal: Mutex::new(Renewal { cloud: cloud.clone(), refusal: None }),
                cloud,
                http,
                first: Arc::clone(&token),
                token: RwLock::new(token),
            }),
        })
    }

    /// The entry's name in clouds.yaml.
    pub fn cloud_name(&self) -> &str {
        &self.inner.cloud.name
    }

    /// Where its Keystone is.
    pub fn auth_url(&self) -> &Url {
        &self.inner.cloud.auth_url
    }

    /// The project that the token is for.
    pub fn project_id(&self) -> Option<&str> {
        self.inner.first.project.as_ref().map(|p| p.id.as_str())
    }

    /// The name of that project.
    pub fn project_name(&self) -> Option<&str> {
        self.inner.first.project.as_ref().map(|p| p.name.as_str())
    }

    /// The user.
    pub fn user_id(&self) -> &str {
        &self.inner.first.user.id
    }

    /// The user's name.
    pub fn user_name(&self) -> &str {
        &self.inner.first.user.name
    }

    /// The user, whole.
    pub fn user(&self) -> &Named {
        &self.inner.first.user
    }

    /// The names of the user's roles in the project.
    pub fn roles(&self) -> &[String] {
        &self.inner.first.roles
    }

    /// The region that endpoints are taken from, if one was chosen.
    pub fn region(&self) -> Option<&str> {
        self.inner.cloud.region.as_deref()
    }

    /// The interface that endpoints are taken from.
    pub fn interface(&self) -> Interface {
        self.inner.cloud.interface
    }

    /// The catalogue, as of the first token.
    pub fn catalog(&self) -> &Catalog {
        &self.inner.first.catalog
    }

    /// Whether the catalogue (or an override) has the service in the chosen region and interface.
    pub fn has_service(&self, service: Service) -> bool {
        self.endpoint(service).is_ok()
    }

    /// Whether the credentials are an application credential: Heat cannot create trusts with one.
    pub fn uses_application_credential(&self) -> bool {
        self.inner.first.application_credential
    }

    /// The id of the application credential, if it is one and Keystone tells.
    pub(super) fn application_credential_id(&self) -> Option<&str> {
        self.inner.first.application_credential_id.as_deref()
    }

    /// When the user's password ends, if it does and is what the session uses.
    pub(super) fn password_expires_at(&self) -> Option<Timestamp> {
        self.inner.first.password_expires_at.filter(|_| !self.uses_application_credential())
    }

    /// When the current token ends, by Keystone's clock.
    pub async fn token_expires_at(&self) -> Timestamp {
        self.inner.token.read().await.expires_at
    }

    /// A call to a service: `path` is relative to its versioned root (`/ports`, `/zones`, `/stacks`, `/servers`, `/images`,
    /// `/projects`) and plain text, not percent-encoded.
    pub fn request(&self, service: Service, method: Method, path: impl Into<String>) -> Request {
        Request::new(self.clone(), service, method, path.into())
    }

    /// The versioned root of a service.
    ///
    /// # Errors
    /// [`Error::EndpointNotFound`] listing what exists.
    pub fn endpoint(&self, service: Service) -> Result<Url, Error> {
        let cloud = &self.inner.cloud;
        if let Some(url) = cloud.endpoint_overrides.get(&service) {
            return endpoint::versioned_root(service, url, self.project_id())
                .map_err(|error| bad_request(service, &error));
        }
        let found = self.catalog().endpoint(service, cloud.interface, cloud.region.as_deref());
        match found {
            Ok(url) => endpoint::versioned_root(service, url, self.project_id())
                .map_err(|error| bad_request(service, &error)),
            // Keystone was just spoken to; old catalogues leave it out.
            Err(_) if service == Service::Identity => Ok(cloud.auth_url.clone()),
            Err(existing) => Err(Error::EndpointNotFound {
                service,
                interface: cloud.interface,
                region: cloud.region.clone(),
                existing,
            }),
        }
    }

    /// The versions that a service lists at its root (300 is a usual status there).
    ///
    /// # Errors
    /// As every call; an answer without versions is an empty list.
    pub async fn versions(&self, service: Service) -> Result<Vec<ApiVersion>, Error> {
        let url = endpoint::unversioned_root(&self.endpoint(service)?);
        let request = self.request(service, Method::GET, "/");
        let response = self.execute_at(request, url, true).await?;
        if response.is_success() || response.status == 300 {
            return Ok(versions::parse(&response.body));
        }
        Err(response.unexpected(&format!("status {} instead of the list of versions", response.status)))
    }

    /// A token that lives for a while yet.
    pub(super) async fn token(&self) -> Result<Arc<Token>, Error> {
        let current = Arc::clone(&*self.inner.token.read().await);
        if Instant::now() < current.replace_at {
            return Ok(current);
        }
        self.renew(&current).await
    }

    /// Replaces a token; whoever comes while somebody else is at it waits and gets the same new one.
    pub(super) async fn renew(&self, stale: &Arc<Token>) -> Result<Arc<Token>, Error> {
        let mut renewal = self.inner.renewal.lock().await;
        let current = Arc::clone(&*self.inner.token.read().await);
        if !Arc::ptr_eq(&current, stale) {
            return Ok(current);
        }
        let recent = renewal.refusal.as_ref().filter(|refused| refused.at.elapsed() < REFUSAL_COUNTS);
        if let Some(refused) = recent {
            return Err(Error::Auth {
                message: refused.message.clone(),
                request_id: refused.request_id.clone(),
            });
        }
        match self.authenticate_again(&mut renewal.cloud).await {
            Ok(token) => {
                let token = Arc::new(token);
                *self.inner.token.write().await = Arc::clone(&token);
                renewal.refusal = None;
                tracing::debug!(cloud = self.inner.cloud.name, "got a new token");
                Ok(token)
            }
            Err(error) => {
                if let Error::Auth { message, request_id } = &error {
                    renewal.refusal = Some(Refusal {
                        at: Instant::now(),
                        message: message.clone(),
                        request_id: request_id.clone(),
                    });
                }
                Err(error)
            }
        }
    }
}

impl Inner {
    /// Remembers a secret, to be struck out of whatever comes back.
    pub(super) fn keep_secret(&self, cloud: &CloudConfig) {
        let secret = cloud.credentials.secret();
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        if secrets.iter().all(|known| known.expose_secret() != secret.expose_secret()) {
            secrets.push(secret.clone());
        }
    }

    /// The secrets of all credentials that were ever in use.
    pub(super) fn secrets(&self) -> Vec<SecretString> {
        self.secrets.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(super) fn bad_request(service: Service, error: &PathError) -> Error {
    Error::BadRequest { service, reason: error.to_string() }
}
