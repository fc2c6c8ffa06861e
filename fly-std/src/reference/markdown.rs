//! The reference as one page of Markdown.

use std::fmt::Write as _;

use crate::{
    functions::FUNCTIONS,
    policy::FIELDS,
    schema::{Attribute, Block, Child, Constraint, Deprecation, Label, Presence, ROOTS, Root, Times},
    types::{Type, Variant},
};

/// The whole reference: every block kind, the functions, and the fields of conditions.
pub fn markdown() -> String {
    let mut page = String::from("# Fly reference\n\n");
    page.push_str("Every block, attribute, function and condition field of the Fly language.\n");
    for root in ROOTS {
        root_section(root, &mut page);
    }
    functions(&mut page);
    conditions(&mut page);
    page
}

/// Writes a line; writing to a `String` cannot fail.
macro_rules! line {
    ($page:expr, $($part:tt)*) => {{
        let _ = writeln!($page, $($part)*);
    }};
}

fn root_section(root: &Root, page: &mut String) {
    let block = root.block;
    line!(page, "\n## `{}`\n\n{}\n", block.name, block.doc);
    let places: Vec<_> = root.places.iter().map(|place| format!("`{}`", place.pattern())).collect();
    line!(page, "Stands in {}, {}.", places.join(", "), times(root.times));
    content(block, block.name, page);
}

fn content(block: &Block, path: &str, page: &mut String) {
    match block.label {
        Label::None => {}
        Label::Text(what) => line!(page, "\nIts label is {what}: any text."),
        Label::Name(what) => line!(page, "\nIts label is {what}."),
        Label::Identifier(what) => line!(page, "\nIts label is {what}: letters, digits and `_`."),
    }
    line!(page, "\n```fly\n{}\n```", block.example);
    if !block.attributes.is_empty() || block.free_attributes.is_some() {
        line!(page, "\n| attribute | type | presence | what it is | example |\n|---|---|---|---|---|");
        for attribute in block.attributes {
            row(attribute, page);
        }
        if let Some(attribute) = &block.free_attributes {
            row(attribute, page);
        }
    }
    for constraint in block.constraints {
        line!(page, "\n{}", sentence(*constraint));
    }
    for attribute in block.attributes {
        variants(attribute, page);
    }
    for child in block.blocks {
        child_section(child, path, page);
    }
    if let Some(free) = block.free_blocks {
        let path = format!("{path}.NAME");
        line!(page, "\n### `{path}`\n\n{} Any number of times, each under a name of your own.", free.doc);
        content(free, &path, page);
    }
}

fn child_section(child: &Child, path: &str, page: &mut String) {
    let path = format!("{path}.{}", child.block.name);
    if let Times::Never(why) = child.times {
        line!(page, "\n`{path}` has no place here: {why}.");
        return;
    }
    line!(page, "\n### `{path}`\n\n{}", child.block.doc);
    let aliases: Vec<_> = child.aliases.iter().map(|alias| format!("`{alias}`")).collect();
    let aliases =
        if aliases.is_empty() { String::new() } else { format!(" Also known as {}.", aliases.join(", ")) };
    line!(page, "\nStands {}.{aliases}", times(child.times));
    content(child.block, &path, page);
}

const fn times(times: Times) -> &'static str {
    match times {
        Times::Once => "exactly once",
        Times::AtMostOnce => "at most once",
        Times::Many => "any number of times",
        Times::Never(_) => "never",
    }
}

fn row(attribute: &Attribute, page: &mut String) {
    let presence = match attribute.presence {
        Presence::Required => "required".to_owned(),
        Presence::Optional => "optional".to_owned(),
        Presence::Default(value) => format!("default `{value}`"),
        Presence::Derived(how) => format!("default: {how}"),
    };
    let deprecated = attribute.deprecated.map(|deprecated| sentence_of(&deprecated)).unwrap_or_default();
    let cells = [
        format!("`{}`", attribute.name),
        format!("`{}`{}", attribute.ty.keyword(), limits(&attribute.ty)),
        presence,
        format!("{}{deprecated}", attribute.doc),
        format!("`{}`", attribute.example),
    ];
    line!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
}

/// What a row says of a deprecated attribute.
fn sentence_of(deprecated: &Deprecation) -> String {
    format!(" **Deprecated** since {}: {}.", deprecated.since, deprecated.advice())
}

/// The limits of a type after its keyword, ` (1 to 256)`; nothing when there are none worth saying.
fn limits(ty: &Type) -> String {
    use crate::formats::{duration, size};
    match *ty {
        Type::Int { min, max: i64::MAX } => format!(" (from {min})"),
        Type::Int { min, max } if min == max => format!(" ({min})"),
        Type::Int { min, max } => format!(" ({min} to {max})"),
        Type::Duration { min, max, bare } => {
            let bare = if bare { ", or seconds" } else { "" };
            format!(" ({} to {}{bare})", duration::print(min), duration::print(max))
        }
        Type::Size { min, max, bare } => {
            format!(" ({} to {}, or {})", size::print(min), size::print(max), bare.word())
        }
        Type::Percent => " (0% to 100%)".to_owned(),
        Type::List(item) | Type::Map(item) => limits(item),
        Type::String
        | Type::Float
        | Type::Bool
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
        | Type::Object(_)
        | Type::Entity(_)
        | Type::EnvValue
        | Type::Keyword(_)
        | Type::TypeName
        | Type::Profile
        | Type::Predicate
        | Type::Any => String::new(),
    }
}

fn sentence(constraint: Constraint) -> String {
    match constraint {
        Constraint::ExactlyOneOf(names) => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("Exactly one of {} must be there.", names.join(" and "))
        }
        Constraint::NotAbove(low, high) => format!("`{low}` is not above `{high}`."),
    }
}

/// What the values of a closed set mean.
fn variants(attribute: &Attribute, page: &mut String) {
    let listed: &[Variant] = match attribute.ty {
        Type::Enum(variants) | Type::List(&Type::Enum(variants)) => variants,
        _ => return,
    };
    line!(page, "\nThe values of `{}`:\n", attribute.name);
    for variant in listed {
        line!(page, "- `\"{}\"`: {}", variant.name, variant.doc);
    }
}

fn functions(page: &mut String) {
    line!(page, "\n## Functions\n\n| function | gives | example |\n|---|---|---|");
    for function in FUNCTIONS {
        let (call, result) = function.example;
        let cells = [
            format!("`{}`", function.signature()),
            function.doc.to_owned(),
            format!("`{call}` is `{result}`"),
        ];
        line!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
}

fn conditions(page: &mut String) {
    line!(page, "\n## Condition fields\n\n| field | type | what it is | example |\n|---|---|---|---|");
    for field in FIELDS {
        let cells = [
            format!("`{}`", field.name),
            format!("`{}`", field.ty.keyword()),
            field.doc.to_owned(),
            format!("`{}`", field.example),
        ];
        line!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    let told = FIELDS.iter().filter(|field| field.may_be_unknown).map(|field| format!("`{}`", field.name));
    line!(page, "\nNot known before the runner has told them: {}.", told.collect::<Vec<_>>().join(", "));
}
