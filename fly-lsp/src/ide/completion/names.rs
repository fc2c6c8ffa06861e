//! The names a Nest has, for completion: those that fit where the cursor stands.
//!
//! What never lives here: where names stand in a text (see `locate`), and what is offered.

use std::collections::BTreeSet;

use fly_std::{
    Type, Value,
    formats::{cron, email, fqdn, image, name, timezone, url},
    functions::Kind,
    schema::{self, Presence, Times},
};
use flyc::{
    artifact::Component,
    model::{EGG_SUBJECT, EntityKind, JOB_SUBJECT, definitions::NEST_FILE, index, nest_value, variables},
    syntax::{Attribute, Block},
};
use rayon::prelude::*;

use super::{Scene, examples};
use crate::ide::cursor::Frame;

/// The name that the path of the file gives what stands in it, unless it is given already.
pub(super) fn free_of_file<'a>(scene: &Scene<'a>, keyword: &str) -> Option<&'a str> {
    let kind = if keyword == "job" { EntityKind::Job } else { EntityKind::Egg };
    let index = index(scene.compiler.database(), scene.compiler.nest());
    of_file(scene, keyword).filter(|name| index.find(kind, name).is_empty())
}

/// The name that the path of the file gives what stands in it.
pub(super) fn of_file<'a>(scene: &Scene<'a>, keyword: &str) -> Option<&'a str> {
    match keyword {
        "egg" | "eggsbucket" => scene.path.strip_prefix("Eggs/")?.strip_suffix("/config.fly"),
        "job" => scene.path.strip_prefix("Jobs/")?.strip_suffix(".fly"),
        _ => None,
    }
}

/// Rift servers, in order.
pub(super) fn rifts(scene: &Scene<'_>) -> Vec<String> {
    let db = scene.compiler.database();
    let mut names: Vec<String> =
        index(db, scene.compiler.nest()).names(EntityKind::Rift).map(str::to_owned).collect();
    names.sort_unstable();
    names
}

/// Eggs and buckets, in order.
pub(super) fn eggs(scene: &Scene<'_>) -> Vec<String> {
    let db = scene.compiler.database();
    let mut names: Vec<String> =
        index(db, scene.compiler.nest()).names(EntityKind::Egg).map(str::to_owned).collect();
    names.sort_unstable();
    names
}

/// Eggs (or buckets) alone, in order.
pub(super) fn eggs_by_kind(scene: &Scene<'_>, buckets: bool) -> Vec<String> {
    let db = scene.compiler.database();
    let index = index(db, scene.compiler.nest());
    let mut names = eggs(scene);
    names.retain(|name| index.is_bucket(db, name) == buckets);
    names
}

/// Eggs that stand under no condition of this file yet, since one stands under one only, and not in the list at the cursor.
pub(super) fn free_eggs(scene: &Scene<'_>) -> Vec<String> {
    let attributes = scene.parse.root().descendants().filter_map(Attribute::cast);
    let conditions = attributes.filter(|one| one.is("eggs_entities")).filter_map(Attribute::value);
    let placed: BTreeSet<&str> =
        conditions.flat_map(|list| list.operands()).map(|name| name.text().trim_matches('"')).collect();
    let written = if in_list(scene) { examples::written_elements(scene) } else { Vec::new() };
    let mut names = eggs(scene);
    names.retain(|name| !placed.contains(name.as_str()) && !written.contains(&name.as_str()));
    names
}

/// The labels of the blocks of `nest.fly` with this keyword.
fn labelled<'a>(scene: &Scene<'a>, keyword: &'static str) -> impl Iterator<Item = (&'a str, Block<'a>)> {
    let blocks = scene.compiler.parse(NEST_FILE).into_iter().flat_map(|parse| parse.blocks());
    let blocks = blocks.filter(move |block| block.is(keyword));
    blocks.filter_map(|block| Some((block.labels().next()?.name, block)))
}

/// Profiles that may be extended here: none that would lead back to the one the cursor is in.
pub(super) fn profiles(scene: &Scene<'_>) -> Vec<String> {
    let own = scene.root().filter(|root| root.is("profile")).and_then(|root| root.labels().next());
    let mut closed: BTreeSet<&str> = own.iter().map(|label| label.name).collect();
    let all: Vec<_> = labelled(scene, "profile").collect();
    for _ in 0..if closed.is_empty() { 0 } else { all.len() } {
        for (name, block) in &all {
            let extended = examples::given(*block, "extends").and_then(|text| text.strip_prefix("profile."));
            if extended.is_some_and(|extended| closed.contains(extended)) {
                closed.insert(name);
            }
        }
    }
    let mut names: Vec<_> = all.iter().map(|(name, _)| *name).filter(|name| !closed.contains(name)).collect();
    names.dedup();
    names.into_iter().map(str::to_owned).collect()
}

