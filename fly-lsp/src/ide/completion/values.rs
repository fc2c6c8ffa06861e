//! Values: what may stand on the right of `=`, in lists, as arguments, within strings and after a dot.

use fly_std::{
    TYPE_NAMES, Type,
    clouds::Cloud,
    formats::secret_uri::SecretBackend,
    functions::FUNCTIONS,
    policy::FIELDS,
    schema::{Attribute, Presence},
};
use flyc::{
    model::{EntityKind, definitions::NEST_FILE, index, variables},
    syntax::Block,
    text::{TextRange, TextSize},
};

use super::{Completion, CompletionKind, Doc, Scene};
use crate::ide::snippet::Snippet;

/// Writes the value that an attribute most likely gets.
pub(super) fn first(scene: &Scene<'_>, snippet: &mut Snippet, attribute: &Attribute) {
    match attribute.ty {
        Type::Entity(_) | Type::List(Type::Entity(_)) | Type::Profile => {
            let named = entities(scene, &attribute.ty);
            let name = named.first().map_or("my-name", String::as_str);
            match attribute.ty {
                Type::Entity(_) => snippet.text("\"").place(name).text("\""),
                Type::Profile => snippet.text("profile.").place(name),
                _ => snippet.text("[\"").place(name).text("\"]"),
            };
        }
        _ => {
            snippet.value(&attribute.ty, super::snippet::example(attribute));
        }
    }
}

/// The names of the Nest that a type takes, in order.
fn entities(scene: &Scene<'_>, ty: &Type) -> Vec<String> {
    let db = scene.compiler.database();
    let mut names: Vec<String> = match ty {
        Type::Entity(_) | Type::List(Type::Entity(_)) => {
            index(db, scene.compiler.nest()).names(EntityKind::Egg).map(str::to_owned).collect()
        }
        Type::Profile => labels(scene, "profile"),
        _ => Vec::new(),
    };
    names.sort_unstable();
    names
}

/// The labels of the blocks of `nest.fly` with this keyword.
fn labels(scene: &Scene<'_>, keyword: &str) -> Vec<String> {
    let blocks = scene.compiler.parse(NEST_FILE).into_iter().flat_map(|parse| parse.blocks());
    let label = |block: Block<'_>| block.labels().next().map(|label| label.name.to_owned());
    blocks.filter(|block| block.is(keyword)).filter_map(label).collect()
}

/// The locals of a file.
fn locals(scene: &Scene<'_>, path: &str) -> Vec<String> {
    let blocks = scene.compiler.parse(path).into_iter().flat_map(|parse| parse.blocks());
    let attributes = blocks.filter(|block| block.is("locals")).flat_map(Block::attributes);
    attributes.filter_map(|attribute| Some(attribute.name()?.text().to_owned())).collect()
}

fn item(scene: &Scene<'_>, label: &str, kind: CompletionKind, snippet: Snippet) -> Completion {
    Completion {
        label: label.to_owned(),
        kind,
        detail: String::new(),
        doc: Doc::None,
        range: scene.cursor.word,
        snippet: snippet.finish(),
        filter: None,
        echoes: false,
    }
}

/// What leads to a value that follows `=` or `,` at once.
fn lead(scene: &Scene<'_>) -> Snippet {
    let mut snippet = Snippet::default();
    if scene.line_before().ends_with(['=', ',']) {
        snippet.text(" ");
    }
    snippet
}

/// The values of a type.
pub(super) fn values(
    scene: &Scene<'_>,
    ty: Option<Type>,
    attribute: Option<&'static Attribute>,
) -> Vec<Completion> {
    let mut found = Vec::new();
    if let Some(ty) = ty {
        found.extend(of_type(scene, &ty, attribute));
    }
    let takes_references = !matches!(
        ty,
        Some(Type::Profile | Type::TypeName | Type::Keyword(_) | Type::Condition | Type::Script)
    );
    if takes_references {
        found.extend(references(scene));
        found.extend(FUNCTIONS.iter().map(|function| {
            let mut snippet = lead(scene);
            snippet.text(function.name).text("(");
            for (at, param) in function.params.iter().enumerate() {
                snippet.text(if at == 0 { "" } else { ", " }).place(param.name);
            }
            snippet.text(")");
            Completion {
                detail: function.signature(),
                doc: Doc::Function(function),
                ..item(scene, function.name, CompletionKind::Function, snippet)
            }
        }));
    }
    found
}

