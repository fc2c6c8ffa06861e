//! What nobody needs: runners that had no job for long enough are put to sleep.

use std::collections::BTreeSet;

use super::{Desk, Why, relief};
use crate::domain::{PoolId, Runner, RunnerId, State};

pub(super) fn put_to_sleep(desk: &mut Desk<'_>) {
    let pools: Vec<_> = desk.eggs.keys().copied().collect();
    for id in pools {
        let Some(pool) = desk.config.pools.get(id) else { continue };
        let mut idle: Vec<&Runner> = Vec::new();
        for name in &desk.eggs[id] {
            let Some((egg, _)) = desk.egg(name) else { continue };
            let timeout = egg.idle_timeout.min(pool.idle_timeout);
            let long = |runner: &&Runner| runner.state == State::Idle && runner.idle_for(desk.now) >= timeout;
            idle.extend(desk.free(name).filter(long));
        }
        idle.sort_unstable_by_key(|runner| (runner.idle_since, &runner.id));
        let rising = rising(desk, id, &idle);
        for runner in idle {
            // What only comes up to sleep must not push out one that is kept ready.
            let missing = pool.nadir.min.min(pool.nadir.max).saturating_sub(desk.of_pool(id).asleep);
            if desk.of_pool(id).serving <= pool.apex.min + rising.min(missing) {
                break;
            }
            // The last one that relieves the others stays as long as they have much to do.
            let tally = desk.of_pool(id);
            if tally.idle + tally.booting <= 1 && relief::is_loaded(desk, id) {
                break;
            }
            // One that a waiting job is about to take stays.
            if desk.spare(&runner.egg) > 0 {
                desk.dismiss(runner, Why::Idle);
            }
        }
    }
}

/// How many of a pool's runners come up, or came up lately, without a job that waits for them, and may sleep then: a new one
/// has to come up once before it can. `long` are those that had no job for long enough.
fn rising(desk: &Desk<'_>, id: &PoolId, long: &[&Runner]) -> usize {
    let long: BTreeSet<&RunnerId> = long.iter().map(|runner| &runner.id).collect();
    let lasting = desk.eggs.get(id).into_iter().flatten();
    let lasting = lasting.filter(|name| desk.egg(name).is_some_and(|(egg, _)| !egg.ephemeral));
    let rising = |name: &&str| {
        let fresh = desk.free(name).filter(|runner| runner.state == State::Idle || runner.is_booting());
        fresh.filter(|runner| !long.contains(&runner.id)).count().min(desk.spare(name))
    };
    lasting.map(rising).sum()
}
