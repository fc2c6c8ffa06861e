//! Carrying out what diagnostics offer: edits to the texts of a Nest, and the proof that each did what it promised.
//!
//! No file is made worse. A set of edits stays only when every finding it was for is gone and no error has come anywhere
//! in the Nest; otherwise it is halved, down to the single edit. One that brings the next mistake to light stays when that
//! can be fixed as well, and is left out otherwise. What never lives here: writing files.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::Compiler;
use crate::diag::{Applicability, Diagnostic, Edit, Severity};

/// How often the Nest is looked at anew: an edit can make room for the next, but not for ever.
const MOST_ROUNDS: usize = 32;

/// How many single edits that bring mistakes to light are followed up.
const MOST_CHAINS: usize = 256;

/// How many edits one of them may draw after it.
const MOST_LINKS: usize = 16;

/// What was done to a Nest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fixed {
    /// How many findings were fixed.
    pub findings: usize,
    /// The files that differ, in order.
    pub files: Vec<FixedFile>,
}

/// A file before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedFile {
    /// Its path relative to the Nest's root.
    pub path: Arc<str>,
    /// Its text before.
    pub before: Arc<str>,
    /// Its text now.
    pub after: Arc<str>,
}

/// What a finding is, wherever it stands: positions move with every edit.
type Key = (Arc<str>, &'static str, String);

fn key(found: &Diagnostic) -> Key {
    (Arc::clone(&found.span.file), found.kind.id, found.message.clone())
}

/// How often each finding is there, and whether it is an error.
struct Counts(HashMap<Key, (usize, bool)>);

impl Counts {
    fn of(found: &[Diagnostic]) -> Self {
        let mut counts = HashMap::new();
        for found in found {
            let count = counts.entry(key(found)).or_insert((0, false));
            count.0 += 1;
            count.1 |= found.severity() == Severity::Error;
        }
        Self(counts)
    }

    fn get(&self, key: &Key) -> usize {
        self.0.get(key).map_or(0, |(count, _)| *count)
    }
}

/// One look at the Nest, and what could be done there.
struct Round {
    before: Counts,
    texts: BTreeMap<Arc<str>, Arc<str>>,
    /// Findings whose edits don't overlap.
    fixable: Vec<Diagnostic>,
    /// Which of them stay, by position.
    accepted: Vec<usize>,
}

impl Compiler {
    /// Carries out what the findings offer that are `wanted` and at least this sure. The texts of the Nest are the new
    /// ones afterwards; doing it again does nothing more.
    pub fn fix(&mut self, least: Applicability, wanted: &dyn Fn(&Diagnostic) -> bool) -> Fixed {
        let mut fixed = Fixed::default();
        let mut originals: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
        for _ in 0..MOST_ROUNDS {
            let found = self.check();
            let may = |found: &Diagnostic| {
                let help = found.help.as_ref().filter(|help| !help.edits.is_empty());
                wanted(found) && help.is_some_and(|help| help.applicability >= least)
            };
            let fixable = without_overlaps(found.iter().filter(|found| may(found)));
            let texts: BTreeMap<_, _> = fixable
                .iter()
                .filter_map(|found| Some((Arc::clone(&found.span.file), self.text(&found.span.file)?)))
                .collect();
            let mut round = Round { before: Counts::of(&found), texts, fixable, accepted: Vec::new() };
            let all: Vec<usize> = (0..round.fixable.len()).collect();
            self.settle(&mut round, &all);
            self.write(&round, &round.accepted);
            if round.accepted.is_empty() {
                match (0..round.fixable.len().min(MOST_CHAINS)).find(|at| self.follow(&round, *at, &may)) {
                    Some(at) => round.accepted.push(at),
                    None => break,
                }
            }
            fixed.findings += round.accepted.len();
            for at in &round.accepted {
                let path = &round.fixable[*at].span.file;
                if let Some(text) = round.texts.get(path) {
                    originals.entry(Arc::clone(path)).or_insert_with(|| Arc::clone(text));
                }
            }
        }
        for (path, before) in originals {
            let Some(after) = self.text(&path).filter(|after| *after != before) else { continue };
            fixed.files.push(FixedFile { path, before, after });
        }
        fixed
    }

    /// Accepts as many of the batch as keep the promise.
    fn settle(&mut self, round: &mut Round, batch: &[usize]) {
        if batch.is_empty() {
            return;
        }
        let tried: Vec<usize> = round.accepted.iter().chain(batch).copied().collect();
        self.write(round, &tried);
        if self.keeps_promise(round, &tried) {
            round.accepted = tried;
        } else if batch.len() > 1 {
            let (first, second) = batch.split_at(batch.len() / 2);
            self.settle(round, first);
            self.settle(round, second);
        }
    }

    /// Makes one edit and those for what it brings to light; whether all is well then. If not, the texts are as before.
    fn follow(&mut self, round: &Round, at: usize, may: &dyn Fn(&Diagnostic) -> bool) -> bool {
        let path = Arc::clone(&round.fixable[at].span.file);
        self.write(round, &[at]);
        for _ in 0..MOST_LINKS {
            if self.keeps_promise(round, &[at]) {
                return true;
            }
            let Some(text) = self.text(&path) else { break };
            let found = self.check();
            let known = |found: &Diagnostic| {
                round.before.get(&key(found)) > 0 && key(found) != key(&round.fixable[at])
            };
            let come = found.iter().filter(|found| found.span.file == path && may(found) && !known(found));
            let next = without_overlaps(come);
            if next.is_empty() {
                break;
            }
            let edits = next.iter().filter_map(|found| found.help.as_ref()).flat_map(|help| &help.edits);
            self.set(&path, apply(&text, edits.collect()));
        }
        self.write(round, &[]);
        false
    }

    /// Whether the findings that were tried are gone and no error has come.
    fn keeps_promise(&self, round: &Round, tried: &[usize]) -> bool {
        let after = Counts::of(&self.check());
        let mut gone: HashMap<Key, usize> = HashMap::new();
        for at in tried {
            *gone.entry(key(&round.fixable[*at])).or_default() += 1;
        }
        let left = |key: &Key| round.before.get(key).saturating_sub(gone.get(key).copied().unwrap_or(0));
        gone.keys().all(|key| after.get(key) <= left(key))
            && after.0.iter().all(|(key, (count, is_error))| !is_error || *count <= left(key))
    }

    /// Sets the texts of the round with these edits and no others.
    fn write(&mut self, round: &Round, edits: &[usize]) {
        let mut by_file: BTreeMap<&Arc<str>, Vec<&Edit>> =
            round.texts.keys().map(|path| (path, Vec::new())).collect();
        for found in edits.iter().map(|at| &round.fixable[*at]) {
            if let Some(edits) = by_file.get_mut(&found.span.file) {
                edits.extend(found.help.iter().flat_map(|help| &help.edits));
            }
        }
        for (path, edits) in by_file {
            if let Some(text) = round.texts.get(path) {
                self.set(path, apply(text, edits));
            }
        }
    }
}

/// The findings whose edits can be made at one time; the others have their turn when the first are made.
fn without_overlaps<'a>(found: impl Iterator<Item = &'a Diagnostic>) -> Vec<Diagnostic> {
    let mut taken: HashMap<Arc<str>, Vec<&Edit>> = HashMap::new();
    let mut chosen = Vec::new();
    for found in found {
        let Some(help) = &found.help else { continue };
        let taken = taken.entry(Arc::clone(&found.span.file)).or_default();
        // Two insertions at one place overlap as well: nobody knows which comes first.
        let touches = |edit: &Edit| {
            taken.iter().any(|other| {
                edit.range.start() <= other.range.end() && other.range.start() <= edit.range.end()
            })
        };
        if !help.edits.iter().any(touches) {
            taken.extend(&help.edits);
            chosen.push(found.clone());
        }
    }
    chosen
}

/// A text with edits that don't overlap.
fn apply(text: &str, mut edits: Vec<&Edit>) -> String {
    edits.sort_by_key(|edit| edit.range.start());
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        let (start, end) = (usize::from(edit.range.start()), usize::from(edit.range.end()));
        // An edit that fits no longer is none: the check that follows finds it undone.
        let Some(kept) = text.get(at..start).filter(|_| text.get(start..end).is_some()) else { continue };
        out.push_str(kept);
        out.push_str(&edit.text);
        at = end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
#[path = "fix_tests.rs"]
mod tests;
