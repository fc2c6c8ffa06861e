//! The formats of literals and strings: what a text must look like to be a duration, a host name, a secret URI, …
//!
//! Every format has a `parse` that says exactly which bytes are wrong and, where it can be known, what to write
//! instead. Formats that are also printed have a `print` that gives the canonical form back.

pub mod cron;
pub mod duration;
pub mod email;
pub mod fqdn;
pub mod image;
pub mod name;
pub mod percent;
pub mod secret_uri;
pub mod size;
pub mod timezone;
pub mod url;

use std::{fmt, ops::Range};

pub use secret_uri::{SecretBackend, SecretUri, is_secret_uri_like};

/// Why a text does not have a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    /// What is wrong with this text, as a short label without a full stop: `` `25` is not an hour (0 to 23) ``.
    pub message: String,
    /// The bytes of the text that are wrong; empty only where something is missing.
    pub range: Range<usize>,
    /// The whole text as it was probably meant.
    pub suggestion: Option<String>,
}

impl FormatError {
    /// An error about these bytes of the text.
    pub fn new(message: impl Into<String>, range: Range<usize>) -> Self {
        Self { message: message.into(), range, suggestion: None }
    }

    /// An error about the whole text.
    pub fn whole(message: impl Into<String>, text: &str) -> Self {
        Self::new(message, 0..text.len())
    }

    /// The same error with the text that was probably meant.
    #[must_use]
    pub fn suggest(mut self, text: impl Into<String>) -> Self {
        self.suggestion = Some(text.into());
        self
    }

    /// The same error, with a suggestion when there is one.
    #[must_use]
    pub fn suggest_maybe(mut self, text: Option<String>) -> Self {
        self.suggestion = text;
        self
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FormatError {}

/// The candidate that was probably meant by a misspelt word, if one is near enough.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    // A longer word may hold more slips; a word of one or two letters may hold one.
    let limit = word.chars().count() / 3 + 1;
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The bytes of the first character for which this holds, and the character.
fn find_char(text: &str, wrong: impl Fn(char) -> bool) -> Option<(Range<usize>, char)> {
    text.char_indices().find(|(_, c)| wrong(*c)).map(|(at, c)| (at..at + c.len_utf8(), c))
}

/// What users call a character: itself between backticks, or words for one that cannot be seen.
fn describe(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        '\t' => "a tab".to_owned(),
        '\n' | '\r' => "a line break".to_owned(),
        '`' => "a backtick".to_owned(),
        c if c.is_control() || c.is_whitespace() => format!("the invisible character U+{:04X}", u32::from(c)),
        c => format!("`{c}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn finds_the_word_that_was_meant() {
        assert_eq!(closest("memroy", ["cpu", "memory", "disk"]), Some("memory"));
        assert_eq!(closest("CPU", ["cpu", "memory"]), Some("cpu"));
        assert_eq!(closest("zebra", ["cpu", "memory"]), None);
        assert_eq!(closest("", ["x"]), None);
    }
}
