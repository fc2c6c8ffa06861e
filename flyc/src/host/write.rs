//! Writing what was built: only what changed, and all of it or nothing.
//!
//! A folder that isn't there yet is made beside its place and renamed, and one that changes much is exchanged with a new
//! one. In others, every new text is first written to [`STAGE`], together with a journal of what will happen; then the files take their places, each by a rename, with the old
//! one kept until the end; the manifest comes last, and with it the new build holds. What fails on the way is undone, and
//! what a crash left half done is undone (or, behind the manifest, finished) by the next [`write`] or [`recover`].
//!
//! What is no build's stays: state, plans and downloaded providers in the eggs' folders are never touched. What never
//! lives here: what the files are.

use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustc_hash::FxHashSet;
use same_file::Handle;
use serde::{Deserialize, Serialize};

use super::discover::MARKS;
use crate::{
    artifact::{Artifact, ArtifactError, Manifest},
    build::{Build, MANIFEST, Previous, source_digest},
};

#[path = "write/same.rs"]
mod same;
#[path = "write/swap.rs"]
mod swap;

use same::changed_files;

/// Where new and old files wait while a build is put in place.
const STAGE: &str = ".flyc-stage";
/// The journal within it.
const JOURNAL: &str = "journal.json";

/// What writing a build did, in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// New or changed.
    pub written: usize,
    /// As they were; they kept their time stamps.
    pub unchanged: usize,
    /// Of the last build, and not of this one.
    pub removed: usize,
}

/// A point at which writing may be stopped, for tests of what is left then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Before the new text of a file is written to the stage.
    Stage(&'a str),
    /// Before a file takes its place.
    Place(&'a str),
    /// Before the manifest takes its place.
    Commit,
    /// Before a file that is no longer built is removed.
    Remove(&'a str),
}

/// What is about to happen to a folder; what is in it is done or undone as a whole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Journal {
    /// Files that were not there before.
    created: BTreeSet<String>,
    /// Files that were; the old ones are kept on the stage.
    replaced: BTreeSet<String>,
    /// Files of the last build that the new one has no more.
    stale: BTreeSet<String>,
}

/// A build that was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Done {
    /// What was done.
    pub(super) written: Written,
    /// The folders of the last build that the new one has no more, and that hold a state of `OpenTofu`.
    pub(super) states: Vec<String>,
}

impl Done {
    fn new(written: Written) -> Self {
        Self { written, states: Vec::new() }
    }
}

/// Writes a build to a folder, all of it.
pub fn write(build: &Build, out: &Path) -> io::Result<Written> {
    match write_after(build, out, &Previous::default())? {
        Some(done) => Ok(done.written),
        None => Err(refused(out, "the build it was to go on from is no longer there")),
    }
}

/// Writes a build that goes on from another to a folder; nothing when that other is no longer there.
pub(super) fn write_after(build: &Build, out: &Path, previous: &Previous) -> io::Result<Option<Done>> {
    write_watched(build, out, previous, &mut |_| Ok(()))
}

/// The build in a folder, as far as it can be gone on from.
pub(super) fn previous(out: &Path) -> Previous {
    // What was interrupted is put in order first, by whoever writes.
    if exists(&out.join(STAGE)) {
        return Previous::default();
    }
    let Ok(text) = fs::read_to_string(out.join(MANIFEST)) else { return Previous::default() };
    // Why it can't be read is told when it is to be written over.
    Previous::new(&text, |manifest| same::untouched(out, manifest)).unwrap_or_default()
}

/// Puts a folder in order that a crash left half written. Whether there was anything to do.
pub fn recover(out: &Path) -> io::Result<bool> {
    let _lock = lock(out)?;
    recover_locked(out)
}

