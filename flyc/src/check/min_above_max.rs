//! Pairs of attributes whose first must not be above the second, such as `min_count` and `max_count`.

use fly_std::{
    Value,
    schema::{Constraint, Presence},
};

use super::FileScope;
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    model::TypedBlock,
};

declare_diagnostic! { pub MIN_ABOVE_MAX = "min-above-max", Error, "a smallest number above the largest" }

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for &block in &scope.all_blocks {
        for constraint in block.schema.constraints {
            let (low, high) = match constraint {
                Constraint::NotAbove(low, high) => (*low, *high),
                Constraint::ExactlyOneOf(_) => continue,
            };
            let (Some(least), Some(most)) = (number(block, low), number(block, high)) else { continue };
            // A default is never what is wrong, so the finding stands at what was written.
            let Some(written) = block.attribute(low).or_else(|| block.attribute(high)) else { continue };
            if least <= most {
                continue;
            }
            let mut diagnostic = Diagnostic::new(
                &MIN_ABOVE_MAX,
                scope.span(written.range),
                format!("`{low}` is {least}, but `{high}` is {most}"),
                "no number is both",
            )
            .help(format!("write `{low} = {most}` or less, or raise `{high}`"));
            match block.attribute(high) {
                Some(other) if other.name_range != written.name_range => {
                    diagnostic =
                        diagnostic.related(scope.span(other.range), format!("`{high}` is given here"));
                }
                Some(_) => diagnostic = diagnostic.note(format!("`{low}` is {least} when it is not given")),
                None => diagnostic = diagnostic.note(format!("`{high}` is {most} when it is not given")),
            }
            diagnostics.push(diagnostic);
        }
    }
}

fn number(block: &TypedBlock, name: &str) -> Option<i64> {
    if let Some(attribute) = block.attribute(name) {
        return attribute.value.as_ref().and_then(Value::as_int);
    }
    match block.schema.attribute(name)?.presence {
        Presence::Default(text) => text.parse().ok(),
        Presence::Required | Presence::Optional | Presence::Derived(_) => None,
    }
}
