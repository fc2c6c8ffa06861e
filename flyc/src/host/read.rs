//! Reading files, and the words for what goes wrong on the way.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

use super::{discover::no_file, walk::visit};
use crate::{
    compiler::{Compiler, Gathering},
    diag::{
        Diagnostic, Span,
        files::{NOT_UTF8, TOO_LARGE, UNREADABLE},
    },
    syntax::FILE_LIMIT,
    text::{TextRange, TextSize},
};

/// How much is asked for in one read, in bytes; nearly every file is smaller.
const READ_AT_ONCE: usize = 16 << 10;

/// A Nest read from disk.
#[derive(Debug)]
pub struct Loaded {
    /// The Nest, with every file that could be read.
    pub compiler: Compiler,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
    /// How many files were found.
    pub files: usize,
}

/// Reads the Nest at `root`.
pub fn load(root: &Path) -> Loaded {
    // The thread that has read a file parses it as well.
    let reader = (Gathering::default(), Vec::new());
    let (files, mut diagnostics) = visit(root, &reader, |(gathering, buffer), path, found| {
        let text = match found.open() {
            Ok(file) => read_into(file, &path, buffer),
            Err(error) => Err(unreadable(&path, &error)),
        }?;
        Ok(gathering.add(path, text))
    });
    let count = files.len();
    let mut readable = Vec::with_capacity(count);
    for file in files {
        match file {
            Ok(file) => readable.push(file),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    let (gathering, _) = reader;
    let mut compiler = gathering.finish(readable, !diagnostics.is_empty());
    super::supply(root, &mut compiler);
    Loaded { compiler, diagnostics, files: count }
}

/// Reads one file of a Nest, given its path relative to the root.
pub fn read_file(root: &Path, path: &str) -> Result<Arc<str>, Diagnostic> {
    let full = root.join(path);
    // Opening a pipe would wait for ever.
    if let Ok(found) = std::fs::metadata(&full)
        && !found.is_file()
    {
        return Err(no_file(path, found.is_dir()));
    }
    match File::open(full) {
        Ok(file) => read_text(file, path),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// Reads text up to the limit; `path` is what it is called in diagnostics.
pub fn read_text(input: impl Read, path: &str) -> Result<Arc<str>, Diagnostic> {
    read_into(input, path, &mut Vec::new())
}

fn read_into(input: impl Read, path: &str, bytes: &mut Vec<u8>) -> Result<Arc<str>, Diagnostic> {
    let at = || Span::new(path.into(), TextRange::empty(TextSize::new(0)));
    bytes.clear();
    bytes.reserve(READ_AT_ONCE);
    let limit = u64::try_from(FILE_LIMIT).unwrap_or(u64::MAX);
    input.take(limit + 1).read_to_end(bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() > FILE_LIMIT {
        let message = format!("`{path}` is larger than {} MiB", FILE_LIMIT >> 20);
        return Err(Diagnostic::new(&TOO_LARGE, at(), message, "")
            .note("a file of Fly is written by people; one of this size is something else")
            .help("move it out of the Nest, or list it in `.flyignore`"));
    }
    match str::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(error) => {
            let valid = error.valid_up_to();
            let line = bytes[..valid].split(|byte| *byte == b'\n').count();
            let byte = bytes.get(valid).copied().unwrap_or_default();
            let message = format!("`{path}` is not UTF-8 text: line {line} holds the byte 0x{byte:02x}");
            Err(Diagnostic::new(&NOT_UTF8, at(), message, "").help("save the file as UTF-8"))
        }
    }
}

fn unreadable(path: &str, error: &io::Error) -> Diagnostic {
    let at = Span::new(path.into(), TextRange::empty(TextSize::new(0)));
    Diagnostic::new(&UNREADABLE, at, format!("`{path}` can't be read: {}", reason(error)), "")
        .help("see that it is a file, that it is there and that you may read it")
}

/// Why something failed, in the words of a sentence.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it isn't there".to_owned(),
        io::ErrorKind::PermissionDenied => "permission is denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Puts a text in place of a file, whole or not at all; its permissions stay as they are.
pub fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    // A link is followed: what it leads to is the file.
    let path = std::fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let result = (|| {
        let mut file = File::create_new(&beside)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(std::fs::metadata(&path)?.permissions())?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    })();
    if result.is_err() {
        // What failed is told; what is left of the attempt is of no use.
        let _ = std::fs::remove_file(&beside);
    }
    result
}
