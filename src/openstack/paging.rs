//! Lists that come in pages: always by `limit` and `marker`, never by following an address from an answer (its scheme
//! and host are what the service saw behind its proxies).

use std::collections::HashSet;

use serde_json::Value;

use super::error::Error;
use super::request::Request;
use super::response::Response;

/// No list that this program reads has more pages.
const MOST_PAGES: usize = 1000;

pub(super) async fn send_pages(request: Request, limit: u32) -> Result<Response, Error> {
    let mut all: Vec<Value> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut marker: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let page = request.clone().query("limit", limit).query_opt("marker", marker.take());
        let mut response = page.send().await?;
        let Some(key) = list_key(&response.body) else {
            return Ok(response);
        };
        let more = has_more(&response.body, &key, limit);
        let Some(Value::Array(items)) = response.body.get_mut(&key).map(Value::take) else {
            return Ok(response);
        };
        for item in items {
            // A service that ignores the marker sends the same items again.
            if let Some(id) = id_of(&item) {
                if !seen.insert(id.clone()) {
                    continue;
                }
                marker = Some(id);
            }
            all.push(item);
        }
        if !more || marker.is_none() {
            response.body[&key] = Value::Array(all);
            return Ok(response);
        }
    }
    Err(Error::Protocol {
        service: request.service,
        method: request.method,
        path: request.path,
        reason: format!("the list does not end after {MOST_PAGES} pages"),
        request_id: None,
    })
}

/// The one member that is a list of things; `ports_links` and `links` are not.
pub(super) fn list_key(body: &Value) -> Option<String> {
    let mut lists = body
        .as_object()?
        .iter()
        .filter(|(key, value)| value.is_array() && key.as_str() != "links" && !key.ends_with("_links"));
    let (key, _) = lists.next()?;
    lists.next().is_none().then(|| key.clone())
}

fn has_more(body: &Value, key: &str, limit: u32) -> bool {
    let count = body[key].as_array().map_or(0, Vec::len);
    if count == 0 {
        return false;
    }
    // Designate and Glance always say whether there is more.
    if let Some(links) = body.get("links").filter(|links| links.is_object()) {
        return links.get("next").is_some_and(Value::is_string);
    }
    if body.get("next").is_some_and(Value::is_string) {
        return true;
    }
    // Neutron and Nova say so beside the list; both may have a lower limit than ours.
    let said = body
        .get(format!("{key}_links"))
        .and_then(Value::as_array)
        .is_some_and(|links| links.iter().any(|link| link["rel"] == "next"));
    said || u32::try_from(count).is_ok_and(|count| count >= limit)
}

fn id_of(item: &Value) -> Option<String> {
    match item.get("id")? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({ "ports": [], "ports_links": [] }), Some("ports"))]
    #[case(json!({ "zones": [], "links": {}, "metadata": { "total_count": 0 } }), Some("zones"))]
    #[case(json!({ "a": [], "b": [] }), None)]
    #[case(json!({ "port": {} }), None)]
    #[case(json!([1]), None)]
    fn finds_the_list(#[case] body: Value, #[case] key: Option<&str>) {
        assert_eq!(list_key(&body).as_deref(), key);
    }

    #[rstest]
    #[case(json!({ "ports": [] }), false)]
    #[case(json!({ "ports": [1] }), false)]
    #[case(json!({ "ports": [1, 2] }), true)]
    #[case(json!({ "ports": [1], "ports_links": [{ "rel": "previous" }] }), false)]
    #[case(json!({ "ports": [1], "ports_links": [{ "rel": "next" }] }), true)]
    #[case(json!({ "ports": [1, 2], "links": { "self": "x" } }), false)]
    #[case(json!({ "ports": [1], "links": { "next": "x" } }), true)]
    #[case(json!({ "ports": [1], "next": "/v2/images?marker=1" }), true)]
    fn knows_when_there_is_more(#[case] body: Value, #[case] more: bool) {
        assert_eq!(has_more(&body, "ports", 2), more);
    }
}
