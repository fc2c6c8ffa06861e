//! Many webhooks at once, and `kill -9` at any instant meanwhile: what was accepted is worked on, and nothing twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests drive real programs"
)]

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use polar_gosling_tests::{
    doubles::storm::{self, Asked},
    need, tools,
};

const EGGS: usize = 8;
const HOOKS: usize = 1000;

/// What doesn't come in so long doesn't come.
const PATIENCE: Duration = Duration::from_mins(5);

/// A webhook says nothing when it was answered; what came of it is seen by what GitLab is asked.
#[test]
fn of_a_thousand_webhooks_at_once_none_is_lost_by_a_kill_and_none_is_worked_on_twice() {
    let mut stage = need!(storm::installation(tools::gosling(), EGGS));
    stage.serve(&[]);
    storm::rest(&stage, PATIENCE, |world| world.runners.len() == EGGS);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut asked = Asked::default();

    // Without a kill: all are accepted, each is worked on once, and the same once more is known.
    let hooks = storm::hooks(&stage, EGGS, HOOKS);
    for outcome in ["accepted", "duplicate"] {
        let answers = runtime.block_on(storm::send(&stage.url(), &hooks, HOOKS));
        let odd: Vec<_> = answers.iter().filter(|answer| answer.outcome != outcome).collect();
        assert_eq!(odd.len(), 0, "{outcome}: {odd:?}");
    }
    storm::rest(&stage, PATIENCE, |_| true);
    let jobs = stage.gitlab.look(|world| asked.read(world).clone());
    assert!(hooks.iter().all(|hook| jobs.contains_key(&hook.job)), "each job was asked for");

    // With one, anywhere between the first webhook and the last.
    let more = storm::hooks(&stage, EGGS, HOOKS);
    let after = Duration::from_micros(RandomState::new().hash_one(stage.process()) % 600_000);
    let url = stage.url();
    let (first, ()) = runtime.block_on(async {
        tokio::join!(storm::send(&url, &more, HOOKS), async {
            tokio::time::sleep(after).await;
            stage.kill();
        })
    });
    stage.serve(&[]);
    let again = runtime.block_on(storm::send(&stage.url(), &more, HOOKS));
    for (first, then) in first.iter().zip(&again) {
        assert!(then.is_taken(), "killed after {after:?}: {then:?}");
        // One that was in the queue may not have been answered any more; never the other way round.
        if first.is_taken() {
            assert_eq!(then.outcome, "duplicate", "killed after {after:?}: it was accepted before");
        }
    }
    storm::rest(&stage, PATIENCE, |_| true);
    let jobs = stage.gitlab.look(|world| asked.read(world).clone());
    assert!(more.iter().all(|hook| jobs.contains_key(&hook.job)), "killed after {after:?}: none is lost");
    for hook in &hooks {
        assert_eq!(jobs[&hook.job], 1, "a webhook is worked on once");
    }
    for hook in &more {
        // What was worked on when it was killed is worked on again.
        assert!(jobs[&hook.job] <= 2, "killed after {after:?}: job {} {}", hook.job, jobs[&hook.job]);
    }
    let dead = stage.status()["status"]["queue"]["dead"].clone();
    assert_eq!(dead, 0, "{}", stage.log());
    assert!(stage.stop().success());
}
