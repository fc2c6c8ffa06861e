//! Which files of a build are on disk as they should be.
//!
//! Reading them all is what a build of a changed egg would spend most of its time on. So a file is not read when the last
//! manifest tells that it was built with this very text, and the file system that nobody has touched it since: the
//! manifest takes its place after all other files, so what was touched later is younger. Who copies a build makes
//! every file younger or older as it comes; then those are read.

use std::{
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{is_plain, refused};
use crate::{
    artifact::{Entry, Manifest},
    build::{Build, MANIFEST, SOURCE_MAP},
};

/// The files whose text on disk is another, or that are not there.
pub(super) fn changed_files<'a>(build: &'a Build, old: &Manifest, out: &Path) -> io::Result<Vec<&'a str>> {
    let placed = fs::symlink_metadata(out.join(MANIFEST)).ok().and_then(|found| touched(&found));
    let known: FxHashMap<&str, &Entry> = old.entries.iter().map(|entry| (&*entry.folder, entry)).collect();
    let as_built = |entry: &&Entry| {
        known.get(&*entry.folder).is_some_and(|old| {
            // An empty digest tells nothing.
            !old.digest.is_empty() && old.digest == entry.digest && old.files == entry.files
        })
    };
    let trusted: FxHashSet<&str> = build
        .manifest
        .entries
        .iter()
        .filter(as_built)
        .flat_map(|entry| &entry.files)
        .map(String::as_str)
        // The digest does not count the source map.
        .filter(|path| !path.ends_with(SOURCE_MAP))
        .collect();
    let changed: Vec<Option<&str>> = build
        .files
        .par_iter()
        .map(|(path, text)| {
            let placed = placed.filter(|_| trusted.contains(path.as_str()));
            Ok((!is_same(&out.join(path), text, placed)?).then_some(path.as_str()))
        })
        .collect::<io::Result<_>>()?;
    Ok(changed.into_iter().flatten().collect())
}

/// For each entry of the manifest in a folder, whether nobody has touched its files since the manifest was placed.
pub(super) fn untouched(out: &Path, manifest: &Manifest) -> Vec<bool> {
    let Some(placed) = fs::symlink_metadata(out.join(MANIFEST)).ok().and_then(|found| touched(&found)) else {
        return Vec::new();
    };
    let is_untouched = |place: &mut PathBuf, path: &str| {
        // One buffer for all of them.
        place.push(path);
        let found = fs::symlink_metadata(&place).ok().filter(Metadata::is_file);
        for _ in 0..path.split('/').count() {
            place.pop();
        }
        found.and_then(|found| touched(&found)).is_some_and(|touched| touched < placed)
    };
    manifest
        .entries
        .par_iter()
        .map_with(out.to_path_buf(), |place, entry| {
            entry.files.iter().all(|path| is_plain(path) && is_untouched(place, path))
        })
        .collect()
}

/// Whether the file is there, an ordinary file, with this very text; without a look at the text when nobody has touched
/// it since the manifest was `placed`.
fn is_same(place: &Path, text: &str, placed: Option<Touched>) -> io::Result<bool> {
    let found = match fs::symlink_metadata(place) {
        Ok(found) => found,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    if found.is_dir() {
        return Err(refused(place, "a file is to be written there, and it is a folder"));
    }
    let same_length = usize::try_from(found.len()).is_ok_and(|length| length == text.len());
    if !found.is_file() || !same_length {
        return Ok(false);
    }
    // Of one and the same tick of the clock nobody knows what was first.
    let untouched = placed.zip(touched(&found)).is_some_and(|(placed, touched)| touched < placed);
    Ok(untouched || fs::read(place)? == text.as_bytes())
}

/// When anything about a file last changed, be it a name: seconds and nanoseconds.
type Touched = (i64, i64);

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems don't tell")]
fn touched(found: &Metadata) -> Option<Touched> {
    use std::os::unix::fs::MetadataExt;
    Some((found.ctime(), found.ctime_nsec()))
}

/// Elsewhere the system does not tell, or what it tells can be set at will.
#[cfg(not(unix))]
fn touched(_: &Metadata) -> Option<Touched> {
    None
}
