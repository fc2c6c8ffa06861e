//! Conditions: the small language inside the strings of UglyFox rules, such as
//! `failed_count >= 3 AND (age > 1h OR state IN ('failed', 'nadir'))`.
//!
//! It has a lexer and grammar of its own. All offsets count within the condition's text; whoever knows where that
//! text stands in a file brings them there. Types live in `model`, never here.

use chumsky::{extra, prelude::*};
use logos::{Lexer, Logos};
use std::ops::Range;

pub use fly_std::policy::Comparison;

use super::NESTING_LIMIT;

/// How deep parentheses may stand in each other: deeper than anybody reads, and shallow enough for every reader of
/// the compiled form.
const PARENTHESES: u32 = 16;

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
    #[regex(r"-?[0-9][0-9A-Za-z_.]*%?")]
    Number,
    #[token("'", |lexer| closed(lexer, '\''))]
    Text,
    #[token("\"", |lexer| closed(lexer, '"'))]
    Quoted,
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
    /// Operators of other languages.
    #[token("=")]
    #[token("===")]
    #[token("!==")]
    #[token("<>")]
    #[token("=<")]
    #[token("=>")]
    #[token("&")]
    #[token("&&")]
    #[token("|")]
    #[token("||")]
    #[token("!")]
    Foreign,
    Unknown,
}

/// Takes a text to its closing quote, which must stand on its line.
fn closed(lexer: &mut Lexer<'_, Tok>, quote: char) -> bool {
    let rest = lexer.remainder();
    let end = rest.find([quote, '\n']).filter(|end| rest[*end..].starts_with(quote));
    lexer.bump(end.map_or(0, |end| end + 1));
    end.is_some()
}

/// A parsed condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What it is.
    pub kind: ConditionKind,
    /// Where it stands, with the parentheses around it.
    pub range: Range<usize>,
}

/// What a condition is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionKind {
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
        /// The allowed values, one at least.
        list: Vec<Operand>,
    },
    /// Every one of these, two at least.
    And(Vec<Condition>),
    /// Any one of these, two at least.
    Or(Vec<Condition>),
    /// The opposite; never of a `Not`.
    Not(Box<Condition>),
    /// A field or value alone, which is no condition.
    Bare(Operand),
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
    let (mut depth, mut nots, mut pairs) = (0_u32, 0_u32, 0_u32);
    let mut lexer = Tok::lexer(text);
    while let Some(token) = lexer.next() {
        let token = token.unwrap_or(Tok::Unknown);
        let range = lexer.span();
        if let Some(error) = misspelt(token, lexer.slice(), &range) {
            return Err(error);
        }
        nots = if token == Tok::Not { nots + 1 } else { 0 };
        match token {
            Tok::Open => (depth, pairs) = (depth + 1, pairs + 1),
            Tok::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        let message = if depth > PARENTHESES {
            "too many parentheses in each other"
        } else if nots > NESTING_LIMIT || pairs > 1000 || tokens.len() > 10_000 {
            "too much for one condition"
        } else {
            tokens.push((token, range));
            continue;
        };
        return Err(error(&range, message));
    }
    let kinds: Vec<Tok> = tokens.iter().map(|(token, _)| *token).collect();
    let source = Source { text, tokens: &tokens };
    condition(source).parse(&kinds).into_result().map_err(|errors| source.error(errors.first()))
}

