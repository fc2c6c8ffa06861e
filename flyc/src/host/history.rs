//! A Nest as it was at a revision of its git repository, read from the repository's objects without touching the working
//! folder.
//!
//! What never lives here: what is made of it. Links and submodules are not followed: what they lead to is not part of
//! the revision.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use gix::{Repository, Tree, bstr::ByteSlice, objs::tree::EntryKind};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{
    discover::{MARKS, drop_inner_nests},
    read::read_text,
};
use smol_str::SmolStr;

use crate::{
    compiler::{AssetError, Compiler},
    diag::{Diagnostic, Severity},
};

/// A Nest at a revision.
#[derive(Debug)]
pub struct Past {
    /// The commit, in full.
    pub commit: String,
    /// Its `.fly` files: paths relative to the Nest's root, and texts.
    pub files: Vec<(Arc<str>, Arc<str>)>,
    /// The texts that these read with `file("…")`.
    pub assets: Vec<(SmolStr, Result<Arc<str>, AssetError>)>,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether the folder was a Nest then.
    pub is_nest: bool,
}

impl Past {
    /// The Nest as it was at this revision, where variables have these values, and what else is to be said of it: that it was
    /// none, or had errors.
    pub fn restore(self, revision: &str, variables: BTreeMap<SmolStr, SmolStr>) -> (Compiler, Vec<String>) {
        let mut notes = Vec::new();
        let mut earlier = Compiler::new(self.files);
        earlier.set_unreadable(!self.diagnostics.is_empty());
        earlier.set_assets(self.assets);
        // What was not declared then had no value.
        earlier.set_variables(variables);
        let errors = self.diagnostics.len()
            + earlier.check().iter().filter(|found| found.severity() == Severity::Error).count();
        if !self.is_nest {
            notes.push(format!("there was no Nest at `{revision}`, so everything is added"));
        } else if errors > 0 {
            let errors = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
            notes.push(format!(
                "the Nest at `{revision}` had {errors}; what they leave unknown is not compared"
            ));
        }
        (earlier, notes)
    }
}

/// Why a Nest's past can't be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// No repository holds the folder.
    #[error("`{}` is not in a git repository", folder.display())]
    NoRepository {
        /// The folder.
        folder: PathBuf,
    },
    /// The repository around the folder has no working folder.
    #[error("the git repository around `{}` is bare: it has no working folder to compare with", folder.display())]
    Bare {
        /// The folder.
        folder: PathBuf,
    },
    /// Nothing has that name.
    #[error("there is no revision `{revision}` in the git repository")]
    UnknownRevision {
        /// The revision asked for.
        revision: String,
        /// The branch or tag that was probably meant.
        nearest: Option<String>,
        /// Whether the repository holds a part of its history only.
        shallow: bool,
    },
    /// The revision is known, but something of it can't be read.
    #[error("the revision `{revision}` can't be read: {reason}")]
    Unreadable {
        /// The revision.
        revision: String,
        /// What git's library said.
        reason: String,
        /// Whether the repository holds a part of its history only.
        shallow: bool,
    },
}

/// Reads the Nest in the folder `root` as it was at `revision`: a branch, a tag, a hash, or what else git reads.
pub fn read_at(root: &Path, revision: &str) -> Result<Past, HistoryError> {
    let no_repository = || HistoryError::NoRepository { folder: root.to_path_buf() };
    let repository = gix::discover(root).map_err(|_| no_repository())?;
    let Some(top) = repository.workdir() else {
        return Err(HistoryError::Bare { folder: root.to_path_buf() });
    };
    let inside = match (root.canonicalize(), top.canonicalize()) {
        (Ok(root), Ok(top)) => root.strip_prefix(top).map(Path::to_path_buf).map_err(|_| no_repository())?,
        _ => return Err(no_repository()),
    };
    let shallow = repository.is_shallow().unwrap_or(false);
    let unreadable = |error: &dyn std::fmt::Display| HistoryError::Unreadable {
        revision: revision.to_owned(),
        reason: error.to_string(),
        shallow,
    };
    let Ok(id) = repository.rev_parse_single(revision) else {
        return Err(HistoryError::UnknownRevision {
            revision: revision.to_owned(),
            nearest: nearest(&repository, revision),
            shallow,
        });
    };
    let commit = id
        .object()
        .and_then(|object| object.peel_to_kind(gix::object::Kind::Commit))
        .map_err(|error| unreadable(&error))?;
    let mut past = Past {
        commit: commit.id.to_string(),
        files: Vec::new(),
        assets: Vec::new(),
        diagnostics: Vec::new(),
        is_nest: false,
    };
    let tree = commit.peel_to_tree().map_err(|error| unreadable(&error))?;
    let folder = if inside.as_os_str().is_empty() {
        Some(tree)
    } else {
        let entry = tree.lookup_entry_by_path(&inside).map_err(|error| unreadable(&error))?;
        let entry = entry.filter(|entry| entry.mode().is_tree());
        let object = entry.map(|entry| entry.object()).transpose().map_err(|error| unreadable(&error))?;
        object.map(|object| object.into_tree())
    };
    if let Some(folder) = folder {
        let mut walk = Walk { past: &mut past, ignored: Vec::new() };
        walk.folder(&folder, "").map_err(|error| unreadable(&error))?;
        drop_inner_nests(&mut past.files, |(path, _)| path);
        past.files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let reads = Compiler::new(past.files.iter().cloned()).reads();
        past.assets = reads.into_iter().map(|path| (path.clone(), asset(&folder, &path))).collect();
    }
    Ok(past)
}

