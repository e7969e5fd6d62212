//! How a session behaves.

use std::sync::Arc;
use std::time::Duration;

use super::gate::CallGate;
use super::observe::RequestObserver;
use super::policy::EndpointPolicy;
use super::retry::RetryPolicy;
use super::rotation::CredentialSource;

/// How a session behaves; the default is right for an operator inside a cluster.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// How long connecting (TLS included) may take.
    pub connect_timeout: Duration,
    /// How long a server may be silent in the middle of an answer.
    pub read_timeout: Duration,
    /// How long one exchange may take in all. Heat's validation calls other services, so this is not short.
    pub request_timeout: Duration,
    /// The largest answer that is read, in bytes.
    pub max_body: usize,
    /// How many requests may be under way at once; the others wait for their turn, which no time-out counts.
    pub max_in_flight: usize,
    /// What is tried again, and how.
    pub retry: RetryPolicy,
    /// Which addresses may be spoken to.
    pub policy: EndpointPolicy,
    /// Who gives leave for every exchange; [`None`]: nobody needs to.
    pub gate: Option<Arc<dyn CallGate>>,
    /// Where credentials that Keystone refuses are read once more; [`None`]: they are what they are.
    pub credentials: Option<Arc<dyn CredentialSource>>,
    /// Who is told of every exchange.
    pub observer: Option<Arc<dyn RequestObserver>>,
    /// What the services' logs call this client.
    pub user_agent: String,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_mins(1),
            request_timeout: Duration::from_mins(2),
            max_body: 8 * 1024 * 1024,
            // More only queue in the services, at a few workers each, and cost a connection each at both ends.
            max_in_flight: 32,
            retry: RetryPolicy::default(),
            policy: EndpointPolicy::default(),
            gate: None,
            credentials: None,
            observer: None,
            user_agent: concat!("tempest-operator/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}
