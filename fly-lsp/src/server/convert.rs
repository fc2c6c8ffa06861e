//! Between the editor's positions and offsets, and between its structs and ours.

use std::path::{Path, PathBuf};

use flyc::{
    compiler::Compiler,
    diag::{Applicability, Diagnostic, Severity, Span},
    text::{LineIndex, TextRange, TextSize, WideEncoding, WideLineCol},
};
use tower_lsp_server::ls_types::{self as lsp, Uri};

use super::abilities::Abilities;

/// How the editor counts columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    /// In bytes.
    Utf8,
    /// In UTF-16 code units, which every editor knows.
    #[default]
    Utf16,
    /// In Unicode scalar values.
    Utf32,
}

impl Encoding {
    /// The first of the editor's encodings that is known here.
    pub(crate) fn negotiate(offered: Option<&[lsp::PositionEncodingKind]>) -> Self {
        let known = |kind: &lsp::PositionEncodingKind| match kind.as_str() {
            "utf-8" => Some(Self::Utf8),
            "utf-16" => Some(Self::Utf16),
            "utf-32" => Some(Self::Utf32),
            _ => None,
        };
        offered.into_iter().flatten().find_map(known).unwrap_or_default()
    }

    pub(crate) const fn kind(self) -> lsp::PositionEncodingKind {
        match self {
            Self::Utf8 => lsp::PositionEncodingKind::UTF8,
            Self::Utf16 => lsp::PositionEncodingKind::UTF16,
            Self::Utf32 => lsp::PositionEncodingKind::UTF32,
        }
    }

    const fn wide(self) -> Option<WideEncoding> {
        match self {
            Self::Utf8 => None,
            Self::Utf16 => Some(WideEncoding::Utf16),
            Self::Utf32 => Some(WideEncoding::Utf32),
        }
    }
}

/// A text with its lines, and how the editor counts in it.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    index: LineIndex,
    encoding: Encoding,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str, encoding: Encoding) -> Self {
        Self { text, index: LineIndex::new(text), encoding }
    }

    /// The offset of a position. One behind the end of its line is at its end, one behind the last line at the end.
    pub(crate) fn offset(&self, position: lsp::Position) -> TextSize {
        let end = TextSize::of(self.text);
        let Some(line) = self.index.line(position.line) else { return end };
        let text = &self.text[line];
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        let mut units = 0;
        let mut offset = TextSize::from(0);
        for letter in text.chars() {
            if units >= position.character {
                break;
            }
            units += match self.encoding {
                Encoding::Utf8 => u32::try_from(letter.len_utf8()).unwrap_or(1),
                Encoding::Utf16 => u32::try_from(letter.len_utf16()).unwrap_or(1),
                Encoding::Utf32 => 1,
            };
            // In the middle of a letter is before it.
            if units > position.character {
                break;
            }
            offset += TextSize::of(letter);
        }
        line.start() + offset
    }

    pub(crate) fn position(&self, offset: TextSize) -> lsp::Position {
        let at = self.index.line_col(offset.min(TextSize::of(self.text)));
        let column = match self.encoding.wide() {
            None => at.col,
            Some(wide) => self.index.to_wide(wide, at).map_or(at.col, |WideLineCol { col, .. }| col),
        };
        lsp::Position::new(at.line, column)
    }

    pub(crate) fn range(&self, range: TextRange) -> lsp::Range {
        lsp::Range::new(self.position(range.start()), self.position(range.end()))
    }

    pub(crate) fn text_range(&self, range: lsp::Range) -> TextRange {
        let (start, end) = (self.offset(range.start), self.offset(range.end));
        // One that ends before it begins is meant the other way round.
        TextRange::new(start.min(end), end.max(start))
    }

    pub(crate) fn edit(&self, edit: &flyc::diag::Edit) -> lsp::TextEdit {
        lsp::TextEdit::new(self.range(edit.range), edit.text.clone())
    }
}

/// The path that a URI names, if it names a file.
pub(crate) fn path_of(uri: &Uri) -> Option<PathBuf> {
    uri.to_file_path().map(std::borrow::Cow::into_owned)
}

/// The URI of a file of a Nest.
pub(crate) fn uri_of(root: &Path, path: &str) -> Option<Uri> {
    // What can't be read may be the Nest itself.
    if path == "." { Uri::from_file_path(root) } else { Uri::from_file_path(root.join(path)) }
}

/// The places of spans of one file, whose lines are counted once.
pub(crate) fn locations(
    compiler: &Compiler,
    root: &Path,
    encoding: Encoding,
    spans: &[Span],
) -> Vec<lsp::Location> {
    let Some(file) = spans.first().map(|span| &span.file) else { return Vec::new() };
    let Some((text, uri)) = compiler.text(file).zip(uri_of(root, file)) else { return Vec::new() };
    let lines = Lines::new(&text, encoding);
    spans.iter().map(|span| lsp::Location::new(uri.clone(), lines.range(span.range))).collect()
}

