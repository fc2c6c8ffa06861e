//! The compiler as programs hold it: a Nest in memory that can be asked and edited.
//!
//! The command line, the editor's server and the orchestrator all use this one object. What never lives here: the
//! file system, and any decision about the language.

mod build;
mod findings;
mod fix;
mod registry;
mod routing;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub use crate::config::own_tables as tables;
pub use crate::db::AssetError;
pub use findings::Findings;
pub use fix::{Fixed, FixedFile};
use rayon::prelude::*;
pub use registry::{UnknownDiagnostic, all_diagnostics, explain, find_diagnostic};
pub use routing::Asked;
use salsa::{Durability, Setter};
use smol_str::SmolStr;

use crate::{
    check::{check_file, check_nest, prepare},
    db::{Asset, Database, Nest, SourceFile, parse},
    diag::Diagnostic,
    model::{Typed, index, may_read, outline, reads, typed, variables},
    render::Sources,
    syntax::Parse,
    text::Source,
};

/// A Nest in memory. A clone is a handle to the same memory, for reading on another thread: the one that edits waits
/// until all others are dropped, and what they are at work on is cancelled.
#[derive(Debug, Clone)]
pub struct Compiler {
    db: Database,
    nest: Nest,
    files: Arc<BTreeMap<Arc<str>, SourceFile>>,
}

/// A Nest that is being read. Threads that read have a clone each, so that a file is parsed while others are read.
#[derive(Debug, Clone, Default)]
pub struct Gathering {
    db: Database,
}

/// A file of a Nest that is being read.
#[derive(Debug)]
pub struct Gathered {
    path: Arc<str>,
    file: SourceFile,
}

impl Gathering {
    /// Takes a file: its path relative to the Nest's root (with `/` between folders) and its text.
    pub fn add(&self, path: Arc<str>, text: Arc<str>) -> Gathered {
        let file = source_file(&self.db, path.clone(), text);
        // What a file says by itself can be known already; what it means is a matter of the whole Nest.
        outline(&self.db, file);
        Gathered { path, file }
    }

    /// The Nest of these files, in any order. `unreadable` is as for [`Compiler::set_unreadable`].
    pub fn finish(self, mut files: Vec<Gathered>, unreadable: bool) -> Compiler {
        files.par_sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Compiler::of(self.db, files.into_iter().map(|gathered| (gathered.path, gathered.file)), unreadable)
    }
}

impl Compiler {
    /// A Nest of these files, each a path relative to the Nest's root (with `/` between folders) and a text.
    pub fn new<P: Into<Arc<str>>, T: Into<Arc<str>>>(files: impl IntoIterator<Item = (P, T)>) -> Self {
        let db = Database::default();
        let files: Vec<_> = files
            .into_iter()
            .map(|(path, text)| {
                let path = path.into();
                (path.clone(), source_file(&db, path, text.into()))
            })
            .collect();
        Self::of(db, files, false)
    }

    fn of(db: Database, files: impl IntoIterator<Item = (Arc<str>, SourceFile)>, unreadable: bool) -> Self {
        let files: BTreeMap<Arc<str>, SourceFile> = files.into_iter().collect();
        let listed = files.values().copied().collect();
        let nest = Nest::builder(listed, unreadable).durability(Durability::HIGH).new(&db);
        Self { db, nest, files: Arc::new(files) }
    }

    /// Sets the text of a file, which is added when it is new.
    pub fn set(&mut self, path: &str, text: impl Into<Arc<str>>) {
        let text = text.into();
        if let Some(file) = self.files.get(path) {
            if **file.text(&self.db) != *text {
                // A file that is edited once is edited again.
                file.set_text(&mut self.db).with_durability(Durability::LOW).to(text);
            }
            return;
        }
        let path: Arc<str> = path.into();
        Arc::make_mut(&mut self.files).insert(path.clone(), source_file(&self.db, path, text));
        self.list_files();
    }

    /// Tells that the text of a file will change, as that of one somebody has opened. The first change of a file of which
    /// that is not known has everything looked at, and any other what depends on such files alone.
    pub fn expect_edits(&mut self, path: &str) {
        if let Some(&file) = self.files.get(path) {
            let text = Arc::clone(file.text(&self.db));
            file.set_text(&mut self.db).with_durability(Durability::LOW).to(text);
        }
    }

    /// Tells that some of the Nest's files could not be read, so that names that seem missing may be there.
    pub fn set_unreadable(&mut self, unreadable: bool) {
        if *self.nest.unreadable(&self.db) != unreadable {
            self.nest.set_unreadable(&mut self.db).to(unreadable);
        }
    }

    /// Sets the values of variables that are given from outside, by name, each as it was given.
    pub fn set_variables(&mut self, variables: BTreeMap<SmolStr, SmolStr>) {
        if **self.nest.variables(&self.db) != variables {
            self.nest.set_variables(&mut self.db).with_durability(Durability::HIGH).to(variables.into());
        }
    }

