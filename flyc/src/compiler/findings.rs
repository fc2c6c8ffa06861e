//! What is wrong with a Nest, kept from one check to the next: after an edit of one file, the others are only asked
//! whether they are as they were.
//!
//! What never lives here: what is wrong; that is the rules'.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rayon::prelude::*;

use super::{Compiler, sort};
use crate::{
    check::{check_file, check_nest, prepare},
    db::{Database, SourceFile},
    diag::Diagnostic,
    model::{definitions::NEST_FILE, index},
};

/// The findings of a Nest as they were when it was last checked.
#[derive(Debug, Default)]
pub struct Findings {
    /// The files of the Nest, with what is wrong with each by itself, in the order of the Nest's list.
    alone: Vec<(SourceFile, Vec<Diagnostic>)>,
    /// The text of the file that every other may use.
    shared: Option<Arc<str>>,
    /// What is wrong between them.
    between: Vec<Diagnostic>,
    /// Both, by file; those without findings are not there.
    all: BTreeMap<Arc<str>, Vec<Diagnostic>>,
}

impl Findings {
    /// What is wrong, by file. A file of which nothing is wrong is not there.
    pub const fn by_file(&self) -> &BTreeMap<Arc<str>, Vec<Diagnostic>> {
        &self.all
    }
}

impl Compiler {
    /// Brings findings to what is wrong now, and gives the files whose findings are others than they were. Nothing is
    /// changed when the check is cancelled.
    pub fn check_again(&self, findings: &mut Findings) -> Vec<Arc<str>> {
        let files = self.nest.files(&self.db);
        let is_same_list = files.len() == findings.alone.len()
            && files.iter().zip(&findings.alone).all(|(file, (known, _))| file == known);
        let shared = self.text(NEST_FILE);
        let (mut touched, changed, alone) = if is_same_list {
            let changed = self.changed(&findings.alone, shared == findings.shared);
            (changed.iter().map(|&(at, _)| self.path_of(findings.alone[at].0)).collect(), changed, None)
        } else {
            let alone = self.check_alone(files);
            (self.differing(&findings.alone, &alone), Vec::new(), Some(alone))
        };
        let between = check_nest(&self.db, self.nest);
        let is_same = *between == findings.between;
        if !is_same {
            touched.extend(differing(&findings.between, between));
        }
        // From here on nothing is asked of the database, so that nothing can end it.
        let between = (!is_same).then(|| between.clone());
        let paths: Vec<Arc<str>> = match &alone {
            Some(alone) => alone.iter().map(|&(file, _)| self.path_of(file)).collect(),
            None => Vec::new(),
        };
        let at_of: BTreeMap<Arc<str>, usize> = match &alone {
            Some(_) => paths.into_iter().enumerate().map(|(at, path)| (path, at)).collect(),
            None => touched.iter().filter_map(|path| Some((Arc::clone(path), self.place(path)?))).collect(),
        };
        findings.take(changed, alone, between);
        findings.shared = shared;
        findings.collect_again(touched, &at_of)
    }

    fn path_of(&self, file: SourceFile) -> Arc<str> {
        Arc::clone(file.path(&self.db))
    }

    /// The place of a file in the Nest's list.
    fn place(&self, path: &str) -> Option<usize> {
        self.nest.files(&self.db).binary_search_by(|file| (**file.path(&self.db)).cmp(path)).ok()
    }

    /// The files of which something else is wrong than is known. When only few can be others, asking all is so little work
    /// that other threads would be asked in vain.
    fn changed(&self, known: &[(SourceFile, Vec<Diagnostic>)], few: bool) -> Vec<(usize, Vec<Diagnostic>)> {
        let is_other = |db: &Database, at: usize, (file, known): &(SourceFile, Vec<Diagnostic>)| {
            let found = check_file(db, *file);
            (found != known).then(|| (at, found.clone()))
        };
        if few {
            let files = known.iter().enumerate();
            return files.filter_map(|(at, file)| is_other(&self.db, at, file)).collect();
        }
        let part = known.len().div_ceil(rayon::current_num_threads() * 8).max(16);
        let look = |db: &mut Database, (part_at, files): (usize, &[(SourceFile, Vec<Diagnostic>)])| {
            let mut changed = Vec::new();
            for (at, file) in files.iter().enumerate() {
                prepare(db, file.0);
                changed.extend(is_other(db, part_at * part + at, file));
            }
            changed
        };
        known.par_chunks(part).enumerate().map_with(self.db.clone(), look).flatten_iter().collect()
    }

