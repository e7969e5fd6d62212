//! Reading what clouds vary in: a member may be missing, or null, or larger than any machine word.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Null counts as the default (together with `#[serde(default)]`, so does a missing member).
pub(super) fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A count; one too large (the addresses of an IPv6 subnet) is the largest, a negative one or none is 0.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value
        .as_u64()
        .unwrap_or_else(|| if value.as_f64().is_some_and(|number| number > 0.0) { u64::MAX } else { 0 }))
}
