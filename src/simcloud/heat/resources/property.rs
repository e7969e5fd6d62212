//! What a property takes, and what Heat says of anything else.

use serde_json::{Value, json};

use super::lookup;
use crate::simcloud::{heat::functions::python_json, wire::Caller, world::World};

/// A property of a resource type, or of the maps inside one.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are four independent words of a schema")]
pub(in crate::simcloud::heat) struct Property {
    pub(in crate::simcloud::heat) name: &'static str,
    pub(in crate::simcloud::heat) kind: Kind,
    pub(in crate::simcloud::heat) required: bool,
    /// Heat changes it in place.
    pub(in crate::simcloud::heat) updatable: bool,
    /// Heat changes it in place, and the simulated one makes a new resource instead.
    replaced: bool,
    /// An older name of another property, which Heat takes and does not show.
    pub(in crate::simcloud::heat) hidden: bool,
    constraint: Constraint,
    /// What the map, or each map of the list, takes.
    nested: &'static [Property],
}

/// The type of a property's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simcloud::heat) enum Kind {
    Any,
    Boolean,
    Integer,
    List,
    Map,
    Text,
}

impl Kind {
    pub(in crate::simcloud::heat) const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::List => "list",
            Self::Map => "map",
            Self::Text => "string",
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Constraint {
    None,
    OneOf(&'static [&'static str]),
    OneOfNumbers(&'static [i64]),
    Range(Option<i64>, Option<i64>),
    Length(Option<i64>, Option<i64>),
    Custom(&'static str),
}

const fn plain(name: &'static str, kind: Kind) -> Property {
    Property {
        name,
        kind,
        required: false,
        updatable: false,
        replaced: false,
        hidden: false,
        constraint: Constraint::None,
        nested: &[],
    }
}

pub(super) const fn any(name: &'static str) -> Property {
    plain(name, Kind::Any)
}

pub(super) const fn boolean(name: &'static str) -> Property {
    plain(name, Kind::Boolean)
}

pub(super) const fn integer(name: &'static str) -> Property {
    plain(name, Kind::Integer)
}

pub(super) const fn list(name: &'static str) -> Property {
    plain(name, Kind::List)
}

pub(super) const fn map(name: &'static str) -> Property {
    plain(name, Kind::Map)
}

pub(super) const fn text(name: &'static str) -> Property {
    plain(name, Kind::Text)
}

impl Property {
    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) const fn updatable(self) -> Self {
        Self { updatable: true, ..self }
    }

    pub(super) const fn replaced(self) -> Self {
        Self { replaced: true, ..self }
    }

    pub(super) const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    pub(super) const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self { constraint: Constraint::OneOf(values), ..self }
    }

    pub(super) const fn one_of_numbers(self, values: &'static [i64]) -> Self {
        Self { constraint: Constraint::OneOfNumbers(values), ..self }
    }

    pub(super) const fn range(self, min: Option<i64>, max: Option<i64>) -> Self {
        Self { constraint: Constraint::Range(min, max), ..self }
    }

    pub(super) const fn length(self, min: Option<i64>, max: Option<i64>) -> Self {
        Self { constraint: Constraint::Length(min, max), ..self }
    }

    pub(super) const fn custom(self, constraint: &'static str) -> Self {
        Self { constraint: Constraint::Custom(constraint), ..self }
    }

    pub(super) const fn of(self, nested: &'static [Property]) -> Self {
        Self { nested, ..self }
    }

    /// Whether a change of it leaves the resource in its place.
    pub(super) const fn in_place(&self) -> bool {
        self.updatable && !self.replaced
    }

    /// Its constraints as Heat shows them.
    pub(in crate::simcloud::heat) fn constraints(&self) -> Option<Value> {
        let bounds = |min: &Option<i64>, max: &Option<i64>| {
            let mut bounds = json!({});
            for (name, bound) in [("min", min), ("max", max)] {
                if let Some(bound) = bound {
                    bounds[name] = json!(bound);
                }
            }
            bounds
        };
        Some(match &self.constraint {
            Constraint::None => return None,
            Constraint::OneOf(values) => json!([{"allowed_values": values}]),
            Constraint::OneOfNumbers(values) => json!([{"allowed_values": values}]),
            Constraint::Range(min, max) => json!([{"range": bounds(min, max)}]),
            Constraint::Length(min, max) => json!([{"length": bounds(min, max)}]),
            Constraint::Custom(name) => json!([{"custom_constraint": name}]),
        })
    }

