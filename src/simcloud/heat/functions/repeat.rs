//! The function `repeat`: a template once for each item of lists.

use serde_json::Value;

use super::{Resolved, Resolver, as_text};

impl Resolver<'_> {
    pub(super) fn repeat(&mut self, argument: &Value) -> Resolved {
        let mut rows = vec![argument["template"].clone()];
        let mut lists = Vec::new();
        for (variable, items) in argument["for_each"].as_object().into_iter().flatten() {
            let items = self.resolve(items)?;
            lists.push((variable, items.as_array().cloned().unwrap_or_default()));
        }
        if argument["permutations"] == false {
            return self.repeat_side_by_side(&argument["template"], &lists);
        }
        for (variable, items) in &lists {
            let mut product = Vec::new();
            for row in &rows {
                self.make(row.to_string().len().saturating_mul(items.len()))?;
                product.extend(items.iter().map(|item| substitute(row, variable, item)));
            }
            rows = product;
        }
        self.resolve(&Value::Array(rows))
    }

    /// One row for the first items of all lists, one for the second, and so on.
    fn repeat_side_by_side(&mut self, template: &Value, lists: &[(&String, Vec<Value>)]) -> Resolved {
        let length = lists.first().map_or(0, |(_, items)| items.len());
        if lists.iter().any(|(_, items)| items.len() != length) {
            return Err("The length of for_each values must be equal if no permutations.".to_owned());
        }
        self.make(template.to_string().len().saturating_mul(length))?;
        let row = |at: usize| {
            lists.iter().fold(template.clone(), |row, (name, items)| substitute(&row, name, &items[at]))
        };
        let rows = (0..length).map(row).collect();
        self.resolve(&Value::Array(rows))
    }
}

/// The value with a variable replaced wherever it is written.
pub(in crate::simcloud::heat) fn substitute(value: &Value, variable: &str, item: &Value) -> Value {
    match value {
        Value::String(text) if text == variable => item.clone(),
        Value::String(text) => Value::String(text.replace(variable, &as_text(item))),
        Value::Array(items) => {
            Value::Array(items.iter().map(|part| substitute(part, variable, item)).collect())
        }
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(name, part)| {
                    (name.replace(variable, &as_text(item)), substitute(part, variable, item))
                })
                .collect(),
        ),
        other => other.clone(),
    }
}
