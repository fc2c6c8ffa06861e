//! What begins something: keywords, attributes, labels and keys.

use fly_std::{
    Type,
    schema::{self, Attribute, Block, Child, Label, ROOTS, Times},
};
use flyc::{syntax::Kind, text::TextRange};

use super::{
    Completion, CompletionKind, Doc, Scene, examples, names,
    standing::{self, Standing},
    values,
};
use crate::ide::{
    cursor::{BlockInfo, Frame, Slot},
    inherited,
    snippet::{self, Examples, Snippet},
};

/// The attributes and blocks that may begin at the cursor.
pub(super) fn items(scene: &Scene<'_>) -> Vec<Completion> {
    let Some(info) = scene.cursor.block() else { return roots(scene) };
    let Some(schema) = info.schema else { return Vec::new() };
    let standing = scene.standing();
    let mut found = Vec::new();
    let inherited = inherited(scene);
    let attributes = schema.attributes.iter().filter(|attribute| {
        attribute.deprecated.is_none() && !info.names.iter().any(|(name, _)| *name == attribute.name)
    });
    let (needed, others): (Vec<_>, Vec<_>) = attributes
        .filter(|attribute| !is_excluded(schema, info, attribute))
        // There must be something to extend.
        .filter(|attribute| attribute.ty != Type::Profile || !names::profiles(scene).is_empty())
        .filter(|attribute| {
            !names::names_a_part(scene, attribute.name) || !names::parts(scene, attribute.name).is_empty()
        })
        .filter(|attribute| !values::is_location(Some(attribute)) || !values::locations(scene).is_empty())
        .filter(|attribute| fits(scene, standing, attribute))
        .partition(|attribute| {
            snippet::is_needed(schema, attribute) && !inherited.iter().any(|name| name == attribute.name)
        });
    let blocks = schema.blocks.iter().filter(|child| may_stand(child, info));
    let blocks = blocks.filter(|child| holds(scene, standing, child.block));
    let (must, may): (Vec<&Child>, Vec<_>) = blocks.partition(|child| matches!(child.times, Times::Once));
    found.extend(needed.into_iter().map(|attribute| attribute_item(scene, attribute)));
    found.extend(must.into_iter().map(|child| block_item(scene, child.block, child.block.name)));
    found.extend(others.into_iter().map(|attribute| attribute_item(scene, attribute)));
    found.extend(may.into_iter().map(|child| block_item(scene, child.block, child.block.name)));
    // What stands there has its name, by which others refer to it.
    let named = stands_already(scene) && !scene.cursor.word.is_empty();
    if let Some(free) = schema.free_attributes.as_ref().filter(|free| !named && fits(scene, standing, free)) {
        found.push(free_item(scene, free));
    }
    if let Some(free) = schema.free_blocks.filter(|free| holds(scene, standing, free)) {
        let there = |name: &str| info.names.iter().any(|(known, _)| *known == name);
        let mut usual: Vec<String> =
            examples::usual_names(free, there).into_iter().map(str::to_owned).collect();
        if scene.block_word() == "service_accounts" {
            usual.extend(names::wanted_accounts(scene));
        }
        found.extend(usual.iter().map(|name| block_item(scene, free, name)));
        let name = if scene.typed().is_empty() { "my_name" } else { scene.typed() };
        if !there(name) && !found.iter().any(|one| one.label == name) {
            found.push(Completion { echoes: true, ..block_item(scene, free, name) });
        }
    }
    if found.is_empty() && matches!(standing, Standing::Nothing) {
        // Everything stands: only the end is missing.
        let mut snippet = Snippet::default();
        if !scene.line_before().trim().is_empty() {
            snippet.text("\n").text(&"  ".repeat(scene.depth().saturating_sub(1)));
        }
        snippet.text("}");
        if !scene.is_closed(Kind::CloseBrace) {
            found.push(punctuation(scene, "}", snippet));
        }
    }
    found
}

/// The attributes of the block at the top of the file that its profile gives.
fn inherited(scene: &Scene<'_>) -> Vec<String> {
    let extended =
        scene.root().filter(|_| scene.depth() == 1).and_then(|root| examples::given(root, "extends"));
    let profile = extended.and_then(|text| text.strip_prefix("profile."));
    let given = profile.and_then(|profile| inherited::contents(scene.compiler, profile));
    given.unwrap_or_default().into_iter().map(|given| given.path).collect()
}

/// Whether an attribute goes with what stands after the cursor already.
fn fits(scene: &Scene<'_>, standing: Standing<'_>, attribute: &Attribute) -> bool {
    match (scene.cursor.slot, standing) {
        (Slot::Item | Slot::Key { .. }, Standing::Value(value)) => standing::may_be(value, &attribute.ty),
        (Slot::Item, Standing::Block { .. }) => false,
        _ => true,
    }
}

