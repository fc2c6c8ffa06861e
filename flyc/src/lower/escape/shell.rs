//! POSIX shell: single-quoted words.

use super::{NUL, Unrepresentable};

/// One word whose value is the text; the shell expands nothing in it.
pub(in crate::lower) fn quote(text: &str) -> Result<String, Unrepresentable> {
    if text.contains('\0') {
        return Err(NUL);
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}
