//! Strikes secrets out of texts that come from outside: a service may echo what it was sent.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// What stands where a secret stood.
const STRUCK: &str = "[redacted]";

/// A secret shorter than this would strike out ordinary words.
const SHORTEST: usize = 6;

/// Strikes every occurrence of the secrets, also as they stand in JSON within a text.
pub(super) fn strike(text: &str, secrets: &[&SecretString]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        if secret.len() < SHORTEST {
            continue;
        }
        let in_json = Value::from(secret).to_string();
        for form in [secret, &in_json[1..in_json.len() - 1]] {
            if text.contains(form) {
                text = text.replace(form, STRUCK);
            }
        }
    }
    text
}

/// Those that may be struck out of what a service tells of its things: a password that is a plain word, such as `private`,
/// may be the name of a network, too.
pub(super) fn are_no_words<'a>(secrets: &[&'a SecretString]) -> Vec<&'a SecretString> {
    let is_word = |secret: &str| secret.bytes().all(|byte| byte.is_ascii_lowercase());
    secrets.iter().copied().filter(|secret| !is_word(secret.expose_secret())).collect()
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

    #[test]
    fn secrets_are_struck_as_json_writes_them_too() {
        let secret: SecretString = r#"say "hush"\now"#.into();
        let sent = json!({ "password": secret.expose_secret() }).to_string();
        assert_eq!(strike(&sent, &[&secret]), r#"{"password":"[redacted]"}"#);
    }

    #[test]
    fn a_word_stays_the_name_that_it_may_be() {
        let (word, token): (SecretString, SecretString) = ("private".into(), "gAAAAB-token".into());
        let left = are_no_words(&[&word, &token]);
        assert_eq!(left.iter().map(|one| one.expose_secret()).collect::<Vec<_>>(), ["gAAAAB-token"]);
    }
}
