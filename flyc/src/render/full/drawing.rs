//! Snippets drawn by ariadne. What never lives here: headlines, notes, and anything that is not a piece of a file.

use std::{collections::HashMap, fmt, io, ops::Range, sync::Arc};

use ariadne::{CharSet, Color, Config, IndexType, Label, ReportKind, Source};

use crate::{
    diag::{Severity, Span},
    text::TextRange,
};

use super::{
    super::place::{Places, line_range, safe, size},
    Style, location,
};

/// A longer line is not shown, in bytes.
const LONGEST_LINE: usize = 1000;

/// A span over more lines is shown by its first line.
const MOST_LINES: u32 = 40;

/// Marks of one file that are further apart, in lines, are drawn as two snippets.
const FARTHEST: usize = 20;

/// Stands before the number of a snippet in the place of its file's name, until [`Canvas::draw`] writes the place.
const PLACEHOLDER: char = '\u{1}';

/// A piece of a file with what is said about it.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    /// Whether the finding itself is here.
    primary: bool,
    span: Span,
    lines: Range<usize>,
    chars: Range<usize>,
    label: String,
}

/// The text with every credential in it, the path of every secret's URI and the strings around some places blotted out,
/// each character by one `*`.
fn redacted(text: &str, hidden: &[TextRange]) -> String {
    let mut text = text.to_owned();
    let found = fly_std::credentials::find(&text);
    let found = found.iter().map(|found| TextRange::new(size(found.range.start), size(found.range.end)));
    let mut hidden: Vec<TextRange> = hidden.iter().copied().chain(found).collect();
    hidden.sort_unstable_by_key(|range| range.start());
    // From the end on, so that what is still to come stays where it was.
    for range in hidden.iter().rev() {
        let range = safe(&text, *range);
        let (from, to) = (usize::from(range.start()), usize::from(range.end()));
        let line = text[..from].rfind('\n').map_or(0, |end| end + 1);
        let start = text[line..from].rfind('"').map_or(line, |quote| line + quote + 1);
        let rest = text[to..].find('\n').map_or(text.len(), |length| to + length);
        let end = text[to..rest].find('"').map_or(rest, |quote| to + quote);
        // Same number of characters, other number of bytes: later places are found by line and column, and places
        // on this line are told in characters.
        let blot: String =
            text[start..end].chars().map(|c| if matches!(c, '\n' | '\r') { c } else { '*' }).collect();
        text.replace_range(start..end, &blot);
    }
    for path in super::super::mask::paths(&text).into_iter().rev() {
        let blot: String =
            text[path.clone()].chars().map(|c| if matches!(c, '\n' | '\r') { c } else { '*' }).collect();
        text.replace_range(path, &blot);
    }
    text
}

/// One snippet: a file, and which of the finding's snippets it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SnippetId {
    file: Arc<str>,
    number: usize,
}

/// The files as they are drawn, each prepared once.
pub(super) struct Canvas<'a> {
    places: &'a Places<'a>,
    style: Style,
    files: HashMap<Arc<str>, Source<String>>,
    /// What is not shown of each file.
    hidden: HashMap<Arc<str>, Vec<TextRange>>,
}

impl<'a> Canvas<'a> {
    /// Nothing prepared yet.
    pub(super) fn new(
        places: &'a Places<'a>,
        style: Style,
        hidden: HashMap<Arc<str>, Vec<TextRange>>,
    ) -> Self {
        Self { places, style, files: HashMap::new(), hidden }
    }

    /// A mark at a span; nothing when there is no text to show or its lines are too long.
    pub(super) fn mark(&mut self, span: &Span, label: &str, primary: bool) -> Option<Mark> {
        let source = self.places.source(&span.file)?;
        let hidden = self.hidden.get(&span.file).map_or(&[][..], Vec::as_slice);
        let file = self
            .files
            .entry(Arc::clone(&span.file))
            .or_insert_with(|| Source::from(drawable(&redacted(&source.text, hidden))));

        let mut range = safe(&source.text, span.range);
        // A line break at the end is not part of what is meant.
        let text = &source.text[range];
        range =
            TextRange::new(range.start(), range.start() + size(text.trim_end_matches(['\n', '\r']).len()));
        let first = line_range(&source, range.start());
        let rest = source.text[TextRange::new(range.start(), first.end().max(range.start()))]
            .trim_end_matches(['\n', '\r']);
        let lines_between =
            |range: TextRange| source.position(range.end()).line - source.position(range.start()).line;
        let many = lines_between(range);
        if many > MOST_LINES || (many > 0 && label.is_empty()) {
            range = TextRange::at(range.start(), size(rest.len()));
        }
        // ariadne underlines nothing without a label.
        let label = if label.is_empty() { "here" } else { label };
        let long = |offset| usize::from(line_range(&source, offset).len()) > LONGEST_LINE;
        if long(range.start()) || long(range.end()) {
            return None;
        }

        let place = |offset| {
            let position = source.position(offset);
            let line = usize::try_from(position.line - 1).ok()?;
            let column = usize::try_from(position.column - 1).ok()?;
            Some((line, file.line(line)?.offset() + column))
        };
        let (start_line, start) = place(range.start())?;
        let (end_line, end) = place(range.end())?;
        Some(Mark {
            primary,
            span: span.clone(),
            lines: start_line..end_line,
            chars: start..end,
            label: label.to_owned(),
        })
    }

