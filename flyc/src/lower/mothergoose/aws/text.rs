//! Values as pieces of HCL: labels, columns of `=`, and text within a template string.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Value, context};

use crate::lower::{
    LowerError,
    escape::{Unrepresentable, hcl},
};

/// A fragment that is HCL already.
pub(super) fn safe(text: &str) -> Value {
    Value::from_safe_string(text.to_owned())
}

/// A quoted string.
pub(super) fn quoted(text: &str) -> Result<String, LowerError> {
    written(hcl::quote(text))
}

/// What HCL can hold; a NUL, the one thing it can't, was refused long before.
fn written(text: Result<String, Unrepresentable>) -> Result<String, LowerError> {
    text.map_err(|error| LowerError::Template { template: "HCL".to_owned(), message: error.to_string() })
}

/// Text within a quoted string that has more in it.
pub(super) fn fragment(text: &str) -> Result<Value, LowerError> {
    let quoted = quoted(text)?;
    Ok(safe(quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default()))
}

/// A name as a part of other names: lower-case letters, digits and inner hyphens, 32 at most.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => slug.push(c),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug: String = slug.trim_matches('-').chars().take(32).collect();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "nest".to_owned() } else { slug.to_owned() }
}

/// Entries of a map, their `=` in one column: each with `key`, as it stands in HCL, and `pad`.
pub(super) fn padded<'a>(entries: impl Iterator<Item = (&'a str, Value)>) -> Result<Vec<Value>, LowerError> {
    let entries: Vec<(String, Value)> = entries
        .map(|(key, value)| Ok((written(hcl::key(key))?, value)))
        .collect::<Result<_, LowerError>>()?;
    let width = entries.iter().map(|(key, _)| key.chars().count()).max().unwrap_or_default();
    Ok(entries
        .into_iter()
        .map(|(key, value)| {
            let pad = " ".repeat(width - key.chars().count());
            context! { key => safe(&key), pad => safe(&pad), ..value }
        })
        .collect())
}

/// Labels of resources by the names of the author's blocks.
pub(super) struct Labels(BTreeMap<String, String>);

impl Labels {
    /// A label for each name, none of them one of those taken.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>, taken: &[&str]) -> Self {
        let mut used: BTreeSet<String> = taken.iter().map(ToString::to_string).collect();
        let mut labels = BTreeMap::new();
        for name in names {
            let mut label: String = name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' })
                .collect();
            if !label.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                label.insert(0, '_');
            }
            while used.contains(&label) {
                label.push('_');
            }
            used.insert(label.clone());
            labels.insert(name.to_owned(), label);
        }
        Self(labels)
    }

    /// The label of a name.
    pub(super) fn label(&self, name: &str) -> Value {
        safe(self.0.get(name).map_or("none", String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_identifiers_and_differ() {
        let labels = Labels::of(["a", "a b", "a_b", "1", "é", "roles"].into_iter(), &["roles"]);
        let all: Vec<_> =
            ["a", "a b", "a_b", "1", "é", "roles"].map(|name| labels.label(name).to_string()).into();
        assert_eq!(all, ["a", "a_b", "a_b_", "_1", "_", "roles_"]);
    }

    #[test]
    fn slugs_are_plain() {
        for (text, expected) in [
            ("my-nest", "my-nest"),
            ("My Nest!", "my-nest"),
            ("${x}", "x"),
            ("", "nest"),
            ("ÄÖ", "nest"),
            ("a234567890123456789012345678901-b", "a234567890123456789012345678901"),
        ] {
            assert_eq!(slug(text), expected, "{text}");
        }
    }
}
