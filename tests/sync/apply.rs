//! What comes of pushes: eggs come, change, go and come back; a broken Nest changes nothing.

use orchestrator::{
    records::{Changes, Pin, SyncStatus, Versioned},
    roles::sync::{Synced, sync},
};
use proptest::prelude::*;

use super::{cases::cases, repository::egg, world::World};

fn changes(added: &[&str], changed: &[&str], removed: &[&str]) -> Changes {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Changes { added: list(added), changed: list(changed), removed: list(removed) }
}

#[tokio::test(flavor = "multi_thread")]
async fn eggs_come_change_go_and_come_back() {
    let world = World::new();
    world.nest.egg("a", 1, "");
    world.nest.egg("b", 2, "");
    world.nest.write("Jobs/clean.fly", "job \"clean\" {\n  schedule = \"0 2 * * *\"\n  script   = \"make\"\n  cloud {\n    provider = \"local\"\n  }\n}\n");
    world.nest.write("UF/config.fly", "uglyfox {\n  apex {\n    max_count = 4\n  }\n}\n");
    let first = world.nest.commit();
    let done = world.done().await;
    assert_eq!(
        (done.status, done.commit.as_deref()),
        (SyncStatus::Applied, Some(first.as_str())),
        "{done:?}"
    );
    assert_eq!(done.changes, changes(&["a", "b", "jobs/clean"], &[], &[]));
    let nest = world.in_force().await;
    assert_eq!((nest.commit.as_ref(), nest.seen.as_ref()), (Some(&first), Some(&first)));
    assert_eq!(
        nest.uglyfox.unwrap().block.block("apex").unwrap().attributes["max_count"],
        flyc::artifact::BlockValue::Int(4)
    );
    assert_eq!(world.queue.0.lock().unwrap().len(), 1);

    // Nothing new: nothing but the time of the look is written.
    world.store.take("eggs_config");
    assert_eq!(world.sync().await, Synced::Unchanged);
    assert_eq!(
        (world.store.take("eggs_config"), world.history().await.len(), world.looks("unchanged")),
        (0, 1, 1)
    );
    assert!(world.in_force().await.looked > nest.looked);

    // The numbers that were given of a runner's stay given.
    let mut b = world.eggs().await.remove("b").unwrap();
    b.record.next_number = 9;
    let write = Versioned { record: b.record.clone(), version: b.version }.update();
    orchestrator::ports::store::Store::commit(&*world.store, vec![write]).await.unwrap();
    world.store.take("eggs_config");

    world.nest.remove("Eggs/b/config.fly");
    world.nest.egg("a", 1, "  environment {\n    X = \"1\"\n  }\n");
    let second = world.nest.commit();
    let done = world.done().await;
    assert_eq!(done.changes, changes(&[], &["a"], &["b"]));
    assert_eq!(world.store.take("eggs_config"), 2);
    let eggs = world.eggs().await;
    assert!(eggs["b"].record.removed && eggs["b"].record.next_number == 9);
    assert_eq!((eggs["a"].record.commit.as_str(), eggs["a"].record.revision), (second.as_str(), 2));
    assert_eq!(
        (eggs["jobs/clean"].record.commit.as_str(), eggs["jobs/clean"].record.revision),
        (first.as_str(), 1)
    );

    world.nest.egg("b", 2, "");
    world.nest.commit();
    assert_eq!(world.done().await.changes, changes(&["b"], &[], &[]));
    let b = world.eggs().await.remove("b").unwrap().record;
    assert_eq!((b.removed, b.next_number, b.revision), (false, 9, 1));

    // What is kept of commits is what is in force.
    for folder in ["commits", "builds"] {
        let kept = std::fs::read_dir(world.data().join("nest").join(folder)).unwrap().count();
        assert_eq!(kept, 1, "{folder}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_refers_to_any_more_is_not_kept() {
    let world = World::new();
    let kept = || {
        let wanted = world.tofu.wanted.lock().unwrap();
        wanted.iter().map(|(_, digest)| digest.clone()).collect::<Vec<_>>()
    };
    let digest = async || world.eggs().await.remove("a").unwrap().record.digest;
    world.nest.egg("a", 1, "");
    world.nest.commit();
    world.done().await;
    let first = digest().await;
    assert_eq!(kept(), std::slice::from_ref(&first));
    let change = async |value: &str| {
        world.nest.egg("a", 1, &format!("  environment {{\n    X = \"{value}\"\n  }}\n"));
        world.nest.commit();
        world.done().await;
        digest().await
    };
    // A deployment may have begun with what was in force until now.
    let second = change("2").await;
    let mut both = vec![first.clone(), second.clone()];
    both.sort();
    assert_eq!(kept(), both);
    // What a rollback holds to stays, and what a plan was made from.
    let mut a = world.eggs().await.remove("a").unwrap();
    let pin = Pin { digest: first.clone(), commit: String::new(), plan: String::new(), over: second.clone() };
    a.record.pinned = Some(pin);
    let write = Versioned { record: a.record.clone(), version: a.version }.update();
    orchestrator::ports::store::Store::commit(&*world.store, vec![write]).await.unwrap();
    let third = change("3").await;
    let fourth = change("4").await;
    let mut three = vec![first, third, fourth];
    three.sort();
    assert_eq!(kept(), three);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_a_variable_is_like_a_commit() {
    let mut world = World::new();
    world.nest.write("nest.fly", "variable \"mark\" {\n  default = \"none\"\n}\n");
    world.nest.egg("a", 1, "  environment {\n    X = var.mark\n  }\n");
    world.nest.commit();
    world.done().await;
    let before = world.eggs().await.remove("a").unwrap().record.digest;
    let mut settings = orchestrator::settings::Settings::clone(&world.context.settings);
    settings.nest.variables = [("mark".to_owned(), "seen".to_owned())].into();
    world.context.settings = std::sync::Arc::new(settings.clone());
    assert_eq!(world.done().await.changes, changes(&[], &["a"], &[]));
    assert_ne!(world.eggs().await.remove("a").unwrap().record.digest, before);
    assert_eq!(world.sync().await, Synced::Unchanged);
    settings.nest.variables = [("marc".to_owned(), "seen".to_owned())].into();
    world.context.settings = std::sync::Arc::new(settings);
    let done = world.done().await;
    assert_eq!(done.status, SyncStatus::Broken);
    assert!(done.message.unwrap().contains("`marc`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_nest_changes_nothing_and_says_why() {
    let world = World::new();
    world.nest.egg("a", 1, "");
    let good = world.nest.commit();
    world.done().await;
    let before = world.eggs().await;

    world.nest.egg("a", 1, "  runer {\n  }\n");
    world.nest.egg("b", 2, "");
    let bad = world.nest.commit();
    let done = world.done().await;
    assert_eq!((done.status, done.commit.as_deref()), (SyncStatus::Broken, Some(bad.as_str())));
    let message = done.message.clone().unwrap();
    assert!(message.starts_with("Eggs/a/config.fly:16:3: error[unknown-block] "), "{message}");
    assert!(!message.contains(world.folder.path().to_str().unwrap()), "{message}");
    assert_eq!(world.eggs().await, before);
    assert_eq!(world.in_force().await.commit, Some(good));
    assert_eq!(world.history().await.last(), Some(&done));
    // It is told once.
    assert_eq!(world.sync().await, Synced::Unchanged);
    assert_eq!((world.history().await.len(), world.looks("broken")), (2, 1));

    world.nest.egg("a", 1, "");
    world.nest.commit();
    let done = world.done().await;
    assert_eq!((done.status, done.changes), (SyncStatus::Applied, changes(&["b"], &[], &[])));

    // Nor does a repository from which everything was taken away.
    world.nest.git(&["rm", "-r", "--quiet", "Eggs"]);
    world.nest.commit();
    let done = world.done().await;
    assert_eq!(done.status, SyncStatus::Broken);
    assert!(done.message.unwrap().starts_with("there is no Nest at the top of the repository"));
    assert!(world.eggs().await.values().all(|egg| !egg.record.removed));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_the_branch_counts_also_when_it_was_forced_back() {
    let world = World::new();
    world.nest.egg("a", 1, "");
    let first = world.nest.commit();
    world.done().await;
    world.nest.egg("b", 2, "");
    world.nest.commit();
    world.done().await;
    world.nest.git(&["reset", "--hard", "--quiet", &first]);
    let done = world.done().await;
    assert_eq!((done.commit, done.changes), (Some(first), changes(&[], &[], &["b"])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_not_to_be_had_is_told_once() {
    let world = World::new();
    // There is no branch before the first commit.
    let done = world.done().await;
    assert_eq!(done.status, SyncStatus::Failed);
    assert!(done.message.unwrap().contains("couldn't find remote ref refs/heads/main"));
    world.done().await;
    assert_eq!((world.history().await.len(), world.looks("failed")), (1, 2));
    world.nest.egg("a", 1, "");
    world.nest.commit();
    assert_eq!(world.done().await.status, SyncStatus::Applied);
    assert_eq!(world.in_force().await.failure, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_looks_at_a_time() {
    let world = World::new();
    world.nest.egg("a", 1, "");
    world.nest.commit();
    let now = world.context.ports.clock.now();
    let span = std::time::Duration::from_hours(1);
    let held =
        orchestrator::records::acquire(&*world.store, "sync", "another", span, now).await.unwrap().unwrap();
    assert_eq!(world.sync().await, Synced::Elsewhere);
    orchestrator::records::release(&*world.store, &held, now).await.unwrap();
    assert_eq!(world.done().await.status, SyncStatus::Applied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_eggs_and_only_what_changed_is_written() {
    let world = World::new();
    for number in 0..1000 {
        world.nest.egg(&format!("egg-{number}"), number + 1, "");
    }
    world.nest.commit();
    assert_eq!(world.done().await.changes.added.len(), 1000);
    assert_eq!(world.store.take("eggs_config"), 1000);
    for number in [3, 500, 999] {
        world.nest.egg(&format!("egg-{number}"), number + 2000, "");
    }
    world.nest.commit();
    let done = world.done().await;
    assert_eq!(done.changes, changes(&[], &["egg-3", "egg-500", "egg-999"], &[]));
    assert_eq!(world.store.take("eggs_config"), 3);
    // A change that is no egg's changes no egg's row.
    world.nest.write("README.md", "x");
    let last = world.nest.commit();
    world.done().await;
    assert_eq!((world.store.take("eggs_config"), world.in_force().await.commit), (0, Some(last)));
}

proptest! {
    #![proptest_config(cases(100))]

    /// Whatever an egg's configuration was and becomes, once the push is synced the record that new runners are made from has
    /// the new one, and its digest differs whenever the configuration does.
    #[test]
    fn property_28_config_update_application(updates in prop::collection::vec((1..4_u64, 1..60_u64), 1..3)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let mut digests: std::collections::BTreeMap<(u64, u64), String> = std::collections::BTreeMap::new();
            for (cpu, minutes) in updates {
                let text = egg("a", 1, &format!("  resources {{\n    cpu = {cpu}\n  }}\n"))
                    .replace("tags =", &format!("timeout = {}m\n    tags =", minutes + 1));
                world.nest.write("Eggs/a/config.fly", &text);
                let commit = world.nest.commit();
                let done = sync(&world.context, "push").await.unwrap();
                prop_assert!(matches!(&done, Synced::Done(record) if record.status == SyncStatus::Applied), "{:?}", done);
                let a = world.eggs().await.remove("a").unwrap().record;
                let orchestrator::records::Served::Egg(config) = &a.served else { panic!("an egg") };
                prop_assert_eq!(u64::from(config.resources.cpu), cpu);
                prop_assert_eq!(config.runner.timeout_s, (minutes + 1) * 60);
                let rules = orchestrator::nest::config(std::slice::from_ref(&a), None, world.context.settings.deadlines);
                prop_assert_eq!(&rules.eggs["a"].digest, &a.digest);
                let in_force = world.in_force().await.commit;
                prop_assert_eq!(in_force, Some(commit));
                digests.insert((cpu, minutes), a.digest);
            }
            let differ: std::collections::BTreeSet<&String> = digests.values().collect();
            prop_assert_eq!(differ.len(), digests.len());
            Ok(())
        })?;
    }
}
