//! What Designate refuses as malformed.

use hickory_proto::rr::{RData, RecordType};
use serde_json::Value;

use super::{Refusal, invalid_object};

/// The types of record sets that may be made.
pub(super) const TYPES: [&str; 14] =
    ["A", "AAAA", "CAA", "CERT", "CNAME", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "TXT"];

fn labels_fit(name: &str, wildcard: bool) -> bool {
    let Some(bare) = name.strip_suffix('.') else { return false };
    name.len() <= 255
        && bare.split('.').enumerate().all(|(position, label)| {
            (wildcard && position == 0 && label == "*")
                || (!label.is_empty()
                    && label.len() <= 63
                    && label.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'/'))
                    && !label.starts_with('-')
                    && !label.ends_with('-'))
        })
}

pub(super) fn zone_name(value: &Value) -> Result<String, Refusal> {
    let Some(name) = value.as_str() else {
        return Err(invalid_object("", "'name' is a required property".to_owned(), "required"));
    };
    if !labels_fit(name, false) || name.trim_end_matches('.').split('.').count() < 2 {
        return Err(invalid_object("name", format!("'{name}' is not a 'zone_name'"), "zone_name"));
    }
    Ok(name.to_ascii_lowercase())
}

pub(super) fn record_name(value: &Value) -> Result<String, Refusal> {
    let Some(name) = value.as_str() else {
        return Err(invalid_object("", "'name' is a required property".to_owned(), "required"));
    };
    if !labels_fit(name, true) {
        return Err(invalid_object("name", format!("'{name}' is not a 'host_name'"), "host_name"));
    }
    Ok(name.to_ascii_lowercase())
}

pub(super) fn email(value: &Value) -> Result<String, Refusal> {
    let Some(email) = value.as_str() else {
        return Err(invalid_object("", "'email' is a required property".to_owned(), "required"));
    };
    let fits = email.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && labels_fit(&format!("{}.", host.trim_end_matches('.')), false)
    });
    if fits {
        Ok(email.to_owned())
    } else {
        Err(invalid_object("email", format!("'{email}' is not a 'email'"), "email"))
    }
}

pub(super) fn ttl(value: &Value) -> Result<Option<u32>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    match value.as_u64().and_then(|ttl| u32::try_from(ttl).ok()) {
        Some(ttl) if (1..=2_147_483_647).contains(&ttl) => Ok(Some(ttl)),
        _ => Err(invalid_object("ttl", format!("{value} is not a valid ttl"), "ttl")),
    }
}

pub(super) fn description(value: &Value) -> Result<Option<String>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.chars().count() <= 160 => Ok(Some(text.clone())),
        other => Err(invalid_object("description", format!("{other} is too long"), "maxLength")),
    }
}

pub(super) fn kind(value: &Value) -> Result<String, Refusal> {
    match value.as_str() {
        Some(kind) if TYPES.contains(&kind) => Ok(kind.to_owned()),
        Some(kind) => Err(invalid_object("type", format!("'{kind}' is not a valid type"), "enum")),
        None => Err(invalid_object("", "'type' is a required property".to_owned(), "required")),
    }
}

pub(super) fn records(value: &Value, kind: &str) -> Result<Vec<String>, Refusal> {
    let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
        return Err(invalid_object("records", "'records' is a required property".to_owned(), "required"));
    };
    let mut records: Vec<String> = Vec::with_capacity(list.len());
    for (position, item) in list.iter().enumerate() {
        let data = item.as_str().unwrap_or_default();
        if parse(kind, data).is_none() {
            return Err(invalid_object(
                &format!("records.{position}"),
                format!("'{data}' is not a '{kind}' record"),
                kind,
            ));
        }
        if !records.iter().any(|seen| seen == data) {
            records.push(data.to_owned());
        }
    }
    Ok(records)
}

/// A record's data as DNS has it.
pub(in crate::simcloud) fn parse(kind: &str, data: &str) -> Option<RData> {
    let named = matches!(kind, "CNAME" | "NS" | "PTR" | "MX" | "SRV");
    // Names in record data are absolute in Designate.
    if named && !data.ends_with('.') {
        return None;
    }
    // SPF has the shape of TXT, and no parser of its own.
    let kind = if kind == "SPF" { "TXT" } else { kind };
    let record_type: RecordType = kind.parse().ok()?;
    RData::try_from_str(record_type, data).ok()
}
