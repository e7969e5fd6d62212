//! Valid documents, damaged at random: what parsers are given by the properties that hold for any input.
//!
//! The unit tests of parsers that are private include this file, too.

#![allow(dead_code, reason = "each of the places that include it uses a part")]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// Few cases unless `PROPTEST_CASES` says how many; what fails is printed, and becomes an example test.
pub fn few() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases: 16, ..config } }
}

/// One of the texts, damaged; now and then any text at all.
pub fn text(valid: Vec<String>) -> impl Strategy<Value = String> {
    let valid = valid.into_iter().map(String::into_bytes).collect();
    prop_oneof![
        9 => bytes(valid).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => any::<String>(),
    ]
}

/// One of the messages, damaged; now and then any bytes at all.
pub fn bytes(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let damaged = (select(valid), vec(damage(), 0..6)).prop_map(|(mut bytes, damages)| {
        for damage in damages {
            damage.apply(&mut bytes);
        }
        bytes
    });
    prop_oneof![9 => damaged, 1 => vec(any::<u8>(), 0..600)]
}

/// One of the trees, with nodes of it removed, doubled, swapped or replaced.
pub fn json(valid: Vec<Value>) -> impl Strategy<Value = Value> {
    let changes = vec((any::<Index>(), any::<Index>(), 0..5_u8, leaf()), 0..6);
    (select(valid), changes).prop_map(|(mut tree, changes)| {
        for (at, other, how, leaf) in changes {
            change(&mut tree, at, other, how, leaf);
        }
        tree
    })
}

/// As [`json`], written out: valid JSON, which is valid YAML.
pub fn json_text(valid: Vec<Value>) -> impl Strategy<Value = String> {
    json(valid).prop_map(|tree| format!("{tree:#}"))
}

/// What one edit of a text or message does, at places between its start and its end.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    Remove(Index, Index),
    Double(Index, Index),
    Swap(Index, Index),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    RemoveLine(Index),
    DoubleLine(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        1 => at().prop_map(Damage::Cut),
        1 => (at(), at()).prop_map(|(from, to)| Damage::Remove(from, to)),
        1 => (at(), at()).prop_map(|(from, to)| Damage::Double(from, to)),
        3 => (at(), at()).prop_map(|(one, other)| Damage::Swap(one, other)),
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        5 => (at(), junk()).prop_map(|(at, junk)| Damage::Insert(at, junk)),
        3 => at().prop_map(Damage::RemoveLine),
        3 => at().prop_map(Damage::DoubleLine),
    ]
}

impl Damage {
    fn apply(self, bytes: &mut Vec<u8>) {
        let end = bytes.len();
        if end == 0 {
            return;
        }
        let span = |from: Index, to: Index| {
            let (from, to) = (from.index(end), to.index(end));
            from.min(to)..from.max(to)
        };
        match self {
            Self::Cut(at) => bytes.truncate(at.index(end)),
            Self::Remove(from, to) => drop(bytes.drain(span(from, to))),
            Self::Double(from, to) => bytes.extend_from_within(span(from, to)),
            Self::Swap(one, other) => bytes.swap(one.index(end), other.index(end)),
            Self::Set(at, byte) => bytes[at.index(end)] = byte,
            Self::Insert(at, junk) => drop(bytes.splice(at.index(end)..at.index(end), junk)),
            Self::RemoveLine(at) => drop(bytes.drain(line(bytes, at.index(end)))),
            Self::DoubleLine(at) => {
                let line = line(bytes, at.index(end));
                let copy = bytes[line.clone()].to_vec();
                bytes.splice(line.end..line.end, copy);
            }
        }
    }
}

/// The line around a place, with its break.
fn line(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_break = |byte: &u8| *byte == b'\n';
    let from = bytes[..at].iter().rposition(is_break).map_or(0, |at| at + 1);
    let to = bytes[at..].iter().position(is_break).map_or(bytes.len(), |more| at + more + 1);
    from..to
}

