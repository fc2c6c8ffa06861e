//! The `json` and `jsonl` formats, as `docs/src/output-formats.md` fixes them. What never lives here: other tools'
//! formats.

use std::{io, sync::Arc};

use serde::Serialize;

use crate::{
    diag::{self, Diagnostic, Span},
    text::Position as TextPosition,
};

use super::{Report, mask::mask, place::Places};

/// One diagnostic.
#[derive(Serialize)]
struct Entry<'a> {
    id: &'a str,
    severity: &'a str,
    message: String,
    file: &'a str,
    start: Position,
    end: Position,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Fix<'a>>,
    notes: Vec<String>,
    related: Vec<Related<'a>>,
    url: String,
}

/// What carries out the help.
#[derive(Serialize)]
struct Fix<'a> {
    applicability: &'a str,
    edits: Vec<Edit<'a>>,
}

/// A replacement in the finding's own file.
#[derive(Serialize)]
struct Edit<'a> {
    start: Position,
    end: Position,
    text: &'a str,
}

/// What carries out the help of a finding. An edit that holds a secret's path can't be told: masked it would be wrong.
fn fix<'a>(diagnostic: &'a Diagnostic, places: &Places<'_>) -> Option<Fix<'a>> {
    let help = diagnostic.help.as_ref().filter(|help| !help.edits.is_empty())?;
    if help.edits.iter().any(|edit| mask(&edit.text) != edit.text) {
        return None;
    }
    let edit = |edit: &'a diag::Edit| {
        let place = places.place(&Span::new(Arc::clone(&diagnostic.span.file), edit.range));
        Edit { start: place.start.into(), end: place.end.into(), text: &edit.text }
    };
    Some(Fix { applicability: help.applicability.as_str(), edits: help.edits.iter().map(edit).collect() })
}

/// Another place.
#[derive(Serialize)]
struct Related<'a> {
    message: String,
    file: &'a str,
    start: Position,
    end: Position,
}

/// Lines and columns from 1, columns in Unicode scalar values, the offset in bytes.
#[derive(Serialize)]
struct Position {
    line: u32,
    column: u32,
    offset: u32,
}

impl From<TextPosition> for Position {
    fn from(position: TextPosition) -> Self {
        Self { line: position.line, column: position.column, offset: position.offset }
    }
}

/// The entry of a diagnostic.
fn entry<'a>(diagnostic: &'a Diagnostic, places: &Places<'_>) -> Entry<'a> {
    let place = places.place(&diagnostic.span);
    Entry {
        id: diagnostic.kind.id,
        severity: diagnostic.severity().as_str(),
        message: mask(&diagnostic.message).into_owned(),
        file: &diagnostic.span.file,
        start: place.start.into(),
        end: place.end.into(),
        help: diagnostic.help.as_ref().map(|help| mask(&help.text).into_owned()),
        fix: fix(diagnostic, places),
        notes: diagnostic.notes.iter().map(|note| mask(note).into_owned()).collect(),
        related: diagnostic
            .related
            .iter()
            .map(|related| {
                let place = places.place(&related.span);
                Related {
                    message: mask(&related.message).into_owned(),
                    file: &related.span.file,
                    start: place.start.into(),
                    end: place.end.into(),
                }
            })
            .collect(),
        url: diagnostic.kind.url(),
    }
}

/// Writes one array.
pub(super) fn write(report: &Report<'_>, places: &Places<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let entries: Vec<_> = report.diagnostics.iter().map(|diagnostic| entry(diagnostic, places)).collect();
    serde_json::to_writer_pretty(&mut *out, &entries)?;
    writeln!(out)
}

/// Writes one object a line.
pub(super) fn write_lines(
    report: &Report<'_>,
    places: &Places<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    for diagnostic in report.diagnostics {
        serde_json::to_writer(&mut *out, &entry(diagnostic, places))?;
        writeln!(out)?;
    }
    Ok(())
}
