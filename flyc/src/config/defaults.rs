//! Reading attributes, and the defaults of `fly-std`'s tables where they were left out.

use fly_std::{
    Type, Value, formats,
    schema::{self, Presence},
};

use crate::model::TypedBlock;

/// A block that may have been left out.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    schema: &'static schema::Block,
    block: Option<&'a TypedBlock>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(schema: &'static schema::Block, block: Option<&'a TypedBlock>) -> Self {
        Self { schema, block }
    }

    pub(super) const fn of(block: &'a TypedBlock) -> Self {
        Self { schema: block.schema, block: Some(block) }
    }

    /// A block within, there or not; none when the schema has none of that name.
    pub(super) fn child(self, name: &str) -> Option<Self> {
        let schema = self.schema.child(name)?.block;
        Some(Self { schema, block: self.block.and_then(|block| block.block(name)) })
    }

    /// The value that was written, or else the default.
    pub(super) fn get(self, name: &str) -> Option<Value> {
        match self.block.and_then(|block| block.attribute(name)) {
            Some(attribute) => attribute.value.clone(),
            None => default(self.schema.attribute(name)?),
        }
    }

    pub(super) fn text(self, name: &str) -> Option<String> {
        self.get(name)?.as_str().map(str::to_owned)
    }

    /// The block itself, when it is there.
    pub(super) const fn block(self) -> Option<&'a TypedBlock> {
        self.block
    }

    /// A block within, when it is there.
    pub(super) fn written(self, name: &str) -> Option<&'a TypedBlock> {
        self.block?.block(name)
    }

    /// The texts of a list.
    pub(super) fn texts(self, name: &str) -> Option<Vec<String>> {
        let Value::List(values) = self.get(name)? else { return None };
        values.iter().map(|value| Some(value.as_str()?.to_owned())).collect()
    }

    pub(super) fn int<N: TryFrom<i64>>(self, name: &str) -> Option<N> {
        N::try_from(self.get(name)?.as_int()?).ok()
    }

    pub(super) fn flag(self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    /// Seconds.
    pub(super) fn duration(self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Duration(seconds) => Some(seconds),
            _ => None,
        }
    }

    /// Bytes.
    pub(super) fn size(self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Size(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// The value an attribute has when it is left out; none when it has none.
pub(super) fn default(attribute: &schema::Attribute) -> Option<Value> {
    match attribute.presence {
        Presence::Default(text) => literal(text, attribute.ty),
        Presence::Required | Presence::Optional | Presence::Derived(_) => None,
    }
}

/// The value of a literal of the tables. Numbers with units are read by their formats; what is left of Fly's literals
/// (strings, whole numbers, truth values and lists of them) is JSON as well.
fn literal(text: &str, ty: Type) -> Option<Value> {
    let plain = text.trim_matches('"');
    match ty {
        Type::Duration { bare, .. } => {
            let bare = bare.then(|| plain.parse().ok()).flatten();
            bare.or_else(|| formats::duration::parse(plain).ok()).map(Value::Duration)
        }
        Type::Size { bare, .. } => match plain.parse::<u64>() {
            Ok(count) => count.checked_mul(bare.bytes()).map(Value::Size),
            Err(_) => formats::size::parse(plain).ok().map(Value::Size),
        },
        Type::Percent => formats::percent::parse(plain).ok().map(Value::Percent),
        Type::Keyword(_) => Some(Value::String(plain.into())),
        Type::Secret => formats::secret_uri::parse(plain).ok().map(|secret| Value::Secret(Box::new(secret))),
        _ => from_json(serde_json::from_str(text).ok()?),
    }
}

fn from_json(json: serde_json::Value) -> Option<Value> {
    Some(match json {
        serde_json::Value::String(text) => Value::String(text.into()),
        serde_json::Value::Number(number) => Value::Int(number.as_i64()?),
        serde_json::Value::Bool(flag) => Value::Bool(flag),
        serde_json::Value::Array(items) => {
            Value::List(items.into_iter().map(from_json).collect::<Option<_>>()?)
        }
        serde_json::Value::Null | serde_json::Value::Object(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_default_reads(block: &'static schema::Block, depth: u32, count: &mut u32) {
        for attribute in block.attributes {
            if matches!(attribute.presence, Presence::Default(_)) {
                assert!(default(attribute).is_some(), "{}.{}", block.name, attribute.name);
                *count += 1;
            }
        }
        if depth > 0 {
            let children = block.blocks.iter().map(|child| child.block).chain(block.free_blocks);
            children.for_each(|child| every_default_reads(child, depth - 1, count));
        }
    }

    #[test]
    fn every_default_of_the_tables_has_a_value() {
        let mut count = 0;
        for root in schema::ROOTS {
            every_default_reads(root.block, 8, &mut count);
        }
        assert!(count > 50, "{count}");
    }
}
