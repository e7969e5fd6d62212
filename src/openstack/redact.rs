//! Strikes secrets out of texts that come from outside: a service may echo what it was sent.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// What stands where a secret stood.
const STRUCK: &str = "[redacted]";

/// A secret shorter than this would strike out ordinary words.
const SHORTEST: usize = 6;

/// Strikes every occurrence of the secrets.
pub(super) fn strike(text: &str, secrets: &[&SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        if secret.len() >= SHORTEST && text.contains(secret) {
            text = text.replace(secret, STRUCK);
        }
    }
    text
}

/// The same for every text of a JSON value.
pub(super) fn strike_value(value: &mut Value, secrets: &[&SecretString]) {
    match value {
        Value::String(text) => *text = strike(text, secrets),
        Value::Array(all) => all.iter_mut().for_each(|value| strike_value(value, secrets)),
        Value::Object(map) => map.values_mut().for_each(|value| strike_value(value, secrets)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_struck_wherever_they_are() {
        let secret: SecretString = "fake-password".into();
        let mut value = json!({ "a": ["user demo used fake-password!"], "b": 1, "c": { "d": "fine" } });
        strike_value(&mut value, &[&secret, &"".into()]);
        assert_eq!(value, json!({ "a": ["user demo used [redacted]!"], "b": 1, "c": { "d": "fine" } }));
    }
}
