//! Where the machines of a pool have much to do, one more is brought up before jobs wait for it.

use std::{cmp::Reverse, collections::BTreeMap};

use flyc::artifact::RunnerType;

use super::{Desk, Why};
use crate::domain::{PoolId, Runner, State};

pub(super) fn relieve(desk: &mut Desk<'_>) {
    let pools: Vec<_> = desk.config.relief.keys().collect();
    for id in pools {
        let tally = desk.of_pool(id);
        // One that waits for a job, or comes up, is relief enough.
        if tally.idle + tally.booting == 0
            && is_loaded(desk, id)
            && let Some(name) = busiest(desk, id)
        {
            desk.add(name, Why::Load);
        }
    }
}

/// Whether the machines of a pool that have jobs use more, on average, than one runner less should. Those of which nobody
/// knows don't count, nor do those that another one would not relieve: processes of one machine, and containers.
pub(super) fn is_loaded(desk: &Desk<'_>, id: &PoolId) -> bool {
    let Some(most) = desk.config.relief.get(id) else { return false };
    let busy: Vec<&Runner> = machines(desk, id).collect();
    let over = |most: u16, used: fn(&Runner) -> Option<u16>| {
        let told: Vec<u64> = busy.iter().filter_map(|runner| used(runner)).map(u64::from).collect();
        let number = u64::try_from(told.len()).unwrap_or(u64::MAX);
        number > 0 && told.iter().sum::<u64>() > u64::from(most) * number
    };
    over(most.cpu, |runner| runner.health.cpu) || over(most.memory, |runner| runner.health.memory)
}

/// The machines of a pool that have jobs and were heard of.
fn machines<'a>(desk: &Desk<'a>, id: &PoolId) -> impl Iterator<Item = &'a Runner> {
    let (now, trusted) = (desk.now, desk.config.deadlines.heartbeat);
    let eggs = desk.eggs.get(id).into_iter().flatten();
    let runners: Vec<&'a Runner> = eggs.flat_map(|egg| desk.free(egg)).collect();
    runners.into_iter().filter(move |runner| {
        runner.state == State::Busy
            && runner.runner_type == RunnerType::Vm
            && runner.cloud != "local"
            && runner.heartbeat.is_some_and(|heard| now.since(heard) <= trusted)
    })
}

/// The egg of a pool with the most such machines that may have one more.
fn busiest<'a>(desk: &Desk<'a>, id: &PoolId) -> Option<&'a str> {
    // Counted once: a pool may have very many eggs.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for runner in machines(desk, id) {
        *counts.entry(&runner.egg).or_default() += 1;
    }
    let fit = counts
        .into_iter()
        .filter(|(name, _)| desk.has_room(name) && desk.egg(name).is_some_and(|(egg, _)| !egg.ephemeral));
    fit.max_by_key(|(name, count)| (*count, Reverse(*name))).map(|(name, _)| name)
}
