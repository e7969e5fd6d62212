//! A way to watch requests (for metrics), without being able to change them.

use std::fmt::Debug;
use std::time::Duration;

use http::Method;

use super::service::Service;

/// One exchange with a service, told after it ended. Retries are told one by one.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// Who was asked.
    pub service: Service,
    /// How.
    pub method: Method,
    /// The status, or in one word why there is none (`unreachable`, `tls`, `protocol`, `denied`, `withheld`).
    pub status_or_error: Result<u16, &'static str>,
    /// From sending to the last byte.
    pub elapsed: Duration,
    /// The service's request id.
    pub request_id: Option<String>,
}

/// Is told of every exchange. It must not block.
pub trait RequestObserver: Debug + Send + Sync {
    /// An exchange ended.
    fn observed(&self, record: &RequestRecord);
}
