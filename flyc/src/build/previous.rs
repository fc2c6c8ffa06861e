//! What of the last build can stay: eggs that were made from the same inputs by the same compiler.
//!
//! An egg's files are a function of its configuration, of the places it was written at and of the options. Everything of
//! these goes into the digest of its inputs, and for good measure the text of its file and of all files that are no
//! egg's, and the compiler's own sources. Whether the files on disk are still those of the last build is for `host` to
//! say.

use std::hash::{Hash, Hasher};

use fly_std::schema::Place;
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use super::digest::{add, hexadecimal, source_digest};
use crate::{
    artifact::{Artifact, ArtifactError, Entry, EntryKind, Manifest},
    config::{Resolved, egg_configs},
    db::{Db, Nest, SourceFile},
    lower,
};

/// The last build, as far as it is whole.
#[derive(Debug, Clone, Default)]
pub struct Previous {
    /// The digest of its manifest; empty for none.
    digest: String,
    /// Its eggs and buckets by the file they came from.
    eggs: FxHashMap<String, Vec<Entry>>,
}

impl Previous {
    /// The build with this manifest, of which the entries count that are `whole`: every file of them is there as it was
    /// when the manifest was written.
    pub fn new(manifest: &str, whole: impl Fn(Vec<Entry>) -> Vec<Entry>) -> Result<Self, ArtifactError> {
        let digest = source_digest(manifest);
        let all = Manifest::from_json(manifest)?.entries.into_iter();
        let eggs = all.filter(|entry| {
            matches!(entry.kind, EntryKind::Egg | EntryKind::Bucket) && !entry.input_digest.is_empty()
        });
        let mut by_file: FxHashMap<String, Vec<Entry>> = FxHashMap::default();
        for entry in whole(eggs.collect()) {
            by_file.entry(entry.source_file.clone()).or_default().push(entry);
        }
        Ok(Self { digest, eggs: by_file })
    }

    /// The digest of its manifest; empty for none.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// The entries of a file, if they were made from these inputs.
    pub(super) fn entries(&self, file: &str, inputs: &Inputs) -> Option<&[Entry]> {
        let entries = self.eggs.get(file)?;
        let is_same = |entry: &Entry| {
            entry.input_digest == inputs.digest && inputs.names.iter().any(|name| *name == entry.name)
        };
        (entries.len() == inputs.names.len() && entries.iter().all(is_same)).then_some(entries)
    }
}

/// What the eggs of one file are made from.
pub(super) struct Inputs {
    pub(super) digest: String,
    names: Vec<String>,
}

/// What all eggs are made from.
pub(super) struct Common(Sha256);

impl Common {
    pub(super) fn new(db: &dyn Db, nest: Nest, options: &lower::Options) -> Self {
        let mut hash = Sha256::new();
        add(&mut hash, env!("FLYC_SOURCES"));
        let lower::Options { nest: name, backend } = options;
        add(&mut hash, name);
        add(&mut hash, &format!("{backend:?}"));
        for file in nest.files(db).iter() {
            let path = file.path(db);
            if Place::of(path) != Some(Place::Egg) {
                add(&mut hash, path);
                add(&mut hash, file.text(db));
            }
        }
        Self(hash)
    }

    /// What the eggs of a file are made from; none for a file without eggs, or with one that is not known in full.
    pub(super) fn inputs(&self, db: &dyn Db, file: SourceFile) -> Option<Inputs> {
        let eggs = egg_configs(db, file);
        if eggs.is_empty() || Place::of(file.path(db)) != Some(Place::Egg) {
            return None;
        }
        let mut hash = Hashing(self.0.clone());
        add(&mut hash.0, file.path(db));
        add(&mut hash.0, file.text(db));
        let mut names = Vec::with_capacity(eggs.len());
        for egg in eggs {
            let Resolved { config, places, unresolved: None } = egg.as_ref()? else { return None };
            add(&mut hash.0, &serde_json::to_string(config).ok()?);
            places.hash(&mut hash);
            names.push(config.name.clone());
        }
        Some(Inputs { digest: hexadecimal(hash.0), names })
    }
}

/// What can be hashed, into a digest that is the same everywhere.
struct Hashing(Sha256);

impl Hasher for Hashing {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn write_u32(&mut self, number: u32) {
        self.0.update(number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.0.update(u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes());
    }

    /// Not asked for: the digest is.
    fn finish(&self) -> u64 {
        0
    }
}
