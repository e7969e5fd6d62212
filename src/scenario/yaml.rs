//! YAML as JSON values, with the line of every field.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

/// Largest text that is read, in bytes.
pub const MAX_DOCUMENT: usize = 1024 * 1024;
/// Deepest nesting: every level costs stack.
const MAX_DEPTH: usize = 32;
/// Most values in a text, aliases resolved.
const MAX_NODES: usize = 50_000;
/// Longest name of a field, in bytes: every value below it carries it in its path.
const MAX_NAME: usize = 253;

/// One YAML document.
#[derive(Clone, Debug)]
pub struct Document {
    /// As JSON.
    pub value: Value,
    /// The line on which each field begins, by its path.
    lines: BTreeMap<String, u64>,
}

impl Document {
    /// The line of a field, or of the nearest one around it that is there.
    pub fn line(&self, path: &str) -> Option<u64> {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return Some(*line);
            }
            let cut = path.rfind(['.', '['])?;
            path = path.get(..cut)?;
        }
    }
}

/// A text that is no YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NotYaml {
    /// Where.
    pub line: Option<u64>,
    /// What is wrong.
    pub message: String,
}

/// Reads all documents of a text; empty ones are left out.
pub fn parse(text: &str) -> Result<Vec<Document>, NotYaml> {
    if text.len() > MAX_DOCUMENT {
        let message = format!("is {} bytes long; at most {MAX_DOCUMENT} are read", text.len());
        return Err(NotYaml { line: None, message });
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES },
    };
    let nodes: Vec<Spanned<Node>> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
            let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
            NotYaml { line, message: in_short(&error.without_snippet().to_string()) }
        })?;
    Ok(nodes
        .into_iter()
        .filter(|node| !matches!(node.value, Node::Scalar(Value::Null)))
        .map(|node| {
            let mut lines = BTreeMap::new();
            note(&mut lines, String::new(), node.referenced.line());
            let value = flatten(node.value, "", &mut lines);
            Document { value, lines }
        })
        .collect())
}

/// Joins a path and a field.
pub fn field(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn in_short(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    line.chars().take(300).collect()
}

fn note(lines: &mut BTreeMap<String, u64>, path: String, line: u64) {
    if line > 0 {
        lines.insert(path, line);
    }
}

#[derive(Debug)]
enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Object(Vec<(Spanned<String>, Node)>),
}

fn flatten(node: Node, path: &str, lines: &mut BTreeMap<String, u64>) -> Value {
    match node {
        Node::Scalar(value) => value,
        Node::List(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| {
                    let path = format!("{path}[{index}]");
                    note(lines, path.clone(), item.referenced.line());
                    flatten(item.value, &path, lines)
                })
                .collect(),
        ),
        Node::Object(fields) => {
            let mut object = Map::new();
            for (name, value) in fields {
                let path = field(path, &name.value);
                note(lines, path.clone(), name.referenced.line());
                let value = flatten(value, &path, lines);
                object.insert(name.value, value);
            }
            Value::Object(object)
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(Value::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(Value::from(value)))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number that JSON does not have"))?;
        Ok(Node::Scalar(Value::Number(number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(Value::String(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Scalar(Value::String(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let mut object = Vec::new();
        while let Some(name) = fields.next_key::<Spanned<String>>()? {
            if name.value.len() > MAX_NAME {
                let (length, line) = (name.value.len(), name.referenced.line());
                let message =
                    format!("a name has {length} bytes at line {line}; at most {MAX_NAME} are read");
                return Err(A::Error::custom(message));
            }
            object.push((name, fields.next_value()?));
        }
        Ok(Node::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn every_field_has_its_line() {
        let text =
            "a: 1\nb:\n  - x: yes\n    y: |\n      text\n  - [1.5, ~, 'two']\n---\nc: 2018-08-23\n---\n";
        let documents = parse(text).unwrap();
        let values: Vec<_> = documents.iter().map(|document| document.value.clone()).collect();
        let first = json!({ "a": 1, "b": [{ "x": true, "y": "text\n" }, [1.5, null, "two"]] });
        assert_eq!(values, [first, json!({ "c": "2018-08-23" })]);
        let lines: Vec<_> = ["a", "b", "b[0].x", "b[0].y", "b[1]", "b[1].missing.deep", "nothing"]
            .map(|path| documents[0].line(path))
            .to_vec();
        assert_eq!(lines, [Some(1), Some(2), Some(3), Some(4), Some(6), Some(6), None]);
        assert_eq!(documents[1].line("c"), Some(8));
    }

    #[test]
    fn what_is_no_yaml_says_where() {
        let error = parse("a: 1\nb: [1\nc: 2\n").unwrap_err();
        assert!(error.line.is_some(), "{error:?}");
        assert_eq!(parse("a: 1\na: 2\n").unwrap_err().line, Some(2));
        assert!(parse(&"x".repeat(MAX_DOCUMENT + 1)).unwrap_err().message.contains("at most"));
    }

    #[rstest]
    #[case::deep("[".repeat(1000))]
    #[case::deep_in_blocks("- ".repeat(1000))]
    #[case::aliases_of_aliases(laughs())]
    #[case::many_values(format!("[{}]", "1,".repeat(100_000)))]
    #[case::a_long_name_before_many_values(format!("? {}\n: [{}]", "k".repeat(500_000), "1,".repeat(40_000)))]
    fn what_would_cost_too_much_is_refused(#[case] text: String) {
        let error = parse(&text).unwrap_err();
        assert!(error.line.is_some() || error.message.contains("at line 1"), "{error:?}");
        assert!(error.message.len() < 400, "{error:?}");
    }

    fn laughs() -> String {
        let level = |level: usize| {
            format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(", "))
        };
        (1..12).fold("a0: &a0 [x, x]\n".to_owned(), |text, next| text + &level(next))
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[ -~\n]{0,200}") {
            let _ = parse(&text);
        }
    }
}
