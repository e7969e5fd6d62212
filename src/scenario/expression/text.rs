//! Finds the `${ … }` in a text.

use super::ExpressionError;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<E> {
    /// Taken as it is.
    Literal(String),
    /// An expression.
    Expression(E),
}

/// Splits a text; `$${` stands for `${`.
pub fn split(text: &str) -> Result<Vec<Part<String>>, ExpressionError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            literal.push_str(before);
            literal.push_str("${");
            rest = from.get(2..).unwrap_or_default();
            continue;
        }
        literal.push_str(before);
        let inside = from.get(2..).unwrap_or_default();
        let Some(end) = end_of(inside) else {
            return Err(ExpressionError::new(from, "'${' has no '}'; write '$${' for the text '${'"));
        };
        let (source, after) = inside.split_at(end);
        if source.trim().is_empty() {
            return Err(ExpressionError::new(from, "'${}' is empty"));
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(Part::Expression(source.trim().to_owned()));
        rest = after.get(1..).unwrap_or_default();
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

/// Where the `}` is that ends an expression: not one inside a CEL text, nor one that ends a map.
fn end_of(source: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in source.char_indices() {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(wanted), found) if wanted == found => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '{') => open += 1,
            (None, '}') if open == 0 => return Some(at),
            (None, '}') => open -= 1,
            (Some(_) | None, _) => {}
        }
    }
    None
}
