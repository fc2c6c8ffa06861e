//! Percentages that were written as fractions: `0.8`, which is less than one in a hundred.

use fly_std::{
    Type, Value,
    policy::{self, FieldType},
};

use super::FileScope;
use crate::{
    diag::{Diagnostic, Span, declare_diagnostic},
    model::TypedAttribute,
    syntax::condition::{ConditionKind, Operand, OperandKind, parse},
    text::{TextRange, TextSize},
};

declare_diagnostic! { pub FRACTION_PERCENT = "fraction-percent", Warning, "a fraction where a percentage is meant" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for block in scope.all_blocks() {
        for attribute in &block.attributes {
            match block.schema.attribute(&attribute.name).map(|known| known.ty) {
                Some(Type::Percent) => diagnostics.extend(threshold(scope, attribute)),
                Some(Type::Condition) => in_condition(scope, attribute, diagnostics),
                _ => {}
            }
        }
    }
}

fn threshold(scope: &FileScope<'_>, attribute: &TypedAttribute) -> Option<Diagnostic> {
    let Some(Value::Percent(number)) = attribute.value else { return None };
    let text = &scope.parse.text()[attribute.range];
    // What comes from elsewhere is not written here, and `0.5%` is meant.
    let is_number = text.trim_matches('"').parse::<f64>().is_ok();
    (is_number && is_fraction(number.get()))
        .then(|| tell(scope.span(attribute.range), &format!("`{}`", attribute.name), number.get()))
}

/// Comparisons of a condition that stands in the file as it is.
fn in_condition(scope: &FileScope<'_>, attribute: &TypedAttribute, diagnostics: &mut Vec<Diagnostic>) {
    let written = &scope.parse.text()[attribute.range];
    let Some(text) = written.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return };
    if attribute.value.as_ref().and_then(Value::as_str) != Some(text) {
        return;
    }
    let Ok(condition) = parse(text) else { return };
    let start = attribute.range.start() + TextSize::of('"');
    let mut open = vec![&condition];
    while let Some(condition) = open.pop() {
        match &condition.kind {
            ConditionKind::And(parts) | ConditionKind::Or(parts) => open.extend(parts.iter().rev()),
            ConditionKind::Not(inner) => open.push(inner),
            ConditionKind::Bare(_) => {}
            ConditionKind::In { left, list } => {
                diagnostics.extend(list.iter().filter_map(|value| compared(scope, start, left, value)));
            }
            ConditionKind::Compare { left, right, .. } => {
                diagnostics.extend(compared(scope, start, left, right));
                diagnostics.extend(compared(scope, start, right, left));
            }
        }
    }
}

fn compared(scope: &FileScope<'_>, start: TextSize, field: &Operand, value: &Operand) -> Option<Diagnostic> {
    let known = policy::find(&field.text).filter(|_| field.kind == OperandKind::Field)?;
    if known.ty != FieldType::Percent || value.kind != OperandKind::Number {
        return None;
    }
    let number: f64 = value.text.parse().ok().filter(|number| is_fraction(*number))?;
    let size = |at: usize| TextSize::new(u32::try_from(at).unwrap_or(u32::MAX));
    let range = TextRange::new(start + size(value.range.start), start + size(value.range.end));
    Some(tell(scope.span(range), &format!("`{}`", known.name), number))
}

fn is_fraction(number: f64) -> bool {
    number > 0.0 && number <= 1.0
}

fn tell(span: Span, subject: &str, number: f64) -> Diagnostic {
    let range = span.range;
    // Rounded: 0.07 of a hundred is 7, and not 7.000000000000001.
    let meant = (number * 100_000.0).round() / 1000.0;
    Diagnostic::new(
        &FRACTION_PERCENT,
        span,
        format!("{subject} is a percentage, found {number}, which is {number}%"),
        "a fraction?",
    )
    .note(format!("a number without a unit counts percent; write `{number}%` if that little is meant"))
    .fix(format!("write `{meant}%`"), range, format!("{meant}%"))
}
