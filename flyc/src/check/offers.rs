//! Sizes and what they come to: every block with `resources` is looked up once, for the rules about sizes.
//!
//! Never here: what is told of a size; that is `not_deployable`'s and `larger_machine`'s.

use super::{FileScope, larger_machine, not_deployable};
use crate::{
    artifact::Resources,
    config,
    diag::{Diagnostic, Edit},
    lower::Market,
    model::{TypedAttribute, TypedBlock},
    text::TextRange,
};

pub(super) fn check(scope: &FileScope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for wanted in wanted(scope) {
        let Resources { cpu, memory_mib, .. } = wanted.resources;
        match wanted.market.nearest(cpu, memory_mib) {
            Some(shape) => larger_machine::check(scope, &wanted, &shape, diagnostics),
            None => not_deployable::check(scope, &wanted, diagnostics),
        }
        not_deployable::beyond_local(scope, &wanted, diagnostics);
        diagnostics.extend(not_deployable::no_disk(scope, &wanted));
    }
    let rifts = scope.blocks.iter().filter(|block| block.name == "rift");
    diagnostics.extend(rifts.filter_map(|rift| not_deployable::no_cache(scope, rift)));
}

/// Resources that were asked for.
pub(super) struct Wanted<'a> {
    /// What is made of them, and where.
    pub(super) market: Market<'a>,
    /// How much, with the defaults of what was left out.
    pub(super) resources: Resources,
    owner: &'a TypedBlock,
    block: &'a TypedBlock,
}

/// Every block of the file whose `resources` are known. Where there is no such block the default size holds, which is
/// sold everywhere.
fn wanted<'a>(scope: &FileScope<'a>) -> impl Iterator<Item = Wanted<'a>> {
    scope.blocks.iter().filter_map(|owner| {
        let block = owner.block("resources")?;
        // What a profile leaves open, each egg fills in otherwise.
        if owner.name == "profile"
            && owner.block("cloud").is_none_or(|cloud| cloud.attribute("provider").is_none())
        {
            return None;
        }
        let market = config::market(owner, config::runner_type(owner)?)?;
        Some(Wanted { market, resources: config::resources(owner)?, owner, block })
    })
}

impl<'a> Wanted<'a> {
    /// Where an attribute of the resources stands, or the block when it was left out.
    pub(super) fn place(&self, name: &str) -> TextRange {
        self.block.attribute(name).map_or(self.block.header, |attribute| attribute.range)
    }

    /// What chose the region, should it be written.
    pub(super) fn location(&self) -> Option<&'a TypedAttribute> {
        let cloud = self.owner.block("cloud")?;
        cloud.attribute("zone").or_else(|| cloud.attribute("region"))
    }

    /// What chose the cloud, should it be written.
    pub(super) fn provider(&self) -> Option<&'a TypedAttribute> {
        self.owner.block("cloud")?.attribute("provider")
    }

    /// The edits that give attributes of the resources these values; none when one of them does not stand in the block
    /// itself.
    pub(super) fn edits(&self, values: &[(&str, String)]) -> Vec<Edit> {
        let inherited = self.owner.attribute("extends").map(|extends| extends.range);
        let edits = values.iter().map(|(name, value)| {
            let attribute = self.block.attribute(name)?;
            let own = Some(attribute.range) != inherited;
            own.then(|| Edit { range: attribute.range, text: value.clone() })
        });
        edits.collect::<Option<_>>().unwrap_or_default()
    }
}

/// Memory as it is written.
pub(super) fn size(mib: u64) -> String {
    fly_std::formats::size::print(mib << 20)
}

/// A number of CPUs, in words.
pub(super) fn cpus(count: u32) -> String {
    if count == 1 { "1 CPU".to_owned() } else { format!("{count} CPUs") }
}
