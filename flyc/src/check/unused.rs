//! Names that are given and that nobody uses: locals, and the variables and profiles of `nest.fly`.
//!
//! A local of `nest.fly` is seen by every file that gives none of that name itself, any other by its own file. One
//! that only an unused local uses is used: only the outermost is told, and the rest when that one is gone. Where a
//! file was not understood as a whole, more may be used than is seen, so nothing is said then.

use fly_std::schema::{self, Place};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use super::NestScope;
use crate::{
    db::{Db, Nest, Part, SourceFile, parts},
    diag::{Declaration, Diagnostic, Edit, declare_diagnostic},
    model::{Space, definitions::NEST_FILE, outline, uses_of},
    syntax::{Block, NodeRef, lines_of},
};

declare_diagnostic! { pub UNUSED_LOCAL = "unused-local", Warning, "a local that nobody uses" }
declare_diagnostic! { pub UNUSED_VARIABLE = "unused-variable", Warning, "a variable that nobody uses" }
declare_diagnostic! { pub UNUSED_PROFILE = "unused-profile", Warning, "a profile that no egg or bucket takes up" }

/// The blocks of `nest.fly` that give a name by their label.
const LABELLED: [(&str, Space, &Declaration); 2] =
    [("variable", Space::Variable, &UNUSED_VARIABLE), ("profile", Space::Profile, &UNUSED_PROFILE)];

/// Whether the rule needs to know what a file uses: when it, or `nest.fly`, gives names.
pub(super) fn asks(db: &dyn Db, file: SourceFile) -> bool {
    let gives = |file| {
        let given = |keyword| matches!(keyword, Some("locals" | "variable" | "profile"));
        outline(db, file).blocks.iter().any(|block| given(block.keyword))
    };
    gives(file) || Nest::try_get(db).and_then(|nest| nest.find(db, NEST_FILE)).is_some_and(gives)
}

/// The locals of a file that neither it nor, for those of `nest.fly`, another file uses.
#[salsa::tracked(returns(ref))]
fn unused_locals(db: &dyn Db, file: SourceFile) -> Vec<SmolStr> {
    let uses = uses_of(db, file);
    if uses.locals.is_empty() || !uses.complete {
        return Vec::new();
    }
    let unused = uses.locals.iter().filter(|name| !uses.has(Space::Local, name));
    unused.cloned().collect()
}

/// Every name that some file of a part uses and does not give itself; none when a file may use more.
#[salsa::tracked(returns(ref))]
fn used_in<'db>(db: &'db dyn Db, part: Part<'db>) -> Option<FxHashSet<(Space, SmolStr)>> {
    let mut names = FxHashSet::default();
    for &file in part.files(db) {
        let uses = uses_of(db, file);
        if !uses.complete {
            return None;
        }
        names.extend(uses.foreign().cloned());
    }
    Some(names)
}

/// The same of every file.
#[salsa::tracked(returns(ref))]
fn used(db: &dyn Db, nest: Nest) -> Option<FxHashSet<(Space, SmolStr)>> {
    let mut names = FxHashSet::default();
    for &part in parts(db, nest) {
        names.extend(used_in(db, part).as_ref()?.iter().cloned());
    }
    Some(names)
}

pub(super) fn check(scope: &NestScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for &file in scope.index.files_with("locals") {
        let unused = unused_locals(scope.db, file);
        if unused.is_empty() {
            continue;
        }
        if Place::of(file.path(scope.db)) == Some(Place::Nest) {
            if let Some(used) = used_elsewhere(scope) {
                let given: Vec<&str> = uses_of(scope.db, file).locals.iter().map(SmolStr::as_str).collect();
                let own = &uses_of(scope.db, file).names;
                let alone = |name: &SmolStr| {
                    !used.contains(&(Space::Local, name.clone()))
                        && !is_misspelt(Space::Local, name, &given, used.iter().chain(own))
                };
                tell_locals(
                    scope,
                    file,
                    &unused.iter().filter(|name| alone(name)).collect::<Vec<_>>(),
                    diagnostics,
                );
            }
        } else {
            let uses = uses_of(scope.db, file);
            let nest = scope.nest.find(scope.db, NEST_FILE).map(|nest| uses_of(scope.db, nest));
            let foreign = nest.map_or(&[][..], |nest| &nest.locals);
            let given: Vec<&str> = uses.locals.iter().chain(foreign).map(SmolStr::as_str).collect();
            let alone =
                unused.iter().filter(|name| !is_misspelt(Space::Local, name, &given, uses.names.iter()));
            tell_locals(scope, file, &alone.collect::<Vec<_>>(), diagnostics);
        }
    }
    if let Some(file) = scope.nest.find(scope.db, NEST_FILE) {
        for (keyword, space, kind) in LABELLED {
            if schema::root(keyword).is_some() {
                labelled(scope, file, keyword, (space, kind), diagnostics);
            }
        }
    }
}

