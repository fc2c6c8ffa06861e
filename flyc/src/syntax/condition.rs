//! Conditions: the small language inside the strings of UglyFox rules, such as
//! `failed_count >= 3 AND (age > 1h OR state IN ('failed', 'nadir'))`.
//!
//! It has a lexer and grammar of its own. All offsets count within the condition's text; whoever knows where that
//! text stands in a file brings them there. Types live in `model`, never here.

use chumsky::{extra, prelude::*};
use logos::{Lexer, Logos};
use std::ops::Range;

use super::NESTING_LIMIT;

/// A token of a condition.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
#[logos(skip "[ \t\r\n]+")]
enum Tok {
    #[token("AND")]
    And,
    #[token("OR")]
    Or,
    #[token("NOT")]
    Not,
    #[token("IN")]
    In,
    #[token("true")]
    #[token("false")]
    Bool,
    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Name,
    #[regex(r"[0-9][0-9A-Za-z_]*(\.[0-9]+)?%?")]
    Number,
    #[token("'", text)]
    Text,
    #[token("==")]
    Equal,
    #[token("!=")]
    NotEqual,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEqual,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEqual,
    #[token("(")]
    Open,
    #[token(")")]
    Close,
    #[token(",")]
    Comma,
    Unknown,
}

/// Takes a text to its closing quote, which must stand on its line.
fn text(lexer: &mut Lexer<'_, Tok>) -> bool {
    let rest = lexer.remainder();
    let end = rest.find(['\'', '\n']).filter(|end| rest[*end..].starts_with('\''));
    lexer.bump(end.map_or(0, |end| end + 1));
    end.is_some()
}

/// A parsed condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `left op right`
    Compare {
        /// The operand on the left.
        left: Operand,
        /// The operator.
        operator: Comparison,
        /// Where the operator stands.
        operator_range: Range<usize>,
        /// The operand on the right.
        right: Operand,
    },
    /// `left IN (a, b)`
    In {
        /// The operand on the left.
        left: Operand,
        /// The allowed values.
        list: Vec<Operand>,
    },
    /// Every one of these, two at least.
    And(Vec<Condition>),
    /// Any one of these, two at least.
    Or(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
    /// A field or value alone, which is no condition.
    Bare(Operand),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

impl Comparison {
    /// The operator as written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }

    /// Whether it asks for an order and not only for equality.
    pub const fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// A field's name or a literal, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// What kind of operand it is.
    pub kind: OperandKind,
    /// Its text; without the quotes for a text.
    pub text: String,
    /// Its range in the condition, with the quotes.
    pub range: Range<usize>,
}

/// What kind of operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperandKind {
    /// A field.
    Field,
    /// A number, duration or percentage.
    Number,
    /// `'text'`
    Text,
    /// `true` or `false`
    Bool,
}

/// A mistake in a condition's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    /// Where in the condition.
    pub range: Range<usize>,
    /// What is wrong there, in a few words.
    pub message: String,
    /// What to write instead, when that is known.
    pub replacement: Option<String>,
}

/// Parses a condition.
pub fn parse(text: &str) -> Result<Condition, ConditionError> {
    let mut tokens = Vec::new();
    let (mut depth, mut lexer) = (0_u32, Tok::lexer(text));
    while let Some(token) = lexer.next() {
        let token = token.unwrap_or(Tok::Unknown);
        let range = lexer.span();
        if let Some(error) = misspelt(token, lexer.slice(), &range) {
            return Err(error);
        }
        depth = match token {
            Tok::Open | Tok::Not => depth + 1,
            Tok::And | Tok::Or => 0,
            _ => depth,
        };
        if depth > NESTING_LIMIT || tokens.len() > 10_000 {
            let message = "too much for one condition".to_owned();
            return Err(ConditionError { range, message, replacement: None });
        }
        tokens.push((token, range));
    }
    if tokens.iter().filter(|(token, _)| *token == Tok::Open).count() > NESTING_LIMIT as usize {
        let message = "too many parentheses for one condition".to_owned();
        return Err(ConditionError { range: 0..text.len(), message, replacement: None });
    }
    let kinds: Vec<Tok> = tokens.iter().map(|(token, _)| *token).collect();
    let source = Source { text, tokens: &tokens };
    condition(source).parse(&kinds).into_result().map_err(|errors| source.error(errors.first()))
}

/// What people of other languages write.
fn misspelt(token: Tok, text: &str, range: &Range<usize>) -> Option<ConditionError> {
    let replacement = match (token, text) {
        (Tok::Name, "and") | (Tok::Unknown, "&") => "AND",
        (Tok::Name, "or") | (Tok::Unknown, "|") => "OR",
        (Tok::Name, "not") | (Tok::Unknown, "!") => "NOT",
        (Tok::Name, "in") => "IN",
        (Tok::Unknown, "=") => "==",
        (Tok::Unknown, "'") => return Some(error(range, "this quote is never closed")),
        (Tok::Unknown, "\"") => return Some(error(range, "texts in a condition stand in single quotes")),
        (Tok::Unknown, _) => return Some(error(range, "not part of a condition")),
        _ => return None,
    };
    let message = format!("conditions write `{replacement}`");
    Some(ConditionError { range: range.clone(), message, replacement: Some(replacement.to_owned()) })
}

