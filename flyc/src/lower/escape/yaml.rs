//! YAML: double-quoted scalars, and block literals for texts of many lines.

use std::fmt::Write as _;

use super::{NUL, Unrepresentable, is_invisible};

/// A double-quoted scalar whose value is the text, on one line.
pub(in crate::lower) fn quote(text: &str) -> Result<String, Unrepresentable> {
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
            c if is_invisible(c) => {
                let code = u32::from(c);
                // Writing to a String can't fail.
                let _ = match code {
                    0..=0xFF => write!(quoted, "\\x{code:02X}"),
                    0x100..=0xFFFF => write!(quoted, "\\u{code:04X}"),
                    _ => write!(quoted, "\\U{code:08X}"),
                };
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

/// A block literal (`|`), its lines indented by `indent`, without the last line's end; a double-quoted scalar when the
/// text is not plain lines.
pub(in crate::lower) fn block(text: &str, indent: usize) -> Result<String, Unrepresentable> {
    let plain = text.ends_with('\n')
        && !text.ends_with("\n\n")
        && !text.starts_with([' ', '\t', '\n'])
        && !text.chars().any(|c| c != '\n' && is_invisible(c));
    if !plain {
        return quote(text);
    }
    let mut literal = String::from("|");
    for line in text.lines() {
        literal.push('\n');
        if !line.is_empty() {
            literal.extend(std::iter::repeat_n(' ', indent));
            literal.push_str(line);
        }
    }
    Ok(literal)
}
