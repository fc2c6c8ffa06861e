//! The database: what the compiler is told (inputs) and the first question it answers (parsing).
//!
//! Later rooms add their queries as salsa functions against [`Db`]. Queries return their diagnostics in their
//! results. What never lives here: the file system, and anything a query decides.
#![allow(missing_docs, reason = "salsa writes methods of its own for each input")]

use std::{collections::BTreeMap, hash::BuildHasher, sync::Arc};

use rustc_hash::FxBuildHasher;
use smol_str::SmolStr;

use crate::syntax::{self, Parse};

/// What every query runs against.
#[salsa::db]
pub trait Db: salsa::Database {}

/// The compiler's memory: inputs, and every answer that is still true.
#[salsa::db]
#[derive(Clone, Default)]
pub struct Database {
    storage: salsa::Storage<Self>,
}

impl Database {
    /// A database that tells the name of each query it executes, with its argument: `check_file(Id(2))`. What is
    /// answered from memory is not told.
    pub fn observed(on_execute: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let told = move |event: salsa::Event| {
            if let salsa::EventKind::WillExecute { database_key } = event.kind {
                on_execute(&format!("{database_key:?}"));
            }
        };
        Self { storage: salsa::Storage::new(Some(Box::new(told))) }
    }

    /// A database that tells the name of each query whose answer it finds to be as it was, with its argument. Once a
    /// revision it looks at each answer that it is asked for, and at what that depends on unless it can't have changed.
    pub fn observed_looks(on_look: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let told = move |event: salsa::Event| {
            if let salsa::EventKind::DidValidateMemoizedValue { database_key } = event.kind {
                on_look(&format!("{database_key:?}"));
            }
        };
        Self { storage: salsa::Storage::new(Some(Box::new(told))) }
    }
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// One `.fly` file.
#[salsa::input(debug)]
pub struct SourceFile {
    /// The path relative to the Nest's root, with `/` between folders.
    #[returns(ref)]
    pub path: Arc<str>,
    /// The whole text.
    #[returns(ref)]
    pub text: Arc<str>,
}

/// The Nest: all of its files, ordered by path. A database holds one.
#[salsa::input(singleton, debug)]
pub struct Nest {
    /// The files.
    #[returns(ref)]
    pub files: Arc<[SourceFile]>,
    /// Whether there are files that could not be read, so that the list is not whole.
    pub unreadable: bool,
    /// The values of variables that were given from outside, by name, as they were given.
    #[default]
    #[returns(ref)]
    pub variables: Arc<BTreeMap<SmolStr, SmolStr>>,
    /// The texts that `file("…")` reads, by path.
    #[default]
    #[returns(ref)]
    pub assets: Arc<BTreeMap<SmolStr, Asset>>,
}

/// A file of the Nest that is not Fly.
#[salsa::input(debug)]
pub struct Asset {
    /// Its text, or why it has none.
    #[returns(ref)]
    pub content: Result<Arc<str>, AssetError>,
}

/// Why a file has no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssetError {
    /// There is no such file.
    Missing,
    /// It is a link that leads out of the Nest.
    Outside,
    /// It is not UTF-8.
    NotText,
    /// It is larger than 1 MiB.
    TooLarge,
    /// It can't be read.
    Unreadable,
}

impl Nest {
    /// The file with this path. It reads few other paths, so a query that asks depends on few other files.
    pub fn find(self, db: &dyn Db, path: &str) -> Option<SourceFile> {
        let files = self.files(db);
        let at = files.binary_search_by(|file| (**file.path(db)).cmp(path)).ok()?;
        files.get(at).copied()
    }
}

/// Some of the Nest's files, which stand next to each other in its list.
///
/// What is asked of every file is asked part by part: after an edit, a part of which no file is another is known to be as
/// it was by one look, and not by one at each file.
#[salsa::tracked(debug)]
pub struct Part<'db> {
    /// Its first file, by which it stays the same part when another comes in or goes.
    pub first: SourceFile,
    /// Its files.
    #[tracked]
    #[returns(ref)]
    pub files: Box<[SourceFile]>,
}

/// How many files a part has, about.
const PART: u64 = 64;

/// The files of the Nest, in parts. A new file changes its own part alone: where a part begins is the matter of the file
/// it begins with, and not of how many there are.
#[salsa::tracked(returns(ref))]
pub fn parts(db: &dyn Db, nest: Nest) -> Vec<Part<'_>> {
    let begins = |file: &SourceFile| FxBuildHasher.hash_one(file).is_multiple_of(PART);
    let parts = nest.files(db).chunk_by(|_, file| !begins(file));
    parts.map(|files| Part::new(db, files[0], files.into())).collect()
}

/// The tree of a file.
#[salsa::tracked(returns(ref))]
pub fn parse(db: &dyn Db, file: SourceFile) -> Parse {
    syntax::parse(file.text(db).clone())
}
