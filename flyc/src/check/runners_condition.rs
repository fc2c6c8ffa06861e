//! The entities that UglyFox's conditions speak of: each exists, and each is in one condition.

use fly_std::Value;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::NestScope;
use crate::{
    diag::{Diagnostic, Span, declare_diagnostic},
    model::EntityKind,
};

declare_diagnostic! { pub UNKNOWN_ENTITY = "unknown-entity", Error, "the name of an egg or bucket that does not exist" }
declare_diagnostic! { pub ENTITY_IN_TWO_CONDITIONS = "entity-in-two-conditions", Error, "an egg or bucket under two conditions" }

pub(super) fn check(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: FxHashMap<SmolStr, Span> = FxHashMap::default();
    // In the order of the alphabet, so that the same name is always proposed.
    let mut known: Vec<&str> = scope.index.names(EntityKind::Egg).collect();
    known.sort_unstable();
    // Looking for what was meant takes a look at every name; after a while the reader has understood.
    let mut searches = 20_u32;
    for (file, uglyfox) in scope.blocks_of("uglyfox") {
        for condition in uglyfox.blocks("runners_condition") {
            let Some(attribute) = condition.attribute("eggs_entities") else { continue };
            let Some(Value::List(names)) = &attribute.value else { continue };
            for (at, name) in names.iter().filter_map(Value::as_str).enumerate() {
                let range = attribute.elements.get(at).copied().unwrap_or(attribute.range);
                let span = scope.span(file, range);
                if scope.index.find(EntityKind::Egg, name).is_empty() {
                    if !scope.index.is_complete() {
                        // It may stand in what could not be understood, which has been told.
                        continue;
                    }
                    searches = searches.saturating_sub(1);
                    diagnostics.push(unknown(name, span, if searches > 0 { &known } else { &[] }));
                } else if let Some(first) = seen.get(name) {
                    diagnostics.push(
                        Diagnostic::new(
                            &ENTITY_IN_TWO_CONDITIONS,
                            span,
                            format!("`{name}` stands under two conditions"),
                            "named again here",
                        )
                        .note("the pools of an egg have one set of limits, so one condition speaks of it")
                        .related(first.clone(), "first named here")
                        .help("remove it from one of them"),
                    );
                } else {
                    seen.insert(name.into(), span);
                }
            }
        }
    }
}

pub(super) fn unknown(name: &str, span: Span, known: &[&str]) -> Diagnostic {
    let range = span.range;
    let diagnostic = Diagnostic::new(
        &UNKNOWN_ENTITY,
        span,
        format!("there is no egg or bucket `{name}` in this Nest"),
        "names nothing",
    )
    .note("eggs and buckets stand in Eggs/<name>/config.fly");
    match fly_std::formats::closest(name, known.iter().copied()) {
        Some(nearest) => {
            diagnostic.fix(format!("did you mean `\"{nearest}\"`?"), range, format!("\"{nearest}\""))
        }
        None => diagnostic.help(format!("add `Eggs/{name}/config.fly`, or remove the name")),
    }
}
