//! What the waiting jobs need: as many runners as wait for a job or soon will, within every limit.

use std::collections::BTreeMap;

use super::{Desk, Why};
use crate::domain::{JobId, PoolId, Runner, State, Time};

/// The runners of each pool without a job, the one that was longest without behind the others; looked for once.
type Idle<'a> = BTreeMap<&'a PoolId, Vec<&'a Runner>>;

pub(super) fn serve(desk: &mut Desk<'_>) {
    // Every job that no runner will take, the one that waits longest first, whichever egg it is of.
    let mut wanted: Vec<(Time, &JobId, &str)> = Vec::new();
    for (egg, line) in &desk.waiting {
        let tally = desk.of_egg(egg);
        let unserved = line.iter().skip(tally.idle + tally.booting);
        wanted.extend(unserved.map(|(since, job)| (*since, *job, *egg)));
    }
    wanted.sort_unstable();
    let mut idle = Idle::new();
    for (_, _, name) in wanted {
        if desk.has_room(name) {
            desk.add(name, Why::Demand);
        } else {
            make_room(desk, &mut idle, name);
        }
    }
}

/// Where the pool is full, a runner of another egg that nobody waits for gives way; its place is free once it is gone.
fn make_room<'a>(desk: &mut Desk<'a>, idle: &mut Idle<'a>, name: &str) {
    let Some((egg, pool)) = desk.egg(name) else { return };
    let is_full = desk.of_pool(&egg.pool).active >= pool.apex.max;
    if egg.paused || !is_full || desk.of_egg(name).active >= egg.concurrent {
        return;
    }
    // One that gives way already is enough for one that waits.
    let tally = desk.of_pool(&egg.pool);
    if tally.active > tally.serving {
        return;
    }
    let idle = idle.entry(&egg.pool).or_insert_with(|| longest_last(desk, &egg.pool));
    while let Some(runner) = idle.pop() {
        // Nobody waits for it; one that somebody waits for now is waited for until the end, for what is added is waited for.
        if !desk.taken.contains(&runner.id) && desk.spare(&runner.egg) > 0 {
            return desk.dismiss(runner, Why::GivesWay);
        }
    }
}

fn longest_last<'a>(desk: &Desk<'a>, pool: &PoolId) -> Vec<&'a Runner> {
    let eggs = desk.eggs.get(pool).into_iter().flatten();
    let idle = eggs.flat_map(|name| desk.free(name)).filter(|runner| runner.state == State::Idle);
    let mut idle: Vec<&Runner> = idle.collect();
    idle.sort_unstable_by_key(|runner| std::cmp::Reverse((runner.idle_since, &runner.id)));
    idle
}
