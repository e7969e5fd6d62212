//! Lists in pages, with filters: 20 rows unless asked otherwise.

use serde_json::{Value, json};

use super::{Refusal, bad_request};
use crate::simcloud::wire::Call;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 1000;

/// Whether a value fits a filter, where `*` stands for anything.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else {
        return false;
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether a name fits the query's own: asked first, so that nobody builds rows that nobody sees.
pub(super) fn named(call: &Call, name: &str) -> bool {
    call.query("name").is_none_or(|wanted| glob(&wanted.to_ascii_lowercase(), name))
}

/// What a query may say besides filters.
const CONTROL: [&str; 5] = ["limit", "marker", "sort_key", "sort_dir", "data"];

/// Keeps the rows that fit the named filters of the query, and refuses others.
pub(super) fn filter(call: &Call, rows: &mut Vec<Value>, names: &[&str]) -> Result<(), Refusal> {
    let known = |name: &str| names.contains(&name) || CONTROL.contains(&name);
    if let Some((unknown, _)) = call.query.iter().find(|(name, _)| !known(name)) {
        return Err(bad_request(&format!("Invalid filters {unknown}")));
    }
    for name in names {
        let Some(wanted) = call.query(name) else {
            continue;
        };
        // A zone's or record's name is matched without regard to case.
        let wanted = if *name == "name" { wanted.to_ascii_lowercase() } else { wanted.to_owned() };
        rows.retain(|row| match &row[*name] {
            Value::String(text) => glob(&wanted, text),
            Value::Number(number) => number.to_string() == wanted,
            _ => false,
        });
    }
    Ok(())
}

/// One page of rows with its links.
pub(super) fn page(call: &Call, base_url: &str, key: &str, mut rows: Vec<Value>) -> Result<Value, Refusal> {
    let total = rows.len();
    if let Some(sort_key) = call.query("sort_key") {
        let field = |row: &Value| match &row[sort_key] {
            Value::Number(number) => format!("{:020}", number.as_u64().unwrap_or_default()),
            Value::String(text) => text.clone(),
            _ => String::new(),
        };
        rows.sort_by_key(field);
    }
    if call.query("sort_dir").is_some_and(|dir| dir.eq_ignore_ascii_case("desc")) {
        rows.reverse();
    }
    let limit = match call.query("limit") {
        None => DEFAULT_LIMIT,
        Some("max") => MAX_LIMIT,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|limit| *limit >= 1)
            .ok_or_else(|| {
                Refusal::new(400, "invalid_limit", "limit should be an integer between 1 and 1000")
            })?
            .min(MAX_LIMIT),
    };
    if let Some(marker) = call.query("marker") {
        let at = rows.iter().position(|row| row["id"].as_str() == Some(marker));
        let at = at.ok_or_else(|| {
            Refusal::new(400, "marker_not_found", format!("Marker {marker} could not be found"))
        })?;
        rows.drain(..=at);
    }
    let url = format!("{base_url}/dns/{}", call.path.join("/"));
    let mut links = json!({"self": with_query(&url, &call.query)});
    // Designate gives a next link whenever the page is full, even if nothing follows.
    if rows.len() >= limit {
        rows.truncate(limit);
        let marker = rows.last().and_then(|row| row["id"].as_str()).unwrap_or_default();
        let mut query: Vec<(String, String)> =
            call.query.iter().filter(|(name, _)| name != "marker").cloned().collect();
        query.push(("marker".to_owned(), marker.to_owned()));
        links["next"] = json!(with_query(&url, &query));
    }
    Ok(json!({key: rows, "links": links, "metadata": {"total_count": total}}))
}

fn with_query(url: &str, query: &[(String, String)]) -> String {
    if query.is_empty() {
        return url.to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{url}?{query}")
}
