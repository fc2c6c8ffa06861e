//! Locals: names for values, of one file or of the whole Nest.

use std::{collections::BTreeMap, sync::Arc};

use fly_std::Value;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::{
    blocks::Checker,
    calls::BAD_CALL,
    definitions::NEST_FILE,
    flow::{Known, Step, StepKind},
    messages,
    references::{CYCLIC_DEFINITION, UNKNOWN_NAME},
    typed,
};
use crate::{
    db::{Db, Nest},
    diag::Diagnostic,
    syntax::{Expr, Parse},
    text::TextRange,
};

/// How many values the locals of one file may come to, each use counted.
const VALUE_LIMIT: usize = 100_000;
/// How many levels a local counts for that stands behind the place it is used at.
const LOCAL_DEPTH: u32 = 3;

/// The locals of a file: their expressions, and the values of those that were asked for.
#[derive(Default)]
pub(super) struct Locals<'p> {
    pub(super) expressions: FxHashMap<&'p str, Expr<'p>>,
    pub(super) values: FxHashMap<SmolStr, Known>,
    /// Locals that came to nothing when they were used; what is wrong with them is told where they are defined.
    pub(super) failed: FxHashSet<SmolStr>,
    /// The locals that are being evaluated, outermost first.
    pub(super) open: Vec<SmolStr>,
    /// How many values have been made.
    pub(super) spent: usize,
}

impl<'p> Locals<'p> {
    pub(super) fn of(parse: &'p Parse) -> Self {
        let mut locals = Self::default();
        for block in parse.blocks().filter(|block| block.is("locals")) {
            for attribute in block.attributes() {
                let Some(name) = attribute.name() else { continue };
                match attribute.value().filter(|_| !attribute.is_damaged()) {
                    Some(value) => {
                        locals.expressions.entry(name.text()).or_insert(value);
                    }
                    None => {
                        locals.values.insert(name.text().into(), Known::default());
                    }
                }
            }
        }
        locals
    }

    /// Where the value of a local stands.
    pub(super) fn range(&self, name: &str) -> Option<TextRange> {
        self.expressions.get(name).map(|expr| expr.range())
    }

    pub(super) fn is_known(&self, name: &str) -> bool {
        self.expressions.contains_key(name) || self.values.contains_key(name)
    }
}

/// The locals of `nest.fly`, which every file sees; those that came to nothing there, which has been told there, too.
#[salsa::tracked(returns(ref))]
fn nest_locals(db: &dyn Db, nest: Nest) -> Arc<BTreeMap<SmolStr, Known>> {
    let Some(file) = nest.find(db, NEST_FILE) else { return Arc::default() };
    let blocks = typed(db, file).blocks.iter().filter(|block| block.name == "locals");
    let locals = blocks.flat_map(|block| &block.attributes).map(|attribute| {
        let mut flow = attribute.flow.as_deref().cloned().unwrap_or_default();
        for step in flow.steps.iter_mut().filter(|step| step.kind == StepKind::Local) {
            step.kind = StepKind::NestLocal;
        }
        let known = Known { value: attribute.value.clone(), flow };
        (attribute.name.clone(), known)
    });
    Arc::new(locals.collect())
}

/// One local of `nest.fly`, so that a file depends only on those it uses.
#[allow(clippy::needless_pass_by_value, reason = "salsa keeps the name")]
#[salsa::tracked(returns(ref))]
fn nest_local(db: &dyn Db, nest: Nest, name: SmolStr) -> Option<Known> {
    nest_locals(db, nest).get(&name).cloned()
}

impl<'p> Checker<'p> {
    /// The value of a local where it is defined.
    pub(super) fn local(&mut self, name: &str, expr: Expr<'p>) -> Known {
        if let Some(known) = self.locals.values.get(name) {
            return known.clone();
        }
        self.locals.open.push(name.into());
        let outer = std::mem::take(&mut self.flow);
        let value = self.eval(expr);
        let flow = std::mem::replace(&mut self.flow, outer);
        self.locals.open.pop();
        let known = Known { value, flow };
        self.locals.values.insert(name.into(), known.clone());
        known
    }

