//! What a command would change, as a unified diff.

use std::fmt::Write as _;

/// The difference between two texts of a file.
pub(super) fn diff(name: &str, before: &str, after: &str, colour: bool) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    let text = diff.unified_diff().header(name, name).to_string();
    if !colour {
        return text;
    }
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let style = match line.as_bytes().first() {
            Some(b'+') => "\u{1b}[32m",
            Some(b'-') => "\u{1b}[31m",
            Some(b'@') => "\u{1b}[36m",
            _ => "",
        };
        if style.is_empty() {
            out.push_str(line);
        } else {
            let _ = writeln!(out, "{style}{}\u{1b}[0m", line.trim_end_matches('\n'));
        }
    }
    out
}
