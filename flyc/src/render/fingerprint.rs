//! Names of findings that survive unrelated edits. What never lives here: line numbers, anything that moves when a
//! line is added above.

use std::{collections::HashMap, fmt::Write as _};

use sha2::{Digest, Sha256};

use crate::diag::Diagnostic;

use super::{mask::mask, place::Places};

/// Gives fingerprints to the findings of one report, in order.
#[derive(Default)]
pub(super) struct Fingerprints {
    seen: HashMap<[u8; 32], u64>,
}

impl Fingerprints {
    /// The fingerprint: its kind, file, message, the text of its line, and the how-manieth of its likes it is.
    pub(super) fn next(&mut self, diagnostic: &Diagnostic, places: &Places<'_>) -> String {
        let message = mask(&diagnostic.message);
        let line = places.line_text(&diagnostic.span);
        let mut hash = Sha256::new();
        for part in [diagnostic.kind.id, &diagnostic.span.file, &message, &line] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let base: [u8; 32] = hash.finalize().into();
        let occurrence = self.seen.entry(base).or_default();
        let mut hash = Sha256::new();
        hash.update(base);
        hash.update(occurrence.to_le_bytes());
        *occurrence += 1;
        let digest: [u8; 32] = hash.finalize().into();
        digest[..16].iter().fold(String::with_capacity(32), |mut hex, byte| {
            // Writing to a String can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}
