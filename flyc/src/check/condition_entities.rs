//! The eggs and buckets that conditions of rules name: each exists.

use fly_std::{Value, policy::FieldId};

use super::NestScope;
use crate::{
    diag::{Diagnostic, Span},
    model::{EntityKind, TypedBlock, UNKNOWN_ENTITY, condition_texts, text_range},
};

/// Looking for what was meant takes a look at every name; after so many the reader has understood.
const SEARCHES: u32 = 20;

pub(super) fn check(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !scope.index.is_complete() {
        // What seems missing may stand in what could not be understood, which has been told.
        return;
    }
    // In the order of the alphabet, so that the same name is always proposed.
    let mut known: Vec<&str> = scope.index.names(EntityKind::Egg).collect();
    known.sort_unstable();
    let mut searches = SEARCHES;
    for (file, uglyfox) in scope.blocks_of("uglyfox") {
        let rules =
            uglyfox.blocks("policies").flat_map(TypedBlock::walk).filter(|block| block.name == "rule");
        for attribute in rules.filter_map(|rule| rule.attribute("condition")) {
            let Some(condition) = attribute.value.as_ref().and_then(Value::as_condition) else { continue };
            let mut told: Vec<Span> = Vec::new();
            for (name, part) in condition_texts(&condition.text, FieldId::Egg) {
                if !scope.index.find(EntityKind::Egg, &name).is_empty() {
                    continue;
                }
                searches = searches.saturating_sub(1);
                let candidates = if searches > 0 { known.as_slice() } else { &[] };
                let whole = text_range(scope.db, file, attribute, 0..condition.text.len());
                let range = text_range(scope.db, file, attribute, part);
                let span = scope.span(file, range);
                // A condition that is put together has one place for all its names.
                let together = whole == range;
                if together && told.contains(&span) {
                    continue;
                }
                told.push(span.clone());
                diagnostics.push(unknown(&name, span, candidates, together));
            }
        }
    }
}

fn unknown(name: &str, span: Span, known: &[&str], together: bool) -> Diagnostic {
    let range = span.range;
    let diagnostic = Diagnostic::new(
        &UNKNOWN_ENTITY,
        span,
        format!("there is no egg or bucket `{name}` in this Nest"),
        "names nothing",
    )
    .note("eggs and buckets stand in Eggs/<name>/config.fly; no runner has another name in its `egg`");
    match fly_std::formats::closest(name, known.iter().copied()) {
        Some(nearest) if together => diagnostic.help(format!("did you mean `'{nearest}'`?")),
        Some(nearest) => {
            diagnostic.fix(format!("did you mean `'{nearest}'`?"), range, format!("'{nearest}'"))
        }
        None => diagnostic.help(format!("add `Eggs/{name}/config.fly`, or remove the name")),
    }
}
