//! How this process speaks to the API server. Whoever leads no longer may not change anything, in Kubernetes or in a
//! cloud; and no request is waited for without an end.

use std::time::Duration;

use http::{Method, Request, Response};
use kube::client::Body;
use kube::client::retry::RetryPolicy;
use kube::{Client, Config};
use tower::retry::Retry;
use tower::{BoxError, Service, service_fn};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use super::lease::Leadership;
use crate::openstack::CallGate;

/// How long a request may take, its answer included. An API server gives up after as long (`--request-timeout`).
const PATIENCE: Duration = Duration::from_mins(1);
/// The pauses before a request is sent again that the API server was too busy for (429, 503, 504), and how many.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const AGAIN: u32 = 8;

impl CallGate for Leadership {
    fn is_open(&self) -> bool {
        self.holds()
    }
}

/// This process does not lead.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not sent: this process does not lead any more")]
pub struct NotLeading;

/// The API server took too long.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no answer within {} s", PATIENCE.as_secs())]
pub struct NoAnswer;

/// A client that sends each request once: what is sent again is decided here, where it is also known whether it may be.
///
/// # Errors
/// When the configuration cannot be used.
pub fn connect(mut config: Config) -> Result<Client, kube::Error> {
    config.default_retry = false;
    Client::try_from(config)
}

/// A client that asks a busy API server again.
pub fn patient(client: Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    again(service_fn(move |request| send(client.clone(), request)), namespace)
}

/// The same, but it writes only while this process leads: each time that something is sent again, too.
pub fn fenced(client: Client, leadership: Leadership) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = service_fn(move |request: Request<Body>| {
        let client = client.clone();
        let allowed = *request.method() == Method::GET || leadership.holds();
        async move { if allowed { send(client, request).await } else { Err(NotLeading.into()) } }
    });
    again(service, namespace)
}

fn again<S>(service: S, namespace: String) -> Client
where
    S: Service<Request<Body>, Response = Response<Body>, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let policy = RetryPolicy::new(PAUSE, LONGEST_PAUSE, AGAIN, false).unwrap_or_default();
    Client::new(Retry::new(policy, service), namespace)
}

/// Sends once, and waits for the whole answer. A watch goes on for as long as the API server lets it.
async fn send(client: Client, request: Request<Body>) -> Result<Response<Body>, BoxError> {
    let query = request.uri().query().unwrap_or_default();
    let is_watch = query.split('&').any(|pair| pair == "watch=true");
    // Connections outlive the request that opened them, and would keep the span of a run open.
    let answer = async move { client.send(request).await }.with_subscriber(NoSubscriber::new());
    if is_watch {
        return Ok(answer.await?);
    }
    let whole = async {
        let (head, body) = answer.await?.into_parts();
        Ok::<_, BoxError>(Response::from_parts(head, Body::from(body.collect_bytes().await?)))
    };
    tokio::time::timeout(PATIENCE, whole).await.unwrap_or_else(|_| Err(NoAnswer.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use http::StatusCode;
    use tokio::time::Instant;

    use super::*;

    fn request(method: Method, path: &str) -> Request<Vec<u8>> {
        Request::builder().method(method).uri(path).body(Vec::new()).unwrap()
    }

    /// An API server that is always busy, and how often it was asked.
    async fn busy() -> (Client, Arc<AtomicUsize>) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            async { StatusCode::SERVICE_UNAVAILABLE }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        (connect(Config::new(here.parse().unwrap())).unwrap(), asked)
    }

    #[tokio::test]
    async fn what_is_sent_again_is_sent_only_while_this_process_leads() {
        let (client, asked) = busy().await;
        let until = Instant::now() + Duration::from_secs(1);
        let fenced = fenced(client.clone(), Leadership::until(until));
        let error = fenced.request_text(request(Method::POST, "/api")).await.unwrap_err();
        assert!(Instant::now() >= until);
        assert!(matches!(&error, kube::Error::Service(why) if why.is::<NotLeading>()), "{error:?}");
        let times = asked.load(Ordering::Relaxed);
        assert!(times > 1, "it was asked {times} times");
        // Whoever holds the bare client decides himself.
        client.request_text(request(Method::POST, "/api")).await.unwrap_err();
        assert_eq!(asked.load(Ordering::Relaxed), times + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn no_request_is_waited_for_without_an_end_but_a_watch_is() {
        let slow = service_fn(|_: Request<Body>| async {
            tokio::time::sleep(PATIENCE * 4).await;
            Ok::<_, BoxError>(Response::new(Body::empty()))
        });
        let client = patient(Client::new(slow, "default"));
        let error = client.request_text(request(Method::GET, "/api?limit=1")).await.unwrap_err();
        assert!(matches!(&error, kube::Error::Service(why) if why.is::<NoAnswer>()), "{error:?}");
        client.request_text(request(Method::GET, "/api?limit=1&watch=true")).await.unwrap();
    }
}
