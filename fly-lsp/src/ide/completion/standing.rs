//! What stands after the cursor already, and what goes with it: where only a name is written anew, it has to fit the value
//! or the block that follows.
//!
//! What never lives here: what is offered.

use fly_std::{
    Type, Value,
    formats::{duration, percent, secret_uri, size},
    schema::{Block, Label},
};
use flyc::{
    syntax::{Kind, Token},
    text::TextSize,
};

use super::{Scene, names};

/// The first token of a value, when there is one.
pub(super) type Beginning<'a> = Option<(Kind, &'a str)>;

/// What follows the word at the cursor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Standing<'a> {
    /// Nothing that belongs to it.
    Nothing,
    /// `=` and perhaps a value, which is this text and begins with this kind.
    Value(Beginning<'a>),
    /// `{`, with these tokens from it on, perhaps after a label.
    Block { labelled: bool, from: usize },
}

impl<'a> Scene<'a> {
    /// What follows the word at the cursor.
    pub(super) fn standing(&self) -> Standing<'a> {
        let tokens = self.parse.tree().tokens();
        let end = self.cursor.word.end().max(self.offset);
        let from = tokens.partition_point(|token| TextSize::from(token.start) < end);
        if self.ends_line(from) {
            return Standing::Nothing;
        }
        let mut rest = (from..tokens.len())
            .take_while(|at| !(tokens[*at].kind == Kind::Whitespace && self.token(*at).contains('\n')))
            .filter(|at| !tokens[*at].kind.is_trivia());
        let Some(first) = rest.next() else { return Standing::Nothing };
        match tokens[first].kind {
            Kind::Equals => {
                let value = rest.next().filter(|at| begins_value(tokens[*at].kind));
                Standing::Value(value.map(|at| self.beginning(at)))
            }
            Kind::OpenBrace => Standing::Block { labelled: false, from: first },
            Kind::String => match rest.next() {
                Some(from) if tokens[from].kind == Kind::OpenBrace => {
                    Standing::Block { labelled: true, from }
                }
                _ => Standing::Nothing,
            },
            _ => Standing::Nothing,
        }
    }

    /// What a value begins with; of a list its line, to see what the first element is.
    fn beginning(&self, at: usize) -> (Kind, &'a str) {
        let token = self.parse.tree().tokens()[at];
        match token.kind {
            Kind::OpenBracket => {
                let rest = &self.parse.text()[token.start as usize..];
                (token.kind, &rest[..rest.find('\n').unwrap_or(rest.len())])
            }
            kind => (kind, self.token(at)),
        }
    }

    fn token(&self, at: usize) -> &'a str {
        let tokens = self.parse.tree().tokens();
        let text = self.parse.text();
        let end = tokens.get(at + 1).map_or(text.len(), |next| next.start as usize);
        &text[tokens[at].start as usize..end]
    }

    /// Whether a block of this kind may be what stands there.
    pub(super) fn may_hold(&self, block: &Block, labelled: bool, from: usize) -> bool {
        if labelled != (block.label != Label::None) {
            return false;
        }
        self.items_within(from).into_iter().all(|(name, value)| match value {
            None => block.child(name).is_some() || block.free_blocks.is_some(),
            Some(value) => {
                let known = block.attribute(name).or(block.free_attributes.as_ref());
                known.is_some_and(|known| may_be(value, &known.ty))
            }
        })
    }

    /// The names of what stands in the braces that open at a token, with the beginning of its value; a block has none.
    fn items_within(&self, from: usize) -> Vec<(&'a str, Option<Beginning<'a>>)> {
        let tokens: &'a [Token] = self.parse.tree().tokens();
        let mut depth = 0_i32;
        let mut all = Vec::new();
        let mut word = None;
        for (at, token) in tokens.iter().enumerate().skip(from) {
            match token.kind {
                Kind::OpenBrace | Kind::OpenBracket | Kind::OpenParen => {
                    if depth == 1 && token.kind == Kind::OpenBrace {
                        all.extend(word.take().map(|word| (word, None)));
                    }
                    depth += 1;
                }
                Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen => {
                    depth -= 1;
                    word = None;
                    if depth <= 0 {
                        break;
                    }
                }
                Kind::Ident if depth == 1 && word.is_none() => word = Some(self.token(at)),
                Kind::Equals if depth == 1 => {
                    let value = (at + 1..tokens.len()).find(|next| !tokens[*next].kind.is_trivia());
                    let value = value.map(|next| self.beginning(next));
                    let value = value.filter(|(kind, _)| begins_value(*kind));
                    all.extend(word.take().map(|word| (word, Some(value))));
                }
                Kind::Whitespace if self.token(at).contains('\n') => word = None,
                _ => {}
            }
        }
        all
    }

    /// The keys of the map around the cursor, before and after it.
    pub(super) fn keys(&self) -> Vec<&'a str> {
        let tokens = self.parse.tree().tokens();
        let here = tokens.partition_point(|token| TextSize::from(token.start) < self.cursor.word.start());
        let mut depth = 0_i32;
        for at in (0..here).rev() {
            match tokens[at].kind {
                Kind::CloseBrace => depth += 1,
                Kind::OpenBrace if depth == 0 => {
                    let own = (!self.cursor.word.is_empty()).then(|| &self.parse.text()[self.cursor.word]);
                    return self
                        .items_within(at)
                        .into_iter()
                        .map(|(name, _)| name)
                        .filter(|name| own != Some(*name))
                        .collect();
                }
                Kind::OpenBrace => depth -= 1,
                _ => {}
            }
        }
        Vec::new()
    }
}

