//! What is tried again, and after how long. Pure: the random number and the time come in.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;

/// How often and how patiently a call is tried again.
///
/// Tried again are: connections that never came to be (any method: nothing was sent); 502, 503 and 504 and broken
/// exchanges of methods that may be repeated; 429, and 413 with `Retry-After` (any method: refused before any effect; without
/// `Retry-After`, 413 is Designate's "over quota"). A POST that may have had an effect never is: its caller looks it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is tried again at most.
    pub retries: u32,
    /// The first pause; each next one is twice as long.
    pub base: Duration,
    /// The longest pause. A server that asks for more with `Retry-After` gets no second call.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { retries: 3, base: Duration::from_millis(500), longest: Duration::from_secs(30) }
    }
}

/// What went wrong with an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// There was no connection: nothing was sent.
    NotSent,
    /// The exchange broke or took too long: it may have had an effect.
    Broken,
    /// An answer with this status.
    Status(u16),
}

impl Failure {
    /// Whether the call may have been carried out all the same.
    pub(super) fn may_have_had_an_effect(self) -> bool {
        matches!(self, Self::Broken | Self::Status(502..=504))
    }
}

impl RetryPolicy {
    /// The pause before the next attempt, or `None` when there is none.
    ///
    /// `attempt` counts from 0; `repeatable` says whether the call may be repeated without further effect; `random` is in
    /// 0..1 and spreads the pauses between half and whole.
    pub(super) fn pause(
        &self,
        failure: Failure,
        repeatable: bool,
        attempt: u32,
        retry_after: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        if attempt >= self.retries {
            return None;
        }
        let again = match failure {
            Failure::NotSent => true,
            Failure::Status(413) => retry_after.is_some(),
            Failure::Status(429) => retry_after.is_some() || repeatable,
            failure if failure.may_have_had_an_effect() => repeatable,
            Failure::Broken | Failure::Status(_) => false,
        };
        if !again {
            return None;
        }
        if let Some(asked) = retry_after {
            return (asked <= self.longest).then_some(asked);
        }
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(attempt));
        Some(doubled.min(self.longest).mul_f64(0.5 + random / 2.0))
    }
}

/// Whether HTTP allows to repeat the method (RFC 9110 section 9.2.2).
pub(super) fn is_repeatable(method: &Method) -> bool {
    method.is_idempotent()
}

/// Reads `Retry-After`: seconds, or an HTTP date (RFC 9110 section 10.2.3).
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const POST: bool = false;
    const GET: bool = true;

    #[rstest]
    #[case(Failure::NotSent, POST, None, true)]
    #[case(Failure::NotSent, GET, None, true)]
    #[case(Failure::Broken, POST, None, false)]
    #[case(Failure::Broken, GET, None, true)]
    #[case(Failure::Status(502), GET, None, true)]
    #[case(Failure::Status(503), GET, None, true)]
    #[case(Failure::Status(504), GET, None, true)]
    #[case(Failure::Status(503), POST, None, false)]
    #[case(Failure::Status(503), POST, Some(1), false)]
    #[case(Failure::Status(504), POST, None, false)]
    #[case(Failure::Status(500), GET, None, false)]
    #[case(Failure::Status(429), POST, Some(1), true)]
    #[case(Failure::Status(429), POST, None, false)]
    #[case(Failure::Status(429), GET, None, true)]
    #[case(Failure::Status(413), POST, Some(1), true)]
    #[case(Failure::Status(413), GET, None, false)]
    #[case(Failure::Status(409), GET, None, false)]
    #[case(Failure::Status(404), GET, Some(1), false)]
    #[case(Failure::Status(503), GET, Some(31), false)]
    fn decides(
        #[case] failure: Failure,
        #[case] repeatable: bool,
        #[case] after: Option<u64>,
        #[case] again: bool,
    ) {
        let policy = RetryPolicy::default();
        let after = after.map(Duration::from_secs);
        let pause = policy.pause(failure, repeatable, 0, after, 1.0);
        assert_eq!(pause.is_some(), again);
        if again {
            assert_eq!(pause, after.or(Some(policy.base)));
        }
        assert_eq!(policy.pause(failure, repeatable, 3, after, 1.0), None);
    }

    #[test]
    fn pauses_double_and_are_bounded() {
        let policy = RetryPolicy { retries: 40, ..RetryPolicy::default() };
        let pause = |attempt, random| policy.pause(Failure::NotSent, true, attempt, None, random).unwrap();
        assert_eq!(pause(0, 0.0), Duration::from_millis(250));
        assert_eq!(pause(1, 1.0), Duration::from_secs(1));
        assert_eq!(pause(2, 1.0), Duration::from_secs(2));
        assert_eq!(pause(39, 1.0), Duration::from_secs(30));
    }

    #[rstest]
    #[case("7", Some(7))]
    #[case(" 0 ", Some(0))]
    #[case("Mon, 23 Nov 2026 00:01:00 GMT", Some(60))]
    #[case("Sun, 22 Nov 2026 00:01:00 GMT", Some(0))]
    #[case("soon", None)]
    #[case("-1", None)]
    fn reads_retry_after(#[case] value: &str, #[case] seconds: Option<u64>) {
        let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs));
    }
}
