//! What the waiting jobs need: as many runners as wait for a job or soon will, within every limit.

use super::{Desk, Why};
use crate::domain::{JobId, Runner, State, Time};

pub(super) fn serve(desk: &mut Desk<'_>) {
    // Every job that no runner will take, the one that waits longest first, whichever egg it is of.
    let mut wanted: Vec<(Time, &JobId, &str)> = Vec::new();
    for (egg, line) in &desk.waiting {
        let tally = desk.of_egg(egg);
        let unserved = line.iter().skip(tally.idle + tally.booting);
        wanted.extend(unserved.map(|(since, job)| (*since, *job, *egg)));
    }
    wanted.sort_unstable();
    for (_, _, name) in wanted {
        if desk.has_room(name) {
            desk.add(name, Why::Demand);
        } else {
            make_room(desk, name);
        }
    }
}

/// Where the pool is full, a runner of another egg that nobody waits for gives way; its place is free once it is gone.
fn make_room<'a>(desk: &mut Desk<'a>, name: &str) {
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
    let others = desk.eggs.get(&egg.pool).into_iter().flatten().filter(|other| **other != name);
    let spare = others.filter(|other| desk.spare(other) > 0);
    let idle = spare.flat_map(|other| desk.free(other)).filter(|runner| runner.state == State::Idle);
    let longest: Option<&'a Runner> = idle.min_by_key(|runner| (runner.idle_since, &runner.id));
    if let Some(runner) = longest {
        desk.dismiss(runner, Why::GivesWay);
    }
}
