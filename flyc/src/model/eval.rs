//! Evaluation: references, operators, functions and templates to values. Pure and total: it always ends, and what
//! it makes is bounded in size.

use std::{collections::BTreeMap, sync::Arc};

use fly_std::Value;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::{blocks::Checker, calls::BAD_CALL, messages, operators::BAD_OPERAND, typed};
use crate::{
    db::{Db, Nest, SourceFile},
    diag::{Declaration, Diagnostic, declare_diagnostic},
    syntax::{
        Expr, Item, Kind, NESTING_LIMIT, NodeKind, Parse,
        literal::{self, Content, Part},
        parse_expression,
    },
    text::{TextRange, TextSize},
};

declare_diagnostic! { pub UNKNOWN_NAME = "unknown-name", Error, "a name that stands for nothing" }
declare_diagnostic! { pub CYCLIC_LOCAL = "cyclic-local", Error, "a local that is defined by itself" }

/// How many values the locals of one file may come to, each use counted.
const VALUE_LIMIT: usize = 100_000;
/// How deeply evaluation may go: through operators and brackets, through locals that name later ones, and through
/// interpolations, each of which counts for several.
const DEPTH_LIMIT: u32 = 2 * NESTING_LIMIT;
/// How many levels an interpolation counts for: its text is parsed once more for each one around it.
const INTERPOLATION_DEPTH: u32 = 8;
/// How many levels a local counts for that stands behind the place it is used at.
const LOCAL_DEPTH: u32 = 3;
/// How long a text may become, in bytes.
const TEXT_LIMIT: usize = 1 << 20;

/// The locals of a file: their expressions, and the values of those that were asked for.
#[derive(Default)]
pub(super) struct Locals<'p> {
    expressions: FxHashMap<&'p str, Expr<'p>>,
    values: FxHashMap<SmolStr, Option<Value>>,
    /// Locals that came to nothing when they were used; what is wrong with them is told where they are defined.
    failed: FxHashSet<SmolStr>,
    /// The locals that are being evaluated, outermost first.
    open: Vec<SmolStr>,
    /// How many values have been made.
    spent: usize,
    /// How deep the evaluation is.
    depth: u32,
}

impl<'p> Locals<'p> {
    pub(super) fn of(parse: &'p Parse) -> Self {
        let mut locals = Self::default();
        for item in parse.items() {
            let Item::Block(block) = item else { continue };
            if block.keyword().is_none_or(|keyword| keyword.text() != "locals") {
                continue;
            }
            for item in block.items() {
                let Item::Attribute(attribute) = item else { continue };
                let Some(name) = attribute.name() else { continue };
                match attribute.value().filter(|_| !attribute.is_damaged()) {
                    Some(value) => {
                        locals.expressions.entry(name.text()).or_insert(value);
                    }
                    None => {
                        locals.values.insert(name.text().into(), None);
                    }
                }
            }
        }
        locals
    }
}

/// The locals of `nest.fly`, which every file sees; those that came to nothing there, which has been told there, too.
#[salsa::tracked(returns(ref))]
pub(super) fn nest_locals(db: &dyn Db, nest: Nest) -> Arc<SharedLocals> {
    nest.find(db, "nest.fly").map(|file| Arc::new(locals_of(db, file))).unwrap_or_default()
}

type SharedLocals = BTreeMap<SmolStr, Option<Value>>;

fn locals_of(db: &dyn Db, file: SourceFile) -> SharedLocals {
    let blocks = typed(db, file).blocks.iter().filter(|block| block.name == "locals");
    blocks
        .flat_map(|block| &block.attributes)
        .map(|attribute| (attribute.name.clone(), attribute.value.clone()))
        .collect()
}

impl<'p> Checker<'p> {
    /// The value of a local where it is defined.
    pub(super) fn local(&mut self, name: &str, expr: Expr<'p>) -> Option<Value> {
        if let Some(known) = self.locals.values.get(name) {
            return known.clone();
        }
        self.locals.open.push(name.into());
        let value = self.eval(expr);
        self.locals.open.pop();
        self.locals.values.insert(name.into(), value.clone());
        value
    }

    /// The value of an expression; `None` when it has none, which has been told then.
    pub(super) fn eval(&mut self, expr: Expr<'_>) -> Option<Value> {
        if self.locals.depth >= DEPTH_LIMIT {
            self.problem(
                &super::TOO_DEEP,
                expr.range(),
                "this value is put together over too many steps",
                "Fly follows no further than this",
            );
            return None;
        }
        self.locals.depth += 1;
        let value = self.step(expr);
        self.locals.depth -= 1;
        value
    }

