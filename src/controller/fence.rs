//! What a process that leads no longer may not do: change anything, in Kubernetes or in a cloud.

use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use tower::{BoxError, service_fn};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use super::lease::Leadership;
use crate::openstack::CallGate;

impl CallGate for Leadership {
    fn is_open(&self) -> bool {
        self.holds()
    }
}

/// This process does not lead.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not sent: this process does not lead any more")]
pub struct NotLeading;

/// A client that reads always, and writes only while this process leads.
pub fn fenced(client: Client, leadership: Leadership) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = service_fn(move |request: Request<Body>| {
        let client = client.clone();
        let allowed = *request.method() == Method::GET || leadership.holds();
        async move {
            if !allowed {
                return Err(NotLeading.into());
            }
            // Connections outlive the request that opened them, and would keep the span of a run open.
            client.send(request).with_subscriber(NoSubscriber::new()).await.map_err(BoxError::from)
        }
    });
    Client::new(service, namespace)
}
