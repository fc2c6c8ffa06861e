//! What `OpenTofu` complains of, in the Nest's words and without secrets.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::PathBuf,
};

use flyc::{
    artifact::{Artifact, Manifest, Mapping, SourceMap},
    build::{MANIFEST, SOURCE_MAP, source_digest},
    diag::{Diagnostic, Severity},
    text::Source,
    translate::{Complaint, Generated, translate},
};

use super::run::Heard;
use crate::{
    logging,
    ports::{
        secrets::{MASKED, Secret},
        tofu::{FoundLock, TofuError},
    },
};

/// The longest message that is handed on.
const LONGEST: usize = 8 * 1024;

/// Signs that the same may go well later, in small letters.
const TRANSIENT: &[&str] = &[
    "timeout",
    "timed out",
    "deadline exceeded",
    "connection refused",
    "connection reset",
    "no such host",
    "temporary failure",
    "temporarily unavailable",
    "network is unreachable",
    "tls handshake",
    "unexpected eof",
    "broken pipe",
    "too many requests",
    "rate limit",
    "rate exceeded",
    "requestlimitexceeded",
    "throttl",
    "service unavailable",
    "bad gateway",
    "internal server error",
    "internalerror",
    "insufficientinstancecapacity",
    "resource_exhausted",
    "could not connect to",
    "failed to query available provider packages",
    "failed to install provider",
];

/// A text without the secrets that may stand in it, as they are or as JSON has them, and without any other that is known.
pub(super) fn mask(text: &str, secrets: &[Secret]) -> String {
    let mut masked = text.to_owned();
    let mut values: Vec<&str> =
        secrets.iter().map(Secret::expose).filter(|value| !value.trim().is_empty()).collect();
    // The longer first: one may be a part of another.
    values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
    for value in values {
        let quoted = serde_json::Value::from(value).to_string();
        for form in [value, value.trim(), quoted.trim_matches('"')] {
            if masked.contains(form) {
                masked = masked.replace(form, MASKED);
            }
        }
        // A key of several lines is told line by line.
        for line in value.lines().map(str::trim).filter(|line| line.len() >= 12) {
            masked = masked.replace(line, MASKED);
        }
    }
    logging::mask_values(&masked)
}

/// A bundle, as far as its own account of itself goes.
#[derive(Debug)]
pub(super) struct Words {
    bundle: PathBuf,
    folder: String,
}

/// The bundle's files as a build. It has no `.fly` files: blank pages of the same lines stand for them, as they were when the
/// bundle was built.
struct Pages {
    bundle: PathBuf,
    manifest: Option<String>,
    sources: HashMap<String, Source>,
}

impl Generated for Pages {
    fn text(&self, path: &str) -> Option<String> {
        if path == MANIFEST {
            return self.manifest.clone();
        }
        fs::read_to_string(self.bundle.join(path)).ok()
    }
}

/// A page that has all places of these mappings.
fn blank<'a>(mappings: impl Iterator<Item = &'a Mapping>) -> String {
    let mut width: BTreeMap<u32, u32> = BTreeMap::new();
    for mapping in mappings {
        for (line, column) in [(mapping.line, mapping.column), (mapping.end_line, mapping.end_column)] {
            let widest = width.entry(line).or_default();
            *widest = column.max(*widest);
        }
    }
    let last = width.keys().next_back().copied().unwrap_or(1);
    let spaces = |line| usize::try_from(width.get(&line).copied().unwrap_or_default()).unwrap_or_default();
    (1..=last).map(|line| " ".repeat(spaces(line)) + "\n").collect()
}

impl Words {
    pub(super) fn new(bundle: PathBuf, folder: String) -> Self {
        Self { bundle, folder }
    }

    fn pages(&self) -> Option<Pages> {
        let text = |path: String| fs::read_to_string(self.bundle.join(path)).ok();
        let mut manifest = Manifest::from_json(&text(MANIFEST.to_owned())?).ok()?;
        let map = SourceMap::from_json(&text(format!("{}/{SOURCE_MAP}", self.folder))?).ok()?;
        let mut files: BTreeMap<&str, Vec<&Mapping>> = BTreeMap::new();
        for mapping in map.files.values().flatten() {
            files.entry(&mapping.file).or_default().push(mapping);
        }
        let mut pages: HashMap<String, Source> = HashMap::new();
        for (file, mappings) in files {
            pages.insert(file.to_owned(), Source::new(file, blank(mappings.into_iter())));
        }
        for entry in manifest.entries.iter_mut().filter(|entry| !entry.source_file.is_empty()) {
            let file = entry.source_file.clone();
            let page = pages.entry(file.clone()).or_insert_with(|| Source::new(file.as_str(), String::new()));
            entry.source_digest = source_digest(&page.text);
        }
        Some(Pages { bundle: self.bundle.clone(), manifest: Some(manifest.to_json().ok()?), sources: pages })
    }

