//! Names across the Nest: where one is given, where it is used, and how all of them are changed at once.

use std::sync::Arc;

use flyc::{
    compiler::Compiler,
    diag::{Edit, Span},
    model::definitions::NEST_FILE,
    text::{TextRange, TextSize},
};
use rayon::prelude::*;

use super::locate::{self, Named, Occurrence, Space};

/// The edits of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEdit {
    /// Its path.
    pub path: Arc<str>,
    /// The edits, by position; none overlaps another.
    pub edits: Vec<Edit>,
}

/// What a new name changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rename {
    /// The texts that change, before any file moves.
    pub files: Vec<FileEdit>,
    /// Files and folders that move, each from and to a path relative to the Nest.
    pub moves: Vec<(String, String)>,
}

/// Why a name can't be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// There is no name at this place.
    #[error("nothing with a name stands here")]
    Nothing,
    /// The name would not be one.
    #[error("`{name}` can't name {what}: {why}")]
    Form {
        /// The new name.
        name: String,
        /// What would be called so.
        what: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// The name is given to another already.
    #[error("there is {what} `{name}` already")]
    Taken {
        /// The name.
        name: String,
        /// What is called so.
        what: &'static str,
    },
    /// It is defined nowhere, so renaming it would not keep what the Nest means.
    #[error("`{name}` is defined nowhere in this Nest")]
    Undefined {
        /// The name.
        name: String,
    },
}

/// A name with the file whose own it is, for locals of one file.
#[derive(Debug)]
struct Target {
    named: Named,
    /// For a local of one file: that file.
    only_in: Option<Arc<str>>,
}

/// Where the thing at an offset is defined.
pub fn definition(compiler: &Compiler, path: &str, offset: TextSize) -> Vec<Span> {
    let Some((target, _)) = target(compiler, path, offset) else { return Vec::new() };
    spans(compiler, &target, |found| found.is_definition)
}

/// Every place where the thing at an offset stands, with or without where it is defined.
pub fn references(compiler: &Compiler, path: &str, offset: TextSize, definitions: bool) -> Vec<Span> {
    let Some((target, _)) = target(compiler, path, offset) else { return Vec::new() };
    spans(compiler, &target, |found| definitions || !found.is_definition)
}

/// The places of this file where the thing at an offset stands, and whether each defines it.
pub fn highlights(compiler: &Compiler, path: &str, offset: TextSize) -> Vec<(TextRange, bool)> {
    let Some((target, _)) = target(compiler, path, offset) else { return Vec::new() };
    in_file(compiler, &target, path).into_iter().map(|found| (found.range, found.is_definition)).collect()
}

/// The name at an offset that can be changed.
pub fn prepare_rename(compiler: &Compiler, path: &str, offset: TextSize) -> Option<(TextRange, String)> {
    let (target, at) = target(compiler, path, offset)?;
    is_defined(compiler, &target).then_some((at.range, at.named.name))
}

/// The edits that give the thing at an offset another name everywhere.
pub fn rename(compiler: &Compiler, path: &str, offset: TextSize, name: &str) -> Result<Rename, RenameError> {
    let (target, _) = target(compiler, path, offset).ok_or(RenameError::Nothing)?;
    if !is_defined(compiler, &target) {
        return Err(RenameError::Undefined { name: target.named.name });
    }
    if target.named.name == name {
        return Ok(Rename::default());
    }
    let all = everywhere(compiler, &target);
    check_name(&target, &all, name)?;
    let taken = Target { named: Named { name: name.to_owned(), ..target.named.clone() }, ..target };
    let visible = |target: &Target| match &target.only_in {
        // A local of one file may be hidden by, or hide, one of the Nest.
        Some(file) => {
            !in_file(compiler, target, file).is_empty() || !in_file(compiler, target, NEST_FILE).is_empty()
        }
        None => {
            everywhere(compiler, target).iter().any(|(_, found)| found.iter().any(|one| one.is_definition))
        }
    };
    if visible(&taken) {
        return Err(RenameError::Taken { name: name.to_owned(), what: taken.named.space.noun() });
    }
    let moves = moves(&all, taken.named.space, &target_name(&all), name);
    let files = all
        .into_iter()
        .map(|(path, found)| {
            let edit = |found: Occurrence| Edit { range: found.range, text: name.to_owned() };
            let mut edits: Vec<Edit> = found.into_iter().map(edit).collect();
            edits.sort_by_key(|edit| edit.range.start());
            edits.dedup();
            FileEdit { path, edits }
        })
        .collect();
    Ok(Rename { files, moves })
}

fn target_name(all: &[(Arc<str>, Vec<Occurrence>)]) -> String {
    all.iter().flat_map(|(_, found)| found).next().map_or_else(String::new, |found| found.named.name.clone())
}

