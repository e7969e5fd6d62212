//! The cloud as the runner holds it: a session a role, the name servers, and errors turned into faults.

use std::collections::BTreeMap;

use http::Method;

use super::fault::StepFault;
use super::hints;
use crate::dns::{NameServer, names_equal};
use crate::openstack::{Error, Service, Session};
use crate::outcome::{Evidence, Reason, Role};
use crate::plan::CloudFacts;
use crate::scenario::{HttpMethod, ServiceType};

/// The sessions of a run, and who answers for its zones.
pub struct Cloud {
    sessions: BTreeMap<Role, Session>,
    name_servers: Vec<NameServer>,
}

impl Cloud {
    /// A cloud with these sessions; name servers are not known yet.
    pub fn new(sessions: BTreeMap<Role, Session>) -> Self {
        Self { sessions, name_servers: Vec::new() }
    }

    /// With the name servers that were found.
    #[must_use]
    pub fn knowing(mut self, facts: &CloudFacts) -> Self {
        self.name_servers = facts
            .name_servers
            .iter()
            .map(|server| NameServer { label: server.label.clone(), address: server.address })
            .collect();
        self
    }

    /// The session of a role.
    pub fn session(&self, role: Role) -> Result<&Session, StepFault> {
        self.sessions.get(&role).ok_or_else(|| {
            StepFault::errored(Reason::AuthenticationFailed, format!("there are no credentials for {role}"))
        })
    }

    /// All sessions.
    pub fn sessions(&self) -> impl Iterator<Item = (Role, &Session)> {
        self.sessions.iter().map(|(role, session)| (*role, session))
    }

    /// Who must answer for a zone: those that the owner gave, else the zone's own name servers.
    pub async fn name_servers_for(
        &self,
        session: &Session,
        zone: &str,
    ) -> Result<Vec<NameServer>, StepFault> {
        if !self.name_servers.is_empty() {
            return Ok(self.name_servers.clone());
        }
        let designate = session.designate();
        let zones = designate.zones(Some(zone)).await.map_err(|error| fault_of(&error))?;
        let Some(found) = zones.into_iter().find(|found| names_equal(&found.name, zone)) else {
            let message = format!("the name servers of zone {zone} are not known: there is no such zone");
            return Err(StepFault::failed(Reason::RecordMissing, message));
        };
        let hosts = designate.name_servers(&found.id).await.map_err(|error| fault_of(&error))?;
        let mut servers = Vec::new();
        for host in hosts {
            let resolved = NameServer::resolve(&host.hostname).await.map_err(|error| {
                let message = format!(
                    "name server {} of zone {zone} has no address: {error}; give spec.cloud.nameservers or --nameserver",
                    host.hostname
                );
                StepFault::errored(Reason::NameServerUnanswering, message)
            })?;
            servers.extend(resolved);
        }
        if servers.is_empty() {
            let message = format!(
                "zone {zone} has no name servers in Designate; give spec.cloud.nameservers or --nameserver"
            );
            return Err(StepFault::errored(Reason::NameServerUnanswering, message));
        }
        Ok(servers)
    }
}

/// The client's word for a document's service.
pub const fn service_of(service: ServiceType) -> Service {
    match service {
        ServiceType::Identity => Service::Identity,
        ServiceType::Orchestration => Service::Orchestration,
        ServiceType::Network => Service::Network,
        ServiceType::Compute => Service::Compute,
        ServiceType::Dns => Service::Dns,
        ServiceType::Image => Service::Image,
    }
}

/// The client's word for a service type written down in a ledger.
pub fn service_named(name: &str) -> Option<Service> {
    Service::ALL.into_iter().find(|service| service.service_type() == name)
}

/// HTTP's word for a document's method.
pub const fn method_of(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    }
}

/// What an error means for a step whose subject it is not.
pub fn fault_of(error: &Error) -> StepFault {
    let message = match hints::next_step(error) {
        Some(next) => format!("{} ({next})", with_sources(error)),
        None => with_sources(error),
    };
    let fault = match error {
        Error::Auth { .. } | Error::Config(_) => StepFault::errored(Reason::AuthenticationFailed, message),
        Error::Unreachable { .. } | Error::Tls { .. } => {
            StepFault::errored(Reason::CloudUnreachable, message)
        }
        Error::EndpointNotFound { .. } | Error::EndpointDenied { .. } => {
            StepFault::errored(Reason::EndpointUnusable, message)
        }
        Error::Withheld { .. } => StepFault::withheld(message),
        // The document asks for something that is no request.
        Error::BadRequest { .. } => StepFault::errored(Reason::ExpressionFailed, message),
        Error::Api(api) => fault_of_status(api.status, Reason::UnexpectedStatus, message),
        _ => StepFault::errored(Reason::ServiceError, message),
    };
    fault.with(evidence_of(error))
}

/// What a status means that is not among the wanted ones: the service was asked and said no, for this reason, or it could
/// not be asked.
pub fn fault_of_status(status: u16, said_no: Reason, message: String) -> StepFault {
    match status {
        401 => StepFault::errored(Reason::AuthenticationFailed, message),
        // Elsewhere, later, or broken.
        300..=399 | 429 | 500.. => StepFault::errored(Reason::ServiceError, message),
        _ => StepFault::failed(said_no, message),
    }
}

/// Whether a create that failed this way may have made something.
pub fn is_ambiguous(error: &Error) -> bool {
    error.may_have_had_effect()
}

/// What an error tells of the call that met it.
pub fn evidence_of(error: &Error) -> Evidence {
    let call = |service: &Service| Evidence {
        service: Some(service.service_type().to_owned()),
        observed: Some(error.to_string()),
        ..Evidence::default()
    };
    match error {
        Error::Api(api) => Evidence {
            method: Some(api.method.to_string()),
            path: Some(api.path.clone()),
            http_status: Some(api.status),
            request_id: api.request_id.clone(),
            observed: Some(api.message.clone()),
            ..call(&api.service)
        },
        Error::Protocol { service, method, path, request_id, .. } => Evidence {
            method: Some(method.to_string()),
            path: Some(path.clone()),
            request_id: request_id.clone(),
            ..call(service)
        },
        Error::Auth { request_id, .. } => {
            Evidence { request_id: request_id.clone(), http_status: Some(401), ..call(&Service::Identity) }
        }
        Error::Unreachable { service, host, reason, .. }
        | Error::Tls { service, host, reason }
        | Error::EndpointDenied { service, host, reason } => {
            Evidence { path: Some(host.clone()), observed: Some(reason.clone()), ..call(service) }
        }
        Error::EndpointNotFound { service, .. } | Error::BadRequest { service, .. } => call(service),
        _ => Evidence::default(),
    }
}

/// An error and what caused it, in one line.
pub fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