fn of_type(scene: &Scene<'_>, ty: &Type, attribute: Option<&'static Attribute>) -> Vec<Completion> {
    let variant = |name: &str, doc: &'static str, quote: &str| {
        let mut snippet = lead(scene);
        snippet.text(quote).text(name).text(quote);
        let label = format!("{quote}{name}{quote}");
        Completion { doc: Doc::Text(doc), ..item(scene, &label, CompletionKind::Variant, snippet) }
    };
    let mut found: Vec<Completion> = match ty {
        Type::Enum(variants) => variants.iter().map(|one| variant(one.name, one.doc, "\"")).collect(),
        Type::Keyword(variants) => variants.iter().map(|one| variant(one.name, one.doc, "")).collect(),
        Type::Bool | Type::Predicate => vec![variant("true", "", ""), variant("false", "", "")],
        Type::TypeName => TYPE_NAMES.iter().map(|(name, _)| variant(name, "", "")).collect(),
        Type::Entity(_) => entities(scene, ty)
            .iter()
            .map(|name| Completion { kind: CompletionKind::Entity, ..variant(name, "", "\"") })
            .collect(),
        Type::Profile => entities(scene, ty)
            .iter()
            .map(|name| {
                let mut snippet = lead(scene);
                snippet.text("profile.").text(name);
                item(scene, &format!("profile.{name}"), CompletionKind::Reference, snippet)
            })
            .collect(),
        Type::Secret => SecretBackend::ALL
            .into_iter()
            .map(|backend| {
                let mut snippet = lead(scene);
                let scheme = backend.scheme();
                snippet.text("\"").text(scheme).text("://").place("path").text("/").place("key").text("\"");
                item(scene, &format!("\"{scheme}://…\""), CompletionKind::Value, snippet)
            })
            .collect(),
        Type::Name if is_location(attribute) => {
            locations(scene).iter().map(|name| variant(name, "", "\"")).collect()
        }
        Type::Duration { .. } | Type::Size { .. } | Type::Percent => units(scene, ty),
        _ => Vec::new(),
    };
    let typed = scene.typed();
    if let Some(attribute) = attribute.filter(|attribute| attribute.ty == *ty && typed.is_empty())
        && !matches!(
            ty,
            Type::Enum(_) | Type::Keyword(_) | Type::Bool | Type::Entity(_) | Type::Profile | Type::TypeName
        )
    {
        let mut snippet = lead(scene);
        first(scene, &mut snippet, attribute);
        let example = super::snippet::example(attribute);
        let detail =
            if matches!(attribute.presence, Presence::Default(_)) { "the default" } else { "an example" };
        found.insert(
            0,
            Completion { detail: detail.to_owned(), ..item(scene, example, CompletionKind::Value, snippet) },
        );
    }
    found
}

/// Whether an attribute names a place of a cloud.
fn is_location(attribute: Option<&Attribute>) -> bool {
    attribute.is_some_and(|attribute| matches!(attribute.name, "region" | "zone"))
}

/// The regions and zones of the clouds; of one when the block says which.
fn locations(scene: &Scene<'_>) -> Vec<String> {
    let text = scene.parse.text();
    let line = |block: &str| text.contains(&format!("provider = \"{block}\""));
    let named: Vec<Cloud> = Cloud::ALL.into_iter().filter(|cloud| line(cloud.name())).collect();
    let clouds = if named.is_empty() { Cloud::ALL.to_vec() } else { named };
    clouds
        .into_iter()
        .flat_map(|cloud| cloud.regions().map(str::to_owned).chain(cloud.zones()).collect::<Vec<_>>())
        .collect()
}

/// A number that is being typed, with each unit it can have.
fn units(scene: &Scene<'_>, ty: &Type) -> Vec<Completion> {
    let digits = scene.typed().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let units: &[&str] = match ty {
        Type::Duration { .. } => &["s", "m", "h", "d"],
        Type::Size { .. } => &["MiB", "GiB", "TiB"],
        _ => &["%"],
    };
    let (min, max) = match ty {
        Type::Duration { min, max, .. } | Type::Size { min, max, .. } => (*min, *max),
        _ => (0, 100),
    };
    let factor = |unit: &str| match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => 1_u64,
    };
    let amount: u64 = digits.parse().unwrap_or(u64::MAX);
    let fits = |unit: &&&str| (min..=max).contains(&amount.saturating_mul(factor(unit)));
    let item = |unit: &&str| {
        let text = format!("{digits}{unit}");
        let mut snippet = Snippet::default();
        snippet.text(&text);
        Completion { echoes: true, ..item(scene, &text, CompletionKind::Value, snippet) }
    };
    units.iter().filter(fits).map(item).collect()
}

