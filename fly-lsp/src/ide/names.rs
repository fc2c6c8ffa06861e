//! Names across the Nest: where one is given, where it is used, and how all of them are changed at once.

use std::{collections::BTreeMap, sync::Arc};

use flyc::{
    compiler::Compiler,
    diag::{Edit, Span},
    model::definitions::NEST_FILE,
    text::{TextRange, TextSize},
};
use rayon::prelude::*;

use super::{
    follow,
    locate::{self, Named, Occurrence, Space},
};

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
    /// It is a word of the language, which has one name.
    #[error("`{name}` is what the language calls it, so it has no other name")]
    Word {
        /// The word.
        name: String,
    },
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
    /// The name is given to another already, or is said of something that is not there.
    #[error("{}", match what {
        Some(what) => format!("there is {what} `{name}` already"),
        None => format!("`{name}` is used already, so it can't be taken"),
    })]
    Taken {
        /// The name.
        name: String,
        /// What is called so; none when the name is only used.
        what: Option<&'static str>,
    },
    /// It is given to several things, of which nobody can say which is meant.
    #[error("`{name}` is given {times} times in this Nest; give each a name of its own first")]
    Ambiguous {
        /// The name.
        name: String,
        /// How often.
        times: usize,
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
    let Some((target, _)) = target(compiler, path, offset) else {
        let word = compiler.parse(path).and_then(|parse| follow::at(parse, offset));
        return word.map_or_else(Vec::new, |word| word.definition(compiler, path));
    };
    spans(compiler, &target, |found| found.is_definition)
}

/// Every place where the thing at an offset stands, with or without where it is defined.
pub fn references(compiler: &Compiler, path: &str, offset: TextSize, definitions: bool) -> Vec<Span> {
    let Some((target, _)) = target(compiler, path, offset) else { return Vec::new() };
    spans(compiler, &target, |found| definitions || !found.is_definition)
}

/// The places of this file where the thing at an offset stands, and whether each defines it.
pub fn highlights(compiler: &Compiler, path: &str, offset: TextSize) -> Vec<(TextRange, bool)> {
    let Some((target, _)) = target(compiler, path, offset) else {
        let found = compiler.parse(path).and_then(|parse| {
            Some(follow::same(parse, &follow::at(parse, offset)?).into_iter().map(|range| (range, false)))
        });
        return found.into_iter().flatten().collect();
    };
    in_file(compiler, &target, path).into_iter().map(|found| (found.range, found.is_definition)).collect()
}

/// The name at an offset that can be changed, or why it can't be.
pub fn prepare_rename(
    compiler: &Compiler,
    path: &str,
    offset: TextSize,
) -> Result<(TextRange, String), RenameError> {
    let (target, at) = target(compiler, path, offset).ok_or_else(|| no_name(compiler, path, offset))?;
    is_one(compiler, &target, &everywhere(compiler, &target))?;
    Ok((at.range, at.named.name))
}

/// Why nothing at an offset has a name that could be changed.
fn no_name(compiler: &Compiler, path: &str, offset: TextSize) -> RenameError {
    let word = compiler.parse(path).and_then(|parse| {
        let range = follow::at(parse, offset).map(|word| word.range);
        let range = range.or_else(|| locate::word_of_language(parse, offset))?;
        Some(parse.text()[range].to_owned())
    });
    word.map_or(RenameError::Nothing, |name| RenameError::Word { name })
}

