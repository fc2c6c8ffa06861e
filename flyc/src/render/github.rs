//! The `github` format: workflow commands that become annotations. What never lives here: other commands.

use std::io;

use crate::diag::Severity;

use super::{Report, advised, mask::is_unprintable, place::Places};

/// Writes one `::error …::` command a finding.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for diagnostic in report.diagnostics {
        let place = places.place(&diagnostic.span);
        let command = match diagnostic.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        writeln!(
            out,
            "::{command} file={},line={},col={},endLine={},endColumn={},title={}::{}",
            property(&diagnostic.span.file),
            place.start.line,
            place.start.column,
            place.end.line,
            place.end.column,
            property(&format!("flyc {}", diagnostic.kind.id)),
            data(&advised(diagnostic)),
        )?;
    }
    Ok(())
}

/// Escapes the text of a command; control characters that no log can show are spelled out.
fn data(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            c if c != '\t' && is_unprintable(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Escapes the value of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
