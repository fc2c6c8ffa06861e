//! Digests of sets of texts.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// SHA-256 over paths and texts, in lower-case hexadecimal. Each is preceded by its length, so that nothing can be moved
/// from one to the next unnoticed.
pub(super) fn of<'a>(texts: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut hash = Sha256::new();
    for (path, text) in texts {
        add(&mut hash, path);
        add(&mut hash, text);
    }
    hexadecimal(hash)
}

/// Adds a text, preceded by its length.
pub(super) fn add(hash: &mut Sha256, text: &str) {
    hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
    hash.update(text);
}

/// SHA-256 of the text of a source, in lower-case hexadecimal, as a manifest has it.
pub fn source_digest(text: &str) -> String {
    hexadecimal(Sha256::new_with_prefix(text))
}

pub(super) fn hexadecimal(hash: Sha256) -> String {
    let mut digest = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string can't fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_texts_and_their_borders_apart() {
        let none = of([].into_iter());
        assert_eq!(none, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(source_digest(""), none);
        assert_ne!(of([("a", "bc")].into_iter()), of([("ab", "c")].into_iter()));
        assert_ne!(of([("a", "b"), ("c", "")].into_iter()), of([("a", "bc"), ("", "")].into_iter()));
    }
}
