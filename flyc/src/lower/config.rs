//! What must hold of a configuration before it is written anywhere, whoever made it.
//!
//! The checker has told the author of all of this long before; here it keeps a configuration that never met the checker
//! from leaving its folder or breaking a file.

use serde::Serialize;
use serde_json::Value;

use super::{LowerError, Options};
use crate::artifact::ArtifactError;

/// The longest name: it is a folder, and part of a state key.
const NAME_LENGTH: usize = 128;

/// Refuses what no artifact can hold.
pub(super) fn validate(name: &str, config: &impl Serialize, options: &Options) -> Result<(), LowerError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > NAME_LENGTH || name.starts_with(['.', '-']) || !name.chars().all(plain)
    {
        return Err(LowerError::Name { name: name.to_owned() });
    }
    without_nul(config, "configuration", options)
}

/// Refuses text that no file can hold.
pub(super) fn without_nul(
    config: &impl Serialize,
    what: &'static str,
    options: &Options,
) -> Result<(), LowerError> {
    if options.nest.contains('\0') {
        return Err(LowerError::Nul { path: "nest".to_owned() });
    }
    let value = serde_json::to_value(config).map_err(|source| ArtifactError::Json { what, source })?;
    nul(&value, &mut Vec::new()).map_or(Ok(()), |path| Err(LowerError::Nul { path }))
}

/// The path of the first text with a NUL.
fn nul(value: &Value, path: &mut Vec<String>) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| path.join(".")),
        Value::Array(items) => items.iter().find_map(|item| nul(item, path)),
        Value::Object(fields) => fields.iter().find_map(|(key, field)| {
            path.push(key.replace('\0', "\u{FFFD}"));
            let found = if key.contains('\0') { Some(path.join(".")) } else { nul(field, path) };
            path.pop();
            found
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