    /// What is wrong with each file by itself, asked on every thread; what the rules between files need of each is asked
    /// along with it.
    fn check_alone(&self, files: &[SourceFile]) -> Vec<(SourceFile, Vec<Diagnostic>)> {
        let part = files.len().div_ceil(rayon::current_num_threads() * 8).max(16);
        let (db, other, nest) = (self.db.clone(), self.db.clone(), self.nest);
        let alone = || {
            let check = |db: &mut Database, files: &[SourceFile]| -> Vec<_> {
                let one = |&file| {
                    prepare(db, file);
                    (file, check_file(db, file).clone())
                };
                files.iter().map(one).collect()
            };
            files.par_chunks(part).map_with(db, check).flatten_iter().collect()
        };
        let names = move || {
            index(&other, nest);
        };
        rayon::join(alone, names).0
    }

    /// The files that are in one list alone, or of which something else is wrong.
    fn differing(
        &self,
        before: &[(SourceFile, Vec<Diagnostic>)],
        after: &[(SourceFile, Vec<Diagnostic>)],
    ) -> BTreeSet<Arc<str>> {
        let by_path = |files: &'_ [(SourceFile, Vec<Diagnostic>)]| -> BTreeMap<Arc<str>, usize> {
            files.iter().enumerate().map(|(at, &(file, _))| (self.path_of(file), at)).collect()
        };
        let (old, new) = (by_path(before), by_path(after));
        let is_new = |(path, at): (&Arc<str>, &usize)| match old.get(path) {
            Some(&known) => before[known].1 != after[*at].1,
            None => !after[*at].1.is_empty(),
        };
        let gone = old.iter().filter(|&(path, _)| !new.contains_key(path)).map(|(path, _)| Arc::clone(path));
        let differing = new.iter().filter(|&(path, at)| is_new((path, at))).map(|(path, _)| Arc::clone(path));
        differing.chain(gone).collect()
    }
}

impl Findings {
    fn take(
        &mut self,
        changed: Vec<(usize, Vec<Diagnostic>)>,
        alone: Option<Vec<(SourceFile, Vec<Diagnostic>)>>,
        between: Option<Vec<Diagnostic>>,
    ) {
        match alone {
            Some(alone) => self.alone = alone,
            None => changed.into_iter().for_each(|(at, found)| self.alone[at].1 = found),
        }
        if let Some(between) = between {
            self.between = between;
        }
    }

    /// Puts together what is wrong with some files, and gives those that are others than they were.
    fn collect_again(
        &mut self,
        touched: BTreeSet<Arc<str>>,
        at_of: &BTreeMap<Arc<str>, usize>,
    ) -> Vec<Arc<str>> {
        let mut collected: BTreeMap<Arc<str>, Vec<Diagnostic>> = touched
            .into_iter()
            .map(|path| {
                let alone = at_of.get(&path).map(|&at| self.alone[at].1.clone());
                (path, alone.unwrap_or_default())
            })
            .collect();
        if !collected.is_empty() {
            for diagnostic in &self.between {
                if let Some(found) = collected.get_mut(&diagnostic.span.file) {
                    found.push(diagnostic.clone());
                }
            }
        }
        let mut others = Vec::new();
        for (path, mut found) in collected {
            sort(&mut found);
            let before = self.all.get(&path);
            if before.map_or(&[][..], Vec::as_slice) == found {
                continue;
            }
            if found.is_empty() {
                self.all.remove(&path);
            } else {
                self.all.insert(Arc::clone(&path), found);
            }
            others.push(path);
        }
        others
    }
}

/// The files of the diagnostics in which two lists differ: what begins and ends them alike is left out.
fn differing(before: &[Diagnostic], after: &[Diagnostic]) -> BTreeSet<Arc<str>> {
    let begin = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (before, after) = (&before[begin..], &after[begin..]);
    let end = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
    let rest = before[..before.len() - end].iter().chain(&after[..after.len() - end]);
    rest.map(|diagnostic| Arc::clone(&diagnostic.span.file)).collect()
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
