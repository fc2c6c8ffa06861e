//! What may not be printed as it is: secret URIs and control characters. What never lives here: a format.

use std::{borrow::Cow, ops::Range};

/// The schemes of secret URIs, each followed by `://`.
const SCHEMES: [&str; 3] = ["yc-lockbox", "aws-sm", "vault"];

/// What stands in place of a secret's path.
const MASKED: &str = "***MASKED***";

/// The text with the path of every secret URI replaced: `vault://***MASKED***`.
///
/// A URI in quotes or backticks ends at the closing one, any other at white space or a quote.
pub fn mask(text: &str) -> Cow<'_, str> {
    let paths = paths(text);
    if paths.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for path in paths {
        out.push_str(&text[at..path.start]);
        out.push_str(MASKED);
        at = path.end;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}

/// The paths of the secret URIs in a text, in order.
pub(super) fn paths(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("://").map(|at| from + at) {
        let start = at + 3;
        from = start;
        let Some(scheme) = scheme_at_end(&text[..at]) else { continue };
        let before = text[..at - scheme.len()].chars().next_back();
        let end = start + path_len(&text[start..], before);
        // `yc-lockbox://<id>/<key>` tells the form and names nothing.
        if end > start && !text[start..].starts_with('<') {
            found.push(start..end);
        }
        from = end;
    }
    found
}

/// The scheme that a text ends with.
fn scheme_at_end(text: &str) -> Option<&'static str> {
    SCHEMES.into_iter().find(|scheme| {
        text.len() >= scheme.len()
            && text.as_bytes()[text.len() - scheme.len()..].eq_ignore_ascii_case(scheme.as_bytes())
    })
}

/// How many bytes at the beginning of a text belong to the path of a URI that the character `before` precedes.
fn path_len(text: &str, before: Option<char>) -> usize {
    let closing = before.filter(|quote| matches!(quote, '"' | '\'' | '`'));
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        let ends = match closing {
            Some(quote) => (c == quote && !escaped) || c == '\n',
            None => c.is_whitespace() || matches!(c, '"' | '\'' | '`'),
        };
        if ends {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// The text masked and in one line, for a terminal: line breaks become spaces, control characters are spelled out.
pub fn one_line(text: &str) -> String {
    let masked = mask(text);
    let mut out = String::with_capacity(masked.len());
    for c in masked.chars() {
        match c {
            '\n' | '\t' => out.push(' '),
            '\r' => {}
            c if is_unprintable(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Whether a character would steer a terminal instead of showing: control characters, line separators and the marks
/// that turn the direction of writing.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::{mask, one_line};

    #[test]
    fn every_scheme_is_masked_to_the_end_of_its_path() {
        for (text, masked) in [
            ("`yc-lockbox://id/key` is unknown", "`yc-lockbox://***MASKED***` is unknown"),
            ("a aws-sm://name/key, b", "a aws-sm://***MASKED*** b"),
            ("vault://a/b vault://c/d", "vault://***MASKED*** vault://***MASKED***"),
            ("\"vault://a b/c\\\"d/e\" end", "\"vault://***MASKED***\" end"),
            ("VAULT://x/y", "VAULT://***MASKED***"),
            ("vault://${var.a}/ключ", "vault://***MASKED***"),
            ("`vault://never closed", "`vault://***MASKED***"),
            ("the scheme `vault://` alone", "the scheme `vault://` alone"),
            ("https://gitlab.com/x stays", "https://gitlab.com/x stays"),
            ("ключvault://a/b", "ключvault://***MASKED***"),
            ("://", "://"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    fn a_line_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\r\nb\u{1b}[31m\u{202e}c\td"), "a b\\u{1b}[31m\\u{202e}c d");
    }
}
