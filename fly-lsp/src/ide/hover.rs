//! Hover: what the thing under the cursor is, its type, its default, and what it is worth here.

use std::fmt::Write as _;

use fly_std::{
    Type, Value, functions,
    policy::{self, FieldType},
    schema::{self, Block as Schema},
};
use flyc::{
    compiler::Compiler,
    model::{StepKind, TypedAttribute, TypedBlock, condition_texts, show_named, variables},
    syntax::{Attribute, Block, Kind, Parse, TokenRef, doc_comment, literal},
    text::{TextRange, TextSize},
};

use super::{
    cursor::{Cursor, Frame, Slot},
    facts,
    follow::{self, Meaning, Root},
    inherited::{self, Given},
    locate::{self, Occurrence, Space},
    names,
    schedule::{self, Moment},
    sizing,
};

/// What is said of the thing at an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub range: TextRange,
    /// In Markdown.
    pub text: String,
}

/// What stands at an offset; `now` is when schedules are asked for their next runs.
pub fn hover(compiler: &Compiler, path: &str, offset: TextSize, now: Moment) -> Option<Hover> {
    let parse = compiler.parse(path)?;
    let offset = offset.min(TextSize::of(&**parse.text()));
    let is_own_label = |found: &Occurrence| {
        let is_told = matches!(
            found.named.space,
            Space::Repository | Space::Condition | Space::Rule | Space::Assert | Space::Test
        );
        found.is_definition && is_told
    };
    if let Some(found) = locate::at(parse, offset).filter(|found| !is_own_label(found)) {
        let mut text = named(compiler, path, &found)?;
        if found.named.space == Space::Profile {
            text.push_str(&contents(compiler, path, &found.named.name, found.range)?);
        }
        return Some(Hover { range: found.range, text });
    }
    if let Some(found) = labelled(compiler, path, parse, offset) {
        return Some(found);
    }
    if let Some(found) = followed(compiler, path, parse, offset) {
        return Some(found);
    }
    let token = token_at(parse, offset)?;
    let range = token.range();
    let cursor = Cursor::at(parse, offset);
    let mut text = match cursor.slot {
        Slot::Item => of_item(compiler, path, &cursor, token, now)?,
        Slot::Key { ty: Some(Type::Object(fields)) } => {
            facts::attribute(fields.iter().find(|field| field.name == token.text())?, &[])
        }
        Slot::Value { ty, .. } if token.kind() == Kind::Ident => match ty {
            Some(Type::Keyword(variants)) if variants.iter().any(|one| one.name == token.text()) => {
                let variant = variants.iter().find(|one| one.name == token.text())?;
                format!("`{}`: {}", variant.name, variant.doc)
            }
            _ => facts::function(functions::describe(token.text())?),
        },
        Slot::Text { ty: Some(Type::Cron), content, .. } => {
            let at = placed(compiler, path, |attribute| attribute.range.contains_range(content))?;
            let text = schedule::runs(at.block, at.attribute?, now)?.markdown();
            return Some(Hover { range: content, text });
        }
        Slot::Text { ty, content, .. } => return in_text(parse, ty?, content, offset),
        _ => return None,
    };
    if let Some(doc) = own_doc(parse, range) {
        text.push_str(&doc);
    }
    Some(Hover { range, text })
}

/// The label of a block that has no name for others, such as a rule's.
fn labelled(compiler: &Compiler, path: &str, parse: &Parse, offset: TextSize) -> Option<Hover> {
    let mut labels = blocks(parse).into_iter().filter_map(|block| Some((block, block.labels().next()?)));
    let (block, label) = labels.find(|(_, label)| label.range.contains_inclusive(offset))?;
    let keyword = block.keyword()?;
    let at = placed_block(compiler, path, keyword.range())?;
    let mut text = format!("`{}`: `{}`\n\n{}", label.name, keyword.text(), at.block.schema.doc);
    text.extend(own_doc(parse, keyword.range()));
    Some(Hover { range: label.range, text })
}

/// A word of `egg.resources.cpu` or `self.cpu`.
fn followed(compiler: &Compiler, path: &str, parse: &Parse, offset: TextSize) -> Option<Hover> {
    let word = follow::at(parse, offset)?;
    let mut text = match word.meaning(parse)? {
        Meaning::Block(block) => facts::block(block),
        Meaning::Attribute(attribute, constraints) => facts::attribute(attribute, constraints),
        Meaning::Extra(ty, doc) => {
            format!("```fly\n{}: {ty}\n```\n\n{doc}", &parse.text()[word.range])
        }
    };
    match word.root {
        Root::Own => {
            let given = word.definition(compiler, path).into_iter().next()?;
            let at = placed(compiler, path, |attribute| attribute.name_range == given.range)?;
            if let Some(value) = at.attribute.and_then(shown) {
                let _ = write!(text, "\n\nHere: {value}");
            }
        }
        Root::Subject(subject) if word.path.is_empty() => {
            let over = schema::OVER.iter().find(|known| known.name == subject);
            let _ = over.map(|over| write!(text, "\n\nThis rule is about it: {}", over.doc));
        }
        Root::Subject(_) => {}
    }
    Some(Hover { range: word.range, text })
}

