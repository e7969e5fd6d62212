//! Bytes over HTTP: one exchange, bounded in time and size, without redirects and without anything of `OpenStack`.

use std::error::Error as StdError;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Once};
use std::time::Duration;

use futures::StreamExt;
use http::HeaderMap;
use reqwest::{Certificate, Client, RequestBuilder, redirect};
use tokio::sync::Semaphore;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;
use url::{Host, Url};

use super::clouds::ConfigError;
use super::options::SessionOptions;
use super::policy::PolicyViolation;
use super::resolver::GuardedResolver;

/// Makes `ring` the process's TLS provider; the second and later calls do nothing. Without it no client can be built.
pub fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the process has chosen already: that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// An answer in bytes.
#[derive(Debug)]
pub(super) struct RawResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No connection: nothing was sent.
    NotConnected(String),
    /// The exchange broke or took too long.
    Broken(String),
    /// TLS.
    Tls(String),
    /// The policy.
    Denied(String),
    /// The answer is larger than allowed.
    TooLarge(usize),
    /// This process may not act any more: nothing was sent.
    Withheld,
}

/// The client of one session.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: Client,
    places: Arc<Semaphore>,
    options: SessionOptions,
}

impl Http {
    pub fn new(ca_pem: Option<&str>, insecure: bool, options: SessionOptions) -> Result<Self, ConfigError> {
        install_crypto_provider();
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            // A proxy would resolve names itself, past the policy.
            .no_proxy()
            .referer(false)
            .retry(reqwest::retry::never())
            .user_agent(options.user_agent.as_str())
            // Below Apache's 5 s: a request must not meet a connection that is being closed.
            .pool_idle_timeout(Duration::from_secs(4))
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.read_timeout)
            .timeout(options.request_timeout)
            .tls_danger_accept_invalid_certs(insecure)
            .dns_resolver(GuardedResolver { policy: options.policy.clone() });
        if let Some(pem) = ca_pem {
            let certificates = Certificate::from_pem_bundle(pem.as_bytes())
                .ok()
                .filter(|all| !all.is_empty())
                .ok_or(ConfigError::BadCa)?;
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|error| ConfigError::Client { reason: deepest(&error) })?;
        let places = Arc::new(Semaphore::new(options.max_in_flight.max(1)));
        Ok(Self { client, places, options })
    }

    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    pub fn request(&self, method: http::Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends and reads, whatever the status.
    pub async fn send(&self, url: &Url, request: RequestBuilder) -> Result<RawResponse, Trouble> {
        // Addresses written as such never pass the resolver.
        if let Some(address) = literal(url) {
            self.options.policy.check(address).map_err(|violation| Trouble::Denied(violation.to_string()))?;
        }
        // The semaphore is never closed; without a permit the request is sent all the same.
        let _place = self.places.acquire().await;
        // Last of all: whatever was waited for, it may have taken long.
        if self.options.gate.as_ref().is_some_and(|gate| !gate.is_open()) {
            return Err(Trouble::Withheld);
        }
        // Connections outlive the request that opened them, and would keep its span open.
        let sending = request.send().with_subscriber(NoSubscriber::new());
        let response = sending.await.map_err(|error| sort(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let limit = self.options.max_body;
        let mut body = Vec::new();
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| sort(&error))?;
            if body.len() + chunk.len() > limit {
                return Err(Trouble::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(RawResponse { status, headers, body })
    }
}

/// Host and port, for messages.
pub(super) fn host_of(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or("?"), url.port_or_known_default().unwrap_or(0))
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(v4) => Some(v4.into()),
        Host::Ipv6(v6) => Some(v6.into()),
        Host::Domain(_) => None,
    }
}

fn sort(error: &reqwest::Error) -> Trouble {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(violation) = current.downcast_ref::<PolicyViolation>() {
            return Trouble::Denied(violation.to_string());
        }
        if let Some(tls) = as_tls(current) {
            return Trouble::Tls(tls.to_string());
        }
        // Only a handshake can end before the connection counts as made.
        if error.is_connect() && is_unexpected_end(current) {
            return Trouble::Tls("the server ended the TLS handshake; it may speak plain HTTP".to_owned());
        }
        next = current.source();
    }
    if error.is_connect() {
        let reason = if error.is_timeout() { "connecting took too long".to_owned() } else { deepest(error) };
        return Trouble::NotConnected(reason);
    }
    if error.is_timeout() {
        return Trouble::Broken("the answer took too long".to_owned());
    }
    Trouble::Broken(deepest(error))
}

/// rustls hides its errors inside I/O errors, whose `source` skips what they hold.
fn as_tls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls);
    }
    let held = error.downcast_ref::<io::Error>()?.get_ref()?;
    held.downcast_ref::<rustls::Error>().or_else(|| as_tls(held))
}

fn is_unexpected_end(error: &(dyn StdError + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| {
        error.kind() == io::ErrorKind::UnexpectedEof
            || error.get_ref().is_some_and(|held| is_unexpected_end(held))
    })
}

/// The innermost message: what really happened. Outer ones may name the whole address.
fn deepest(error: &reqwest::Error) -> String {
    let mut current: &dyn StdError = error;
    while let Some(source) = current.source() {
        current = source;
    }
    if std::ptr::addr_eq(current, error) {
        return "the exchange failed".to_owned();
    }
    super::envelope::tidy(&current.to_string(), 200)
}
