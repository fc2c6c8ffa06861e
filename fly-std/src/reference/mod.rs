//! The reference, rendered from the tables: one page for people, one JSON Schema for programs.

mod json_schema;
mod markdown;
#[cfg(test)]
mod tests;

pub use json_schema::json_schema;
pub use markdown::markdown;

use crate::{
    formats::{duration, percent, size},
    types::Type,
};

/// A literal of the tables (a default, an example) as the JSON it has in a typed configuration: durations in
/// seconds, sizes in bytes. `None` when the text is no plain literal of that type.
fn literal(text: &str, ty: &Type) -> Option<serde_json::Value> {
    let json = || serde_json::from_str::<serde_json::Value>(text).ok();
    let string = || json().filter(serde_json::Value::is_string);
    match ty {
        Type::String
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
        | Type::Entity(_)
        | Type::EnvValue => string(),
        Type::Int { .. } => json().filter(serde_json::Value::is_i64),
        Type::Float => json().filter(serde_json::Value::is_number),
        Type::Bool => json().filter(serde_json::Value::is_boolean),
        Type::Duration { .. } => duration::parse(text).ok().map(Into::into),
        Type::Size { .. } => size::parse(text).ok().map(Into::into),
        Type::Percent => percent::parse(text).ok().map(|number| number.get().into()),
        Type::Enum(variants) => {
            string().filter(|value| variants.iter().any(|variant| value.as_str() == Some(variant.name)))
        }
        Type::List(_) => json().filter(serde_json::Value::is_array),
        Type::Map(_) | Type::Object(_) => json().filter(serde_json::Value::is_object),
        Type::Keyword(variants) => {
            variants.iter().find(|variant| variant.name == text).map(|variant| variant.name.into())
        }
        Type::TypeName | Type::Profile | Type::Predicate => Some(text.into()),
        Type::Any => json(),
    }
}