const fn begins_value(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::String
            | Kind::Heredoc
            | Kind::Number
            | Kind::Ident
            | Kind::OpenBracket
            | Kind::OpenBrace
            | Kind::Minus
    )
}

/// Whether a value that begins so may be of a type.
pub(super) fn may_be(value: Beginning<'_>, ty: &Type) -> bool {
    let Some((kind, text)) = value else { return true };
    if *ty == Type::Any {
        return true;
    }
    match kind {
        Kind::String => {
            let inner = text.trim_matches('"');
            match ty {
                Type::Duration { .. } => duration::parse(inner).is_ok(),
                Type::Size { .. } => size::parse(inner).is_ok(),
                Type::Percent => percent::parse(inner).is_ok(),
                Type::Secret => secret_uri::parse(inner).is_ok(),
                _ => names::fits(&Value::String(inner.into()), ty),
            }
        }
        Kind::Heredoc => matches!(ty, Type::String | Type::Script | Type::EnvValue),
        Kind::Number => match ty {
            Type::Int { min, max } => text.parse().is_ok_and(|number| (*min..=*max).contains(&number)),
            Type::Float => text.parse::<f64>().is_ok(),
            Type::Duration { bare, .. } => {
                duration::parse(text).is_ok() || *bare && text.parse::<u64>().is_ok()
            }
            Type::Size { .. } => size::parse(text).is_ok() || text.parse::<u64>().is_ok(),
            Type::Percent => percent::parse(text).is_ok() || text.parse::<u64>().is_ok(),
            _ => false,
        },
        Kind::OpenBracket => {
            let Type::List(item) = ty else { return false };
            let first = text[1..].trim_start();
            let quoted = first.strip_prefix('"').and_then(|rest| rest.find('"')).map(|end| &first[..end + 2]);
            let number = first.find(|c: char| !c.is_ascii_alphanumeric()).map_or(first, |end| &first[..end]);
            match quoted {
                Some(quoted) => may_be(Some((Kind::String, quoted)), item),
                None if number.starts_with(|c: char| c.is_ascii_digit()) => {
                    may_be(Some((Kind::Number, number)), item)
                }
                None => true,
            }
        }
        Kind::OpenBrace => matches!(ty, Type::Map(_) | Type::Object(_)),
        Kind::Ident => match ty {
            Type::Bool | Type::Predicate => true,
            Type::Keyword(variants) => variants.iter().any(|variant| variant.name == text),
            Type::TypeName => Type::parse(text).is_some() || matches!(text, "list" | "map"),
            Type::Profile => text == "profile",
            _ => !matches!(text, "true" | "false" | "profile"),
        },
        _ => true,
    }
}