    fn step(&mut self, expr: Expr<'_>) -> Option<Value> {
        match expr.node().kind() {
            NodeKind::Literal => self.eval_literal(expr),
            NodeKind::Paren => self.eval(expr.operands().next()?),
            NodeKind::Name => match expr.text() {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                name => {
                    self.unknown_name(name, expr.range());
                    None
                }
            },
            NodeKind::Field => self.field(expr),
            NodeKind::Index => self.index(expr),
            NodeKind::Call => self.call(expr),
            NodeKind::Unary => self.unary(expr),
            NodeKind::Binary => self.binary(expr),
            NodeKind::Conditional => self.conditional(expr),
            NodeKind::List => {
                let values: Vec<_> = expr.operands().map(|element| self.eval(element)).collect();
                values.into_iter().collect::<Option<Vec<_>>>().map(Value::List)
            }
            NodeKind::Map => {
                let mut entries = Vec::new();
                for entry in expr.entries() {
                    let value = self.eval(entry.value?);
                    entries.push((SmolStr::new(entry.name()), value));
                }
                let entries = entries.into_iter().map(|(name, value)| Some((name, value?)));
                entries.collect::<Option<Vec<_>>>().map(Value::Map)
            }
            NodeKind::File
            | NodeKind::Block
            | NodeKind::Attribute
            | NodeKind::Entry
            | NodeKind::Error
            | NodeKind::Missing(_) => None,
        }
    }

    fn eval_literal(&mut self, expr: Expr<'_>) -> Option<Value> {
        let token = expr.literal()?;
        if token.kind() == Kind::Number {
            return self.number(token.text(), token.range());
        }
        let content = literal::content(token.kind(), token.text(), token.range().start(), false);
        if !self.content_errors(&content) {
            return None;
        }
        match content.plain() {
            Some(text) => Some(Value::String(text.text.as_str().into())),
            None => self.template(&content, token.range()),
        }
    }

    /// The text of a string with interpolations.
    pub(super) fn template(&mut self, content: &Content, range: TextRange) -> Option<Value> {
        let (mut text, mut complete) = (String::new(), true);
        for part in &content.parts {
            match part {
                Part::Text(part) => text.push_str(&part.text),
                Part::Interpolation(inside) => match self.interpolation(*inside) {
                    Some(value) => text.push_str(&value),
                    None => complete = false,
                },
            }
        }
        if text.len() > TEXT_LIMIT {
            self.problem(&BAD_CALL, range, "this text becomes longer than 1 MiB", "too long");
            return None;
        }
        complete.then(|| Value::String(text.into()))
    }

    /// The text of one `${…}`.
    fn interpolation(&mut self, inside: TextRange) -> Option<SmolStr> {
        let inner = parse_expression(self.parse.text()[inside].into());
        let value = if inner.errors().is_empty() {
            Expr::of(&inner).and_then(|expr| self.within(&inner, expr, inside.start()))
        } else {
            let told = super::syntax_errors::diagnostics(&self.path, &inner).into_iter().take(1);
            self.diagnostics.extend(told.map(|diagnostic| shifted(diagnostic, inside.start())));
            None
        };
        let value = value?;
        let text = value.to_text();
        if text.is_none() {
            let message = format!("text can't hold {}", value.noun());
            self.problem(&BAD_OPERAND, inside, &message, "not text");
        }
        text
    }

    /// Evaluates an expression of another parse, whose text stands `at` there in this one, with the names of this
    /// file.
    fn within(&mut self, parse: &Parse, expr: Expr<'_>, at: TextSize) -> Option<Value> {
        // Locals that the expression names are evaluated here, in their own file, before it is.
        let mut names = Vec::new();
        local_names(expr, 0, &mut names);
        for name in names {
            if let Some(local) = self.locals.expressions.get(&*name).copied()
                && !self.locals.open.contains(&name)
            {
                self.quiet_local(&name, local);
            }
        }
        // What is known of the locals is lent to the inner evaluation; their expressions are of this file.
        let mut locals = std::mem::take(&mut self.locals);
        let expressions = std::mem::take(&mut locals.expressions);
        let mut inner = Checker {
            db: self.db,
            path: self.path.clone(),
            parse,
            locals: Locals {
                expressions: FxHashMap::default(),
                values: locals.values,
                failed: locals.failed,
                open: locals.open,
                spent: locals.spent,
                depth: locals.depth + INTERPOLATION_DEPTH,
            },
            interpolates: true,
            diagnostics: Vec::new(),
        };
        let value = inner.eval(expr);
        // It is parsed by itself; what is told of it must point into this text.
        self.diagnostics.extend(inner.diagnostics.into_iter().map(|diagnostic| shifted(diagnostic, at)));
        let Locals { values, failed, open, spent, .. } = inner.locals;
        self.locals = Locals { expressions, values, failed, open, spent, depth: locals.depth };
        value
    }