/// Something that can be referred to.
pub(super) struct Reference {
    /// How it is written.
    pub(super) name: String,
    /// What it is.
    pub(super) detail: String,
}

/// The locals and variables that can stand where a value of this type is wanted.
/// `taken` is asked besides.
pub(super) fn references(
    scene: &Scene<'_>,
    ty: Option<Type>,
    taken: impl Fn(&Value) -> bool,
) -> Vec<Reference> {
    let root = scene.root();
    if root.is_some_and(|root| root.is("variable") || root.is("nest")) {
        // The value of a variable stands by itself.
        return Vec::new();
    }
    let names = matches!(ty, Some(Type::Entity(_))).then(|| eggs(scene));
    let is_named = |value: &Value| {
        names.as_ref().is_none_or(|names| names.iter().any(|name| Some(name.as_str()) == value.as_str()))
    };
    let fits = |value: Option<&Value>| {
        value.is_none_or(|value| ty.is_none_or(|ty| fits(value, &ty) && is_named(value)) && taken(value))
    };
    let mut all = Vec::new();
    for (name, value) in locals(scene) {
        if fits(value.as_ref()) {
            all.push(Reference { name: format!("local.{name}"), detail: "local".to_owned() });
        }
    }
    let variables = variables(scene.compiler.database(), scene.compiler.nest());
    for (name, variable) in variables.iter().filter(|(_, variable)| fits(variable.value.as_ref())) {
        all.push(Reference { name: format!("var.{name}"), detail: variable.ty.keyword() });
    }
    all
}

/// The locals this file sees with their values, its own first; none that is made from the one being written.
pub(super) fn locals(scene: &Scene<'_>) -> Vec<(String, Option<Value>)> {
    let mut found: Vec<(String, Option<Value>)> = Vec::new();
    let writes = scene.root().filter(|root| root.is("locals")).and_then(|_| scene.statement());
    let paths = [scene.path, NEST_FILE];
    for path in &paths[..if scene.path == NEST_FILE { 1 } else { 2 }] {
        let Some((parse, typed)) = scene.compiler.parse(path).zip(scene.compiler.typed(path)) else {
            continue;
        };
        let blocks = parse.blocks().filter(|block| block.is("locals"));
        for attribute in blocks.flat_map(Block::attributes) {
            let Some(name) = attribute.name().map(|name| name.text()) else { continue };
            let made_from = |other: &str| {
                let text = attribute.value().map_or("", |value| value.text());
                text.contains(&format!("local.{other}"))
            };
            let leads_back = *path == scene.path && writes.is_some_and(|own| own == name || made_from(own));
            if leads_back || found.iter().any(|(known, _)| known == name) {
                continue;
            }
            let blocks = typed.blocks.iter().filter(|block| block.name == "locals");
            let mut values = blocks.flat_map(|block| &block.attributes);
            let value = values.find(|one| one.name == name).and_then(|one| one.value.clone());
            found.push((name.to_owned(), value));
        }
    }
    found
}

/// Whether a value can be given to something of this type.
pub(super) fn fits(value: &Value, ty: &Type) -> bool {
    let text = value.as_str();
    match ty {
        Type::Any => true,
        Type::String | Type::Script | Type::Condition | Type::Entity(_) => text.is_some(),
        Type::EnvValue => text.is_some() || matches!(value, Value::Secret(_)),
        Type::Enum(variants) => text.is_some_and(|text| variants.iter().any(|variant| variant.name == text)),
        Type::Cron => text.is_some_and(|text| cron::parse(text).is_ok()),
        Type::Timezone => text.is_some_and(|text| timezone::parse(text).is_ok()),
        Type::Fqdn => text.is_some_and(|text| fqdn::parse(text).is_ok()),
        Type::Url => text.is_some_and(|text| url::parse(text).is_ok()),
        Type::Email => text.is_some_and(|text| email::parse(text).is_ok()),
        Type::Image => text.is_some_and(|text| image::parse(text).is_ok()),
        Type::Name => text.is_some_and(|text| name::parse(text).is_ok()),
        Type::Int { min, max } => value.as_int().is_some_and(|number| (*min..=*max).contains(&number)),
        Type::Float => matches!(value, Value::Int(_) | Value::Float(_)),
        Type::Bool | Type::Predicate => matches!(value, Value::Bool(_)),
        Type::Duration { min, max, .. } => matches!(value, Value::Duration(of) if (*min..=*max).contains(of)),
        Type::Size { min, max, .. } => matches!(value, Value::Size(of) if (*min..=*max).contains(of)),
        Type::Percent => matches!(value, Value::Percent(_)),
        Type::Secret => matches!(value, Value::Secret(_)),
        Type::List(item) => match value {
            Value::List(values) => values.iter().all(|value| fits(value, item)),
            _ => false,
        },
        Type::Map(_) | Type::Object(_) => matches!(value, Value::Map(_)),
        Type::Keyword(_) | Type::TypeName | Type::Profile => false,
    }
}

