//! One call from request to answer: attempts, pauses, one new token, and what the last attempt means.

use std::time::Duration;

use http::{HeaderValue, Method};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::endpoint;
use super::envelope;
use super::error::{ApiError, Error};
use super::observe::RequestRecord;
use super::redact;
use super::request::Request;
use super::response::{Response, kept_headers, request_id};
use super::retry::{Failure, retry_after};
use super::service::Service;
use super::session::{Session, bad_request};
use super::span::in_request;
use super::token::Token;
use super::transport::{RawResponse, Trouble, host_of};

/// One attempt's outcome, before it is known whether it is the last.
struct Attempt {
    raw: Result<RawResponse, Trouble>,
    global_request_id: String,
    elapsed: Duration,
    /// Whether an attempt before it may have had an effect.
    repeated: bool,
}

impl Session {
    pub(super) async fn execute(&self, request: Request, any: bool) -> Result<Response, Error> {
        let root = self.endpoint(request.service)?;
        let url =
            endpoint::join(&root, &request.path).map_err(|error| bad_request(request.service, &error))?;
        self.execute_at(request, url, any).await
    }

    pub(super) async fn execute_at(
        &self,
        request: Request,
        mut url: Url,
        any: bool,
    ) -> Result<Response, Error> {
        if let Some(reason) = &request.fault {
            return Err(Error::BadRequest { service: request.service, reason: reason.clone() });
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut token = self.token().await?;
        let mut attempt = 0;
        let mut renewed = false;
        let mut repeated = false;
        loop {
            let done = Attempt { repeated, ..self.attempt(&request, &url, &token).await };
            // Once: the token was revoked, or expired early.
            if !renewed && matches!(&done.raw, Ok(raw) if raw.status == 401) {
                renewed = true;
                token = self.renew(&token).await?;
                continue;
            }
            let policy = self.inner.http.options().retry;
            let judged = judge(&done.raw);
            repeated |= judged.is_some_and(|(failure, _)| failure.may_have_had_an_effect());
            let pause = judged.and_then(|(failure, after)| {
                policy.pause(failure, request.repeatable, attempt, after, rand::random())
            });
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return self.conclude(&request, &url, &token, done, any),
            }
            attempt += 1;
        }
    }

    async fn attempt(&self, request: &Request, url: &Url, token: &Token) -> Attempt {
        let global_request_id = format!("req-{}", Uuid::new_v4());
        let mut secret =
            HeaderValue::from_str(token.secret.expose_secret()).unwrap_or(HeaderValue::from_static(""));
        secret.set_sensitive(true);
        let mut builder = self
            .inner
            .http
            .request(request.method.clone(), url.clone())
            .header("accept", "application/json")
            .headers(request.headers.clone())
            .header("x-auth-token", secret)
            .header("x-openstack-request-id", global_request_id.as_str());
        if let Some(body) = &request.body {
            builder = builder.json(body);
        }
        let started = Instant::now();
        let sending = self.inner.http.send(url, builder);
        let raw = in_request(request.service, &request.method, url, sending).await;
        let elapsed = started.elapsed();
        self.tell(request, url, &raw, elapsed, &global_request_id);
        Attempt { raw, global_request_id, elapsed, repeated: false }
    }

    fn tell(
        &self,
        request: &Request,
        url: &Url,
        raw: &Result<RawResponse, Trouble>,
        elapsed: Duration,
        global_request_id: &str,
    ) {
        let status_or_error = raw.as_ref().map(|raw| raw.status).map_err(Trouble::word);
        let request_id = raw.as_ref().ok().and_then(|raw| request_id(&kept_headers(&raw.headers)));
        tracing::debug!(
            service = %request.service,
            method = %request.method,
            path = url.path(),
            status = ?status_or_error,
            elapsed_ms = elapsed.as_millis(),
            request_id = request_id.as_deref(),
            global_request_id,
            "openstack call"
        );
        if let Some(observer) = &self.inner.http.options().observer {
            observer.observed(&RequestRecord {
                service: request.service,
                method: request.method.clone(),
                status_or_error,
                elapsed,
                request_id,
            });
        }
    }

