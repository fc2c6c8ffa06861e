//! The grammar: tokens → the shape of the tree.
//!
//! It is tolerant and total. What is missing becomes a `Missing` node, what has no place an `Error` node, and the
//! errors are read off the tree afterwards; so a parser here never fails once it has taken its first token, and
//! nothing has to be undone. It stands behind [`file`] and [`expression`] and could be replaced without any other
//! room noticing.

use chumsky::{
    extra,
    pratt::{infix, left, postfix, prefix},
    prelude::*,
};

use super::{
    stream::Tok,
    token::Kind,
    tree::{Expected, NodeKind},
};

/// The shape of a node: its kind, its range in the stream and the nodes within.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) kind: NodeKind,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) children: Vec<Shape>,
}

impl Shape {
    fn new(kind: NodeKind, span: SimpleSpan, children: Vec<Shape>) -> Self {
        let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { kind, start: at(span.start), end: at(span.end), children }
    }

    /// A node from the start of its first child to the end of its last.
    fn around(kind: NodeKind, start: u32, children: Vec<Shape>) -> Self {
        let end = children.last().map_or(start, |child| child.end);
        Self { kind, start, end, children }
    }
}

type Input<'s> = &'s [Tok];
type Extra = extra::Err<EmptyErr>;
type Here<'s, 'b> = chumsky::input::MapExtra<'s, 'b, Input<'s>, Extra>;

/// The shape of a whole file.
pub(super) fn file(stream: &[Tok]) -> Shape {
    let junk = any().map_with(|_, e| Shape::new(NodeKind::Error, e.span(), Vec::new()));
    let parser = item()
        .or(junk)
        .repeated()
        .collect()
        .map_with(|items, e| Shape::new(NodeKind::File, e.span(), items))
        .then_ignore(end());
    run(parser, stream, NodeKind::File)
}

/// The shape of a single expression; anything after it is an error node.
pub(super) fn expression(stream: &[Tok]) -> Shape {
    let junk =
        any().repeated().at_least(1).map_with(|(), e| Shape::new(NodeKind::Error, e.span(), Vec::new()));
    let value = expr().or(missing(Expected::Value));
    let parser = value
        .then(junk.or_not())
        .map_with(|(value, junk), e| {
            let children = std::iter::once(value).chain(junk).collect();
            Shape::new(NodeKind::File, e.span(), children)
        })
        .then_ignore(end());
    run(parser, stream, NodeKind::File)
}

fn run<'s>(parser: impl Parser<'s, Input<'s>, Shape, Extra>, stream: Input<'s>, kind: NodeKind) -> Shape {
    let all = SimpleSpan::from(0..stream.len());
    parser
        .parse(stream)
        .into_output()
        .unwrap_or_else(|| Shape::new(kind, all, vec![Shape::new(NodeKind::Error, all, Vec::new())]))
}

/// One token of a kind.
fn token<'s>(kind: Kind) -> impl Parser<'s, Input<'s>, Tok, Extra> + Copy {
    any().filter(move |token: &Tok| token.kind == kind)
}

/// One token of a kind on the same line (or within the same brackets) as what came before.
fn inline<'s>(kind: Kind) -> impl Parser<'s, Input<'s>, Tok, Extra> + Copy {
    any().filter(move |token: &Tok| token.kind == kind && !token.newline)
}

/// Nothing, where something must stand.
fn missing<'s>(expected: Expected) -> impl Parser<'s, Input<'s>, Shape, Extra> + Copy {
    empty().map_with(move |(), e| Shape::new(NodeKind::Missing(expected), e.span(), Vec::new()))
}

/// A token, or a `Missing` node in its place.
fn need<'s>(kind: Kind, expected: Expected) -> impl Parser<'s, Input<'s>, Option<Shape>, Extra> + Clone {
    token(kind).map(|_| None).or(missing(expected).map(Some))
}

/// What can only end a block or file, never stand within anything else.
const fn ends_block(token: Tok) -> bool {
    matches!(token.kind, Kind::CloseBrace | Kind::VirtualClose | Kind::StrayClose)
}

/// A literal that ends where it began.
const fn is_plain(token: Tok) -> bool {
    matches!(token.kind, Kind::String | Kind::Number)
}

