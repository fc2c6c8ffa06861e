//! The walk over a Nest: every folder is listed once, by several threads, and what is found is handled by the thread
//! that found it while its folder is open, so that listing, reading and parsing go on side by side.
//!
//! The patterns of ignore files are `ignore`'s; its walk is not used, because it hands over paths to be opened later.
//! What never lives here: what is done with a file.

use std::{fs, io, path::Path, sync::Arc};

use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};
use rayon::prelude::*;

use super::{
    discover::{MARKS, loop_of_links, no_file, unreadable_folder},
    folder::{Buffer, Folder, Found, Kind, buffer},
};
use crate::diag::Diagnostic;

/// Visits the `.fly` files of a Nest, each with its path relative to the root with `/` between folders, in no order.
/// Each thread has a clone of `state`.
///
/// What `.gitignore` and `.flyignore` name is left out, and so are hidden folders, Nests within the Nest and names that
/// are no Unicode. Links are followed.
pub(super) fn visit<S: Clone + Send, T: Send>(
    root: &Path,
    state: &S,
    file: impl Fn(&mut S, Arc<str>, &Found<'_>) -> T + Sync,
) -> (Vec<T>, Vec<Diagnostic>) {
    let handle = match Folder::root(root) {
        Ok(handle) => handle,
        Err(error) => return (Vec::new(), vec![unreadable_folder("", &error)]),
    };
    let (mut visited, mut diagnostics) = (Vec::new(), Vec::new());
    let mut level = vec![Listed { path: String::new(), rules: None }];
    // Level by level: however deep the folders are, the stack is not.
    while !level.is_empty() {
        let part = level.len().div_ceil(rayon::current_num_threads() * 8).max(4);
        let parts: Vec<Part<T>> = level
            .par_chunks(part)
            .map_with(state.clone(), |state, folders| {
                let mut part = Part { visited: Vec::new(), folders: Vec::new(), diagnostics: Vec::new() };
                let mut buffer = buffer();
                for folder in folders {
                    let file = |path, found: &Found<'_>| file(state, path, found);
                    if let Err(error) = part.list(root, &handle, folder, &mut buffer, file) {
                        part.diagnostics.push(unreadable_folder(&folder.path, &error));
                    }
                }
                part
            })
            .collect();
        level.clear();
        for mut part in parts {
            visited.append(&mut part.visited);
            level.append(&mut part.folders);
            diagnostics.append(&mut part.diagnostics);
        }
    }
    diagnostics.sort_by(|a, b| (a.span.key(), &a.message).cmp(&(b.span.key(), &b.message)));
    diagnostics.dedup();
    (visited, diagnostics)
}

/// A folder that is to be listed.
struct Listed {
    /// Its path relative to the root, with `/` between folders; empty for the root.
    path: String,
    /// The ignore files above it.
    rules: Option<Arc<Rules>>,
}

impl Listed {
    /// The path of something in it.
    fn child(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { [&self.path, "/", name].concat() }
    }
}

/// What one thread has found in some folders.
struct Part<T> {
    visited: Vec<T>,
    folders: Vec<Listed>,
    diagnostics: Vec<Diagnostic>,
}

impl<T> Part<T> {
    /// Lists a folder, visits its files and notes the folders in it.
    fn list(
        &mut self,
        root: &Path,
        handle: &Folder,
        folder: &Listed,
        buffer: &mut Buffer,
        mut file: impl FnMut(Arc<str>, &Found<'_>) -> T,
    ) -> io::Result<()> {
        let handle = handle.below(&folder.path)?;
        let (mut found, mut ignoring) = (Vec::new(), false);
        let listed = handle.list(buffer, |name, kind| {
            ignoring |= IGNORING.contains(&name);
            match kind {
                Ok(kind) if is_fly(name) || matches!(kind, Kind::Folder | Kind::Link) => {
                    found.push((name.to_owned(), kind));
                }
                Ok(_) => {}
                Err(error) => self.diagnostics.push(unreadable_folder(&folder.child(name), &error)),
            }
        });
        let rules = if ignoring {
            Some(Arc::new(Rules::of(root, &folder.path, folder.rules.clone())))
        } else {
            folder.rules.clone()
        };
        let told = self.diagnostics.len();
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for (name, kind) in found {
            let path = folder.child(&name);
            let ignored = |kind| is_ignored(rules.as_deref(), Path::new(&path), &name, kind == Kind::Folder);
            let is_link = kind == Kind::Link;
            let target =
                if is_link { fs::metadata(root.join(&path)).map(|it| Kind::of(&it)) } else { Ok(kind) };
            match target {
                Ok(target) if ignored(target) => {}
                Ok(Kind::File) if is_fly(&name) => files.push((name, path)),
                Ok(target) => {
                    if is_fly(&name) {
                        self.diagnostics.push(no_file(&path, target == Kind::Folder));
                    }
                    if target == Kind::Folder {
                        match if is_link { leads_back(root, &path) } else { Ok(false) } {
                            Ok(false) => folders.push(Listed { path, rules: rules.clone() }),
                            Ok(true) => self.diagnostics.push(loop_of_links(&path)),
                            Err(error) => self.diagnostics.push(unreadable_folder(&path, &error)),
                        }
                    }
                }
                Err(error) if !ignored(kind) => self.diagnostics.push(unreadable_folder(&path, &error)),
                Err(_) => {}
            }
        }
        if !folder.path.is_empty() && files.iter().any(|(name, _)| name == MARKS[0]) {
            // A Nest within the Nest is a Nest of its own.
            self.diagnostics.truncate(told);
            return Ok(());
        }
        self.folders.append(&mut folders);
        self.visited.extend(
            files.into_iter().map(|(name, path)| file(path.into(), &Found { folder: &handle, name: &name })),
        );
        listed
    }
}

fn is_fly(name: &str) -> bool {
    // The folder of builds, `.fly`, has no such extension.
    Path::new(name).extension().is_some_and(|extension| extension == "fly")
}

/// Whether a link leads to a folder above it, up to the root.
fn leads_back(root: &Path, path: &str) -> io::Result<bool> {
    let target = same_file::Handle::from_path(root.join(path))?;
    for above in Path::new(path).ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() { root.to_path_buf() } else { root.join(above) };
        if same_file::Handle::from_path(above)? == target {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The names of ignore files; what any of the first kind says goes before what those of the second say.
const IGNORING: [&str; 2] = [".flyignore", ".gitignore"];

/// The ignore files of a folder, and those above it.
struct Rules {
    own: [Gitignore; 2],
    above: Option<Arc<Rules>>,
}

impl Rules {
    /// The ignore files of the folder at `path`, relative to the root.
    fn of(root: &Path, path: &str, above: Option<Arc<Self>>) -> Self {
        let own = IGNORING.map(|name| {
            let mut rules = GitignoreBuilder::new(path);
            let file = root.join(path).join(name);
            if file.is_file() {
                // A line that is no pattern says nothing.
                let _ = rules.add(file);
            }
            rules.build().unwrap_or_else(|_| Gitignore::empty())
        });
        Self { own, above }
    }
}

/// Whether something is left out: as the nearest ignore file says that says anything about it, or because it is hidden.
fn is_ignored(rules: Option<&Rules>, path: &Path, name: &str, is_folder: bool) -> bool {
    for which in 0..IGNORING.len() {
        for rules in std::iter::successors(rules, |rules| rules.above.as_deref()) {
            match rules.own[which].matched(path, is_folder) {
                Match::None => {}
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
            }
        }
    }
    name.starts_with('.')
}

#[cfg(all(test, unix))]
mod tests;
