//! The formatter: one canon, no options.
//!
//! Two spaces a level, `=` aligned within a run of attributes, one blank line around blocks, comments where they
//! were, heredocs untouched. It prints from the tree and never from meaning, so it works on files with mistakes:
//! what was not understood is printed as it stands. Formatting twice changes nothing more, and never changes what
//! a file means.

mod expr;
mod items;

use std::sync::Arc;

use crate::{
    syntax::{Kind, Parse, SyntaxErrorKind, parse},
    text::{TextRange, TextSize},
};

/// The formatted text of a file.
pub fn format(parsed: &Parse) -> String {
    let printed = print(parsed);
    if parsed.errors().is_empty() {
        return printed;
    }
    // With mistakes in it, moving things may change how the rest is understood. Such a file stays as it is.
    let again = parse(Arc::from(printed.as_str()));
    if again.errors().len() == parsed.errors().len() && print(&again) == printed {
        printed
    } else {
        parsed.text().to_string()
    }
}

fn print(parsed: &Parse) -> String {
    let unbalanced = parsed.errors().iter().any(|error| {
        matches!(error.kind, SyntaxErrorKind::StrayClose | SyntaxErrorKind::TooDeep)
            || error.opener.is_some()
            || matches!(
                error.kind,
                SyntaxErrorKind::UnclosedString
                    | SyntaxErrorKind::UnclosedHeredoc
                    | SyntaxErrorKind::UnclosedComment
            )
    });
    let mut printer = Printer { parsed, unbalanced, out: String::with_capacity(parsed.text().len()) };
    printer.file();
    printer.out
}

struct Printer<'p> {
    parsed: &'p Parse,
    /// Brackets or quotes do not pair, so indentation may decide what belongs where: blocks with a mistake in them
    /// keep theirs.
    unbalanced: bool,
    out: String,
}

/// A comment and how it stands.
#[derive(Debug, Clone)]
struct Comment {
    text: String,
    /// On the line of what comes before it.
    trailing: bool,
    /// An empty line stands before it.
    blank: bool,
    /// Nothing can follow on its line.
    to_line_end: bool,
}

/// The trivia between two things.
#[derive(Debug, Default)]
struct Gap {
    comments: Vec<Comment>,
    /// An empty line stands before what comes next.
    blank: bool,
    /// A line ends before what comes next.
    newline: bool,
}

impl Printer<'_> {
    fn token_text(&self, index: usize) -> &str {
        let tokens = self.parsed.tree().tokens();
        let end = tokens
            .get(index + 1)
            .map_or(TextSize::of(&**self.parsed.text()), |next| TextSize::new(next.start));
        &self.parsed.text()[TextRange::new(TextSize::new(tokens[index].start), end)]
    }

    /// What stands between two tokens, commas aside.
    fn gap(&self, tokens: std::ops::Range<usize>) -> Gap {
        let mut gap = Gap::default();
        let mut newlines = 0;
        for index in tokens {
            let kind = self.parsed.tree().tokens()[index].kind;
            let text = self.token_text(index);
            if kind == Kind::Whitespace {
                newlines += text.matches('\n').count();
            } else if kind.is_comment() {
                let to_line_end = matches!(kind, Kind::Comment | Kind::DocComment);
                let text = if to_line_end { text.trim_end() } else { text };
                gap.comments.push(Comment {
                    text: text.to_owned(),
                    trailing: newlines == 0 && !gap.newline,
                    blank: newlines > 1,
                    to_line_end,
                });
                gap.newline |= newlines > 0;
                newlines = 0;
            }
        }
        gap.blank = newlines > 1;
        gap.newline |= newlines > 0;
        gap
    }

    /// Whether a comment stands among these tokens.
    fn has_comment(&self, tokens: std::ops::Range<usize>) -> bool {
        self.parsed.tree().tokens()[tokens].iter().any(|token| token.kind.is_comment())
    }

    fn indent(&mut self, level: usize) {
        self.out.extend(std::iter::repeat_n("  ", level));
    }
}
