//! The shape of one call and its answer, as every simulated service sees them.

use std::{collections::BTreeMap, fmt};

use http::Method;
use serde_json::{Value, json};

/// The services of the simulated cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Keystone.
    Identity,
    /// Glance.
    Image,
    /// Nova.
    Compute,
    /// Neutron.
    Network,
    /// Designate.
    Dns,
    /// Heat.
    Orchestration,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 6] = [
        Self::Identity,
        Self::Image,
        Self::Compute,
        Self::Network,
        Self::Dns,
        Self::Orchestration,
    ];

    /// The type that the catalogue gives it.
    pub fn catalog_type(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Image => "image",
            Self::Compute => "compute",
            Self::Network => "network",
            Self::Dns => "dns",
            Self::Orchestration => "orchestration",
        }
    }

    /// The project's name.
    pub(crate) fn project(self) -> &'static str {
        match self {
            Self::Identity => "keystone",
            Self::Image => "glance",
            Self::Compute => "nova",
            Self::Network => "neutron",
            Self::Dns => "designate",
            Self::Orchestration => "heat",
        }
    }

    /// The first segment of its paths on the one listener, as `DevStack` lays them out.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Image => "image",
            Self::Compute => "compute",
            Self::Network => "networking",
            Self::Dns => "dns",
            Self::Orchestration => "heat-api",
        }
    }

    pub(crate) fn by_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.prefix() == prefix)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.catalog_type())
    }
}

/// Who calls, as the token says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller {
    pub(crate) user_id: String,
    pub(crate) user_name: String,
    pub(crate) project_id: String,
    pub(crate) roles: Vec<String>,
    /// The token came from an application credential: Keystone grants it no trusts.
    pub(crate) application_credential: bool,
}

impl Caller {
    pub(crate) fn is_admin(&self) -> bool {
        self.roles.iter().any(|role| role == "admin")
    }

    /// Whether the roles allow changes.
    pub(crate) fn may_write(&self) -> bool {
        self.roles
            .iter()
            .any(|role| role == "admin" || role == "member")
    }

    /// Whether something of that project may be seen and changed.
    pub(crate) fn owns(&self, project_id: &str) -> bool {
        self.is_admin() || self.project_id == project_id
    }
}

/// One call to a service.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path's segments after the service's prefix, decoded, without empty ones.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
    pub(crate) caller: Caller,
    pub(crate) request_id: String,
    /// One service calls another inside the cloud.
    pub(crate) in_process: bool,
}

impl Call {
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A header that says yes.
    pub(crate) fn header_is_true(&self, name: &str) -> bool {
        self.header(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Text(&'static str, String),
}

/// The answer to a call.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Json(body),
        }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    pub(crate) fn text(status: u16, content_type: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Text(content_type, text.into()),
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn into_value(self) -> Value {
        match self.body {
            Body::Json(value) => value,
            Body::Empty | Body::Text(..) => Value::Null,
        }
    }
}

/// A call refused; each service puts it into its own envelope.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The service's own word for the kind of error.
    pub(crate) kind: String,
    pub(crate) message: String,
    /// What some services add (Designate's `errors`).
    pub(crate) detail: Option<Value>,
}

impl Refusal {
    pub(crate) fn new(status: u16, kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: kind.into(),
            message: message.into(),
            detail: None,
        }
    }

    /// The error as the service writes it.
    pub(crate) fn envelope(&self, service: Service, request_id: &str) -> Reply {
        let Self {
            status,
            kind,
            message,
            detail,
        } = self;
        let status = *status;
        // keystonemiddleware answers for most services, in Keystone's shape.
        if status == 401 && service != Service::Image {
            return Reply::json(
                401,
                json!({"error": {"code": 401, "title": "Unauthorized", "message": message}}),
            );
        }
        match service {
            Service::Identity => Reply::json(
                status,
                json!({"error": {"code": status, "title": reason(status), "message": message}}),
            ),
            Service::Image => webob(status, message),
            Service::Compute => {
                let body = json!({kind.as_str(): {"code": status, "message": message}});
                Reply::json(status, body)
                    .with_header("content-type", "application/json; charset=UTF-8")
            }
            Service::Network => Reply::json(
                status,
                json!({"NeutronError": {"type": kind, "message": message, "detail": ""}}),
            ),
            Service::Dns if kind.is_empty() => Reply::empty(status),
            Service::Dns => {
                let mut body = json!({"code": status, "type": kind, "request_id": request_id});
                if !message.is_empty() {
                    body["message"] = json!(message);
                }
                if let Some(detail) = detail {
                    body["errors"] = detail.clone();
                }
                Reply::json(status, body)
            }
            Service::Orchestration => {
                let mut error = json!({"type": kind, "traceback": null});
                // Heat leaves an error of its own without a message.
                if !message.is_empty() {
                    error["message"] = json!(message);
                }
                let explanation = explanation(status);
                let title = reason(status);
                Reply::json(
                    status,
                    json!({"code": status, "title": title, "explanation": explanation,
                        "error": error}),
                )
            }
        }
    }
}

/// The reason phrase that belongs to a status.
pub(crate) fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status)
        .ok()
        .and_then(|s| s.canonical_reason())
        .unwrap_or("Error")
}

/// webob's sentence for a status.
fn explanation(status: u16) -> &'static str {
    match status {
        400 => {
            "The server could not comply with the request since it is either malformed or \
             otherwise incorrect."
        }
        403 => "Access was denied to this resource.",
        404 => "The resource could not be found.",
        405 => "The method specified is not allowed for this resource.",
        409 => "There was a conflict when trying to complete your request.",
        503 => "The server is currently unavailable. Please try again at a later time.",
        _ => "The server has either erred or is incapable of performing the requested operation.",
    }
}

/// An answer as webob writes it by itself.
pub(crate) fn webob(status: u16, message: &str) -> Reply {
    let title = reason(status);
    Reply::json(
        status,
        json!({"message": format!("{message}<br /><br />\n\n\n"), "title": title,
            "code": format!("{status} {title}")}),
    )
}
