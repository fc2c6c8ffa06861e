//! What the definition tables say of a thing, as Markdown.
//!
//! Hover and completion say the same because both ask here. What never lives here: where something is shown.

use std::fmt::Write as _;

use fly_std::{
    Type,
    functions::Function,
    policy::Field,
    schema::{Attribute, Block, Constraint, Presence},
};

/// A block: what it is for, and one as it could be.
pub(super) fn block(block: &Block) -> String {
    let mut text = format!("```fly\n{} {{ … }}\n```\n\n{}", block.name, block.doc);
    if !block.example.is_empty() {
        text.push_str("\n\n```fly\n");
        text.push_str(block.example);
        text.push_str("\n```");
    }
    text
}

/// An attribute under its block's constraints: its type, what it is, what holds without it.
pub(super) fn attribute(attribute: &Attribute, constraints: &[Constraint]) -> String {
    // A type that is called as the attribute says nothing of it; a value does.
    let keyword = attribute.ty.keyword();
    let says_type = keyword != attribute.name;
    let value = if says_type { keyword.as_str() } else { attribute.example };
    let mut text = format!("```fly\n{} = {value}\n```\n\n", attribute.name);
    text.push_str(&sentence(attribute.doc));
    let presence = match attribute.presence {
        Presence::Required => "It must be given.".to_owned(),
        Presence::Optional => {
            one_of(attribute, constraints).unwrap_or_else(|| "It may be left out.".to_owned())
        }
        Presence::Default(value) => format!("Default: `{value}`."),
        Presence::Derived(how) => format!("When left out: {how}."),
    };
    text.push_str("\n\n");
    text.push_str(&presence);
    if let Some(deprecation) = &attribute.deprecated {
        let _ = write!(text, "\n\n**Deprecated**: {}.", deprecation.advice());
    }
    if let Some(values) = values(&attribute.ty) {
        text.push_str("\n\n");
        text.push_str(&values);
    }
    if says_type && !matches!(attribute.presence, Presence::Default(value) if value == attribute.example) {
        let _ = write!(text, "\n\nExample: `{}`", attribute.example);
    }
    text
}

/// Which attributes exclude each other, for one of them.
fn one_of(attribute: &Attribute, constraints: &[Constraint]) -> Option<String> {
    let names = constraints.iter().find_map(|constraint| match constraint {
        Constraint::ExactlyOneOf(names) if names.contains(&attribute.name) => Some(names),
        _ => None,
    })?;
    let (last, others) = names.split_last()?;
    let others: Vec<_> = others.iter().map(|name| format!("`{name}`")).collect();
    Some(format!("Exactly one of {} and `{last}` is given.", others.join(", ")))
}

/// The values of a closed set, one a line.
fn values(ty: &Type) -> Option<String> {
    let (variants, quote) = match ty {
        Type::Enum(variants) | Type::List(Type::Enum(variants)) => (variants, "\""),
        Type::Keyword(variants) => (variants, ""),
        _ => return None,
    };
    let lines: Vec<_> = variants
        .iter()
        .map(|variant| format!("- `{quote}{}{quote}`: {}", variant.name, variant.doc))
        .collect();
    Some(lines.join("\n"))
}

/// A function: its signature, what it gives, and a call.
pub(super) fn function(function: &Function) -> String {
    let (call, result) = function.example;
    format!(
        "```fly\n{}\n```\n\n{}\n\n`{call}` is `{result}`",
        function.signature(),
        sentence(&format!("gives {}", function.doc))
    )
}

/// A field of conditions.
pub(super) fn field(field: &Field) -> String {
    let mut text = format!("```fly\n{}: {}\n```\n\n{}", field.name, field.ty.keyword(), sentence(field.doc));
    let _ = write!(text, "\n\nExample: `{}`", field.example);
    if field.may_be_unknown {
        text.push_str("\n\nA runner may not have told it yet; a comparison with it doesn't hold then.");
    }
    text
}

/// A phrase as a sentence.
pub(super) fn sentence(phrase: &str) -> String {
    let mut letters = phrase.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let stop = if phrase.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}