/// Whether what gives a value of this kind may stand where a value of this type is wanted, whatever the value.
pub(super) fn takes(ty: &Type, kind: Kind) -> bool {
    match ty {
        Type::Any => true,
        Type::String => kind == Kind::String,
        Type::EnvValue => matches!(kind, Kind::String | Kind::Secret),
        Type::Secret => kind == Kind::Secret,
        Type::Int { .. } => kind == Kind::Int,
        Type::Float => matches!(kind, Kind::Int | Kind::Float),
        Type::Bool | Type::Predicate => kind == Kind::Bool,
        Type::List(Type::String | Type::Any) => kind == Kind::List,
        _ => false,
    }
}

/// Whether an attribute at the cursor names another part, which must be there.
pub(super) fn names_a_part(scene: &Scene<'_>, attribute: &str) -> bool {
    let is_rift = || scene.depth() > 1 && scene.around().is_some_and(|block| block.is("rift"));
    matches!(attribute, "service_account" | "dead_letter_queue" | "target_function")
        || attribute == "name" && is_rift()
}

/// The names of the parts of the installation that an attribute may name.
pub(super) fn parts(scene: &Scene<'_>, attribute: &str) -> Vec<String> {
    if attribute == "name" && names_a_part(scene, attribute) {
        return rifts(scene);
    }
    let Some(root) = scene.root().filter(|root| root.is("mothergoose")) else { return Vec::new() };
    let within =
        |name: &'static str| root.blocks().filter(move |block| block.is(name)).flat_map(Block::blocks);
    let given =
        |block: &Block<'_>| examples::given(*block, "name").map(|text| text.trim_matches('"').to_owned());
    match attribute {
        "service_account" => within("service_accounts")
            // The one that is being written has no name yet.
            .filter(|block| !scene.is_within(*block))
            .filter_map(|block| {
                let derived = || Some(format!("{}-sa", block.keyword()?.text().replace('_', "-")));
                given(&block).or_else(derived)
            })
            .collect(),
        "dead_letter_queue" => within("message_queues")
            .filter(|block| block.is("dead_letter_queue"))
            .filter_map(|block| given(&block))
            .collect(),
        "target_function" => {
            let name = |service: &str| {
                let written = root.blocks().find(|block| block.is(service)).as_ref().and_then(given);
                let schema = schema::root("mothergoose")?.block.child(service)?.block;
                let Presence::Default(usual) = schema.attribute("name")?.presence else { return written };
                written.or_else(|| Some(usual.trim_matches('"').to_owned()))
            };
            Component::service_names().filter_map(name).collect()
        }
        _ => Vec::new(),
    }
}

/// The name that other parts of the installation give one that is not there yet: of a block with this word, in a block
/// with the word `around`.
pub(super) fn wanted_part(scene: &Scene<'_>, word: &str, around: &str) -> Option<String> {
    let attribute = match (around, word) {
        ("service_accounts", _) => "service_account",
        (_, "dead_letter_queue") => "dead_letter_queue",
        ("mothergoose", word) if Component::service_names().any(|service| service == word) => {
            "target_function"
        }
        _ => return None,
    };
    let root = scene.root().filter(|root| root.is("mothergoose"))?;
    let there = parts(scene, attribute);
    let named = root.node().descendants().filter_map(Attribute::cast).filter(|one| one.is(attribute));
    let mut wanted: Vec<&str> =
        named.filter_map(|one| one.value()?.text().strip_prefix('"')?.strip_suffix('"')).collect();
    wanted.retain(|name| !there.iter().any(|known| known == name));
    let own = word.replace('_', "-");
    let likely = wanted
        .iter()
        .find(|name| name.starts_with(&own))
        .or_else(|| wanted.first().filter(|_| around != "service_accounts"));
    likely.map(|name| (*name).to_owned())
}

