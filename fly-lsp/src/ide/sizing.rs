//! What `resources` come to: the machine or container that a cloud sells.
//!
//! What never lives here: how it is chosen, which the compiler knows.

use fly_std::formats::size;
use flyc::{
    artifact::{Provider, Resources, RunnerType},
    config,
    lower::{Market, Shape},
    model::TypedBlock,
};

/// What is sold for the resources of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sold {
    /// By whom.
    pub(super) provider: Provider,
    /// What was asked for.
    pub(super) asked: Resources,
    /// What is sold.
    pub(super) shape: Shape,
}

/// What is sold for a block's resources: on its cloud, or on each when it leaves that open; nothing when they are not
/// known, or too large to be sold.
pub(super) fn sold(owner: &TypedBlock) -> Vec<Sold> {
    let Some(asked) = config::resources(owner) else { return Vec::new() };
    let sold = |market: Market<'_>| {
        let shape = market.nearest(asked.cpu, asked.memory_mib)?;
        Some(Sold { provider: market.provider, asked, shape })
    };
    let names_cloud = owner.block("cloud").is_some_and(|cloud| cloud.attribute("provider").is_some());
    let runner_type = config::runner_type(owner);
    if owner.name == "profile" && !names_cloud {
        let runner_type = runner_type.unwrap_or(RunnerType::Vm);
        let market = |provider| Market { provider, runner_type, location: "" };
        return Provider::ALL.into_iter().map(market).filter_map(sold).collect();
    }
    let market = runner_type.and_then(|runner_type| config::market(owner, runner_type));
    market.and_then(sold).into_iter().collect()
}

impl Sold {
    /// What it is, as a phrase.
    pub(super) fn words(&self) -> String {
        let Shape { name, cpu, core_fraction, memory_mib } = self.shape;
        let cpus = if cpu == 1 { "1 CPU".to_owned() } else { format!("{cpu} CPUs") };
        let share =
            if core_fraction == 100 { String::new() } else { format!(" at {core_fraction}% of each") };
        format!("`{name}`: {cpus}{share}, {} of memory", memory(memory_mib))
    }
}

/// Memory as it is written.
pub(super) fn memory(mib: u64) -> String {
    size::print(mib << 20)
}
