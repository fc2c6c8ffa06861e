//! What a build consists of: the whole Nest as the texts of files, and their table of contents.
//!
//! Everything here is pure: the same Nest always gives the same bytes. What never lives here: how one egg is lowered
//! (`lower`), and the file system (`host`).

mod digest;
mod pieces;
mod snapshot;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use fly_std::schema::Place;
use rayon::prelude::*;

use crate::{
    artifact::{Artifact, ArtifactError, Entry, EntryKind, Manifest, Provider},
    config::nest_defaults,
    db::{Database, Nest, SourceFile},
    diag::Diagnostic,
    lower::{self, Backend, File},
};

pub use digest::source_digest;
pub use snapshot::{Snapshot, Unknown, snapshot};

/// The name of the table of contents, which is also what tells a folder that was built from any other.
pub const MANIFEST: &str = "manifest.json";

/// The name of the file in a built folder that tells where its parts come from. No digest counts it: it changes when a
/// block merely moves within its `.fly` file.
pub const SOURCE_MAP: &str = "source-map.json";

/// What a build depends on beside the Nest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Where `OpenTofu` keeps state; none means what each egg's cloud uses.
    pub backend: Option<Backend>,
}

/// A built Nest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The files, by their path relative to the build with `/`; the manifest is among them.
    pub files: BTreeMap<String, String>,
    /// What they are.
    pub manifest: Manifest,
    /// What is not lowered all the way, in the manifest's order.
    pub skipped: Vec<Skipped>,
}

/// Something of the Nest of which the build holds less than it could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What it is.
    pub kind: EntryKind,
    /// Its name.
    pub name: String,
    /// The `.fly` file it stands in.
    pub source_file: String,
    /// What is missing, and what is there.
    pub reason: &'static str,
}

/// Something that was built.
struct Piece {
    kind: EntryKind,
    name: String,
    /// Its folder or file.
    folder: String,
    source_file: String,
    files: Vec<File>,
    /// The cloud whose Compute Module its files call.
    cloud: Option<Provider>,
    skipped: Option<&'static str>,
}

/// Builds a Nest that checks clean. The errors are those that only building can find.
pub fn nest(db: &Database, nest: Nest, options: &Options) -> Result<Build, Vec<Diagnostic>> {
    let files = placed_files(db, nest);
    let pieces = pieces_of(db, nest, &files, *options);
    let mut built = Vec::with_capacity(pieces.len());
    let mut errors = Vec::new();
    for piece in pieces {
        match piece {
            Ok(piece) => built.push(piece),
            Err(error) => errors.push(*error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    finish(db, nest, built).map_err(|error| vec![pieces::defect(&error.to_string())])
}

/// The files that can hold something to build. One that stands nowhere in particular is checked, but never built.
fn placed_files(db: &Database, nest: Nest) -> Vec<SourceFile> {
    nest.files(db).iter().copied().filter(|file| Place::of(file.path(db)).is_some()).collect()
}

/// What the files give to the build, in their order.
fn pieces_of(
    db: &Database,
    nest: Nest,
    files: &[SourceFile],
    options: Options,
) -> Vec<Result<Piece, Box<Diagnostic>>> {
    let name = nest_defaults(db, nest).name.to_string();
    let lowering = lower::Options { nest: name, backend: options.backend };
    let part = files.len().div_ceil(rayon::current_num_threads() * 4).max(1);
    files
        .par_chunks(part)
        .map_with(db.clone(), |db, files| {
            files.iter().flat_map(|&file| pieces::of_file(db, file, &lowering)).collect::<Vec<_>>()
        })
        .flatten_iter()
        .collect()
}

/// The build of these pieces, with the Compute Modules they call.
fn finish(db: &Database, nest: Nest, mut built: Vec<Piece>) -> Result<Build, ArtifactError> {
    let clouds: BTreeSet<Provider> = built.iter().filter_map(|piece| piece.cloud).collect();
    built.extend(clouds.into_iter().map(compute_module));
    let defaults = nest_defaults(db, nest);
    let texts: Vec<(&Arc<str>, &Arc<str>)> =
        nest.files(db).iter().map(|file| (file.path(db), file.text(db))).collect();
    let digest = digest::of(texts.iter().map(|(path, text)| (&***path, &***text)));
    let manifest = Manifest::new(defaults.edition.to_string(), env!("CARGO_PKG_VERSION"), digest);
    let sources: HashMap<&str, &str> = texts.iter().map(|(path, text)| (&***path, &***text)).collect();
    assemble(built, manifest, &sources)
}

fn compute_module(provider: Provider) -> Piece {
    Piece {
        kind: EntryKind::ComputeModule,
        name: provider.name().to_owned(),
        folder: format!("compute-module/{}", provider.name()),
        source_file: String::new(),
        files: lower::compute_module(provider),
        cloud: None,
        skipped: None,
    }
}

/// Puts the pieces together; their order doesn't matter.
fn assemble(
    mut pieces: Vec<Piece>,
    mut manifest: Manifest,
    sources: &HashMap<&str, &str>,
) -> Result<Build, ArtifactError> {
    pieces.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    let mut files = BTreeMap::new();
    let mut skipped = Vec::new();
    for mut piece in pieces {
        piece.files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let counted = piece.files.iter().filter(|(path, _)| !path.ends_with(SOURCE_MAP));
        let digest = digest::of(counted.map(|(path, text)| (path.as_str(), text.as_str())));
        if let Some(reason) = piece.skipped {
            skipped.push(Skipped {
                kind: piece.kind,
                name: piece.name.clone(),
                source_file: piece.source_file.clone(),
                reason,
            });
        }
        let source_digest =
            sources.get(&*piece.source_file).map(|text| source_digest(text)).unwrap_or_default();
        manifest.entries.push(Entry {
            kind: piece.kind,
            name: piece.name,
            digest,
            folder: piece.folder,
            source_digest,
            source_file: piece.source_file,
            files: piece.files.iter().map(|(path, _)| path.clone()).collect(),
        });
        files.extend(piece.files);
    }
    let text = manifest.to_json()?;
    files.insert(MANIFEST.to_owned(), text);
    Ok(Build { files, manifest, skipped })
}