/// An attribute, a block, or a piece of junk.
fn item<'s>() -> impl Parser<'s, Input<'s>, Shape, Extra> + Clone {
    recursive(|item| {
        let body = body(item.clone());
        // Tokens up to the next line; a `{…}` among them is read as a block's body, so that its end is not taken
        // for the end of the block around it.
        let piece = body.clone().or(any()
            .filter(|token: &Tok| !token.newline && !token.resync && !ends_block(*token))
            .to(Vec::new()));
        let rest = piece.clone().repeated().at_least(1).collect::<Vec<_>>().map_with(|pieces, e| {
            Shape::new(NodeKind::Error, e.span(), pieces.into_iter().flatten().collect())
        });

        let value = any().filter(|token: &Tok| !token.newline && !token.resync).rewind().ignore_then(expr());

        let written = choice((value.clone(), missing(Expected::Value)))
            .then(inline(Kind::Comma).to(None).or(rest.clone().map(Some)).or_not())
            .map(|(value, junk)| std::iter::once(value).chain(junk.flatten()).collect());
        // Nearly every value is a single literal at the end of its line; the long way would give the same.
        let line_end = any()
            .filter(|token: &Tok| token.newline && token.kind != Kind::OpenBrace || ends_block(*token))
            .to(())
            .or(end())
            .rewind();
        let short = any()
            .filter(|token: &Tok| is_plain(*token) && !token.newline)
            .map_with(|_, e| vec![Shape::new(NodeKind::Literal, e.span(), Vec::new())])
            .then_ignore(line_end);
        let attribute = inline(Kind::Equals)
            .ignore_then(short.or(written))
            .map(|children| (NodeKind::Attribute, children));

        let label = any().filter(|token: &Tok| {
            !token.newline
                && matches!(
                    token.kind,
                    Kind::String | Kind::UnclosedString | Kind::Ident | Kind::Number | Kind::Minus
                )
        });
        let block = label.repeated().ignore_then(body).map(|body| (NodeKind::Block, body));

        let lone = missing(Expected::EqualsOrBrace).then(value.or_not()).then(rest.clone().or_not()).map(
            |((missing, value), junk)| {
                (NodeKind::Attribute, std::iter::once(missing).chain(value).chain(junk).collect())
            },
        );

        let named = token(Kind::Ident)
            .ignore_then(choice((attribute, block, lone)))
            .map_with(|(kind, children), e| Shape::new(kind, e.span(), children));

        let stray =
            token(Kind::StrayClose).map_with(|_, e| Shape::new(NodeKind::Error, e.span(), Vec::new()));
        let first =
            any().filter(|token: &Tok| token.kind != Kind::OpenBrace && !ends_block(*token)).to(Vec::new());
        let junk = first.or(piece.clone()).then(piece.repeated().collect::<Vec<_>>()).map_with(
            |(first, rest), e| {
                let children = first.into_iter().chain(rest.into_iter().flatten()).collect();
                Shape::new(NodeKind::Error, e.span(), children)
            },
        );

        choice((named, stray, junk))
    })
}

/// `{ items }`, as the items and what is missing around them.
fn body<'s>(
    item: impl Parser<'s, Input<'s>, Shape, Extra> + Clone,
) -> impl Parser<'s, Input<'s>, Vec<Shape>, Extra> + Clone {
    let open = token(Kind::OpenBrace)
        .to(None)
        .or(token(Kind::VirtualOpen).ignore_then(missing(Expected::OpenBrace)).map(Some));
    let close = token(Kind::CloseBrace)
        .to(None)
        .or(token(Kind::VirtualClose).or_not().ignore_then(missing(Expected::CloseBrace)).map(Some));
    open.then(item.repeated().collect::<Vec<_>>()).then(close).map(|((open, mut items), close)| {
        if let Some(open) = open {
            items.insert(0, open);
        }
        items.extend(close);
        items
    })
}

