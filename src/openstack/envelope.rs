//! The services' error bodies, all made into one kind and one message. Pure.
//!
//! | service | body |
//! |---|---|
//! | Keystone | `{"error": {"code", "message", "title"}}` |
//! | Nova | `{"badRequest": {"code", "message"}}` (the key is the kind) |
//! | Neutron | `{"NeutronError": {"type", "message", "detail"}}`, sometimes a plain text in its place |
//! | Heat | `{"code", "title", "explanation", "error": {"type", "message", "traceback"}}` |
//! | Designate | `{"code", "type", "message", "errors", "request_id"}` |
//! | Glance, proxies | HTML or plain text |

use serde_json::Value;

/// The most characters of a message that are kept.
pub(super) const LONGEST: usize = 500;

/// What a service said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    pub kind: String,
    pub message: String,
    /// Some bodies carry the request id.
    pub request_id: Option<String>,
}

/// Reads the body of an error; never fails.
pub(super) fn read(body: &[u8]) -> Said {
    let said = match serde_json::from_slice::<Value>(body) {
        Ok(value) => read_value(&value),
        Err(_) => Said { message: plain_text(&String::from_utf8_lossy(body)), ..Said::default() },
    };
    Said {
        kind: tidy(&said.kind, 100),
        message: tidy(&without_breaks(&said.message), LONGEST),
        request_id: said.request_id.map(|id| tidy(&id, 100)),
    }
}

fn read_value(value: &Value) -> Said {
    let Value::Object(map) = value else {
        return Said { message: text(value), ..Said::default() };
    };
    let member = |name: &str| map.get(name).map(text).unwrap_or_default();
    match map.get("error") {
        // Heat: the outer part is only HTTP's wording.
        Some(Value::Object(error)) if error.contains_key("type") => {
            let message = error.get("message").map(text).unwrap_or_default();
            return Said {
                kind: error.get("type").map(text).unwrap_or_default(),
                message: if message.is_empty() { member("explanation") } else { message },
                request_id: None,
            };
        }
        // Keystone.
        Some(Value::Object(error)) => {
            return Said {
                kind: error.get("title").map(text).unwrap_or_default(),
                message: error.get("message").map(text).unwrap_or_default(),
                request_id: None,
            };
        }
        Some(Value::String(message)) => {
            return Said { message: message.clone(), ..Said::default() };
        }
        _ => {}
    }
    // Designate.
    if map.contains_key("type") || map.contains_key("message") {
        let message = match (member("message"), map.get("errors")) {
            (message, Some(errors)) if message.is_empty() || details(errors) => {
                if message.is_empty() {
                    brief(errors)
                } else {
                    format!("{message} ({})", brief(errors))
                }
            }
            (message, _) => message,
        };
        let id = member("request_id");
        let kind = member("type");
        return Said {
            // Glance's JSON errors have a title in its place.
            kind: if kind.is_empty() { member("title") } else { kind },
            message,
            request_id: Some(id).filter(|id| !id.is_empty()),
        };
    }
    // WebOb's JSON errors.
    if map.contains_key("title") || map.contains_key("explanation") {
        return Said { kind: member("title"), message: member("explanation"), request_id: None };
    }
    // Nova and Neutron: one member, whose name is the kind or says who speaks.
    match map.iter().next() {
        Some((key, Value::Object(inner))) => {
            let inner_text = |name: &str| inner.get(name).map(text).unwrap_or_default();
            let kind = inner_text("type");
            let detail = inner_text("detail");
            let message = inner_text("message");
            Said {
                kind: if kind.is_empty() { key.clone() } else { kind },
                message: if detail.is_empty() { message } else { format!("{message} {detail}") },
                request_id: None,
            }
        }
        Some((key, other)) => Said { kind: key.clone(), message: text(other), request_id: None },
        None => Said::default(),
    }
}

fn details(errors: &Value) -> bool {
    match errors {
        Value::Object(map) => !map.is_empty(),
        Value::Array(all) => !all.is_empty(),
        _ => false,
    }
}