/// The names of accounts that other parts name and that are not there yet.
pub(super) fn wanted_accounts(scene: &Scene<'_>) -> Vec<String> {
    let Some(root) = scene.root().filter(|root| root.is("mothergoose")) else { return Vec::new() };
    let there = parts(scene, "service_account");
    let named = root.node().descendants().filter_map(Attribute::cast).filter(|one| one.is("service_account"));
    let texts = named.filter_map(|one| Some(one.value()?.text().trim_matches('"').to_owned()));
    let mut wanted: Vec<String> = texts.filter(|name| !there.contains(name)).collect();
    wanted.sort();
    wanted.dedup();
    wanted.iter().filter_map(|name| Some(name.strip_suffix("-sa")?.replace('-', "_"))).collect()
}

/// The tags that runners of the Nest have, in order.
pub(super) fn tags(scene: &Scene<'_>) -> Vec<String> {
    let paths: Vec<_> =
        scene.compiler.paths().filter(|path| path.starts_with("Eggs/") || ***path == *NEST_FILE).collect();
    let all = paths.into_par_iter().map_with(scene.compiler.clone(), |compiler, path| {
        let roots = compiler.parse(path).into_iter().flat_map(|parse| parse.blocks());
        let runners = roots.flat_map(Block::blocks).filter(|block| block.is("runner"));
        let lists = runners.flat_map(Block::attributes).filter(|attribute| attribute.is("tags"));
        let texts = lists.filter_map(Attribute::value).flat_map(|list| list.operands());
        let tags = texts.filter_map(|text| text.text().strip_prefix('"')?.strip_suffix('"'));
        tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>()
    });
    let all = all.reduce(BTreeSet::new, |mut one, other| {
        one.extend(other);
        one
    });
    all.into_iter().collect()
}

/// The attributes and blocks that can follow `egg.resources.` and the like within an assert.
pub(super) fn subject_members(scene: &Scene<'_>, path: &[&str]) -> Option<Vec<(String, Option<Type>)>> {
    let root = scene.root().filter(|root| root.is("assert"))?;
    let over = examples::given(root, "over")?;
    let (first, rest) = path.split_first()?;
    if *first != over {
        return None;
    }
    let subject = match over {
        "nest" if rest.is_empty() => {
            let Value::Map(entries) = nest_value("", 0, &[], &[], &[]) else { return None };
            return Some(
                entries.into_iter().map(|(name, value)| (name.to_string(), Some(of_value(&value)))).collect(),
            );
        }
        "egg" => &EGG_SUBJECT,
        "job" => &JOB_SUBJECT,
        _ => return None,
    };
    let mut schema = subject.block;
    for name in rest {
        schema = schema.child(name)?.block;
    }
    let extra = subject.extra.iter().filter(|_| rest.is_empty());
    let extra = extra.map(|(name, _)| ((*name).to_owned(), Some(Type::String)));
    let attributes = schema.attributes.iter();
    let attributes = attributes.filter(|one| one.deprecated.is_none() && one.ty != Type::Profile);
    let attributes = attributes.map(|one| (one.name.to_owned(), Some(one.ty)));
    let blocks = schema.blocks.iter().filter(|child| !matches!(child.times, Times::Never(_)));
    let blocks = blocks.map(|child| (child.block.name.to_owned(), None));
    Some(attributes.chain(blocks).chain(extra).collect())
}

/// The type that a value of the Nest is compared as.
const fn of_value(value: &Value) -> Type {
    match value {
        Value::Int(_) => Type::int(0, i64::MAX),
        Value::List(_) => Type::List(&Type::String),
        _ => Type::String,
    }
}

/// What the condition of the assert around the cursor is about, by its word.
pub(super) fn subject<'a>(scene: &Scene<'a>) -> Option<&'a str> {
    let root = scene.root().filter(|root| root.is("assert"))?;
    scene.statement().filter(|name| *name == "condition")?;
    examples::given(root, "over").filter(|over| matches!(*over, "egg" | "job" | "nest"))
}

/// Whether the cursor stands within brackets of a list.
pub(super) fn in_list(scene: &Scene<'_>) -> bool {
    matches!(scene.cursor.frames.last(), Some(Frame::List { .. }))
}