/// An expression.
fn expr<'s>() -> impl Parser<'s, Input<'s>, Shape, Extra> + Clone {
    recursive(|expr| {
        let literal = any()
            .filter(|token: &Tok| {
                matches!(
                    token.kind,
                    Kind::String
                        | Kind::Number
                        | Kind::UnclosedString
                        | Kind::Heredoc
                        | Kind::UnclosedHeredoc
                )
            })
            .map_with(|_, e| Shape::new(NodeKind::Literal, e.span(), Vec::new()));

        let arguments =
            delimited(expr.clone(), inline(Kind::OpenParen), Kind::CloseParen, Expected::CloseParen);
        let name = any()
            .filter(|token: &Tok| token.kind == Kind::Ident && !token.resync)
            .ignore_then(arguments.or_not())
            .map_with(|arguments, e| match arguments {
                Some(arguments) => Shape::new(NodeKind::Call, e.span(), arguments),
                None => Shape::new(NodeKind::Name, e.span(), Vec::new()),
            });

        let list =
            delimited(expr.clone(), token(Kind::OpenBracket), Kind::CloseBracket, Expected::CloseBracket)
                .map_with(|children, e| Shape::new(NodeKind::List, e.span(), children));

        let beside = any()
            .filter(|token: &Tok| {
                token.kind != Kind::CloseParen && !token.newline && !token.resync && !ends_block(*token)
            })
            .repeated()
            .at_least(1)
            .map_with(|(), e| Shape::new(NodeKind::Error, e.span(), Vec::new()));
        let paren = token(Kind::OpenParen)
            .ignore_then(expr.clone().or(missing(Expected::Value)))
            .then(beside.or_not())
            .then(need(Kind::CloseParen, Expected::CloseParen))
            .map_with(|((inner, beside), close), e| {
                let children = std::iter::once(inner).chain(beside).chain(close).collect();
                Shape::new(NodeKind::Paren, e.span(), children)
            });

        let too_deep = token(Kind::TooDeep)
            .repeated()
            .at_least(1)
            .map_with(|(), e| Shape::new(NodeKind::Error, e.span(), Vec::new()));

        let atom = choice((literal, name, list, map(expr.clone()), paren, too_deep));

        let operator = |kinds: &'static [Kind]| {
            any().filter(move |token: &Tok| !token.newline && kinds.contains(&token.kind))
        };
        let binary = |left: Shape, _: Tok, right: Shape, _: &mut Here<'s, '_>| {
            let start = left.start;
            Shape::around(NodeKind::Binary, start, vec![left, right])
        };
        let field = inline(Kind::Dot).ignore_then(
            inline(Kind::Ident)
                .map_with(|_, e| Shape::new(NodeKind::Name, e.span(), Vec::new()))
                .or(missing(Expected::Name)),
        );
        let index = inline(Kind::OpenBracket)
            .ignore_then(expr.clone().or(missing(Expected::Value)))
            .then(need(Kind::CloseBracket, Expected::CloseBracket))
            .map_with(|(inner, close), e| {
                let span: SimpleSpan = e.span();
                (u32::try_from(span.end).unwrap_or(u32::MAX), inner, close)
            });

        let operation = atom.pratt((
            postfix(8, field, |base: Shape, name: Shape, _: &mut Here<'s, '_>| {
                let start = base.start;
                Shape::around(NodeKind::Field, start, vec![base, name])
            }),
            postfix(
                8,
                index,
                |base: Shape, (end, inner, close): (u32, Shape, Option<Shape>), _: &mut Here<'s, '_>| Shape {
                    kind: NodeKind::Index,
                    start: base.start,
                    end,
                    children: [base, inner].into_iter().chain(close).collect(),
                },
            ),
            prefix(
                7,
                any().filter(|token: &Tok| matches!(token.kind, Kind::Minus | Kind::Not)),
                |_, operand: Shape, _: &mut Here<'s, '_>| {
                    let start = operand.start - 1;
                    Shape::around(NodeKind::Unary, start, vec![operand])
                },
            ),
            infix(left(6), operator(&[Kind::Star, Kind::Slash, Kind::Percent]), binary),
            infix(left(5), operator(&[Kind::Plus, Kind::Minus]), binary),
            infix(
                left(4),
                operator(&[Kind::Less, Kind::LessEquals, Kind::Greater, Kind::GreaterEquals]),
                binary,
            ),
            infix(left(3), operator(&[Kind::EqualsEquals, Kind::NotEquals]), binary),
            infix(left(2), operator(&[Kind::And]), binary),
            infix(left(1), operator(&[Kind::Or]), binary),
        ));

        let branches = inline(Kind::Question)
            .ignore_then(expr.clone().or(missing(Expected::Value)))
            .then(need(Kind::Colon, Expected::Colon))
            .then(expr.or(missing(Expected::Value)));
        operation.then(branches.or_not()).map(|(condition, branches)| match branches {
            None => condition,
            Some(((yes, colon), no)) => {
                let start = condition.start;
                let children = [condition, yes].into_iter().chain(colon).chain([no]).collect();
                Shape::around(NodeKind::Conditional, start, children)
            }
        })
    })
}

