//! Ways to break a file: by what it says, and by the tokens it is made of.

use std::{ops::Range, sync::Arc};

use fly_std::{
    Type,
    schema::{Child, Constraint, Label, Presence, Times},
};
use flyc::syntax::{Kind, parse};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    generate::{Attr, Config, Node},
    values::Written,
};

/// Ways to make a valid file invalid.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mistake {
    DropAttribute,
    DropBlock,
    UnknownAttribute,
    UnknownBlock,
    WrongType,
    BadForm,
    RepeatAttribute,
    RepeatBlock,
    DropLabel,
    NoneOrBoth,
    CutBrace,
    ExtraBrace,
    BareText,
}

impl Mistake {
    pub(crate) const ALL: [Self; 13] = [
        Self::DropAttribute,
        Self::DropBlock,
        Self::UnknownAttribute,
        Self::UnknownBlock,
        Self::WrongType,
        Self::BadForm,
        Self::RepeatAttribute,
        Self::RepeatBlock,
        Self::DropLabel,
        Self::NoneOrBoth,
        Self::CutBrace,
        Self::ExtraBrace,
        Self::BareText,
    ];

    /// The broken text; nothing when this file has no place for the mistake.
    pub(crate) fn make(self, config: &mut Config, at: Index) -> Option<String> {
        match self {
            Self::CutBrace | Self::ExtraBrace | Self::BareText => {
                return self.in_text(&config.print().text, at);
            }
            _ => {}
        }
        // The first block from the drawn one on that has a place for it.
        let count = config.root.walk().len();
        let first = at.index(count);
        (0..count)
            .any(|step| {
                let node = config.root.at((first + step) % count);
                node.is_some_and(|node| self.in_node(node, at))
            })
            .then(|| config.print().text)
    }

    fn in_text(self, text: &str, at: Index) -> Option<String> {
        let tokens = significant(text);
        let braces: Vec<_> = tokens.iter().filter(|(kind, _)| *kind == Kind::CloseBrace).collect();
        let (_, brace) = braces.get(at.index(braces.len().max(1)))?;
        Some(match self {
            Self::CutBrace => format!("{}{}", &text[..brace.start], &text[brace.end..]),
            Self::ExtraBrace => format!("{}}}{}", &text[..brace.end], &text[brace.end..]),
            _ => format!("{} loose words;{}", &text[..brace.end], &text[brace.end..]),
        })
    }

    fn in_node(self, node: &mut Node, at: Index) -> bool {
        match self {
            Self::DropAttribute => {
                let before = node.attributes.len();
                node.attributes.retain(|a| a.schema.presence != Presence::Required);
                node.attributes.len() < before
            }
            Self::DropBlock => {
                let before = node.blocks.len();
                let schema = node.schema;
                node.blocks.retain(|b| schema.child(&b.name).is_none_or(|child| child.times != Times::Once));
                node.blocks.len() < before
            }
            Self::UnknownAttribute => {
                let Some(mut attribute) = node.attributes.first().cloned() else { return false };
                attribute.name = format!("{}_zz", attribute.name);
                let known = node.schema.free_attributes.is_some();
                node.attributes.push(attribute);
                !known
            }
            Self::UnknownBlock => {
                let mut inner =
                    Node { attributes: Vec::new(), blocks: Vec::new(), label: None, ..node.clone() };
                "henhouse".clone_into(&mut inner.keyword);
                node.blocks.push(inner);
                node.schema.free_blocks.is_none()
            }
            Self::WrongType | Self::BadForm => {
                let of = if matches!(self, Self::WrongType) { wrong_kinds } else { bad_forms };
                let fits = |a: &&mut Attr| !of(a.schema.ty).is_empty();
                let Some(attribute) = node.attributes.iter_mut().find(fits) else { return false };
                let texts = of(attribute.schema.ty);
                let text = texts[at.index(texts.len())];
                attribute.written.source =
                    if matches!(self, Self::WrongType) { text.to_owned() } else { format!("\"{text}\"") };
                true
            }
            Self::RepeatAttribute => {
                let Some(attribute) = node.attributes.first().cloned() else { return false };
                node.attributes.push(attribute);
                true
            }
            Self::RepeatBlock => {
                let once = |block: &&Node| {
                    let child: Option<&Child> = node.schema.child(&block.name);
                    child.is_some_and(|c| c.times != Times::Many || matches!(c.block.label, Label::Name(_)))
                };
                let Some(block) = node.blocks.iter().find(once).cloned() else { return false };
                node.blocks.push(block);
                true
            }
            Self::DropLabel => node.label.take().is_some(),
            Self::NoneOrBoth => {
                let names = node.schema.constraints.iter().find_map(|constraint| match constraint {
                    Constraint::ExactlyOneOf(names) => Some(*names),
                    Constraint::NotAbove(..) => None,
                });
                let Some(names) = names else { return false };
                let all = at.index(2) == 1;
                node.attributes.retain(|a| !names.contains(&a.name.as_str()));
                for schema in names.iter().filter_map(|name| node.schema.attribute(name)).filter(|_| all) {
                    let written =
                        Written { source: schema.example.to_owned(), value: fly_std::Value::Int(0) };
                    node.attributes.push(Attr { schema, name: schema.name.to_owned(), written });
                }
                true
            }
            Self::CutBrace | Self::ExtraBrace | Self::BareText => false,
        }
    }
}