/// The edits that give the thing at an offset another name everywhere.
pub fn rename(compiler: &Compiler, path: &str, offset: TextSize, name: &str) -> Result<Rename, RenameError> {
    let (target, _) = target(compiler, path, offset).ok_or_else(|| no_name(compiler, path, offset))?;
    let all = everywhere(compiler, &target);
    is_one(compiler, &target, &all)?;
    if target.named.name == name {
        return Ok(Rename::default());
    }
    check_name(compiler, &target, &all, name)?;
    let moves = moves(&all, target.named.space, &target.named.name, name);
    if let Some((what, name)) = taken(compiler, &target, &all, name) {
        return Err(RenameError::Taken { name, what });
    }
    if let Some(name) = meets(compiler, &moves) {
        return Err(RenameError::Taken { name, what: None });
    }
    let mut edits: BTreeMap<Arc<str>, Vec<TextRange>> = BTreeMap::new();
    for (path, found) in all {
        edits.entry(path).or_default().extend(found.into_iter().map(|found| found.range));
    }
    if target.named.space == Space::Egg && !moves.is_empty() {
        for (path, ranges) in folders(compiler, &target.named.name) {
            edits.entry(path).or_default().extend(ranges);
        }
    }
    let files = edits.into_iter().map(|(path, mut ranges)| {
        ranges.sort_by_key(|range| range.start());
        ranges.dedup();
        let edits = ranges.into_iter().map(|range| Edit { range, text: name.to_owned() }).collect();
        FileEdit { path, edits }
    });
    Ok(Rename { files: files.collect(), moves })
}

/// Whether exactly one thing has the name.
fn is_one(
    compiler: &Compiler,
    target: &Target,
    all: &[(Arc<str>, Vec<Occurrence>)],
) -> Result<(), RenameError> {
    let count = |all: &[(Arc<str>, Vec<Occurrence>)]| {
        all.iter().flat_map(|(_, found)| found).filter(|found| found.is_definition).count()
    };
    // Where nobody says of which bucket a repository is, any other of that name may be meant.
    let is_vague = |found: &Occurrence| found.named.of.is_empty();
    let of_any = target.named.space == Space::Repository
        && !target.named.of.is_empty()
        && all.iter().flat_map(|(_, found)| found).any(is_vague);
    let times = if of_any {
        let named = Named { of: String::new(), ..target.named.clone() };
        count(&everywhere(compiler, &Target { named, only_in: None }))
    } else {
        count(all)
    };
    let name = target.named.name.clone();
    match times {
        // What gives a variable its value in `nest.fly` gives it no name.
        0 => Err(RenameError::Undefined { name }),
        1 => Ok(()),
        times => Err(RenameError::Ambiguous { name, times }),
    }
}

/// What has the new name, is meant by it somewhere, or would be hidden by it: what it is, unless the name is only used, and
/// the name as it is written there.
fn taken(
    compiler: &Compiler,
    target: &Target,
    all: &[(Arc<str>, Vec<Occurrence>)],
    name: &str,
) -> Option<(Option<&'static str>, String)> {
    let space = target.named.space;
    let same = |other: &str| match space {
        // These become names of files and of machines, where upper and lower case may be one.
        Space::Egg | Space::Job | Space::Rift => other.eq_ignore_ascii_case(name),
        _ => other == name,
    };
    let there = |compiler: &Compiler, path: &str| {
        let parse = compiler.parse(path)?;
        let found = locate::occurrences(parse).into_iter();
        // A change of nothing but the case meets itself.
        let old = &target.named.name;
        let of = &target.named.of;
        let is_there = |one: &Named| one.of == *of || one.of.is_empty() || of.is_empty();
        let meant = |one: &Occurrence| {
            one.named.space == space
                && same(&one.named.name)
                && one.named.name != *old
                && is_there(&one.named)
        };
        // Where it is given says more than where it is used.
        let one = found.filter(meant).max_by_key(|one| one.is_definition)?;
        let what = one.is_definition.then(|| locate::noun_of(parse, space, one.range));
        Some((what, one.named.name))
    };
    match (&target.only_in, space) {
        // A local of one file may hide one of the Nest that the file does not use.
        (Some(file), _) => there(compiler, file),
        // One of the Nest is hidden where a file has a local of its own of that name.
        (None, Space::Local) => {
            let mut paths = std::iter::once(NEST_FILE).chain(all.iter().map(|(path, _)| &**path));
            paths.find_map(|path| there(compiler, path))
        }
        (None, _) => {
            let paths: Vec<_> = compiler.paths().cloned().collect();
            let lower = name.to_ascii_lowercase();
            // A look at the text spares nearly every file.
            let found = paths.into_par_iter().map_with(compiler.clone(), |compiler, path| {
                let text = compiler.text(&path);
                text.filter(|text| text.to_ascii_lowercase().contains(&lower))?;
                there(compiler, &path)
            });
            let found: Vec<_> = found.flatten().collect();
            found.into_iter().rev().max_by_key(|(what, _)| what.is_some())
        }
    }
}

