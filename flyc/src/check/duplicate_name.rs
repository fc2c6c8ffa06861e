//! Eggs and buckets share their names, jobs have theirs: each is given once in the Nest, in whatever case. Variables, profiles,
//! asserts and tests have theirs, each kind its own.

use rustc_hash::FxHashMap;

use super::NestScope;
use crate::{
    diag::{Diagnostic, declare_diagnostic},
    model::TypedBlock,
};

declare_diagnostic! { pub DUPLICATE_NAME = "duplicate-name", Error, "two blocks of the Nest with one name" }

/// Kinds of blocks that are known by a name but are no entities, each with why it is given once.
const NAMED: [(&str, &str); 4] = [
    ("variable", "`var.NAME` would not tell which one is meant"),
    ("profile", "`profile.NAME` would not tell which one is meant"),
    ("assert", "what fails is told by its name"),
    ("test", "what fails is told by its name"),
];

pub(super) fn check(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    entities(scope, diagnostics);
    differing_in_case(scope, diagnostics);
    for (keyword, why) in NAMED {
        named(scope, keyword, why, diagnostics);
    }
}

fn named(scope: &NestScope<'_>, keyword: &'static str, why: &str, diagnostics: &mut Vec<Diagnostic>) {
    let mut firsts = FxHashMap::default();
    for (file, block) in scope.blocks_of(keyword) {
        let Some(label) = block.label.as_deref() else { continue };
        let (at, first): &mut (_, &TypedBlock) = firsts.entry(label).or_insert((file, block));
        // A block that was never closed may be what is left of the other.
        if std::ptr::eq(*first, block) || first.damaged {
            continue;
        }
        diagnostics.push(
            Diagnostic::new(
                &DUPLICATE_NAME,
                scope.span(file, block.header),
                format!("there are two `{keyword}` blocks named \"{label}\""),
                "named so again here",
            )
            .related(scope.span(*at, first.header), "first named so here")
            .note(why)
            .help("give one of them another name"),
        );
    }
}

fn entities(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
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

/// The labels of Yandex Cloud have lower-case letters only, and so have the names of files on many machines: neither
/// tells such owners apart.
fn differing_in_case(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for names in scope.index.differing_in_case() {
        let mut blocks = names.iter().filter_map(|(name, entity)| {
            let block = *scope.top_blocks(entity.file).get(entity.position as usize)?;
            Some((*name, scope.span(entity.file, block.header())))
        });
        let Some((first, first_span)) = blocks.next() else { continue };
        for (name, span) in blocks {
            diagnostics.push(
                Diagnostic::new(
                    &DUPLICATE_NAME,
                    span,
                    format!("the names \"{name}\" and \"{first}\" differ in case only"),
                    "the same in lower case",
                )
                .related(first_span.clone(), "the other is given here")
                .note("labels on Yandex Cloud and folders on many machines know one case only, so the two would share theirs")
                .help("give one of them another name"),
            );
        }
    }
}
