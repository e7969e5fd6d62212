//! The function `make_url`: a URL out of its parts.

use serde_json::Value;

use super::as_text;

/// The URL; parts that are not given are left out.
pub(super) fn of(parts: &Value) -> String {
    let part = |name: &str, before: &str, after: &str| match as_text(&parts[name]) {
        text if text.is_empty() => text,
        text => format!("{before}{text}{after}"),
    };
    let mut url = part("scheme", "", ":");
    let host = part("host", "", "");
    if !host.is_empty() {
        let user = part("username", "", "");
        let user = if user.is_empty() { user } else { format!("{user}{}@", part("password", ":", "")) };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        url = format!("{url}//{user}{host}{}", part("port", ":", ""));
    }
    let path = part("path", "", "");
    if !path.is_empty() && !path.starts_with('/') {
        url.push('/');
    }
    url.push_str(&quoted(&path));
    if let Some(query) = parts["query"].as_object() {
        let pairs = query.iter().map(|(name, value)| (name.as_str(), as_text(value)));
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        url = format!("{url}?{query}");
    }
    url + &part("fragment", "#", "")
}

/// A path with everything escaped that may not stand in one.
fn quoted(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'/' | b'_' | b'.' | b'-' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