/// Designate's validation errors: `{"errors": [{"path": [...], "message": "…"}]}`.
fn brief(errors: &Value) -> String {
    let inner = errors.get("errors").unwrap_or(errors);
    let Some(all) = inner.as_array() else {
        return inner.to_string();
    };
    let parts: Vec<String> = all
        .iter()
        .map(|error| {
            let path: Vec<String> = error
                .get("path")
                .and_then(Value::as_array)
                .map(|path| path.iter().map(text).collect())
                .unwrap_or_default();
            let message = error.get("message").map_or_else(|| error.to_string(), text);
            if path.is_empty() { message } else { format!("{}: {message}", path.join(".")) }
        })
        .collect();
    parts.join("; ")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `WebOb` puts HTML's line breaks even into JSON and plain text.
fn without_breaks(message: &str) -> String {
    ["<br />", "<br/>", "<br>"].iter().fold(message.to_owned(), |text, tag| text.replace(tag, " "))
}

/// The readable part of HTML or of plain text: tags dropped with what scripts and styles hold, entities decoded.
pub(super) fn plain_text(body: &str) -> String {
    if !body.contains('<') {
        return body.to_owned();
    }
    // As long as the body, so that a place in one is the same place in the other.
    let lower = body.to_ascii_lowercase();
    let mut out = String::new();
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        out.push(' ');
        let tag = &rest[start..];
        let hidden = ["script", "style", "head"].into_iter().find(|name| {
            tag.get(1..=name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name))
                && !tag[1 + name.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
        });
        let end = match hidden {
            Some(name) => {
                let close = format!("</{name}");
                lower[body.len() - tag.len()..]
                    .find(&close)
                    .and_then(|at| tag[at..].find('>').map(|end| at + end))
            }
            None => tag.find('>'),
        };
        rest = end.map_or("", |end| &tag[end + 1..]);
    }
    out.push_str(rest);
    out.replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// One line without control characters, of at most `longest` characters and a mark where it was cut.
pub(super) fn tidy(text: &str, longest: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let space = (length > 0).then_some(' ');
        for c in space.into_iter().chain(word.chars()) {
            if length >= longest {
                out.push('…');
                return out;
            }
            out.push(c);
            length += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::keystone(
        r#"{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}"#,
        "Unauthorized",
        "The request you have made requires authentication."
    )]
    #[case::nova(r#"{"badRequest":{"code":400,"message":"Invalid input"}}"#, "badRequest", "Invalid input")]
    #[case::neutron(
        r#"{"NeutronError":{"type":"IpAddressInUse","message":"Unable to complete","detail":""}}"#,
        "IpAddressInUse",
        "Unable to complete"
    )]
    #[case::neutron_detail(
        r#"{"NeutronError":{"type":"OverQuota","message":"Quota exceeded","detail":"for ['port']"}}"#,
        "OverQuota",
        "Quota exceeded for ['port']"
    )]
    #[case::neutron_text(r#"{"NeutronError":"plain words"}"#, "NeutronError", "plain words")]
    #[case::heat(
        r#"{"code":409,"title":"Conflict","explanation":"There was a conflict","error":{"type":"StackExists","traceback":null,"message":"The Stack (x) already exists."}}"#,
        "StackExists",
        "The Stack (x) already exists."
    )]
    #[case::designate(
        r#"{"code":409,"type":"duplicate_zone","message":"Duplicate Zone","request_id":"req-1"}"#,
        "duplicate_zone",
        "Duplicate Zone"
    )]
    #[case::designate_quota(
        r#"{"code":413,"type":"over_quota","message":"Quota exceeded for zones."}"#,
        "over_quota",
        "Quota exceeded for zones."
    )]
    #[case::designate_invalid(
        r#"{"code":400,"type":"invalid_object","message":"Provided object does not match schema","errors":{"errors":[{"path":["email"],"message":"'x' is not a 'email'","validator":"format"}]}}"#,
        "invalid_object",
        "Provided object does not match schema (email: 'x' is not a 'email')"
    )]
    #[case::glance(
        "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  No image found with ID x &amp; y<br /><br />\n </body>\n</html>",
        "",
        "404 Not Found No image found with ID x & y"
    )]
    #[case::glance_json(
        r#"{"message":"No image found with ID x<br /><br />\n\n\n","code":"404 Not Found","title":"Not Found"}"#,
        "Not Found",
        "No image found with ID x"
    )]
    #[case::placement(r#"{"title":"Bad Request","explanation":"no","code":400}"#, "Bad Request", "no")]
    #[case::plain("Service Unavailable\r\n", "", "Service Unavailable")]
    #[case::empty("", "", "")]
    #[case::null("null", "", "")]
    #[case::list("[1,2]", "", "[1,2]")]
    #[case::error_text(r#"{"error":"nope"}"#, "", "nope")]
    #[case::controls("a\u{1b}[31mred\u{0}", "", "a [31mred")]
    fn reads(#[case] body: &str, #[case] kind: &str, #[case] message: &str) {
        let said = read(body.as_bytes());
        assert_eq!((said.kind.as_str(), said.message.as_str()), (kind, message));
    }

    #[test]
    fn the_request_id_of_a_body_is_kept() {
        let said = read(br#"{"code":404,"type":"zone_not_found","request_id":"req-9"}"#);
        assert_eq!(said.request_id.as_deref(), Some("req-9"));
    }

    #[test]
    fn scripts_and_unfinished_tags_are_dropped() {
        assert_eq!(
            tidy(&plain_text("<SCRIPT>evil()</script>hello<style>x</style> <b>you</b><i"), 99),
            "hello you"
        );
    }

    #[test]
    fn a_long_page_of_scripts_is_read_to_its_end() {
        let body = "<script></script>".repeat(100_000) + "the end";
        assert_eq!(read(body.as_bytes()).message, "the end");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_bounded_and_clean(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let said = read(&bytes);
            prop_assert!(said.message.chars().count() <= LONGEST + 1);
            prop_assert!(!said.message.chars().any(char::is_control));
        }

        #[test]
        fn html_never_panics(text in "[<>/a-zä& scriptheaSCRIPT]{0,80}") {
            let _ = plain_text(&text);
        }
    }
}
