//! Whether a Lease can be had: pure.

use std::time::Duration;

use tokio::time::Instant;

use super::store::Record;

/// A Lease, and since when this process has seen it as it is.
#[derive(Clone, Debug)]
pub struct Seen {
    pub record: Record,
    pub since: Instant,
}

/// What is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is none.
    Create,
    /// It is ours.
    Renew,
    /// It is nobody's, or its holder was not heard of for as long as it said it would.
    TakeOver,
    /// It is somebody's.
    Wait,
}

/// Decides.
pub fn decide(seen: Option<&Seen>, identity: &str, now: Instant) -> Step {
    let Some(seen) = seen else { return Step::Create };
    let spec = &seen.record.spec;
    let holder = spec.holder_identity.as_deref().unwrap_or_default();
    if holder == identity {
        return Step::Renew;
    }
    let seconds = u64::try_from(spec.lease_duration_seconds.unwrap_or_default()).unwrap_or_default();
    let expired = now >= seen.since + Duration::from_secs(seconds);
    if holder.is_empty() || expired { Step::TakeOver } else { Step::Wait }
}
