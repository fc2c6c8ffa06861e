//! Names given twice where the first would win in silence: locals of two blocks, and keys of maps that are only
//! evaluated.
//!
//! A local of a file may have the name of one of `nest.fly`: the file's own is what the file sees.

use rustc_hash::FxHashMap;

use super::FileScope;
use crate::{
    diag::Diagnostic,
    model::DUPLICATE_ATTRIBUTE,
    syntax::{Expr, NodeKind},
    text::TextRange,
};

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut first: FxHashMap<&str, (usize, TextRange)> = FxHashMap::default();
    for (at, block) in scope.blocks.iter().filter(|block| block.name == "locals").enumerate() {
        for local in &block.attributes {
            let (before, place) = *first.entry(&local.name).or_insert((at, local.name_range));
            // Twice in one block has been told.
            if before != at {
                diagnostics.push(twice(
                    scope,
                    (place, local.name_range),
                    format!("`{}` is given twice", local.name),
                ));
            }
        }
    }
    keys(scope, diagnostics);
}

fn twice(scope: &FileScope<'_>, (first, again): (TextRange, TextRange), message: String) -> Diagnostic {
    Diagnostic::new(&DUPLICATE_ATTRIBUTE, scope.span(again), message, "given again here")
        .related(scope.span(first), "first given here")
        .help("keep one of the two")
}

/// Keys that stand twice in a map. Those of a map that was checked against a type have been told.
fn keys(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let maps = scope.parse.root().descendants().filter(|node| node.kind() == NodeKind::Map);
    for map in maps.filter_map(Expr::cast) {
        let mut first: FxHashMap<&str, TextRange> = FxHashMap::default();
        for entry in map.entries() {
            let (name, range) = (entry.name(), entry.key.range());
            let Some(before) = first.insert(name, range) else { continue };
            first.insert(name, before);
            let told = |told: &Diagnostic| *told.kind == DUPLICATE_ATTRIBUTE && told.span.range == range;
            if !diagnostics.iter().any(told) {
                diagnostics.push(twice(scope, (before, range), format!("`{name}` stands twice in this map")));
            }
        }
    }
}
