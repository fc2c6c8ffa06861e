//! Texts that look like credentials: tokens by their shapes, and random values under names that promise one.
//!
//! What is found here is an error in a `.fly` file, and nobody can say "but I mean it", so each shape is exact and the
//! guess by name wants a value that no person would make up. What never lives here: where in a file texts stand.

use std::{borrow::Cow, ops::Range};

/// A credential within a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The bytes of the text that are the credential.
    pub range: Range<usize>,
    /// What it is, with its article.
    pub noun: &'static str,
}

/// Tokens that begin with letters of their own.
struct Shape {
    prefix: &'static str,
    /// Which bytes follow.
    body: fn(u8) -> bool,
    /// How many of them there are at least and at most.
    length: (usize, usize),
    noun: &'static str,
}

const fn shape(
    prefix: &'static str,
    body: fn(u8) -> bool,
    length: (usize, usize),
    noun: &'static str,
) -> Shape {
    Shape { prefix, body, length, noun }
}

const ANY: usize = usize::MAX;

fn alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn url_safe(byte: u8) -> bool {
    alnum(byte) || matches!(byte, b'-' | b'_')
}

fn dotted(byte: u8) -> bool {
    url_safe(byte) || byte == b'.'
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// The shapes, from what the services publish about their tokens (2026-01): GitLab's "Token overview", GitHub's
/// "About authentication", AWS's "Unique identifiers of IAM", Slack's "Token types", Yandex Cloud's "Secret scanning".
///
/// What has such a shape is told even where it only stands for one (`glpat-xxxxxxxxxxxxxxxxxxxx`): a text that is there
/// to be replaced would be replaced by the credential.
///
/// [`find`] looks for them where one of their first letters begins a word.
static SHAPES: &[Shape] = &[
    shape("glpat-", dotted, (20, ANY), "a GitLab access token"),
    shape("glrt-", dotted, (20, ANY), "a GitLab runner token"),
    shape("glrtr-", dotted, (20, ANY), "a GitLab runner token"),
    shape("GR1348941", url_safe, (20, ANY), "a GitLab runner token"),
    shape("gldt-", dotted, (20, ANY), "a GitLab deploy token"),
    shape("glptt-", dotted, (20, ANY), "a GitLab trigger token"),
    shape("glcbt-", dotted, (20, ANY), "a GitLab job token"),
    shape("glft-", dotted, (20, ANY), "a GitLab feed token"),
    shape("glimt-", dotted, (20, ANY), "a GitLab mail token"),
    shape("glagent-", dotted, (20, ANY), "a GitLab agent token"),
    shape("gloas-", dotted, (20, ANY), "a GitLab application secret"),
    shape("glsoat-", dotted, (20, ANY), "a GitLab access token"),
    shape("AKIA", upper, (16, 16), "an AWS access key"),
    shape("ASIA", upper, (16, 16), "an AWS access key"),
    shape("ghp_", alnum, (36, ANY), "a GitHub token"),
    shape("gho_", alnum, (36, ANY), "a GitHub token"),
    shape("ghu_", alnum, (36, ANY), "a GitHub token"),
    shape("ghs_", alnum, (36, ANY), "a GitHub token"),
    shape("ghr_", alnum, (36, ANY), "a GitHub token"),
    shape("github_pat_", url_safe, (22, ANY), "a GitHub token"),
    shape("xoxb-", url_safe, (20, ANY), "a Slack token"),
    shape("xoxp-", url_safe, (20, ANY), "a Slack token"),
    shape("xoxa-", url_safe, (20, ANY), "a Slack token"),
    shape("xoxs-", url_safe, (20, ANY), "a Slack token"),
    shape("AQVN", url_safe, (35, 38), "a Yandex Cloud API key"),
    shape("y0_", url_safe, (50, ANY), "a Yandex OAuth token"),
    shape("t1.", dotted, (90, ANY), "a Yandex Cloud IAM token"),
    shape("eyJ", dotted, (36, ANY), "a JSON web token"),
];

/// The prefixes that are known by everybody, so that less has to follow.
const GITLAB: [&str; 2] = ["glpat-", "glrt-"];

const KEY_BEGIN: &str = "-----BEGIN ";
const KEY_NOUN: &str = "a private key";

/// Every credential in a text that can be told by its shape, in order.
pub fn find(text: &str) -> Vec<Credential> {
    let bytes = text.as_bytes();
    let mut found: Vec<Credential> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !begins_word(bytes, at) {
            at += 1;
            continue;
        }
        let here = match bytes[at] {
            b'-' => private_key(text, at),
            b'A' | b'G' | b'e' | b'g' | b't' | b'x' | b'y' => shaped(text, at),
            _ => None,
        };
        let here = here.or_else(|| aws_secret(text, at));
        match here {
            Some(credential) => {
                at = credential.range.end.max(at + 1);
                found.push(credential);
            }
            None => at += 1,
        }
    }
    found
}

