//! CEL expressions in `${ … }`, compiled once and evaluated over a test's values.
//!
//! A value that is one whole `${…}` keeps its type; text around it makes a string; `$${` stands for `${`.
//!
//! What expressions see ([`Scope`]), filled by the runner:
//!
//! | name | what |
//! |---|---|
//! | `run.id`, `run.zoneSuffix` | the run; the domain under which everything in DNS lies, with its final dot |
//! | `test.prefix` | begins the name of everything the test makes: a DNS label of at most 24 characters |
//! | `test.description` | goes into every description: begins with the prefix, says whose it is |
//! | `facts.region` | the region |
//! | `facts.ROLE.projectId`, `.projectName`, `.userId`, `.userName` | who a credential is; null without it |
//! | `facts.image`, `.flavor`, `.floatingNetwork`, `.publishedNetwork` | ids; null when there is none |
//! | `facts.nameServers` | labels of the name servers that the owner gave |
//! | `facts.ptr`, `facts.floatingIpDns`, `facts.guest` | whether the owner offers reverse records, names of floating IPs, and guests |
//! | `vars.NAME` | the document's variables, those before it included |
//! | `templates.NAME` | the text of one of the document's HOT templates |
//! | `stacks.NAME.id`, `.name`, `.outputs.KEY` | a stack's last known state |
//! | `captures.NAME` | what an earlier step kept |
//! | `item` | the item, in a step with `forEach` |
//! | `status`, `body` | the answer, in assertions and in captures |

mod convert;
mod functions;
mod node;
mod program;
mod references;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use node::Node;
use program::Program;
pub use references::Reference;
use text::Part;

/// Longest source of one expression, in characters.
pub const MAX_SOURCE: usize = 1000;
/// Deepest nesting of a value with expressions in it.
pub const MAX_NESTING: usize = 32;
/// Longest list or object that an expression may read or give.
pub const MAX_ITEMS: usize = 10_000;
/// Longest text that an expression may give, in bytes.
pub const MAX_TEXT: usize = 256 * 1024;
/// Longest evidence kept of what a condition saw, in characters.
const MAX_OBSERVED: usize = 300;

/// What expressions can see. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    values: BTreeMap<String, Arc<Value>>,
}

impl Scope {
    /// Sets a top-level name.
    pub fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), Arc::new(value));
    }

    /// A top-level value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(AsRef::as_ref)
    }

    /// Sets `name.key`, making the object when it is not there.
    pub fn set_in(&mut self, name: &str, key: &str, value: Value) {
        let entry = self.values.entry(name.to_owned()).or_insert_with(|| Arc::new(Value::Object(Map::new())));
        if let Value::Object(object) = Arc::make_mut(entry) {
            object.insert(key.to_owned(), value);
        }
    }
}

/// Why an expression is none, or gives no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expression '{source_text}': {message}")]
pub struct ExpressionError {
    /// The expression as written.
    pub source_text: String,
    /// What is wrong.
    pub message: String,
}

impl ExpressionError {
    fn new(source: &str, message: impl Into<String>) -> Self {
        Self { source_text: bounded(source, 200), message: message.into() }
    }
}

/// A JSON value with expressions in it.
#[derive(Clone, Debug)]
pub struct Template {
    root: Arc<Node>,
}

impl Template {
    /// Compiles every `${…}` in the texts of `value`; names of fields are taken as they are.
    pub fn parse(value: &Value) -> Result<Self, ExpressionError> {
        Ok(Self { root: Arc::new(Node::parse(value, 0)?) })
    }

    /// Compiles the `${…}` in a text.
    pub fn parse_text(text: &str) -> Result<Self, ExpressionError> {
        Ok(Self { root: Arc::new(Node::parse_text(text)?) })
    }

    /// Compiles one expression written without `${}`; written with it, it is taken too.
    pub fn parse_bare(source: &str) -> Result<Self, ExpressionError> {
        if source.trim_start().starts_with("${") {
            return Self::parse_text(source.trim());
        }
        Ok(Self { root: Arc::new(Node::Whole(Program::compile(source)?)) })
    }

