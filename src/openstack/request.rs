//! Building one call and sending it.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;
use serde_json::Value;

use super::error::Error;
use super::microversion::Microversion;
use super::paging;
use super::response::Response;
use super::service::Service;
use super::session::Session;

/// Headers that this client sets itself, or that would change who is calling.
const RESERVED: [&str; 9] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "host",
    "transfer-encoding",
    "x-auth-token",
    "x-service-token",
    "x-subject-token",
];

/// A call to a service that is being built; nothing happens until one of the `send` methods.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    session: Session,
    pub(super) service: Service,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Value>,
    pub(super) repeatable: bool,
    /// A status beside 2xx that is a success of this call.
    pub(super) accepted: Option<u16>,
    /// What is wrong with the request as built so far; told when it is sent.
    pub(super) fault: Option<String>,
}

impl Request {
    pub(super) fn new(session: Session, service: Service, method: Method, path: String) -> Self {
        Self {
            session,
            service,
            repeatable: super::retry::is_repeatable(&method),
            method,
            path,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            accepted: None,
            fault: None,
        }
    }

    /// Adds one query parameter; a name may come more than once.
    #[allow(clippy::needless_pass_by_value)] // numbers and texts alike, without a `&`
    pub fn query(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Adds a query parameter if there is a value.
    pub fn query_opt(self, name: impl Into<String>, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Sets the body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_value(body) {
            Ok(value) => self.body = Some(value),
            Err(error) => self.fault = Some(format!("the body is not JSON: {error}")),
        }
        self
    }

    /// Sets a header. Headers that carry credentials, or that belong to the connection, are refused when sending.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(_)) if RESERVED.contains(&name.as_str()) => {
                self.fault = Some(format!("the header {name} cannot be set"));
            }
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            _ => self.fault = Some(format!("{name:?} is not a header with a valid value")),
        }
        self
    }

    /// Asks Nova for a microversion.
    pub fn microversion(self, version: Microversion) -> Self {
        self.header("openstack-api-version", &format!("compute {version}"))
            .header("x-openstack-nova-api-version", &version.to_string())
    }

    /// Says that the call must not be repeated although its method allows it (a Heat update, for example).
    pub fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// Says that this status, too, is a success of this call.
    pub fn accepting(mut self, status: u16) -> Self {
        self.accepted = Some(status);
        self
    }

    /// Sends; an answer that is not 2xx is an error.
    ///
    /// # Errors
    /// [`Error::Api`] with the service's words, or why there is no answer.
    pub async fn send(self) -> Result<Response, Error> {
        let session = self.session.clone();
        session.execute(self, false).await
    }

    /// Sends; every answer is a result, whatever its status (its body is kept as sent, secrets struck out of errors).
    ///
    /// # Errors
    /// Only why there is no answer.
    pub async fn send_any(self) -> Result<Response, Error> {
        let session = self.session.clone();
        session.execute(self, true).await
    }

    /// Sends a GET of a list and follows its pages; the answer is the last page's, with the items of all pages.
    ///
    /// `limit` asks for this many items a page; a list that is not paged is read as it is. Addresses of next pages are never
    /// followed, only their markers.
    ///
    /// # Errors
    /// As [`Request::send`]; [`Error::Protocol`] when the pages do not end.
    pub async fn send_pages(self, limit: u32) -> Result<Response, Error> {
        paging::send_pages(self, limit).await
    }
}
