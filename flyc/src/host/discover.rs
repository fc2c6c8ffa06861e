//! Finding a Nest and the files in it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::walk::visit;
use crate::{
    diag::{Diagnostic, Span, files::UNREADABLE},
    text::{TextRange, TextSize},
};

/// What marks the root of a Nest.
pub(super) const MARKS: [&str; 5] = ["nest.fly", "Eggs", "Jobs", "UF", "MG"];

/// The root of the Nest that a file or folder lies in: the nearest folder above it, or the folder itself, that
/// holds `nest.fly` or one of `Eggs`, `Jobs`, `UF` and `MG`.
pub fn find_root(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|folder| is_root(folder)).map(Path::to_path_buf)
}

/// Whether a folder is the root of a Nest.
pub(super) fn is_root(folder: &Path) -> bool {
    // `Eggs/MG` is an egg of that name; `Eggs` is no Nest for it.
    let is_part = folder.file_name().is_some_and(|name| MARKS[1..].iter().any(|mark| name == *mark));
    let marks = if is_part { &MARKS[..1] } else { &MARKS[..] };
    marks.iter().any(|mark| is_mark(folder, mark))
}

fn is_mark(folder: &Path, mark: &str) -> bool {
    let path = folder.join(mark);
    if mark == "nest.fly" { path.is_file() } else { path.is_dir() }
}

/// What a walk over a Nest found.
#[derive(Debug, Default)]
pub struct Walk {
    /// The paths of its `.fly` files, relative to the root with `/` between folders, in order.
    pub files: Vec<Arc<str>>,
    /// The folders and links that could not be followed.
    pub diagnostics: Vec<Diagnostic>,
}

/// Finds the `.fly` files of a Nest. What `.gitignore` and `.flyignore` name is left out, and so are hidden folders.
pub fn walk(root: &Path) -> Walk {
    let (mut files, diagnostics) = visit(root, &(), |(), path, _| path);
    files.sort_unstable();
    Walk { files, diagnostics }
}

/// Leaves out what belongs to a Nest within the Nest, which is a Nest of its own.
pub(super) fn drop_inner_nests<T>(files: &mut Vec<T>, path: impl Fn(&T) -> &str) {
    let inner: Vec<String> = files
        .iter()
        .filter_map(|file| path(file).strip_suffix("/nest.fly"))
        .map(|folder| format!("{folder}/"))
        .collect();
    if !inner.is_empty() {
        files.retain(|file| !inner.iter().any(|folder| path(file).starts_with(folder.as_str())));
    }
}

/// Something named like a file of Fly that is none: opening a pipe, for one, would wait for ever.
pub(super) fn no_file(path: &str, folder: bool) -> Diagnostic {
    let what = if folder { "a folder" } else { "neither a file nor a folder" };
    Diagnostic::new(&UNREADABLE, nowhere(path), format!("`{path}` is {what}, so it can't be read"), "")
        .help("give it another name, or list it in `.flyignore`")
}

pub(super) fn loop_of_links(path: &str) -> Diagnostic {
    let message = format!("the link `{path}` leads back to a folder above it");
    Diagnostic::new(&UNREADABLE, nowhere(path), message, "")
        .help("remove the link, or list it in `.flyignore`")
}

/// A folder, or a link to whatever it was.
pub(super) fn unreadable_folder(path: &str, error: &io::Error) -> Diagnostic {
    let path = if path.is_empty() { "." } else { path };
    let message = format!("the folder `{path}` can't be read: {}", super::read::reason(error));
    Diagnostic::new(&UNREADABLE, nowhere(path), message, "")
        .help("give yourself the right to read it, or list it in `.flyignore`")
}

fn nowhere(path: &str) -> Span {
    Span::new(path.into(), TextRange::empty(TextSize::new(0)))
}