    /// The value of a local that is used; what is wrong with it is told where it is defined, not here.
    pub(super) fn quiet_local(&mut self, name: &str, expr: Expr<'p>) -> Known {
        if let Some(known) = self.locals.values.get(name) {
            return known.clone();
        }
        if self.locals.failed.contains(name) {
            return Known::default();
        }
        let from = self.diagnostics.len();
        self.locals.open.push(name.into());
        let outer = std::mem::take(&mut self.flow);
        self.depth += LOCAL_DEPTH;
        let value = self.eval(expr);
        self.depth -= LOCAL_DEPTH;
        let flow = std::mem::replace(&mut self.flow, outer);
        self.locals.open.pop();
        self.hush(from);
        let known = Known { value, flow };
        if known.value.is_some() {
            self.locals.values.insert(name.into(), known.clone());
        } else {
            self.locals.failed.insert(name.into());
        }
        known
    }

    /// Forgets what was told since, which is told elsewhere. A circle is told where it closes, wherever it was entered,
    /// and so is a way that is too long.
    pub(super) fn hush(&mut self, from: usize) {
        let told = self.diagnostics.split_off(from).into_iter();
        let told = told.filter(|told| *told.kind == CYCLIC_DEFINITION || *told.kind == super::TOO_DEEP);
        self.diagnostics.extend(told);
    }

    pub(super) fn local_reference(&mut self, name: &str, range: TextRange) -> Option<Value> {
        if let Some(at) = self.locals.open.iter().position(|open| open == name) {
            let way: Vec<SmolStr> = self.locals.open[at..].to_vec();
            self.circle("local", name, range, &way);
            for name in way {
                self.locals.values.insert(name, Known::default());
            }
            return None;
        }
        let mut kind = StepKind::Local;
        let known = if let Some(known) = self.locals.values.get(name) {
            known.clone()
        } else if self.locals.failed.contains(name) {
            Known::default()
        } else if let Some(local) = self.locals.expressions.get(name).copied() {
            // Told where it is defined, unless this is where a circle closes.
            self.quiet_local(name, local)
        } else if let Some(known) = self.shared_local(name) {
            kind = StepKind::NestLocal;
            known
        } else {
            self.unknown_local(name, range);
            return None;
        };
        self.flow.through(Step { kind, name: name.into() }, &known.flow);
        let value = known.value?;
        self.locals.spent += count(&value);
        if self.locals.spent > VALUE_LIMIT {
            self.problem(
                &BAD_CALL,
                range,
                "the locals of this file come to more than 100000 values",
                "one too many",
            );
            return None;
        }
        Some(value)
    }

    fn shared_local(&self, name: &str) -> Option<Known> {
        if &*self.path == NEST_FILE {
            return None;
        }
        let nest = Nest::try_get(self.db)?;
        nest_local(self.db, nest, name.into()).clone()
    }

    fn unknown_local(&mut self, name: &str, range: TextRange) {
        let shared = Nest::try_get(self.db).filter(|_| &*self.path != NEST_FILE);
        let shared = shared.map(|nest| nest_locals(self.db, nest).clone()).unwrap_or_default();
        let names: Vec<SmolStr> = self
            .locals
            .expressions
            .keys()
            .map(SmolStr::new)
            .chain(self.locals.values.keys().cloned())
            .chain(shared.keys().cloned())
            .collect();
        let mut diagnostic = Diagnostic::new(
            &UNKNOWN_NAME,
            self.span(range),
            format!("there is no local `{name}`"),
            "not defined",
        )
        .note("locals stand in a `locals { … }` block of the same file or of `nest.fly`");
        diagnostic = match messages::nearest(name, names.iter().map(SmolStr::as_str)) {
            Some(nearest) => {
                diagnostic.fix(format!("did you mean `local.{nearest}`?"), range, format!("local.{nearest}"))
            }
            None => diagnostic.help(format!("add `locals {{ {name} = … }}`")),
        };
        self.diagnostics.push(diagnostic);
    }
}

/// How many values a value is made of.
fn count(value: &Value) -> usize {
    match value {
        Value::List(values) => 1 + values.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| count(value)).sum::<usize>(),
        _ => 1,
    }
}