/// The folder or file that carries the name of an egg or job, when it is its own.
fn moves(all: &[(Arc<str>, Vec<Occurrence>)], space: Space, old: &str, new: &str) -> Vec<(String, String)> {
    let defined = all.iter().filter(|(_, found)| found.iter().any(|one| one.is_definition));
    let renamed = defined.filter_map(|(path, _)| match space {
        Space::Egg => (**path == *format!("Eggs/{old}/config.fly"))
            .then(|| (format!("Eggs/{old}"), format!("Eggs/{new}"))),
        Space::Job => {
            (**path == *format!("Jobs/{old}.fly")).then(|| (path.to_string(), format!("Jobs/{new}.fly")))
        }
        Space::Rift | Space::Local | Space::Variable | Space::Profile => None,
    });
    renamed.collect()
}

fn check_name(target: &Target, all: &[(Arc<str>, Vec<Occurrence>)], name: &str) -> Result<(), RenameError> {
    let what = target.named.space.noun();
    let wrong = |why| Err(RenameError::Form { name: name.to_owned(), what, why });
    let identifier = matches!(target.named.space, Space::Local | Space::Variable | Space::Profile);
    let begins = |c: char| c.is_ascii_alphabetic() || if identifier { c == '_' } else { c.is_ascii_digit() };
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_' || !identifier && c == '-';
    if !name.starts_with(begins) || !name.chars().all(goes_on) {
        return wrong(if identifier {
            "it is letters, digits and `_`, and begins with no digit"
        } else {
            "it is letters, digits, `-` and `_`, and begins with a letter or digit"
        });
    }
    if name.len() > 63 {
        return wrong("it has more than 63 characters");
    }
    // `egg.my-app` is read as a name as well, but a digit at its beginning is not.
    let bare = all.iter().flat_map(|(_, found)| found).any(|found| found.is_bare && !found.is_definition);
    if bare && name.starts_with(|c: char| c.is_ascii_digit()) {
        return wrong("it is used without quotes, where a name begins with a letter");
    }
    Ok(())
}

/// What stands at an offset, and where.
fn target(compiler: &Compiler, path: &str, offset: TextSize) -> Option<(Target, Occurrence)> {
    let parse = compiler.parse(path)?;
    let at = locate::at(parse, offset)?;
    let own = |found: &Occurrence| found.is_definition && found.named == at.named;
    let only_in = (at.named.space == Space::Local && path != NEST_FILE)
        .then(|| locate::occurrences(parse).iter().any(own))
        .filter(|own| *own)
        .map(|_| Arc::from(path));
    Some((Target { named: at.named.clone(), only_in }, at))
}

fn is_defined(compiler: &Compiler, target: &Target) -> bool {
    everywhere(compiler, target).iter().any(|(_, found)| found.iter().any(|found| found.is_definition))
}

/// The places of one file.
fn in_file(compiler: &Compiler, target: &Target, path: &str) -> Vec<Occurrence> {
    let Some(parse) = compiler.parse(path) else { return Vec::new() };
    let mut found = locate::occurrences(parse);
    found.retain(|found| found.named == target.named);
    // What a file gives itself hides what `nest.fly` gives.
    let hides = target.named.space == Space::Local && path != NEST_FILE && target.only_in.is_none();
    if hides && found.iter().any(|found| found.is_definition) {
        found.clear();
    }
    found
}

/// The places of the whole Nest, by file.
fn everywhere(compiler: &Compiler, target: &Target) -> Vec<(Arc<str>, Vec<Occurrence>)> {
    if let Some(file) = &target.only_in {
        return vec![(file.clone(), in_file(compiler, target, file))];
    }
    let paths: Vec<_> = compiler.paths().cloned().collect();
    paths
        .into_par_iter()
        .map_with(compiler.clone(), |compiler, path| {
            // A look at the text spares nearly every file.
            let text = compiler.text(&path).filter(|text| text.contains(&target.named.name));
            let found = text.map(|_| in_file(compiler, target, &path)).unwrap_or_default();
            (path, found)
        })
        .filter(|(_, found)| !found.is_empty())
        .collect()
}

fn spans(compiler: &Compiler, target: &Target, wanted: impl Fn(&Occurrence) -> bool) -> Vec<Span> {
    let all = everywhere(compiler, target).into_iter();
    all.flat_map(|(path, found)| {
        let mut ranges: Vec<_> =
            found.iter().filter(|found| wanted(found)).map(|found| found.range).collect();
        ranges.sort_by_key(|range| range.start());
        ranges.into_iter().map(move |range| Span::new(path.clone(), range))
    })
    .collect()
}
