//! An answer, with its evidence.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::Error;
use super::service::Service;

/// The headers that are kept. Tokens and cookies are not among them.
const KEPT: [&str; 7] = [
    "content-type",
    "location",
    "openstack-api-version",
    "retry-after",
    "x-compute-request-id",
    "x-openstack-request-id",
    "x-openstack-nova-api-version",
];

/// What a service answered.
#[derive(Debug, Clone)]
pub struct Response {
    /// Who answered.
    pub service: Service,
    /// To which method.
    pub method: Method,
    /// To which path (of the whole address: with the service's prefix and version).
    pub path: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers that tell something, by their lower-case names.
    pub headers: BTreeMap<String, String>,
    /// The body: JSON; a string when the service sent another kind of text; null when there is none.
    pub body: Value,
    /// The service's request id.
    pub request_id: Option<String>,
    /// The id that this client sent (the global request id of the service's logs).
    pub global_request_id: String,
    /// From sending to the last byte, of the attempt that succeeded.
    pub elapsed: Duration,
    /// Whether an earlier attempt of this call may have had its effect already: it was sent, and its answer got lost.
    pub repeated: bool,
}

impl Response {
    /// Reads the body, or one member of it, as a type.
    ///
    /// # Errors
    /// [`Error::Protocol`] naming what does not fit.
    pub fn read<T: DeserializeOwned>(mut self, member: Option<&str>) -> Result<T, Error> {
        let body = match member {
            None => std::mem::take(&mut self.body),
            Some(name) => match self.body.get_mut(name) {
                Some(value) => value.take(),
                None => return Err(self.unexpected(&format!("there is no {name:?} in the answer"))),
            },
        };
        serde_json::from_value(body).map_err(|error| self.unexpected(&error.to_string()))
    }

    /// Whether the status says success (2xx).
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether this answers a DELETE that an earlier attempt, whose answer got lost, had carried out: the service itself
    /// says that the thing does not exist.
    pub fn was_deleted_before(&self) -> bool {
        let said = || super::envelope::read(self.body.to_string().as_bytes());
        let own = || self.request_id.is_some() || !said().kind.is_empty();
        self.repeated && self.method == Method::DELETE && self.status == 404 && own()
    }

    /// The service's own words, when the answer is an error.
    pub fn error_message(&self) -> Option<String> {
        if (300..400).contains(&self.status) {
            return Some(super::exchange::status_words(self.status));
        }
        let said = || super::envelope::read(self.body.to_string().as_bytes()).message;
        (!self.is_success()).then(said).filter(|message| !message.is_empty())
    }

    pub(super) fn unexpected(&self, reason: &str) -> Error {
        Error::Protocol {
            service: self.service,
            method: self.method.clone(),
            path: self.path.clone(),
            // It may quote what it found in the answer.
            reason: super::envelope::tidy(reason, super::envelope::LONGEST),
            request_id: self.request_id.clone(),
        }
    }
}

pub(super) fn kept_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    KEPT.iter()
        .filter_map(|name| {
            let value = headers.get(*name)?.to_str().ok()?;
            Some(((*name).to_owned(), super::envelope::tidy(value, 500)))
        })
        .collect()
}

/// Nova says it under two names, old ones under one of them only.
pub(super) fn request_id(headers: &BTreeMap<String, String>) -> Option<String> {
    headers.get("x-openstack-request-id").or_else(|| headers.get("x-compute-request-id")).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_quoted_in_short() {
        let response = Response {
            service: Service::Orchestration,
            method: Method::GET,
            path: "/stacks".to_owned(),
            status: 200,
            headers: BTreeMap::new(),
            body: Value::String("long ".repeat(10_000)),
            request_id: None,
            global_request_id: String::new(),
            elapsed: Duration::ZERO,
            repeated: false,
        };
        let error = response.read::<Vec<String>>(None).unwrap_err().to_string();
        assert!(error.contains("invalid type: string \"long long"), "{error}");
        assert!(error.chars().count() < 700, "{error}");
    }
}
