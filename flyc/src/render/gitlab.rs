//! The `gitlab` format: a Code Quality report. What never lives here: other formats of GitLab (tests are `junit`).

use std::io;

use serde::Serialize;

use crate::diag::Severity;

use super::{Report, fingerprint::Fingerprints, mask::one_line, place::Places};

/// One finding.
#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'a str,
    location: Location<'a>,
}

/// Where.
#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

/// From which line.
#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// Writes the report.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut fingerprints = Fingerprints::default();
    let issues: Vec<_> = report
        .diagnostics
        .iter()
        .map(|diagnostic| Issue {
            description: one_line(&diagnostic.message),
            check_name: diagnostic.kind.id,
            fingerprint: fingerprints.next(diagnostic, places),
            severity: match diagnostic.severity() {
                Severity::Error => "major",
                Severity::Warning => "minor",
                Severity::Info => "info",
            },
            location: Location {
                path: &diagnostic.span.file,
                lines: Lines { begin: places.place(&diagnostic.span).start.line },
            },
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}
