//! Which paths an expression reads: for the static walk, and to hand CEL no more than it needs.

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, operators};

/// A path that an expression reads, such as `stacks.net.outputs.id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The names along the path, as far as they are written out.
    pub path: Vec<String>,
    /// Only asked whether it is there: inside `has()`, or compared with `null`.
    pub guarded: bool,
}

impl Reference {
    /// The path with dots.
    pub fn dotted(&self) -> String {
        self.path.join(".")
    }
}

/// What a walk over an expression finds.
#[derive(Debug, Default)]
pub struct Walk {
    /// Paths, without repetitions.
    pub references: Vec<Reference>,
    /// Names of called functions.
    pub functions: Vec<String>,
    /// How deep the expression is.
    pub depth: usize,
    /// How many comprehensions stand inside one another.
    pub loops: usize,
    bound: Vec<String>,
}

/// Walks over an expression.
pub fn walk(expression: &IdedExpr) -> Walk {
    let mut found = Walk::default();
    found.see(expression, 1, 0, false);
    found.references.sort();
    found.references.dedup();
    found
}

impl Walk {
    fn see(&mut self, expression: &IdedExpr, depth: usize, loops: usize, guarded: bool) {
        self.depth = self.depth.max(depth);
        self.loops = self.loops.max(loops);
        let next = depth + 1;
        if let Some(path) = path_of(&expression.expr) {
            self.depth = self.depth.max(depth + path.len());
            let test = matches!(&expression.expr, Expr::Select(select) if select.test);
            self.note(path, guarded || test);
            return;
        }
        match &expression.expr {
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
            Expr::Select(select) => self.see(&select.operand, next, loops, guarded),
            Expr::List(list) => {
                list.elements.iter().for_each(|element| self.see(element, next, loops, false));
            }
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.see_entry(&entry.expr, next, loops)),
            Expr::Struct(made) => {
                self.functions.push(made.type_name.clone());
                made.entries.iter().for_each(|entry| self.see_entry(&entry.expr, next, loops));
            }
            Expr::Call(call) => {
                self.functions.push(call.func_name.clone());
                let compares = matches!(call.func_name.as_str(), operators::EQUALS | operators::NOT_EQUALS);
                let with_null = compares && call.args.iter().any(|argument| is_null(&argument.expr));
                for operand in call.target.as_deref().into_iter().chain(&call.args) {
                    self.see(operand, next, loops, with_null);
                }
            }
            Expr::Comprehension(comprehension) => {
                self.see(&comprehension.iter_range, next, loops, false);
                self.see(&comprehension.accu_init, next, loops, false);
                let before = self.bound.len();
                self.bound.push(comprehension.accu_var.clone());
                self.bound.push(comprehension.iter_var.clone());
                self.bound.extend(comprehension.iter_var2.clone());
                self.see(&comprehension.loop_cond, next, loops + 1, false);
                self.see(&comprehension.loop_step, next, loops + 1, false);
                self.see(&comprehension.result, next, loops + 1, false);
                self.bound.truncate(before);
            }
        }
    }

    fn see_entry(&mut self, entry: &EntryExpr, depth: usize, loops: usize) {
        match entry {
            EntryExpr::StructField(field) => self.see(&field.value, depth, loops, false),
            EntryExpr::MapEntry(entry) => {
                self.see(&entry.key, depth, loops, false);
                self.see(&entry.value, depth, loops, false);
            }
        }
    }

    fn note(&mut self, path: Vec<String>, guarded: bool) {
        if path.first().is_some_and(|root| !self.bound.contains(root)) {
            self.references.push(Reference { path, guarded });
        }
    }
}

/// The path that an expression is, when it is one: `a.b`, `a['b']`, `has(a.b)`.
fn path_of(expression: &Expr) -> Option<Vec<String>> {
    match expression {
        Expr::Ident(name) => Some(vec![name.clone()]),
        Expr::Select(select) => {
            let mut path = path_of(&select.operand.expr)?;
            path.push(select.field.clone());
            Some(path)
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let [of, Expr::Literal(LiteralValue::String(key))] =
                [&call.args.first()?.expr, &call.args.get(1)?.expr]
            else {
                return None;
            };
            let mut path = path_of(of)?;
            path.push(key.inner().to_owned());
            Some(path)
        }
        _ => None,
    }
}

fn is_null(expression: &Expr) -> bool {
    matches!(expression, Expr::Literal(LiteralValue::Null))
}