/// Whether a block goes with what stands after the cursor already.
fn holds(scene: &Scene<'_>, standing: Standing<'_>, block: &Block) -> bool {
    match (scene.cursor.slot, standing) {
        (Slot::Item, Standing::Value(_)) => false,
        (Slot::Item, Standing::Block { labelled, from }) => scene.may_hold(block, labelled, from),
        _ => true,
    }
}

/// Whether another of those of which only one may be there stands already.
fn is_excluded(schema: &Block, info: &BlockInfo<'_>, attribute: &Attribute) -> bool {
    schema.constraints.iter().any(|constraint| match constraint {
        schema::Constraint::ExactlyOneOf(names) => {
            names.contains(&attribute.name) && info.names.iter().any(|(name, _)| names.contains(name))
        }
        schema::Constraint::NotAbove(..) => false,
    })
}

fn may_stand(child: &Child, info: &BlockInfo<'_>) -> bool {
    let is_there =
        || info.names.iter().any(|(name, _)| *name == child.block.name || child.aliases.contains(name));
    match child.times {
        Times::Never(_) => false,
        Times::Many => true,
        Times::Once | Times::AtMostOnce => !is_there(),
    }
}

/// The blocks that may stand at the top of the file.
fn roots(scene: &Scene<'_>) -> Vec<Completion> {
    let place = scene.place();
    let standing = scene.standing();
    let there = |name: &str| {
        scene
            .parse
            .blocks()
            .any(|block| block.is(name) && block.node().range().end() <= scene.cursor.word.start())
    };
    ROOTS
        .iter()
        .filter(|root| place.is_none_or(|place| root.places.contains(&place)))
        .filter(|root| root.times == Times::Many || !there(root.block.name))
        .filter(|root| holds(scene, standing, root.block))
        .map(|root| block_item(scene, root.block, root.block.name))
        .collect()
}

/// What leads to an item: a line of its own.
fn lead(scene: &Scene<'_>) -> Snippet {
    let mut snippet = Snippet::default();
    if !scene.line_before().trim().is_empty() {
        snippet.text("\n").text(&"  ".repeat(scene.depth()));
    }
    snippet
}

/// What follows an item when another begins on its line.
fn trail(scene: &Scene<'_>, snippet: &mut Snippet) {
    if scene.next_token().is_some_and(|(kind, _)| kind != Kind::CloseBrace) {
        snippet.text("\n").text(&"  ".repeat(scene.depth()));
    }
}

fn range(scene: &Scene<'_>) -> TextRange {
    scene.cursor.word
}

/// Whether only the word is being changed, because what follows it stands already.
fn stands_already(scene: &Scene<'_>) -> bool {
    matches!(scene.cursor.slot, Slot::Item | Slot::Key { .. })
        && !matches!(scene.standing(), Standing::Nothing)
}

/// What the editor compares with what was typed: after a value nothing was.
fn filter(scene: &Scene<'_>) -> Option<String> {
    matches!(scene.cursor.slot, Slot::AfterValue).then(String::new)
}

fn attribute_item(scene: &Scene<'_>, attribute: &'static Attribute) -> Completion {
    let mut snippet = lead(scene);
    if stands_already(scene) {
        snippet.text(attribute.name);
    } else {
        let example = scene.schema().map(|schema| scene.value(schema, scene.block_word(), attribute));
        snippet.attribute(attribute, example.as_deref().unwrap_or(attribute.example));
        trail(scene, &mut snippet);
    }
    Completion {
        label: attribute.name.to_owned(),
        kind: CompletionKind::Attribute,
        detail: attribute.ty.keyword(),
        doc: Doc::Attribute(attribute, scene.schema().map_or(&[], |schema| schema.constraints)),
        range: range(scene),
        snippet: snippet.finish(),
        filter: filter(scene),
        echoes: false,
    }
}

fn block_item(scene: &Scene<'_>, block: &'static Block, name: &str) -> Completion {
    let mut snippet = lead(scene);
    snippet.text(name);
    if !stands_already(scene) {
        snippet.text(" ").block((block, name), scene.depth(), true, scene);
        trail(scene, &mut snippet);
    }
    Completion {
        label: name.to_owned(),
        kind: CompletionKind::Block,
        detail: "block".to_owned(),
        doc: Doc::Block(block),
        range: range(scene),
        snippet: snippet.finish(),
        filter: filter(scene),
        echoes: false,
    }
}

/// An attribute with a name of the user's own: the word as it was typed.
fn free_item(scene: &Scene<'_>, free: &'static Attribute) -> Completion {
    let typed = scene.typed();
    let mut snippet = lead(scene);
    if typed.is_empty() {
        snippet.place("NAME");
    } else {
        snippet.text(typed);
    }
    if !stands_already(scene) {
        let ty = examples::given_type(scene, typed).unwrap_or(free.ty);
        let example = examples::of_free(scene, typed, free);
        snippet.text(" = ").value(&ty, &example);
        trail(scene, &mut snippet);
    }
    Completion {
        label: if typed.is_empty() { "NAME".to_owned() } else { typed.to_owned() },
        kind: CompletionKind::Attribute,
        detail: free.ty.keyword(),
        doc: Doc::Attribute(free, &[]),
        range: range(scene),
        snippet: snippet.finish(),
        filter: filter(scene),
        echoes: true,
    }
}