/// The text of a file that is not Fly.
fn asset(folder: &Tree<'_>, path: &str) -> Result<Arc<str>, AssetError> {
    let entry = folder.lookup_entry_by_path(path).map_err(|_| AssetError::Unreadable)?;
    let entry = entry.filter(|entry| entry.mode().is_blob()).ok_or(AssetError::Missing)?;
    let object = entry.object().map_err(|_| AssetError::Unreadable)?;
    super::assets::text(object.data.clone())
}

/// A way through the folders of a revision.
struct Walk<'a> {
    past: &'a mut Past,
    /// What the folders on the way here say is not part of the Nest, the innermost last.
    ignored: Vec<Gitignore>,
}

impl Walk<'_> {
    /// Reads a folder, whose path is empty or ends with `/`.
    fn folder(&mut self, tree: &Tree<'_>, path: &str) -> gix::Result<()> {
        let entries = tree.iter().collect::<gix::Result<Vec<_>>>()?;
        let before = self.ignored.len();
        // The later counts more.
        for name in [".gitignore", ".flyignore"] {
            let entry = entries.iter().find(|entry| entry.filename() == name);
            if let Some(entry) = entry.filter(|entry| entry.mode().is_blob()) {
                let object = entry.object()?;
                self.ignored.push(patterns(path, &object.data.to_str_lossy()));
            }
        }
        for entry in &entries {
            // Neither git nor this compiler can name such a file of a Nest.
            let Ok(name) = entry.filename().to_str() else { continue };
            if name.starts_with('.') {
                continue;
            }
            let inner = format!("{path}{name}");
            let kind = entry.mode().kind();
            if path.is_empty() && MARKS.contains(&name) {
                self.past.is_nest |= (kind == EntryKind::Tree) != (name == "nest.fly");
            }
            if self.is_ignored(&inner, kind == EntryKind::Tree) {
                continue;
            }
            match kind {
                EntryKind::Tree => self.folder(&entry.object()?.into_tree(), &format!("{inner}/"))?,
                EntryKind::Blob | EntryKind::BlobExecutable if is_fly(name) => {
                    match read_text(entry.object()?.data.as_slice(), &inner) {
                        Ok(text) => self.past.files.push((inner.into(), text)),
                        Err(diagnostic) => self.past.diagnostics.push(diagnostic),
                    }
                }
                EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link | EntryKind::Commit => {}
            }
        }
        self.ignored.truncate(before);
        Ok(())
    }

    fn is_ignored(&self, path: &str, is_folder: bool) -> bool {
        let said = self.ignored.iter().rev().map(|patterns| patterns.matched(path, is_folder));
        said.into_iter().find(|said| !said.is_none()).is_some_and(|said| said.is_ignore())
    }
}

fn is_fly(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "fly")
}

/// The patterns of an ignore file in a folder; a line that is none is left out, as git does.
fn patterns(folder: &str, text: &str) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.lines() {
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// The branch or tag whose name is nearest.
fn nearest(repository: &Repository, revision: &str) -> Option<String> {
    let references = repository.references().ok()?;
    let all = [references.local_branches(), references.remote_branches(), references.tags()];
    let names: Vec<String> = all
        .into_iter()
        .flatten()
        .flat_map(|references| references.flatten())
        .map(|reference| reference.name().shorten().to_string())
        .collect();
    fly_std::formats::closest(revision, names.iter().map(String::as_str)).map(str::to_owned)
}
