//! What a build consists of: the whole Nest as the texts of files, and their table of contents.
//!
//! Everything here is pure: the same Nest always gives the same bytes. What never lives here: how one egg is lowered
//! (`lower`), and the file system (`host`).

mod digest;
mod pieces;
mod previous;
mod snapshot;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use fly_std::schema::Place;
use rayon::prelude::*;

use crate::{
    artifact::{Artifact, ArtifactError, Components, Entry, EntryKind, Manifest},
    config::nest_defaults,
    db::{Database, Nest, SourceFile},
    diag::Diagnostic,
    lower::{self, Backend, ComputeModule, File},
};

pub use digest::source_digest;
use previous::Common;
pub use previous::Previous;
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
    /// What of the installation is made; none means all of it, if there is one.
    pub components: Option<Components>,
}

/// A built Nest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The files, by their path relative to the build with `/`; the manifest is among them.
    pub files: BTreeMap<String, String>,
    /// What they are.
    pub manifest: Manifest,
    /// What of the manifest stays as the last build made it, so that its files are not among `files`.
    pub kept: Option<Kept>,
}

/// What a build leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The digest of the last build's manifest: the folder must still be in that state when this build is written.
    pub manifest_digest: String,
    /// How many files there are.
    pub files: usize,
}

/// Something that was built.
struct Piece {
    kind: EntryKind,
    name: String,
    /// Its folder or file.
    folder: String,
    source_file: String,
    files: Vec<File>,
    /// The Compute Module its files call.
    module: Option<ComputeModule>,
}

/// A piece, or what stays of the last build in its place.
enum Part {
    New {
        piece: Piece,
        /// The digest of what it was made from; empty when nobody kept account of that.
        input_digest: String,
    },
    Kept(Entry),
}

