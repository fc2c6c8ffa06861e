//! Where a diagnostic's text stands: sources looked up once a run, offsets made safe, positions. What never lives
//! here: a format.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use crate::{
    diag::Span,
    text::{Position, Source, TextRange, TextSize},
};

use super::Sources;

/// The beginning and the end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The first character.
    pub(super) start: Position,
    /// Behind the last character.
    pub(super) end: Position,
}

/// The sources of one run, each asked for once.
pub(super) struct Places<'a> {
    sources: &'a dyn Sources,
    seen: RefCell<HashMap<Arc<str>, Option<Source>>>,
}

impl<'a> Places<'a> {
    /// Nothing looked up yet.
    pub(super) fn new(sources: &'a dyn Sources) -> Self {
        Self { sources, seen: RefCell::default() }
    }

    /// The source of a file.
    pub(super) fn source(&self, file: &Arc<str>) -> Option<Source> {
        if let Some(known) = self.seen.borrow().get(file) {
            return known.clone();
        }
        let source = self.sources.source(file);
        self.seen.borrow_mut().insert(Arc::clone(file), source.clone());
        source
    }

    /// Where a span begins and ends; the beginning of the file when its text is unknown.
    pub(super) fn place(&self, span: &Span) -> Place {
        match self.source(&span.file) {
            Some(source) => {
                let range = safe(&source.text, span.range);
                Place { start: source.position(range.start()), end: source.position(range.end()) }
            }
            None => Place { start: unknown(span.range.start()), end: unknown(span.range.end()) },
        }
    }

    /// The text of the line where a span begins, without white space around it and no longer than a fingerprint needs.
    pub(super) fn line_text(&self, span: &Span) -> String {
        const ENOUGH: usize = 1024;
        let Some(source) = self.source(&span.file) else { return String::new() };
        let start = safe(&source.text, span.range).start();
        let line = line_range(&source, start);
        let text = source.text[line].trim();
        text[..text.floor_char_boundary(ENOUGH)].to_owned()
    }
}

/// A position in a text nobody has.
fn unknown(offset: TextSize) -> Position {
    Position { line: 1, column: 1, offset: offset.into() }
}

/// The range cut to the text and moved to the borders of characters.
pub(super) fn safe(text: &str, range: TextRange) -> TextRange {
    let start = text.floor_char_boundary(range.start().into());
    let end = text.ceil_char_boundary(usize::from(range.end()).min(text.len()));
    TextRange::new(size(start), size(end.max(start)))
}

/// The range of the line that an offset is on, with its line break.
pub(super) fn line_range(source: &Source, offset: TextSize) -> TextRange {
    let line = source.lines.line_col(offset).line;
    source.lines.line(line).unwrap_or_else(|| TextRange::empty(offset))
}

/// A length as offsets are counted; the line index refuses longer texts before this could be too small.
pub(super) fn size(bytes: usize) -> TextSize {
    u32::try_from(bytes).map_or(TextSize::new(u32::MAX), TextSize::new)
}