    /// The value of a local that is used; what is wrong with it is told where it is defined, not here.
    fn quiet_local(&mut self, name: &str, expr: Expr<'p>) -> Option<Value> {
        if let Some(known) = self.locals.values.get(name) {
            return known.clone();
        }
        if self.locals.failed.contains(name) {
            return None;
        }
        let from = self.diagnostics.len();
        self.locals.open.push(name.into());
        self.locals.depth += LOCAL_DEPTH;
        let value = self.eval(expr);
        self.locals.depth -= LOCAL_DEPTH;
        self.locals.open.pop();
        // A circle is told where it closes, wherever it was entered, and so is a way that is too long.
        let told = self.diagnostics.split_off(from).into_iter();
        let told = told.filter(|told| *told.kind == CYCLIC_LOCAL || *told.kind == super::TOO_DEEP);
        self.diagnostics.extend(told);
        if value.is_some() {
            self.locals.values.insert(name.into(), value.clone());
        } else {
            self.locals.failed.insert(name.into());
        }
        value
    }

    fn field(&mut self, expr: Expr<'_>) -> Option<Value> {
        let mut operands = expr.operands();
        let (base, field) = (operands.next()?, operands.next()?);
        if base.node().kind() == NodeKind::Name && base.text() == "local" {
            return self.local_reference(field.text(), expr.range());
        }
        if base.node().kind() == NodeKind::Name && !matches!(base.text(), "true" | "false") {
            let message = format!("there is nothing called `{}`", base.text());
            let meant = format!("local.{}", field.text());
            self.diagnostics.push(
                Diagnostic::new(&UNKNOWN_NAME, self.span(base.range()), message, "stands for nothing")
                    .help(format!("values with names stand in `locals {{ … }}` and are used as `{meant}`")),
            );
            return None;
        }
        let value = self.eval(base)?;
        let Value::Map(entries) = &value else {
            let message = format!("`.{}` needs a map, found {}", field.text(), value.noun());
            self.problem(&BAD_OPERAND, base.range(), &message, "not a map");
            return None;
        };
        let found = entries.iter().find(|(name, _)| name == field.text()).map(|(_, value)| value.clone());
        if found.is_none() {
            self.unknown_field(field.text(), field.range(), entries);
        }
        found
    }

    fn unknown_field(&mut self, name: &str, range: TextRange, entries: &[(SmolStr, Value)]) {
        let names = entries.iter().map(|(name, _)| name.as_str());
        let mut diagnostic = Diagnostic::new(
            &UNKNOWN_NAME,
            self.span(range),
            format!("this map has no `{name}`"),
            "not in the map",
        );
        if let Some(nearest) = messages::nearest(name, names.clone()) {
            diagnostic = diagnostic.fix(format!("did you mean `{nearest}`?"), range, nearest);
        } else if !entries.is_empty() {
            diagnostic = diagnostic.help(format!("it has {}", messages::list(names, "and")));
        }
        self.diagnostics.push(diagnostic);
    }