/// Builds a Nest that checks clean. The errors are those that only building can find.
///
/// What the `previous` build has made of the same inputs is left as it is.
pub fn nest(
    db: &Database,
    nest: Nest,
    options: &Options,
    previous: &Previous,
) -> Result<Build, Vec<Diagnostic>> {
    let files = placed_files(db, nest);
    let parts = parts_of(db, nest, &files, *options, previous);
    let mut built = Vec::with_capacity(parts.len());
    let mut errors = Vec::new();
    for part in parts {
        match part {
            Ok(part) => built.push(part),
            Err(error) => errors.push(*error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    finish(db, nest, built, previous).map_err(|error| vec![pieces::defect(&error.to_string())])
}

/// What the build of a Nest that checks clean holds of one file: its own files by path, then the Compute Modules that they
/// call.
pub fn of_file(
    db: &Database,
    nest: Nest,
    file: SourceFile,
    options: &Options,
) -> Result<Vec<File>, Vec<Diagnostic>> {
    if Place::of(file.path(db)).is_none() {
        return Ok(Vec::new());
    }
    let lowering =
        lower::Options { nest: nest_defaults(db, nest).name.to_string(), backend: options.backend };
    let (mut files, mut modules, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for piece in pieces::of_file(db, file, &lowering, options.components.unwrap_or_default()) {
        match piece {
            Ok(piece) => {
                files.extend(piece.files);
                modules.extend(piece.module.filter(|module| !modules.contains(module)));
            }
            Err(error) => errors.push(*error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    files.extend(modules.into_iter().flat_map(lower::compute_module));
    Ok(files)
}

/// The files that can hold something to build. One that stands nowhere in particular is checked, but never built.
fn placed_files(db: &Database, nest: Nest) -> Vec<SourceFile> {
    nest.files(db).iter().copied().filter(|file| Place::of(file.path(db)).is_some()).collect()
}

/// What the files give to the build, in their order.
fn parts_of(
    db: &Database,
    nest: Nest,
    files: &[SourceFile],
    options: Options,
    previous: &Previous,
) -> Vec<Result<Part, Box<Diagnostic>>> {
    let name = nest_defaults(db, nest).name.to_string();
    let lowering = lower::Options { nest: name, backend: options.backend };
    let common = Common::new(db, nest, &lowering);
    let of_file = |db: &Database, file: SourceFile| -> Vec<Result<Part, Box<Diagnostic>>> {
        let inputs = common.inputs(db, file);
        if let Some(inputs) = &inputs
            && let Some(entries) = previous.entries(file.path(db), inputs)
        {
            return entries.into_iter().map(|entry| Ok(Part::Kept(entry))).collect();
        }
        let input_digest = inputs.map(|inputs| inputs.digest).unwrap_or_default();
        let new = |piece| Part::New { piece, input_digest: input_digest.clone() };
        pieces::of_file(db, file, &lowering, options.components.unwrap_or_default())
            .into_iter()
            .map(|piece| piece.map(new))
            .collect()
    };
    let part = files.len().div_ceil(rayon::current_num_threads() * 4).max(1);
    files
        .par_chunks(part)
        .map_with(db.clone(), |db, files| {
            files.iter().flat_map(|&file| of_file(db, file)).collect::<Vec<_>>()
        })
        .flatten_iter()
        .collect()
}

/// The build of these parts, with the Compute Modules they call.
fn finish(
    db: &Database,
    nest: Nest,
    mut built: Vec<Part>,
    previous: &Previous,
) -> Result<Build, ArtifactError> {
    let calls = |module: &ComputeModule| {
        let folder = module_folder(*module);
        built.iter().any(|part| match part {
            Part::New { piece, .. } => piece.module == Some(*module),
            Part::Kept(entry) => entry.modules.contains(&folder),
        })
    };
    let modules: Vec<ComputeModule> = ComputeModule::ALL.into_iter().filter(calls).collect();
    let module = |module| Part::New { piece: compute_module(module), input_digest: String::new() };
    built.extend(modules.into_iter().map(module));
    let defaults = nest_defaults(db, nest);
    let texts: Vec<(&Arc<str>, &Arc<str>)> =
        nest.files(db).iter().map(|file| (file.path(db), file.text(db))).collect();
    let digest = digest::of(texts.iter().map(|(path, text)| (&***path, &***text)));
    let manifest = Manifest::new(defaults.edition.to_string(), env!("CARGO_PKG_VERSION"), digest);
    let sources: HashMap<&str, &str> = texts.iter().map(|(path, text)| (&***path, &***text)).collect();
    assemble(built, manifest, &sources, previous)
}

fn module_folder(module: ComputeModule) -> String {
    format!("compute-module/{}", module.name())
}

fn compute_module(module: ComputeModule) -> Piece {
    Piece {
        kind: EntryKind::ComputeModule,
        name: module.name().to_owned(),
        folder: module_folder(module),
        source_file: String::new(),
        files: lower::compute_module(module),
        module: None,
    }
}

/// Puts the parts together; their order doesn't matter.
fn assemble(
    parts: Vec<Part>,
    mut manifest: Manifest,
    sources: &HashMap<&str, &str>,
    previous: &Previous,
) -> Result<Build, ArtifactError> {
    let mut files = BTreeMap::new();
    let mut kept = 0;
    for part in parts {
        let (mut piece, input_digest) = match part {
            Part::New { piece, input_digest } => (piece, input_digest),
            Part::Kept(entry) => {
                kept += entry.files.len();
                manifest.entries.push(entry);
                continue;
            }
        };
        piece.files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let counted = piece.files.iter().filter(|(path, _)| !path.ends_with(SOURCE_MAP));
        let digest = digest::of(counted.map(|(path, text)| (path.as_str(), text.as_str())));
        manifest.entries.push(Entry {
            kind: piece.kind,
            name: piece.name,
            digest,
            folder: piece.folder,
            source_digest: sources
                .get(&*piece.source_file)
                .map(|text| source_digest(text))
                .unwrap_or_default(),
            source_file: piece.source_file,
            input_digest,
            modules: piece.module.into_iter().map(module_folder).collect(),
            files: piece.files.iter().map(|(path, _)| path.clone()).collect(),
        });
        files.extend(piece.files);
    }
    manifest.entries.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    let text = manifest.to_json()?;
    files.insert(MANIFEST.to_owned(), text);
    let kept = (kept > 0).then(|| Kept { manifest_digest: previous.digest().to_owned(), files: kept });
    Ok(Build { files, manifest, kept })
}