/// What its author wrote above the block or attribute whose word stands here, set off from what goes before.
fn own_doc(parse: &Parse, word: TextRange) -> Option<String> {
    let blocks = blocks(parse);
    let block = blocks.iter().find(|block| block.keyword().is_some_and(|keyword| keyword.range() == word));
    let attributes = || parse.root().descendants().filter_map(Attribute::cast);
    let named = || attributes().find(|attribute| attribute.name().is_some_and(|name| name.range() == word));
    let node = block.map(|block| block.node()).or_else(|| Some(named()?.node()))?;
    Some(format!("\n\n---\n\n{}", doc_comment(node)?))
}

/// Every block of a file.
fn blocks(parse: &Parse) -> Vec<Block<'_>> {
    let mut found: Vec<Block<'_>> = parse.blocks().collect();
    let mut at = 0;
    while let Some(block) = found.get(at).copied() {
        found.extend(block.blocks());
        at += 1;
    }
    found
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
fn of_item(
    compiler: &Compiler,
    path: &str,
    cursor: &Cursor<'_>,
    token: TokenRef<'_>,
    now: Moment,
) -> Option<String> {
    let word = token.text();
    let Some(Frame::Block(_)) = cursor.frames.last() else {
        return Some(facts::block(schema::root(word)?.block));
    };
    let schema = cursor.block()?.schema?;
    if let Some(child) = schema.child(word) {
        let mut text = facts::block(child.block);
        if let Some(at) = placed_block(compiler, path, token.range()) {
            from_profile(compiler, &at, &mut text);
            sold(&at, &mut text);
        }
        return Some(text);
    }
    if let Some(attribute) = schema.attribute(word) {
        let mut text = facts::attribute(attribute, schema.constraints);
        let at = placed(compiler, path, |attribute| attribute.name_range == token.range());
        if let Some(at) = at
            && let Some(here) = at.attribute
        {
            if let Some(value) = worth(here) {
                let _ = write!(text, "\n\nHere: {value}");
            }
            match attribute.ty {
                Type::Cron => {
                    let runs = schedule::runs(at.block, here, now);
                    text.extend(runs.map(|runs| format!("\n\n---\n\n{}", runs.markdown())));
                }
                Type::Profile => {
                    let name = here.value.as_ref().and_then(Value::as_str);
                    let given = name.and_then(|name| contents(compiler, path, name, here.range));
                    text.extend(given);
                }
                _ => {
                    from_profile(compiler, &at, &mut text);
                    sold(&at, &mut text);
                }
            }
        }
        return Some(text);
    }
    schema
        .free_attributes
        .as_ref()
        .map(|free| facts::attribute(free, &[]))
        .or_else(|| schema.free_blocks.map(|block: &'static Schema| facts::block(block)))
}

/// A place among the typed blocks of a file.
struct Placed<'c> {
    /// The block at the top of the file.
    owner: &'c TypedBlock,
    /// The block that the place is in.
    block: &'c TypedBlock,
    /// The names of the blocks on the way from the owner, with dots, and that of the attribute.
    path: String,
    /// The attribute, when the place is one.
    attribute: Option<&'c TypedAttribute>,
}

/// The attribute of a file that is wanted.
fn placed<'c>(
    compiler: &'c Compiler,
    path: &str,
    wanted: impl Fn(&TypedAttribute) -> bool,
) -> Option<Placed<'c>> {
    every_block(compiler, path).into_iter().find_map(|(owner, block, path)| {
        let attribute = block.attributes.iter().find(|attribute| wanted(attribute))?;
        Some(Placed { owner, block, path: format!("{path}{}", attribute.name), attribute: Some(attribute) })
    })
}

/// The block whose header begins with this keyword.
fn placed_block<'c>(compiler: &'c Compiler, path: &str, keyword: TextRange) -> Option<Placed<'c>> {
    let mut every = every_block(compiler, path).into_iter();
    let (owner, block, path) =
        every.find(|(_, block, _)| block.header.contains_range(keyword) && !block.header.is_empty())?;
    let path = path.trim_end_matches('.').to_owned();
    Some(Placed { owner, block, path, attribute: None })
}

/// Every block of a file with the block at the top that it is in, and the way there.
fn every_block<'c>(compiler: &'c Compiler, path: &str) -> Vec<(&'c TypedBlock, &'c TypedBlock, String)> {
    fn add<'c>(
        owner: &'c TypedBlock,
        block: &'c TypedBlock,
        way: String,
        found: &mut Vec<(&'c TypedBlock, &'c TypedBlock, String)>,
    ) {
        for inner in &block.blocks {
            add(owner, inner, format!("{way}{}.", inner.name), found);
        }
        found.push((owner, block, way));
    }
    let mut found = Vec::new();
    for owner in compiler.typed(path).into_iter().flat_map(|typed| &typed.blocks) {
        add(owner, owner, String::new(), &mut found);
    }
    found
}

