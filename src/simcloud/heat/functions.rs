//! The functions of templates.

mod make_url;
mod repeat;

use serde_json::{Map, Value, json};

pub(super) use repeat::substitute;

use super::{resources, stack::Stack};
use crate::simcloud::world::World;

/// The most text that functions may make of one value, in bytes: nested, they multiply.
const MAX_MADE: usize = 4 * 1024 * 1024;

/// Resolves values for one stack.
pub(super) struct Resolver<'a> {
    world: &'a mut World,
    stack: &'a Stack,
    /// The named conditions whose definitions are being looked at.
    resolving: Vec<String>,
    /// How much text was made, in bytes.
    made: usize,
}

type Resolved = Result<Value, String>;

/// A value as text, as Heat writes it into strings.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

/// JSON as Python writes it: with blanks after commas and colons.
pub(super) fn python_json(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(python_json).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let pair = |(key, value): (&String, &Value)| format!("{}: {}", json!(key), python_json(value));
            format!("{{{}}}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// An item of a list that is joined.
fn joinable(item: &Value) -> Result<String, String> {
    match item {
        Value::Null | Value::String(_) => Ok(as_text(item)),
        Value::Array(_) | Value::Object(_) => Ok(python_json(item)),
        other => Err(format!("Items to join must be string, map or list not {}", as_text(other))),
    }
}

/// Walks into a value: keys of maps, positions of lists.
pub(super) fn walk(value: &Value, path: &[Value]) -> Value {
    let mut current = value.clone();
    for step in path {
        let position = match step {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        current = match (&current, step) {
            (Value::Object(map), step) => map.get(&as_text(step)).cloned().unwrap_or_default(),
            (Value::Array(items), _) => position
                .and_then(|at| usize::try_from(at).ok())
                .and_then(|at| items.get(at))
                .cloned()
                .unwrap_or_default(),
            _ => Value::Null,
        };
    }
    current
}

/// Whether a value is known before any resource exists.
pub(super) fn is_static(value: &Value) -> bool {
    super::template::references(value).is_empty()
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => {
            matches!(text.to_ascii_lowercase().as_str(), "true" | "t" | "on" | "yes" | "y" | "1")
        }
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Null => false,
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn new(world: &'a mut World, stack: &'a Stack) -> Self {
        Self { world, stack, resolving: Vec::new(), made: 0 }
    }

    /// Counts text before it is made.
    fn make(&mut self, bytes: usize) -> Result<(), String> {
        self.made = self.made.saturating_add(bytes);
        if self.made > MAX_MADE { Err(format!("The value is larger than {MAX_MADE} bytes")) } else { Ok(()) }
    }

    /// The value with all its functions carried out.
    pub(super) fn resolve(&mut self, value: &Value) -> Resolved {
        match value {
            Value::Array(items) => {
                let items: Result<Vec<Value>, String> = items.iter().map(|item| self.resolve(item)).collect();
                Ok(Value::Array(items?))
            }
            Value::Object(map) => {
                if let Some((name, argument)) = map.iter().next().filter(|_| map.len() == 1)
                    && let Some(outcome) = self.call(name, argument)
                {
                    return outcome;
                }
                let mut resolved = Map::new();
                for (name, item) in map {
                    resolved.insert(name.clone(), self.resolve(item)?);
                }
                Ok(Value::Object(resolved))
            }
            other => Ok(other.clone()),
        }
    }

    /// Carries out a function; none if the key is no function.
    fn call(&mut self, name: &str, argument: &Value) -> Option<Resolved> {
        Some(match name {
            "get_param" => self.get_param(argument),
            "get_resource" => self.get_resource(argument),
            "get_attr" => self.get_attr(argument),
            "str_replace" | "str_replace_strict" | "str_replace_vstrict" => {
                self.str_replace(argument, name != "str_replace")
            }
            "list_join" => self.list_join(argument),
            "str_split" => self.str_split(argument),
            "list_concat" => self.list_concat(argument, false),
            "list_concat_unique" => self.list_concat(argument, true),
            "map_merge" => self.map_merge(argument),
            "repeat" => self.repeat(argument),
            "if" => self.branch(argument),
            "equals" | "not" | "and" | "or" => self.condition(&json!({name: argument})).map(Value::Bool),
            "contains" => self.contains(argument),
            "filter" => self.filter(argument),
            "make_url" => self.resolve(argument).map(|parts| Value::String(make_url::of(&parts))),
            "map_replace" => self.map_replace(argument),
            "digest" | "get_file" | "resource_facade" | "yaql" => Err(format!("{name} is not simulated")),
            _ => return None,
        })
    }

    fn get_param(&mut self, argument: &Value) -> Resolved {
        let argument = match argument {
            Value::Array(path) => {
                path.iter().map(|part| self.resolve(part)).collect::<Result<Vec<_>, _>>()?
            }
            other => vec![other.clone()],
        };
        let name = argument.first().map(as_text).unwrap_or_default();
        let stack = self.stack;
        let value = match name.as_str() {
            "OS::stack_name" => json!(stack.name),
            "OS::stack_id" => json!(stack.id),
            "OS::project_id" => json!(stack.owner.project_id),
            _ => stack
                .parameters
                .get(&name)
                .cloned()
                .ok_or_else(|| format!("The Parameter ({name}) was not provided."))?,
        };
        Ok(walk(&value, argument.get(1..).unwrap_or_default()))
    }

    fn get_resource(&mut self, argument: &Value) -> Resolved {
        let name = self.resolve(argument)?;
        let name = as_text(&name);
        let resource = self.stack.resource(&name);
        Ok(resource.map_or(Value::Null, resources::reference))
    }

    fn get_attr(&mut self, argument: &Value) -> Resolved {
        let Value::Array(path) = argument else {
            return Err("Argument to \"get_attr\" must be a list".to_owned());
        };
        let path: Vec<Value> = path.iter().map(|part| self.resolve(part)).collect::<Result<_, _>>()?;
        let Some((name, path)) = path.split_first() else {
            return Ok(Value::Null);
        };
        let Some(resource) = self.stack.resource(&as_text(name)).cloned() else {
            return Ok(Value::Null);
        };
        Ok(resources::attribute(self.world, self.stack, &resource, path))
    }

    fn str_replace(&mut self, argument: &Value, strict: bool) -> Resolved {
        let template = self.resolve(&argument["template"])?;
        let mut text = as_text(&template);
        let params = self.resolve(&argument["params"])?;
        let Value::Object(params) = params else {
            return Err("\"str_replace\" parameters must be a mapping".to_owned());
        };
        // Longer keys first, so that none is cut by another; all against the same template.
        let mut keys: Vec<(&String, &Value)> = params.iter().collect();
        keys.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
        let mut values = Vec::new();
        for (number, (key, value)) in keys.into_iter().enumerate() {
            if key.is_empty() {
                continue;
            }
            if strict && !text.contains(key.as_str()) {
                return Err(format!("The following params were not found in the template: {key}"));
            }
            let mark = format!("\u{0}{number}\u{0}");
            text = text.replace(key.as_str(), &mark);
            let value =
                if value.is_object() || value.is_array() { python_json(value) } else { as_text(value) };
            values.push((mark, value));
        }
        for (mark, value) in values {
            self.make(text.matches(&mark).count().saturating_mul(value.len()))?;
            text = text.replace(&mark, &value);
        }
        Ok(Value::String(text))
    }

    fn list_join(&mut self, argument: &Value) -> Resolved {
        let Value::Array(parts) = self.resolve(argument)? else {
            return Err("Incorrect arguments to \"list_join\"".to_owned());
        };
        let Some((delimiter, lists)) = parts.split_first() else {
            return Ok(json!(""));
        };
        let texts: Result<Vec<String>, String> =
            lists.iter().filter_map(Value::as_array).flatten().map(joinable).collect();
        let texts = texts?;
        Ok(Value::String(texts.join(&as_text(delimiter))))
    }

    fn str_split(&mut self, argument: &Value) -> Resolved {
        let Value::Array(parts) = self.resolve(argument)? else {
            return Err("Incorrect arguments to \"str_split\"".to_owned());
        };
        let delimiter = parts.first().map(as_text).unwrap_or_default();
        let text = parts.get(1).map(as_text).unwrap_or_default();
        let pieces: Vec<Value> = text.split(delimiter.as_str()).map(Value::from).collect();
        Ok(match parts.get(2) {
            Some(at) => walk(&Value::Array(pieces), std::slice::from_ref(at)),
            None => Value::Array(pieces),
        })
    }

    fn contains(&mut self, argument: &Value) -> Resolved {
        let argument = self.resolve(argument)?;
        match argument.as_array().map(Vec::as_slice) {
            Some([value, Value::Array(items)]) => Ok(Value::Bool(items.contains(value))),
            Some([value, Value::String(text)]) => Ok(Value::Bool(text.contains(&as_text(value)))),
            _ => Err("Arguments to \"contains\" must be of the form: [value1, [value1, value2]]".to_owned()),
        }
    }

    fn list_concat(&mut self, argument: &Value, unique: bool) -> Resolved {
        let lists = self.resolve(argument)?;
        let lists = lists.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut joined: Vec<Value> = Vec::new();
        for item in lists.iter().filter_map(Value::as_array).flatten() {
            if !unique || !joined.contains(item) {
                joined.push(item.clone());
            }
        }
        Ok(Value::Array(joined))
    }

    /// The list without the values of the first one.
    fn filter(&mut self, argument: &Value) -> Resolved {
        match self.resolve(argument)?.as_array().map(Vec::as_slice) {
            Some([Value::Array(unwanted), Value::Array(items)]) => {
                Ok(Value::Array(items.iter().filter(|item| !unwanted.contains(item)).cloned().collect()))
            }
            _ => Err("Argument to \"filter\" must be a list of two lists".to_owned()),
        }
    }

    /// The map with keys and values replaced by others.
    fn map_replace(&mut self, argument: &Value) -> Resolved {
        let resolved = self.resolve(argument)?;
        let Some([Value::Object(map), by]) = resolved.as_array().map(Vec::as_slice) else {
            return Err("Incorrect arguments to \"map_replace\" should be: \"map_replace\": [input map, replacements]"
                .to_owned());
        };
        let mut replaced = Map::new();
        for (key, value) in map {
            let key = by["keys"].get(key).map_or_else(|| key.clone(), as_text);
            let value = value.as_str().and_then(|value| by["values"].get(value)).unwrap_or(value);
            replaced.insert(key, value.clone());
        }
        Ok(Value::Object(replaced))
    }

    fn map_merge(&mut self, argument: &Value) -> Resolved {
        let maps = self.resolve(argument)?;
        let mut merged = Map::new();
        for map in maps.as_array().into_iter().flatten() {
            merged.extend(map.as_object().cloned().unwrap_or_default());
        }
        Ok(Value::Object(merged))
    }

    fn branch(&mut self, argument: &Value) -> Resolved {
        let Some([condition, rest @ ..]) = argument.as_array().map(Vec::as_slice) else {
            return Err(
                "Arguments to \"if\" must be of the form: [condition_name, value_if_true, value_if_false]"
                    .to_owned(),
            );
        };
        let chosen = if self.condition(condition)? { rest.first() } else { rest.get(1) };
        chosen.map_or(Ok(Value::Null), |value| self.resolve(value))
    }

    /// Whether a condition holds: a name, a function or a truth value.
    pub(super) fn condition(&mut self, condition: &Value) -> Result<bool, String> {
        if let Value::String(name) = condition {
            let stack = self.stack;
            let defined = stack.template.conditions.get(name);
            let defined = defined.ok_or_else(|| format!("Invalid condition \"{name}\""))?;
            if self.resolving.contains(name) {
                return Err(format!("Circular definition for condition \"{name}\""));
            }
            self.resolving.push(name.clone());
            let outcome = self.condition(defined);
            self.resolving.pop();
            return outcome;
        }
        let Some((name, argument)) = condition.as_object().and_then(|map| map.iter().next()) else {
            return Ok(truth(condition));
        };
        let list = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match (name.as_str(), list) {
            ("equals", [left, right]) => Ok(self.resolve(left)? == self.resolve(right)?),
            ("equals", _) => {
                Err("Arguments to \"equals\" must be of the form: [value_1, value_2]".to_owned())
            }
            ("not", _) => Ok(!self.condition(argument)?),
            ("and", all) => {
                for part in all {
                    if !self.condition(part)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            ("or", any) => {
                for part in any {
                    if self.condition(part)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Ok(truth(&self.resolve(condition)?)),
        }
    }
}
