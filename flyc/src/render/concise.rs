//! The `concise` format: one line a finding. What never lives here: snippets.

use std::io;

use super::{Report, full::Style, mask::one_line, place::Places};
use crate::diag::Diagnostic;

/// Writes `file:line:col: error[id] message` lines.
pub(super) fn write(
    report: &Report<'_>,
    places: &Places<'_>,
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let style = Style { colour, unicode: colour };
    for diagnostic in report.diagnostics {
        write_one(diagnostic, places, style, out)?;
    }
    Ok(())
}

/// Writes one finding.
pub(super) fn write_one(
    diagnostic: &Diagnostic,
    places: &Places<'_>,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let start = places.place(&diagnostic.span).start;
    let severity = diagnostic.severity();
    let head = style.strong(severity, &format!("{}[{}]", severity.as_str(), diagnostic.kind.id));
    writeln!(
        out,
        "{}:{}:{}: {head} {}",
        one_line(&diagnostic.span.file),
        start.line,
        start.column,
        one_line(&diagnostic.message)
    )
}
