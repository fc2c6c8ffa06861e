//! Eggs and buckets share their names; jobs, profiles, variables, asserts and tests have theirs: each is given once in
//! the Nest.

use rustc_hash::FxHashMap;

use super::NestScope;
use crate::{
    db::SourceFile,
    diag::{Diagnostic, declare_diagnostic},
    model::outline,
};

declare_diagnostic! { pub DUPLICATE_NAME = "duplicate-name", Error, "two blocks of the Nest with one name" }

/// Kinds of blocks that are known by a name, but are no entities; and why the name is theirs alone.
const NAMED: [(&str, &str); 4] = [
    ("profile", "eggs extend a profile by its name, so of two of one name the second would never be used"),
    ("variable", "a variable is used by its name, so of two of one name the second would never be used"),
    ("assert", "a rule is told by its name, so nobody would know which of the two does not hold"),
    ("test", "a test is told by its name, so nobody would know which of the two failed"),
];

pub(super) fn check(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (keyword, why) in NAMED {
        named(scope, keyword, why, diagnostics);
    }
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

/// Blocks of a kind that is no entity. Where they stand is looked up only when two have one name.
fn named(scope: &NestScope<'_>, keyword: &'static str, why: &str, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: FxHashMap<&str, (SourceFile, usize)> = FxHashMap::default();
    for &file in scope.index.files_with(keyword) {
        for (at, block) in outline(scope.db, file).blocks.iter().enumerate() {
            let Some(label) = block.label.as_deref().filter(|_| block.keyword == Some(keyword)) else {
                continue;
            };
            let Some((first_file, first_at)) = seen.get(label).copied() else {
                seen.insert(label, (file, at));
                continue;
            };
            let place = |file: SourceFile, at: usize| scope.top_blocks(file).get(at).copied();
            let (Some(first), Some(again)) = (place(first_file, first_at), place(file, at)) else { continue };
            // A block that was never closed may be what is left of the other.
            if first.is_damaged() {
                continue;
            }
            diagnostics.push(
                Diagnostic::new(
                    &DUPLICATE_NAME,
                    scope.span(file, again.header()),
                    format!("the name \"{label}\" is given twice"),
                    "given again here",
                )
                .note(why)
                .related(scope.span(first_file, first.header()), "first given here")
                .help("give one of them another name"),
            );
        }
    }
}