/// The tokens of a text that are neither space nor comment, and where they stand.
pub(crate) fn significant(text: &str) -> Vec<(Kind, Range<usize>)> {
    let mut all = every_token(text);
    all.retain(|(kind, _)| !kind.is_trivia());
    all
}

/// Every token of a text and where it stands.
pub(crate) fn every_token(text: &str) -> Vec<(Kind, Range<usize>)> {
    let parsed = parse(Arc::from(text));
    let tokens = parsed.tree().tokens();
    let ends = tokens.iter().skip(1).map(|token| token.start as usize).chain([text.len()]);
    tokens.iter().zip(ends).map(|(token, end)| (token.kind, token.start as usize..end)).collect()
}

/// A few tokens of a text taken out, repeated, exchanged or replaced.
pub(crate) fn shuffled(text: String) -> impl Strategy<Value = String> {
    vec((any::<Index>(), any::<Index>(), 0..6_u8), 1..6).prop_map(move |changes| {
        let tokens = every_token(&text);
        let mut pieces: Vec<&str> = tokens.iter().map(|(_, range)| &text[range.clone()]).collect();
        for (one, other, how) in changes {
            if pieces.is_empty() {
                break;
            }
            let (one, other) = (one.index(pieces.len()), other.index(pieces.len()));
            match how {
                0 => drop(pieces.remove(one)),
                1 => pieces.insert(one, pieces[other]),
                2 => pieces.swap(one, other),
                3 => pieces[one] = pieces[other],
                4 => pieces.insert(one, SCRAPS[other % SCRAPS.len()]),
                _ => pieces.truncate(one.max(1)),
            }
        }
        pieces.concat()
    })
}

/// Words and marks thrown together.
pub(crate) fn soup() -> impl Strategy<Value = String> {
    vec(prop::sample::select(SCRAPS), 0..40).prop_map(|parts| parts.concat())
}

/// What files are made of, and what they should not be made of.
pub(crate) const SCRAPS: &[&str] = &[
    " ",
    "\n",
    "\r\n",
    "\t",
    "\u{feff}",
    "\0",
    "egg",
    "a",
    "gitlab",
    "job",
    "locals",
    "local.a",
    "true",
    "=",
    "==",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "<",
    "<=",
    ">",
    "&&",
    "||",
    "?",
    ":",
    ".",
    ",",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "\"x\"",
    "\"${",
    "${",
    "$${",
    "}\"",
    "\\",
    "\"\\ud800\"",
    "\"\\u{d800}\"",
    "\"\\q\"",
    "\"${a}\"",
    "\"${\"${1}\"}\"",
    "<<EOT\n",
    "<<-EOT\n",
    "EOT",
    "\nEOT\n",
    "#",
    "# c\n",
    "//",
    "/* */",
    "/*",
    "*/",
    "///d\n",
    "1",
    "1.5",
    "10m",
    "4GiB",
    "80%",
    "1_",
    "9999999999999999999999",
    "é",
    "🦊",
    "'",
    ";",
    "@",
    "a = 1\n",
    "b {\n",
    "}\n",
    "x(",
    "a ? b : c",
    "\"l\"",
];