    /// The complaints at the Nest's lines, or in `OpenTofu`'s own words where they have none.
    fn told(&self, complaints: &[Complaint]) -> String {
        let errors: Vec<Complaint> =
            complaints.iter().filter(|complaint| complaint.severity == Severity::Error).cloned().collect();
        let pages = self.pages();
        let translated = pages
            .as_ref()
            .and_then(|pages| Some((pages, translate(&errors, &self.folder, pages, &pages.sources).ok()?)));
        let mut lines: Vec<String> = match translated {
            Some((pages, diagnostics)) => {
                let mut diagnostics = diagnostics;
                diagnostics.sort_by(|a, b| (a.span.key(), &a.message).cmp(&(b.span.key(), &b.message)));
                diagnostics.iter().map(|diagnostic| shown(diagnostic, pages)).collect()
            }
            None => {
                errors.iter().map(|error| format!("{}: {}", error.summary, error.detail.trim())).collect()
            }
        };
        lines.dedup();
        lines.join("\n")
    }

    /// Why a run failed.
    pub(super) fn failure(&self, owner: &str, heard: &Heard, secrets: &[Secret]) -> TofuError {
        let owner = owner.to_owned();
        let errors = || heard.complaints.iter().filter(|one| one.severity == Severity::Error);
        if let Some(lock) = errors().find_map(found_lock) {
            return TofuError::Locked { owner, lock };
        }
        if errors().any(|error| error.summary.starts_with("Saved plan ")) {
            return TofuError::Stale { owner };
        }
        if errors().any(|error| error.summary.starts_with("Unsupported OpenTofu Core version")) {
            return TofuError::Absent(mask(&self.told(&heard.complaints), secrets));
        }
        let mut message = self.told(&heard.complaints);
        if message.is_empty() {
            message = format!("it ended ({}), and said: {}", heard.ending, heard.beside.trim());
        }
        let mut message = mask(&message, secrets);
        if message.len() > LONGEST {
            message.truncate(message.floor_char_boundary(LONGEST));
            message.push('…');
        }
        let said = errors()
            .map(|error| format!("{} {}", error.summary, error.detail))
            .chain([heard.beside.clone()])
            .collect::<String>()
            .to_lowercase();
        // Whoever was killed in the middle said nothing of what is wrong.
        let cut_off = errors().next().is_none() && heard.ending.contains("signal");
        let transient = cut_off || TRANSIENT.iter().any(|sign| said.contains(sign));
        TofuError::Failed { owner, message, transient }
    }
}

/// A finding with its notes, for people.
fn shown(diagnostic: &Diagnostic, pages: &Pages) -> String {
    let file = &*diagnostic.span.file;
    let place = pages.sources.get(file).map(|page| page.position(diagnostic.span.range.start()));
    let mut text = match place {
        Some(place) => format!("{file}:{}:{}: {}", place.line, place.column, diagnostic.message),
        None => format!("{file}: {}", diagnostic.message),
    };
    for note in &diagnostic.notes {
        for line in note.lines().filter(|line| !line.trim().is_empty()) {
            text.push_str("\n  ");
            text.push_str(line);
        }
    }
    text
}

/// The lock that a complaint speaks of.
fn found_lock(complaint: &Complaint) -> Option<FoundLock> {
    if !complaint.summary.to_lowercase().contains("state lock") {
        return None;
    }
    let field = |name: &str| {
        let mut lines = complaint.detail.lines();
        lines
            .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
            .map(|value| value.trim().to_owned())
    };
    let id = field("ID")?;
    Some(FoundLock {
        id,
        who: field("Who").unwrap_or_default(),
        operation: field("Operation").unwrap_or_default(),
        created: field("Created").unwrap_or_default(),
    })
}

#[cfg(test)]
#[path = "words/tests.rs"]
mod tests;
