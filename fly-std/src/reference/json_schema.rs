//! The reference as a JSON Schema (draft 2020-12) of a typed Nest.
//!
//! It describes the configuration after checking: durations are whole seconds, sizes bytes, percentages numbers.
//! Blocks with a label are an object by label, other repeated blocks an array.

use serde_json::{Map, Value, json};

use super::literal;
use crate::{
    formats::{SecretBackend, name},
    schema::{
        Attribute, Block, Child, Constraint, EGG, EGGSBUCKET, JOB, Label, MOTHERGOOSE, NEST, Presence, RIFT,
        Times, UGLYFOX,
    },
    types::{Entities, Type},
};

const NAME_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9_-]*$";

/// The schema of a Nest: `{ nest, eggs, buckets, jobs, uglyfox, mothergoose, rifts }`.
pub fn json_schema() -> Value {
    let by_name = |kind: &str| json!({ "type": "object", "propertyNames": name_schema(), "additionalProperties": { "$ref": format!("#/$defs/{kind}") } });
    let one = |kind: &str| json!({ "$ref": format!("#/$defs/{kind}") });
    let kinds: [&Block; 7] = [&NEST, &EGG, &EGGSBUCKET, &JOB, &UGLYFOX, &MOTHERGOOSE, &RIFT];
    let definitions: Map<String, Value> =
        kinds.iter().map(|block| (block.name.to_owned(), block_schema(block))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://polar-gosling.gitlab.io/schema/nest.json",
        "title": "A Fly Nest",
        "description": "The typed configuration of a Nest: durations in seconds, sizes in bytes, percentages from 0 to 100.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "nest": one("nest"),
            "eggs": by_name("egg"),
            "buckets": by_name("eggsbucket"),
            "jobs": by_name("job"),
            "uglyfox": one("uglyfox"),
            "mothergoose": one("mothergoose"),
            "rifts": by_name("rift"),
        },
        "$defs": definitions,
    })
}

fn block_schema(block: &Block) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for attribute in block.attributes {
        properties.insert(attribute.name.to_owned(), attribute_schema(attribute));
        if attribute.presence == Presence::Required {
            required.push(attribute.name);
        }
    }
    for child in block.blocks {
        let Some(schema) = child_schema(child) else { continue };
        for name in std::iter::once(&child.block.name).chain(child.aliases) {
            properties.insert((*name).to_owned(), schema.clone());
        }
        if child.times == Times::Once {
            required.push(child.block.name);
        }
    }
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("description".into(), block.doc.into());
    if !properties.is_empty() {
        schema.insert("properties".into(), properties.into());
    }
    if !required.is_empty() {
        schema.insert("required".into(), required.into());
    }
    let rest = match (&block.free_attributes, block.free_blocks) {
        (Some(attribute), _) => attribute_schema(attribute),
        (None, Some(free)) => block_schema(free),
        (None, None) => Value::Bool(false),
    };
    schema.insert("additionalProperties".into(), rest);
    for constraint in block.constraints {
        constrain(*constraint, &mut schema);
    }
    schema.into()
}

/// The schema of a block within; `None` when it has no place.
fn child_schema(child: &Child) -> Option<Value> {
    let one = block_schema(child.block);
    match child.times {
        Times::Never(_) => None,
        Times::Once | Times::AtMostOnce => Some(one),
        Times::Many => Some(match child.block.label {
            Label::Text(_) => json!({ "type": "object", "additionalProperties": one }),
            Label::Name(_) | Label::Identifier(_) => {
                json!({ "type": "object", "propertyNames": name_schema(), "additionalProperties": one })
            }
            Label::None => json!({ "type": "array", "items": one }),
        }),
    }
}

fn constrain(constraint: Constraint, schema: &mut Map<String, Value>) {
    match constraint {
        Constraint::ExactlyOneOf(names) => {
            let choices: Vec<_> = names.iter().map(|name| json!({ "required": [name] })).collect();
            schema.insert("oneOf".into(), choices.into());
        }
        // JSON Schema cannot compare two values, so this is said in words.
        Constraint::NotAbove(low, high) => {
            schema.insert("$comment".into(), format!("`{low}` is not above `{high}`").into());
        }
    }
}

fn attribute_schema(attribute: &Attribute) -> Value {
    let mut schema = type_schema(&attribute.ty);
    schema.insert("description".into(), attribute.doc.into());
    match attribute.presence {
        Presence::Default(text) => {
            if let Some(value) = literal(text, &attribute.ty) {
                schema.insert("default".into(), value);
            }
        }
        Presence::Derived(how) => {
            schema.insert("$comment".into(), format!("default: {how}").into());
        }
        Presence::Required | Presence::Optional => {}
    }
    if let Some(example) = literal(attribute.example, &attribute.ty) {
        schema.insert("examples".into(), json!([example]));
    }
    if let Some(deprecated) = attribute.deprecated {
        schema.insert("deprecated".into(), true.into());
        let said =
            format!("{}. Deprecated since {}: {}", attribute.doc, deprecated.since, deprecated.advice());
        schema.insert("description".into(), said.into());
    }
    schema.into()
}

fn type_schema(ty: &Type) -> Map<String, Value> {
    let schema = match ty {
        Type::String | Type::Script | Type::Condition | Type::EnvValue => json!({ "type": "string" }),
        Type::Int { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Type::Float => json!({ "type": "number" }),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Duration { min, max, .. } | Type::Size { min, max, .. } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        Type::Percent => json!({ "type": "number", "minimum": 0, "maximum": 100 }),
        Type::Cron => json!({ "type": "string", "pattern": r"^\s*\S+(\s+\S+){4}\s*$" }),
        Type::Timezone => json!({ "type": "string", "pattern": r"^[A-Za-z0-9+_-]+(/[A-Za-z0-9+_-]+){0,2}$" }),
        Type::Fqdn => {
            json!({ "type": "string", "maxLength": 259, "pattern": r"^[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?$" })
        }
        Type::Url => json!({ "type": "string", "format": "uri", "pattern": "^https?://" }),
        Type::Email => json!({ "type": "string", "format": "email" }),
        Type::Image => json!({ "type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$" }),
        Type::Name | Type::Entity(Entities::EggOrBucket) => name_schema(),
        Type::Secret => {
            let schemes = SecretBackend::ALL.map(SecretBackend::scheme).join("|");
            json!({ "type": "string", "pattern": format!(r"^({schemes})://[^\s/]+(/[^\s/]+)+$") })
        }
        Type::Enum(variants) => {
            let names: Vec<_> = variants.iter().map(|variant| variant.name).collect();
            json!({ "enum": names })
        }
        Type::List(item) => json!({ "type": "array", "items": type_schema(item) }),
        Type::Map(item) => json!({ "type": "object", "additionalProperties": type_schema(item) }),
        Type::Object(fields) => {
            let properties: Map<String, Value> =
                fields.iter().map(|field| (field.name.to_owned(), attribute_schema(field))).collect();
            let required: Vec<_> = fields
                .iter()
                .filter(|field| field.presence == Presence::Required)
                .map(|field| field.name)
                .collect();
            json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
        }
        Type::Keyword(variants) => {
            let names: Vec<_> = variants.iter().map(|variant| variant.name).collect();
            json!({ "enum": names })
        }
        Type::TypeName | Type::Profile | Type::Predicate => json!({ "type": "string" }),
        Type::Any => json!({}),
    };
    match schema {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn name_schema() -> Value {
    json!({ "type": "string", "pattern": NAME_PATTERN, "maxLength": name::MAX_LENGTH })
}