/// What the profile of an egg has to do with a place in it: what it gives there, and what the egg says in its stead.
fn from_profile(compiler: &Compiler, at: &Placed<'_>, text: &mut String) {
    let Some(profile) = inherited::extended(at.owner) else { return };
    match at.attribute {
        Some(_) => {
            let contents = inherited::contents(compiler, profile).unwrap_or_default();
            if let Some(given) = contents.iter().find(|given| given.path == at.path) {
                let _ = write!(text, "\n\nIn place of `{}` from `profile.{}`.", given.value, given.profile);
            }
        }
        None => {
            let before = format!("{}.", at.path);
            let given = inherited::inherited(at.owner);
            let mut here = given.iter().filter(|given| given.path.starts_with(&before)).peekable();
            if here.peek().is_some() {
                text.push_str("\n\nFrom the profile:\n");
            }
            here.for_each(|given| line(given, "", text));
        }
    }
}

fn line(given: &Given, more: &str, text: &mut String) {
    let _ = write!(text, "\n- `{} = {}`, from `profile.{}`{more}", given.path, given.value, given.profile);
}

/// What a profile gives, as it arrives in the block that names it at a place.
fn contents(compiler: &Compiler, path: &str, name: &str, at: TextRange) -> Option<String> {
    let given = inherited::contents(compiler, name)?;
    if given.is_empty() {
        return Some("\n\nIt gives nothing.".to_owned());
    }
    let owner = compiler
        .typed(path)
        .into_iter()
        .flat_map(|typed| &typed.blocks)
        .find(|block| block.attribute("extends").is_some_and(|extends| extends.range.contains_range(at)));
    // A profile that extends another is told apart only once it is extended itself.
    let arrives = owner.filter(|owner| owner.name != "profile").map(inherited::inherited);
    let mut text = "\n\nIt gives:\n".to_owned();
    for given in given {
        let replaced = arrives.as_ref().is_some_and(|arrives| !arrives.contains(&given));
        line(&given, if replaced { ", which is replaced here" } else { "" }, &mut text);
    }
    Some(text)
}

/// What is sold for resources, for the block and the attributes that tell their size.
fn sold(at: &Placed<'_>, text: &mut String) {
    let is_size = at.block.name == "resources" && at.attribute.is_none_or(|one| one.name != "disk");
    if !is_size {
        return;
    }
    for sold in sizing::sold(at.owner) {
        let _ = write!(text, "\n\nOn {} that is {}.", sold.provider.name(), sold.words());
    }
}

/// What an attribute comes to; a secret never.
fn shown(attribute: &TypedAttribute) -> Option<String> {
    if attribute.flow.is_some() {
        return worth(attribute);
    }
    Some(format!("`{}`", show_named(&attribute.name, attribute.value.as_ref()?)))
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
        | Space::Service
        | Space::Repository
        | Space::Condition
        | Space::Rule
        | Space::Assert
        | Space::Test => {
            let space = found.named.space;
            let given = compiler.parse(&definition.file);
            let noun = given.map_or(space.noun(""), |parse| locate::noun_of(parse, space, definition.range));
            format!("`{name}`: {noun}")
        }
    };
    if !found.is_definition {
        let _ = write!(text, "\n\nDefined in `{}`.", definition.file);
    }
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

/// One of a closed set of texts that a condition compares with.
fn state(parse: &Parse, offset: TextSize) -> Option<Hover> {
    let token = token_at(parse, offset)?;
    let content = literal::content(token.kind(), token.text(), token.range().start(), false);
    let text = content.plain()?;
    let closed = policy::FIELDS.iter().filter_map(|field| match field.ty {
        FieldType::Enum(variants) => Some((field, variants)),
        _ => None,
    });
    let mut written = closed.flat_map(|(field, variants)| {
        let texts = condition_texts(&text.text, field.id).into_iter();
        texts.map(move |(name, part)| (field, variants, name, part))
    });
    written.find_map(|(field, variants, name, part)| {
        let range = text.source(part.start..part.end);
        let variant = variants.iter().find(|one| one.name == name && range.contains(offset))?;
        Some(Hover { range, text: format!("`{}` `'{}'`: {}", field.name, variant.name, variant.doc) })
    })
}

/// What stands within a string: a field of a condition, or one of a closed set.
fn in_text(parse: &Parse, ty: Type, content: TextRange, offset: TextSize) -> Option<Hover> {
    match ty {
        Type::Condition => {
            if let Some(found) = state(parse, offset) {
                return Some(found);
            }
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
