//! Files that are moved: an egg or job whose folder or file carries its name is called by the new one.
//!
//! What never lives here: how a name is changed (`names`), and the moving itself, which the editor does.

use flyc::compiler::Compiler;

use super::{
    locate::{self, Space},
    names::{FileEdit, RenameError, rename},
};

/// The edits that the rest of the Nest needs before a file or folder is moved, given its path and the new one, both
/// relative to the Nest. None when nothing is called by it; an error when the new name can't be given.
pub fn moved(compiler: &Compiler, from: &str, to: &str) -> Result<Vec<FileEdit>, RenameError> {
    let (Some((space, old, path)), Some((new_space, new, _))) = (named(from), named(to)) else {
        return Ok(Vec::new());
    };
    if space != new_space || old == new {
        return Ok(Vec::new());
    }
    let Some(parse) = compiler.parse(&path) else { return Ok(Vec::new()) };
    let own = locate::occurrences(parse)
        .into_iter()
        .find(|found| found.is_definition && found.named.space == space && found.named.name == old);
    let Some(own) = own else { return Ok(Vec::new()) };
    Ok(rename(compiler, &path, own.range.start(), new)?.files)
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
