//! Whether a Lease can be had: pure.

use std::time::Duration;

use tokio::time::Instant;

use super::store::Record;

/// A Lease, and since when this process has seen it as it is.
#[derive(Clone, Debug)]
pub struct Known {
    /// As it was read.
    pub record: Record,
    /// Since when.
    pub since: Instant,
}

impl Known {
    /// What is known after another look at it.
    pub fn of(stored: Option<Record>, before: Option<Self>, now: Instant) -> Option<Self> {
        stored.map(|record| match before {
            Some(known) if known.record.version == record.version => known,
            _ => Self { record, since: now },
        })
    }
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
pub fn decide(known: Option<&Known>, identity: &str, now: Instant) -> Step {
    let Some(known) = known else { return Step::Create };
    let spec = &known.record.spec;
    let holder = spec.holder_identity.as_deref().unwrap_or_default();
    if holder == identity {
        return Step::Renew;
    }
    let seconds = u64::try_from(spec.lease_duration_seconds.unwrap_or_default()).unwrap_or_default();
    let expired = now >= known.since + Duration::from_secs(seconds);
    if holder.is_empty() || expired { Step::TakeOver } else { Step::Wait }
}
