//! Texts with `${…}` in them.

use fly_std::Value;
use smol_str::SmolStr;

use super::{
    blocks::Checker,
    calls::BAD_CALL,
    eval::DEPTH_LIMIT,
    flow::{Flow, SECRET_FLOW, holds_secret},
    locals::Locals,
    operators::BAD_OPERAND,
    references::{Own, dotted},
};
use crate::{
    diag::Diagnostic,
    syntax::{
        Expr, Kind, Parse,
        literal::{self, Content, Part},
        parse_expression,
    },
    text::{TextRange, TextSize},
};

/// How many levels an interpolation counts for: its text is parsed once more for each one around it.
const INTERPOLATION_DEPTH: u32 = 8;
/// How long a text may become, in bytes.
const TEXT_LIMIT: usize = 1 << 20;

impl Checker<'_> {
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
        let outer = std::mem::take(&mut self.flow);
        let value = if inner.errors().is_empty() {
            Expr::of(&inner).and_then(|expr| self.within(&inner, expr, inside.start()))
        } else {
            let told = super::syntax_errors::diagnostics(&self.path, &inner).into_iter().take(1);
            self.diagnostics.extend(told.map(|diagnostic| shifted(diagnostic, inside.start())));
            None
        };
        let flow = std::mem::replace(&mut self.flow, outer);
        self.flow.join(&flow);
        let value = value?;
        let text = value.to_text();
        if text.is_none() {
            self.not_text(&value, &flow, inside);
        }
        text
    }

    fn not_text(&mut self, value: &Value, flow: &Flow, inside: TextRange) {
        let diagnostic = if holds_secret(value) {
            Diagnostic::new(&SECRET_FLOW, self.span(inside), "a text can't hold a secret", "a secret")
                .note("the secret itself is read on the runner only; here, it is no more than its URI")
                .help("give the secret to `environment` by itself, and put the text together in the script")
        } else {
            let message = format!("text can't hold {}", value.noun());
            Diagnostic::new(&BAD_OPERAND, self.span(inside), message, "not text")
        };
        let diagnostic = self.with_way(diagnostic, flow);
        self.diagnostics.push(diagnostic);
    }

    /// Evaluates an expression of another parse, whose text stands `at` there in this one, with the names of this
    /// file.
    fn within(&mut self, parse: &Parse, expr: Expr<'_>, at: TextSize) -> Option<Value> {
        self.prepare(expr);
        self.inside(parse, expr, at)
    }

    /// Evaluates what an expression of another parse names here, in its own file, before the expression.
    fn prepare(&mut self, expr: Expr<'_>) {
        let mut names = Vec::new();
        references(expr, 0, &mut names);
        for (base, name) in names {
            if base == "self" {
                self.own.begin();
                if !self.own.open.contains(&name) {
                    self.quiet_own(&name);
                }
            } else if let Some(local) = self.locals.expressions.get(&*name).copied()
                && !self.locals.open.contains(&name)
            {
                self.quiet_local(&name, local);
            }
        }
    }

    fn inside(&mut self, parse: &Parse, expr: Expr<'_>, at: TextSize) -> Option<Value> {
        // What is known of them is lent to the inner evaluation; their expressions are of this file.
        let mut lent = std::mem::take(&mut self.locals);
        let expressions = std::mem::take(&mut lent.expressions);
        let mut lent_own = std::mem::take(&mut self.own);
        let (block, around) = (lent_own.block.take(), lent_own.around.take());
        // On the heap: texts in texts go deep.
        let mut inner = Box::new(Checker {
            db: self.db,
            path: self.path.clone(),
            parse,
            locals: Locals {
                expressions: rustc_hash::FxHashMap::default(),
                values: lent.values,
                failed: lent.failed,
                open: lent.open,
                spent: lent.spent,
            },
            own: Own {
                block: None,
                around: block.or(around),
                values: lent_own.values,
                current: None,
                open: lent_own.open,
            },
            flow: std::mem::take(&mut self.flow),
            depth: self.depth + INTERPOLATION_DEPTH,
            interpolates: true,
            standalone: self.standalone,
            subject: self.subject.clone(),
            diagnostics: Vec::new(),
        });
        let value = inner.eval(expr);
        let Checker { diagnostics: told, flow, locals, own, .. } = *inner;
        let Locals { values, failed, open, spent, .. } = locals;
        self.locals = Locals { expressions, values, failed, open, spent };
        self.own = Own { block, around, values: own.values, current: lent_own.current, open: own.open };
        // It is parsed by itself; what is told of it must point into this text.
        for diagnostic in told {
            let diagnostic = shifted(diagnostic, at);
            let diagnostic = self.with_way_of_operands(diagnostic, &flow);
            self.diagnostics.push(diagnostic);
        }
        self.flow = flow;
        value
    }
}

/// The locals and own attributes that an expression refers to, in its interpolations too.
fn references(expr: Expr<'_>, depth: u32, names: &mut Vec<(&'static str, SmolStr)>) {
    for expr in expr.node().descendants().filter_map(Expr::cast) {
        match dotted(expr) {
            Some(("local", name)) => names.push(("local", name.into())),
            Some(("self", name)) => names.push(("self", name.into())),
            _ => {}
        }
        let Some(token) = expr.literal().filter(|token| token.text().contains("${")) else { continue };
        if token.kind() == Kind::Number || depth * INTERPOLATION_DEPTH >= DEPTH_LIMIT {
            continue;
        }
        let content = literal::content(token.kind(), token.text(), TextSize::new(0), false);
        for part in content.parts {
            let Part::Interpolation(inside) = part else { continue };
            let inner = parse_expression(token.text()[inside].into());
            if let Some(expr) = Expr::of(&inner) {
                references(expr, depth + 1, names);
            }
        }
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
