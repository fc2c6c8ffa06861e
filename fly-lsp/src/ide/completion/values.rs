//! Values: what may stand on the right of `=`, in lists, as arguments, within strings and after a dot.

use fly_std::{
    TYPE_NAMES, Type, Value,
    clouds::Cloud,
    endpoints::{self, ENDPOINTS},
    formats::secret_uri::SecretBackend,
    functions::{self, Function, Kind as ValueKind, Param, Returns},
    schema::{self, Attribute, Presence},
};
use flyc::{
    syntax::Kind,
    text::{TextRange, TextSize},
};

use super::{Completion, CompletionKind, Doc, Scene, examples, item, names};
use crate::ide::{
    cursor::Frame,
    snippet::{Examples as _, Snippet},
};

/// What leads to a value that follows `=` or `,` at once.
fn lead(scene: &Scene<'_>) -> Snippet {
    let mut snippet = Snippet::default();
    if scene.line_before().ends_with(['=', ',', '<', '>', '&', '|', '?', ':', '+', '*']) {
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
    let Some(range) = replaced(scene) else { return Vec::new() };
    // With something to compare or add after it, it is a part of the value only.
    let after = scene.parse.text()[range.end().into()..].trim_start_matches([' ', '\t']);
    let is_part =
        ["==", "!=", "<", ">", "+", "*", "/", "%"].iter().any(|operator| after.starts_with(operator));
    let ty = ty.filter(|ty| !(is_part && matches!(ty, Type::Predicate | Type::Bool)));
    let attribute = attribute.filter(|_| !is_part);
    let param = parameter(scene, scene.cursor.word.start()).filter(|_| ty.is_none());
    let ty = match ty {
        Some(Type::Any) => examples::declared(scene)
            .or_else(|| scene.statement().and_then(|name| examples::given_type(scene, name)))
            .or(ty),
        // In a list of which no more is known, texts are the most likely.
        None if names::in_list(scene) => Some(Type::String),
        None => compared(scene).or_else(|| param.and_then(argument)),
        ty => ty,
    };
    let mut found = Vec::new();
    if let Some(ty) = ty {
        found.extend(of_type(scene, &ty, attribute));
    }
    if let Some(param) = param {
        let accepted = arguments_of(scene, param, ty);
        found.splice(0..0, accepted);
    }
    let takes_references = !matches!(
        ty,
        Some(Type::Profile | Type::TypeName | Type::Keyword(_) | Type::Condition | Type::Script)
    );
    if takes_references {
        let others = references(scene, ty, attribute).into_iter();
        let others = others.filter(|one| found.iter().all(|known| known.label != one.label));
        let others: Vec<_> = others.collect();
        found.extend(others);
        // What follows its dots stays with it.
        let subject = names::subject(scene).filter(|_| range == scene.cursor.word);
        found.extend(subject.map(|over| {
            let mut snippet = lead(scene);
            snippet.text(over);
            item(scene, over, CompletionKind::Reference, snippet)
        }));
        let mut functions: Vec<_> =
            functions::described().filter(|function| gives(scene, function, ty)).collect();
        functions.retain(|_| !scene.typed().starts_with(|c: char| c.is_ascii_digit()));
        functions.sort_by_key(|function| ty.is_some_and(|ty| !is_of(function, &ty)));
        found.extend(functions.into_iter().map(|function| call(scene, function)));
    }
    // The rest of a call stays: only what is called is another.
    if scene
        .next_token()
        .is_some_and(|(kind, at)| kind == Kind::OpenParen && at.start() == scene.cursor.word.end())
        && !scene.cursor.word.is_empty()
    {
        let typed = scene.typed();
        found.retain(|one| {
            one.kind == CompletionKind::Function && !typed.is_empty() && one.label.starts_with(typed)
        });
        for one in &mut found {
            let mut snippet = Snippet::default();
            snippet.text(&one.label);
            one.snippet = snippet.finish();
        }
        return found;
    }
    let is_own_name = attribute.is_some_and(|one| one.name == "name" && one.ty == Type::Name);
    if is_own_name && range != scene.cursor.word {
        // A name stands there, by which others refer to it.
        found.retain(|one| one.kind == CompletionKind::Entity);
    }
    for one in &mut found {
        one.range = range;
    }
    found
}

/// What a value at the cursor replaces: the word, or the whole value that begins there. Nothing may stand before a value
/// that is there already.
fn replaced(scene: &Scene<'_>) -> Option<TextRange> {
    let word = scene.cursor.word;
    let Some((kind, next)) = scene.next_token() else { return Some(word) };
    let touches = next.start() == word.end().max(scene.offset);
    match kind {
        Kind::String if touches && word.is_empty() => Some(next),
        Kind::Dot if touches && !word.is_empty() => {
            let rest = &scene.parse.text()[word.end().into()..];
            let length = rest.len()
                - rest
                    .trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
                    .len();
            Some(TextRange::new(word.start(), word.end() + TextSize::try_from(length).ok()?))
        }
        Kind::String
        | Kind::UnclosedString
        | Kind::Heredoc
        | Kind::UnclosedHeredoc
        | Kind::OpenBrace
        | Kind::OpenBracket
        | Kind::Ident
        | Kind::Number
        | Kind::Minus
        | Kind::Dot
        | Kind::Equals
        | Kind::Not => None,
        Kind::OpenParen if word.is_empty() => None,
        _ => Some(word),
    }
}

/// Whether a function gives what may stand here; one that is being typed is shown whatever it gives.
fn gives(scene: &Scene<'_>, function: &Function, ty: Option<Type>) -> bool {
    let typed = scene.typed();
    let Some(ty) = ty else { return true };
    if !typed.is_empty() && function.name.starts_with(typed) {
        return true;
    }
    is_of(function, &ty)
}

/// Whether a function gives what may stand where this type is wanted.
fn is_of(function: &Function, ty: &Type) -> bool {
    match function.result {
        Returns::Kind(kind) => names::takes(ty, kind),
        Returns::Strings => names::takes(ty, ValueKind::List),
        Returns::SameAsFirst | Returns::ValuesOfFirst => {
            let result = function.example.1;
            let kind = match result.chars().next() {
                Some('"') => ValueKind::String,
                Some('[') if matches!(ty, Type::List(Type::Any)) || result.starts_with("[\"") => {
                    ValueKind::List
                }
                Some(digit) if digit.is_ascii_digit() && result.bytes().all(|byte| byte.is_ascii_digit()) => {
                    ValueKind::Int
                }
                _ => return matches!(ty, Type::Any),
            };
            names::takes(ty, kind)
        }
    }
}

/// A call, with the arguments of the function's example.
fn call(scene: &Scene<'_>, function: &'static Function) -> Completion {
    let mut snippet = lead(scene);
    snippet.text(function.name).text("(");
    let example = function.example.0.strip_prefix(function.name).and_then(|rest| rest.strip_prefix('('));
    // Of the files of the Nest one that is there.
    let file = (function.name == "file").then(|| scene.compiler.reads().into_iter().next()).flatten();
    let file = file.map(|path| format!("\"{path}\""));
    let example = file.as_deref().or_else(|| example.and_then(|rest| rest.strip_suffix(')')));
    for (at, argument) in arguments(example.unwrap_or("")).iter().enumerate() {
        snippet.text(if at == 0 { "" } else { ", " }).place(argument);
    }
    snippet.text(")");
    Completion {
        detail: function.signature(),
        doc: Doc::Function(function),
        ..item(scene, function.name, CompletionKind::Function, snippet)
    }
}

/// The arguments of a call, which commas part that stand in no brackets and no text.
fn arguments(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0_u32, false, 0);
    let mut all = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' | '{' | '(' if !quoted => depth += 1,
            ']' | '}' | ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                all.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() {
        all.push(text[start..].trim());
    }
    all
}

/// The type of what the cursor's value is compared with, when that is a part of the subject of an assert.
fn compared(scene: &Scene<'_>) -> Option<Type> {
    let before = &scene.parse.text()[..scene.cursor.word.start().into()];
    let operator = before.trim_end();
    let other = operator.trim_end_matches(['=', '!', '<', '>']);
    if other.len() == operator.len() {
        return None;
    }
    let other = other.trim_end();
    let start = other.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')).len();
    let path: Vec<&str> = other[start..].split('.').collect();
    let (last, path) = path.split_last()?;
    names::subject_members(scene, path)?.into_iter().find(|(name, _)| name == last)?.1
}

/// The parameter that the argument beginning at a place is for.
fn parameter(scene: &Scene<'_>, start: TextSize) -> Option<&'static Param> {
    let (function, argument) = scene.cursor.call()?;
    // Only where the argument begins: within it, it may be anything.
    let before = scene.parse.text()[..start.into()].trim_end();
    function.param(argument).filter(|_| before.ends_with(['(', ',']))
}

/// The type of an argument, as far as its parameter tells: a list, where more than texts are counted.
fn argument(param: &Param) -> Option<Type> {
    let lists = param.accepts.len() < ValueKind::ALL.len() && param.takes(ValueKind::List);
    let kind = if lists { ValueKind::List } else { *param.accepts.first()? };
    Some(match kind {
        ValueKind::String => Type::String,
        ValueKind::Int => Type::Int { min: 0, max: i64::MAX },
        ValueKind::List => Type::List(&Type::String),
        ValueKind::Map => Type::Map(&Type::String),
        ValueKind::Bool => Type::Bool,
        _ => return None,
    })
}

fn of_type(scene: &Scene<'_>, ty: &Type, attribute: Option<&'static Attribute>) -> Vec<Completion> {
    let variant = |name: &str, doc: &'static str, quote: &str| {
        let mut snippet = lead(scene);
        snippet.text(quote).text(name).text(quote);
        let label = format!("{quote}{name}{quote}");
        Completion { doc: Doc::Text(doc), ..item(scene, &label, CompletionKind::Variant, snippet) }
    };
    let entity = |name: &String| Completion { kind: CompletionKind::Entity, ..variant(name, "", "\"") };
    let mut found: Vec<Completion> = match ty {
        Type::Enum(variants) => variants.iter().map(|one| variant(one.name, one.doc, "\"")).collect(),
        Type::Keyword(variants) => variants.iter().map(|one| variant(one.name, one.doc, "")).collect(),
        Type::Bool | Type::Predicate => vec![variant("true", "", ""), variant("false", "", "")],
        Type::TypeName => {
            // What is given already is of a type that can be told.
            let given = examples::type_of_default(scene);
            let names =
                TYPE_NAMES.iter().map(|(name, _)| *name).filter(|name| given.as_deref() != Some(*name));
            given.as_deref().into_iter().chain(names).map(|name| variant(name, "", "")).collect()
        }
        Type::Entity(_) if names::in_list(scene) => names::free_eggs(scene).iter().map(entity).collect(),
        Type::Entity(_) => names::eggs(scene).iter().map(entity).collect(),
        Type::Profile => names::profiles(scene)
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
        Type::Name => attribute
            .map_or_else(Vec::new, |attribute| names::parts(scene, attribute.name))
            .iter()
            .map(entity)
            .collect(),
        Type::Duration { .. } | Type::Size { .. } | Type::Percent => units(scene, ty),
        Type::String => {
            let paths = endpoints(scene, attribute);
            let names = element_names(scene);
            let names = names.iter().map(|name| variant(name, "", "\""));
            names.chain(paths.iter().map(|(path, doc)| variant(path, doc, "\""))).collect()
        }
        _ => Vec::new(),
    };
    if scene.typed().is_empty() {
        example(scene, ty, attribute, &mut found);
    }
    found
}

/// Puts first what most likely stands here.
fn example(scene: &Scene<'_>, ty: &Type, attribute: Option<&'static Attribute>, found: &mut Vec<Completion>) {
    let of_attribute = attribute.filter(|attribute| attribute.ty == *ty || attribute.ty == Type::Any);
    // What isn't there can't be named.
    if of_attribute.is_some_and(|one| names::names_a_part(scene, one.name)) && found.is_empty() {
        return;
    }
    let known = of_attribute.and_then(|attribute| {
        let schema = scene.schema()?;
        schema.attribute(attribute.name).map(|_| scene.value(schema, scene.block_word(), attribute))
    });
    let text = match (known, of_attribute) {
        (Some(text), _) => text,
        (None, Some(attribute)) if attribute.ty == *ty && *ty != Type::Any => attribute.example.to_owned(),
        _ if !found.is_empty() => return,
        _ if scene
            .around()
            .is_some_and(|block| block.is("variable") && examples::given(block, "default").is_some()) =>
        {
            scene.around().and_then(|block| examples::given(block, "default")).unwrap_or_default().to_owned()
        }
        _ if matches!(ty, Type::String) && names::in_list(scene) => {
            let written = examples::written_elements(scene);
            let mut names =
                (1..).map(|number| if number == 1 { "value".to_owned() } else { format!("value-{number}") });
            format!("\"{}\"", names.find(|name| !written.contains(&name.as_str())).unwrap_or_default())
        }
        _ => examples::of_type(scene, ty),
    };
    if let Some(at) = found.iter().position(|one| one.label == text) {
        found[..=at].rotate_right(1);
        return;
    }
    if matches!(
        ty,
        Type::Enum(_) | Type::Keyword(_) | Type::Bool | Type::Entity(_) | Type::Profile | Type::TypeName
    ) {
        return;
    }
    let is_default =
        of_attribute.is_some_and(|one| matches!(one.presence, Presence::Default(value) if value == text));
    let mut snippet = lead(scene);
    snippet.value(ty, &text);
    let detail = if is_default { "the default" } else { "an example" };
    found.insert(
        0,
        Completion { detail: detail.to_owned(), ..item(scene, &text, CompletionKind::Value, snippet) },
    );
}

/// The texts that usually stand in the list around the cursor and are not in it yet.
pub(super) fn element_names(scene: &Scene<'_>) -> Vec<String> {
    let Some(Frame::List { attribute: Some(attribute), .. }) = scene.cursor.frames.last() else {
        return Vec::new();
    };
    if attribute.ty != Type::List(&Type::String) {
        return Vec::new();
    }
    let mut all = if attribute.name == "tags" { names::tags(scene) } else { Vec::new() };
    let example = attribute.example.trim_matches(['[', ']']).split(", ");
    for text in example.filter_map(|text| text.strip_prefix('"')?.strip_suffix('"')) {
        if !all.iter().any(|known| known == text) {
            all.push(text.to_owned());
        }
    }
    let written = examples::written_elements(scene);
    all.retain(|name| !written.contains(&name.as_str()));
    all
}

/// Whether an attribute names a place of a cloud.
pub(super) fn is_location(attribute: Option<&Attribute>) -> bool {
    attribute.is_some_and(|attribute| matches!(attribute.name, "region" | "zone"))
}

/// The regions and zones of the cloud that the block is on, the usual region first.
pub(super) fn locations(scene: &Scene<'_>) -> Vec<String> {
    let provider = examples::provider(scene);
    let mut all: Vec<String> = Cloud::ALL
        .into_iter()
        .filter(|cloud| cloud.name() == provider)
        .flat_map(|cloud| cloud.regions().map(str::to_owned).chain(cloud.zones()).collect::<Vec<_>>())
        .collect();
    let region = schema::EGG.child("cloud").and_then(|child| child.block.attribute("region"));
    let usual = region.and_then(|region| examples::on_cloud(scene, region));
    if let Some(at) =
        all.iter().position(|one| usual.as_deref().is_some_and(|usual| usual.trim_matches('"') == one))
    {
        all[..=at].rotate_right(1);
    }
    all
}

/// The paths that a trigger may call, its own first.
pub(super) fn endpoints(
    scene: &Scene<'_>,
    attribute: Option<&Attribute>,
) -> Vec<(&'static str, &'static str)> {
    let is_endpoint = attribute.is_some_and(|attribute| attribute.name == "endpoint")
        && scene.schema().is_some_and(|schema| schema.name == "trigger");
    let mut all: Vec<_> = ENDPOINTS.iter().filter(|_| is_endpoint).collect();
    let own = endpoints::of_trigger(scene.block_word());
    all.sort_by_key(|one| (one.path != own, one.path.contains('{')));
    all.into_iter().map(|one| (one.path, one.doc)).collect()
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

/// The locals and variables that a parameter takes, those of the likeliest type first.
fn arguments_of(scene: &Scene<'_>, param: &Param, ty: Option<Type>) -> Vec<Completion> {
    let takes = |value: &Value| param.takes(ValueKind::of(value));
    let fitting = names::references(scene, ty, takes);
    let others = names::references(scene, None, takes).into_iter();
    let others = others.filter(|one| fitting.iter().all(|known| known.name != one.name));
    let others: Vec<_> = others.collect();
    fitting.into_iter().chain(others).map(|found| reference(scene, found)).collect()
}

fn reference(scene: &Scene<'_>, found: names::Reference) -> Completion {
    let mut snippet = lead(scene);
    snippet.text(&found.name);
    Completion { detail: found.detail, ..item(scene, &found.name, CompletionKind::Reference, snippet) }
}

/// What can be referred to from anywhere, where a value of this type is wanted.
pub(super) fn references(
    scene: &Scene<'_>,
    ty: Option<Type>,
    attribute: Option<&Attribute>,
) -> Vec<Completion> {
    let places = is_location(attribute).then(|| locations(scene)).or_else(|| {
        let part = attribute.filter(|attribute| names::names_a_part(scene, attribute.name))?;
        Some(names::parts(scene, part.name))
    });
    let taken = |value: &Value| {
        let is_there =
            |places: &Vec<String>| places.iter().any(|place| Some(place.as_str()) == value.as_str());
        places.as_ref().is_none_or(is_there)
    };
    names::references(scene, ty, taken).into_iter().map(|found| reference(scene, found)).collect()
}

/// What follows `base.`
pub(super) fn members(scene: &Scene<'_>, ty: Option<Type>) -> Vec<Completion> {
    let (path, start) = scene.dotted();
    let [base, ..] = path[..] else { return Vec::new() };
    let names: Vec<String> = if let Some(members) = names::subject_members(scene, &path) {
        // What a dot follows is a block.
        let goes_on = scene.next_token().is_some_and(|(kind, _)| kind == Kind::Dot);
        let after = &scene.parse.text()[scene.cursor.word.end().into()..];
        let next = after.strip_prefix('.').unwrap_or("");
        let next = next.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or("");
        let has_next = |name: &str| {
            let longer: Vec<&str> = path.iter().copied().chain([name]).collect();
            let inner = names::subject_members(scene, &longer).unwrap_or_default();
            next.is_empty() || inner.iter().any(|(inner, _)| inner == next)
        };
        let fitting = members.into_iter().filter(|(name, ty)| !goes_on || ty.is_none() && has_next(name));
        fitting.map(|(name, _)| name).collect()
    } else if path.len() > 1 {
        Vec::new()
    } else {
        match base {
            "local" | "var" => {
                // Those that fit come first; another may be a part of something that fits.
                let param = parameter(scene, start);
                let takes = |value: &Value| param.is_none_or(|param| param.takes(ValueKind::of(value)));
                let mut all = names::references(scene, ty, takes);
                let others = names::references(scene, None, |_| true);
                let others = others.into_iter().filter(|one| all.iter().all(|known| known.name != one.name));
                let others: Vec<_> = others.collect();
                all.extend(others);
                all.into_iter()
                    .filter_map(|found| Some(found.name.strip_prefix(base)?.strip_prefix('.')?.to_owned()))
                    .collect()
            }
            "profile" => names::profiles(scene),
            "egg" | "bucket" => names::eggs_by_kind(scene, base == "bucket"),
            "self" => {
                let own = scene.statement();
                scene.cursor.block().map_or_else(Vec::new, |info| {
                    let attributes =
                        info.names.iter().filter(|(name, is_block)| !is_block && own != Some(*name));
                    attributes.map(|(name, _)| (*name).to_owned()).collect()
                })
            }
            _ => Vec::new(),
        }
    };
    let item = |name: String| {
        let mut snippet = Snippet::default();
        snippet.text(&name);
        item(scene, &name, CompletionKind::Reference, snippet)
    };
    names.into_iter().map(item).collect()
}
