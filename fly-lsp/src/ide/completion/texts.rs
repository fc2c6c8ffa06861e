//! What may stand within a string or heredoc, whose quotes stay.
//!
//! What never lives here: values as a whole (see `values`), and what may stand in a condition (see `conditions`).

use fly_std::{
    Type,
    formats::{secret_uri::SecretBackend, timezone},
    schema::Attribute,
};
use flyc::text::{TextRange, TextSize};

use super::{
    Completion, CompletionKind, Doc, Scene, conditions, item, names,
    values::{element_names, endpoints, is_location, locations, references},
};
use crate::ide::{
    cursor::Frame,
    snippet::{Examples as _, Snippet},
};

/// What may stand within a string.
pub(super) fn in_text(
    scene: &Scene<'_>,
    ty: Option<Type>,
    attribute: Option<&'static Attribute>,
    content: TextRange,
) -> Vec<Completion> {
    let before = &scene.parse.text()[TextRange::new(content.start().min(scene.offset), scene.offset)];
    if let Some(open) = before.rfind("${").filter(|open| !before[*open..].contains('}'))
        && !matches!(ty, Some(Type::Script | Type::Condition))
    {
        let start = word_start(scene, content.start() + TextSize::of(&before[..open]));
        let range = TextRange::new(start, word_end(scene, content.end()));
        let inside = &scene.parse.text()[TextRange::new(start, scene.offset)];
        let path: Vec<&str> = inside.split('.').collect();
        if let Some(members) = path.split_last().and_then(|(_, path)| names::subject_members(scene, path)) {
            let last = inside.rfind('.').map_or(0, |dot| dot + 1);
            let start = start + TextSize::try_from(last).unwrap_or_default();
            let named = members.into_iter().filter(|(_, ty)| ty.is_some()).map(|(name, _)| {
                let mut snippet = Snippet::default();
                snippet.text(&name);
                let range = TextRange::new(start, range.end());
                Completion { range, ..item(scene, &name, CompletionKind::Reference, snippet) }
            });
            return named.collect();
        }
        let all = references(scene, Some(Type::String), None);
        return all.into_iter().map(|found| Completion { range, ..found }).collect();
    }
    let whole = |label: &str, kind: CompletionKind, doc: &'static str| {
        let mut snippet = Snippet::default();
        snippet.text(label);
        Completion { doc: Doc::Text(doc), range: content, ..item(scene, label, kind, snippet) }
    };
    let entity = |name: &String| whole(name, CompletionKind::Entity, "");
    let examples = |texts: &[&str]| texts.iter().map(|text| whole(text, CompletionKind::Value, "")).collect();
    if let Some(Frame::Call { name: "file", .. }) = scene.cursor.frames.last() {
        let paths = scene.compiler.reads();
        return paths
            .iter()
            .filter(|path| **path != *before)
            .map(|path| whole(path, CompletionKind::Value, ""))
            .collect();
    }
    let likely = || {
        let (schema, attribute) = (scene.schema()?, attribute?);
        schema.attribute(attribute.name)?;
        let text = scene.value(schema, scene.block_word(), attribute);
        Some(text.trim_matches('"').to_owned())
    };
    match ty {
        Some(Type::Enum(variants)) => {
            let mut all: Vec<_> =
                variants.iter().map(|one| whole(one.name, CompletionKind::Variant, one.doc)).collect();
            let first = likely();
            if let Some(at) = all.iter().position(|one| Some(&one.label) == first.as_ref()) {
                all[..=at].rotate_right(1);
            }
            all
        }
        Some(Type::Entity(_)) if names::in_list(scene) => {
            let own = scene.parse.text()[content].to_owned();
            let mut all = names::free_eggs(scene);
            all.extend(names::eggs(scene).into_iter().filter(|name| *name == own));
            all.iter().map(entity).collect()
        }
        Some(Type::Entity(_)) => names::eggs(scene).iter().map(entity).collect(),
        Some(Type::Email | Type::Fqdn | Type::Url | Type::Image) => {
            likely().iter().map(|text| whole(text, CompletionKind::Value, "")).collect()
        }
        Some(Type::Secret) => {
            let example = || attribute.map(|one| one.example.trim_matches('"').to_owned());
            let first = likely().or_else(example);
            let mut all: Vec<_> = first.iter().map(|uri| whole(uri, CompletionKind::Value, "")).collect();
            all.extend(SecretBackend::ALL.into_iter().map(|backend| {
                let mut snippet = Snippet::default();
                snippet.text(backend.scheme()).text("://").place("path").text("/").place("key");
                Completion {
                    snippet: snippet.finish(),
                    ..whole(&format!("{}://", backend.scheme()), CompletionKind::Value, backend.doc())
                }
            }));
            all
        }
        Some(Type::Name) if is_location(attribute) => {
            locations(scene).iter().map(|name| whole(name, CompletionKind::Variant, "")).collect()
        }
        Some(Type::Name) => {
            let parts = attribute.map_or_else(Vec::new, |attribute| names::parts(scene, attribute.name));
            if parts.is_empty() {
                if attribute.is_some_and(|attribute| names::names_a_part(scene, attribute.name)) {
                    return Vec::new();
                }
                return likely().iter().map(|name| whole(name, CompletionKind::Value, "")).collect();
            }
            parts.iter().map(entity).collect()
        }
        Some(Type::Cron) => examples(&["*/5 * * * *", "0 * * * *", "0 3 * * *", "0 3 * * 1", "0 3 1 * *"]),
        Some(Type::Timezone) => examples(timezone::names()),
        Some(Type::Duration { .. }) => examples(&["10m", "30m", "1h", "24h"]),
        Some(Type::String) => {
            let paths = endpoints(scene, attribute);
            let names = element_names(scene);
            let names = names.iter().map(|name| whole(name, CompletionKind::Value, ""));
            names.chain(paths.iter().map(|(path, doc)| whole(path, CompletionKind::Variant, doc))).collect()
        }
        Some(Type::Condition) => conditions::condition(scene, content),
        _ => Vec::new(),
    }
}

/// The beginning of the word at the cursor, not before `floor`.
fn word_start(scene: &Scene<'_>, floor: TextSize) -> TextSize {
    let text = &scene.parse.text()[TextRange::new(floor, scene.offset)];
    let word = text.chars().rev().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')).count();
    scene.offset - TextSize::try_from(word).unwrap_or_default()
}

/// The end of the word at the cursor, not after `ceiling`.
fn word_end(scene: &Scene<'_>, ceiling: TextSize) -> TextSize {
    let text = &scene.parse.text()[TextRange::new(scene.offset, ceiling.max(scene.offset))];
    let word = text.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')).count();
    scene.offset + TextSize::try_from(word).unwrap_or_default()
}