/// `open value, value, … close`, as the values and whatever is wrong between them.
fn delimited<'s>(
    expr: impl Parser<'s, Input<'s>, Shape, Extra> + Clone,
    open: impl Parser<'s, Input<'s>, Tok, Extra> + Clone,
    close: Kind,
    expected: Expected,
) -> impl Parser<'s, Input<'s>, Vec<Shape>, Extra> + Clone {
    let comma = token(Kind::Comma).to(None);
    let last = any()
        .filter(move |token: &Tok| token.kind == close || token.resync || ends_block(*token))
        .to(())
        .or(end())
        .rewind()
        .to(None);
    // A bracket of another kind is told as such, not as a missing comma.
    let wrong = any().filter(|token: &Tok| token.kind == Kind::Unknown).rewind().to(None);
    let long = expr.then(choice((comma, last, wrong, missing(Expected::Comma).map(Some))));
    // Nearly every element is a single literal; the long way would give the same.
    let after = any().filter(move |token: &Tok| token.kind == close).rewind();
    let short = any()
        .filter(|token: &Tok| is_plain(*token))
        .map_with(|_, e| (Shape::new(NodeKind::Literal, e.span(), Vec::new()), None))
        .then_ignore(token(Kind::Comma).or(after));
    let element = short.or(long);
    let junk = any()
        .filter(move |token: &Tok| token.kind != close && !token.resync && !ends_block(*token))
        .map_with(|_, e| (Shape::new(NodeKind::Error, e.span(), Vec::new()), None));
    open.ignore_then(element.or(junk).repeated().collect::<Vec<(Shape, Option<Shape>)>>())
        .then(need(close, expected))
        .map(|(elements, close)| {
            let mut children = Vec::with_capacity(elements.len() + 1);
            for (element, missing) in elements {
                children.push(element);
                children.extend(missing);
            }
            children.extend(close);
            children
        })
}

/// `{ key = value, … }`; entries are separated by commas or line ends.
fn map<'s>(
    expr: impl Parser<'s, Input<'s>, Shape, Extra> + Clone,
) -> impl Parser<'s, Input<'s>, Shape, Extra> + Clone {
    let key = any().filter(|token: &Tok| matches!(token.kind, Kind::Ident | Kind::String));
    let equals = any()
        .filter(|token: &Tok| matches!(token.kind, Kind::Equals | Kind::Colon) && !token.newline)
        .to(None)
        .or(missing(Expected::Equals).map(Some));
    let value = any()
        .filter(|token: &Tok| !token.newline && !token.resync)
        .rewind()
        .ignore_then(expr)
        .or(missing(Expected::Value));
    let last = any()
        .filter(|token: &Tok| token.newline || token.resync || ends_block(*token))
        .to(())
        .or(end())
        .rewind()
        .to(None);
    let separator = choice((token(Kind::Comma).to(None), last, missing(Expected::Comma).map(Some)));
    // A token that begins a block is no key: the map was never closed.
    let entry = key
        .filter(|token: &Tok| !token.resync)
        .ignore_then(equals.then(value))
        .map_with(|(equals, value), e| {
            Shape::new(NodeKind::Entry, e.span(), equals.into_iter().chain([value]).collect())
        })
        .then(separator);
    let junk = any()
        .filter(|token: &Tok| !token.resync && !ends_block(*token))
        .map_with(|_, e| (Shape::new(NodeKind::Error, e.span(), Vec::new()), None));
    let open = token(Kind::OpenBrace)
        .to(None)
        .or(token(Kind::VirtualOpen).ignore_then(missing(Expected::OpenBrace)).map(Some));
    open.then(entry.or(junk).repeated().collect::<Vec<(Shape, Option<Shape>)>>())
        .then(
            token(Kind::VirtualClose)
                .ignore_then(missing(Expected::CloseBrace))
                .map(Some)
                .or(need(Kind::CloseBrace, Expected::CloseBrace)),
        )
        .map_with(|((open, entries), close), e| {
            let mut children = Vec::with_capacity(entries.len() + 2);
            children.extend(open);
            for (entry, missing) in entries {
                children.push(entry);
                children.extend(missing);
            }
            children.extend(close);
            Shape::new(NodeKind::Map, e.span(), children)
        })
}