    /// Draws the marks; the answer is how wide the margin is, or nothing when there was nothing to draw.
    pub(super) fn draw(
        &mut self,
        marks: Vec<Mark>,
        severity: Severity,
        out: &mut dyn io::Write,
    ) -> io::Result<Option<usize>> {
        let snippets = snippets(marks);
        let Some(first) = snippets.first().and_then(|marks| marks.first()) else { return Ok(None) };
        let at = |number: usize, mark: &Mark| {
            (SnippetId { file: Arc::clone(&mark.span.file), number }, mark.chars.clone())
        };
        let colour = match severity {
            Severity::Error => Color::Red,
            Severity::Warning => Color::Yellow,
            Severity::Info => Color::Cyan,
        };
        let config = Config::new()
            .with_color(self.style.colour)
            .with_char_set(if self.style.unicode { CharSet::Unicode } else { CharSet::Ascii })
            .with_index_type(IndexType::Char);
        let mut report =
            ariadne::Report::build(ReportKind::Custom("", colour), at(0, first)).with_config(config);
        for (number, marks) in snippets.iter().enumerate() {
            for mark in marks {
                let label = Label::new(at(number, mark))
                    .with_color(if mark.primary { colour } else { Color::Blue })
                    .with_priority(i32::from(mark.primary))
                    .with_message(&mark.label);
                report.add_label(label);
            }
        }
        let mut drawn = Vec::new();
        report.finish().write(Files(&self.files), &mut drawn)?;
        self.copy(&String::from_utf8_lossy(&drawn), &snippets, out)
    }

    /// Copies what ariadne drew without its headline, its empty lines below a place and its last line.
    fn copy(
        &self,
        drawn: &str,
        snippets: &[Vec<Mark>],
        out: &mut dyn io::Write,
    ) -> io::Result<Option<usize>> {
        let (bar, rule) = if self.style.unicode { ("│", '─') } else { ("|", '-') };
        let mut lines = drawn.lines().skip(1).peekable();
        let mut below_place = false;
        while let Some(line) = lines.next() {
            if lines.peek().is_none() {
                return Ok(Some(line.chars().filter(|c| *c == rule).count()));
            }
            if std::mem::take(&mut below_place) && plain(line).trim() == bar {
                continue;
            }
            match place_in(line, snippets, self.places) {
                Some(line) => {
                    below_place = true;
                    writeln!(out, "{line}")?;
                }
                None => writeln!(out, "{}", line.trim_end())?,
            }
        }
        Ok(None)
    }
}

/// The line with the place written in, when it is the first of a snippet.
fn place_in(line: &str, snippets: &[Vec<Mark>], places: &Places<'_>) -> Option<String> {
    let (before, rest) = line.split_once(PLACEHOLDER)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let marks = snippets.get(rest[..digits].parse::<usize>().ok()?)?;
    let mark = marks.iter().find(|mark| mark.primary).or(marks.first())?;
    let after = rest[digits..].trim_start_matches(|c: char| c == ':' || c == '?' || c.is_ascii_digit());
    Some(format!("{before}{}{after}", location(&mark.span, places)))
}

/// The marks in snippets: those of a file that are near each other in the order of their lines, the finding's first.
fn snippets(marks: Vec<Mark>) -> Vec<Vec<Mark>> {
    let mut files: Vec<Vec<Mark>> = Vec::new();
    for mark in marks {
        match files.iter_mut().find(|marks| marks.iter().all(|other| other.span.file == mark.span.file)) {
            Some(marks) => marks.push(mark),
            None => files.push(vec![mark]),
        }
    }
    let mut snippets: Vec<Vec<Mark>> = Vec::new();
    for mut marks in files {
        // ariadne opens a new snippet at a mark that ends on an earlier line than the one before it.
        marks.sort_by_key(|mark| (mark.lines.end, mark.lines.start));
        let begin = snippets.len();
        for mark in marks {
            let near = snippets[begin..]
                .last()
                .and_then(|marks| marks.last())
                .is_some_and(|last| mark.lines.start <= last.lines.end + FARTHEST);
            match snippets.last_mut().filter(|_| near) {
                Some(marks) => marks.push(mark),
                None => snippets.push(vec![mark]),
            }
        }
    }
    snippets.sort_by_key(|marks| !marks.iter().any(|mark| mark.primary));
    snippets
}

/// A text with as many lines and characters that can be drawn: characters that would steer a terminal or that
/// ariadne, and nobody else, takes for line breaks are replaced, and there is a line at the end of the file.
fn drawable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\n' | '\t' => c,
            '\r' if chars.peek() == Some(&'\n') => c,
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
            '\u{7f}' => '\u{2421}',
            c if super::super::mask::is_unprintable(c) => '\u{fffd}',
            c => c,
        });
    }
    if text.is_empty() || text.ends_with('\n') {
        out.push(' ');
    }
    out
}

/// A line without escape sequences.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut parts = line.split('\u{1b}');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    out
}

/// The prepared files as ariadne asks for them.
struct Files<'a>(&'a HashMap<Arc<str>, Source<String>>);

impl ariadne::Cache<SnippetId> for Files<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &SnippetId) -> Result<&Source<String>, impl fmt::Debug> {
        self.0.get(&id.file).ok_or("every mark's file is prepared")
    }

    fn display<'b>(&self, id: &'b SnippetId) -> Option<impl fmt::Display + 'b> {
        Some(format!("{PLACEHOLDER}{}", id.number))
    }
}