    fn conclude(
        &self,
        request: &Request,
        url: &Url,
        token: &Token,
        attempt: Attempt,
        any: bool,
    ) -> Result<Response, Error> {
        let Attempt { raw, global_request_id, elapsed, repeated } = attempt;
        let raw = raw.map_err(|trouble| trouble.into_error(request.service, &request.method, url))?;
        let of_credentials = self.inner.secrets();
        let secrets: Vec<&SecretString> = of_credentials.iter().chain([&token.secret]).collect();
        let headers = kept_headers(&raw.headers);
        let id = request_id(&headers);
        let success = (200..300).contains(&raw.status);
        if !success && !any && request.accepted != Some(raw.status) {
            let said = envelope::read(&raw.body);
            let message = redact::strike(&said.message, &secrets);
            return Err(Error::Api(Box::new(ApiError {
                service: request.service,
                method: request.method.clone(),
                path: url.path().to_owned(),
                status: raw.status,
                kind: redact::strike(&said.kind, &secrets),
                message: if message.is_empty() || (300..400).contains(&raw.status) {
                    status_words(raw.status)
                } else {
                    message
                },
                request_id: id.or(said.request_id),
                global_request_id,
            })));
        }
        let mut response = Response {
            service: request.service,
            method: request.method.clone(),
            path: url.path().to_owned(),
            status: raw.status,
            body: serde_json::Value::Null,
            request_id: id,
            global_request_id,
            headers,
            elapsed,
            repeated,
        };
        match read_body(&raw.body, response.headers.get("content-type"), success) {
            Ok(mut body) => {
                let struck = if success { redact::are_no_words(&secrets) } else { secrets };
                redact::strike_value(&mut body, &struck);
                response.body = body;
                Ok(response)
            }
            Err(reason) => Err(response.unexpected(&redact::strike(&reason, &secrets))),
        }
    }
}

impl Trouble {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::NotConnected(_) | Self::Broken(_) => "unreachable",
            Self::Tls(_) => "tls",
            Self::Denied(_) => "denied",
            Self::TooLarge(_) => "protocol",
            Self::Withheld => "withheld",
        }
    }

    pub(super) fn into_error(self, service: Service, method: &Method, url: &Url) -> Error {
        let host = host_of(url);
        match self {
            Self::NotConnected(reason) => Error::Unreachable { service, host, reason, sent: false },
            Self::Broken(reason) => Error::Unreachable { service, host, reason, sent: true },
            Self::Tls(reason) => Error::Tls { service, host, reason },
            Self::Denied(reason) => Error::EndpointDenied { service, host, reason },
            Self::Withheld => Error::Withheld { service },
            Self::TooLarge(limit) => Error::Protocol {
                service,
                method: method.clone(),
                path: url.path().to_owned(),
                reason: format!("the answer has more than {limit} bytes"),
                request_id: None,
            },
        }
    }
}

/// The failure to judge, with what the server asked for.
pub(super) fn judge(raw: &Result<RawResponse, Trouble>) -> Option<(Failure, Option<Duration>)> {
    match raw {
        Ok(raw) => {
            let after = raw
                .headers
                .get("retry-after")
                .and_then(|value| value.to_str().ok())
                .and_then(|value| retry_after(value, Timestamp::now()));
            Some((Failure::Status(raw.status), after))
        }
        Err(Trouble::NotConnected(_)) => Some((Failure::NotSent, None)),
        Err(Trouble::Broken(_)) => Some((Failure::Broken, None)),
        Err(_) => None,
    }
}

/// JSON where it is JSON, text where the service says so; anything else is an error of a success and the readable part
/// of a failure.
pub(super) fn read_body(bytes: &[u8], content_type: Option<&String>, success: bool) -> Result<Value, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    let said = content_type.map_or("", |value| value.split(';').next().unwrap_or("").trim());
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        Err(_) if said.starts_with("text/") && said != "text/html" => {
            Ok(Value::String(String::from_utf8_lossy(bytes).into_owned()))
        }
        Err(error) => {
            let text = envelope::tidy(
                &envelope::plain_text(&String::from_utf8_lossy(bytes)),
                if success { 200 } else { 500 },
            );
            if !success {
                return Ok(Value::String(text));
            }
            if said.ends_with("json") {
                return Err(format!("its JSON is broken ({error})"));
            }
            let said = if said.is_empty() { "no type" } else { said };
            Err(format!("expected JSON, got {said}: {text}"))
        }
    }
}

/// Words for an error without any.
pub(super) fn status_words(status: u16) -> String {
    if (300..400).contains(&status) {
        return "it redirects, which is not followed".to_owned();
    }
    http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("no words")
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("", "application/json", true, Ok(Value::Null))]
    #[case("{\"a\":1}", "", true, Ok(json!({ "a": 1 })))]
    #[case("{\"a\":1}", "text/html", true, Ok(json!({ "a": 1 })))]
    #[case("$ORIGIN x.\n", "text/dns; charset=UTF-8", true, Ok(json!("$ORIGIN x.\n")))]
    #[case("<h1>Log in</h1>", "text/html; charset=utf-8", true, Err("expected JSON, got text/html: Log in"))]
    #[case("<h1>Log in</h1>", "text/html", false, Ok(json!("Log in")))]
    #[case("x", "", true, Err("expected JSON, got no type: x"))]
    #[case(
        "{",
        "application/json",
        true,
        Err("its JSON is broken (EOF while parsing an object at line 1 column 1)")
    )]
    fn bodies(
        #[case] body: &str,
        #[case] said: &str,
        #[case] success: bool,
        #[case] wanted: Result<Value, &str>,
    ) {
        assert_eq!(
            read_body(body.as_bytes(), Some(&said.to_owned()), success),
            wanted.map_err(str::to_owned)
        );
    }
}
