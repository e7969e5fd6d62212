//! Heat's own resources: nothing but data (and what Heat has emptied).

use serde_json::{Value, json};

use super::Job;

/// Heat's longest random text.
const MAX_RANDOM: usize = 512;
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub(super) fn create(job: &mut Job<'_>) -> (String, Value) {
    let id = job.world.uuid();
    let data = match job.kind.as_str() {
        "OS::Heat::Value" => json!({"value": job.properties["value"]}),
        "OS::Heat::RandomString" => {
            let value = random(job);
            json!({"value": value})
        }
        // OS::Heat::None and the removed OS::Designate::Domain: complete, with an id of nothing.
        _ => json!({}),
    };
    (id, data)
}

fn random(job: &mut Job<'_>) -> String {
    let length = match &job.properties["length"] {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|length| usize::try_from(length).ok()),
    };
    let classes = job.properties["character_classes"].as_array().cloned().unwrap_or_default();
    let mut letters: Vec<u8> = Vec::new();
    for class in &classes {
        letters.extend_from_slice(match class["class"].as_str().unwrap_or_default() {
            "lowercase" => &LETTERS[26..52],
            "uppercase" => &LETTERS[..26],
            "letters" => &LETTERS[..52],
            "digits" => &LETTERS[52..],
            _ => LETTERS,
        });
    }
    if letters.is_empty() {
        letters.extend_from_slice(LETTERS);
    }
    let length = length.unwrap_or(32).min(MAX_RANDOM);
    (0..length).map(|_| char::from(letters[job.world.random_below(letters.len())])).collect()
}
