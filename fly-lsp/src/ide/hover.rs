//! Hover: what the thing under the cursor is, its type, its default, and what it is worth here.

use std::fmt::Write as _;

use fly_std::{
    Type, functions, policy,
    schema::{self, Block as Schema},
};
use flyc::{
    compiler::Compiler,
    model::{StepKind, TypedAttribute, TypedBlock, show_named, variables},
    syntax::{Kind, Parse, TokenRef, doc_comment},
    text::{TextRange, TextSize},
};

use super::{
    cursor::{Cursor, Frame, Slot},
    facts,
    locate::{self, Occurrence, Space},
    names,
};

/// What is said of the thing at an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub range: TextRange,
    /// In Markdown.
    pub text: String,
}

/// What stands at an offset.
pub fn hover(compiler: &Compiler, path: &str, offset: TextSize) -> Option<Hover> {
    let parse = compiler.parse(path)?;
    let offset = offset.min(TextSize::of(&**parse.text()));
    if let Some(found) = locate::at(parse, offset).filter(|found| !found.is_definition) {
        let text = named(compiler, path, &found)?;
        return Some(Hover { range: found.range, text });
    }
    let token = token_at(parse, offset)?;
    let range = token.range();
    let cursor = Cursor::at(parse, offset);
    let text = match cursor.slot {
        Slot::Item => of_item(compiler, path, &cursor, token)?,
        Slot::Key { ty: Some(Type::Object(fields)) } => {
            facts::attribute(fields.iter().find(|field| field.name == token.text())?)
        }
        Slot::Value { ty, .. } if token.kind() == Kind::Ident => match ty {
            Some(Type::Keyword(variants)) if variants.iter().any(|one| one.name == token.text()) => {
                let variant = variants.iter().find(|one| one.name == token.text())?;
                format!("`{}`: {}", variant.name, variant.doc)
            }
            _ => facts::function(functions::find(token.text())?),
        },
        Slot::Text { ty, content, .. } => return in_text(parse, ty?, content, offset),
        _ => return None,
    };
    Some(Hover { range, text })
}

/// The token that the cursor is in or at the end of, unless it means nothing.
fn token_at(parse: &Parse, offset: TextSize) -> Option<TokenRef<'_>> {
    let at = |token: &TokenRef<'_>| token.range().contains_inclusive(offset);
    let mut found = parse.root().descendants().flat_map(|node| node.tokens()).filter(at).collect::<Vec<_>>();
    // Of two that touch, the word.
    found.sort_by_key(|token| (token.kind() != Kind::Ident, token.range().start()));
    found.into_iter().next()
}

/// A keyword or an attribute's name.
fn of_item(compiler: &Compiler, path: &str, cursor: &Cursor<'_>, token: TokenRef<'_>) -> Option<String> {
    let word = token.text();
    let Some(Frame::Block(_)) = cursor.frames.last() else {
        return Some(facts::block(schema::root(word)?.block));
    };
    let schema = cursor.block()?.schema?;
    if let Some(child) = schema.child(word) {
        return Some(facts::block(child.block));
    }
    if let Some(attribute) = schema.attribute(word) {
        let mut text = facts::attribute(attribute);
        if let Some(here) = typed_at(compiler, path, token.range())
            && let Some(value) = worth(here)
        {
            let _ = write!(text, "\n\nHere: {value}");
        }
        return Some(text);
    }
    schema
        .free_attributes
        .as_ref()
        .map(facts::attribute)
        .or_else(|| schema.free_blocks.map(|block: &'static Schema| facts::block(block)))
}

/// The typed attribute whose name stands here.
fn typed_at<'c>(compiler: &'c Compiler, path: &str, name: TextRange) -> Option<&'c TypedAttribute> {
    let blocks = &compiler.typed(path)?.blocks;
    let every = blocks.iter().flat_map(TypedBlock::walk);
    every.flat_map(|block| &block.attributes).find(|attribute| attribute.name_range == name)
}

