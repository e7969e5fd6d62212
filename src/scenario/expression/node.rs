//! A JSON value with expressions in it, compiled.

use serde_json::Value;

use super::program::Program;
use super::text::{self, Part};
use super::{ExpressionError, MAX_NESTING, MAX_TEXT, Scope, kind, written_out};

/// A JSON value with expressions in it.
#[derive(Debug)]
pub enum Node {
    /// No expression in it.
    Literal(Value),
    /// One whole expression.
    Whole(Program),
    /// A text around expressions.
    Text(Vec<Part<Program>>),
    /// A list.
    List(Vec<Node>),
    /// An object; its names are taken as they are.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Compiles every `${…}` in the texts of `value`.
    pub fn parse(value: &Value, depth: usize) -> Result<Self, ExpressionError> {
        if depth > MAX_NESTING {
            return Err(ExpressionError::new("", format!("the value is nested deeper than {MAX_NESTING}")));
        }
        Ok(match value {
            Value::String(text) => Self::parse_text(text)?,
            Value::Array(items) => {
                Self::List(items.iter().map(|item| Self::parse(item, depth + 1)).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => Self::Object(
                fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), Self::parse(value, depth + 1)?)))
                    .collect::<Result<_, ExpressionError>>()?,
            ),
            other => Self::Literal(other.clone()),
        })
    }

    /// Compiles the `${…}` in a text.
    pub fn parse_text(source: &str) -> Result<Self, ExpressionError> {
        let mut parts = Vec::new();
        for part in text::split(source)? {
            parts.push(match part {
                Part::Literal(literal) => Part::Literal(literal),
                Part::Expression(source) => Part::Expression(Program::compile(&source)?),
            });
        }
        Ok(match parts.as_mut_slice() {
            [] => Self::Literal(Value::String(String::new())),
            [Part::Literal(literal)] => Self::Literal(Value::String(std::mem::take(literal))),
            [Part::Expression(_)] => match parts.pop() {
                Some(Part::Expression(program)) => Self::Whole(program),
                _ => Self::Literal(Value::Null),
            },
            _ => Self::Text(parts),
        })
    }

    /// Gives its value.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        Ok(match self {
            Self::Literal(value) => value.clone(),
            Self::Whole(program) => program.evaluate(scope)?,
            Self::Text(parts) => Value::String(join(parts, scope)?),
            Self::List(nodes) => {
                Value::Array(nodes.iter().map(|node| node.evaluate(scope)).collect::<Result<_, _>>()?)
            }
            Self::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, node)| Ok((name.clone(), node.evaluate(scope)?)))
                    .collect::<Result<_, ExpressionError>>()?,
            ),
        })
    }

    /// Shows every expression in it.
    pub fn visit(&self, see: &mut impl FnMut(&Program)) {
        match self {
            Self::Literal(_) => {}
            Self::Whole(program) => see(program),
            Self::Text(parts) => {
                for part in parts {
                    if let Part::Expression(program) = part {
                        see(program);
                    }
                }
            }
            Self::List(nodes) => nodes.iter().for_each(|node| node.visit(see)),
            Self::Object(fields) => fields.iter().for_each(|(_, node)| node.visit(see)),
        }
    }

    /// Its value, when there is no expression in it.
    pub fn literal(&self) -> Option<Value> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::Whole(_) | Self::Text(_) => None,
            Self::List(nodes) => nodes.iter().map(Self::literal).collect::<Option<_>>().map(Value::Array),
            Self::Object(fields) => fields
                .iter()
                .map(|(name, node)| Some((name.clone(), node.literal()?)))
                .collect::<Option<_>>()
                .map(Value::Object),
        }
    }
}

fn join(parts: &[Part<Program>], scope: &Scope) -> Result<String, ExpressionError> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Expression(program) => {
                let value = program.evaluate(scope)?;
                let written = written_out(&value).ok_or_else(|| {
                    let message = format!("gives {}, which cannot stand inside a text", kind(&value));
                    ExpressionError::new(program.source(), message)
                })?;
                text.push_str(&written);
            }
        }
        if text.len() > MAX_TEXT {
            return Err(ExpressionError::new(&text, format!("gives more than {MAX_TEXT} bytes of text")));
        }
    }
    Ok(text)
}