/// What people of other languages write.
fn misspelt(token: Tok, text: &str, range: &Range<usize>) -> Option<ConditionError> {
    let replacement = match (token, text) {
        (Tok::Name, word) => {
            *["AND", "OR", "NOT", "IN"].iter().find(|known| word.eq_ignore_ascii_case(known))?
        }
        (Tok::Foreign, "&" | "&&") => "AND",
        (Tok::Foreign, "|" | "||") => "OR",
        (Tok::Foreign, "!") => "NOT ",
        (Tok::Foreign, "=<") => "<=",
        (Tok::Foreign, "=>") => ">=",
        (Tok::Foreign, "<>" | "!==") => "!=",
        (Tok::Foreign, _) => "==",
        (Tok::Quoted, text) => {
            let inside = text.trim_matches('"');
            let replacement = (!inside.contains('\'')).then(|| format!("'{inside}'"));
            let message = "texts in a condition stand in single quotes".to_owned();
            return Some(ConditionError { range: range.clone(), message, replacement });
        }
        (Tok::Unknown, "'") => return Some(error(range, "this quote is never closed")),
        (Tok::Unknown, "\"") => return Some(error(range, "texts in a condition stand in single quotes")),
        (Tok::Unknown, "%") => return Some(error(range, "`%` stands right behind its number")),
        (Tok::Unknown, _) => return Some(error(range, "not part of a condition")),
        _ => return None,
    };
    let message = format!("conditions write `{}`", replacement.trim_end());
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
        let range = self.range(at..at + 1);
        let text = &self.text[range.clone()];
        let text = if kind == OperandKind::Text { text.trim_matches('\'') } else { text };
        Operand { kind, text: text.to_owned(), range }
    }

    /// The range in the text of some tokens.
    fn range(&self, of: Range<usize>) -> Range<usize> {
        match self.tokens.get(of) {
            Some([(_, first), .., (_, last)]) => first.start..last.end,
            Some([(_, only)]) => only.clone(),
            Some([]) | None => 0..0,
        }
    }

    /// A token and its text, if there is one.
    fn token(&self, at: Option<usize>) -> Option<(Tok, &str)> {
        self.tokens.get(at?).map(|(token, range)| (*token, &self.text[range.clone()]))
    }

    fn error(&self, found: Option<&Simple<'_, Tok>>) -> ConditionError {
        let at = found.map_or(self.tokens.len(), |error| error.span().start);
        let before = |by: usize| self.token(at.checked_sub(by));
        if let Some(error) = self.habit(at) {
            return error;
        }
        let wanted = match before(1).map(|(token, _)| token) {
            None | Some(Tok::And | Tok::Or | Tok::Not) => "a field such as `age` belongs here",
            Some(Tok::Open) if matches!(before(2), Some((Tok::In, _))) => {
                let range = match self.token(Some(at)) {
                    Some((Tok::Close, _)) => self.range(at - 1..at + 1),
                    _ => self.here(at),
                };
                return error(&range, "the list is empty, so nothing is ever in it");
            }
            Some(Tok::Open) => "a field such as `age` belongs here",
            Some(Tok::Name) => "a comparison such as `> 1h` belongs here",
            Some(Tok::In) => "a list such as `('failed', 'nadir')` belongs here",
            Some(Tok::Number | Tok::Text | Tok::Bool) if self.in_list(at) => "`,` or `)` belongs here",
            Some(Tok::Number | Tok::Text | Tok::Bool | Tok::Close) => "`AND` or `OR` belongs here",
            Some(_) => "a value such as `3`, `1h`, `80%` or `'apex'` belongs here",
        };
        let message = if self.tokens.is_empty() { "the condition is empty" } else { wanted };
        error(&self.here(at), message)
    }

    /// Where a token stands, or the end of the text behind the last one.
    fn here(&self, at: usize) -> Range<usize> {
        let end = self.text.trim_end().len();
        self.tokens.get(at).map_or(end..end, |(_, range)| range.clone())
    }

    /// Whether the tokens before this one are a list that is not closed.
    fn in_list(&self, at: usize) -> bool {
        let mut before = self.tokens[..at].iter().rev().map(|(token, _)| *token);
        let opened = before
            .find(|token| !matches!(token, Tok::Name | Tok::Number | Tok::Text | Tok::Bool | Tok::Comma));
        opened == Some(Tok::Open) && before.next() == Some(Tok::In)
    }

    /// What is often written otherwise: `1h < age < 2h`, `egg NOT IN (…)`, `5 m`.
    fn habit(&self, at: usize) -> Option<ConditionError> {
        let (token, text) = self.token(Some(at))?;
        let (last, last_text) = self.token(at.checked_sub(1))?;
        let two_before = self.token(at.checked_sub(2)).map(|(token, _)| token);
        let operand = matches!(last, Tok::Name | Tok::Number | Tok::Text | Tok::Bool);
        if operand && is_operator(token) && two_before.is_some_and(is_operator) {
            // With what stands around it, as two comparisons.
            let chain = self.range(at.saturating_sub(3)..(at + 2).min(self.tokens.len()));
            let (first, second) = (chain.start..self.range(at - 1..at).end, self.here(at).start..chain.end);
            let replacement = format!("{} AND {last_text} {}", &self.text[first], &self.text[second]);
            let message = "a comparison has two sides".to_owned();
            return Some(ConditionError { range: chain, message, replacement: Some(replacement) });
        }
        if last == Tok::Name && token == Tok::Not && matches!(self.token(Some(at + 1)), Some((Tok::In, _))) {
            let message = "`NOT` stands before the field".to_owned();
            let replacement = Some(format!("NOT {last_text} IN"));
            return Some(ConditionError { range: self.range(at - 1..at + 2), message, replacement });
        }
        if last == Tok::Number && token == Tok::Name {
            let message = "a unit stands right behind its number".to_owned();
            let unit = matches!(text, "w" | "d" | "h" | "m" | "s");
            let replacement = unit.then(|| format!("{last_text}{text}"));
            return Some(ConditionError { range: self.range(at - 1..at + 1), message, replacement });
        }
        None
    }
}