/// What can be referred to from anywhere.
fn references(scene: &Scene<'_>) -> Vec<Completion> {
    let mut names: Vec<(String, String)> = Vec::new();
    let mut all = locals(scene, scene.path);
    if scene.path != NEST_FILE {
        all.extend(locals(scene, NEST_FILE));
    }
    names.extend(all.into_iter().map(|name| (format!("local.{name}"), "local".to_owned())));
    let variables = variables(scene.compiler.database(), scene.compiler.nest());
    names.extend(variables.iter().map(|(name, variable)| (format!("var.{name}"), variable.ty.keyword())));
    let item = |(name, detail): (String, String)| {
        let mut snippet = lead(scene);
        snippet.text(&name);
        Completion { detail, ..item(scene, &name, CompletionKind::Reference, snippet) }
    };
    names.into_iter().map(item).collect()
}

/// What follows `base.`
pub(super) fn members(scene: &Scene<'_>, base: &str) -> Vec<Completion> {
    let names: Vec<String> = match base {
        "local" => {
            let mut names = locals(scene, scene.path);
            names.extend(locals(scene, NEST_FILE));
            names.dedup();
            names
        }
        "var" => variables(scene.compiler.database(), scene.compiler.nest())
            .keys()
            .map(ToString::to_string)
            .collect(),
        "profile" => labels(scene, "profile"),
        "egg" | "bucket" => {
            let db = scene.compiler.database();
            let index = index(db, scene.compiler.nest());
            let mut names: Vec<String> = index
                .names(EntityKind::Egg)
                .filter(|name| index.is_bucket(db, name) == (base == "bucket"))
                .map(str::to_owned)
                .collect();
            names.sort_unstable();
            names
        }
        "self" => scene.cursor.block().map_or_else(Vec::new, |info| {
            let attributes = info.names.iter().filter(|(_, is_block)| !is_block);
            attributes.map(|(name, _)| (*name).to_owned()).collect()
        }),
        _ => Vec::new(),
    };
    let item = |name: String| {
        let mut snippet = Snippet::default();
        snippet.text(&name);
        item(scene, &name, CompletionKind::Reference, snippet)
    };
    names.into_iter().map(item).collect()
}

/// What may stand within a string.
pub(super) fn in_text(
    scene: &Scene<'_>,
    ty: Option<Type>,
    attribute: Option<&'static Attribute>,
    content: TextRange,
) -> Vec<Completion> {
    let before = &scene.parse.text()[TextRange::new(content.start().min(scene.offset), scene.offset)];
    if let Some(open) = before.rfind("${").filter(|open| !before[*open..].contains('}'))
        && !matches!(ty, Some(Type::Script))
    {
        let start = word_start(scene, content.start() + TextSize::of(&before[..open]));
        let range = TextRange::new(start, scene.offset);
        return references(scene).into_iter().map(|found| Completion { range, ..found }).collect();
    }
    let whole = |label: &str, kind: CompletionKind, doc: &'static str| {
        let mut snippet = Snippet::default();
        snippet.text(label);
        Completion { doc: Doc::Text(doc), range: content, ..item(scene, label, kind, snippet) }
    };
    match ty {
        Some(Type::Enum(variants)) => {
            variants.iter().map(|one| whole(one.name, CompletionKind::Variant, one.doc)).collect()
        }
        Some(ty @ Type::Entity(_)) => {
            entities(scene, &ty).iter().map(|name| whole(name, CompletionKind::Entity, "")).collect()
        }
        Some(Type::Secret) => SecretBackend::ALL
            .into_iter()
            .map(|backend| whole(&format!("{}://", backend.scheme()), CompletionKind::Value, ""))
            .collect(),
        Some(Type::Name) if is_location(attribute) => {
            locations(scene).iter().map(|name| whole(name, CompletionKind::Variant, "")).collect()
        }
        Some(Type::Condition) => condition(scene, content),
        _ => Vec::new(),
    }
}

/// The beginning of the word at the cursor, not before `floor`.
fn word_start(scene: &Scene<'_>, floor: TextSize) -> TextSize {
    let text = &scene.parse.text()[TextRange::new(floor, scene.offset)];
    let word = text.chars().rev().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')).count();
    scene.offset - TextSize::try_from(word).unwrap_or_default()
}

/// The fields of conditions, and the words between comparisons.
fn condition(scene: &Scene<'_>, content: TextRange) -> Vec<Completion> {
    let range = TextRange::new(word_start(scene, content.start()), scene.offset);
    let field = |field: &'static fly_std::policy::Field| {
        let mut snippet = Snippet::default();
        snippet.text(field.name);
        Completion {
            detail: field.ty.keyword(),
            doc: Doc::Field(field),
            range,
            ..item(scene, field.name, CompletionKind::Field, snippet)
        }
    };
    FIELDS.iter().map(field).collect()
}