fn error(range: &Range<usize>, message: &str) -> ConditionError {
    ConditionError { range: range.clone(), message: message.to_owned(), replacement: None }
}

#[derive(Clone, Copy)]
struct Source<'a> {
    text: &'a str,
    tokens: &'a [(Tok, Range<usize>)],
}

impl Source<'_> {
    fn operand(&self, kind: OperandKind, at: usize) -> Operand {
        let range = self.tokens.get(at).map_or(0..0, |(_, range)| range.clone());
        let text = &self.text[range.clone()];
        let text = if kind == OperandKind::Text { text.trim_matches('\'') } else { text };
        Operand { kind, text: text.to_owned(), range }
    }

    fn error(&self, found: Option<&Simple<'_, Tok>>) -> ConditionError {
        let at = found.map_or(self.tokens.len(), |error| error.span().start);
        let before = at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let wanted = match before {
            None | Some((Tok::And | Tok::Or | Tok::Not | Tok::Open, _)) => {
                "a field such as `age` belongs here"
            }
            Some((Tok::Name, _)) => "a comparison such as `> 1h` belongs here",
            Some((Tok::In, _)) => "a list such as `('failed', 'nadir')` belongs here",
            Some((Tok::Number | Tok::Text | Tok::Bool | Tok::Close, _)) => "`AND` or `OR` belongs here",
            Some(_) => "a value such as `3`, `1h`, `80%` or `'apex'` belongs here",
        };
        let range = match self.tokens.get(at) {
            Some((_, range)) => range.clone(),
            None => self.text.trim_end().len()..self.text.trim_end().len(),
        };
        let message = if self.tokens.is_empty() { "the condition is empty" } else { wanted };
        ConditionError { range, message: message.to_owned(), replacement: None }
    }
}

type Extra<'s> = extra::Err<Simple<'s, Tok>>;

fn condition(source: Source<'_>) -> impl Parser<'_, &[Tok], Condition, Extra<'_>> {
    recursive(move |condition| {
        let operand = select! {
            Tok::Name => OperandKind::Field,
            Tok::Number => OperandKind::Number,
            Tok::Text => OperandKind::Text,
            Tok::Bool => OperandKind::Bool,
        }
        .map_with(move |kind, e| {
            let span: SimpleSpan = e.span();
            source.operand(kind, span.start)
        });
        let operator = select! {
            Tok::Equal => Comparison::Equal,
            Tok::NotEqual => Comparison::NotEqual,
            Tok::Less => Comparison::Less,
            Tok::LessEqual => Comparison::LessEqual,
            Tok::Greater => Comparison::Greater,
            Tok::GreaterEqual => Comparison::GreaterEqual,
        }
        .map_with(move |operator, e| {
            let span: SimpleSpan = e.span();
            (operator, source.tokens[span.start].1.clone())
        });
        let list = operand
            .separated_by(just(Tok::Comma))
            .at_least(1)
            .allow_trailing()
            .collect::<Vec<_>>()
            .delimited_by(just(Tok::Open), just(Tok::Close));
        let tail = choice((
            operator.then(operand).map(|((operator, range), right)| Tail::Compare(operator, range, right)),
            just(Tok::In).ignore_then(list).map(Tail::In),
        ));
        let comparison = operand.then(tail.or_not()).map(|(left, tail)| match tail {
            Some(Tail::Compare(operator, operator_range, right)) => {
                Condition::Compare { left, operator, operator_range, right }
            }
            Some(Tail::In(list)) => Condition::In { left, list },
            None => Condition::Bare(left),
        });
        let atom = comparison.or(condition.delimited_by(just(Tok::Open), just(Tok::Close)));
        let not = just(Tok::Not).repeated().foldr(atom, |_, inner| Condition::Not(Box::new(inner)));
        let and = not
            .separated_by(just(Tok::And))
            .at_least(1)
            .collect::<Vec<_>>()
            .map(|all| one(all, Condition::And));
        and.separated_by(just(Tok::Or)).at_least(1).collect::<Vec<_>>().map(|any| one(any, Condition::Or))
    })
    .then_ignore(end())
}

enum Tail {
    Compare(Comparison, Range<usize>, Operand),
    In(Vec<Operand>),
}

fn one(mut parts: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}

impl Condition {
    /// Every operand, in order.
    pub fn operands(&self) -> Vec<&Operand> {
        match self {
            Self::Compare { left, right, .. } => vec![left, right],
            Self::In { left, list } => std::iter::once(left).chain(list).collect(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::operands).collect(),
            Self::Not(inner) => inner.operands(),
            Self::Bare(operand) => vec![operand],
        }
    }
}