const fn is_operator(token: Tok) -> bool {
    matches!(
        token,
        Tok::Equal | Tok::NotEqual | Tok::Less | Tok::LessEqual | Tok::Greater | Tok::GreaterEqual
    )
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
            (operator, source.range(span.start..span.end))
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
                ConditionKind::Compare { left, operator, operator_range, right }
            }
            Some(Tail::In(list)) => ConditionKind::In { left, list },
            None => ConditionKind::Bare(left),
        });
        let grouped = condition.delimited_by(just(Tok::Open), just(Tok::Close));
        let grouped = grouped.map(|inner: Condition| inner.kind);
        let atom = comparison.or(grouped).map_with(move |kind, e| {
            let span: SimpleSpan = e.span();
            Condition { kind, range: source.range(span.start..span.end) }
        });
        let not = just(Tok::Not).map_with(|_, e| {
            let span: SimpleSpan = e.span();
            span.start
        });
        let not = not.repeated().foldr(atom, move |at, inner: Condition| {
            let range = source.range(at..at + 1).start..inner.range.end;
            let kind = match inner.kind {
                ConditionKind::Not(twice) => twice.kind,
                kind => ConditionKind::Not(Box::new(Condition { kind, range: inner.range })),
            };
            Condition { kind, range }
        });
        let and = not
            .separated_by(just(Tok::And))
            .at_least(1)
            .collect::<Vec<_>>()
            .map(|all| one(all, ConditionKind::And));
        and.separated_by(just(Tok::Or)).at_least(1).collect::<Vec<_>>().map(|any| one(any, ConditionKind::Or))
    })
    .then_ignore(end())
}

enum Tail {
    Compare(Comparison, Range<usize>, Operand),
    In(Vec<Operand>),
}

fn one(mut parts: Vec<Condition>, many: fn(Vec<Condition>) -> ConditionKind) -> Condition {
    let start = parts.first().map_or(0, |part| part.range.start);
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            let range = start..last.range.end;
            parts.push(last);
            Condition { kind: many(parts), range }
        }
        None => Condition { kind: many(parts), range: 0..0 },
    }
}

impl Condition {
    /// Every comparison, from left to right.
    pub fn comparisons(&self) -> Vec<&Condition> {
        match &self.kind {
            ConditionKind::And(parts) | ConditionKind::Or(parts) => {
                parts.iter().flat_map(Self::comparisons).collect()
            }
            ConditionKind::Not(inner) => inner.comparisons(),
            ConditionKind::Compare { .. } | ConditionKind::In { .. } | ConditionKind::Bare(_) => vec![self],
        }
    }
}
