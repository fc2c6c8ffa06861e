//! What nobody needs: runners that had no job for long enough are put to sleep.

use super::{Desk, Why};
use crate::domain::{Runner, State};

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
        for runner in idle {
            if desk.of_pool(id).serving <= pool.apex.min {
                break;
            }
            // One that a waiting job is about to take stays.
            if desk.spare(&runner.egg) > 0 {
                desk.dismiss(runner, Why::Idle);
            }
        }
    }
}