    /// The names of the Nest's variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &SmolStr> {
        variables(&self.db, self.nest).keys()
    }

    /// The paths of the files that the Nest reads with `file("…")`, relative to its root, in order. Give their texts with
    /// [`Self::set_assets`].
    pub fn reads(&self) -> Vec<SmolStr> {
        // Nearly no file does; a look at the text is cheaper than a query that is remembered.
        let files = self.files.values().filter(|file| may_read(file.text(&self.db)));
        let paths: BTreeSet<SmolStr> = files.flat_map(|&file| reads(&self.db, file)).cloned().collect();
        paths.into_iter().collect()
    }

    /// Sets the texts of the files that `file("…")` reads; whether any of them is new or another.
    pub fn set_assets(
        &mut self,
        assets: impl IntoIterator<Item = (SmolStr, Result<Arc<str>, AssetError>)>,
    ) -> bool {
        let known = self.nest.assets(&self.db).clone();
        let (mut all, mut changed) = (BTreeMap::new(), false);
        for (path, content) in assets {
            let asset = match known.get(&path) {
                Some(&asset) => {
                    if *asset.content(&self.db) != content {
                        changed = true;
                        let _before = asset.set_content(&mut self.db).to(content);
                    }
                    asset
                }
                None => Asset::new(&self.db, content),
            };
            all.insert(path, asset);
        }
        if *known != all {
            changed = true;
            self.nest.set_assets(&mut self.db).with_durability(Durability::HIGH).to(all.into());
        }
        changed
    }

    /// Takes a file out of the Nest.
    pub fn remove(&mut self, path: &str) {
        if self.files.contains_key(path) {
            Arc::make_mut(&mut self.files).remove(path);
            self.list_files();
        }
    }

    fn list_files(&mut self) {
        let files = self.files.values().copied().collect();
        self.nest.set_files(&mut self.db).to(files);
    }

    /// The paths of the files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &Arc<str>> {
        self.files.keys()
    }

    /// Everything that is wrong with the Nest, by file and position.
    pub fn check(&self) -> Vec<Diagnostic> {
        let files = self.nest.files(&self.db);
        // Each thread works on a part of the files with a handle of its own, while one begins with the names of all of
        // them; what is between the files comes after.
        let part = files.len().div_ceil(rayon::current_num_threads() * 8).max(16);
        let (db, other, nest) = (self.db.clone(), self.db.clone(), self.nest);
        let alone = || {
            let found = files.par_chunks(part).map_with(db, |db, files| {
                let mut found = Vec::new();
                for &file in files {
                    prepare(db, file);
                    found.extend_from_slice(check_file(db, file));
                }
                found
            });
            found.flatten_iter().collect()
        };
        let names = move || index(&other, nest).clone();
        let (mut diagnostics, _): (Vec<Diagnostic>, _) = rayon::join(alone, names);
        diagnostics.extend_from_slice(check_nest(&self.db, self.nest));
        sort(&mut diagnostics);
        diagnostics
    }

    /// Whether anything of a kind is wrong anywhere: no more is looked at than it takes to find one.
    pub fn finds(&self, wanted: impl Fn(&Diagnostic) -> bool) -> bool {
        let mut files = self.nest.files(&self.db).iter();
        files.any(|&file| check_file(&self.db, file).iter().any(&wanted))
            || check_nest(&self.db, self.nest).iter().any(wanted)
    }

    /// What is wrong with one file, and what the rest of the Nest makes wrong in it.
    pub fn check_file(&self, path: &str) -> Vec<Diagnostic> {
        let Some(&file) = self.files.get(path) else { return Vec::new() };
        let mut diagnostics = check_file(&self.db, file).clone();
        let others = check_nest(&self.db, self.nest).iter();
        diagnostics.extend(others.filter(|diagnostic| &*diagnostic.span.file == path).cloned());
        sort(&mut diagnostics);
        diagnostics
    }

    /// What its queries run against.
    pub const fn database(&self) -> &Database {
        &self.db
    }

    /// The Nest as its queries know it.
    pub const fn nest(&self) -> Nest {
        self.nest
    }

    /// A file as its queries know it.
    pub fn file(&self, path: &str) -> Option<SourceFile> {
        self.files.get(path).copied()
    }

    /// The tree of a file.
    pub fn parse(&self, path: &str) -> Option<&Parse> {
        self.files.get(path).map(|&file| parse(&self.db, file))
    }

    /// The typed blocks of a file.
    pub fn typed(&self, path: &str) -> Option<&Typed> {
        self.files.get(path).map(|&file| typed(&self.db, file))
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<Arc<str>> {
        self.files.get(path).map(|file| file.text(&self.db).clone())
    }
}

/// A file that is not expected to change: most of a Nest is not edited while somebody edits the rest, and what depends
/// only on such files is known to be as it was without looking.
fn source_file(db: &Database, path: Arc<str>, text: Arc<str>) -> SourceFile {
    SourceFile::builder(path, text).durability(Durability::HIGH).new(db)
}

/// By file and position; equal ones once.
fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics
        .sort_by(|a, b| (a.span.key(), a.kind.id, &a.message).cmp(&(b.span.key(), b.kind.id, &b.message)));
    diagnostics.dedup();
}

impl Sources for Compiler {
    fn source(&self, path: &str) -> Option<Source> {
        self.files.get(path).map(|file| Source::new(file.path(&self.db).clone(), file.text(&self.db).clone()))
    }
}