/// The place of a span.
pub(crate) fn location(
    compiler: &Compiler,
    root: &Path,
    encoding: Encoding,
    span: &Span,
) -> Option<lsp::Location> {
    let text = compiler.text(&span.file)?;
    let range = Lines::new(&text, encoding).range(span.range);
    Some(lsp::Location::new(uri_of(root, &span.file)?, range))
}

/// Whether the words at a place say something that the headline does not: a name, a number, or a whole sentence's worth.
fn says_more(label: &str, headline: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(|c: char| !c.is_alphanumeric() && c != '_', " ");
    let headline = plain(headline);
    let known: Vec<&str> = headline.split_whitespace().collect();
    let words = plain(label);
    let new = words.split_whitespace().filter(|word| !known.contains(word));
    let new: Vec<&str> = new.collect();
    let quoted = label.split('`').skip(1).step_by(2).map(plain);
    let mut quoted = quoted.flat_map(|part| part.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    new.len() > 4
        || new.iter().any(|word| word.contains(|c: char| c.is_ascii_digit()))
        || quoted.any(|word| new.contains(&word.as_str()))
}

/// A diagnostic as editors show it.
pub(crate) fn diagnostic(
    found: &Diagnostic,
    lines: &Lines<'_>,
    abilities: Abilities,
    related: impl Fn(&Span) -> Option<lsp::Location>,
) -> lsp::Diagnostic {
    let mut message = found.message.clone();
    if says_more(&found.label, &found.message) {
        message.push('\n');
        message.push_str(&found.label);
    }
    for note in &found.notes {
        message.push_str("\nnote: ");
        message.push_str(note);
    }
    if let Some(help) = &found.help {
        message.push_str("\nhelp: ");
        message.push_str(&help.text);
    }
    let related: Vec<_> = found
        .related
        .iter()
        .filter(|_| abilities.related_information)
        .filter_map(|place| {
            Some(lsp::DiagnosticRelatedInformation {
                location: related(&place.span)?,
                message: place.message.clone(),
            })
        })
        .collect();
    let tags = match found.kind.id {
        "deprecated" => Some(vec![lsp::DiagnosticTag::DEPRECATED]),
        id if id.starts_with("unused-") => Some(vec![lsp::DiagnosticTag::UNNECESSARY]),
        _ => None,
    };
    let data = found.help.as_ref().filter(|help| !help.edits.is_empty()).map(|help| {
        let is_safe = help.applicability == Applicability::Safe;
        serde_json::json!({ "fix": help.text, "safe": is_safe })
    });
    let page = || found.kind.url().parse().ok().map(|href| lsp::CodeDescription { href });
    lsp::Diagnostic {
        range: lines.range(found.span.range),
        severity: Some(match found.severity() {
            Severity::Error => lsp::DiagnosticSeverity::ERROR,
            Severity::Warning => lsp::DiagnosticSeverity::WARNING,
            Severity::Info => lsp::DiagnosticSeverity::INFORMATION,
        }),
        code: Some(lsp::NumberOrString::String(found.kind.id.to_owned())),
        code_description: if abilities.code_descriptions { page() } else { None },
        source: Some("fly".to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        tags: tags.filter(|_| abilities.diagnostic_tags),
        data: data.filter(|_| abilities.diagnostic_data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_told_when_it_says_more_than_the_headline() {
        for (headline, label, more) in [
            ("`egg` has no attribute `typ`", "not known here", false),
            ("nobody uses `local.tags`", "given, and never used", false),
            ("text can't hold a list", "not text", false),
            ("a tag wants a word, found an empty one", "empty", false),
            ("`web` is there twice", "", false),
            ("`cpu` wants a number", "`cpu` again", false),
            ("`memory` is too small", "at least 512MiB", true),
            ("`memory` wants a size", "this is `local.size`", true),
            ("this has no end", "everything behind the quote is taken as text", true),
        ] {
            assert_eq!(says_more(label, headline), more, "{headline} {label}");
        }
    }

    #[test]
    fn positions_go_there_and_back_in_every_encoding() {
        let text = "a\r\nключ 🔑 x\n\nend";
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            let lines = Lines::new(text, encoding);
            for (at, letter) in text.char_indices().filter(|(_, letter)| *letter != '\n') {
                let offset = TextSize::try_from(at).unwrap();
                // Between `\r` and `\n` no editor has a position.
                if letter != '\r' || text[at..].starts_with("\r\n") {
                    assert_eq!(lines.offset(lines.position(offset)), offset, "{encoding:?} {at}");
                }
            }
            assert_eq!(lines.offset(lsp::Position::new(0, 99)), TextSize::from(1));
            assert_eq!(lines.offset(lsp::Position::new(99, 0)), TextSize::of(text));
        }
        let lines = Lines::new(text, Encoding::Utf16);
        assert_eq!(lines.position(TextSize::from(16)), lsp::Position::new(1, 7));
        assert_eq!(lines.offset(lsp::Position::new(1, 6)), TextSize::from(12), "in the middle of a pair");
    }
}
