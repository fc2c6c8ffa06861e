//! What is kept ready: the least number of active runners, and of sleeping ones.

use super::{Desk, Why};
use crate::domain::{Pool, PoolId, Runner, State};

pub(super) fn keep_ready(desk: &mut Desk<'_>) {
    let pools: Vec<_> = desk.eggs.keys().copied().collect();
    for id in pools {
        let Some(pool) = desk.config.pools.get(id) else { continue };
        while desk.of_pool(id).serving < pool.apex.min {
            let Some(name) = poorest(desk, id, false) else { break };
            // Waking one that has to be kept asleep would only ask for another.
            if desk.of_pool(id).asleep > pool.nadir.min {
                desk.add(name, Why::KeptReady);
            } else {
                desk.make(name);
            }
        }
        sleepers(desk, id, pool);
    }
}

/// The least number that sleeps. Those that are awake without need come first; a new one has to come up once before it
/// can sleep, and one that is up already sleeps in its place.
fn sleepers(desk: &mut Desk<'_>, id: &PoolId, pool: &Pool) {
    loop {
        let missing = pool.nadir.min.min(pool.nadir.max).saturating_sub(desk.of_pool(id).asleep);
        if missing == 0 {
            return;
        }
        let above = desk.of_pool(id).serving.saturating_sub(pool.apex.min);
        if above > 0
            && let Some(runner) = spare(desk, id)
        {
            desk.sleep(runner, Why::KeptReady);
            continue;
        }
        // Those that come up without need are on their way there.
        let coming: usize = desk.eggs[id].iter().map(|name| desk.spare(name)).sum();
        if coming.min(above) >= missing {
            return;
        }
        let Some(name) = poorest(desk, id, true) else { return };
        desk.make(name);
    }
}

/// The egg of a pool with the fewest runners that may have one more; `lasting` leaves out those whose runners go after one
/// job and never sleep.
fn poorest<'a>(desk: &Desk<'a>, id: &PoolId, lasting: bool) -> Option<&'a str> {
    let eggs = desk.eggs.get(id)?.iter().copied().filter(|name| desk.has_room(name));
    let fit = eggs.filter(|name| !lasting || desk.egg(name).is_some_and(|(egg, _)| !egg.ephemeral));
    fit.min_by_key(|name| (desk.of_egg(name).serving, *name))
}

/// The runner of a pool that was longest without a job and that nobody waits for.
fn spare<'a>(desk: &Desk<'a>, id: &PoolId) -> Option<&'a Runner> {
    let eggs = desk.eggs.get(id)?.iter().filter(|name| desk.spare(name) > 0);
    let lasting = eggs.filter(|name| desk.egg(name).is_some_and(|(egg, _)| !egg.ephemeral));
    let idle = lasting.flat_map(|name| desk.free(name)).filter(|runner| runner.state == State::Idle);
    idle.min_by_key(|runner| (runner.idle_since, &runner.id))
}
