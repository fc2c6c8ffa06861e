//! From a Nest on disk to a build on disk.
//!
//! What never lives here: what is said about it; callers render the diagnostics.

use std::{io, path::Path};

use super::{
    Loaded, Written, load,
    write::{Done, previous, write_after},
};
use crate::{
    artifact::EntryKind,
    build::{Build, Options, Previous},
    diag::{Diagnostic, Severity},
    lower::Backend,
};

/// A build and what writing it did. Of what was left as the last build made it, `build` holds the entries of the manifest
/// and no texts.
#[derive(Debug)]
pub struct Built {
    /// What was built.
    pub build: Build,
    /// What was written of it.
    pub written: Written,
    /// The folders in the output that are no longer built, and that hold a state of `OpenTofu`: what it speaks of may still
    /// exist.
    pub states: Vec<String>,
}

/// Why there is no build.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The Nest has errors; all that was found in it, with what could not be read.
    #[error("the Nest has errors, so nothing was built")]
    Nest(Vec<Diagnostic>),
    /// Parts of the installation were asked for, and there is none.
    #[error("the Nest has no installation, so no part of one can be built")]
    NoInstallation,
    /// The folder can't be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Builds the Nest that was read from `root` to the folder `out`. A file that could not be read is an error like any
/// other: what is missing from the Nest would be missing from the fleet.
pub fn build(loaded: &Loaded, root: &Path, out: &Path, options: &Options) -> Result<Built, BuildError> {
    if loaded.diagnostics.iter().any(|diagnostic| diagnostic.severity() == Severity::Error) {
        let found = loaded.compiler.check();
        return Err(BuildError::Nest(loaded.diagnostics.iter().cloned().chain(found).collect()));
    }
    if contains(out, root) {
        let message = format!(
            "nothing can be built in `{}`: the Nest stands in it; choose another folder with `--out`",
            out.display()
        );
        return Err(BuildError::Output(io::Error::new(io::ErrorKind::AlreadyExists, message)));
    }
    let mut previous = previous(out);
    loop {
        let build = loaded.compiler.build_after(options, &previous).map_err(BuildError::Nest)?;
        let mut entries = build.manifest.entries.iter();
        if options.components.is_some() && !entries.any(|entry| entry.kind == EntryKind::Mothergoose) {
            return Err(BuildError::NoInstallation);
        }
        if let Some(Done { written, states }) = write_after(&build, out, &previous)? {
            return Ok(Built { build, written, states });
        }
        // The folder is no longer what it was a moment ago, so nothing of it can be left as it is.
        previous = Previous::default();
    }
}

/// Reads a Nest and builds it; see [`build`].
pub fn build_nest(root: &Path, out: &Path, backend: Option<Backend>) -> (Loaded, Result<Built, BuildError>) {
    let loaded = load(root);
    let built = build(&loaded, root, out, &Options { backend, ..Options::default() });
    (loaded, built)
}

/// Whether `outer` is `inner` or a folder above it.
fn contains(outer: &Path, inner: &Path) -> bool {
    match (outer.canonicalize(), inner.canonicalize()) {
        (Ok(outer), Ok(inner)) => inner.starts_with(outer),
        // One of them isn't there, so it holds nothing.
        _ => false,
    }
}
