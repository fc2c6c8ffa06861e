//! Finding a Nest and the files in it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ignore::{WalkBuilder, WalkState};

use crate::{
    diag::{Diagnostic, Span, files::UNREADABLE},
    text::{TextRange, TextSize},
};

/// What marks the root of a Nest.
pub(super) const MARKS: [&str; 5] = ["nest.fly", "Eggs", "Jobs", "UF", "MG"];

/// The root of the Nest that a file or folder lies in: the nearest folder above it, or the folder itself, that
/// holds `nest.fly` or one of `Eggs`, `Jobs`, `UF` and `MG`.
pub fn find_root(path: &Path) -> Option<PathBuf> {
    let is_root = |folder: &&Path| {
        // `Eggs/MG` is an egg of that name; `Eggs` is no Nest for it.
        let is_part = folder.file_name().is_some_and(|name| MARKS[1..].iter().any(|mark| name == *mark));
        let marks = if is_part { &MARKS[..1] } else { &MARKS[..] };
        marks.iter().any(|mark| is_mark(folder, mark))
    };
    path.ancestors().find(is_root).map(Path::to_path_buf)
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
    let found = Mutex::new(Walk::default());
    let walker = WalkBuilder::new(root)
        .follow_links(true)
        .require_git(false)
        .git_exclude(false)
        .git_global(false)
        .ignore(false)
        .parents(false)
        .add_custom_ignore_filename(".flyignore")
        .threads(std::thread::available_parallelism().map_or(2, |threads| threads.get().min(8)))
        .build_parallel();
    walker.run(|| {
        let found = &found;
        let mut part = Part { found, files: Vec::new() };
        Box::new(move |entry| {
            match entry {
                Ok(entry) => {
                    let is_fly = entry.path().extension().is_some_and(|extension| extension == "fly");
                    // The folder of builds, `.fly`, has no such extension.
                    if is_fly && let Some(path) = relative(root, entry.path()) {
                        if entry.file_type().is_some_and(|kind| kind.is_file()) {
                            part.files.push(path);
                        } else {
                            let diagnostic = no_file(&path, entry.path().is_dir());
                            part.found
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .diagnostics
                                .push(diagnostic);
                        }
                    }
                }
                Err(error) => {
                    let diagnostic = walk_error(root, &error);
                    part.found.lock().unwrap_or_else(PoisonError::into_inner).diagnostics.push(diagnostic);
                }
            }
            WalkState::Continue
        })
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.files.sort_unstable();
    drop_inner_nests(&mut found.files, |path| path);
    found.diagnostics.sort_by(|a, b| a.span.key().cmp(&b.span.key()));
    found.diagnostics.dedup();
    found
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

/// The files one thread has found; they join the others when it ends.
struct Part<'a> {
    found: &'a Mutex<Walk>,
    files: Vec<Arc<str>>,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).files.append(&mut self.files);
    }
}

/// A path relative to the root, with `/` between folders.
pub(super) fn relative(root: &Path, path: &Path) -> Option<Arc<str>> {
    let path = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = path.components().map(|part| part.as_os_str().to_str()).collect();
    Some(parts?.join("/").into())
}

/// Something named like a file of Fly that is none: opening a pipe, for one, would wait for ever.
pub(super) fn no_file(path: &Arc<str>, folder: bool) -> Diagnostic {
    let what = if folder { "a folder" } else { "neither a file nor a folder" };
    let span = Span::new(path.clone(), TextRange::empty(TextSize::new(0)));
    Diagnostic::new(&UNREADABLE, span, format!("`{path}` is {what}, so it can't be read"), "")
        .help("give it another name, or list it in `.flyignore`")
}

fn walk_error(root: &Path, error: &ignore::Error) -> Diagnostic {
    let nowhere = TextRange::empty(TextSize::new(0));
    let (path, loops) = describe(error);
    let shown = path.and_then(|path| relative(root, path)).unwrap_or_else(|| ".".into());
    let span = Span::new(shown.clone(), nowhere);
    if loops {
        Diagnostic::new(&UNREADABLE, span, format!("the link `{shown}` leads back to a folder above it"), "")
            .help("remove the link, or list it in `.flyignore`")
    } else {
        let reason = error.io_error().map_or_else(|| "it can't be read".to_owned(), super::read::reason);
        Diagnostic::new(&UNREADABLE, span, format!("the folder `{shown}` can't be read: {reason}"), "")
            .help("give yourself the right to read it, or list it in `.flyignore`")
    }
}

/// Where a walk failed, and whether because of a loop of links.
fn describe(error: &ignore::Error) -> (Option<&Path>, bool) {
    match error {
        ignore::Error::Loop { child, .. } => (Some(child), true),
        ignore::Error::WithPath { path, err } => {
            let (inner, loops) = describe(err);
            (inner.or(Some(path)), loops)
        }
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => describe(err),
        ignore::Error::Partial(errors) => errors.first().map_or((None, false), describe),
        _ => (None, false),
    }
}
