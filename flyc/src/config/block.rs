//! Every other block as [`BlockConfig`].

use fly_std::{Value, policy::Condition, schema};

use super::{
    defaults::{self, Reader},
    derived,
    egg::provider_in,
};
use crate::{
    artifact::{Block, BlockConfig, BlockValue, Provider, RunnerType},
    model::TypedBlock,
};

/// The blocks that hold with their defaults when they are left out, by the block around them. Where a block is not
/// named here, leaving it out means that there is none (`cors`, `rift`, `on_failure`).
const ALWAYS_THERE: &[(&str, &[&str])] =
    &[("uglyfox", &["pruning", "apex", "nadir"]), ("runners_condition", POOLS), ("nest", &["gitlab"])];

/// The pools of a `runners_condition`, whose attributes come from the blocks of the same name around it.
const POOLS: &[&str] = &["apex", "nadir"];

/// The configuration of a block.
pub fn block_config(block: &TypedBlock) -> BlockConfig {
    let mut converted = convert(block);
    if converted.kind == "uglyfox" {
        inherit_pools(&mut converted);
    }
    BlockConfig::new(converted)
}

/// The configuration of a Nest that says nothing about itself.
pub fn silent_nest() -> BlockConfig {
    let children = schema::NEST.blocks.iter().map(|child| with_defaults(child.block, None)).collect();
    BlockConfig::new(Block { blocks: children, ..with_defaults(&schema::NEST, None) })
}

fn convert(block: &TypedBlock) -> Block {
    let mut converted = Block {
        kind: block.name.to_string(),
        name: block.label.as_ref().map(ToString::to_string),
        ..with_defaults(block.schema, Some(block))
    };
    for attribute in &block.attributes {
        if let Some(value) = &attribute.value {
            converted.attributes.insert(attribute.name.to_string(), convert_value(value));
        }
    }
    converted.blocks = block.blocks.iter().map(convert).collect();
    let always = ALWAYS_THERE.iter().find(|(parent, _)| *parent == block.schema.name);
    for name in always.map_or(&[][..], |(_, names)| names) {
        if block.block(name).is_none()
            && let Some(child) = block.schema.child(name)
        {
            converted.blocks.push(with_defaults(child.block, None));
        }
    }
    converted
}

/// A block of which nothing but its defaults is known.
fn with_defaults(schema: &'static schema::Block, block: Option<&TypedBlock>) -> Block {
    let mut attributes: std::collections::BTreeMap<String, BlockValue> = schema
        .attributes
        .iter()
        .filter_map(|attribute| {
            Some((attribute.name.to_owned(), convert_value(&defaults::default(attribute)?)))
        })
        .collect();
    let reader = Reader::new(schema, block);
    if schema.name == "cloud"
        && let Some(provider) = provider_in(reader)
    {
        let region = derived::region(provider);
        if !region.is_empty() {
            attributes.insert("region".to_owned(), BlockValue::Text(region.to_owned()));
        }
    }
    if schema.name == "resources" {
        // These blocks are machines; what can be a container has a configuration of its own.
        let disk = derived::disk_gib(RunnerType::Vm, Provider::Yandex) << 30;
        attributes.entry("disk".to_owned()).or_insert(BlockValue::SizeBytes(disk));
    }
    Block { kind: schema.name.to_owned(), name: None, attributes, blocks: Vec::new() }
}

/// What a `runners_condition` leaves out of its pools holds as directly in `uglyfox`.
fn inherit_pools(uglyfox: &mut Block) {
    let own: Vec<Block> = POOLS.iter().filter_map(|pool| uglyfox.block(pool).cloned()).collect();
    let conditions = uglyfox.blocks.iter_mut().filter(|block| block.kind == "runners_condition");
    for pool in conditions.flat_map(|condition| &mut condition.blocks) {
        for (name, value) in own.iter().filter(|own| own.kind == pool.kind).flat_map(|own| &own.attributes) {
            pool.attributes.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

fn convert_value(value: &Value) -> BlockValue {
    match value {
        Value::String(text) => BlockValue::Text(text.to_string()),
        Value::Int(number) => BlockValue::Int(*number),
        Value::Float(number) => BlockValue::Float(number.get()),
        Value::Bool(flag) => BlockValue::Bool(*flag),
        Value::Duration(seconds) => BlockValue::DurationS(*seconds),
        Value::Size(bytes) => BlockValue::SizeBytes(*bytes),
        Value::Percent(number) => BlockValue::Percent(number.get()),
        Value::Secret(uri) => BlockValue::Secret(uri.uri()),
        Value::Condition(condition) => BlockValue::Condition(Condition::clone(condition)),
        Value::List(values) => BlockValue::List(values.iter().map(convert_value).collect()),
        Value::Map(entries) => BlockValue::Map(
            entries.iter().map(|(name, value)| (name.to_string(), convert_value(value))).collect(),
        ),
    }
}
