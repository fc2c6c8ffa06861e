//! The files of a GitLab project on disk, for reading its CI configuration.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ignore::WalkBuilder;

use super::read;
use crate::pipeline::Files;

/// A project in a folder.
#[derive(Debug)]
pub struct ProjectFiles {
    root: PathBuf,
    /// What stands before the paths in diagnostics.
    prefix: String,
}

impl ProjectFiles {
    /// The project in `root`, whose files are called by the folder as the user gave it.
    pub fn new(root: &Path) -> Self {
        let given = root.to_string_lossy().replace('\\', "/");
        let given = given.trim_start_matches("./").trim_end_matches('/');
        let prefix = match given {
            "" | "." => String::new(),
            given => format!("{given}/"),
        };
        let root = if root.as_os_str().is_empty() { PathBuf::from(".") } else { root.to_owned() };
        Self { root, prefix }
    }
}

impl Files for ProjectFiles {
    fn read(&self, path: &str) -> Result<Option<Arc<str>>, String> {
        let shown = self.shown(path);
        match File::open(self.root.join(path)) {
            Ok(file) => read::read_text(file, &shown).map(Some).map_err(|told| told.message),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("`{shown}` can't be read: {}", read::reason(&error))),
        }
    }

    fn list(&self) -> Vec<String> {
        let walk = WalkBuilder::new(&self.root)
            .hidden(false)
            .require_git(false)
            .git_global(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        // What can't be listed matches nothing.
        let mut found: Vec<String> = walk
            .flatten()
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
            .filter(|entry| entry.path().extension().is_some_and(|end| end == "yml" || end == "yaml"))
            .filter_map(|entry| relative(&self.root, entry.path()))
            .collect();
        found.sort_unstable();
        found
    }

    fn shown(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

/// A path below the root, with `/` between folders; none for one that is not text.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let path = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = path.components().map(|part| part.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}
