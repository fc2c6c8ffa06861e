//! A build that changes much, made whole beside its place and exchanged with the old one in one step: whenever it is
//! interrupted, one whole build stands there.
//!
//! What is unchanged is linked, not written. What never lives here: folders with files of others in them, which must stay
//! where they are.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use rustc_hash::FxHashSet;

use super::{MANIFEST, Step, beside, link_or_copy, lock, make_parents, sync, write_new};
use crate::build::Build;

/// How many files must change, and that each of so many files does: below that, single files are moved faster.
const PAYS: (usize, usize) = (200, 10);

/// Whether it is worth linking a whole build for the files that change.
pub(super) const fn pays(changed: usize, all: usize) -> bool {
    changed >= PAYS.0 && changed * PAYS.1 >= all
}

/// Whether a folder holds these files, and nothing that is somebody else's.
pub(super) fn is_alone(out: &Path, own: &FxHashSet<&str>) -> io::Result<bool> {
    let mut folders = vec![(out.to_owned(), String::new())];
    while let Some((folder, at)) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { return Ok(false) };
            let path = if at.is_empty() { name } else { format!("{at}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push((entry.path(), path));
            } else if !kind.is_file() || path != MANIFEST && !own.contains(&*path) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Puts the build where the old one is, of which `changed` are written anew; false when this file system can't exchange
/// folders.
pub(super) fn exchange(
    build: &Build,
    out: &Path,
    changed: &[&str],
    watch: &mut dyn FnMut(Step<'_>) -> io::Result<()>,
) -> io::Result<bool> {
    let (parent, new) = beside(out)?;
    match fs::create_dir(&new) {
        // Only what is in the folder may be changed, not the folder.
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
            return Ok(false);
        }
        made => made?,
    }
    let _lock = lock(&new)?;
    let done = (|| {
        let written: FxHashSet<&str> = changed.iter().copied().collect();
        let all = build.manifest.entries.iter().flat_map(|entry| &entry.files);
        for path in all.filter(|path| !written.contains(path.as_str())) {
            make_parents(&new, path)?;
            link_or_copy(&out.join(path), &new.join(path))?;
        }
        // The manifest comes last, so that every other file is older.
        let (manifest, others): (Vec<&str>, Vec<&str>) = changed.iter().partition(|path| **path == MANIFEST);
        for path in others.into_iter().chain(manifest) {
            watch(Step::Stage(path))?;
            write_new(&new, path, build.files.get(path).map_or("", String::as_str))?;
        }
        watch(Step::Commit)?;
        sync(&new);
        swap(&new, out)
    })();
    // The old build, or a new one that came to nothing.
    let _ = fs::remove_dir_all(&new);
    sync(&parent);
    done
}

#[cfg(target_os = "linux")]
fn swap(one: &Path, other: &Path) -> io::Result<bool> {
    use rustix::{
        fs::{CWD, RenameFlags, renameat_with},
        io::Errno,
    };
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        // The last two: the folder is a mount.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::BUSY | Errno::XDEV) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn swap(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}
