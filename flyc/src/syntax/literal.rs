//! What stands inside strings and heredocs: escapes, `${…}`, and the way back from the text to the file.

use super::token::{Kind, interpolation};
use crate::text::{TextRange, TextSize};

/// The inside of a string or heredoc.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// Text and interpolations in order.
    pub parts: Vec<Part>,
    /// What is wrong with it.
    pub errors: Vec<ContentError>,
}

/// A stretch of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text with its escapes resolved.
    Text(Text),
    /// `${…}`: the range of the expression between the braces.
    Interpolation(TextRange),
}

/// Text with its escapes resolved, and where each stretch of it came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Pairs of an offset in `text` and the offset in the file it came from, ascending; between two pairs both
    /// count alike.
    map: Vec<(u32, u32)>,
    /// Where in `text` each escape ends, and where in the file, ascending: it is longer there than what it stands for.
    ends: Vec<(u32, u32)>,
}

/// Something wrong inside a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentError {
    /// What.
    pub kind: ContentErrorKind,
    /// Where in the file.
    pub range: TextRange,
}

/// What can be wrong inside a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentErrorKind {
    /// `\q`
    UnknownEscape,
    /// `\u{…}` that names no character.
    UnknownCharacter,
    /// `${` without `}`.
    UnclosedInterpolation,
}

impl Text {
    /// Adds a stretch that stands at `source` in the file.
    pub fn add(&mut self, text: &str, source: usize) {
        if text.is_empty() {
            return;
        }
        let at = offset(self.text.len());
        let source = offset(source);
        let follows = self.map.last().is_some_and(|(text, file)| at - text == source - file);
        if !follows {
            self.map.push((at, source));
        }
        self.text.push_str(text);
    }

    /// Adds what an escape stands for; `source` is where the escape stands in the file.
    fn add_escape(&mut self, text: &str, source: std::ops::Range<usize>) {
        self.add(text, source.start);
        self.ends.push((offset(self.text.len()), offset(source.end)));
    }

    /// The range in the file of a range of the text, both in bytes.
    pub fn source(&self, range: std::ops::Range<usize>) -> TextRange {
        let start = self.source_of(range.start, false);
        let end = if range.is_empty() { start } else { self.source_of(range.end, true) };
        TextRange::new(start, end.max(start))
    }

    /// The offset in the file of an offset of the text; at the seam of two stretches an end belongs to the first.
    fn source_of(&self, at: usize, end: bool) -> TextSize {
        let at = offset(at);
        if end && let Ok(escape) = self.ends.binary_search_by_key(&at, |(text, _)| *text) {
            return TextSize::new(self.ends[escape].1);
        }
        let index = self.map.partition_point(|(text, _)| if end { *text < at } else { *text <= at });
        match index.checked_sub(1).and_then(|index| self.map.get(index)) {
            Some((text, source)) => TextSize::new(source + (at - text)),
            None => TextSize::new(self.map.first().map_or(0, |(_, source)| *source)),
        }
    }
}

impl Content {
    /// The text, when there is no interpolation in it.
    pub fn plain(&self) -> Option<&Text> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    fn text(&mut self) -> &mut Text {
        if !matches!(self.parts.last(), Some(Part::Text(_))) {
            self.parts.push(Part::Text(Text::default()));
        }
        match self.parts.last_mut() {
            Some(Part::Text(text)) => text,
            // The line above made sure of it.
            _ => unreachable!("the last part is text"),
        }
    }

