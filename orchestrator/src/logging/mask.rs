//! Finding what is secret in a text, however it is written there.

use std::{
    collections::BTreeSet,
    fmt,
    ops::Range,
    sync::{LazyLock, PoisonError, RwLock},
};

use aho_corasick::AhoCorasick;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use fly_std::formats::SecretBackend;

use super::views::View;
use crate::ports::secrets::MASKED;

/// The fewest characters of a value that is hidden.
const LEAST: usize = 6;

/// The fewest characters of a line that is hidden by itself: keys are of many lines, and tools show single ones.
const LEAST_LINE: usize = 16;

/// What GitLab's tokens begin with.
const TOKENS: [&str; 11] = [
    "glpat-", "glrt-", "glrtr-", "gldt-", "glptt-", "glcbt-", "glsoat-", "glft-", "gloas-", "glimt-",
    "glagent-",
];

/// The fewest characters behind that.
const LEAST_TOKEN: usize = 8;

/// What the tokens of gosling's own API begin with.
const OWN: &str = "gosling-";

/// The characters behind that: 32 bytes in base64.
const OWN_LENGTH: usize = 43;

/// What stands before the name and password of a URL.
const AUTHORITY: &str = "://";

/// What a secret's URI begins with, then what a token of GitLab's does, one of our own, and what a URL has.
static BEGINNINGS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let schemes = SecretBackend::ALL.map(|backend| format!("{}://", backend.scheme()));
    let all = schemes.iter().map(String::as_str).chain(TOKENS).chain([OWN, AUTHORITY]);
    AhoCorasick::new(all).ok()
});

/// Knows what is secret.
pub struct Masker(RwLock<Known>);

struct Known {
    patterns: BTreeSet<String>,
    /// None when there can be none: then everything is secret.
    parts: Option<Vec<Part>>,
}

/// Some of the patterns, looked for together.
struct Part {
    patterns: Vec<String>,
    search: AhoCorasick,
}

impl Known {
    /// Each part is larger than the one behind it: of n patterns none is built into a search more than about log n times,
    /// however they come.
    fn add(&mut self, patterns: BTreeSet<String>) {
        let Some(parts) = &mut self.parts else { return };
        let mut new: Vec<String> =
            patterns.into_iter().filter(|pattern| self.patterns.insert(pattern.clone())).collect();
        if new.is_empty() {
            return;
        }
        while let Some(last) = parts.pop_if(|last| last.patterns.len() <= new.len()) {
            new.extend(last.patterns);
        }
        match AhoCorasick::new(&new) {
            Ok(search) => parts.push(Part { patterns: new, search }),
            Err(_) => self.parts = None,
        }
    }
}

impl Default for Masker {
    fn default() -> Self {
        Self(RwLock::new(Known { patterns: BTreeSet::new(), parts: Some(Vec::new()) }))
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masker")
    }
}

impl Masker {
    /// From now on this value is hidden. One that is shorter than six characters is not.
    pub fn hide(&self, value: &str) {
        self.hide_all([value]);
    }

    /// The same of many at once.
    pub fn hide_all<'a>(&self, values: impl IntoIterator<Item = &'a str>) {
        let patterns: BTreeSet<String> = values.into_iter().flat_map(patterns).collect();
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if patterns.is_subset(&known.patterns) {
            return;
        }
        drop(known);
        self.0.write().unwrap_or_else(PoisonError::into_inner).add(patterns);
    }

    /// The text without what is secret.
    pub fn mask(&self, text: &str) -> String {
        self.without(text, true)
    }

    /// The text without what is secret, but with the URIs that lead to it.
    pub fn mask_values(&self, text: &str) -> String {
        self.without(text, false)
    }

    fn without(&self, text: &str, uris: bool) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some((parts, beginnings)) = known.parts.as_ref().zip(BEGINNINGS.as_ref()) else {
            return MASKED.to_owned();
        };
        let mut found = Vec::new();
        for view in View::all(text) {
            let bytes = view.bytes();
            let values = parts.iter().flat_map(|part| part.search.find_overlapping_iter(bytes));
            let values = values.map(|found| found.range());
            let looks = beginnings
                .find_overlapping_iter(bytes)
                .filter(|found| uris || found.pattern().as_usize() >= SecretBackend::ALL.len())
                .filter_map(|found| behind(bytes, found.range(), found.pattern().as_usize()));
            found.extend(values.chain(looks).map(|range| view.source(range)));
        }
        replaced(text, found)
    }
}

/// What is looked for: the value, its longer lines, and each in base64, by itself or as a part of something.
fn patterns(value: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let lines = value.lines().map(str::trim).filter(|line| line.chars().count() >= LEAST_LINE);
    for text in [value, value.trim()].into_iter().filter(|text| text.chars().count() >= LEAST).chain(lines) {
        all.insert(text.to_owned());
        // A space in forms of the web.
        all.insert(text.replace(' ', "+"));
        all.insert(STANDARD.encode(text));
        for before in 0..3 {
            let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(text.bytes()).collect();
            // Six bits a character: those that are of the value alone.
            let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
            for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                all.extend(encoded.get(own.clone()).map(str::to_owned));
            }
        }
    }
    all
}

/// The rest of a URI, a whole token, or the password of a URL.
fn behind(bytes: &[u8], beginning: Range<usize>, which: usize) -> Option<Range<usize>> {
    let rest = bytes.get(beginning.end..)?;
    let is_uri = which < SecretBackend::ALL.len();
    match which.checked_sub(SecretBackend::ALL.len() + TOKENS.len()) {
        Some(0) => return own(rest).map(|length| beginning.start..beginning.end + length),
        Some(_) => {
            let password = password(rest)?;
            return Some(beginning.end + password.start..beginning.end + password.end);
        }
        None => {}
    }
    let goes_on = |byte: &u8| {
        if is_uri {
            *byte > b' ' && *byte != 0x7f && !b"\"'`<>\\".contains(byte)
        } else {
            byte.is_ascii_alphanumeric() || b"-_.".contains(byte)
        }
    };
    let mut length = rest.iter().take_while(|byte| goes_on(byte)).count();
    if is_uri {
        // The sentence's, and not the URI's.
        while length > 0 && b".,;:)]}".contains(&rest[length - 1]) {
            length -= 1;
        }
        (length > 0).then(|| beginning.end..beginning.end + length)
    } else {
        (length >= LEAST_TOKEN).then(|| beginning.start..beginning.end + length)
    }
}

/// How much belongs to a token of our own: random characters, and no name, which has no capitals.
fn own(rest: &[u8]) -> Option<usize> {
    let goes_on = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let length = rest.iter().take_while(goes_on).count();
    (length == OWN_LENGTH && rest[..length].iter().any(u8::is_ascii_uppercase)).then_some(length)
}

/// The password in a URL's `name:password@host`.
fn password(rest: &[u8]) -> Option<Range<usize>> {
    let ends = |byte: &u8| *byte <= b' ' || *byte == 0x7f || b"/?#\"'`<>\\".contains(byte);
    let authority = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    let at = authority.iter().rposition(|byte| *byte == b'@')?;
    let colon = authority[..at].iter().position(|byte| *byte == b':')?;
    (colon + 1 < at).then_some(colon + 1..at)
}

fn replaced(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut ranges = found.into_iter().filter(|range| !range.is_empty()).peekable();
    while let Some(mut range) = ranges.next() {
        while let Some(next) = ranges.next_if(|next| next.start <= range.end) {
            range.end = range.end.max(next.end);
        }
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(MASKED);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
