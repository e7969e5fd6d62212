//! What Designate refuses as malformed, in its own words.

use hickory_proto::rr::{RData, RecordType};
use serde_json::{Value, json};

use super::{Refusal, invalid_object, invalid_value};

/// The types of record sets that may be made.
const TYPES: [&str; 14] =
    ["A", "AAAA", "CAA", "CERT", "CNAME", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "TXT"];

fn labels_fit(name: &str, wildcard: bool) -> bool {
    let Some(bare) = name.strip_suffix('.') else {
        return false;
    };
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

fn required(name: &str) -> Refusal {
    let path = [json!("type"), json!(name)];
    let mut refusal = invalid_object(&path, &format!("'{name}' is a required property"), "required");
    if let Some(detail) = &mut refusal.detail {
        detail["errors"][0]["validator"] = json!("required");
        detail["errors"][0]["validator_value"] = json!(name);
    }
    refusal
}

/// A name in lower case, if it is a full one; `what` is Designate's word for it.
pub(super) fn full_name(value: &Value, what: &str, wildcard: bool) -> Result<String, Refusal> {
    let Some(name) = value.as_str() else {
        // Designate has nothing to say about a name that is not there.
        return Err(Refusal::new(400, "invalid_object", ""));
    };
    if !name.ends_with('.') {
        return Err(invalid_value(&format!("{what} {name} does not end with a dot")));
    }
    if !labels_fit(name, wildcard) {
        return Err(invalid_value(&format!("{what} {name} is invalid")));
    }
    Ok(name.to_ascii_lowercase())
}

pub(super) fn zone_name(value: &Value) -> Result<String, Refusal> {
    let name = full_name(value, "Domain", false)?;
    if name.trim_end_matches('.').contains('.') {
        return Ok(name);
    }
    Err(Refusal::new(400, "invalid_zone_name", "More than one label is required"))
}

pub(super) fn record_name(value: &Value) -> Result<String, Refusal> {
    full_name(value, "Host name", true)
}

pub(super) fn email(value: &Value) -> Result<String, Refusal> {
    let Some(email) = value.as_str() else {
        return Err(required("email"));
    };
    let fits = email.split_once('@').is_some_and(|(user, host)| {
        !user.is_empty() && labels_fit(&format!("{}.", host.trim_end_matches('.')), false)
    });
    if fits { Ok(email.to_owned()) } else { Err(invalid_value(&format!("{email} is not an email"))) }
}

/// Seconds; a text that Python would read as a number is one.
pub(super) fn ttl(value: &Value) -> Result<Option<u32>, Refusal> {
    let seconds = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text
            .trim()
            .parse::<i64>()
            .map_err(|_| invalid_value(&format!("invalid literal for int() with base 10: '{text}'")))?,
        other => other.as_i64().unwrap_or(i64::MAX),
    };
    match u32::try_from(seconds) {
        Ok(ttl) if ttl <= 2_147_483_647 => Ok(Some(ttl)),
        Err(_) if seconds < 0 => Err(invalid_value("Value must be >= 0 for field ttl")),
        _ => Err(invalid_value("Value too high for ttl")),
    }
}

pub(super) fn description(value: &Value) -> Result<Option<String>, Refusal> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.chars().count() <= 160 => Ok(Some(text.clone())),
        _ => Err(invalid_value("Value too long for description")),
    }
}

/// Refuses fields that cannot be written.
pub(super) fn keys(body: &Value, what: &str, known: &[&str]) -> Result<(), Refusal> {
    let unknown: Vec<String> = body
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .filter(|key| !known.contains(&key.as_str()))
        .map(|key| format!("'{key}'"))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Provided object does not match schema. Keys [{}] are not valid for {what}",
        unknown.join(", ")
    );
    Err(Refusal::new(400, "invalid_object", message))
}