/// Something that is missing at the cursor, whatever has been typed.
pub(super) fn punctuation(scene: &Scene<'_>, label: &str, snippet: Snippet) -> Completion {
    Completion {
        range: TextRange::empty(scene.offset),
        filter: Some(String::new()),
        ..super::item(scene, label, CompletionKind::Punctuation, snippet)
    }
}

/// What follows the first word of an item.
pub(super) fn after_word(scene: &Scene<'_>, word: &str, labelled: bool) -> Vec<Completion> {
    let space = if scene.parse.text()[..scene.offset.into()].ends_with([' ', '\t']) { "" } else { " " };
    let mut found = Vec::new();
    let next = scene.next_token().map(|(kind, _)| kind);
    if next.is_some_and(|kind| matches!(kind, Kind::Equals | Kind::OpenBrace)) {
        // What follows stands already; only a label may be between.
        return found;
    }
    let (attribute, block) = meanings(scene, word);
    if let Some(attribute) = attribute.filter(|_| !labelled) {
        let mut snippet = Snippet::default();
        snippet.text(space).text("= ");
        if next.is_none_or(|kind| kind == Kind::CloseBrace) {
            let schema =
                scene.schema().filter(|_| matches!(scene.cursor.frames.last(), Some(Frame::Block(_))));
            let example = match schema {
                Some(schema) if schema.attribute(word).is_none() => examples::of_free(scene, word, attribute),
                Some(schema) => scene.value(schema, scene.block_word(), attribute),
                None => attribute.example.to_owned(),
            };
            let ty = examples::given_type(scene, word).unwrap_or(attribute.ty);
            snippet.value(&ty, &example);
        }
        found.push(punctuation(scene, "=", snippet));
    }
    if let Some(block) = block.filter(|_| next.is_none()) {
        let mut snippet = Snippet::default();
        snippet.text(space);
        if scene.lacks_open() {
            // Only the brace is gone: what is in the block stands below.
            snippet.text("{");
        } else {
            snippet.block((block, word), scene.depth(), !labelled, scene);
        }
        let label = if labelled || block.label == Label::None { "{ … }" } else { "\"…\" { … }" };
        found.push(punctuation(scene, label, snippet));
    }
    found
}

/// What a word can be in the block around the cursor.
fn meanings(scene: &Scene<'_>, word: &str) -> (Option<&'static Attribute>, Option<&'static Block>) {
    match scene.cursor.frames.last() {
        Some(Frame::Block(_)) => {
            let Some(schema) = scene.schema() else { return (None, None) };
            let attribute = schema.attribute(word).or(schema.free_attributes.as_ref());
            let block = schema.child(word).map(|child| child.block).or(schema.free_blocks);
            (attribute, block)
        }
        Some(Frame::Map { ty: Some(Type::Object(fields)), .. }) => {
            (fields.iter().find(|field| field.name == word), None)
        }
        Some(_) => (None, None),
        None => (None, schema::root(word).map(|root| root.block)),
    }
}

/// The label of a block that is being written: the names of its kind's folder.
pub(super) fn label(scene: &Scene<'_>, word: &str, content: TextRange) -> Vec<Completion> {
    let Some(name) = names::of_file(scene, word) else { return Vec::new() };
    let mut snippet = Snippet::default();
    snippet.text(name);
    let found = super::item(scene, name, CompletionKind::Entity, snippet);
    vec![Completion { detail: "as the file is called".to_owned(), range: content, ..found }]
}

/// The keys of a map that are not written yet.
pub(super) fn keys(scene: &Scene<'_>, ty: Option<Type>) -> Vec<Completion> {
    let Some(Type::Object(fields)) = ty else { return Vec::new() };
    let written = scene.keys();
    let standing = scene.standing();
    let missing = fields.iter().filter(|field| !written.contains(&field.name));
    let missing = missing.filter(|field| fits(scene, standing, field));
    missing
        .map(|field| {
            let mut snippet = Snippet::default();
            let before = scene.line_before();
            if before.ends_with(['{', ',']) {
                snippet.text(" ");
            }
            if stands_already(scene) {
                snippet.text(field.name);
            } else {
                snippet.attribute(field, field.example);
                if scene.next_token().is_some_and(|(kind, _)| !matches!(kind, Kind::CloseBrace | Kind::Comma))
                {
                    snippet.text(", ");
                }
            }
            Completion {
                label: field.name.to_owned(),
                kind: CompletionKind::Attribute,
                detail: field.ty.keyword(),
                doc: Doc::Attribute(field, &[]),
                range: range(scene),
                snippet: snippet.finish(),
                filter: None,
                echoes: false,
            }
        })
        .collect()
}
