//! Rules: what must hold beyond the form and type of each value. One file a rule, with its declaration in it.
//!
//! A rule reads the typed IR and the index and adds its findings; only those about how a thing is written (credentials,
//! names nobody uses) look at the tree. To add one, write its file, add it to [`FILE_RULES`] or [`NEST_RULES`], its page to `diag/docs` and its cases to `tests/fly`.

mod accounts;
mod assert_failed;
mod claims;
mod condition_entities;
mod duplicate_name;
mod exactly_one_of;
mod fraction_percent;
mod inherited;
mod installation;
mod job_limits;
mod larger_machine;
mod locals;
mod min_above_max;
mod not_deployable;
mod offers;
mod openapi;
mod parts;
mod plain_secret;
mod pools;
mod region;
mod rift_names;
mod rule_reach;
mod runners_condition;
mod secret_backend;
mod sensitive;
mod serverless_executor;
mod serverless_limits;
mod tags;
mod test_entities;
mod too_frequent;
mod too_much_told;
mod triggers;
mod unplaced_file;
mod unused;

use std::sync::Arc;

pub use accounts::{MISSING_ROLE, WIDE_ROLE};
pub use assert_failed::{ASSERT_FAILED, ASSERT_WARNING};
pub use claims::OVERLAPPING_EGGS;
pub use duplicate_name::DUPLICATE_NAME;
pub use exactly_one_of::EXACTLY_ONE_OF;
pub use fraction_percent::FRACTION_PERCENT;
pub use installation::{BAD_CIDR, BAD_TABLE, FOREIGN_SERVICE, MISSING_OPENAPI, SERVICE_LIMITS};
pub use job_limits::JOB_LIMITS;
pub use larger_machine::LARGER_MACHINE;
pub use min_above_max::MIN_ABOVE_MAX;
pub use not_deployable::NOT_DEPLOYABLE;
pub use openapi::{BAD_OPENAPI, UNANSWERED_API};
pub use parts::UNKNOWN_PART;
pub use plain_secret::PLAIN_SECRET;
pub use pools::DEAD_CONDITION;
pub use region::{UNKNOWN_REGION, WRONG_REGION};
pub use rift_names::UNKNOWN_RIFT;
pub use rule_reach::{CONDITION_ALWAYS_FALSE, CONDITION_ALWAYS_TRUE, SHADOWED_RULE};
pub use runners_condition::ENTITY_IN_TWO_CONDITIONS;
pub use secret_backend::FOREIGN_SECRET_BACKEND;
pub use serverless_executor::SERVERLESS_EXECUTOR;
pub use serverless_limits::SERVERLESS_LIMITS;
pub use tags::{BAD_TAG, REPEATED_TAG, TAKES_NO_JOB};
pub use too_frequent::TOO_FREQUENT;
pub use triggers::{ENDPOINT_METHOD, UNKNOWN_ENDPOINT};
pub use unplaced_file::UNPLACED_FILE;
pub use unused::{UNUSED_LOCAL, UNUSED_PROFILE, UNUSED_VARIABLE};

use crate::{
    config::{NestDefaults, nest_defaults},
    db::{Db, Nest, Part, SourceFile, parse},
    diag::{Diagnostic, Span},
    model::{Index, TypedBlock, index, typed, uses_of},
    syntax::{Block, Parse},
    text::TextRange,
};

/// A rule about one file by itself.
type FileRule = fn(&FileScope<'_>, &mut Vec<Diagnostic>);
/// A rule about one file in its Nest.
type NestRule = fn(&NestScope<'_>, &mut Vec<Diagnostic>);

const FILE_RULES: &[FileRule] = &[
    assert_failed::check,
    exactly_one_of::check,
    job_limits::check,
    min_above_max::check,
    offers::check,
    rule_reach::check,
    serverless_executor::check,
    serverless_limits::check,
    region::check,
    secret_backend::check,
    triggers::check,
    parts::check,
    installation::check,
    openapi::check,
    accounts::check,
    too_frequent::check,
    too_much_told::check,
    tags::check,
    pools::check,
    fraction_percent::check,
    locals::check,
    unplaced_file::check,
    |scope, diagnostics| sensitive::check(scope, diagnostics),
    // The last: it takes credentials out of what the others told.
    plain_secret::check,
];

/// Rules that need the names of the other files. They run for the whole Nest at once.
const NEST_RULES: &[NestRule] = &[
    assert_failed::check_nest,
    claims::check,
    condition_entities::check,
    duplicate_name::check,
    unused::check,
    rift_names::check,
    runners_condition::check,
    test_entities::check,
];

/// An author's text as a message repeats it: on one line, and not too much of it.
fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let mut shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

/// What a rule about one file sees.
struct FileScope<'a> {
    db: &'a dyn Db,
    file: SourceFile,
    path: &'a Arc<str>,
    parse: &'a Parse,
    /// The blocks at its top.
    blocks: &'a [TypedBlock],
    /// Every block of the file, at any depth.
    every: Vec<&'a TypedBlock>,
}

impl<'a> FileScope<'a> {
    /// Every block of the file, at any depth.
    fn all_blocks(&self) -> impl Iterator<Item = &'a TypedBlock> {
        self.every.iter().copied()
    }

    fn span(&self, range: TextRange) -> Span {
        Span::new(self.path.clone(), range)
    }
}

/// What a rule about the Nest sees.
struct NestScope<'a> {
    db: &'a dyn Db,
    nest: Nest,
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

    fn nest_defaults(&self) -> &'a NestDefaults {
        nest_defaults(self.db, self.nest)
    }

    /// The blocks at the top of a file; an entity's is the one at its position.
    fn top_blocks(&self, file: SourceFile) -> Vec<Block<'a>> {
        parse(self.db, file).blocks().collect()
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
    let by_itself = diagnostics.len();
    let every = typed.blocks.iter().flat_map(TypedBlock::walk).collect();
    let scope =
        FileScope { db, file, path: file.path(db), parse: parse(db, file), blocks: &typed.blocks, every };
    for rule in FILE_RULES {
        rule(&scope, &mut diagnostics);
    }
    // Credentials may have taken findings with them.
    let by_itself = by_itself.min(diagnostics.len());
    inherited::leave_to_profile(&scope, &mut diagnostics, by_itself);
    inherited::tell(&scope, &mut diagnostics[by_itself..]);
    inherited::name_users(&scope, &mut diagnostics);
    diagnostics
}

/// A mark of what is wrong with the files of a part, each by itself: another one whenever something else is wrong with any
/// of them. Two are the same when they are one in memory.
#[salsa::tracked(returns(ref), no_eq)]
pub fn mark<'db>(db: &'db dyn Db, part: Part<'db>) -> Arc<()> {
    for &file in part.files(db) {
        check_file(db, file);
    }
    Arc::default()
}

/// What is wrong between the files of a Nest.
#[salsa::tracked(returns(ref))]
pub fn check_nest(db: &dyn Db, nest: Nest) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let scope = NestScope { db, nest, index: index(db, nest) };
    for rule in NEST_RULES {
        rule(&scope, &mut diagnostics);
    }
    diagnostics.iter_mut().for_each(plain_secret::scrub_shapes);
    diagnostics
}

/// What [`check_nest`] asks of each file. Asked of all files at once it would be answered one after the other, so
/// whoever has several threads asks before.
pub fn prepare(db: &dyn Db, file: SourceFile) {
    claims::facts(db, file);
    if unused::asks(db, file) {
        uses_of(db, file);
    }
}