    fn local_reference(&mut self, name: &str, range: TextRange) -> Option<Value> {
        if let Some(at) = self.locals.open.iter().position(|open| open == name) {
            let way = self.locals.open[at..]
                .iter()
                .map(SmolStr::as_str)
                .chain([name])
                .collect::<Vec<_>>()
                .join("` → `");
            self.diagnostics.push(
                Diagnostic::new(
                    &CYCLIC_LOCAL,
                    self.span(range),
                    format!("`{name}` is defined by itself"),
                    "leads back to itself",
                )
                .note(format!("the way is `{way}`"))
                .help("give one of them a value of its own"),
            );
            for name in &self.locals.open[at..] {
                self.locals.values.insert(name.clone(), None);
            }
            return None;
        }
        let value = if let Some(known) = self.locals.values.get(name) {
            known.clone()
        } else if self.locals.failed.contains(name) {
            None
        } else if let Some(local) = self.locals.expressions.get(name).copied() {
            // Told where it is defined, unless this is where a cycle closes.
            self.quiet_local(name, local)
        } else {
            let shared = self.shared_locals();
            match shared.get(name) {
                Some(value) => value.clone(),
                None => {
                    self.unknown_local(name, range, &shared);
                    None
                }
            }
        };
        let value = value?;
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

    fn shared_locals(&self) -> Arc<SharedLocals> {
        if &*self.path == "nest.fly" {
            return Arc::default();
        }
        Nest::try_get(self.db).map(|nest| nest_locals(self.db, nest).clone()).unwrap_or_default()
    }

    fn unknown_local(&mut self, name: &str, range: TextRange, shared: &SharedLocals) {
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

    fn unknown_name(&mut self, name: &str, range: TextRange) {
        let mut diagnostic = Diagnostic::new(
            &UNKNOWN_NAME,
            self.span(range),
            format!("`{name}` is not a value"),
            "a bare word",
        );
        diagnostic = if self.locals.expressions.contains_key(name) || self.locals.values.contains_key(name) {
            diagnostic.fix(format!("write `local.{name}`"), range, format!("local.{name}"))
        } else if self.interpolates {
            diagnostic
                .help(format!("write `$${{{name}}}` for the text `${{{name}}}`, which a shell may read"))
        } else if let "True" | "TRUE" | "False" | "FALSE" = name {
            let meant = name.to_lowercase();
            diagnostic.safe_fix(format!("write `{meant}`"), range, meant)
        } else if let "null" | "nil" | "None" | "undefined" = name {
            diagnostic.help("leave the attribute out")
        } else {
            diagnostic.fix(
                format!("strings stand in quotes: write `\"{name}\"`"),
                range,
                format!("\"{name}\""),
            )
        };
        self.diagnostics.push(diagnostic);
    }

    fn index(&mut self, expr: Expr<'_>) -> Option<Value> {
        let mut operands = expr.operands();
        let (base, index) = (operands.next()?, operands.next()?);
        let value = self.eval(base);
        let at = self.eval(index);
        let (value, at) = (value?, at?);
        match (&value, &at) {
            (Value::List(values), Value::Int(number)) => {
                let found = usize::try_from(*number).ok().and_then(|number| values.get(number)).cloned();
                if found.is_none() {
                    let message = format!("this list has {} elements, so no element {number}", values.len());
                    self.problem(&BAD_OPERAND, index.range(), &message, "counted from 0");
                }
                found
            }
            (Value::Map(entries), Value::String(name)) => {
                let found = entries.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
                if found.is_none() {
                    self.unknown_field(name, index.range(), entries);
                }
                found
            }
            (Value::List(_), other) => {
                let message = format!("a list is indexed by a whole number, found {}", other.noun());
                self.problem(&BAD_OPERAND, index.range(), &message, "not a whole number");
                None
            }
            (Value::Map(_), other) => {
                let message = format!("a map is indexed by a string, found {}", other.noun());
                self.problem(&BAD_OPERAND, index.range(), &message, "not a string");
                None
            }
            (other, _) => {
                let message = format!("an index needs a list or a map, found {}", other.noun());
                self.problem(&BAD_OPERAND, base.range(), &message, "neither list nor map");
                None
            }
        }
    }

    pub(super) fn problem(
        &mut self,
        kind: &'static Declaration,
        range: TextRange,
        message: &str,
        label: &str,
    ) {
        let diagnostic = Diagnostic::new(kind, self.span(range), message, label);
        self.diagnostics.push(diagnostic);
    }
}

/// The names of the locals that an expression refers to, in its interpolations too.
fn local_names(expr: Expr<'_>, depth: u32, names: &mut Vec<SmolStr>) {
    for expr in expr.node().descendants().filter_map(Expr::cast) {
        names.extend(local_name(expr).map(SmolStr::new));
        let Some(token) = expr.literal().filter(|token| token.text().contains("local")) else { continue };
        if token.kind() == Kind::Number || depth * INTERPOLATION_DEPTH >= DEPTH_LIMIT {
            continue;
        }
        let content = literal::content(token.kind(), token.text(), TextSize::new(0), false);
        for part in content.parts {
            let Part::Interpolation(inside) = part else { continue };
            let inner = parse_expression(token.text()[inside].into());
            if let Some(expr) = Expr::of(&inner) {
                local_names(expr, depth + 1, names);
            }
        }
    }
}

/// The name in `local.name`.
fn local_name(expr: Expr<'_>) -> Option<&str> {
    let mut operands = expr.operands();
    let base = operands.next().filter(|_| expr.node().kind() == NodeKind::Field)?;
    (base.text() == "local").then(|| operands.next()).flatten().map(Expr::text)
}

/// How many values a value is made of.
fn count(value: &Value) -> usize {
    match value {
        Value::List(values) => 1 + values.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| count(value)).sum::<usize>(),
        _ => 1,
    }
}

/// A diagnostic of a part of the file, moved to where the part stands.
fn shifted(mut diagnostic: Diagnostic, by: TextSize) -> Diagnostic {
    diagnostic.span.range += by;
    for related in &mut diagnostic.related {
        related.span.range += by;
    }
    for edit in diagnostic.help.iter_mut().flat_map(|help| &mut help.edits) {
        edit.range += by;
    }
    diagnostic
}
