//! What an egg or bucket gets from its profile, as it arrives. What never lives here: how it is shown.

use flyc::{
    compiler::Compiler,
    model::{TypedAttribute, TypedBlock, profile, show_named},
};

/// The longest value that is shown whole, in characters.
const LONGEST: usize = 60;

/// A value of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    /// The blocks it is in and its name, with dots: `resources.cpu`.
    pub(super) path: String,
    /// What it comes to; what is sensitive is not shown.
    pub(super) value: String,
    /// The profile that says so: the one extended, or one that this extends itself.
    pub(super) profile: String,
}

/// What arrives in a block that extends a profile: what it does not give itself, in the profile's order.
pub(super) fn inherited(owner: &TypedBlock) -> Vec<Given> {
    let mut found = Vec::new();
    // What is inherited stands at the value of `extends`.
    if let Some(extends) = owner.attribute("extends") {
        add(owner, "", &|attribute| attribute.range == extends.range, &mut found);
    }
    found
}

/// Everything a profile gives, with what it inherits itself; none when there is no such profile.
pub(super) fn contents(compiler: &Compiler, name: &str) -> Option<Vec<Given>> {
    let block = profile(compiler.database(), compiler.nest(), name.into()).as_ref()?;
    let mut found = Vec::new();
    add(block, "", &|_| true, &mut found);
    Some(found)
}

/// The name of the profile that a block extends.
pub(super) fn extended(owner: &TypedBlock) -> Option<&str> {
    owner.value("extends")?.as_str()
}

fn add(block: &TypedBlock, before: &str, wanted: &dyn Fn(&TypedAttribute) -> bool, found: &mut Vec<Given>) {
    for attribute in block.attributes.iter().filter(|attribute| wanted(attribute)) {
        let Some(profile) = attribute.flow.as_ref().and_then(|flow| flow.profile.as_ref()) else { continue };
        let value = shown(attribute);
        found.push(Given {
            path: format!("{before}{}", attribute.name),
            value,
            profile: profile.to_string(),
        });
    }
    for inner in &block.blocks {
        add(inner, &format!("{before}{}.", inner.name), wanted, found);
    }
}

/// A value in a line; a sensitive one never.
pub(super) fn shown(attribute: &TypedAttribute) -> String {
    if attribute.flow.as_ref().is_some_and(|flow| flow.sensitive.is_some()) {
        return "a sensitive value".to_owned();
    }
    let Some(value) = &attribute.value else { return "…".to_owned() };
    let text = show_named(&attribute.name, value);
    let first = text.lines().next().unwrap_or_default();
    if first.len() == text.len() && text.chars().count() <= LONGEST {
        return text;
    }
    let short: String = first.chars().take(LONGEST).collect();
    format!("{short}…")
}