/// Whether a word may begin here: nothing it could belong to stands before, other than an escape such as `\n`.
fn begins_word(bytes: &[u8], at: usize) -> bool {
    match at.checked_sub(1).map(|before| bytes[before]) {
        None => true,
        Some(before) if alnum(before) => at >= 2 && bytes[at - 2] == b'\\',
        Some(_) => true,
    }
}

fn shaped(text: &str, at: usize) -> Option<Credential> {
    let rest = &text.as_bytes()[at..];
    let of = |shape: &'static Shape| {
        let body = rest.strip_prefix(shape.prefix.as_bytes())?;
        let mut length = body.iter().take_while(|byte| (shape.body)(**byte)).count();
        // A full stop or a dash at the end belongs to the sentence around it.
        while length > 0 && matches!(body[length - 1], b'.' | b'-') {
            length -= 1;
        }
        let (least, most) = shape.length;
        let body = std::str::from_utf8(&body[..length]).ok()?;
        // Nobody makes up a short name that has this prefix and a digit.
        let short =
            GITLAB.contains(&shape.prefix) && length >= SHORTEST && body.bytes().any(|b| b.is_ascii_digit());
        let holds = (short || (least..=most).contains(&length))
            && match shape.prefix {
                // Header and claims are both JSON objects, and a signature follows.
                "eyJ" => body.split('.').nth(1).is_some_and(|claims| claims.starts_with("eyJ")),
                _ => true,
            };
        holds.then(|| Credential { range: at..at + shape.prefix.len() + length, noun: shape.noun })
    };
    SHAPES.iter().filter(|shape| rest.first() == shape.prefix.as_bytes().first()).find_map(of)
}

/// A private key in PEM, up to its last line or the end of the text.
fn private_key(text: &str, at: usize) -> Option<Credential> {
    let rest = text.get(at..)?.strip_prefix(KEY_BEGIN)?;
    let (label, body) = rest.split_once("-----")?;
    if !label.trim_end_matches(" BLOCK").ends_with("PRIVATE KEY") || label.len() > 40 {
        return None;
    }
    let end = body.find("-----END ").map(|end| {
        let from = end + "-----END ".len();
        body[from..].find("-----").map_or(body.len(), |dashes| from + dashes + 5)
    });
    let key = &body[..end.unwrap_or(body.len())];
    // A template or the mere mention of a key has no line of one.
    let outside = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='));
    let mut first = key;
    while let Some(rest) =
        ["\\n", "\\r", "\n", "\r", " ", "\t"].iter().find_map(|end| first.strip_prefix(end))
    {
        first = rest;
    }
    let begins = first.len() < key.len() && first.find(outside).unwrap_or(first.len()) >= 4;
    let mut runs = key.split(outside).map(|run| run.trim_start_matches('n'));
    let has_line = begins || runs.any(|run| run.len() >= 32);
    let length = KEY_BEGIN.len() + label.len() + 5 + key.len();
    has_line.then_some(Credential { range: at..at + length, noun: KEY_NOUN })
}

