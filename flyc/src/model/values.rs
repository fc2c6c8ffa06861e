//! Values against types: what an attribute wants, what was found, and the words for the difference.

use fly_std::{Float, Type, Value, formats, schema::Attribute};
use smol_str::SmolStr;

use super::{blocks::Checker, messages};
use crate::{
    diag::{Applicability, Diagnostic, declare_diagnostic},
    syntax::{
        Expr, Kind, NodeKind,
        literal::{self, Content, ContentErrorKind, Text},
    },
    text::{TextRange, TextSize},
};

declare_diagnostic! { pub TYPE_MISMATCH = "type-mismatch", Error, "a value of another type than the attribute wants" }
declare_diagnostic! { pub OUT_OF_RANGE = "out-of-range", Error, "a value beyond what the attribute allows" }

/// What a value is checked against, and for whom.
#[derive(Clone, Copy)]
pub(super) struct Want<'a> {
    /// The attribute it belongs to.
    pub(super) attribute: &'static Attribute,
    /// The attribute's name as written; differs from the schema's for names of the user's own.
    pub(super) name: &'a str,
    /// The type of this value: the attribute's, or that of an element of it.
    pub(super) ty: Type,
    /// Whether the value stands within the attribute's value.
    pub(super) inner: bool,
}

impl Want<'_> {
    fn of(self, ty: Type) -> Self {
        Self { ty, inner: true, ..self }
    }

    /// `` `tags` `` or `` an element of `tags` ``.
    pub(super) fn subject(&self) -> String {
        if self.inner { format!("an element of `{}`", self.name) } else { format!("`{}`", self.name) }
    }

    pub(super) fn note(&self) -> String {
        messages::attribute_note(self.name, self.attribute)
    }
}

/// Text and where it stands: in one piece for a literal, as a whole for a computed value.
pub(super) enum Place<'a> {
    /// A literal without escapes whose text begins there.
    Simple(TextSize),
    Literal {
        text: &'a Text,
        token: TextRange,
    },
    Whole(TextRange),
}

impl Place<'_> {
    pub(super) fn range(&self, of: std::ops::Range<usize>) -> TextRange {
        match self {
            Self::Simple(start) => {
                let at = |offset: usize| *start + TextSize::new(u32::try_from(offset).unwrap_or(0));
                TextRange::new(at(of.start), at(of.end.max(of.start)))
            }
            Self::Literal { text, token } if text.text.is_empty() => *token,
            Self::Literal { text, .. } => text.source(of),
            Self::Whole(range) => *range,
        }
    }
}

