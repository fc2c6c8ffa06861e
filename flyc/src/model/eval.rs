//! Evaluation: operators, functions and references to values. Pure and total: it always ends, and what it makes is
//! bounded in size.

use fly_std::Value;
use smol_str::SmolStr;

use super::{blocks::Checker, messages, operators::BAD_OPERAND, references::UNKNOWN_NAME};
use crate::{
    diag::{Declaration, Diagnostic},
    syntax::{Expr, Kind, NESTING_LIMIT, NodeKind, literal},
    text::TextRange,
};

/// How deeply evaluation may go: through operators and brackets, through locals that name later ones, and through
/// interpolations, each of which counts for several.
pub(super) const DEPTH_LIMIT: u32 = 2 * NESTING_LIMIT;

impl Checker<'_> {
    /// The value of an expression; `None` when it has none, which has been told then.
    pub(super) fn eval(&mut self, expr: Expr<'_>) -> Option<Value> {
        if self.depth >= DEPTH_LIMIT {
            self.problem(
                &super::TOO_DEEP,
                expr.range(),
                "this value is put together over too many steps",
                "Fly follows no further than this",
            );
            return None;
        }
        self.depth += 1;
        let value = self.step(expr);
        self.depth -= 1;
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

    /// A string that is the URI of a secret.
    fn secret_literal(&mut self, text: &str, range: TextRange) -> Option<Value> {
        match fly_std::formats::secret_uri::parse(text) {
            Ok(secret) => Some(Value::Secret(Box::new(secret))),
            Err(error) => {
                self.problem(&super::BAD_SECRET_URI, range, "this does not name a secret", &error.message);
                None
            }
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
            Some(text) if fly_std::formats::is_secret_uri_like(&text.text) => {
                self.secret_literal(&text.text, token.range())
            }
            Some(text) => Some(Value::String(text.text.as_str().into())),
            None => self.template(&content, token.range()),
        }
    }

    fn field(&mut self, expr: Expr<'_>) -> Option<Value> {
        let mut operands = expr.operands();
        let (base, field) = (operands.next()?, operands.next()?);
        if self.is_subject_path(expr) {
            return self.subject_path(expr);
        }
        if base.node().kind() == NodeKind::Name && !matches!(base.text(), "true" | "false") {
            return self.reference(base, field, expr.range());
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

    fn unknown_name(&mut self, name: &str, range: TextRange) {
        let mut diagnostic = Diagnostic::new(
            &UNKNOWN_NAME,
            self.span(range),
            format!("`{name}` is not a value"),
            "a bare word",
        );
        diagnostic = if self.locals.is_known(name) {
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
        if self.is_subject_path(expr) {
            return self.subject_path(expr);
        }
        // `egg["2fa"]`: a name that begins with a digit.
        if base.node().kind() == NodeKind::Name
            && matches!(base.text(), "egg" | "bucket")
            && let Some(token) = index.literal()
            && let Some(name) = literal::simple_string(token.kind(), token.text())
        {
            return self.entity_reference(base.text(), name, expr.range());
        }
        let value = self.eval(base);
        let at = self.eval(index);
        let (value, at) = (value?, at?);
        match (&value, &at) {
            (Value::List(values), Value::Int(number)) => {
                let found = usize::try_from(*number).ok().and_then(|number| values.get(number)).cloned();
                if found.is_none() && self.is_witness() {
                    return values.first().cloned();
                }
                if found.is_none() {
                    let message = format!("this list has {} elements, so no element {number}", values.len());
                    self.problem(&BAD_OPERAND, index.range(), &message, "counted from 0");
                }
                found
            }
            (Value::Map(entries), Value::String(name)) => {
                let found = entries.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
                if found.is_none() && self.is_witness() {
                    // Names of the user's own have one example for all.
                    if let Some((_, example)) = entries.iter().find(|(known, _)| known == "NAME") {
                        return Some(example.clone());
                    }
                }
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