    fn error(&mut self, kind: ContentErrorKind, start: usize, length: usize) {
        let range = TextRange::at(TextSize::new(offset(start)), TextSize::new(offset(length)));
        self.errors.push(ContentError { kind, range });
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The inside of a string token without anything that needs resolving, and its offset in the file.
pub fn simple_string(kind: Kind, text: &str) -> Option<&str> {
    if kind != Kind::String {
        return None;
    }
    let inside = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.bytes().any(|byte| matches!(byte, b'\\' | b'$'))).then_some(inside)
}

/// The inside of a string or heredoc token whose text begins at `start` in the file.
///
/// `verbatim` text has no interpolation: `${…}` in it belongs to the shell.
pub fn content(kind: Kind, text: &str, start: TextSize, verbatim: bool) -> Content {
    let mut content = Content::default();
    let base = usize::from(start);
    match kind {
        Kind::Heredoc | Kind::UnclosedHeredoc => heredoc(text, base, verbatim, &mut content),
        _ => {
            let inside = text.strip_prefix('"').unwrap_or(text);
            let inside = inside.strip_suffix('"').filter(|_| kind == Kind::String).unwrap_or(inside);
            resolve(inside, base + 1, true, verbatim, &mut content);
        }
    }
    if content.parts.is_empty() {
        // Even an empty text stands somewhere.
        let at = offset(base + 1);
        content.parts.push(Part::Text(Text { text: String::new(), map: vec![(0, at)], ends: Vec::new() }));
    }
    content
}

fn heredoc(text: &str, base: usize, verbatim: bool, content: &mut Content) {
    let Some(first) = text.find('\n') else { return };
    // The end marker stands on the last line.
    let end = text.rfind('\n').unwrap_or(first).max(first) + 1;
    let body = &text[first + 1..end.max(first + 1)];
    let stripped = if text.starts_with("<<-") { common_indent(body) } else { 0 };
    // Interpolations may span lines, so lines are cut only when there is something to cut from them.
    let mut at = first + 1;
    for line in body.split_inclusive('\n') {
        let cut = stripped.min(line.len() - line.trim_start_matches([' ', '\t']).len());
        let (kept, ending) = match line.strip_suffix("\r\n") {
            Some(kept) => (kept, "\n"),
            None => (line, ""),
        };
        let kept = kept.get(cut..).unwrap_or("");
        resolve(kept, base + at + cut, false, verbatim, content);
        if !ending.is_empty() {
            content.text().add(ending, base + at + line.len() - 1);
        }
        at += line.len();
    }
}

fn common_indent(body: &str) -> usize {
    body.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches([' ', '\t']).len())
        .min()
        .unwrap_or(0)
}

/// Resolves escapes and interpolations of a stretch of text that begins at `base` in the file.
fn resolve(text: &str, base: usize, escapes: bool, verbatim: bool, content: &mut Content) {
    let bytes = text.as_bytes();
    let (mut at, mut plain, mut verbatim) = (0, 0, verbatim);
    while let Some(&byte) = bytes.get(at) {
        if !matches!(byte, b'\\' | b'$') {
            // Perhaps in the middle of a character.
            at += 1;
            continue;
        }
        let rest = &text[at..];
        if byte == b'\\' && escapes {
            content.text().add(&text[plain..at], base + plain);
            at += escape(rest, base + at, content);
            plain = at;
        } else if !verbatim && rest.starts_with("$${") {
            content.text().add(&text[plain..at], base + plain);
            content.text().add_escape("${", base + at..base + at + 3);
            at += 3;
            plain = at;
        } else if !verbatim && rest.starts_with("${") {
            content.text().add(&text[plain..at], base + plain);
            plain = at;
            if let Ok(length) = interpolation(&rest[2..], true) {
                let inside =
                    TextRange::at(TextSize::new(offset(base + at + 2)), TextSize::new(offset(length - 1)));
                content.parts.push(Part::Interpolation(inside));
                at += 2 + length;
                plain = at;
            } else {
                // One that is not closed takes the rest of the text, as far as the lexer is concerned too.
                content.error(ContentErrorKind::UnclosedInterpolation, base + at, 2);
                verbatim = true;
                at += 2;
            }
        } else {
            at += 1;
        }
    }
    if plain < text.len() {
        content.text().add(&text[plain..], base + plain);
    }
}

/// Resolves one escape and tells how many bytes it took.
fn escape(rest: &str, base: usize, content: &mut Content) -> usize {
    let mut chars = rest.chars();
    chars.next();
    let resolved = match chars.next() {
        Some('n') => "\n",
        Some('t') => "\t",
        Some('r') => "\r",
        Some('"') => "\"",
        Some('\\') => "\\",
        Some('u') => return unicode_escape(rest, base, content),
        other => {
            let length = 1 + other.map_or(0, char::len_utf8);
            content.error(ContentErrorKind::UnknownEscape, base, length);
            content.text().add(&rest[..length], base);
            return length;
        }
    };
    content.text().add_escape(resolved, base..base + 2);
    2
}

fn unicode_escape(rest: &str, base: usize, content: &mut Content) -> usize {
    let digits = rest.strip_prefix("\\u{").and_then(|inner| inner.split_once('}')).map(|(digits, _)| digits);
    let Some(digits) = digits.filter(|digits| digits.len() <= 8) else {
        content.error(ContentErrorKind::UnknownCharacter, base, 2);
        content.text().add("\\u", base);
        return 2;
    };
    let length = digits.len() + 4;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match u32::from_str_radix(digits, 16).ok().filter(|_| hex).and_then(char::from_u32) {
        Some(character) => {
            content.text().add_escape(character.encode_utf8(&mut [0; 4]), base..base + length);
        }
        None => {
            content.error(ContentErrorKind::UnknownCharacter, base, length);
            content.text().add(&rest[..length], base);
        }
    }
    length
}
