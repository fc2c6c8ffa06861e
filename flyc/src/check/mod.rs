//! Rules: what must hold beyond the form and type of each value. One file a rule, with its declaration in it.
//!
//! A rule reads the typed IR and the index and adds its findings; it never reads text or trees. To add one, write
//! its file, add it to [`FILE_RULES`] or [`NEST_RULES`], its page to `diag/docs` and its cases to `tests/fly`.

mod duplicate_name;
mod exactly_one_of;
mod job_limits;
mod min_above_max;
mod not_deployable;
mod runners_condition;
mod serverless_limits;
mod test_entities;
mod unplaced_file;

use std::sync::Arc;

pub use duplicate_name::DUPLICATE_NAME;
pub use exactly_one_of::EXACTLY_ONE_OF;
pub use job_limits::JOB_LIMITS;
pub use min_above_max::MIN_ABOVE_MAX;
pub use not_deployable::NOT_DEPLOYABLE;
pub use runners_condition::{ENTITY_IN_TWO_CONDITIONS, UNKNOWN_ENTITY};
pub use serverless_limits::SERVERLESS_LIMITS;
pub use unplaced_file::UNPLACED_FILE;

use crate::{
    db::{Db, Nest, SourceFile},
    diag::{Diagnostic, Span},
    model::{Index, TypedBlock, index, typed},
    syntax::{Block, Item},
    text::TextRange,
};

/// A rule about one file by itself.
type FileRule = fn(&FileScope<'_>, &mut Vec<Diagnostic>);
/// A rule about one file in its Nest.
type NestRule = fn(&NestScope<'_>, &mut Vec<Diagnostic>);

const FILE_RULES: &[FileRule] = &[
    exactly_one_of::check,
    job_limits::check,
    min_above_max::check,
    not_deployable::check,
    serverless_limits::check,
    unplaced_file::check,
];

/// Rules that need the names of the other files. They run for the whole Nest at once.
const NEST_RULES: &[NestRule] = &[duplicate_name::check, runners_condition::check, test_entities::check];

/// What a rule about one file sees.
struct FileScope<'a> {
    path: &'a Arc<str>,
    blocks: &'a [TypedBlock],
}

impl<'a> FileScope<'a> {
    fn span(&self, range: TextRange) -> Span {
        Span::new(self.path.clone(), range)
    }

    /// Every block of the file, at any depth.
    fn all_blocks(&self) -> impl Iterator<Item = &'a TypedBlock> {
        self.blocks.iter().flat_map(TypedBlock::walk)
    }
}

/// What a rule about the Nest sees.
struct NestScope<'a> {
    db: &'a dyn Db,
    index: &'a Index,
}

impl<'a> NestScope<'a> {
    /// The blocks with this keyword at the top of a file, each with its file.
    fn blocks_of(&self, keyword: &'static str) -> impl Iterator<Item = (SourceFile, &'a TypedBlock)> {
        let db = self.db;
        let files = self.index.files_with(keyword).iter();
        files
            .flat_map(move |&file| typed(db, file).blocks.iter().map(move |block| (file, block)))
            .filter(move |(_, block)| block.name == keyword)
    }

    /// The blocks at the top of a file; an entity's is the one at its position.
    fn top_blocks(&self, file: SourceFile) -> Vec<Block<'a>> {
        let blocks = crate::db::parse(self.db, file).items().filter_map(|item| match item {
            Item::Block(block) => Some(block),
            _ => None,
        });
        blocks.collect()
    }

    fn span(&self, file: SourceFile, range: TextRange) -> Span {
        Span::new(file.path(self.db).clone(), range)
    }
}

/// What is wrong with a file by itself: its form, its types, and the rules about single files.
#[salsa::tracked(returns(ref))]
pub fn check_file(db: &dyn Db, file: SourceFile) -> Vec<Diagnostic> {
    let typed = typed(db, file);
    let mut diagnostics = typed.diagnostics.clone();
    let scope = FileScope { path: file.path(db), blocks: &typed.blocks };
    for rule in FILE_RULES {
        rule(&scope, &mut diagnostics);
    }
    diagnostics
}

/// What is wrong between the files of a Nest.
#[salsa::tracked(returns(ref))]
pub fn check_nest(db: &dyn Db, nest: Nest) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let scope = NestScope { db, index: index(db, nest) };
    for rule in NEST_RULES {
        rule(&scope, &mut diagnostics);
    }
    diagnostics
}