/// What an attribute comes to, when that isn't what is written; a secret never.
fn worth(attribute: &TypedAttribute) -> Option<String> {
    let flow = attribute.flow.as_deref()?;
    if flow.sensitive.is_some() {
        return Some("a sensitive value".to_owned());
    }
    let value = show_named(&attribute.name, attribute.value.as_ref()?);
    let way: Vec<_> = flow
        .steps
        .iter()
        .map(|step| match step.kind {
            StepKind::NestLocal => format!("`{}` of `nest.fly`", step.written()),
            StepKind::Local | StepKind::Variable | StepKind::Own => format!("`{}`", step.written()),
        })
        .collect();
    let from = if way.is_empty() { String::new() } else { format!(", from {}", way.join(", ")) };
    Some(format!("`{value}`{from}"))
}

/// A named thing where it is used: what it is, and what its author wrote above it.
fn named(compiler: &Compiler, path: &str, found: &Occurrence) -> Option<String> {
    let name = &found.named.name;
    let definition = names::definition(compiler, path, found.range.start()).into_iter().next()?;
    let mut text = match found.named.space {
        Space::Variable => {
            let variable = variables(compiler.database(), compiler.nest()).get(name.as_str())?;
            let mut text = format!("```fly\nvar.{name}: {}\n```", variable.ty.keyword());
            if variable.sensitive {
                text.push_str("\n\nIts value is sensitive and shown nowhere.");
            } else if let Some(value) = &variable.value {
                let _ = write!(text, "\n\nValue: `{}`", show_named(name, value));
            }
            text
        }
        Space::Local => {
            let value = compiler
                .typed(&definition.file)
                .into_iter()
                .flat_map(|typed| &typed.blocks)
                .filter(|block| block.name == "locals")
                .find_map(|block| block.attribute(name));
            let sensitive =
                value.and_then(|value| value.flow.as_deref()).is_some_and(|flow| flow.sensitive.is_some());
            let shown = value.and_then(|value| value.value.as_ref()).filter(|_| !sensitive);
            shown.map_or_else(
                || format!("```fly\nlocal.{name}\n```"),
                |value| format!("```fly\nlocal.{name} = {}\n```", show_named(name, value)),
            )
        }
        Space::Egg
        | Space::Job
        | Space::Rift
        | Space::Profile
        | Space::Account
        | Space::Queue
        | Space::Service => {
            let noun = found.named.space.noun();
            format!("`{name}`: {noun}")
        }
    };
    let _ = write!(text, "\n\nDefined in `{}`.", definition.file);
    if let Some(doc) = written_above(compiler, &definition.file, definition.range) {
        text.push_str("\n\n---\n\n");
        text.push_str(&doc);
    }
    Some(text)
}

/// The `///` comment above the block or attribute that holds a range.
fn written_above(compiler: &Compiler, path: &str, range: TextRange) -> Option<String> {
    let parse = compiler.parse(path)?;
    let around = parse.root().descendants().filter(|node| node.range().contains_range(range));
    around.filter_map(doc_comment).last()
}

/// What stands within a string: a field of a condition, or one of a closed set.
fn in_text(parse: &Parse, ty: Type, content: TextRange, offset: TextSize) -> Option<Hover> {
    match ty {
        Type::Condition => {
            let text = &parse.text()[content];
            let at = usize::from(offset - content.start());
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let start = text[..at].rfind(|c| !is_word(c)).map_or(0, |before| before + 1);
            let end = text[at..].find(|c| !is_word(c)).map_or(text.len(), |after| at + after);
            let field = policy::find(text.get(start..end)?)?;
            let range = TextRange::at(
                content.start() + TextSize::of(&text[..start]),
                TextSize::of(&text[start..end]),
            );
            Some(Hover { range, text: facts::field(field) })
        }
        Type::Enum(variants) => {
            let variant = variants.iter().find(|one| one.name == &parse.text()[content])?;
            Some(Hover { range: content, text: format!("`\"{}\"`: {}", variant.name, variant.doc) })
        }
        _ => None,
    }
}
