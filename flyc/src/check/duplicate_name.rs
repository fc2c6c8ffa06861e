//! Eggs and buckets share their names, jobs have theirs: each is given once in the Nest.

use rustc_hash::FxHashMap;

use super::NestScope;
use crate::diag::{Diagnostic, declare_diagnostic};

declare_diagnostic! { pub DUPLICATE_NAME = "duplicate-name", Error, "two blocks of the Nest with one name" }

pub(super) fn check(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    // Each file is read once, however many names it gives twice.
    let mut files = FxHashMap::default();
    for entity in scope.index.duplicates().flat_map(|(_, entities)| entities) {
        files.entry(entity.file).or_insert_with(|| scope.top_blocks(entity.file));
    }
    for (name, entities) in scope.index.duplicates() {
        let mut blocks = entities.iter().filter_map(|entity| {
            let block = *files.get(&entity.file)?.get(entity.position as usize)?;
            Some((block, scope.span(entity.file, block.header())))
        });
        // A block that was never closed may be what is left of the other.
        let Some((_, first)) = blocks.next().filter(|(block, _)| !block.is_damaged()) else { continue };
        for (_, span) in blocks {
            let diagnostic = Diagnostic::new(
                &DUPLICATE_NAME,
                span,
                format!("the name \"{name}\" is given twice"),
                "given again here",
            )
            .note("runners, states and secrets are kept by name, so two of one name would share theirs")
            .help("give one of them another name");
            diagnostics.push(diagnostic.related(first.clone(), "first given here"));
        }
    }
}
