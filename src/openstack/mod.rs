//! An `OpenStack` client library: credentials, session, catalogue, transport, errors, one file a service.
//!
//! It knows nothing of tests or Kubernetes. The way in: read a [`CloudConfig`] (from a Secret's text with
//! [`CloudsFile`], or as the command line does with [`local_cloud`]), [`Session::connect`] with it, then either the
//! typed calls (`session.heat()`, `.neutron()`, `.nova()`, `.designate()`, `.glance()`, `.keystone()`) or
//! [`Session::request`] for anything else that a catalogued service offers.
//!
//! What the transport promises, for every call:
//! - redirects are never followed, so a token never leaves the host that the catalogue named;
//! - nothing is sent twice that may have had an effect (see [`RetryPolicy`]);
//! - an expired or refused token is replaced once, by one caller, while the others wait;
//! - answers are bounded in size and time; addresses are checked against an [`EndpointPolicy`];
//! - secrets never appear in `Debug`, `Display`, logs or errors.

mod auth;
mod catalog;
mod clouds;
pub mod designate;
mod endpoint;
mod envelope;
mod error;
mod exchange;
mod gate;
pub mod glance;
pub mod heat;

pub mod keystone;
mod lenient;
mod login;
mod microversion;
pub mod neutron;
pub mod nova;
mod observe;
mod options;
mod paging;
mod policy;
mod redact;
mod request;
mod resolver;
mod response;
mod retry;
mod rotation;
mod service;
mod session;
mod span;
mod token;
mod transport;
mod versions;

#[cfg(test)]
mod fixture_tests;
#[cfg(test)]
mod rotation_tests;
#[cfg(test)]
mod session_tests;
#[cfg(test)]
mod test_cloud;

pub use auth::{Credentials, DomainRef, ProjectRef, Scope, UserRef};
pub use catalog::{Catalog, CatalogEndpoint, CatalogService};
pub use clouds::{CaSource, CloudConfig, CloudsFile, ConfigError, LocalClouds, local_cloud, local_clouds};
pub use error::{ApiError, Error};
pub use gate::CallGate;
pub use microversion::Microversion;
pub use observe::{RequestObserver, RequestRecord};
pub use options::SessionOptions;
pub use policy::{Cidr, EndpointPolicy, PolicyViolation};
pub use request::Request;
pub use response::Response;
pub use retry::RetryPolicy;
pub use rotation::CredentialSource;
pub use service::{Interface, Service};
pub use session::Session;
pub use token::Named;
pub use transport::install_crypto_provider;
pub use versions::ApiVersion;
