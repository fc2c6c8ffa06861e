//! The `full` format: the text with what is wrong drawn below it, for people. What never lives here: formats for
//! programs.
//!
//! ariadne draws the snippets; the headline, the places, the notes and the last line are written here. Invariants that
//! keep the drawing right: ariadne gets a text with the same lines and the same number of characters as the file,
//! spans are counted in characters, and no snippet holds more than a few lines or a line too long to read.

mod drawing;

use std::{collections::HashMap, io, sync::Arc};

use crate::{
    diag::{Diagnostic, Severity, Span},
    text::TextRange,
};

use super::{
    Report,
    mask::{mask, one_line},
    place::Places,
};

use drawing::Canvas;

/// How many related places are drawn; the rest is counted.
const MOST_RELATED: usize = 8;

/// How many findings of one kind are drawn; who has seen so many needs only the places of the others.
const MOST_DRAWN: usize = 50;

/// With what the output is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences for colours are written.
    pub colour: bool,
    /// Whether boxes are drawn with box characters instead of ASCII.
    pub unicode: bool,
}

impl Style {
    /// A text in a colour.
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A text in bold and the colour of a severity.
    pub(super) fn strong(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Info => "1;36",
        };
        self.paint(code, text)
    }

    /// A piece of the frame.
    fn frame(self, unicode: &str, ascii: &str) -> String {
        self.paint("38;5;246", if self.unicode { unicode } else { ascii })
    }
}

/// Writes every finding, with an empty line between two; the many of one kind in a line each.
pub(super) fn write(
    report: &Report<'_>,
    places: &Places<'_>,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut canvas = Canvas::new(places, style, hidden(report));
    let mut drawn: HashMap<&str, usize> = HashMap::new();
    // Whether what was written last has several lines.
    let mut tall = None;
    for diagnostic in report.diagnostics {
        let count = drawn.entry(diagnostic.kind.id).or_default();
        *count += 1;
        let whole = *count <= MOST_DRAWN;
        if tall.is_some_and(|tall| tall || whole) {
            writeln!(out)?;
        }
        if whole {
            write_one(diagnostic, places, style, &mut canvas, out)?;
        } else {
            super::concise::write_one(diagnostic, places, style, out)?;
        }
        tall = Some(whole);
    }
    Ok(())
}

/// The places whose text is not shown, by file.
fn hidden(report: &Report<'_>) -> HashMap<Arc<str>, Vec<TextRange>> {
    let mut hidden: HashMap<Arc<str>, Vec<TextRange>> = HashMap::new();
    for found in report.diagnostics.iter().filter(|found| !found.hides.is_empty()) {
        hidden.entry(Arc::clone(&found.span.file)).or_default().extend(&found.hides);
    }
    for ranges in hidden.values_mut() {
        ranges.sort_unstable_by_key(|range| (range.start(), range.end()));
        ranges.dedup();
    }
    hidden
}

/// Writes one finding.
fn write_one(
    diagnostic: &Diagnostic,
    places: &Places<'_>,
    style: Style,
    canvas: &mut Canvas<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let severity = diagnostic.severity();
    let head = style.strong(severity, &format!("{}[{}]", severity.as_str(), diagnostic.kind.id));
    writeln!(out, "{head}: {}", style.paint("1", &one_line(&diagnostic.message)))?;

    let related = &diagnostic.related[..diagnostic.related.len().min(MOST_RELATED)];
    let mut marks = Vec::with_capacity(1 + related.len());
    let mut undrawn = Vec::new();
    let primary = canvas.mark(&diagnostic.span, &one_line(&diagnostic.label), true);
    let can_draw = primary.is_some();
    marks.extend(primary);
    for place in related {
        match canvas.mark(&place.span, &one_line(&place.message), false).filter(|_| can_draw) {
            Some(mark) => marks.push(mark),
            None => undrawn.push(format!("{}: {}", location(&place.span, places), one_line(&place.message))),
        }
    }
    if diagnostic.related.len() > related.len() {
        undrawn.push(format!("and {} more places", diagnostic.related.len() - related.len()));
    }

    let width = if let Some(width) = canvas.draw(marks, severity, out)? {
        width
    } else {
        let (corner, close) = (style.frame("╭─[", ",-["), style.frame("]", "]"));
        writeln!(out, "   {corner} {} {close}", location(&diagnostic.span, places))?;
        if !diagnostic.label.is_empty() {
            writeln!(out, "   {} {}", style.frame("│", "|"), one_line(&diagnostic.label))?;
        }
        3
    };
    let margin = format!("{:width$}{}", "", style.frame("│", "|"));
    for note in undrawn.iter().chain(&diagnostic.notes) {
        write_advice("note", note, &margin, style, out)?;
    }
    if let Some(help) = &diagnostic.help {
        write_advice("help", &help.text, &margin, style, out)?;
    }
    let (bar, corner) = if style.unicode { ("─", "╯") } else { ("-", "'") };
    let foot = style.paint("38;5;246", &format!("{}{corner}", bar.repeat(width)));
    writeln!(out, "{foot} flyc explain {}", diagnostic.kind.id)
}

/// Writes a note or a help; its further lines stand below its first.
fn write_advice(
    word: &str,
    text: &str,
    margin: &str,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    // Masked as a whole: a secret's path ends where its own quote does, not at a line's end alone.
    let text = mask(text);
    let mut lines = text.lines();
    let first = one_line(lines.next().unwrap_or_default());
    writeln!(out, "{margin} {}: {first}", style.paint("38;5;115", word))?;
    for line in lines {
        writeln!(
            out,
            "{}",
            format!("{margin} {:indent$}{}", "", one_line(line), indent = word.len() + 2).trim_end()
        )?;
    }
    Ok(())
}

/// `file:line:col`, or the file alone when nobody has its text.
fn location(span: &Span, places: &Places<'_>) -> String {
    let file = one_line(&span.file);
    if places.source(&span.file).is_none() {
        return file;
    }
    let start = places.place(span).start;
    format!("{file}:{}:{}", start.line, start.column)
}
