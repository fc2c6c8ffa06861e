//! Reads the syntax errors off the tree: one for each attribute, block header or piece of junk, so that one
//! mistake is told once.

use super::{
    Parse,
    stream::Stream,
    token::Kind,
    tree::{Expected, NodeKind, NodeRef, token_range},
};
use crate::text::{TextRange, TextSize};

/// One mistake in the text's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong.
    pub kind: SyntaxErrorKind,
    /// Where.
    pub range: TextRange,
    /// The bracket that was opened, when it is never closed.
    pub opener: Option<TextRange>,
}

/// What can be wrong with a text's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxErrorKind {
    /// Something must stand here and does not.
    Missing(Expected),
    /// This has no place here.
    Unexpected,
    /// A `}` that closes nothing.
    StrayClose,
    /// A string without its closing quote.
    UnclosedString,
    /// A heredoc without its end marker.
    UnclosedHeredoc,
    /// A `/*` without its `*/`.
    UnclosedComment,
    /// Nested more deeply than [`super::NESTING_LIMIT`].
    TooDeep,
}

pub(super) fn collect(parse: &Parse, stream: &Stream) -> Vec<SyntaxError> {
    let mut errors = Vec::new();
    if let Some(token) = stream.too_deep {
        let range = token_range(parse, token as usize);
        errors.push(SyntaxError { kind: SyntaxErrorKind::TooDeep, range, opener: None });
    }
    for (index, token) in parse.tree().tokens().iter().enumerate() {
        if token.kind == Kind::UnclosedComment {
            let start = TextSize::new(token.start);
            let range = TextRange::at(start, TextSize::new(2));
            debug_assert!(index + 1 == parse.tree().tokens().len(), "an unclosed comment takes the rest");
            errors.push(SyntaxError { kind: SyntaxErrorKind::UnclosedComment, range, opener: None });
        }
    }
    node(parse.root(), &mut errors);
    // Tokens beyond the nesting limit are junk to the grammar; only the limit itself is told.
    if stream.too_deep.is_some() {
        errors.truncate(1);
    }
    // A comment or heredoc that takes the rest of the file takes the brackets with it.
    let swallowed = errors.iter().any(|error| {
        matches!(error.kind, SyntaxErrorKind::UnclosedComment | SyntaxErrorKind::UnclosedHeredoc)
    });
    if swallowed {
        errors.retain(|error| error.opener.is_none());
    }
    errors.sort_by_key(|error| (error.range.start(), error.range.end()));
    errors
}

fn node(at: NodeRef<'_>, errors: &mut Vec<SyntaxError>) {
    match at.kind() {
        NodeKind::Attribute => errors.extend(first(at)),
        NodeKind::Error => errors.extend(unclosed(at).or_else(|| Some(unexpected(at)))),
        NodeKind::Missing(expected) => errors.push(missing(at, at, expected)),
        NodeKind::Block => {
            let header = at.tokens().find_map(|token| unclosed_token(token.kind(), token.range()));
            let unclosed_header = header.is_some();
            errors.extend(header);
            let mut junk = false;
            for child in at.children() {
                match child.kind() {
                    NodeKind::Missing(Expected::OpenBrace) if unclosed_header => {}
                    NodeKind::Missing(expected) => errors.push(missing(child, at, expected)),
                    _ => item(child, &mut junk, errors),
                }
            }
        }
        NodeKind::File => {
            let mut junk = false;
            at.children().for_each(|child| item(child, &mut junk, errors));
        }
        _ => {
            let literal = at.tokens().find_map(|token| unclosed_token(token.kind(), token.range()));
            errors.extend(literal);
            for child in at.children() {
                node(child, errors);
            }
        }
    }
}

/// One of the items of a file or block. Lines of junk that follow each other come from one mistake, so only the first
/// of them is told.
fn item(at: NodeRef<'_>, junk: &mut bool, errors: &mut Vec<SyntaxError>) {
    let from = errors.len();
    node(at, errors);
    let is_junk = at.kind() == NodeKind::Error
        && errors.get(from).is_some_and(|error| error.kind == SyntaxErrorKind::Unexpected);
    if is_junk && *junk {
        errors.truncate(from);
    }
    // A value on the line after its `=` has been told as missing.
    *junk =
        is_junk || at.children().last().is_some_and(|last| last.kind() == NodeKind::Missing(Expected::Value));
}

/// The mistake to tell of an attribute: an unclosed string if there is one, for it explains the others.
fn first(attribute: NodeRef<'_>) -> Option<SyntaxError> {
    if let Some(error) = unclosed(attribute) {
        return Some(error);
    }
    let mut stack = vec![(attribute, attribute)];
    while let Some((at, parent)) = stack.pop() {
        match at.kind() {
            NodeKind::Error => return Some(unexpected(at)),
            // What stands where the value belongs says more than that none is there.
            NodeKind::Missing(Expected::Value)
                if stack.last().is_some_and(|(next, of)| *of == parent && next.kind() == NodeKind::Error) => {
            }
            NodeKind::Missing(expected) => return Some(missing(at, parent, expected)),
            _ => {
                let from = stack.len();
                stack.extend(at.children().map(|child| (child, at)));
                stack[from..].reverse();
            }
        }
    }
    None
}

fn unclosed(at: NodeRef<'_>) -> Option<SyntaxError> {
    let tokens = at.parse().tree().tokens();
    at.token_range().find_map(|index| unclosed_token(tokens[index].kind, token_range(at.parse(), index)))
}

fn unclosed_token(kind: Kind, range: TextRange) -> Option<SyntaxError> {
    let kind = match kind {
        Kind::UnclosedString => SyntaxErrorKind::UnclosedString,
        Kind::UnclosedHeredoc => SyntaxErrorKind::UnclosedHeredoc,
        _ => return None,
    };
    Some(SyntaxError { kind, range, opener: None })
}

fn unexpected(at: NodeRef<'_>) -> SyntaxError {
    let tokens = at.parse().tree().tokens();
    let range = at.token_range();
    let first = range.start;
    let stray = range.len() == 1 && tokens.get(first).is_some_and(|token| token.kind == Kind::CloseBrace);
    let kind = if stray { SyntaxErrorKind::StrayClose } else { SyntaxErrorKind::Unexpected };
    // The first line of the junk is enough to see what is meant.
    let whole = at.range();
    let line = at.text().find(['\n', '\r']).and_then(|length| u32::try_from(length).ok());
    let range = line.map_or(whole, |length| TextRange::at(whole.start(), TextSize::new(length)));
    SyntaxError { kind, range, opener: None }
}

fn missing(at: NodeRef<'_>, parent: NodeRef<'_>, expected: Expected) -> SyntaxError {
    let opener = match expected {
        Expected::CloseBrace => Some(Kind::OpenBrace),
        Expected::CloseBracket => Some(Kind::OpenBracket),
        Expected::CloseParen => Some(Kind::OpenParen),
        _ => None,
    };
    let opener = opener.and_then(|kind| parent.token(kind)).map(super::tree::TokenRef::range);
    let kind = SyntaxErrorKind::Missing(expected);
    // What is never closed is told where it was opened: that is what one has to look at.
    let range = match (expected, opener) {
        (_, Some(opener)) => opener,
        (Expected::EqualsOrBrace, _) => {
            parent.tokens().next().map_or(at.range(), super::tree::TokenRef::range)
        }
        _ => at.range(),
    };
    SyntaxError { kind, range, opener }
}