/// Whether a name that nobody gives is used, and this one is what it was meant to be: that has been told.
fn is_misspelt<'a>(
    space: Space,
    name: &str,
    given: &[&str],
    mut used: impl Iterator<Item = &'a (Space, SmolStr)>,
) -> bool {
    used.any(|(of, other)| {
        *of == space
            && !given.contains(&other.as_str())
            && fly_std::formats::closest(other, given.iter().copied()) == Some(name)
    })
}

/// Whether an egg or bucket has an `extends` that could not be read.
fn extends_something(scope: &NestScope<'_>) -> bool {
    let blocks = ["egg", "eggsbucket", "profile"].into_iter().flat_map(|keyword| scope.blocks_of(keyword));
    blocks.filter_map(|(_, block)| block.attribute("extends")).any(|extends| extends.value.is_none())
}

fn used_elsewhere<'a>(scope: &NestScope<'a>) -> Option<&'a FxHashSet<(Space, SmolStr)>> {
    used(scope.db, scope.nest).as_ref().filter(|_| !*scope.nest.unreadable(scope.db))
}

fn tell_locals(
    scope: &NestScope<'_>,
    file: SourceFile,
    names: &[&SmolStr],
    diagnostics: &mut Vec<Diagnostic>,
) {
    if names.is_empty() {
        return;
    }
    for block in scope.top_blocks(file).into_iter().filter(|block| block.is("locals")) {
        for attribute in block.attributes() {
            let Some(name) = attribute.name().filter(|name| names.iter().any(|known| *known == name.text()))
            else {
                continue;
            };
            let diagnostic = Diagnostic::new(
                &UNUSED_LOCAL,
                scope.span(file, name.range()),
                format!("nobody uses `local.{}`", name.text()),
                "given, and never used",
            );
            let lines = lines_of(alone_or(block, attribute.node()));
            diagnostics.push(diagnostic.fix("remove it", lines, ""));
        }
    }
}

/// The blocks of `nest.fly` with this keyword whose label nobody uses.
fn labelled(
    scope: &NestScope<'_>,
    file: SourceFile,
    keyword: &str,
    (space, kind): (Space, &'static Declaration),
    diagnostics: &mut Vec<Diagnostic>,
) {
    let blocks: Vec<_> = scope.top_blocks(file).into_iter().filter(|block| block.is(keyword)).collect();
    for block in &blocks {
        let (Some(label), Some(used)) = (block.labels().next(), used_elsewhere(scope)) else { continue };
        if used.contains(&(space, label.name.into())) {
            continue;
        }
        let given: Vec<&str> = blocks.iter().filter_map(|block| Some(block.labels().next()?.name)).collect();
        let settled = match space {
            Space::Profile => extends_something(scope),
            _ => is_misspelt(space, label.name, &given, used.iter()),
        };
        if !settled {
            let diagnostic = Diagnostic::new(
                kind,
                scope.span(file, label.range),
                format!("nobody uses the {keyword} `{}`", label.name),
                "given, and never used",
            );
            let mut edits = vec![removed(block.node())];
            if space == Space::Variable {
                edits.extend(given_values(scope, file, label.name));
            }
            let mut diagnostic = diagnostic.help("remove it");
            if let Some(help) = &mut diagnostic.help {
                help.edits = edits;
            }
            diagnostics.push(diagnostic);
        }
    }
}

/// The block when nothing else is in it, which goes as well then.
fn alone_or<'p>(block: Block<'p>, item: NodeRef<'p>) -> NodeRef<'p> {
    if block.items().count() == 1 { block.node() } else { item }
}

fn removed(node: NodeRef<'_>) -> Edit {
    Edit { range: lines_of(node), text: String::new() }
}

/// The edits that take away what a variable is given in `nest { variables { … } }`: without the variable it is unknown.
fn given_values(scope: &NestScope<'_>, file: SourceFile, name: &str) -> Vec<Edit> {
    let nests = scope.top_blocks(file).into_iter().filter(|block| block.is("nest"));
    let values = nests.flat_map(Block::blocks).filter(|block| block.is("variables"));
    let given = values.flat_map(|block| block.attributes().map(move |attribute| (block, attribute)));
    given
        .filter(|(_, attribute)| attribute.is(name))
        .map(|(block, attribute)| alone_or(block, attribute.node()))
        .map(removed)
        .collect()
}
