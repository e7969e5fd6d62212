//! Answers that are no service's answers: what proxies, load balancers and broken networks make of them.

use std::convert::Infallible;
use std::io;

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures::stream;
use http::{HeaderValue, StatusCode, header};

/// What comes instead of the service's answer.
pub(super) enum Instead {
    Redirect(String),
    Page(u16),
}

/// What becomes of the service's answer on its way.
pub(super) enum Spoiling {
    Half,
    Huge,
    Mislabelled,
}

const MEBIBYTE: usize = 1024 * 1024;
const HUGE: usize = 50;

impl Instead {
    pub(super) fn answer(self) -> Response {
        match self {
            Self::Redirect(location) => (StatusCode::FOUND, [(header::LOCATION, location)]).into_response(),
            Self::Page(status) => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                let page =
                    format!("<!doctype html><html><body><h1>{status}</h1><p>proxy-7</p></body></html>");
                (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
            }
        }
    }
}

impl Spoiling {
    pub(super) async fn spoil(self, mut answer: Response) -> Response {
        match self {
            Self::Mislabelled => {
                answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
                answer
            }
            Self::Half => {
                let (mut head, body) = answer.into_parts();
                let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
                head.headers.insert(header::CONTENT_LENGTH, whole.len().max(1).into());
                let half = Ok(whole.slice(..whole.len() / 2));
                let end = Err(io::Error::from(io::ErrorKind::ConnectionReset));
                Response::from_parts(head, Body::from_stream(stream::iter([half, end])))
            }
            Self::Huge => {
                let (mut head, _) = answer.into_parts();
                head.headers.remove(header::CONTENT_LENGTH);
                let piece = Bytes::from(vec![b' '; MEBIBYTE]);
                let pieces = std::iter::repeat_n(Ok::<_, Infallible>(piece), HUGE);
                Response::from_parts(head, Body::from_stream(stream::iter(pieces)))
            }
        }
    }
}
