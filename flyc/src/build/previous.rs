//! What of the last build can stay: eggs that were made from the same inputs by the same compiler.
//!
//! An egg's files are a function of the text of its file, of what the Nest says for all of its eggs, and of the options: no
//! file of eggs sees another. All of these go into the digest of its inputs, and with them the compiler's own sources.
//! Whether the files on disk are still those of the last build is for `host` to say.

use std::sync::Arc;

use fly_std::{formats::secret_uri, schema::Place};
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use super::digest::{add, hexadecimal, source_digest};
use crate::{
    artifact::{Artifact, ArtifactError, Entry, EntryKind, Manifest},
    db::{Db, Nest, SourceFile},
    lower,
    model::{outline, variables},
};

/// The last build, as far as it is whole.
#[derive(Debug, Clone, Default)]
pub struct Previous {
    /// Its manifest and the digest of that; none for no build.
    manifest: Option<(Arc<Manifest>, String)>,
    /// Its eggs and buckets by the file they came from, as their places in the manifest.
    eggs: FxHashMap<String, Vec<usize>>,
}

impl Previous {
    /// The build with this manifest, of which the eggs count that are `whole`: every file of them is there as it was when
    /// the manifest was written.
    pub fn new(manifest: &str, whole: impl Fn(&Manifest) -> Vec<bool>) -> Result<Self, ArtifactError> {
        let digest = source_digest(manifest);
        let manifest = Manifest::from_json(manifest)?;
        let mut eggs: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (at, (entry, whole)) in manifest.entries.iter().zip(whole(&manifest)).enumerate() {
            let is_egg = matches!(entry.kind, EntryKind::Egg | EntryKind::Bucket);
            if whole && is_egg && !entry.input_digest.is_empty() {
                eggs.entry(entry.source_file.clone()).or_default().push(at);
            }
        }
        Ok(Self { manifest: Some((Arc::new(manifest), digest)), eggs })
    }

    /// Its manifest, if that has the digest.
    pub(crate) fn manifest(&self, digest: &str) -> Option<Arc<Manifest>> {
        self.manifest.as_ref().filter(|(_, own)| own == digest).map(|(manifest, _)| Arc::clone(manifest))
    }

    /// The digest of its manifest; empty for none.
    pub(super) fn digest(&self) -> &str {
        self.manifest.as_ref().map_or("", |(_, digest)| digest)
    }

    /// The entries of a file, if they were made from these inputs.
    pub(super) fn entries(&self, file: &str, inputs: &Inputs) -> Option<Vec<Entry>> {
        let (manifest, _) = self.manifest.as_ref()?;
        let entries: Vec<&Entry> =
            self.eggs.get(file)?.iter().filter_map(|at| manifest.entries.get(*at)).collect();
        let all =
            entries.len() == inputs.eggs && entries.iter().all(|entry| entry.input_digest == inputs.digest);
        all.then(|| entries.into_iter().cloned().collect())
    }
}

/// What the eggs of one file are made from.
pub(super) struct Inputs {
    pub(super) digest: String,
    /// How many eggs there are.
    eggs: usize,
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
        let declared = variables(db, nest);
        for (name, value) in nest.variables(db).iter() {
            // What is secret and no URI comes into no build; a digest of it would tell it to whoever guesses.
            let is_sensitive = declared.get(name).is_none_or(|variable| variable.sensitive);
            if !is_sensitive || secret_uri::parse(value).is_ok() {
                add(&mut hash, name);
                add(&mut hash, value);
            }
        }
        for (path, asset) in nest.assets(db).iter() {
            add(&mut hash, path);
            match asset.content(db) {
                Ok(text) => add(&mut hash, text),
                Err(error) => add(&mut hash, &format!("{error:?}")),
            }
        }
        Self(hash)
    }

    /// What the eggs of a file are made from; none for a file that is not for eggs.
    pub(super) fn inputs(&self, db: &dyn Db, file: SourceFile) -> Option<Inputs> {
        let path = file.path(db);
        if Place::of(path) != Some(Place::Egg) {
            return None;
        }
        let mut hash = self.0.clone();
        add(&mut hash, path);
        add(&mut hash, file.text(db));
        let eggs = outline(db, file)
            .blocks
            .iter()
            .filter(|block| matches!(block.keyword, Some("egg" | "eggsbucket")))
            .count();
        Some(Inputs { digest: hexadecimal(hash), eggs })
    }
}