/// What means something to some parser.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    let short = select(vec![
        "\0",
        "\t",
        "\n",
        "\r\n",
        "\u{feff}",
        "\u{202e}",
        "ß",
        "🦀",
        "'",
        "\"",
        "\\",
        ": ",
        "- ",
        "? ",
        "#",
        "|",
        ">",
        "%",
        "@",
        "---\n",
        "...\n",
        "&a ",
        "*a",
        "<<: ",
        "!!binary ",
        "!!int ",
        "null",
        "~",
        ".inf",
        ".nan",
        "true",
        "-1",
        "1e999",
        "99999999999999999999",
        "0x7fffffffffffffff",
        "{",
        "}",
        "[",
        "]",
        "${",
        "$${",
        "${}",
        "(",
        ")",
        "!",
        "&&",
        "?",
        "get_attr",
        "9999-99-99T99:99:99Z",
        "<script>",
        "</",
        "\u{fffd}",
    ]);
    let deep = (select(vec!["[", "{", "{a: ", "(", "-", "!", "- ", "[[", "${", "<b", "a."]), 2..3000_usize)
        .prop_map(|(piece, times)| piece.repeat(times));
    prop_oneof![
        6 => short.prop_map(|piece| piece.as_bytes().to_vec()),
        1 => deep.prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 1..20),
    ]
}

/// A value of any type, also out of every bound.
fn leaf() -> impl Strategy<Value = Value> {
    let fixed = select(vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(0.5),
        json!(""),
        json!("\0"),
        json!("${"),
        json!("${1}"),
        json!("-9999-01-01T00:00:00Z"),
        json!([]),
        json!({}),
        json!([[[]]]),
        json!({"": {"": ""}}),
        json!("long ".repeat(5000)),
        json!(vec![0; 3000]),
    ]);
    let deep = (1..100_usize).prop_map(|depth| (0..depth).fold(json!("x"), |inner, _| json!([inner])));
    prop_oneof![6 => fixed, 1 => deep, 2 => any::<String>().prop_map(Value::String)]
}

fn change(tree: &mut Value, at: Index, other: Index, how: u8, leaf: Value) {
    let paths = paths(tree);
    let path = paths[at.index(paths.len())].clone();
    let twin = tree.pointer(&paths[other.index(paths.len())]).cloned().unwrap_or_default();
    let put = |tree: &mut Value, value: Value| {
        if let Some(node) = tree.pointer_mut(&path) {
            *node = value;
        }
    };
    match how {
        0 => remove(tree, &path),
        1 => put(tree, leaf),
        // Another node of the tree in its place: a right value at a wrong one.
        2 => put(tree, twin),
        3 => match tree.pointer_mut(&path) {
            Some(Value::Array(items)) => items.push(twin),
            Some(Value::Object(members)) => drop(members.insert("other".to_owned(), twin)),
            Some(node) => *node = json!([node.clone(), node.clone()]),
            None => {}
        },
        _ => match tree.pointer_mut(&path) {
            Some(Value::String(text)) => text.push_str(leaf.as_str().unwrap_or("\u{202e}")),
            Some(node) => *node = json!(node.to_string()),
            None => {}
        },
    }
}

fn remove(tree: &mut Value, path: &str) {
    let Some((parent, name)) = path.rsplit_once('/') else { return };
    match tree.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(items)) => drop(name.parse().ok().map(|at: usize| items.remove(at))),
        _ => {}
    }
}

/// The pointers to all nodes, the root's first.
fn paths(tree: &Value) -> Vec<String> {
    fn collect(node: &Value, path: String, all: &mut Vec<String>) {
        let members: Vec<(String, &Value)> = match node {
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
            }
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (name.replace('~', "~0").replace('/', "~1"), member))
                .collect(),
            _ => Vec::new(),
        };
        for (name, member) in members {
            collect(member, format!("{path}/{name}"), all);
        }
        all.push(path);
    }
    let mut all = Vec::new();
    collect(tree, String::new(), &mut all);
    all.reverse();
    all
}
