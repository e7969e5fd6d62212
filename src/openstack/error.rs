//! What can go wrong with a cloud, sorted by who has to do something about it.

use http::Method;

use super::clouds::ConfigError;
use super::service::{Interface, Service};

/// Why a call has no result. No variant ever holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cloud's description cannot be used.
    #[error("the cloud's configuration cannot be used")]
    Config(#[from] ConfigError),
    /// Keystone does not accept the credentials.
    #[error("keystone refused the credentials: {message}")]
    Auth {
        /// Keystone's own words.
        message: String,
        /// Keystone's request id.
        request_id: Option<String>,
    },
    /// Nobody answered: the name is unknown, the connection failed, or time ran out.
    #[error("{service} at {host} cannot be reached: {reason}")]
    Unreachable {
        /// Who was asked.
        service: Service,
        /// Host and port.
        host: String,
        /// What the network said.
        reason: String,
        /// Whether the request may have arrived (the connection was there, the answer was not).
        sent: bool,
    },
    /// There is no trustworthy connection: the certificate or the TLS version.
    #[error("TLS with {service} at {host} failed: {reason}")]
    Tls {
        /// Who was asked.
        service: Service,
        /// Host and port.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The service answered with an error.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// The answer is not what a service of this kind says.
    #[error("{service} answered {method} {path} in an unexpected way: {reason}")]
    Protocol {
        /// Who was asked.
        service: Service,
        /// How.
        method: Method,
        /// For what.
        path: String,
        /// What is wrong with the answer.
        reason: String,
        /// The service's request id.
        request_id: Option<String>,
    },
    /// The catalogue has no such endpoint.
    #[error("the cloud has no {interface} endpoint for {} ({service}){}: {existing}", .service.service_type(), in_region(.region.as_deref()))]
    EndpointNotFound {
        /// What was looked for.
        service: Service,
        /// Which interface.
        interface: Interface,
        /// In which region.
        region: Option<String>,
        /// What there is instead.
        existing: String,
    },
    /// The endpoint's address may not be spoken to.
    #[error("{service} at {host} may not be spoken to: {reason}")]
    EndpointDenied {
        /// Who was to be asked.
        service: Service,
        /// Host and port.
        host: String,
        /// Which rule says so.
        reason: String,
    },
    /// This process may not act any more; nothing was sent.
    #[error("the request to {service} was not sent: this process may not act any more")]
    Withheld {
        /// Who was to be asked.
        service: Service,
    },
    /// The call itself is wrong: a path or header that is not allowed, or a body that cannot be written.
    #[error("the request to {service} is not allowed: {reason}")]
    BadRequest {
        /// Who was to be asked.
        service: Service,
        /// What is wrong.
        reason: String,
    },
}

/// An error that a service answered with, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{service} answered {method} {path} with {status}{}: {message}{}", kind_text(.kind), id_text(.request_id.as_deref()))]
pub struct ApiError {
    /// Who answered.
    pub service: Service,
    /// To which method.
    pub method: Method,
    /// To which path (of the whole address: with the service's prefix and version).
    pub path: String,
    /// The HTTP status.
    pub status: u16,
    /// The service's own name for the error (`StackExists`, `duplicate_zone`, `IpAddressInUse`, …), or empty.
    pub kind: String,
    /// The service's own words: plain text, at most 500 characters.
    pub message: String,
    /// The service's request id.
    pub request_id: Option<String>,
    /// The id that this client sent, which the service's logs have as the global request id.
    pub global_request_id: String,
}

impl ApiError {
    /// Whether it shows the marks of an `OpenStack` service: a request id, or an error with a kind.
    pub fn is_from_service(&self) -> bool {
        self.request_id.is_some() || !self.kind.is_empty()
    }
}

impl Error {
    /// Whether nobody answered.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// The HTTP status of a service's error (401 for refused credentials).
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api(error) => Some(error.status),
            Self::Auth { .. } => Some(401),
            _ => None,
        }
    }

    /// Whether the service itself says that the thing does not exist. A 404 of a proxy or of some other server at the
    /// address (no request id, no error of the service's kind) proves nothing and does not count.
    pub fn is_not_found(&self) -> bool {
        self.api().is_some_and(|error| error.status == 404 && error.is_from_service())
    }

    /// Whether the service says that the thing is in the way of another (409).
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// The service's error, if it is one.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    /// Whether a create that failed this way may nevertheless have made something: look it up before trying again.
    pub fn may_have_had_effect(&self) -> bool {
        match self {
            Self::Unreachable { sent, .. } => *sent,
            Self::Protocol { .. } => true,
            // 409: Neutron answers "external DNS over quota" after the floating IP is committed.
            Self::Api(error) => error.status >= 500 || error.status == 409,
            _ => false,
        }
    }

    /// The kind of trouble in one word, for metrics and status reasons.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Auth { .. } => "auth",
            Self::Unreachable { .. } => "unreachable",
            Self::Tls { .. } => "tls",
            Self::Api(_) => "api",
            Self::Protocol { .. } => "protocol",
            Self::EndpointNotFound { .. } => "endpoint-not-found",
            Self::EndpointDenied { .. } => "denied",
            Self::Withheld { .. } => "withheld",
            Self::BadRequest { .. } => "bad-request",
        }
    }
}

fn in_region(region: Option<&str>) -> String {
    region.map_or_else(String::new, |region| format!(" in region {region}"))
}

fn kind_text(kind: &str) -> String {
    if kind.is_empty() { String::new() } else { format!(" {kind}") }
}

fn id_text(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!(" ({id})"))
}
