//! Bundles: what was built, kept under the digest of its content for as long as anything refers to it.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use flyc::{
    artifact::{Artifact, Entry, EntryKind, Manifest},
    build::{MANIFEST, SOURCE_MAP},
};
use sha2::{Digest, Sha256};

use super::{
    machine,
    places::{self, Places},
};
use crate::{
    ports::tofu::{Bundle, TofuError},
    seal,
};

/// Keeps the eggs, buckets and jobs of a build.
pub(super) fn keep(built: &Path, places: &Places) -> Result<Vec<Bundle>, TofuError> {
    let wrong = |reason: String| TofuError::Machine { owner: "the Nest".to_owned(), reason };
    let text = fs::read_to_string(built.join(MANIFEST))
        .map_err(|error| wrong(format!("what was built has no manifest: {error}")))?;
    let manifest = Manifest::from_json(&text).map_err(|error| wrong(error.to_string()))?;
    places::private(places.root()).map_err(|error| wrong(error.to_string()))?;
    let mut kept = Vec::new();
    for entry in &manifest.entries {
        let owner = match entry.kind {
            EntryKind::Egg | EntryKind::Bucket => entry.name.clone(),
            EntryKind::Job => format!("jobs/{}", entry.name),
            EntryKind::Uglyfox | EntryKind::Mothergoose | EntryKind::Rift | EntryKind::ComputeModule => {
                continue;
            }
        };
        let digest = one(built, places, &manifest, entry, &owner).map_err(machine(&owner))?;
        kept.push(Bundle { owner, digest });
    }
    Ok(kept)
}

/// Keeps one owner's files.
fn one(built: &Path, places: &Places, manifest: &Manifest, entry: &Entry, owner: &str) -> io::Result<String> {
    let modules = manifest
        .entries
        .iter()
        .filter(|other| other.kind == EntryKind::ComputeModule && entry.modules.contains(&other.folder));
    let mut own = Manifest::new(&manifest.edition, &manifest.compiler_version, &manifest.nest_digest);
    own.add(entry.clone());
    modules.for_each(|module| own.add(module.clone()));
    let mut paths: Vec<&str> =
        own.entries.iter().flat_map(|entry| &entry.files).map(String::as_str).collect();
    paths.sort_unstable();
    let mut digest = Sha256::new();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let text = fs::read(built.join(path))?;
        // Which line a part comes from changes nothing of it.
        if !is_source_map(path) {
            digest.update(u64::try_from(path.len()).unwrap_or_default().to_be_bytes());
            digest.update(path);
            digest.update(u64::try_from(text.len()).unwrap_or_default().to_be_bytes());
            digest.update(&text);
        }
        files.push((path.to_owned(), text));
    }
    let digest = seal::hex(&digest.finalize());
    let to = places.bundle(&Bundle { owner: owner.to_owned(), digest: digest.clone() });
    let told = own.to_json().map_err(io::Error::other)?.into_bytes();
    if to.is_dir() {
        // The same files, of which some may have moved within the Nest.
        let told = std::iter::once((MANIFEST, &told));
        let maps =
            files.iter().filter(|(path, _)| is_source_map(path)).map(|(path, text)| (path.as_str(), text));
        for (path, text) in told.chain(maps) {
            let path = to.join(path);
            if fs::read(&path).ok().as_ref() != Some(text) {
                places::replace(&path, text)?;
            }
        }
        return Ok(digest);
    }
    let Some(above) = to.parent() else { return Ok(digest) };
    places::private(above)?;
    let unfinished = above.join(format!(".{}", uuid::Uuid::now_v7()));
    let written = write(&unfinished, &files, &told).and_then(|()| match fs::rename(&unfinished, &to) {
        // Somebody else was faster, with the same.
        Err(_) if to.is_dir() => places::remove(&unfinished),
        other => other,
    });
    if written.is_err() {
        let _ = places::remove(&unfinished);
    }
    written.map(|()| digest)
}

fn is_source_map(path: &str) -> bool {
    path.rsplit('/').next() == Some(SOURCE_MAP)
}

fn write(folder: &Path, files: &[(String, Vec<u8>)], manifest: &[u8]) -> io::Result<()> {
    for (path, text) in
        files.iter().map(|(path, text)| (path.as_str(), text.as_slice())).chain([(MANIFEST, manifest)])
    {
        let path = folder.join(path);
        if let Some(above) = path.parent() {
            places::private(above)?;
        }
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400))?;
    }
    Ok(())
}

/// Removes the bundles that are none of these.
pub(super) fn prune(places: &Places, keep: &[Bundle]) -> Result<(), TofuError> {
    let keep: HashSet<PathBuf> = keep.iter().map(|bundle| places.bundle(bundle)).collect();
    let kept_owners: HashSet<String> = keep
        .iter()
        .filter_map(|path| Some(path.parent()?.file_name()?.to_string_lossy().into_owned()))
        .collect();
    for owner in folders(&places.bundles()) {
        let name = owner.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let failed = machine(&name);
        for bundle in folders(&owner) {
            if !keep.contains(&bundle) {
                places::remove(&bundle).map_err(&failed)?;
            }
        }
        if !kept_owners.contains(&name) {
            // With nothing in it any more it goes too.
            let _ = fs::remove_dir(&owner);
        }
    }
    Ok(())
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