    /// Evaluates it.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        self.root.evaluate(scope)
    }

    /// Evaluates it to a string; numbers and booleans are written out.
    pub fn evaluate_string(&self, scope: &Scope) -> Result<String, ExpressionError> {
        let value = self.evaluate(scope)?;
        written_out(&value).ok_or_else(|| {
            ExpressionError::new(&self.to_source(), format!("gives {}, not a text", kind(&value)))
        })
    }

    /// The paths that its expressions read.
    pub fn references(&self) -> Vec<Reference> {
        let mut all = Vec::new();
        self.root.visit(&mut |program| all.extend(program.references().iter().cloned()));
        all
    }

    /// The value when there is no expression in it, and for an object or list that holds none.
    pub fn literal(&self) -> Option<Value> {
        self.root.literal()
    }

    /// The text that every value of it ends with, as far as it is written out.
    pub fn literal_end(&self) -> Option<&str> {
        match self.root.as_ref() {
            Node::Literal(Value::String(text)) => Some(text),
            Node::Text(parts) => match parts.last() {
                Some(Part::Literal(text)) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    fn to_source(&self) -> String {
        let mut sources = Vec::new();
        self.root.visit(&mut |program| sources.push(program.source().to_owned()));
        sources.join(" … ")
    }
}

/// The literal parts of a text in their order; [`None`] for each `${…}` between them.
pub fn split_text(text: &str) -> Result<Vec<Option<String>>, ExpressionError> {
    let literal = |part| match part {
        Part::Literal(literal) => Some(literal),
        Part::Expression(_) => None,
    };
    Ok(text::split(text)?.into_iter().map(literal).collect())
}

/// A CEL expression that gives true or false.
#[derive(Clone, Debug)]
pub struct Condition {
    source: Arc<str>,
    conjuncts: Arc<[Conjunct]>,
}

#[derive(Debug)]
struct Conjunct {
    whole: Program,
    /// The left side, when it is a comparison.
    left: Option<Program>,
}

/// What a condition says, and what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it holds.
    pub holds: bool,
    /// For a comparison: the left side's value, for the evidence; of a conjunction that does not hold, that of the
    /// first part that is false.
    pub observed: Option<String>,
}

impl Condition {
    /// Compiles an expression written without `${}`.
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        let whole = Program::compile(source)?;
        let conjuncts = whole
            .conjuncts()
            .into_iter()
            .map(|whole| Conjunct { left: whole.left_of_comparison(), whole })
            .collect();
        Ok(Self { source: source.into(), conjuncts })
    }

    /// The expression as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The paths that it reads.
    pub fn references(&self) -> Vec<Reference> {
        self.conjuncts.iter().flat_map(|conjunct| conjunct.whole.references().iter().cloned()).collect()
    }

    /// Evaluates it; a value that is not a boolean is an error.
    ///
    /// The parts of a conjunction are evaluated from left to right until one is false, so `has(a.b) && a.b == 1`
    /// never fails for want of `b`; as CEL has it, a part that cannot be evaluated does not matter when another
    /// is false.
    pub fn judge(&self, scope: &Scope) -> Result<Judgement, ExpressionError> {
        let mut failed = None;
        for conjunct in self.conjuncts.iter() {
            match conjunct.whole.evaluate(scope) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => {
                    return Ok(Judgement { holds: false, observed: conjunct.observed(scope) });
                }
                Ok(other) => {
                    let message = format!("gives {}, not true or false", kind(&other));
                    failed = failed.or(Some(ExpressionError::new(conjunct.whole.source(), message)));
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match (failed, self.conjuncts.as_ref()) {
            (Some(error), _) => Err(error),
            (None, [only]) => Ok(Judgement { holds: true, observed: only.observed(scope) }),
            (None, _) => Ok(Judgement { holds: true, observed: None }),
        }
    }
}

impl Conjunct {
    fn observed(&self, scope: &Scope) -> Option<String> {
        let value = self.left.as_ref()?.evaluate(scope).ok()?;
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Some(bounded(&text, MAX_OBSERVED))
    }
}

/// Numbers, booleans and texts as text.
fn written_out(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The beginning of a text.
fn bounded(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests;
