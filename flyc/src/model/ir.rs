//! The typed IR: blocks with checked values and the places they came from.

use std::{collections::BTreeMap, sync::Arc};

use fly_std::{Value, schema};
use smol_str::SmolStr;

use super::flow::Flow;
use crate::text::TextRange;

/// A block whose kind is known, with every value that could be typed.
#[derive(Debug, Clone)]
pub struct TypedBlock {
    /// What it may hold.
    pub schema: &'static schema::Block,
    /// Its name in the schema, or the user's own name for it (a table of `tables`).
    pub name: SmolStr,
    /// Its label.
    pub label: Option<SmolStr>,
    /// Where the label stands, with its quotes.
    pub label_range: Option<TextRange>,
    /// The keyword and labels: where a diagnostic about the whole block points.
    pub header: TextRange,
    /// Its attributes in the order written; those whose value is wrong have none.
    pub attributes: Vec<TypedAttribute>,
    /// The blocks within in the order written.
    pub blocks: Vec<TypedBlock>,
    /// Whether something in it was not understood, so that what seems missing may be there.
    pub damaged: bool,
    /// Attributes and blocks that misspelt names in it were probably meant to be, so that they are not missing.
    pub meant: Vec<&'static str>,
}

/// An attribute and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedAttribute {
    /// Its name.
    pub name: SmolStr,
    /// Where the name stands.
    pub name_range: TextRange,
    /// The value; absent when it is wrong, which has been told then.
    pub value: Option<Value>,
    /// Where the value stands.
    pub range: TextRange,
    /// Where each element stands, for a list written as one.
    pub elements: Box<[TextRange]>,
    /// The way the value came, when it is not written here: references, and the profile it is inherited from.
    pub flow: Option<Arc<Flow>>,
}

// The schema is one static table, told apart by its address.
impl PartialEq for TypedBlock {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.schema, other.schema)
            && self.name == other.name
            && self.label == other.label
            && self.label_range == other.label_range
            && self.header == other.header
            && self.attributes == other.attributes
            && self.blocks == other.blocks
            && self.damaged == other.damaged
            && self.meant == other.meant
    }
}

impl Eq for TypedBlock {}

impl TypedBlock {
    /// The attribute with this name; the first, should there be two.
    pub fn attribute(&self, name: &str) -> Option<&TypedAttribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The value of an attribute, when it is there and right.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.attribute(name)?.value.as_ref()
    }

    /// The first block within with this name.
    pub fn block(&self, name: &str) -> Option<&TypedBlock> {
        self.blocks.iter().find(|block| block.name == name)
    }

    /// The blocks within with this name.
    pub fn blocks<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a TypedBlock> {
        self.blocks.iter().filter(move |block| block.name == name)
    }

    /// The block and every block within, in the order written.
    pub fn walk(&self) -> Vec<&TypedBlock> {
        let mut all = vec![self];
        let mut at = 0;
        while let Some(block) = all.get(at).copied() {
            all.extend(&block.blocks);
            at += 1;
        }
        all
    }

    /// What the block means, without where anything stands: equal for two texts that mean the same.
    pub fn meaning(&self) -> Meaning {
        Meaning {
            name: self.name.clone(),
            label: self.label.clone(),
            attributes: self.attributes.iter().map(|a| (a.name.clone(), a.value.clone())).collect(),
            blocks: self.blocks.iter().map(Self::meaning).collect(),
        }
    }
}

/// A block without positions and without the order of its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// Its name.
    pub name: SmolStr,
    /// Its label.
    pub label: Option<SmolStr>,
    /// Its attributes.
    pub attributes: BTreeMap<SmolStr, Option<Value>>,
    /// The blocks within.
    pub blocks: Vec<Meaning>,
}