impl Checker<'_> {
    /// The value of an expression as the type wants it; `None` when it is wrong, which has been told then.
    pub(super) fn value(&mut self, expr: Expr<'_>, want: Want<'_>) -> Option<Value> {
        match expr.node().kind() {
            NodeKind::Literal if want.ty != Type::TypeName && want.ty != Type::Profile => {
                self.literal(expr, want)
            }
            NodeKind::Paren => self.value(expr.operands().next()?, want),
            NodeKind::List => self.list(expr, want),
            NodeKind::Map => self.map(expr, want),
            _ if want.ty == Type::Profile => self.profile_name(expr, want),
            _ if want.ty == Type::TypeName => self.type_name(expr, want),
            NodeKind::Conditional if want.ty != Type::Any && !self.is_lazy() => self.choice(expr, want),
            NodeKind::Name if !matches!(expr.text(), "true" | "false") => self.bare_word(expr, want),
            _ => self.computed(expr.range(), want, |checker| checker.eval(expr)),
        }
    }

    /// A value that is made of others, as the type wants it.
    fn computed(
        &mut self,
        range: TextRange,
        want: Want<'_>,
        make: impl FnOnce(&mut Self) -> Option<Value>,
    ) -> Option<Value> {
        let outer = std::mem::take(&mut self.flow);
        let told = self.diagnostics.len();
        let value = make(self);
        let flow = std::mem::replace(&mut self.flow, outer);
        if !flow.steps.is_empty() {
            for diagnostic in self.diagnostics.split_off(told) {
                let diagnostic = self.with_way_of_operands(diagnostic, &flow);
                self.diagnostics.push(diagnostic);
            }
        }
        self.flow.join(&flow);
        self.arrive(value?, &flow, range, want)
    }

    fn literal(&mut self, expr: Expr<'_>, want: Want<'_>) -> Option<Value> {
        let token = expr.literal()?;
        let range = token.range();
        if token.kind() == Kind::Number {
            let value = self.number(token.text(), range)?;
            return self.fit(value, range, want);
        }
        let verbatim = want.ty == Type::Script;
        if let Some(simple) = literal::simple_string(token.kind(), token.text()) {
            return self.string(simple, &Place::Simple(range.start() + TextSize::new(1)), range, want);
        }
        let content = literal::content(token.kind(), token.text(), range.start(), verbatim);
        if !self.content_errors(&content) {
            return None;
        }
        match content.plain() {
            Some(text) => self.string(&text.text, &Place::Literal { text, token: range }, range, want),
            None => self.computed(range, want, |checker| checker.template(&content, range)),
        }
    }

    /// Tells what is wrong inside a string; whether nothing is.
    pub(super) fn content_errors(&mut self, content: &Content) -> bool {
        for error in &content.errors {
            let span = self.span(error.range);
            let shown = &self.parse.text()[error.range];
            let kind = &super::BAD_ESCAPE;
            let diagnostic = match error.kind {
                ContentErrorKind::UnknownEscape => {
                    Diagnostic::new(kind, span, format!("strings know no escape `{shown}`"), "not an escape")
                        .note("the escapes are `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\` and `\\u{…}`")
                        .fix(
                            format!("write `\\{shown}` for a backslash"),
                            TextRange::empty(error.range.start()),
                            "\\",
                        )
                }
                ContentErrorKind::UnknownCharacter => {
                    Diagnostic::new(kind, span, format!("`{shown}` names no character"), "not a character")
                        .help("write the character's number in hexadecimal digits, such as `\\u{1F98A}`")
                }
                ContentErrorKind::UnclosedInterpolation => {
                    Diagnostic::new(kind, span, "this `${` is never closed", "a `}` is missing").fix(
                        "write `$${` for the text `${`",
                        TextRange::empty(error.range.start()),
                        "$",
                    )
                }
            };
            self.diagnostics.push(diagnostic);
        }
        content.errors.is_empty()
    }

    fn list(&mut self, expr: Expr<'_>, want: Want<'_>) -> Option<Value> {
        let item = match want.ty {
            Type::List(item) => *item,
            Type::Any => Type::Any,
            _ => {
                self.mismatch(expr.range(), "a list", want);
                return None;
            }
        };
        // Every element is checked, even after a wrong one.
        let elements: Vec<_> = expr.operands().map(|element| self.value(element, want.of(item))).collect();
        elements.into_iter().collect::<Option<Vec<_>>>().map(Value::List)
    }

    fn map(&mut self, expr: Expr<'_>, want: Want<'_>) -> Option<Value> {
        let mut entries: Vec<(SmolStr, Option<Value>)> = Vec::new();
        let mut ranges: Vec<TextRange> = Vec::new();
        let mut complete = true;
        if !matches!(want.ty, Type::Map(_) | Type::Object(_) | Type::Any) {
            self.mismatch(expr.range(), "a map", want);
            return None;
        }
        for entry in expr.entries() {
            let (name, range) = (entry.name(), entry.key.range());
            if let Some(before) = entries.iter().position(|(known, _)| known == name) {
                let first = self.span(ranges[before]);
                self.diagnostics.push(
                    Diagnostic::new(
                        &super::DUPLICATE_ATTRIBUTE,
                        self.span(range),
                        format!("`{name}` stands twice in this map"),
                        "given again here",
                    )
                    .related(first, "first given here")
                    .help("remove one of the two"),
                );
                complete = false;
                continue;
            }
            let inner = match want.ty {
                Type::Map(item) => Some(want.of(*item)),
                Type::Object(fields) => match fields.iter().find(|field| field.name == name) {
                    Some(field) => Some(Want { attribute: field, name, ty: field.ty, inner: false }),
                    None => {
                        self.unknown_key(name, range, fields, want);
                        None
                    }
                },
                _ => Some(want.of(Type::Any)),
            };
            let value = inner.and_then(|inner| self.value(entry.value?, inner));
            complete &= value.is_some();
            entries.push((name.into(), value));
            ranges.push(range);
        }
        if let Type::Object(fields) = want.ty {
            complete &= self.required_keys(&entries, fields, expr.range(), want);
        }
        let entries =
            entries.into_iter().map(|(name, value)| Some((name, value?))).collect::<Option<Vec<_>>>();
        entries.filter(|_| complete).map(Value::Map)
    }

    fn unknown_key(&mut self, name: &str, range: TextRange, fields: &'static [Attribute], want: Want<'_>) {
        let names = fields.iter().map(|field| field.name);
        let mut diagnostic = Diagnostic::new(
            &super::UNKNOWN_ATTRIBUTE,
            self.span(range),
            format!("an element of `{}` has no `{name}`", want.name),
            "not known here",
        )
        .note(format!("it has {}", messages::list(names.clone(), "and")));
        if let Some(nearest) = messages::nearest(name, names) {
            diagnostic = diagnostic.fix(format!("did you mean `{nearest}`?"), range, nearest);
        }
        self.diagnostics.push(diagnostic);
    }

    fn required_keys(
        &mut self,
        entries: &[(SmolStr, Option<Value>)],
        fields: &'static [Attribute],
        range: TextRange,
        want: Want<'_>,
    ) -> bool {
        let mut complete = true;
        for field in fields {
            let required = matches!(field.presence, fly_std::schema::Presence::Required);
            let known = entries.iter().any(|(name, _)| name == field.name);
            // A misspelt key has been told already.
            let misspelt = entries.iter().any(|(name, _)| {
                fields.iter().all(|f| f.name != name)
                    && messages::nearest(name, fields.iter().map(|f| f.name)) == Some(field.name)
            });
            if required && !known && !misspelt {
                complete = false;
                self.diagnostics.push(
                    Diagnostic::new(
                        &super::MISSING_ATTRIBUTE,
                        self.span(range),
                        format!("an element of `{}` lacks `{}`", want.name, field.name),
                        "incomplete",
                    )
                    .note(messages::attribute_note(field.name, field))
                    .help(format!("add `{} = {}`", field.name, field.example)),
                );
            }
        }
        complete
    }

    /// A word without quotes where a value belongs.
    fn bare_word(&mut self, expr: Expr<'_>, want: Want<'_>) -> Option<Value> {
        let (word, range) = (expr.text(), expr.range());
        if let Type::Keyword(variants) = want.ty {
            return self.keyword(word, range, variants, want);
        }
        let quoted = match want.ty {
            Type::Enum(variants) => variants.iter().any(|variant| variant.name == word),
            Type::String | Type::Name | Type::EnvValue | Type::Entity(_) | Type::Fqdn => true,
            _ => false,
        };
        let message = format!("`{word}` is not a value");
        let diagnostic =
            Diagnostic::new(&super::UNKNOWN_NAME, self.span(range), message, "a bare word").note(want.note());
        self.diagnostics.push(if quoted {
            let is_variant = matches!(want.ty, Type::Enum(_));
            diagnostic.offer(
                if is_variant { Applicability::Safe } else { Applicability::Suggested },
                format!("strings stand in quotes: write `\"{word}\"`"),
                range,
                format!("\"{word}\""),
            )
        } else {
            diagnostic.help(format!("write a value such as `{}`", want.attribute.example))
        });
        None
    }

    /// A value of any kind as the type wants it.
    pub(super) fn fit(&mut self, value: Value, range: TextRange, want: Want<'_>) -> Option<Value> {
        match (want.ty, value) {
            (Type::Any, value) => Some(value),
            (Type::Keyword(variants), Value::String(text)) => self.keyword(&text, range, variants, want),
            (Type::Condition, value @ Value::Condition(_)) => Some(value),
            (_, Value::String(text)) => self.string(&text, &Place::Whole(range), range, want),
            (Type::Int { min, max }, Value::Int(number)) => {
                if (min..=max).contains(&number) {
                    return Some(Value::Int(number));
                }
                let limits = match (min, max) {
                    (min, i64::MAX) => format!("a whole number {min} or more"),
                    (min, max) if min == max => format!("`{min}`"),
                    (min, max) => format!("a whole number from {min} to {max}"),
                };
                let bound = if number > max { max } else { min };
                self.out_of_range(range, &limits, number > max, &bound.to_string(), want);
                None
            }
            (Type::Float, Value::Int(number)) => {
                #[allow(clippy::cast_precision_loss, reason = "a count large enough to lose a digit is none")]
                let number = number as f64;
                Float::new(number).map(Value::Float)
            }
            (Type::Float, value @ Value::Float(_)) | (Type::Bool, value @ Value::Bool(_)) => Some(value),
            (Type::Duration { min, max, bare }, value @ (Value::Duration(_) | Value::Int(_))) => {
                let seconds = match value {
                    Value::Duration(seconds) => seconds,
                    Value::Int(number) if bare && number >= 0 => number.unsigned_abs(),
                    Value::Int(number) => {
                        self.unitless(number, range, want);
                        return None;
                    }
                    _ => return None,
                };
                self.limited(seconds, min, max, range, &formats::duration::print, want).map(Value::Duration)
            }
            (Type::Size { min, max, bare }, value @ (Value::Size(_) | Value::Int(_))) => {
                let bytes = match value {
                    Value::Size(bytes) => Some(bytes),
                    Value::Int(number) => {
                        u64::try_from(number).ok().and_then(|n| n.checked_mul(bare.bytes()))
                    }
                    _ => None,
                };
                // What does not fit into bytes is above any limit.
                let bytes = bytes.unwrap_or(if matches!(value, Value::Int(number) if number < 0) {
                    0
                } else {
                    u64::MAX
                });
                self.limited(bytes, min, max, range, &formats::size::print, want).map(Value::Size)
            }
            (Type::Percent, value @ (Value::Percent(_) | Value::Int(_) | Value::Float(_))) => {
                #[allow(clippy::cast_precision_loss, reason = "a percentage is a small number")]
                let percent = match value {
                    Value::Int(number) => Float::new(number as f64),
                    Value::Percent(number) | Value::Float(number) => Some(number),
                    _ => None,
                };
                match percent.filter(|percent| formats::percent::in_range(percent.get())) {
                    Some(percent) => Some(Value::Percent(percent)),
                    None => {
                        self.out_of_range(range, "a percentage from 0% to 100%", true, "100%", want);
                        None
                    }
                }
            }
            (Type::Secret | Type::EnvValue, value @ Value::Secret(_)) => Some(value),
            (Type::List(item), Value::List(values)) => {
                let values: Vec<_> =
                    values.into_iter().map(|value| self.fit(value, range, want.of(*item))).collect();
                values.into_iter().collect::<Option<Vec<_>>>().map(Value::List)
            }
            (Type::Map(item), Value::Map(entries)) => {
                let entries: Vec<_> = entries
                    .into_iter()
                    .map(|(name, value)| Some((name, self.fit(value, range, want.of(*item))?)))
                    .collect();
                entries.into_iter().collect::<Option<Vec<_>>>().map(Value::Map)
            }
            (Type::Object(fields), Value::Map(entries)) => self.fit_object(fields, entries, range, want),
            (_, value) => {
                self.mismatch(range, value.noun(), want);
                None
            }
        }
    }

    fn fit_object(
        &mut self,
        fields: &'static [Attribute],
        entries: Vec<(SmolStr, Value)>,
        range: TextRange,
        want: Want<'_>,
    ) -> Option<Value> {
        let mut complete = true;
        let mut fitted = Vec::with_capacity(entries.len());
        for (name, value) in entries {
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                self.unknown_key(&name, range, fields, want);
                complete = false;
                continue;
            };
            let inner = Want { attribute: field, name: &name, ty: field.ty, inner: false };
            let value = self.fit(value, range, inner);
            complete &= value.is_some();
            fitted.push((name, value));
        }
        complete &= self.required_keys(&fitted, fields, range, want);
        let fitted = fitted.into_iter().map(|(name, value)| Some((name, value?))).collect::<Option<Vec<_>>>();
        fitted.filter(|_| complete).map(Value::Map)
    }

    fn limited(
        &mut self,
        value: u64,
        min: u64,
        max: u64,
        range: TextRange,
        print: &dyn Fn(u64) -> String,
        want: Want<'_>,
    ) -> Option<u64> {
        if (min..=max).contains(&value) {
            return Some(value);
        }
        let wanted = format!("{} from {} to {}", want.ty.noun(), print(min), print(max));
        let bound = print(if value > max { max } else { min });
        self.out_of_range(range, &wanted, value > max, &bound, want);
        None
    }

    /// A bare number where a unit is needed.
    fn unitless(&mut self, number: i64, range: TextRange, want: Want<'_>) {
        let diagnostic = self
            .mismatch_diagnostic(range, "a number without a unit", want)
            .help(format!("write the unit, such as `{number}s`, `{number}m` or `{number}h`"));
        self.diagnostics.push(diagnostic);
    }

    fn mismatch(&mut self, range: TextRange, found: &str, want: Want<'_>) {
        let mut diagnostic = self.mismatch_diagnostic(range, found, want);
        let text = &self.parse.text()[range];
        let text_wanted = matches!(want.ty, Type::String | Type::EnvValue | Type::Name | Type::Script);
        let scalar = matches!(
            found,
            "a whole number"
                | "a number with a fraction"
                | "`true`"
                | "`false`"
                | "a duration"
                | "a size"
                | "a percentage"
        );
        let written = text.starts_with(|c: char| c.is_ascii_digit()) || matches!(text, "true" | "false");
        if text_wanted && scalar && written && !text.contains(['"', '\n', '$', '(', ' ']) {
            diagnostic = diagnostic.safe_fix(
                format!("write it in quotes: `\"{text}\"`"),
                range,
                format!("\"{text}\""),
            );
        }
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn mismatch_diagnostic(&self, range: TextRange, found: &str, want: Want<'_>) -> Diagnostic {
        let noun = want.ty.noun();
        let label = if matches!(want.ty, Type::Enum(_)) {
            "not one of them".to_owned()
        } else {
            format!("not {noun}")
        };
        Diagnostic::new(
            &TYPE_MISMATCH,
            self.span(range),
            format!("{} wants {noun}, found {found}", want.subject()),
            label,
        )
        .note(want.note())
        .help(format!("write `{}`", want.written()))
    }

    /// `bound` is the nearest value that is allowed, as it is written.
    fn out_of_range(&mut self, range: TextRange, wanted: &str, above: bool, bound: &str, want: Want<'_>) {
        let found = clip(&self.parse.text()[range]);
        let label = if above { "too much" } else { "too little" };
        self.diagnostics.push(
            Diagnostic::new(
                &OUT_OF_RANGE,
                self.span(range),
                format!("{} wants {wanted}, found `{found}`", want.subject()),
                label,
            )
            .note(want.note())
            .help(if matches!(want.ty, Type::Int { min, max } if min == max) {
                format!("write `{bound}`")
            } else if above {
                format!("write `{bound}` or less")
            } else if want.ty == (Type::Int { min: 1, max: i64::MAX }) {
                // What is counted from 1 without an end is an id: none is better than another.
                format!("write the number of yours, {bound} or more")
            } else {
                format!("write `{bound}` or more")
            }),
        );
    }
}

