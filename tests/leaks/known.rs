//! Values that are known to be secret, every way in which they may be written, and looking for them.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use aho_corasick::AhoCorasick;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

/// What every value has in it, so that nothing else is like it.
const OWN: &str = "[A-Za-z0-9]{12}";

/// The most of a value that is looked for.
const MOST: usize = 48;

/// A value that may be anywhere but in a header of HTTP.
pub(crate) fn value() -> impl Strategy<Value = String> {
    let odd = "[a-z\"'\\\\$%&{}<>:;,@#?=+/ \u{e9}\u{5bc6}\u{1f511}]{0,24}";
    prop_oneof![
        4 => (odd, OWN, odd).prop_map(|(before, own, after)| format!("{before}{own}{after}")),
        1 => OWN.prop_map(|own| format!("glrt-{own}")),
        1 => "[A-Za-z0-9+/]{40}==",
        1 => (OWN, OWN).prop_map(|(one, other)| format!("{one} {other}  end")),
        1 => (OWN, "\\PC{300,2000}").prop_map(|(own, rest)| format!("{own}{rest}")),
        1 => (OWN, OWN).prop_map(|(one, other)| format!("-----BEGIN KEY-----\n{one}{other}\n{other}{one}\n-----END KEY-----")),
    ]
    .prop_map(|value| value.trim().to_owned())
}

/// One that can be shown in a header: GitLab's tokens, and those of webhooks and of the API.
pub(crate) fn shown() -> impl Strategy<Value = String> {
    let odd = "[a-z\"'\\\\$%&{}<>:;@#?=+/]{0,12}";
    prop_oneof![
        4 => (odd, OWN, odd).prop_map(|(before, own, after)| format!("{before}{own}{after}")),
        1 => OWN.prop_map(|own| format!("glpat-{own}")),
        1 => "[A-Za-z0-9+/]{40}==",
        1 => "[A-Za-z0-9_-]{43}".prop_map(|own| format!("gosling-{own}A")).prop_map(|mut own| { own.truncate(51); own }),
        1 => "[A-Za-z0-9]{3000}",
    ]
}

/// The parts of a value's base64 that are its own, wherever it begins in what is encoded.
fn base64s(value: &str) -> impl Iterator<Item = String> {
    (0..3).flat_map(|before| {
        let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(value.bytes()).collect();
        let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]
            .map(|text| text[own.clone()].to_owned())
    })
}

/// Its bytes in hexadecimal.
fn hex(value: &str) -> String {
    orchestrator::seal::hex(value.as_bytes())
}

/// A text in ASCII, as some write JSON.
fn ascii(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for half in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{half:04x}");
            }
        }
    }
    out
}

/// Every way in which a value may be written.
fn forms(value: &str) -> BTreeSet<String> {
    let within = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
    let json = |text: &str| within(serde_json::Value::from(text).to_string());
    let percent = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    let hex = hex(value);
    let mut all: BTreeSet<String> = [
        value.to_owned(),
        json(value),
        ascii(&json(value)),
        json(&json(value)),
        within(format!("{value:?}")),
        json(&within(format!("{value:?}"))),
        value.replace('\'', "'\\''"),
        value.replace('\'', "''"),
        percent.to_lowercase(),
        percent,
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        hex.to_uppercase(),
        hex,
    ]
    .into();
    all.extend(base64s(value));
    all
}

/// Looks for values.
pub(crate) struct Search {
    forms: Vec<String>,
    search: AhoCorasick,
}

impl Search {
    /// For all of these, and for each line of a key.
    pub(crate) fn new<'v>(values: impl IntoIterator<Item = &'v String>) -> Self {
        let mut all = BTreeSet::new();
        for value in values {
            assert!(value.len() >= 10, "`{value}` may be found anywhere");
            // Whatever repeats a long one begins where it begins.
            let short = |text: &str| text[..text.floor_char_boundary(MOST)].to_owned();
            all.extend(forms(&short(value)));
            let lines = value.lines().filter(|line| line.len() >= 20 && !line.contains("-----"));
            lines.for_each(|line| all.extend(forms(&short(line))));
        }
        let forms: Vec<String> = all.into_iter().collect();
        Self { search: AhoCorasick::new(&forms).unwrap(), forms }
    }

    /// The form of a value that is in it, with what stands around it.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<String> {
        let found = self.search.find(bytes)?;
        let around = found.start().saturating_sub(60)..(found.end() + 60).min(bytes.len());
        let around = String::from_utf8_lossy(&bytes[around]).into_owned();
        Some(format!("`{}` in …{around}…", self.forms[found.pattern().as_usize()]))
    }

    /// The files below a folder that hold a value, but for those that are meant to.
    pub(crate) fn files(&self, folder: &Path, is_meant: &impl Fn(&Path) -> bool) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if is_meant(&path) {
                continue;
            }
            let name = path.as_os_str().as_encoded_bytes();
            let told = match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    found.extend(self.files(&path, is_meant));
                    self.find(name)
                }
                Ok(kind) if kind.is_file() => {
                    self.find(name).or_else(|| self.find(&fs::read(&path).unwrap_or_default()))
                }
                _ => self.find(name),
            };
            found.extend(told.map(|told| format!("{}: {told}", path.display())));
        }
        found
    }
}

#[test]
fn a_value_is_found_however_it_is_written() {
    let value = "p\"a's\\s $%\u{e9}\u{1f511}0123456789".to_owned();
    let search = Search::new([&value]);
    for form in [
        value.clone(),
        serde_json::json!({ "a": value }).to_string(),
        serde_json::json!({ "a": serde_json::json!({ "a": value }).to_string() }).to_string(),
        format!("{value:?}"),
        STANDARD_NO_PAD.encode(format!("me:{value}!")),
        utf8_percent_encode(&value, NON_ALPHANUMERIC).to_string(),
        hex(&value),
    ] {
        assert!(search.find(format!("a {form} b").as_bytes()).is_some(), "{form}");
    }
    assert!(search.find(&value.as_bytes()[1..]).is_none());
}