/// Values of every kind a type does not take.
pub(crate) fn wrong_kinds(ty: Type) -> &'static [&'static str] {
    match ty {
        Type::Int { .. } => &["\"two\"", "true", "1.5", "10m", "4GiB", "80%", "[1, 2]", "{ a = 1 }", "[]"],
        Type::Float => &["\"two\"", "true", "10m", "4GiB", "80%", "[1, 2]", "{ a = 1 }"],
        Type::Bool => &["\"yes\"", "1", "0", "1.5", "10m", "80%", "[true]", "{ a = true }"],
        Type::Duration { bare: true, .. } => &["true", "1.5", "4GiB", "80%", "[10m]", "{ a = 1 }"],
        Type::Duration { .. } => &["true", "10", "1.5", "4GiB", "80%", "[10m]", "{ a = 1 }", "1 + 1"],
        Type::Size { .. } => &["true", "10m", "80%", "[4GiB]", "{ a = 1 }"],
        Type::Percent => &["true", "10m", "4GiB", "[80%]", "{ a = 1 }"],
        Type::List(_) => &["\"one\"", "true", "12", "10m", "{ a = 1 }"],
        Type::Map(_) | Type::Object(_) => &["\"one\"", "true", "12", "10m", "[1]"],
        Type::Any => &[],
        Type::Keyword(_) => &["true", "12", "10m", "[\"a\"]"],
        Type::TypeName => &["12", "true", "[\"a\"]", "text"],
        Type::Profile => &["12", "true", "[\"a\"]"],
        Type::Predicate => &["12", "\"text\"", "10m", "[true]"],
        Type::String
        | Type::Cron
        | Type::Timezone
        | Type::Fqdn
        | Type::Url
        | Type::Email
        | Type::Image
        | Type::Name
        | Type::Secret
        | Type::Script
        | Type::Condition
        | Type::Enum(_)
        | Type::Entity(_)
        | Type::EnvValue => &["true", "12", "1.5", "10m", "4GiB", "80%", "[\"a\"]", "{ a = 1 }", "1 == 1"],
    }
}

/// Strings of the right kind and the wrong form.
fn bad_forms(ty: Type) -> &'static [&'static str] {
    match ty {
        Type::Cron => &["", "* * * *", "61 * * * *", "soon"],
        Type::Timezone => &["", "Mars/Base"],
        Type::Fqdn => &["", "https://a.b", "a b", "-a.com"],
        Type::Url => &["", "gitlab.com", "ftp://a.b"],
        Type::Email => &["", "nobody", "a@@b.c"],
        Type::Image => &["", "a b", "UPPER:1"],
        Type::Name => &["", "-a", "a b"],
        Type::Secret => &["", "plain", "vault://a", "lockbox://a/b", "aws-sm://"],
        Type::EnvValue => &["vault://a", "aws-sm://"],
        Type::Condition => &["", "age >", "colour == 'red'", "age > 5%"],
        Type::Enum(_) => &["", "none of these"],
        Type::Duration { .. } => &["", "10 monkeys", "-1m"],
        Type::Size { .. } => &["", "4 gigs", "4XB"],
        Type::Percent => &["", "200%", "many"],
        Type::Int { .. } | Type::Float | Type::Bool | Type::List(_) | Type::Map(_) | Type::Object(_) => {
            &["text"]
        }
        Type::Keyword(_) => &["neither"],
        Type::TypeName => &["", "set<string>"],
        Type::String | Type::Script | Type::Entity(_) | Type::Any | Type::Profile | Type::Predicate => &[],
    }
}
