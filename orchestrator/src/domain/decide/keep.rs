//! What is kept ready: the least number of active runners, and of sleeping ones.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Desk, Why};
use crate::domain::{Pool, PoolId, Runner, RunnerId, State, Time};

pub(super) fn keep_ready(desk: &mut Desk<'_>) {
    let pools: Vec<_> = desk.eggs.keys().copied().collect();
    for id in pools {
        let Some(pool) = desk.config.pools.get(id) else { continue };
        if desk.of_pool(id).serving < pool.apex.min {
            let mut line = Line::new(desk, id, false);
            while desk.of_pool(id).serving < pool.apex.min {
                let Some(name) = line.poorest(desk) else { break };
                // Waking one that has to be kept asleep would only ask for another.
                if desk.of_pool(id).asleep > pool.nadir.min {
                    desk.add(name, Why::KeptReady);
                } else {
                    desk.make(name);
                }
                line.changed(desk, name);
            }
        }
        if missing(desk, id, pool) > 0 {
            sleepers(desk, id, pool);
        }
    }
}

/// How many more have to sleep.
fn missing(desk: &Desk<'_>, id: &PoolId, pool: &Pool) -> usize {
    pool.nadir.min.min(pool.nadir.max).saturating_sub(desk.of_pool(id).asleep)
}

/// The least number that sleeps. Those that are awake without need come first; a new one has to come up once before it
/// can sleep, and one that is up already sleeps in its place.
fn sleepers(desk: &mut Desk<'_>, id: &PoolId, pool: &Pool) {
    let mut line = Line::new(desk, id, true);
    let mut spare = Spare::new(desk, id);
    let mut coming: usize = desk.eggs[id].iter().map(|name| desk.spare(name)).sum();
    loop {
        let missing = missing(desk, id, pool);
        if missing == 0 {
            return;
        }
        let above = desk.of_pool(id).serving.saturating_sub(pool.apex.min);
        let idle = if above > 0 { spare.longest() } else { None };
        let name: &str = match idle {
            Some((name, _)) => name,
            // Those that come up without need are on their way there.
            None if coming.min(above) >= missing => return,
            None => match line.poorest(desk) {
                Some(name) => name,
                None => return,
            },
        };
        coming -= desk.spare(name);
        match idle {
            Some((_, runner)) => desk.sleep(runner, Why::KeptReady),
            None => desk.make(name),
        }
        coming += desk.spare(name);
        line.changed(desk, name);
        spare.changed(desk, name);
    }
}

/// The eggs of a pool that may have one more runner, the poorest first. What an egg has room for only gets less.
struct Line<'a> {
    first: BTreeSet<(usize, &'a str)>,
    places: BTreeMap<&'a str, usize>,
}

impl<'a> Line<'a> {
    /// `lasting` leaves out eggs whose runners go after one job and never sleep.
    fn new(desk: &Desk<'a>, id: &PoolId, lasting: bool) -> Self {
        let eggs = desk.eggs.get(id).into_iter().flatten().copied();
        let eggs = eggs.filter(|name| desk.has_room(name));
        let fit = eggs.filter(|name| !lasting || is_lasting(desk, name));
        let places: BTreeMap<&str, usize> = fit.map(|name| (name, desk.of_egg(name).serving)).collect();
        Self { first: places.iter().map(|(name, serving)| (*serving, *name)).collect(), places }
    }

    /// The one with the fewest runners.
    fn poorest(&mut self, desk: &Desk<'a>) -> Option<&'a str> {
        while let Some(&(serving, name)) = self.first.first() {
            if desk.has_room(name) {
                return Some(name);
            }
            self.first.remove(&(serving, name));
            self.places.remove(name);
        }
        None
    }

    /// An egg has more runners, or fewer.
    fn changed(&mut self, desk: &Desk<'a>, name: &'a str) {
        if let Some(place) = self.places.get_mut(name) {
            self.first.remove(&(*place, name));
            *place = desk.of_egg(name).serving;
            self.first.insert((*place, name));
        }
    }
}

/// The runners of a pool that nobody waits for.
struct Spare<'a> {
    /// Of each egg, the one that was longest without a job behind the others.
    idle: BTreeMap<&'a str, Vec<&'a Runner>>,
    /// The last of each egg that has more than are waited for.
    first: BTreeSet<(Time, &'a RunnerId, &'a str)>,
}

impl<'a> Spare<'a> {
    fn new(desk: &Desk<'a>, id: &PoolId) -> Self {
        let eggs = desk.eggs.get(id).into_iter().flatten().copied();
        let mut spare = Self { idle: BTreeMap::new(), first: BTreeSet::new() };
        for name in eggs.filter(|name| is_lasting(desk, name)) {
            let mut idle: Vec<&Runner> =
                desk.free(name).filter(|runner| runner.state == State::Idle).collect();
            idle.sort_unstable_by_key(|runner| Reverse((runner.idle_since, &runner.id)));
            spare.idle.insert(name, idle);
            spare.changed(desk, name);
        }
        spare
    }

    /// The one that was longest without a job, and its egg.
    fn longest(&self) -> Option<(&'a str, &'a Runner)> {
        let (_, _, name) = self.first.first()?;
        Some((name, self.idle.get(name)?.last()?))
    }

    /// Something was decided of an egg's runners.
    fn changed(&mut self, desk: &Desk<'a>, name: &'a str) {
        let Some(idle) = self.idle.get_mut(name) else { return };
        while let Some(last) = idle.last() {
            let place = (last.idle_since, &last.id, name);
            let is_free = !desk.taken.contains(&last.id);
            if is_free && desk.spare(name) > 0 {
                self.first.insert(place);
                return;
            }
            self.first.remove(&place);
            if is_free {
                return;
            }
            idle.pop();
        }
    }
}

fn is_lasting(desk: &Desk<'_>, name: &str) -> bool {
    desk.egg(name).is_some_and(|(egg, _)| !egg.ephemeral)
}
