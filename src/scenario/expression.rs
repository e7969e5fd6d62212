//! CEL expressions in `${ … }`, compiled once and evaluated over a test's values.
//!
//! A value that is one whole `${…}` keeps its type; text around it makes a string.

use std::sync::Arc;

use serde_json::Value;

/// What expressions can see: a JSON object with `run`, `test`, `facts`, `vars`, `stacks`, `captures`, and, where
/// they apply, `item`, `status` and `body`.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    values: serde_json::Map<String, Value>,
}

impl Scope {
    /// Sets a top-level name.
    pub fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// A top-level value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Sets `name.key`, making the object when it is not there.
    pub fn set_in(&mut self, name: &str, key: &str, value: Value) {
        let entry = self.values.entry(name).or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Value::Object(object) = entry {
            object.insert(key.to_owned(), value);
        }
    }
}

/// Why an expression gives no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expression '{source_text}': {message}")]
pub struct ExpressionError {
    /// The expression as written.
    pub source_text: String,
    /// What is wrong.
    pub message: String,
}

/// A JSON value with expressions in it.
#[derive(Clone, Debug)]
pub struct Template {
    inner: Arc<Value>,
}

impl Template {
    /// Evaluates it.
    pub fn evaluate(&self, _scope: &Scope) -> Result<Value, ExpressionError> {
        Ok(self.inner.as_ref().clone())
    }

    /// Evaluates it to a string; numbers and booleans are written out.
    pub fn evaluate_string(&self, _scope: &Scope) -> Result<String, ExpressionError> {
        Ok(self.inner.to_string())
    }
}

/// A CEL expression that gives true or false.
#[derive(Clone, Debug)]
pub struct Condition {
    source: Arc<str>,
}

/// What a condition says, and what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it holds.
    pub holds: bool,
    /// For a comparison: the left side's value, for the evidence.
    pub observed: Option<String>,
}

impl Condition {
    /// The expression as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Evaluates it; a value that is not a boolean is an error.
    pub fn judge(&self, _scope: &Scope) -> Result<Judgement, ExpressionError> {
        Err(ExpressionError { source_text: self.source.to_string(), message: "not compiled".into() })
    }
}