/// The secret half of an AWS access key: 40 characters of base64 that say nothing.
fn aws_secret(text: &str, at: usize) -> Option<Credential> {
    const LENGTH: usize = 40;
    let bytes = &text.as_bytes()[at..];
    let inside = |byte: &u8| alnum(*byte) || matches!(byte, b'+' | b'/');
    let before = at.checked_sub(1).map(|before| text.as_bytes()[before]);
    let joins = |byte: &u8| inside(byte) || matches!(byte, b'-' | b'_' | b'.');
    let word = bytes.get(..LENGTH).filter(|word| word.iter().all(inside))?;
    // Base64 of another length, a part of a path, or the letter of an escape such as `\n`.
    if before.is_some_and(|byte| byte == b'\\' || (!alnum(byte) && joins(&byte)))
        || bytes.get(LENGTH).is_some_and(|byte| *byte == b'=' || joins(byte))
    {
        return None;
    }
    let any = |of: fn(&u8) -> bool| word.iter().any(of);
    let digits = word.split(|byte| !byte.is_ascii_digit()).filter(|run| !run.is_empty()).count();
    let holds = any(u8::is_ascii_uppercase)
        && any(u8::is_ascii_lowercase)
        && digits >= 2
        && word.split(|byte| *byte == b'/').count() <= 4
        && entropy(word) >= 4.2
        && !decodes_to_text(word)
        && !is_filler(std::str::from_utf8(word).ok()?);
    holds.then_some(Credential { range: at..at + LENGTH, noun: "an AWS secret key" })
}

/// Whether base64 stands for text, so that it is a configuration and no key.
fn decodes_to_text(word: &[u8]) -> bool {
    let sextet = |byte: &u8| {
        u32::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            _ => 63,
        })
    };
    word.chunks_exact(4).all(|four| {
        let bits = four.iter().fold(0, |bits, byte| bits << 6 | sextet(byte));
        bits.to_be_bytes()[1..].iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
    })
}

/// Whether a text only stands where a credential will: `xxxxxxxx`, `EXAMPLE`, `12345678`.
fn is_filler(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        "example",
        "xxxx",
        "placeholder",
        "changeme",
        "redacted",
        "0123456789",
        "1234567890",
        "abcdefgh",
        "your",
    ];
    let lower = text.to_ascii_lowercase();
    let mut seen: Vec<u8> = lower.bytes().collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len() <= 4 || WORDS.iter().any(|word| lower.contains(word))
}

/// Whether a value under this name is meant to be secret: `API_TOKEN`, `db-password`, `DEPLOY_KEY`.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    if name.contains("PUBLIC") {
        return false;
    }
    if let Some(of) = name.strip_suffix("_KEY").or_else(|| name.strip_suffix("APIKEY")) {
        let of = of.rsplit('_').next().unwrap_or("");
        return !PLAIN_KEYS.contains(&of);
    }
    name.ends_with("TOKEN") || SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Words that make any name one of a secret.
const SECRET_WORDS: [&str; 4] = ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET"];

/// What stands before `_KEY` in names of keys that open nothing.
const PLAIN_KEYS: [&str; 10] =
    ["CACHE", "SORT", "PARTITION", "PRIMARY", "FOREIGN", "INDEX", "ROUTING", "OBJECT", "HOST", "LOOKUP"];

/// Whether the value under a name is a credential: the name promises one, and the value looks random.
pub fn is_secret_value(name: &str, value: &str) -> bool {
    value.len() >= SHORTEST && is_secret_name(name) && looks_random(name, value)
}

/// How long a random value is at least.
const SHORTEST: usize = 8;

