//! One compiled expression.

use std::sync::Arc;

use cel::common::ast::{Expr, IdedExpr, operators};
use cel::{Context, Value as Cel};
use serde_json::Value;

use super::convert::{Budget, to_json, visible};
use super::functions::{ENVIRONMENT, REFUSED};
use super::references::{Reference, walk};
use super::{ExpressionError, MAX_ITEMS, MAX_SOURCE, Scope, bounded};

/// How deep an expression may be: CEL evaluates recursively.
const MAX_DEPTH: u16 = 48;
/// How many comprehensions may stand inside one another: the cost is the lists' lengths multiplied.
const MAX_LOOPS: usize = 2;
/// Longest list that an expression with a loop inside a loop may read.
const MAX_NESTED_ITEMS: usize = 1000;

/// One compiled expression; cheap to clone.
#[derive(Clone, Debug)]
pub struct Program {
    source: Arc<str>,
    expression: Arc<IdedExpr>,
    references: Arc<[Reference]>,
    /// Longest list that it may read.
    longest: usize,
}

impl Program {
    /// Compiles it.
    pub fn compile(source: &str) -> Result<Self, ExpressionError> {
        let fault = |message: String| ExpressionError::new(source, message);
        let length = source.chars().count();
        if length > MAX_SOURCE {
            return Err(fault(format!("is {length} characters long; at most {MAX_SOURCE} are allowed")));
        }
        if nesting(source) > usize::from(MAX_DEPTH) {
            return Err(fault(format!("is nested deeper than {MAX_DEPTH}")));
        }
        let expression = ENVIRONMENT
            .parser()
            .max_recursion_depth(MAX_DEPTH)
            .parse(source)
            .map_err(|errors| fault(first_line(&errors.to_string())))?;
        Self::from_ast(source.into(), expression)
    }

    fn from_ast(source: Arc<str>, expression: IdedExpr) -> Result<Self, ExpressionError> {
        let found = walk(&expression);
        let fault = |message: String| Err(ExpressionError::new(&source, message));
        if found.depth > usize::from(MAX_DEPTH) {
            return fault(format!("is nested deeper than {MAX_DEPTH}"));
        }
        if found.loops > MAX_LOOPS {
            return fault(format!("has more than {MAX_LOOPS} loops inside one another"));
        }
        if let Some(name) = found.functions.iter().find(|name| REFUSED.contains(&name.as_str())) {
            return fault(format!("uses '{name}', which is not offered"));
        }
        let longest = if found.loops < 2 { MAX_ITEMS } else { MAX_NESTED_ITEMS };
        Ok(Self { source, expression: Arc::new(expression), references: found.references.into(), longest })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The paths that it reads, sorted.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Evaluates it.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, ExpressionError> {
        let fault = |message: String| ExpressionError::new(&self.source, message);
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for (name, value) in visible(scope, &self.references, self.longest).map_err(fault)? {
            context.add_variable_from_value(name, value);
        }
        let result = Cel::resolve(&self.expression, &context)
            .map_err(|error| fault(bounded(&lower_first(&error.to_string()), 300)))?;
        to_json(&result, &mut Budget::default()).map_err(fault)
    }

    /// The parts that `&&` joins; the expression itself when it joins none.
    pub fn conjuncts(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        collect_conjuncts(&self.expression, &mut parts);
        if parts.len() < 2 {
            return vec![self.clone()];
        }
        // Each is part of what was accepted, so each is accepted.
        let source = &self.source;
        parts.into_iter().filter_map(|part| Self::from_ast(Arc::clone(source), part.clone()).ok()).collect()
    }

    /// The left side, when it is a comparison.
    pub fn left_of_comparison(&self) -> Option<Self> {
        let Expr::Call(call) = &self.expression.expr else { return None };
        let compares = matches!(
            call.func_name.as_str(),
            operators::EQUALS
                | operators::NOT_EQUALS
                | operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS
                | operators::IN
        );
        let left = call.args.first().filter(|_| compares)?;
        Self::from_ast(Arc::clone(&self.source), left.clone()).ok()
    }
}

fn collect_conjuncts<'a>(expression: &'a IdedExpr, parts: &mut Vec<&'a IdedExpr>) {
    match &expression.expr {
        Expr::Call(call) if call.func_name == operators::LOGICAL_AND => {
            call.args.iter().for_each(|side| collect_conjuncts(side, parts));
        }
        _ => parts.push(expression),
    }
}

/// How deep brackets and prefixes nest, counted before the recursive parser sees them.
fn nesting(source: &str) -> usize {
    let (mut open, mut deepest, mut prefixes) = (0_usize, 0_usize, 0_usize);
    for character in source.chars() {
        match character {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        prefixes = match character {
            '!' | '-' | '?' => prefixes + 1,
            _ => prefixes,
        };
        deepest = deepest.max(open);
    }
    deepest.max(prefixes / 2)
}

/// The parser's first complaint, without its drawing of the source.
fn first_line(errors: &str) -> String {
    let line = errors.lines().next().unwrap_or("is no CEL expression");
    let line = line.strip_prefix("ERROR: <input>:").unwrap_or(line);
    match line.split_once(": ") {
        Some((at, what)) if at.split(':').all(|number| number.parse::<u32>().is_ok()) => {
            let column = at.rsplit(':').next().unwrap_or(at);
            bounded(&format!("{} at character {column}", lower_first(what)), 300)
        }
        _ => bounded(&lower_first(line), 300),
    }
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}