    /// Checks a value; the error is where it is wrong, below `path`, and Heat's sentence.
    pub(super) fn check(
        &self,
        world: &mut World,
        caller: &Caller,
        path: &str,
        value: &Value,
    ) -> Result<(), (String, String)> {
        let here = |message: String| (path.to_owned(), message);
        self.check_type(value).map_err(here)?;
        let maps: Vec<(String, &Value)> = match value {
            Value::Array(items) => {
                items.iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), item)).collect()
            }
            other => vec![(path.to_owned(), other)],
        };
        if !self.nested.is_empty() {
            for (path, item) in maps {
                check_all(self.nested, world, caller, &path, item)?;
            }
        }
        self.check_constraint(world, caller, value).map_err(here)
    }

    fn check_type(&self, value: &Value) -> Result<(), String> {
        match (self.kind, value) {
            (_, Value::Null)
            | (Kind::Any, _)
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::Integer, Value::Number(_) | Value::Bool(_))
            | (Kind::List, Value::Array(_))
            | (Kind::Map, Value::Object(_))
            | (Kind::Text, Value::String(_) | Value::Bool(_)) => Ok(()),
            (Kind::Text, Value::Number(number)) if !number.is_f64() => Ok(()),
            (Kind::Boolean, Value::String(text)) if is_truth(text) => Ok(()),
            (Kind::Integer, Value::String(text)) if text.parse::<i64>().is_ok() => Ok(()),
            (Kind::Map, Value::String(text))
                if serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object()) =>
            {
                Ok(())
            }
            (Kind::Boolean, other) => Err(format!("\"{}\" is not a valid boolean", plainly(other))),
            (Kind::Integer, other) => Err(format!("Value '{}' is not an integer", plainly(other))),
            (Kind::List, other) => Err(format!("\"{}\" is not a list", python(other))),
            (Kind::Map, other) => Err(format!("\"{}\" is not a map", plainly(other))),
            (Kind::Text, other) => Err(format!("Value must be a string; got {}", python(other))),
        }
    }

    fn check_constraint(&self, world: &mut World, caller: &Caller, value: &Value) -> Result<(), String> {
        let outside = |number: i64, min: Option<i64>, max: Option<i64>| {
            min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max)
        };
        let bound = |bound: Option<i64>| bound.map_or_else(|| "None".to_owned(), |bound| bound.to_string());
        let fits = match &self.constraint {
            Constraint::OneOf(values) => value.as_str().is_none_or(|value| values.contains(&value)),
            Constraint::OneOfNumbers(values) => {
                lookup::number(value).as_i64().is_none_or(|n| values.contains(&n))
            }
            Constraint::Range(min, max) => {
                let number = lookup::number(value).as_i64();
                if let Some(number) = number.filter(|number| outside(*number, *min, *max)) {
                    let (min, max) = (bound(*min), bound(*max));
                    return Err(format!("{number} is out of range (min: {min}, max: {max})"));
                }
                true
            }
            Constraint::Length(min, max) => {
                let length = value.as_str().map(|text| text.chars().count());
                let length = length.and_then(|length| i64::try_from(length).ok());
                if let Some(length) = length.filter(|length| outside(*length, *min, *max)) {
                    let (min, max) = (bound(*min), bound(*max));
                    return Err(format!("length ({length}) is out of range (min: {min}, max: {max})"));
                }
                true
            }
            Constraint::Custom(name) => match value.as_str().filter(|value| !value.is_empty()) {
                None => true,
                Some(value) => {
                    return lookup::custom(world, caller, name, value)
                        .map_err(|why| format!("Error validating value '{value}': {why}"));
                }
            },
            Constraint::None => true,
        };
        if fits {
            return Ok(());
        }
        let allowed = self.constraints().unwrap_or_default();
        Err(format!("{value} is not an allowed value {}", python_json(&allowed[0]["allowed_values"])))
    }
}

/// Checks a map that has these properties.
fn check_all(
    properties: &[Property],
    world: &mut World,
    caller: &Caller,
    path: &str,
    value: &Value,
) -> Result<(), (String, String)> {
    let Some(given) = value.as_object() else { return Ok(()) };
    if let Some(unknown) = given.keys().find(|name| properties.iter().all(|known| known.name != *name)) {
        return Err((path.to_owned(), format!("Unknown Property {unknown}")));
    }
    for property in properties {
        match given.get(property.name).filter(|value| !value.is_null()) {
            Some(value) => {
                property.check(world, caller, &format!("{path}.{}", property.name), value)?;
            }
            None if property.required => {
                return Err((path.to_owned(), format!("Property {} not assigned", property.name)));
            }
            None => {}
        }
    }
    Ok(())
}

fn is_truth(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

/// A value as Python prints it.
fn plainly(value: &Value) -> String {
    value.as_str().map_or_else(|| python(value), str::to_owned)
}

/// A value as Python shows it to programmers.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let pair = |(name, value): (&String, &Value)| format!("'{name}': {}", python(value));
            format!("{{{}}}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}
