//! Getting a token.

use http::{HeaderValue, Method};
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::Instant;
use uuid::Uuid;

use super::auth;
use super::clouds::CloudConfig;
use super::envelope;
use super::error::{ApiError, Error};
use super::exchange::{judge, read_body, status_words};
use super::observe::RequestRecord;
use super::redact;
use super::response::{kept_headers, request_id};
use super::service::Service;
use super::span::in_request;
use super::token::Token;
use super::transport::{Http, RawResponse, Trouble};

/// Asks Keystone for a token. Asking twice does no harm, so this POST is repeated like a GET.
pub(super) async fn authenticate(http: &Http, cloud: &CloudConfig) -> Result<Token, Error> {
    let mut url = cloud.auth_url.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["auth", "tokens"]);
    }
    let body = auth::token_request(&cloud.credentials, &cloud.scope);
    let mut attempt = 0;
    loop {
        let global_request_id = format!("req-{}", Uuid::new_v4());
        let started = Instant::now();
        let request = http
            .request(Method::POST, url.clone())
            .header("accept", "application/json")
            .header("x-openstack-request-id", global_request_id.as_str())
            .json(&body);
        let raw = in_request(Service::Identity, &Method::POST, &url, http.send(&url, request)).await;
        tell(http, &raw, started, url.path(), &global_request_id);
        let options = http.options();
        let pause = judge(&raw)
            .and_then(|(failure, after)| options.retry.pause(failure, true, attempt, after, rand::random()));
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
            attempt += 1;
            continue;
        }
        let raw = raw.map_err(|trouble| trouble.into_error(Service::Identity, &Method::POST, &url))?;
        return read(&raw, cloud, url.path(), global_request_id);
    }
}

fn tell(
    http: &Http,
    raw: &Result<RawResponse, Trouble>,
    started: Instant,
    path: &str,
    global_request_id: &str,
) {
    let elapsed = started.elapsed();
    let status_or_error = raw.as_ref().map(|raw| raw.status).map_err(Trouble::word);
    let request_id = raw.as_ref().ok().and_then(|raw| request_id(&kept_headers(&raw.headers)));
    tracing::debug!(
        service = %Service::Identity, method = "POST", path, status = ?status_or_error,
        elapsed_ms = elapsed.as_millis(), request_id = request_id.as_deref(), global_request_id,
        "openstack authentication"
    );
    if let Some(observer) = &http.options().observer {
        observer.observed(&RequestRecord {
            service: Service::Identity,
            method: Method::POST,
            status_or_error,
            elapsed,
            request_id,
        });
    }
}

fn read(
    raw: &RawResponse,
    cloud: &CloudConfig,
    path: &str,
    global_request_id: String,
) -> Result<Token, Error> {
    let headers = kept_headers(&raw.headers);
    let request_id = request_id(&headers);
    let secret = cloud.credentials.secret();
    let protocol = |reason: String| Error::Protocol {
        service: Service::Identity,
        method: Method::POST,
        path: path.to_owned(),
        reason: envelope::tidy(&redact::strike(&reason, &[secret]), envelope::LONGEST),
        request_id: request_id.clone(),
    };
    if !(200..300).contains(&raw.status) {
        let said = envelope::read(&raw.body);
        let message = redact::strike(&said.message, &[secret]);
        let message = if message.is_empty() { status_words(raw.status) } else { message };
        if raw.status == 401 {
            let receipt = raw.headers.contains_key("openstack-auth-receipt");
            return Err(Error::Auth {
                message: if receipt {
                    "the user must give more than one factor, which is not supported".to_owned()
                } else {
                    message
                },
                request_id,
            });
        }
        return Err(Error::Api(Box::new(ApiError {
            service: Service::Identity,
            method: Method::POST,
            path: path.to_owned(),
            status: raw.status,
            kind: said.kind,
            message,
            request_id,
            global_request_id,
        })));
    }
    let token: SecretString = raw
        .headers
        .get("x-subject-token")
        .map(HeaderValue::to_str)
        .and_then(Result::ok)
        .filter(|token| !token.is_empty())
        .ok_or_else(|| protocol("there is no X-Subject-Token in the answer".to_owned()))?
        .into();
    let body = read_body(&raw.body, headers.get("content-type"), true).map_err(&protocol)?;
    Token::parse(token, body, Timestamp::now(), Instant::now()).map_err(|error| protocol(error.to_string()))
}
