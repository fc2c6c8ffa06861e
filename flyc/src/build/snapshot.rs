//! A Nest as two states of it are compared: what can be built of it, and what its errors leave unknown.
//!
//! What never lives here: the comparison (`plan`), and how a piece is made (`pieces`).

use super::{Build, Options, Part, Previous, finish, parts_of, pieces::defect, placed_files};
use crate::{
    artifact::{BlockConfig, EntryKind},
    check::check_file,
    config::{block_config, silent_nest},
    db::{Database, Nest, SourceFile},
    diag::{Diagnostic, Severity},
    model::{definitions::NEST_FILE, outline, typed},
};

/// What is known of a Nest.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// What can be built; everything, when the Nest checks clean.
    pub build: Build,
    /// What the Nest says of itself.
    pub nest: BlockConfig,
    /// What stands in the Nest but in a file with errors, so that nobody knows what it would be.
    pub unknown: Vec<Unknown>,
}

/// Something whose configuration is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What it is.
    pub kind: EntryKind,
    /// Its name.
    pub name: String,
    /// The `.fly` file it stands in.
    pub source_file: String,
}

/// What can be built of a Nest, whether it has errors or not. What stands in a file with an error is left out as a
/// whole: a misspelt attribute would otherwise be taken for its default.
pub fn snapshot(db: &Database, nest: Nest, options: &Options) -> Result<Snapshot, Vec<Diagnostic>> {
    let (sound, broken): (Vec<SourceFile>, Vec<SourceFile>) =
        placed_files(db, nest).into_iter().partition(|&file| {
            check_file(db, file).iter().all(|diagnostic| diagnostic.severity() != Severity::Error)
        });
    let mut pieces = Vec::new();
    let mut failed = Vec::new();
    let previous = Previous::default();
    for part in parts_of(db, nest, &sound, *options, &previous) {
        match part {
            Ok(part) => pieces.push(part),
            Err(error) => failed.push(error.span.file.clone()),
        }
    }
    let mut unknown = Vec::new();
    let incomplete = sound.iter().copied().filter(|file| failed.contains(file.path(db)));
    for file in broken.iter().copied().chain(incomplete) {
        let path = file.path(db);
        for block in outline(db, file).blocks.iter() {
            let Some((kind, name)) = block.keyword.and_then(|keyword| entry(keyword, block.label.as_deref()))
            else {
                continue;
            };
            let is_it = |part: &Part| match part {
                Part::New { piece, .. } => piece.kind == kind && piece.name == name,
                Part::Kept(entry) => entry.kind == kind && entry.name == name,
            };
            if !pieces.iter().any(is_it) {
                unknown.push(Unknown { kind, name, source_file: path.to_string() });
            }
        }
    }
    unknown.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    unknown.dedup_by(|a, b| (a.kind, &a.name) == (b.kind, &b.name));
    let build = finish(db, nest, pieces, &previous).map_err(|error| vec![defect(&error.to_string())])?;
    let file = nest.find(db, NEST_FILE).filter(|file| sound.contains(file));
    let own = file.and_then(|file| typed(db, file).blocks.iter().find(|block| block.name == "nest"));
    Ok(Snapshot { build, nest: own.map_or_else(silent_nest, block_config), unknown })
}

/// The entry that a block at the top of a file gives to the manifest.
fn entry(keyword: &str, label: Option<&str>) -> Option<(EntryKind, String)> {
    let kind = match keyword {
        "egg" => EntryKind::Egg,
        "eggsbucket" => EntryKind::Bucket,
        "job" => EntryKind::Job,
        "rift" => EntryKind::Rift,
        "uglyfox" => return Some((EntryKind::Uglyfox, keyword.to_owned())),
        "mothergoose" => return Some((EntryKind::Mothergoose, keyword.to_owned())),
        _ => return None,
    };
    Some((kind, label?.to_owned()))
}
