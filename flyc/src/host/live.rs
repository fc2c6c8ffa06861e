//! A Nest in memory that follows its files on disk.
//!
//! What never lives here: how one hears that something has changed (`watch`).

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use super::{
    Loaded,
    discover::{Walk, walk},
    read_file,
};
use crate::diag::Diagnostic;

/// What is known of the files of a Nest without reading them.
#[derive(Debug)]
pub struct Live {
    root: PathBuf,
    seen: BTreeMap<Arc<str>, Seen>,
}

#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    /// Why it could not be read.
    unreadable: Option<Diagnostic>,
}

/// What changes with the content of a file, most of the time: its length and when it was written.
type Stamp = Option<(u64, SystemTime)>;

impl Live {
    /// The Nest at a root, of which nothing is known yet.
    pub fn new(root: PathBuf) -> Self {
        Self { root, seen: BTreeMap::new() }
    }

    /// Brings what is in memory to what is on disk, and tells whether anything has changed. Files are read when their
    /// length or time differs, or when they or a folder above them are `touched`; the compiler is told of those alone whose
    /// text differs.
    pub fn refresh(&mut self, loaded: &mut Loaded, touched: &[PathBuf]) -> bool {
        let Walk { files, mut diagnostics } = walk(&self.root);
        let mut changed = false;
        let mut seen = BTreeMap::new();
        loaded.files = files.len();
        for path in files {
            let full = self.root.join(&*path);
            let stamp = stamp(&full);
            let before = self.seen.remove(&path);
            let known = before.as_ref().is_some_and(|before| before.stamp == stamp && stamp.is_some());
            if let Some(before) = before.filter(|_| known && !is_touched(&full, touched)) {
                diagnostics.extend(before.unreadable.clone());
                seen.insert(path, before);
                continue;
            }
            let unreadable = match read_file(&self.root, &path) {
                Ok(text) => {
                    changed |= loaded.compiler.text(&path).as_deref() != Some(&*text);
                    loaded.compiler.set(&path, text);
                    None
                }
                Err(diagnostic) => {
                    loaded.compiler.remove(&path);
                    diagnostics.push(diagnostic.clone());
                    Some(diagnostic)
                }
            };
            seen.insert(path, Seen { stamp, unreadable });
        }
        let gone: Vec<Arc<str>> =
            loaded.compiler.paths().filter(|path| !seen.contains_key(&***path)).cloned().collect();
        for path in gone {
            loaded.compiler.remove(&path);
            changed = true;
        }
        self.seen = seen;
        changed |= super::supply(&self.root, &mut loaded.compiler);
        loaded.compiler.set_unreadable(!diagnostics.is_empty());
        changed |= diagnostics != loaded.diagnostics;
        loaded.diagnostics = diagnostics;
        changed
    }
}

fn stamp(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    Some((found.len(), found.modified().ok()?))
}

fn is_touched(path: &Path, touched: &[PathBuf]) -> bool {
    touched.iter().any(|touched| path.starts_with(touched))
}
