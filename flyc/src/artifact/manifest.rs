//! `manifest.json`: what a build consists of, and of which sources it was made.

use serde::{Deserialize, Serialize};

use super::{Artifact, FORMAT_VERSION};

/// The table of contents of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The edition of the Fly language.
    pub edition: String,
    /// The version of the compiler.
    pub compiler_version: String,
    /// SHA-256 of the whole Nest, in lower-case hexadecimal.
    pub nest_digest: String,
    /// What was built, by kind and name.
    pub entries: Vec<Entry>,
}

impl Manifest {
    /// A manifest without entries.
    pub fn new(
        edition: impl Into<String>,
        compiler_version: impl Into<String>,
        nest_digest: impl Into<String>,
    ) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            edition: edition.into(),
            compiler_version: compiler_version.into(),
            nest_digest: nest_digest.into(),
            entries: Vec::new(),
        }
    }

    /// Adds an entry at its place: the order never depends on the order of adding.
    pub fn add(&mut self, entry: Entry) {
        let at = self.entries.partition_point(|other| (other.kind, &other.name) <= (entry.kind, &entry.name));
        self.entries.insert(at, entry);
    }

    /// The entry of a name.
    pub fn entry(&self, kind: EntryKind, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.kind == kind && entry.name == name)
    }
}

impl Artifact for Manifest {
    const WHAT: &'static str = "build manifest";

    fn format_version(&self) -> u32 {
        self.format_version
    }
}

/// One thing that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is.
    pub kind: EntryKind,
    /// Its name.
    pub name: String,
    /// SHA-256 of its configuration and files, in lower-case hexadecimal; unchanged means nothing to deploy. The source
    /// map is not counted: it changes when a block merely moves within its `.fly` file.
    pub digest: String,
    /// Its folder or file in the build, with `/`.
    pub folder: String,
    /// The `.fly` file it came from, relative to the Nest, with `/`.
    /// Empty for what comes with the compiler.
    pub source_file: String,
    /// SHA-256 of that file's text as it was built, in lower-case hexadecimal: whoever shows a line of it can see whether
    /// it is still the one that is meant. Empty for what comes with the compiler.
    pub source_digest: String,
    /// SHA-256 of everything it was made from; equal means that a compiler would make it as it is. Empty when nobody kept
    /// account of that.
    pub input_digest: String,
    /// The folders of the Compute Modules that its files call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// Every file of it, relative to the build and in order. Whatever else stands in its folder (state, plans, downloaded
    /// providers) is somebody else's.
    pub files: Vec<String>,
}

/// What a build can contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// An egg.
    Egg,
    /// A bucket.
    Bucket,
    /// A scheduled job.
    Job,
    /// The lifecycle policies.
    Uglyfox,
    /// The orchestrator's own installation.
    Mothergoose,
    /// A Rift.
    Rift,
    /// A shared Compute Module.
    ComputeModule,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: EntryKind, name: &str) -> Entry {
        Entry {
            kind,
            name: name.into(),
            digest: String::new(),
            folder: String::new(),
            source_file: String::new(),
            source_digest: String::new(),
            input_digest: String::new(),
            modules: Vec::new(),
            files: Vec::new(),
        }
    }

    #[test]
    fn entries_are_ordered_however_they_come() {
        let mut manifest = Manifest::new("2026", "0.1.0", "00");
        for (kind, name) in [(EntryKind::Job, "a"), (EntryKind::Egg, "b"), (EntryKind::Egg, "a")] {
            manifest.add(entry(kind, name));
        }
        let order: Vec<_> = manifest.entries.iter().map(|entry| (entry.kind, entry.name.as_str())).collect();
        assert_eq!(order, [(EntryKind::Egg, "a"), (EntryKind::Egg, "b"), (EntryKind::Job, "a")]);
        assert!(manifest.entry(EntryKind::Egg, "b").is_some());
    }
}
