//! A local gives way to its value: in one place, or everywhere. Never here: how a value gets a name.

use std::{collections::BTreeMap, sync::Arc};

use flyc::{
    diag::{Edit, Span},
    syntax::{Attribute, Expr, Kind, NodeKind, NodeRef, Parse, lines_of, literal},
    text::{TextRange, TextSize},
};

use super::{
    ActionKind, Candidate,
    draft::{Draft, replace},
    site::Asked,
};
use crate::ide::{
    locate::{self, Space},
    names,
};

/// In how many files a name gives way at most.
const MOST_FILES: usize = 64;

pub(super) fn candidates(asked: &Asked<'_>, found: &mut Vec<Candidate>) {
    let at = asked.range.start();
    let Some(here) = locate::at(asked.parse, at).filter(|here| here.named.space == Space::Local) else {
        return;
    };
    let name = &here.named.name;
    let Some(definition) = names::definition(asked.compiler, asked.path, at).into_iter().next() else {
        return;
    };
    let Some(parse) = asked.compiler.parse(&definition.file) else { return };
    let attributes = parse.root().descendants().filter_map(Attribute::cast);
    let given =
        |attribute: &Attribute<'_>| attribute.name().is_some_and(|name| name.range() == definition.range);
    let Some(attribute) = attributes.into_iter().find(given).filter(|given| !given.is_damaged()) else {
        return;
    };
    let Some(value) = attribute.value() else { return };
    let all = names::references(asked.compiler, asked.path, at, false);
    let inline = |title: String, draft| Candidate::rewrite(ActionKind::Inline, title, draft);
    if !here.is_definition && all.len() > 1 {
        let edit = used(asked.parse, here.range, value);
        let draft = edit.and_then(|edit| Draft::of(asked.compiler, asked.path, &[edit]));
        found.extend(draft.map(|draft| inline(format!("write the value of `local.{name}` here"), draft)));
    }
    if let Some(draft) = everywhere(asked, &all, value, &definition, attribute) {
        let title = match all.len() {
            1 => format!("write the value of `local.{name}` where it is used"),
            _ => format!("write the value of `local.{name}` everywhere"),
        };
        found.push(inline(title, draft));
    }
}

/// The value instead of every use, and the local gone.
fn everywhere(
    asked: &Asked<'_>,
    all: &[Span],
    value: Expr<'_>,
    definition: &Span,
    attribute: Attribute<'_>,
) -> Option<Draft> {
    let mut by_file: BTreeMap<&Arc<str>, Vec<Edit>> = BTreeMap::new();
    for span in all {
        let edit = used(asked.compiler.parse(&span.file)?, span.range, value)?;
        by_file.entry(&span.file).or_default().push(edit);
    }
    if by_file.is_empty() || by_file.len() > MOST_FILES {
        return None;
    }
    by_file.entry(&definition.file).or_default().push(replace(lines_of(gone(attribute)), ""));
    let mut draft = Draft::default();
    for (path, edits) in by_file {
        draft = draft.with(asked.compiler, path, &edits)?;
    }
    Some(draft)
}

/// What goes with a local: its block when there is nothing else in it.
fn gone(attribute: Attribute<'_>) -> NodeRef<'_> {
    let node = attribute.node();
    let alone = node
        .parse()
        .blocks()
        .find(|block| block.items().count() == 1 && block.attributes().next() == Some(attribute));
    alone.map_or(node, |block| block.node())
}

/// The edit that puts a value in the place of `local.NAME`, whose name stands in a range.
fn used(parse: &Parse, name: TextRange, value: Expr<'_>) -> Option<Edit> {
    let text = parse.text();
    let before = text[..usize::from(name.start())].trim_end().strip_suffix('.')?.trim_end();
    let before = before.strip_suffix("local")?;
    let range = TextRange::new(TextSize::of(before), name.end());
    let simple = value.literal().and_then(|token| literal::simple_string(token.kind(), token.text()));
    // `"${local.x}-a"` becomes `"value-a"`.
    if let Some(simple) = simple
        && before.ends_with("${")
        && text[usize::from(name.end())..].starts_with('}')
        && is_in_string(parse, name)
    {
        let whole = TextRange::new(range.start() - TextSize::of("${"), range.end() + TextSize::of("}"));
        return Some(replace(whole, simple));
    }
    let is_one = matches!(
        value.node().kind(),
        NodeKind::Literal
            | NodeKind::Name
            | NodeKind::Field
            | NodeKind::Index
            | NodeKind::Call
            | NodeKind::Paren
            | NodeKind::List
            | NodeKind::Map
    );
    // Alone it is the whole value of something.
    let alone = parse.root().descendants().filter_map(Attribute::cast).filter_map(Attribute::value);
    let alone = alone.into_iter().any(|value| value.range() == range);
    let in_braces = before.ends_with("${") && text[usize::from(name.end())..].starts_with('}');
    Some(if is_one || alone || in_braces {
        replace(range, value.text())
    } else {
        replace(range, format!("({})", value.text()))
    })
}

fn is_in_string(parse: &Parse, at: TextRange) -> bool {
    let tokens = parse.tree().tokens();
    let after = tokens.partition_point(|token| TextSize::new(token.start) <= at.start());
    after.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|token| token.kind == Kind::String)
}
