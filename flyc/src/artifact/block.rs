//! `config.json` of everything that is not an egg: a block as it stands in the Nest, typed.
//!
//! Never here: the shape of one kind of block. What a reader makes of the attributes is the reader's.

use std::collections::BTreeMap;

use fly_std::policy::Condition;
use serde::{Deserialize, Serialize};

use super::{Artifact, FORMAT_VERSION};

/// A block at the top of a `.fly` file: a job, the lifecycle policies, the orchestrator's installation, a Rift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockConfig {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The block itself.
    pub block: Block,
}

impl BlockConfig {
    /// A block in the current format.
    pub const fn new(block: Block) -> Self {
        Self { format_version: FORMAT_VERSION, block }
    }
}

impl Artifact for BlockConfig {
    const WHAT: &'static str = "block configuration";

    fn format_version(&self) -> u32 {
        self.format_version
    }
}

/// A block with its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Its keyword, or the author's own name for it (a table of `tables`).
    pub kind: String,
    /// Its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its attributes by name; those that were left out and have a default stand here with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, BlockValue>,
    /// The blocks within, in the author's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Block>,
}

impl Block {
    /// The first block within of this kind.
    pub fn block(&self, kind: &str) -> Option<&Self> {
        self.blocks.iter().find(|block| block.kind == kind)
    }
}

/// The value of an attribute, with its type: `{ "duration_s": 600 }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockValue {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A span of time in seconds.
    DurationS(u64),
    /// An amount of memory or storage in bytes.
    SizeBytes(u64),
    /// A percentage, 0 to 100.
    Percent(f64),
    /// The URI of a secret.
    Secret(String),
    /// A condition on a runner: the author's text, and the predicate that is evaluated.
    Condition(Condition),
    /// Values in order.
    List(Vec<BlockValue>),
    /// Named values.
    Map(BTreeMap<String, BlockValue>),
}
