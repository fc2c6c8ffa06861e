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
    check::{check_file, check_nest, mark, prepare},
    db::{Database, Part, SourceFile, parts},
    diag::Diagnostic,
    model::{definitions::NEST_FILE, index},
};

/// Files, with what is wrong with each by itself.
type Alone = Vec<(SourceFile, Vec<Diagnostic>)>;

/// The places of the files of which something else is wrong than was known, and what.
type Others = Vec<(usize, Vec<Diagnostic>)>;

/// The findings of a Nest as they were when it was last checked.
#[derive(Debug, Default)]
pub struct Findings {
    /// The files of the Nest.
    list: Option<Arc<[SourceFile]>>,
    /// With what is wrong with each by itself, in the order of the list.
    alone: Alone,
    /// The mark of each of the Nest's parts.
    marks: Vec<Arc<()>>,
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
        let shared = self.text(NEST_FILE);
        let (mut touched, changed, alone, marks) = if findings.list.as_ref() == Some(files) {
            let (changed, marks) = self.changed(findings, shared == findings.shared);
            let touched = changed.iter().map(|&(at, _)| self.path_of(findings.alone[at].0)).collect();
            (touched, changed, None, marks)
        } else {
            let (alone, marks) = self.check_alone();
            (self.differing(&findings.alone, &alone), Vec::new(), Some(alone), marks)
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
        let alone_is_new = alone.is_some();
        findings.take(changed, alone, between);
        (findings.shared, findings.marks) = (shared, marks);
        if alone_is_new {
            findings.list = Some(Arc::clone(files));
        }
        findings.collect_again(touched, &at_of)
    }

    fn path_of(&self, file: SourceFile) -> Arc<str> {
        Arc::clone(file.path(&self.db))
    }

    /// The place of a file in the Nest's list.
    fn place(&self, path: &str) -> Option<usize> {
        self.nest.files(&self.db).binary_search_by(|file| (**file.path(&self.db)).cmp(path)).ok()
    }

    /// The files of which something else is wrong than is known, and the marks of all parts. When only few can be others,
    /// asking all is so little work that other threads would be asked in vain.
    fn changed(&self, known: &Findings, few: bool) -> (Others, Vec<Arc<()>>) {
        let parts = parts(&self.db, self.nest);
        if few {
            let marks: Vec<_> = parts.iter().map(|&part| Arc::clone(mark(&self.db, part))).collect();
            let (mut changed, mut at) = (Vec::new(), 0);
            for ((part, known_mark), mark) in parts.iter().zip(&known.marks).zip(&marks) {
                let count = part.files(&self.db).len();
                if !Arc::ptr_eq(known_mark, mark) {
                    changed.extend(others(&self.db, at, &known.alone[at..at + count]));
                }
                at += count;
            }
            return (changed, marks);
        }
        let mut starts = Vec::with_capacity(parts.len());
        let mut at = 0;
        for part in parts {
            starts.push(at);
            at += part.files(&self.db).len();
        }
        let look = |db: &mut Database, (&part, &at): (&Part<'_>, &usize)| {
            let known = &known.alone[at..at + part.files(db).len()];
            for &(file, _) in known {
                prepare(db, file);
            }
            (others(db, at, known), Arc::clone(mark(db, part)))
        };
        let looked: Vec<_> = parts.par_iter().zip(&starts).map_with(self.db.clone(), look).collect();
        let (changed, marks): (Vec<_>, _) = looked.into_iter().unzip();
        (changed.into_iter().flatten().collect(), marks)
    }

    /// What is wrong with each file by itself, and the marks of all parts, asked on every thread; what the rules between
    /// files need of each is asked along with it.
    fn check_alone(&self) -> (Alone, Vec<Arc<()>>) {
        let (db, other, nest) = (self.db.clone(), self.db.clone(), self.nest);
        let parts = parts(&self.db, self.nest);
        let alone = || -> Vec<(Alone, Arc<()>)> {
            let check = |db: &mut Database, &part: &Part<'_>| {
                let one = |&file| {
                    prepare(db, file);
                    (file, check_file(db, file).clone())
                };
                (part.files(db).iter().map(one).collect(), Arc::clone(mark(db, part)))
            };
            parts.par_iter().map_with(db, check).collect()
        };
        let names = move || {
            index(&other, nest);
        };
        let (alone, marks): (Vec<_>, _) = rayon::join(alone, names).0.into_iter().unzip();
        (alone.into_iter().flatten().collect(), marks)
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
        alone: Option<Alone>,
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

/// Those of some files of which something else is wrong than is known, each with its place; the first is at `start`.
fn others(
    db: &Database,
    start: usize,
    known: &[(SourceFile, Vec<Diagnostic>)],
) -> Vec<(usize, Vec<Diagnostic>)> {
    let asked =
        known.iter().enumerate().map(|(at, (file, known))| (start + at, check_file(db, *file), known));
    asked.filter(|(_, found, known)| found != known).map(|(at, found, _)| (at, found.clone())).collect()
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