/// Where something stands already to which a file or folder would move.
fn meets(compiler: &Compiler, moves: &[(String, String)]) -> Option<String> {
    let met = moves.iter().find(|(from, to)| {
        let mut paths = compiler.paths().filter(|path| !within(path, from));
        let lower = to.to_ascii_lowercase();
        paths.any(|path| within(&path.to_ascii_lowercase(), &lower))
    });
    met.map(|(_, to)| to.clone())
}

fn within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where files read others in the folder of an egg: the folder's name in each path.
fn folders(compiler: &Compiler, name: &str) -> Vec<(Arc<str>, Vec<TextRange>)> {
    let folder = format!("Eggs/{name}/");
    let paths: Vec<_> = compiler.paths().cloned().collect();
    let found = paths.into_par_iter().map_with(compiler.clone(), |compiler, path| {
        let text = compiler.text(&path).filter(|text| text.contains(&folder));
        let parse = text.and_then(|_| compiler.parse(&path));
        let ranges = parse.map(|parse| locate::paths_into(parse, &folder)).unwrap_or_default();
        (path, ranges)
    });
    found.filter(|(_, ranges)| !ranges.is_empty()).collect()
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
        _ => None,
    });
    renamed.collect()
}

fn check_name(
    compiler: &Compiler,
    target: &Target,
    all: &[(Arc<str>, Vec<Occurrence>)],
    name: &str,
) -> Result<(), RenameError> {
    let given = all.iter().find_map(|(path, found)| {
        let given = found.iter().find(|one| one.is_definition)?;
        Some(locate::noun_of(compiler.parse(path)?, target.named.space, given.range))
    });
    let what = given.unwrap_or_else(|| target.named.space.noun(""));
    let wrong = |why| Err(RenameError::Form { name: name.to_owned(), what, why });
    if target.named.space.is_text() {
        let is_plain = |c: char| !c.is_control() && !matches!(c, '"' | '\\');
        return if name.trim().is_empty() {
            wrong("it says nothing")
        } else if !name.chars().all(is_plain) || name.contains("${") {
            wrong("it is a text on one line, without `\"`, `\\` and `${`")
        } else {
            Ok(())
        };
    }
    let identifier = matches!(target.named.space, Space::Local | Space::Variable);
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
    // `egg.my-app-2` is read as a name as well; `egg.2-app` and `egg.my--app` are not.
    let bare = all.iter().flat_map(|(_, found)| found).any(|found| found.is_bare && !identifier);
    let joined =
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.split('-').all(|part| !part.is_empty());
    if bare && !joined {
        return wrong(
            "it is used without quotes, where a name begins with a letter and has no `-` at its end or twice",
        );
    }
    Ok(())
}

/// What stands at an offset, and where.
fn target(compiler: &Compiler, path: &str, offset: TextSize) -> Option<(Target, Occurrence)> {
    let parse = compiler.parse(path)?;
    let at = locate::at(parse, offset)?;
    let own = |found: &Occurrence| found.is_definition && found.named == at.named;
    let of_file = match at.named.space {
        Space::Local => path != NEST_FILE && locate::occurrences(parse).iter().any(own),
        space => space.is_of_file(),
    };
    let only_in = of_file.then(|| Arc::from(path));
    Some((Target { named: at.named.clone(), only_in }, at))
}

/// The places of one file.
fn in_file(compiler: &Compiler, target: &Target, path: &str) -> Vec<Occurrence> {
    let Some(parse) = compiler.parse(path) else { return Vec::new() };
    let mut found = locate::occurrences(parse);
    found.retain(|found| found.named.may_be(&target.named));
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
