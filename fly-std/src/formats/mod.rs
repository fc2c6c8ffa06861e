//! The formats of literals and strings: what a text must look like to be a duration, a host name, a secret URI, …
//!
//! Every format has a `parse` that says exactly which bytes are wrong and, where it can be known, what to write
//! instead. Formats that are also printed have a `print` that gives the canonical form back.

pub mod cron;
pub mod duration;
pub mod email;
pub mod eventbridge;
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
    // A very long word is no slip of a short one, and comparing it would take long.
    if word.len() > 256 {
        return None;
    }
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

/// A part of the text as a message repeats it: not more than a line holds.
fn short(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_word_that_was_meant() {
        assert_eq!(closest("memroy", ["cpu", "memory", "disk"]), Some("memory"));
        assert_eq!(closest("CPU", ["cpu", "memory"]), Some("cpu"));
        assert_eq!(closest("zebra", ["cpu", "memory"]), None);
        assert_eq!(closest("", ["x"]), None);
    }

    #[test]
    fn messages_stay_short() {
        for part in ["x", "5", "я", "5x"] {
            let text = part.repeat(5000);
            for (format, result) in every_format(&text) {
                if let Err(error) = result {
                    assert!(error.message.chars().count() <= 160, "{format}: {}", error.message);
                }
            }
        }
    }

    /// Whether a text has the format, or why not, for every format.
    fn every_format(text: &str) -> [(&'static str, Result<(), FormatError>); 11] {
        [
            ("cron", cron::parse(text).map(drop)),
            ("duration", duration::parse(text).map(drop)),
            ("email", email::parse(text).map(drop)),
            ("fqdn", fqdn::parse(text).map(drop)),
            ("image", image::parse(text).map(drop)),
            ("name", name::parse(text).map(drop)),
            ("percent", percent::parse(text).map(drop)),
            ("secret_uri", secret_uri::parse(text).map(drop)),
            ("size", size::parse(text).map(drop)),
            ("timezone", timezone::parse(text).map(drop)),
            ("url", url::parse(text).map(drop)),
        ]
    }

    /// The words and marks of the formats, thrown together: near misses of each of them.
    fn near_miss() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "0",
            "5",
            "12",
            "60",
            "99999999999999999999",
            ".",
            "-",
            "_",
            "/",
            ":",
            "@",
            "://",
            "%",
            "*",
            ",",
            " ",
            "\t",
            "#",
            "?",
            "h",
            "m",
            "s",
            "d",
            "w",
            "min",
            "GiB",
            "gb",
            "B",
            "vault",
            "yc-lockbox",
            "aws-sm",
            "https",
            "ftp",
            "gitlab.com",
            "localhost",
            "Europe",
            "Berlin",
            "MON",
            "JAN",
            "sha256",
            "App",
            "é",
            "я",
            "[",
            "]",
            "`",
            "\u{7f}",
            "L",
            "W",
            "+",
        ]);
        prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn errors_point_into_the_text_and_suggestions_hold(text in prop_oneof![near_miss(), any::<String>()]) {
            for (format, result) in every_format(&text) {
                let Err(error) = result else { continue };
                prop_assert!(text.get(error.range.clone()).is_some(), "{format}: {text:?}: {error:?}");
                prop_assert!(error.message.chars().count() <= 160, "{format}: {}", error.message);
                prop_assert!(!error.message.is_empty() && !error.message.ends_with('.'), "{format}: {text:?}");
                if let Some(suggestion) = &error.suggestion {
                    prop_assert_ne!(suggestion, &text, "{}", format);
                    let again = every_format(suggestion).into_iter().find(|(name, _)| *name == format);
                    prop_assert!(again.is_some_and(|(_, result)| result.is_ok()), "{format}: {text:?}: {error:?}");
                }
            }
        }
    }
}
