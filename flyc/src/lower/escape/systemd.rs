//! systemd units: words of a command line, assignments of `Environment=`, and whole lines.
//!
//! In all three `%` begins a specifier and is doubled. `$` begins a variable in command lines only, and is doubled
//! there only.

use std::fmt::Write as _;

use super::{NUL, Unrepresentable, is_invisible};

/// One word of `ExecStart=` and its like.
pub(in crate::lower) fn command_word(text: &str) -> Result<String, Unrepresentable> {
    quote(text, true)
}

/// One `NAME=value` of `Environment=`.
pub(in crate::lower) fn assignment(text: &str) -> Result<String, Unrepresentable> {
    quote(text, false)
}

/// The rest of a line that systemd takes as it is, such as `Description=`. It has no escapes, so text that would not
/// come out the same is refused.
pub(in crate::lower) fn line(text: &str) -> Result<String, Unrepresentable> {
    if text.contains('\0') {
        return Err(NUL);
    }
    if text.chars().any(is_invisible) || text.ends_with('\\') || text.trim() != text {
        return Err(Unrepresentable {
            reason: "a line of a systemd unit can't hold control characters, a trailing backslash or spaces around it",
        });
    }
    Ok(text.replace('%', "%%"))
}

fn quote(text: &str, command: bool) -> Result<String, Unrepresentable> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '\0' => return Err(NUL),
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '%' => quoted.push_str("%%"),
            '$' if command => quoted.push_str("$$"),
            c if is_invisible(c) => {
                let code = u32::from(c);
                // Writing to a String can't fail.
                let _ = match code {
                    0..=0x7F => write!(quoted, "\\x{code:02x}"),
                    0x80..=0xFFFF => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                };
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(quoted)
}
