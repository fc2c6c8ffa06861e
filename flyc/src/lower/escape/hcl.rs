//! HCL: quoted template strings and heredocs.

use std::fmt::Write as _;

use super::{NUL, Unrepresentable, is_invisible};

/// A quoted string whose value is the text; nothing in it is a template.
pub(in crate::lower) fn quote(text: &str) -> Result<String, Unrepresentable> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut chars = text.chars().peekable();
    let mut previous = None;
    while let Some(c) = chars.next() {
        match c {
            '\0' => return Err(NUL),
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            // `$${` is a plain `${`. After another `$` or `%` the doubling would be read otherwise: there the
            // character is written by its number, which never begins a template.
            '$' | '%' if chars.peek() == Some(&'{') => match previous {
                Some('$' | '%') => escape(&mut quoted, c),
                _ => quoted.extend([c, c]),
            },
            c if is_invisible(c) => escape(&mut quoted, c),
            c => quoted.push(c),
        }
        previous = Some(c);
    }
    quoted.push('"');
    Ok(quoted)
}

/// A key of a map: the word itself where it is one, else a quoted string.
pub(in crate::lower) fn key(text: &str) -> Result<String, Unrepresentable> {
    if is_identifier(text) { Ok(text.to_owned()) } else { quote(text) }
}

/// Whether the text can stand as a name, as in an address.
pub(in crate::lower) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn escape(out: &mut String, c: char) {
    let code = u32::from(c);
    // Writing to a String can't fail.
    let _ = if code > 0xFFFF { write!(out, "\\U{code:08X}") } else { write!(out, "\\u{code:04X}") };
}

/// Lines of a heredoc whose value is the text. A line that looks like the end mark is the template author's to avoid:
/// indent the text, and choose a mark that no line can be.
///
/// A heredoc has no escapes but the doubled introducer, so text that needs more is refused.
pub(in crate::lower) fn heredoc(text: &str) -> Result<String, Unrepresentable> {
    if text.contains('\0') {
        return Err(NUL);
    }
    if text.chars().any(|c| c != '\n' && c != '\t' && is_invisible(c)) {
        return Err(Unrepresentable {
            reason: "a heredoc can't hold control characters; use a quoted string",
        });
    }
    let ambiguous = ["$${", "%%{", "$%{", "%${"];
    if ambiguous.iter().any(|marks| text.contains(marks)) {
        return Err(Unrepresentable { reason: "a heredoc can't hold `$${` or `%%{`; use a quoted string" });
    }
    Ok(text.replace("${", "$${").replace("%{", "%%{"))
}
