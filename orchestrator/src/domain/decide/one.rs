//! What must happen to single runners, whatever waits: ends, deadlines, pruning and rules.

use super::{Action, Desk, Why};
use crate::domain::{PoolKind, RuleAction, Runner, State};

pub(super) fn look(desk: &mut Desk<'_>) {
    for runner in desk.fleet.runners().filter(|runner| runner.is_there()) {
        if !end(desk, runner) && !lost(desk, runner) && !prune(desk, runner) {
            rules(desk, runner);
        }
    }
    too_many(desk);
}

/// A runner that is on its way out: it goes as soon as nothing runs on it any more.
fn end<'a>(desk: &mut Desk<'a>, runner: &'a Runner) -> bool {
    let now = desk.now;
    let deadlines = desk.config.deadlines;
    if runner.ending.is_some() {
        desk.take(runner);
        return true;
    }
    let over = desk.config.eggs.get(&runner.egg).and_then(|egg| egg.lifetime);
    let over = over.is_some_and(|most| now.since(runner.woken) >= most);
    if over && runner.is_active() {
        // The platform ends it at this moment whatever it does.
        desk.take(runner);
        desk.actions.push(Action::Destroy { runner: runner.id.clone(), why: Why::Lifetime });
        return true;
    }
    if !matches!(runner.state, State::Failed | State::PendingTermination) {
        return false;
    }
    desk.take(runner);
    let id = runner.id.clone();
    desk.actions.push(if runner.jobs.is_empty() && is_quiet(desk, runner) {
        Action::Destroy { runner: id, why: Why::Finished }
    } else if now.since(runner.changed) >= deadlines.drain {
        Action::Destroy { runner: id, why: Why::DrainDeadline }
    } else {
        Action::Ask { runner: id }
    });
    true
}

/// Whether it is sure that a runner on its way out has no job and gets none: it sleeps; or GitLab says so now, after the
/// runner heard that it shall take none, or when it is not heard of at all.
fn is_quiet(desk: &Desk<'_>, runner: &Runner) -> bool {
    let (now, deadlines) = (desk.now, desk.config.deadlines);
    if runner.settled == PoolKind::Nadir && runner.pool == PoolKind::Nadir {
        return true;
    }
    let silent = runner.heartbeat.is_none_or(|heard| now.since(heard) >= deadlines.heartbeat);
    let from = if silent { Some(runner.changed) } else { runner.drained };
    let Some((word, from)) = runner.word.zip(from) else { return false };
    word >= from && now.since(word) <= deadlines.word
}

/// A runner that is not heard of.
fn lost<'a>(desk: &mut Desk<'a>, runner: &'a Runner) -> bool {
    let (now, deadlines) = (desk.now, desk.config.deadlines);
    let why = if runner.is_booting() {
        (now.since(runner.woken) >= deadlines.boot).then_some(Why::Boot)
    } else if matches!(runner.state, State::Idle | State::Busy) {
        let heard = runner.heartbeat.unwrap_or(runner.woken).max(runner.woken);
        (now.since(heard) >= deadlines.heartbeat).then_some(Why::Silent)
    } else {
        None
    };
    let Some(why) = why else { return false };
    desk.take(runner);
    desk.actions.push(Action::Fail { runner: runner.id.clone(), why });
    true
}

/// A runner that is taken out of service.
fn prune<'a>(desk: &mut Desk<'a>, runner: &'a Runner) -> bool {
    let pruning = desk.config.pruning;
    let Some((egg, _)) = desk.egg(&runner.egg) else {
        desk.drain(runner, Why::EggGone);
        return true;
    };
    let why = if runner.failures >= pruning.failed_threshold {
        Why::Failures
    } else if desk.now.since(runner.made) >= pruning.max_age {
        Why::Age
    } else if egg.ephemeral && runner.done > 0 && runner.state == State::Idle {
        Why::OneJob
    } else if runner.is_asleep() && runner.digest != egg.digest {
        Why::Outdated
    } else {
        return false;
    };
    desk.drain(runner, why);
    true
}

/// The first rule that holds of a runner. One that asks for what can't be done now does nothing.
fn rules<'a>(desk: &mut Desk<'a>, runner: &'a Runner) {
    if desk.config.rules.is_empty() {
        return;
    }
    let Some((egg, pool)) = desk.egg(&runner.egg) else { return };
    let tally = desk.of_pool(&egg.pool);
    let size = if runner.pool == PoolKind::Nadir { tally.asleep } else { tally.serving };
    let facts = runner.facts(size, tally.idle, desk.config.deadlines.heartbeat, desk.now);
    let Some(rule) = desk.config.rules.iter().find(|rule| rule.condition.holds(&facts)) else { return };
    let why = Why::Rule(rule.name.clone());
    match rule.action {
        RuleAction::Terminate => desk.drain(runner, why),
        RuleAction::Demote => {
            if runner.state == State::Idle && tally.asleep < pool.nadir.max {
                desk.sleep(runner, why);
            }
        }
        RuleAction::Promote => {
            if runner.is_asleep() && desk.has_room(&runner.egg) {
                desk.wake(runner, why);
            }
        }
        RuleAction::Alert => {
            desk.actions.push(Action::Alert { runner: runner.id.clone(), rule: rule.name.clone() });
        }
    }
}

/// Where a new configuration allows fewer than there are: those without a job go first, the newest before the others.
fn too_many(desk: &mut Desk<'_>) {
    let names: Vec<_> = desk.config.eggs.keys().map(String::as_str).collect();
    for name in names {
        let Some((egg, pool)) = desk.egg(name) else { continue };
        let is_too_many = |desk: &Desk<'_>| {
            let (serving, of_pool) = (desk.of_egg(name).serving, desk.of_pool(&egg.pool).serving);
            serving > egg.concurrent || (of_pool > pool.apex.max && serving > 0)
        };
        if !is_too_many(desk) {
            continue;
        }
        let mut first: Vec<&Runner> = desk.free(name).filter(|runner| runner.is_serving()).collect();
        first.sort_unstable_by_key(|runner| (runner.jobs.is_empty(), runner.woken, &runner.id));
        while is_too_many(desk) {
            let Some(runner) = first.pop() else { break };
            desk.drain(runner, Why::TooMany);
        }
    }
}