/// [`write`] with somebody watching each step, who may stop it.
pub(super) fn write_watched(
    build: &Build,
    out: &Path,
    previous: &Previous,
    watch: &mut dyn FnMut(Step<'_>) -> io::Result<()>,
) -> io::Result<Option<Done>> {
    if let Some(wrong) = build.files.keys().find(|path| !is_plain(path)) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{wrong}` is not a path within a build"),
        ));
    }
    if !exists(out) {
        return if build.kept.is_some() {
            Ok(None)
        } else {
            write_anew(build, out, watch).map(Done::new).map(Some)
        };
    }
    // Where a link leads is the place that is meant.
    let out = &out.canonicalize()?;
    let _lock = lock(out)?;
    recover_locked(out)?;
    // What an exchange that was interrupted has left.
    beside(out)?;
    let Some((old, digest)) = own_manifest(out, previous)? else {
        return if build.kept.is_some() {
            Ok(None)
        } else {
            write_anew(build, out, watch).map(Done::new).map(Some)
        };
    };
    if build.kept.as_ref().is_some_and(|kept| kept.manifest_digest != digest) {
        return Ok(None);
    }
    let all: FxHashSet<&String> = if build.kept.is_some() {
        build.manifest.entries.iter().flat_map(|entry| &entry.files).collect()
    } else {
        FxHashSet::default()
    };
    let count = build.files.len() + build.kept.as_ref().map_or(0, |kept| kept.files);
    let mut changed = changed_files(build, &old, out)?;
    let states = left_states(&old, build, out);
    // A path that leads elsewhere was not written by us, whatever the manifest says.
    let old = || old.entries.iter().flat_map(|entry| &entry.files).filter(|path| is_plain(path));
    let is_gone =
        |path: &&String| !build.files.contains_key(*path) && !all.contains(*path) && is_own(out, path);
    let gone: BTreeSet<String> = old().filter(is_gone).cloned().collect();
    if changed.is_empty() && gone.is_empty() {
        return Ok(Some(Done::new(Written { written: 0, unchanged: count, removed: 0 })));
    }
    // The manifest's leaving the stage is what makes the new build hold, so it goes there in any case.
    if !changed.contains(&MANIFEST) {
        changed.push(MANIFEST);
    }
    if swap::pays(changed.len(), count) && swap::is_alone(out, &old().map(String::as_str).collect())? {
        let written =
            Written { written: changed.len(), unchanged: count - changed.len(), removed: gone.len() };
        if swap::exchange(build, out, &changed, watch)? {
            return Ok(Some(Done { written, states }));
        }
    }
    let (replaced, created) =
        changed.iter().map(|path| (*path).to_owned()).partition(|path| exists(&out.join(path)));
    let journal = Journal { created, replaced, stale: gone };
    let counts =
        Written { written: changed.len(), unchanged: count - changed.len(), removed: journal.stale.len() };
    let stage = out.join(STAGE);
    let done = stage_files(build, &changed, &journal, &stage, watch)
        .and_then(|()| place_files(&changed, out, &stage, watch));
    if let Err(error) = done {
        // What can't be undone now is undone by the next build: the journal is still there.
        let _ = undo(out, &stage, &journal).and_then(|()| clear(&stage));
        return Err(error);
    }
    finish(out, &stage, &journal, watch)?;
    Ok(Some(Done { written: counts, states }))
}

/// The folders of entries that are no longer built, and that hold a state of `OpenTofu`, or the way to one in a bucket:
/// what it speaks of may still exist.
fn left_states(old: &Manifest, build: &Build, out: &Path) -> Vec<String> {
    let folders: FxHashSet<&str> = build.manifest.entries.iter().map(|entry| &*entry.folder).collect();
    let gone = old.entries.iter().map(|entry| &*entry.folder).filter(|folder| !folders.contains(folder));
    let holds_state = |folder: &&str| {
        let folder = out.join(folder);
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name());
        // Of a state in a bucket, this file tells where it is.
        names.any(|name| name.to_string_lossy().ends_with(".tfstate"))
            || exists(&folder.join(".terraform/terraform.tfstate"))
    };
    gone.filter(|folder| is_plain(folder)).filter(holds_state).map(str::to_owned).collect()
}

/// Writes a build beside its place and renames it there.
fn write_anew(
    build: &Build,
    out: &Path,
    watch: &mut dyn FnMut(Step<'_>) -> io::Result<()>,
) -> io::Result<Written> {
    let (parent, beside) = beside(out)?;
    fs::create_dir(&beside)?;
    let _lock = lock(&beside)?;
    let done = (|| {
        // The manifest comes last, so that every other file is older.
        let (manifest, others): (Vec<_>, Vec<_>) =
            build.files.iter().partition(|(path, _)| *path == MANIFEST);
        for (path, text) in others.into_iter().chain(manifest) {
            watch(Step::Stage(path))?;
            write_new(&beside, path, text)?;
        }
        watch(Step::Commit)?;
        sync(&beside);
        fs::rename(&beside, out)
    })();
    if let Err(error) = done {
        // The first error is the one to tell.
        let _ = fs::remove_dir_all(&beside);
        return Err(error);
    }
    sync(&parent);
    Ok(Written { written: build.files.len(), unchanged: 0, removed: 0 })
}

/// The folder that a build stands in, which is made, and the place beside its own where the build can be made; what a
/// build that crashed has left there is removed.
fn beside(out: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let name =
        out.file_name().ok_or_else(|| refused(out, "it has no name that a folder could be made by"))?;
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".flyc-new");
    let beside = parent.join(hidden);
    if exists(&beside) {
        // Unless somebody holds it.
        let _lock = lock(&beside)?;
        fs::remove_dir_all(&beside)?;
    }
    Ok((parent.to_owned(), beside))
}

/// The manifest of the build that a folder holds, with its digest; none for an empty folder.
fn own_manifest(out: &Path, previous: &Previous) -> io::Result<Option<(Arc<Manifest>, String)>> {
    let mut empty = true;
    for entry in fs::read_dir(out)? {
        let name = entry?.file_name();
        empty = false;
        // Compared as they are spelled: `eggs` is ours, and on some disks the same as `Eggs`.
        if MARKS.iter().any(|mark| name == *mark) {
            return Err(refused(out, "a Nest stands in it; choose another folder with `--out`"));
        }
    }
    if empty {
        return Ok(None);
    }
    let text = match fs::read_to_string(out.join(MANIFEST)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(refused(
                out,
                "it is not empty, and `flyc build` did not make it; choose another folder with `--out`",
            ));
        }
        Err(error) => return Err(error),
    };
    let digest = source_digest(&text);
    if let Some(known) = previous.manifest(&digest) {
        return Ok(Some((known, digest)));
    }
    let manifest = Manifest::from_json(&text).map_err(|error| match error {
        ArtifactError::Version { .. } => refused(
            out,
            "another version of `flyc` built it; remove the folder, or choose another with `--out`",
        ),
        ArtifactError::Json { .. } => {
            refused(out, "its manifest.json is not one of `flyc build`; choose another folder with `--out`")
        }
    })?;
    Ok(Some((Arc::new(manifest), digest)))
}

/// Writes what changed, the old files and the journal to the stage.
fn stage_files(
    build: &Build,
    changed: &[&str],
    journal: &Journal,
    stage: &Path,
    watch: &mut dyn FnMut(Step<'_>) -> io::Result<()>,
) -> io::Result<()> {
    fs::create_dir(stage)?;
    let new = stage.join("new");
    for path in changed {
        watch(Step::Stage(path))?;
        write_new(&new, path, build.files.get(*path).map_or("", String::as_str))?;
    }
    let text = serde_json::to_string(journal).map_err(io::Error::other)?;
    write_new(stage, "journal.unfinished", &text)?;
    fs::rename(stage.join("journal.unfinished"), stage.join(JOURNAL))?;
    sync(stage);
    Ok(())
}

/// Moves each file to its place and the old one to the stage, the manifest last.
fn place_files(
    changed: &[&str],
    out: &Path,
    stage: &Path,
    watch: &mut dyn FnMut(Step<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let (manifest, others): (Vec<&str>, Vec<&str>) = changed.iter().partition(|path| **path == MANIFEST);
    for path in others.iter().chain(&manifest) {
        watch(if *path == MANIFEST { Step::Commit } else { Step::Place(path) })?;
        let place = out.join(path);
        make_parents(out, path)?;
        if exists(&place) {
            let kept = stage.join("old").join(path);
            make_parents(stage, &format!("old/{path}"))?;
            keep(&place, &kept)?;
        }
        fs::rename(stage.join("new").join(path), &place)?;
    }
    sync(out);
    Ok(())
}

/// Keeps a file under a second name, so that it is at its place until the new one is.
fn keep(place: &Path, kept: &Path) -> io::Result<()> {
    match link_or_copy(place, kept) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

/// Gives a file a second name, or a copy of that name.
fn link_or_copy(place: &Path, kept: &Path) -> io::Result<()> {
    match fs::hard_link(place, kept) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems have no second names; a copy gets its name when it is whole.
        Err(_) => {
            let mut unfinished = kept.as_os_str().to_owned();
            unfinished.push(".unfinished");
            fs::copy(place, &unfinished)?;
            fs::rename(unfinished, kept)
        }
    }
}

/// Removes what is no longer built, and the stage.
fn finish(
    out: &Path,
    stage: &Path,
    journal: &Journal,
    watch: &mut dyn FnMut(Step<'_>) -> io::Result<()>,
) -> io::Result<()> {
    for path in journal.stale.iter().filter(|path| is_own(out, path)) {
        watch(Step::Remove(path))?;
        remove_file(out, path)?;
    }
    clear(stage)
}

/// Removes the stage, the journal first: without its files it would be misread.
fn clear(stage: &Path) -> io::Result<()> {
    if let Err(error) = fs::remove_file(stage.join(JOURNAL))
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    fs::remove_dir_all(stage)
}

/// Brings back the files that were replaced and removes those that were not there.
fn undo(out: &Path, stage: &Path, journal: &Journal) -> io::Result<()> {
    for path in journal.replaced.iter().filter(|path| is_plain(path)) {
        let kept = stage.join("old").join(path);
        if exists(&kept) {
            // The second name of a file that was not replaced yet is no other file; renaming would do nothing.
            fs::rename(&kept, out.join(path))?;
        }
    }
    for path in journal.created.iter().filter(|path| is_plain(path)) {
        // What still waits on the stage was never placed.
        if !exists(&stage.join("new").join(path)) {
            remove_file(out, path)?;
        }
        remove_empty_parents(out, path);
    }
    Ok(())
}

fn recover_locked(out: &Path) -> io::Result<bool> {
    let stage = out.join(STAGE);
    let text = match fs::read_to_string(stage.join(JOURNAL)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Nothing was placed yet.
            if exists(&stage) {
                fs::remove_dir_all(&stage)?;
                return Ok(true);
            }
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let journal: Journal = serde_json::from_str(&text).map_err(|error| {
        refused(out, &format!("the journal of an interrupted build can't be read: {error}"))
    })?;
    // The manifest is the last to leave the stage.
    if exists(&stage.join("new").join(MANIFEST)) {
        undo(out, &stage, &journal)?;
        clear(&stage)?;
    } else {
        finish(out, &stage, &journal, &mut |_| Ok(()))?;
    }
    Ok(true)
}

/// Removes a file, and the folders that are empty without it.
fn remove_file(out: &Path, path: &str) -> io::Result<()> {
    match fs::remove_file(out.join(path)) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    remove_empty_parents(out, path);
    Ok(())
}

fn remove_empty_parents(out: &Path, path: &str) {
    let mut folder = Path::new(path).parent();
    while let Some(inner) = folder.filter(|inner| !inner.as_os_str().is_empty()) {
        // One that isn't empty stays, and so do those around it.
        if fs::remove_dir(out.join(inner)).is_err() {
            break;
        }
        folder = inner.parent();
    }
}

/// Writes a file that isn't there yet.
fn write_new(folder: &Path, path: &str, text: &str) -> io::Result<()> {
    let place = folder.join(path);
    let create = || File::options().write(true).create_new(true).open(&place);
    let mut file = match (create(), place.parent()) {
        // Most files have a neighbour whose folder is theirs.
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(parent)?;
            create()?
        }
        (file, _) => file?,
    };
    file.write_all(text.as_bytes())
}

/// Makes the folders of a file within a build; never through a link, which may lead anywhere.
fn make_parents(root: &Path, path: &str) -> io::Result<()> {
    let mut folder = PathBuf::from(root);
    let Some(parents) = Path::new(path).parent() else { return Ok(()) };
    for part in parents {
        folder.push(part);
        match fs::symlink_metadata(&folder) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(refused(&folder, "a folder is needed there, and it is something else")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(&folder)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether anything is there, be it a link that leads nowhere.
fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether a path of an old manifest is a file there that can be removed: not through a link, which may lead anywhere.
fn is_own(out: &Path, path: &str) -> bool {
    let folders = Path::new(path).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    let mut real =
        folders.map(|folder| fs::symlink_metadata(out.join(folder)).is_ok_and(|found| found.is_dir()));
    is_plain(path)
        && real.all(|real| real)
        && fs::symlink_metadata(out.join(path)).is_ok_and(|found| !found.is_dir())
}

/// Whether a path stays within the folder it is relative to, and out of the stage.
fn is_plain(path: &str) -> bool {
    let mut parts = Path::new(path).components().peekable();
    parts.peek().is_some_and(|first| first.as_os_str() != STAGE)
        && parts.all(|part| matches!(part, Component::Normal(_)))
        && !path.contains('\\')
}

/// How often a folder that another holds is asked for again, and how long is waited between.
const PATIENCE: (u32, Duration) = (100, Duration::from_millis(10));

/// Holds the folder for this process until it is dropped; on systems where folders can't be locked, nothing holds it. A
/// build that is nearly done is waited for, and so is a program that this process is about to start, which holds all that
/// its parent does until it begins.
fn lock(out: &Path) -> io::Result<Option<File>> {
    let Ok(folder) = File::open(out) else { return Ok(None) };
    for _ in 0..PATIENCE.0 {
        match folder.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(PATIENCE.1),
            // Whoever held it may have moved it to its place; then this is no longer the folder that is meant.
            Ok(()) | Err(TryLockError::Error(_)) if is_at(&folder, out) => return Ok(Some(folder)),
            Ok(()) | Err(TryLockError::Error(_)) => break,
        }
    }
    Err(io::Error::new(
        io::ErrorKind::ResourceBusy,
        format!("another build is being written to `{}`", out.display()),
    ))
}

/// Whether an open folder is still the one at a path.
fn is_at(folder: &File, path: &Path) -> bool {
    let open = folder.try_clone().and_then(Handle::from_file);
    matches!((open, Handle::from_path(path)), (Ok(open), Ok(there)) if open == there)
}

/// Asks the system to keep a folder's entries; where it can't, they are kept by and by.
fn sync(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

fn refused(place: &Path, why: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::AlreadyExists,
        format!("nothing can be built in `{}`: {why}", place.display()),
    )
}

#[cfg(test)]
#[path = "write/tests.rs"]
mod tests;
