//! What a service's root says about its versions. Only ids and numbers are believed: the addresses in it often have the
//! wrong scheme or host behind a proxy.

use serde_json::Value;

use super::microversion::Microversion;

/// One version that a service offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiVersion {
    /// Its id, such as `v2.1`.
    pub id: String,
    /// `CURRENT`, `SUPPORTED`, `stable`, `DEPRECATED`, …
    pub status: String,
    /// The lowest microversion, where the service has them.
    pub min: Option<Microversion>,
    /// The highest microversion, where the service has them.
    pub max: Option<Microversion>,
}

/// Reads `{"versions": […]}`, Keystone's `{"versions": {"values": […]}}` or `{"version": {…}}`.
pub(super) fn parse(body: &Value) -> Vec<ApiVersion> {
    let all: Vec<&Value> = match (body.get("versions"), body.get("version")) {
        (Some(Value::Array(all)), _) => all.iter().collect(),
        (Some(versions), _) => versions
            .get("values")
            .and_then(Value::as_array)
            .map(|all| all.iter().collect())
            .unwrap_or_default(),
        (None, Some(version)) => vec![version],
        (None, None) => vec![],
    };
    all.into_iter()
        .filter_map(|version| {
            let text = |name: &str| version.get(name).and_then(Value::as_str);
            let number = |names: [&str; 2]| {
                names.iter().find_map(|name| text(name).and_then(|text| text.parse().ok()))
            };
            Some(ApiVersion {
                id: text("id")?.to_owned(),
                status: text("status").unwrap_or_default().to_owned(),
                min: number(["min_version", "min_microversion"]),
                max: number(["max_version", "version"]),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_every_shape() {
        let nova = json!({ "version": {
            "id": "v2.1", "status": "CURRENT", "min_version": "2.1", "version": "2.96", "links": [],
        } });
        assert_eq!(
            parse(&nova),
            [ApiVersion {
                id: "v2.1".into(),
                status: "CURRENT".into(),
                min: Some(Microversion::new(2, 1)),
                max: Some(Microversion::new(2, 96)),
            }]
        );
        let keystone = json!({ "versions": { "values": [ { "id": "v3.14", "status": "stable" } ] } });
        assert_eq!(parse(&keystone)[0].id, "v3.14");
        let neutron = json!({ "versions": [
            { "id": "v2.0", "status": "CURRENT", "version": "", "min_version": "" }, { "id": 7 },
        ] });
        assert_eq!(parse(&neutron).len(), 1);
        assert_eq!(parse(&neutron)[0].max, None);
        assert_eq!(parse(&json!("x")), []);
    }
}
