//! Tests of every format: snapshots of one report, hard texts in `full`, and random reports in all of them.

mod random;
mod snapshots;
mod texts;

use std::{collections::HashMap, sync::Arc};

use super::{OutputFormat, Report, Style, render, render_full};
use crate::{
    diag::{Declaration, Diagnostic, Severity, Span},
    text::{Source, TextRange, TextSize},
};

/// An error's kind.
static BAD: Declaration = Declaration {
    id: "type-mismatch",
    severity: Severity::Error,
    summary: "a value of another type",
    hides_text: false,
    page: "# type-mismatch\n",
};

/// A warning's kind.
static ODD: Declaration = Declaration {
    id: "unused-local",
    severity: Severity::Warning,
    summary: "a local nobody uses",
    hides_text: false,
    page: "# unused-local\n",
};

/// The texts of a test.
fn sources(files: &[(&str, &str)]) -> HashMap<String, Source> {
    files.iter().map(|(path, text)| ((*path).to_owned(), Source::new(*path, *text))).collect()
}

/// The span of the first occurrence of a part of a text.
fn span_of(file: &str, text: &str, part: &str) -> Span {
    let start = text.find(part).expect("the part is in the text");
    span(file, start, start + part.len())
}

/// A span by its offsets.
fn span(file: &str, start: usize, end: usize) -> Span {
    let size = |offset: usize| TextSize::new(u32::try_from(offset).expect("tests are small"));
    Span::new(Arc::from(file), TextRange::new(size(start), size(end)))
}

/// A report without colour.
fn print(format: OutputFormat, sources: &HashMap<String, Source>, diagnostics: &[Diagnostic]) -> String {
    let mut out = Vec::new();
    render(format, &Report { diagnostics, sources }, false, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("output is UTF-8")
}

/// `full` without colour in box characters.
fn boxes(sources: &HashMap<String, Source>, diagnostics: &[Diagnostic]) -> String {
    let mut out = Vec::new();
    let style = Style { colour: false, unicode: true };
    render_full(&Report { diagnostics, sources }, style, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("output is UTF-8")
}