impl Want<'_> {
    /// A valid attribute as one would write it.
    pub(super) fn written(&self) -> String {
        if self.ty == Type::Secret {
            // An example of a secret would be masked like one.
            return format!("{} = \"yc-lockbox://<id>/<key>\"", self.name);
        }
        match sample(self.ty).filter(|_| matches!(self.attribute.ty, Type::Any | Type::List(&Type::Any))) {
            // The type is a variable's, so the example of the schema may be of another.
            Some(sample) if self.inner => sample,
            Some(sample) => format!("{} = {sample}", self.name),
            None => format!("{} = {}", self.name, self.attribute.example),
        }
    }
}

/// A value of a type that a variable can have.
fn sample(ty: Type) -> Option<String> {
    let text = match ty {
        Type::String => "\"text\"",
        Type::Int { .. } => "5",
        Type::Float => "0.5",
        Type::Bool => "true",
        Type::Duration { .. } => "10m",
        Type::Size { .. } => "4GiB",
        Type::Percent => "80%",
        Type::Cron => "\"0 2 * * *\"",
        Type::Timezone => "\"Europe/Berlin\"",
        Type::Fqdn => "\"gitlab.com\"",
        Type::Url => "\"https://gitlab.com\"",
        Type::Email => "\"team@company.com\"",
        Type::Image => "\"alpine:3.20\"",
        Type::Name => "\"my-app\"",
        Type::List(of) => return Some(format!("[{}]", sample(*of)?)),
        Type::Map(of) => return Some(format!("{{ key = {} }}", sample(*of)?)),
        _ => return None,
    };
    Some(text.to_owned())
}

pub(super) fn clip(text: &str) -> String {
    let first = text.lines().next().unwrap_or("");
    if first.chars().count() > 60 || first.len() < text.len() {
        format!("{}…", first.chars().take(60).collect::<String>())
    } else {
        text.to_owned()
    }
}
