//! A sync that is cut off, at any of its steps: the next one finishes it, and tells the whole.

use orchestrator::{records::SyncStatus, roles::sync::sync};

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn whichever_transaction_is_the_last_the_next_sync_heals() {
    for transactions in 0.. {
        let world = World::new();
        for number in 0..150 {
            world.nest.egg(&format!("egg-{number}"), number + 1, "");
        }
        let commit = world.nest.commit();
        world.store.leave_after(transactions);
        let cut_off = sync(&world.context, "timer").await;
        world.store.come_back();
        if let Ok(done) = cut_off {
            assert!(transactions > 6, "{transactions}: {done:?}");
            return;
        }
        let before = world.in_force_if_any().await;
        assert!(before.is_none_or(|nest| nest.commit.is_none()), "{transactions}");
        let done = world.done().await;
        assert_eq!((done.status, done.changes.added.len()), (SyncStatus::Applied, 150), "{transactions}");
        let nest = world.in_force().await;
        assert_eq!((nest.commit, nest.pending), (Some(commit), None));
        assert_eq!(world.eggs().await.len(), 150);
        assert_eq!(world.history().await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_is_finished_though_the_next_commit_is_broken() {
    let world = World::new();
    for number in 0..150 {
        world.nest.egg(&format!("egg-{number}"), number + 1, "");
    }
    let good = world.nest.commit();
    // The lease, its three renewals, the mark that it has begun, and the first eggs.
    world.store.leave_after(6);
    assert!(sync(&world.context, "timer").await.is_err());
    world.store.come_back();
    let begun = world.in_force().await.pending.expect("it has begun");
    assert_eq!((begun.commit, begun.changes.added.len()), (good.clone(), 150));
    assert!((1..150).contains(&world.eggs().await.len()));

    world.nest.write("Eggs/egg-0/config.fly", "egg");
    world.nest.commit();
    assert_eq!(world.done().await.status, SyncStatus::Broken);
    let nest = world.in_force().await;
    assert_eq!((nest.commit, nest.pending, world.eggs().await.len()), (Some(good), None, 150));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_kept_is_tried_again() {
    let world = World::new();
    world.nest.egg("a", 1, "");
    world.nest.commit();
    world.tofu.fails.store(1, std::sync::atomic::Ordering::SeqCst);
    let done = world.done().await;
    assert_eq!(done.status, SyncStatus::Failed);
    assert!(done.message.unwrap().contains("no room"));
    assert!(world.eggs().await.is_empty());
    assert_eq!(world.done().await.status, SyncStatus::Applied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_data_folder_is_built_anew() {
    let world = World::new();
    world.nest.egg("a", 1, "");
    world.nest.commit();
    world.done().await;
    std::fs::remove_dir_all(world.data().join("nest")).unwrap();
    let kept = &world.tofu.kept;
    assert_eq!(kept.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!(world.sync().await, orchestrator::roles::sync::Synced::Unchanged);
    assert_eq!(kept.load(std::sync::atomic::Ordering::SeqCst), 2);
    assert_eq!(world.history().await.len(), 1);
}
