//! Files that are moved: an egg or job whose folder or file carries its name is called by the new one.
//!
//! What never lives here: how a name is changed (`names`), and the moving itself, which the editor does.

use flyc::compiler::Compiler;

use super::{
    locate::{self, Space},
    names::{FileEdit, rename},
};

/// The edits that the rest of the Nest needs before a file or folder is moved, given its path and the new one, both
/// relative to the Nest. None when nothing is called by it, or when the new name could not be given: the move is the
/// user's, and what is wrong with it is told where it is wrong.
pub fn moved(compiler: &Compiler, from: &str, to: &str) -> Vec<FileEdit> {
    let (Some((space, old, path)), Some((new_space, new, _))) = (named(from), named(to)) else {
        return Vec::new();
    };
    if space != new_space || old == new {
        return Vec::new();
    }
    let Some(parse) = compiler.parse(&path) else { return Vec::new() };
    let own = locate::occurrences(parse)
        .into_iter()
        .find(|found| found.is_definition && found.named.space == space && found.named.name == old);
    let renamed = own.and_then(|own| rename(compiler, &path, own.range.start(), new).ok());
    renamed.map_or_else(Vec::new, |renamed| renamed.files)
}

/// What a path names: an egg by its folder or the file in it, a job by its file; with the file that defines it.
fn named(path: &str) -> Option<(Space, &str, String)> {
    let path = path.trim_end_matches('/');
    if let Some(job) = path.strip_prefix("Jobs/").and_then(|file| file.strip_suffix(".fly")) {
        return (!job.contains('/')).then(|| (Space::Job, job, path.to_owned()));
    }
    let egg = path.strip_prefix("Eggs/")?;
    let egg = egg.strip_suffix("/config.fly").unwrap_or(egg);
    (!egg.is_empty() && !egg.contains('/')).then(|| (Space::Egg, egg, format!("Eggs/{egg}/config.fly")))
}
