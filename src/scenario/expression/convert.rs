//! Between JSON and CEL values.

use std::collections::HashMap;
use std::sync::Arc;

use cel::Value as Cel;
use cel::objects::{Key, Map as CelMap};
use serde_json::{Map, Number, Value};

use super::references::Reference;
use super::{MAX_ITEMS, MAX_NESTING, MAX_TEXT, Scope};

/// What the references of an expression read of a scope, by their first names: nothing else is converted.
pub fn visible(
    scope: &Scope,
    references: &[Reference],
    longest: usize,
) -> Result<Vec<(String, Cel)>, String> {
    let mut roots: Vec<(String, Cel)> = Vec::new();
    let mut start = 0;
    // Sorted by path, so those of one root are neighbours.
    while let Some(first) = references.get(start) {
        let Some(name) = first.path.first() else { break };
        let count = references.get(start..).unwrap_or_default();
        let count = count.iter().take_while(|reference| reference.path.first() == Some(name)).count();
        if let Some(value) = scope.get(name) {
            let paths: Vec<&[String]> = references
                .iter()
                .skip(start)
                .take(count)
                .map(|reference| reference.path.get(1..).unwrap_or_default())
                .collect();
            roots.push((name.clone(), pruned(value, &paths, longest)?));
        }
        start += count;
    }
    Ok(roots)
}

/// `value` with only what lies on one of the paths.
fn pruned(value: &Value, paths: &[&[String]], longest: usize) -> Result<Cel, String> {
    let Value::Object(fields) = value else { return to_cel(value, 0, longest) };
    if paths.iter().any(|path| path.is_empty()) {
        return to_cel(value, 0, longest);
    }
    let mut kept: HashMap<Key, Cel> = HashMap::new();
    for name in paths.iter().filter_map(|path| path.first()) {
        let key = Key::String(Arc::new(name.clone()));
        if let (Some(field), false) = (fields.get(name), kept.contains_key(&key)) {
            let below: Vec<&[String]> = paths
                .iter()
                .filter(|path| path.first() == Some(name))
                .map(|path| path.get(1..).unwrap_or_default())
                .collect();
            kept.insert(key, pruned(field, &below, longest)?);
        }
    }
    Ok(Cel::Map(CelMap { map: Arc::new(kept) }))
}

fn to_cel(value: &Value, depth: usize, longest: usize) -> Result<Cel, String> {
    if depth > MAX_NESTING * 2 {
        return Err(format!("reads a value nested deeper than {}", MAX_NESTING * 2));
    }
    Ok(match value {
        Value::Null => Cel::Null,
        Value::Bool(boolean) => Cel::Bool(*boolean),
        Value::Number(number) => number_to_cel(number),
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => {
            at_most(items.len(), longest)?;
            let items: Result<Vec<_>, _> =
                items.iter().map(|item| to_cel(item, depth + 1, longest)).collect();
            Cel::List(Arc::new(items?))
        }
        Value::Object(fields) => {
            at_most(fields.len(), longest)?;
            let map: Result<HashMap<_, _>, String> = fields
                .iter()
                .map(|(name, field)| {
                    Ok((Key::String(Arc::new(name.clone())), to_cel(field, depth + 1, longest)?))
                })
                .collect();
            Cel::Map(CelMap { map: Arc::new(map?) })
        }
    })
}

fn at_most(count: usize, longest: usize) -> Result<(), String> {
    if count > longest { Err(format!("reads a list of more than {longest} items")) } else { Ok(()) }
}

fn number_to_cel(number: &Number) -> Cel {
    if let Some(signed) = number.as_i64() {
        Cel::Int(signed)
    } else if let Some(unsigned) = number.as_u64() {
        Cel::UInt(unsigned)
    } else {
        Cel::Float(number.as_f64().unwrap_or(f64::NAN))
    }
}

/// How much of a result may still be written out.
#[derive(Debug)]
pub struct Budget {
    items: usize,
    bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { items: MAX_ITEMS, bytes: MAX_TEXT }
    }
}

impl Budget {
    fn take(&mut self, items: usize, bytes: usize) -> Result<(), String> {
        match (self.items.checked_sub(items), self.bytes.checked_sub(bytes)) {
            (Some(items), Some(bytes)) => {
                (self.items, self.bytes) = (items, bytes);
                Ok(())
            }
            (None, _) => Err(format!("gives more than {MAX_ITEMS} values")),
            (_, None) => Err(format!("gives more than {MAX_TEXT} bytes of text")),
        }
    }
}

/// A result as JSON.
pub fn to_json(value: &Cel, budget: &mut Budget) -> Result<Value, String> {
    budget.take(1, 0)?;
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(boolean) => Value::Bool(*boolean),
        Cel::Int(number) => Value::from(*number),
        Cel::UInt(number) => Value::from(*number),
        Cel::Float(number) => {
            Number::from_f64(*number).map(Value::Number).ok_or("gives a number that JSON does not have")?
        }
        Cel::String(text) => {
            budget.take(0, text.len())?;
            Value::String(text.as_ref().clone())
        }
        Cel::List(items) => {
            Value::Array(items.iter().map(|item| to_json(item, budget)).collect::<Result<_, _>>()?)
        }
        Cel::Map(map) => {
            let mut fields = Map::new();
            for (key, item) in map.map.iter() {
                let name = key.to_string();
                budget.take(0, name.len())?;
                fields.insert(name, to_json(item, budget)?);
            }
            Value::Object(fields)
        }
        Cel::Duration(span) => Value::from(span.num_milliseconds()),
        Cel::Timestamp(time) => Value::String(time.to_rfc3339()),
        other => return Err(format!("gives a {}, which is no JSON value", other.type_of())),
    })
}