pub(super) fn kind(value: &Value) -> Result<String, Refusal> {
    match value.as_str() {
        Some(kind) if TYPES.contains(&kind) => Ok(kind.to_owned()),
        other => {
            let path = [json!("recordset"), json!("type")];
            let message = format!("'{}' is not a valid record type", other.unwrap_or("None"));
            let mut refusal = invalid_object(&path, &message, "");
            if let Some(detail) = &mut refusal.detail {
                detail["errors"][0]["validator"] = json!("value");
                detail["errors"][0]["validator_value"] = json!([other]);
            }
            Err(refusal)
        }
    }
}

pub(super) fn records(value: &Value, kind: &str) -> Result<Vec<String>, Refusal> {
    let mut records: Vec<String> = Vec::new();
    for (position, item) in value.as_array().into_iter().flatten().enumerate() {
        let data = item.as_str().unwrap_or_default();
        if parse(kind, data).is_none() {
            let path = [json!("records"), json!(position)];
            return Err(invalid_object(&path, &format!("'{data}' is not a '{kind}' Record"), kind));
        }
        if !records.iter().any(|seen| seen == data) {
            records.push(data.to_owned());
        }
    }
    Ok(records)
}

/// A record's data as DNS has it.
pub(in crate::simcloud) fn parse(kind: &str, data: &str) -> Option<RData> {
    // What Designate does not take, although zone files may have it.
    let quoted = data.starts_with('"') && data.ends_with('"');
    let refused = match kind {
        "TXT" | "SPF" => !quoted && data.contains(' '),
        "CAA" => data.contains('"'),
        _ => false,
    };
    if refused {
        return None;
    }
    let named = matches!(kind, "CNAME" | "NS" | "PTR" | "MX" | "SRV");
    // Names in record data are absolute in Designate.
    if named && !data.ends_with('.') {
        return None;
    }
    // SPF has the shape of TXT, and no parser of its own.
    let kind = if kind == "SPF" { "TXT" } else { kind };
    if kind == "TXT" && !is_txt(data) {
        return None;
    }
    let record_type: RecordType = kind.parse().ok()?;
    RData::try_from_str(record_type, data).ok()
}

/// What Designate takes as the data of a TXT record (`designate.objects.rrdata_txt`): one string of at most 255 characters,
/// its quotes included, or, when it is longer than that altogether, several in quotes.
fn is_txt(data: &str) -> bool {
    let length = |text: &str| text.chars().count();
    let quoted = |text: &str| text.starts_with('"') && text.ends_with('"');
    let single = |text: &str| {
        let fits = length(text) <= 255 && !text.contains('\n');
        let inside = text.trim_matches('"');
        let escaped = |at: usize| inside[..at].ends_with('\\');
        let open = text.starts_with('"') != text.ends_with('"');
        let whole = if quoted(text) {
            inside.match_indices('"').all(|(at, _)| escaped(at))
        } else {
            !text.contains(char::is_whitespace)
        };
        fits && !open && whole
    };
    if length(data) <= 255 {
        return single(data);
    }
    let inside = data.trim_matches('"');
    (quoted(data) || inside.contains("\" \""))
        && inside.split("\" \"").all(|string| single(&format!("\"{string}\"")))
}

#[cfg(test)]
mod tests {
    use super::is_txt;
    use rstest::rstest;

    #[rstest]
    #[case::quoted("\"hello world\"", true)]
    #[case::bare("hello", true)]
    #[case::bare_with_space("hello world", false)]
    #[case::open("\"hello", false)]
    #[case::two_short_ones("\"a\" \"b\"", false)]
    #[case::escaped(r#""a \"b""#, true)]
    #[case::longest(&format!("\"{}\"", "x".repeat(253)), true)]
    #[case::too_long(&format!("\"{}\"", "x".repeat(254)), false)]
    #[case::two_long_ones(&format!("\"{0}\" \"{0}\"", "x".repeat(200)), true)]
    fn text_is_what_the_real_designate_takes(#[case] data: &str, #[case] taken: bool) {
        assert_eq!(is_txt(data), taken);
    }
}