fn looks_random(name: &str, value: &str) -> bool {
    const ODD: &[char] = &['$', '<', '>', '{', '}', '*', '…', '%'];
    let bytes = value.as_bytes();
    if !(SHORTEST..=8192).contains(&bytes.len())
        || !bytes.iter().all(u8::is_ascii_graphic)
        || value.contains("://")
        || value.contains(ODD)
        || value.starts_with(['/', '.', '~', '-'])
        || ["arn:", "sha256", "sha512", "sha1"].iter().any(|prefix| value.starts_with(prefix))
        || is_filler(value)
        || is_uuid(value)
    {
        return false;
    }
    let name = name.to_ascii_uppercase();
    let is_hex = bytes.iter().all(u8::is_ascii_hexdigit);
    if is_hex && matches!(bytes.len(), 40 | 64) && !SECRET_KEYS.iter().any(|word| name.contains(word)) {
        // A commit or a digest, as keys of caches are.
        return false;
    }
    let turns = turns(bytes);
    if bytes.len() < 16 {
        // Too short to be measured: a password is one whose letters and digits take turns.
        return SECRET_WORDS.iter().any(|word| name.contains(word)) && turns.digits >= 2;
    }
    entropy(bytes) >= 3.0 && (turns.all * 5 >= bytes.len() || (entropy(bytes) >= 4.2 && turns.digits >= 2))
}

/// Words in names whose value is secret even when it is plain hexadecimal.
const SECRET_KEYS: [&str; 10] =
    ["TOKEN", "PASSW", "PASSPHRASE", "SECRET", "API", "ACCESS", "PRIVATE", "SIGNING", "ENCRYPTION", "AUTH"];

fn is_uuid(value: &str) -> bool {
    let lengths = value.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && value.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// How often the kind of character changes within words.
struct Turns {
    /// Between small letters, capitals and digits; a capital followed by a small letter begins a word and is no turn.
    all: usize,
    /// Between letters and digits.
    digits: usize,
}

fn turns(bytes: &[u8]) -> Turns {
    let mut turns = Turns { all: 0, digits: 0 };
    for pair in bytes.windows(2) {
        let [before, after] = pair else { continue };
        if !alnum(*before) || !alnum(*after) {
            continue;
        }
        let digit = before.is_ascii_digit() != after.is_ascii_digit();
        turns.digits += usize::from(digit);
        turns.all += usize::from(digit || (before.is_ascii_lowercase() && after.is_ascii_uppercase()));
    }
    turns
}

/// Shannon's entropy, in bits a byte.
fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = f64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let share = |count: &u32| {
        let share = f64::from(*count) / total;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(share).sum()
}

/// The credentials that a text assigns to names: `API_TOKEN=…` in a script, `"password": "…"` in JSON. They are those
/// that only their names tell of.
pub fn find_assigned(text: &str) -> Vec<Credential> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(['=', ':']) {
        let before = text[..at].trim_end_matches(['"', '\'', '\\', ' ']);
        let from = before.bytes().rev().take_while(|byte| url_safe(*byte)).count();
        let name = &before[before.len() - from..];
        if !is_secret_name(name) {
            continue;
        }
        let rest = &text[at + 1..];
        let value = rest.trim_start_matches(['"', '\'', '\\', ' ']);
        let start = at + 1 + (rest.len() - value.len());
        let ends =
            |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ';' | ',' | '&' | '|' | ')' | '`');
        let value = &value[..value.find(ends).unwrap_or(value.len())];
        if looks_random(name, value) {
            found.push(Credential { range: start..start + value.len(), noun: ASSIGNED_NOUN });
        }
    }
    found
}

/// What a value is that only its name tells of.
pub const ASSIGNED_NOUN: &str = "a credential";

/// What stands in place of a credential.
const MASKED: &str = "***MASKED***";

/// The text with every credential that is told by its shape replaced.
pub fn mask(text: &str) -> Cow<'_, str> {
    let found = find(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for credential in found {
        out.push_str(&text[from..credential.range.start]);
        out.push_str(MASKED);
        from = credential.range.end;
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
