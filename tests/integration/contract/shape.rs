//! What of an answer is a promise, and what differs from one cloud, or one day, to the next.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::cloud::Cloud;

/// Values that say how a cloud was set up or what else happens in it; only their type is compared.
const SET_UP: [&str; 5] = ["deletion_time", "mtu", "revision_number", "serial", "version"];

/// What stands for values that are made anew each time.
static FORMS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"https?://[^\s\x22]+", "<url>"),
        (r"req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<request id>"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
        (r"\b[0-9a-f]{32}\b", "<id>"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "<time>"),
        (r"<prefix>(-rolls-back|-fails)?-[a-z]+-[0-9a-z]{12}", "<physical name>"),
        (r"(?s)\n\nFailed validating .*", ""),
        // Heat prints its graph in the order of a Python dictionary of objects, which differs each time.
        (r"Circular Dependency Found: .*", "Circular Dependency Found: <graph>"),
        (r"<ns\d>", "<name server>"),
        (r"\d+ \d+ 600 86400 3600", "<serial> <refresh> 600 86400 3600"),
        (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "<mac>"),
        (r"\b(\d{1,3}\.){3}\d{1,3}\b", "<address>"),
    ]
    .map(|(form, mask)| (Regex::new(form).unwrap(), mask))
    .into()
});

/// Values that calls use, and the names that stand for them in what is compared.
pub struct Masks(BTreeMap<String, String>);

impl Masks {
    /// Those that every list of calls may use.
    pub async fn new(cloud: &Cloud) -> Self {
        let mut masks = Self(BTreeMap::new());
        masks.keep("prefix", &format!("contract-{:08x}", rand::random::<u32>()));
        masks.keep("suffix", &cloud.zone_suffix);
        masks.keep("project", &cloud.project("demo").await);
        masks
    }

    /// Gives a value a name.
    pub fn keep(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// A text with the values for their names.
    pub fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    /// The same for each text of a body.
    pub fn fill_all(&self, value: &Value) -> Value {
        each_text(value.clone(), &|text| self.fill(text))
    }

    /// An answer with the names for the values.
    pub fn mask(&self, body: Value) -> Value {
        each_text(by_set_up(body), &|text| self.mask_text(text))
    }

    fn mask_text(&self, text: &str) -> String {
        let mut kept: Vec<_> = self.0.iter().filter(|(_, value)| !value.is_empty()).collect();
        kept.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        let text = kept
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(value.as_str(), &format!("<{name}>")));
        FORMS.iter().fold(text, |text, (form, mask)| form.replace_all(&text, *mask).into_owned())
    }
}

fn each_text(value: Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(&text)),
        Value::Array(all) => all.into_iter().map(|one| each_text(one, change)).collect(),
        Value::Object(all) => {
            all.into_iter().map(|(key, one)| (change(&key), each_text(one, change))).collect()
        }
        other => other,
    }
}

/// Lists without an order of their own.
const UNORDERED: [&str; 2] = ["outputs", "records"];

/// Leaves of what is the cloud's own matter nothing but their type.
fn by_set_up(value: Value) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(by_set_up).collect(),
        Value::Object(all) => all
            .into_iter()
            .map(|(key, one)| {
                let mut one = if SET_UP.contains(&key.as_str()) { kind(&one).into() } else { by_set_up(one) };
                if let (true, Value::Array(all)) = (UNORDERED.contains(&key.as_str()), &mut one) {
                    all.sort_by_key(ToString::to_string);
                }
                (key, one)
            })
            .collect(),
        other => other,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "<null>",
        Value::Bool(_) => "<boolean>",
        Value::Number(_) => "<number>",
        Value::String(_) => "<string>",
        Value::Array(_) => "<array>",
        Value::Object(_) => "<object>",
    }
}
