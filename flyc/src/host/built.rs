//! A build on disk, and the sources it was made from, as far as a question needs them.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use super::read;
use crate::{build::MANIFEST, render::Sources, text::Source, translate::Generated};

/// A build in a folder. Its files are read when they are asked for.
#[derive(Debug)]
pub struct BuiltFolder {
    root: PathBuf,
}

impl BuiltFolder {
    /// The build that a folder is a part of, and the folder's path in it with `/`; none for a folder of no build.
    pub fn around(folder: &Path) -> Option<(Self, String)> {
        let folder = folder.canonicalize().ok()?;
        let root = folder.ancestors().skip(1).find(|above| above.join(MANIFEST).is_file())?;
        let parts: Option<Vec<&str>> =
            folder.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_str()).collect();
        Some((Self { root: root.to_owned() }, parts?.join("/")))
    }

    /// Where it lies.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl Generated for BuiltFolder {
    fn text(&self, path: &str) -> Option<String> {
        stays_within(path).then(|| fs::read_to_string(self.root.join(path)).ok())?
    }
}

/// The files of a Nest on disk. They are read when they are asked for.
#[derive(Debug)]
pub struct NestFolder {
    root: PathBuf,
}

impl NestFolder {
    /// The Nest at `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }
}

impl Sources for NestFolder {
    fn source(&self, path: &str) -> Option<Source> {
        // A build may be anybody's; what it says came from elsewhere is not shown.
        let text = stays_within(path).then(|| read::read_file(&self.root, path).ok())??;
        Some(Source::new(path, text))
    }
}

/// Whether a path names something below the folder it is relative to.
fn stays_within(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}
