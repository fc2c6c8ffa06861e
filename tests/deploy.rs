//! The orchestrator's `OpenTofu`: eggs of a Nest on this machine, made, put to sleep, woken and destroyed by real `tofu`
//! processes, and what is left when one is killed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "this is a test"
)]

#[path = "deploy/bench.rs"]
mod bench;
#[path = "deploy/preview.rs"]
mod preview;

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use bench::{Bench, alive, eventually, holding, script, ticket};
use orchestrator::{
    domain::PoolKind::{self, Apex, Nadir},
    ports::{
        secrets::Secret,
        tofu::{FoundLock, PlanRequest, Tofu, TofuError},
    },
};
use polar_gosling_tests::need;

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_made_sleeps_wakes_and_goes() {
    let bench = need!(Bench::new(&["docs"]).await);
    let none = bench.adapter.state("docs").await.unwrap();
    assert_eq!((none.lineage.as_str(), none.serial), ("", 0));

    let request = bench.request("docs", &[("a", Apex), ("b", Nadir)]);
    let planned = bench.adapter.plan(&request).await.unwrap();
    assert_eq!(planned.on, none);
    let changes: Vec<_> = planned.changes.iter().map(|(what, how)| (what.as_str(), how.as_str())).collect();
    assert_eq!(
        changes,
        [
            ("module.runner[\"a\"].terraform_data.home", "create"),
            ("module.runner[\"a\"].terraform_data.process[0]", "create"),
            ("module.runner[\"b\"].terraform_data.home", "create"),
        ]
    );
    let applied = bench.adapter.apply(&request, &planned.binary).await.unwrap();
    assert_eq!(applied.state, bench.adapter.state("docs").await.unwrap());
    assert!(!applied.state.lineage.is_empty());
    assert_eq!(applied.outputs["runners"]["a"]["pool"], "apex");
    let first = bench.process("a").unwrap();
    assert_eq!(bench.process("b"), None);
    assert_eq!(fs::read_to_string(bench.home("a").join("ticket")).unwrap().trim(), ticket("a"));

    // The same again is nothing to do.
    let same = bench.adapter.plan(&request).await.unwrap();
    assert_eq!(same.changes, BTreeMap::new());
    assert_eq!(same.on, applied.state);
    assert_eq!(bench.adapter.apply(&request, &same.binary).await.unwrap().outputs, applied.outputs);
    assert_eq!(bench.process("a"), Some(first));

    let applied = bench.deploy("docs", &[("a", Nadir), ("b", Apex)]).await.unwrap();
    assert_eq!(applied.outputs["runners"]["a"]["pool"], "nadir");
    assert_eq!(bench.process("a"), None);
    assert!(bench.process("b").is_some());

    let failure = bench.adapter.forget("docs").await.unwrap_err().to_string();
    assert!(failure.contains("still exist"), "{failure}");
    bench.deploy("docs", &[]).await.unwrap();
    assert!(!bench.home("a").exists() && !bench.home("b").exists());
    bench.adapter.forget("docs").await.unwrap();
    assert_eq!(bench.adapter.state("docs").await.unwrap(), none);
    assert_eq!(bench.verbs().iter().filter(|verb| *verb == "init").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_applied_once_and_on_its_own_state() {
    let bench = need!(Bench::new(&["docs"]).await);
    let (one, two) = (bench.request("docs", &[("a", Nadir)]), bench.request("docs", &[("b", Nadir)]));
    let first = bench.adapter.plan(&one).await.unwrap();
    let second = bench.adapter.plan(&two).await.unwrap();
    bench.adapter.apply(&one, &first.binary).await.unwrap();
    for (request, plan) in [(&one, &first), (&two, &second)] {
        let refused = bench.adapter.apply(request, &plan.binary).await.unwrap_err();
        assert!(matches!(refused, TofuError::Stale { .. }), "{refused}");
    }
    assert!(bench.home("a").exists() && !bench.home("b").exists());
    bench.deploy("docs", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_its_own_folder_has_a_ticket() {
    let bench = need!(Bench::new(&["docs"]).await);
    let request = bench.request("docs", &[("a", Apex), ("b", Apex)]);
    let planned = bench.adapter.plan(&request).await.unwrap();
    assert_eq!(holding(bench.folder.path(), "ticket-that-nobody-sees"), [] as [std::path::PathBuf; 0]);
    bench.adapter.apply(&request, &planned.binary).await.unwrap();
    for id in ["a", "b"] {
        assert_eq!(holding(bench.folder.path(), &ticket(id)), [bench.home(id).join("ticket")]);
        // Neither has the runner inherited any.
        let environment = fs::read(format!("/proc/{}/environ", bench.process(id).unwrap())).unwrap();
        assert!(!String::from_utf8_lossy(&environment).contains("ticket-that-nobody-sees"));
    }
    bench.deploy("docs", &[]).await.unwrap();
}

/// A fleet of one that is awake.
const AWAKE: &[(&str, PoolKind)] = &[("a", Apex)];

#[tokio::test(flavor = "multi_thread")]
async fn tofu_init_runs_when_a_module_changes_and_never_else() {
    let mut bench = need!(Bench::new(&["docs"]).await);
    let inits = |bench: &Bench| bench.verbs().iter().filter(|verb| *verb == "init").count();
    bench.deploy("docs", &[("a", Nadir)]).await.unwrap();
    let before = bench.bundles["docs"].clone();
    bench.nest(&[("docs", "another-tag"), ("more", "docs")]).await;
    assert_ne!(bench.bundles["docs"], before, "another tag is another bundle");
    bench.deploy("docs", &[("a", Nadir)]).await.unwrap();
    // A restarted gosling finds the same workspace.
    bench.restart(|_| {});
    bench.deploy("docs", &[("a", Nadir)]).await.unwrap();
    assert_eq!(inits(&bench), 1);
    // Somebody has cleaned up.
    fs::remove_dir_all(bench.workspace("docs").join("eggs/docs/.terraform")).unwrap();
    bench.deploy("docs", &[]).await.unwrap();
    assert_eq!(inits(&bench), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_stays_until_nobody_refers_to_it() {
    let mut bench = need!(Bench::new(&["docs", "other"]).await);
    let before = bench.request("docs", &[("a", Nadir)]);
    bench.nest(&[("docs", "another-tag")]).await;
    bench.adapter.prune(&[before.bundle.clone(), bench.bundles["docs"].clone()]).await.unwrap();
    bench.adapter.plan(&before).await.unwrap();
    bench.adapter.prune(&[bench.bundles["docs"].clone()]).await.unwrap();
    let gone = bench.adapter.plan(&before).await.unwrap_err();
    assert!(matches!(gone, TofuError::NoBundle { .. }), "{gone}");
    bench.adapter.plan(&bench.request("docs", &[("a", Nadir)])).await.unwrap();
    let left = fs::read_dir(bench.data().join("tofu/bundles")).unwrap().count();
    assert_eq!(left, 1, "`other` has nothing any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_was_left_behind_is_found_and_freed_and_the_next_apply_mends() {
    let bench = need!(Bench::new(&["docs"]).await);
    let bench = Arc::new(bench);
    bench.hold();
    let apply = {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.deploy("docs", AWAKE).await })
    };
    eventually("the apply is in its middle", || bench.is_held() && bench.run("docs").is_some()).await;
    bench.kill_run("docs");
    let failure = apply.await.unwrap().unwrap_err();
    assert!(matches!(failure, TofuError::Failed { transient: true, .. }), "{failure}");
    bench.let_go();

    let request = bench.request("docs", AWAKE);
    let TofuError::Locked { lock, .. } = bench.adapter.plan(&request).await.unwrap_err() else {
        panic!("the lock isn't found")
    };
    assert_eq!(lock.operation, "OperationTypeApply");
    assert!(lock.who.contains('@') && !lock.created.is_empty(), "{lock:?}");
    let other = FoundLock { id: "another".into(), ..lock.clone() };
    let refused = bench.adapter.unlock("docs", &other).await.unwrap_err();
    assert!(matches!(refused, TofuError::Locked { .. }), "{refused}");
    bench.adapter.unlock("docs", &lock).await.unwrap();
    bench.adapter.unlock("docs", &lock).await.unwrap();
    bench.deploy("docs", AWAKE).await.unwrap();
    assert!(bench.process("a").is_some());
    bench.deploy("docs", &[]).await.unwrap();
    assert!(!bench.home("a").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_outlives_its_gosling_is_waited_for() {
    let mut bench = need!(Bench::new(&["docs"]).await);
    bench.hold();
    let request = bench.request("docs", AWAKE);
    let plan = bench.adapter.plan(&request).await.unwrap();
    {
        let apply = bench.adapter.apply(&request, &plan.binary);
        tokio::select! {
            _ = apply => panic!("it can't end"),
            () = eventually("the apply is in its middle", || bench.is_held() && bench.run("docs").is_some()) => {}
        }
    }
    bench.restart(|_| {});
    let run = bench.run("docs").unwrap();
    assert!(alive(run), "nobody ends an apply by going away");
    let (state, ()) = tokio::join!(bench.adapter.state("docs"), async {
        // The state is not told while it changes.
        tokio::task::yield_now().await;
        assert!(alive(run));
        bench.let_go();
    });
    assert!(!alive(run) && bench.run("docs").is_none());
    assert!(!state.unwrap().lineage.is_empty());
    assert!(bench.process("a").is_some());
    assert_eq!(bench.adapter.plan(&request).await.unwrap().changes, BTreeMap::new());
    bench.deploy("docs", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_never_ends_is_ended() {
    let mut bench = need!(Bench::new(&["docs"]).await);
    bench.hold();
    let request = bench.request("docs", AWAKE);
    let plan = bench.adapter.plan(&request).await.unwrap();
    {
        let apply = bench.adapter.apply(&request, &plan.binary);
        tokio::select! {
            _ = apply => panic!("it can't end"),
            () = eventually("the apply is in its middle", || bench.is_held() && bench.run("docs").is_some()) => {}
        }
    }
    let run = bench.run("docs").unwrap();
    let forever = bench.holder();
    bench.restart(|options| {
        options.patience = Duration::from_millis(50);
        options.grace = Duration::from_secs(3);
    });
    // Whatever its end was like, the next apply goes well.
    match bench.adapter.plan(&request).await {
        Err(TofuError::Locked { lock, .. }) => bench.adapter.unlock("docs", &lock).await.unwrap(),
        other => drop(other.unwrap()),
    }
    assert!(!alive(run));
    eventually("what it had started is gone as well", || !alive(forever)).await;
    bench.let_go();
    bench.deploy("docs", AWAKE).await.unwrap();
    bench.deploy("docs", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_nobody_waits_for_is_ended() {
    let bench = need!(Bench::new(&["docs"]).await);
    let request = bench.request("docs", AWAKE);
    bench.adapter.plan(&request).await.unwrap();
    bench.hold_plans();
    {
        let plan = bench.adapter.plan(&request);
        tokio::select! {
            _ = plan => panic!("it can't end"),
            () = eventually("the plan runs", || bench.is_held() && bench.run("docs").is_some()) => {}
        }
    }
    let run = bench.run("docs").unwrap();
    eventually("it is gone", || !alive(run)).await;
    bench.let_go();
    bench.adapter.plan(&request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_somebody_works_on_is_locked() {
    let bench = need!(Bench::new(&["docs"]).await);
    bench.deploy("docs", &[("b", Nadir)]).await.unwrap();
    bench.hold();
    // By hand, with none of our accounts.
    let mut by_hand = bench.by_hand("docs", &[("a", Nadir), ("b", Nadir)]);
    eventually("the apply is in its middle", || bench.is_held()).await;
    let TofuError::Locked { lock, .. } = bench.adapter.plan(&bench.request("docs", &[])).await.unwrap_err()
    else {
        panic!("it isn't locked")
    };
    let refused = bench.adapter.unlock("docs", &lock).await.unwrap_err();
    assert!(matches!(refused, TofuError::Failed { transient: true, .. }), "{refused}");
    bench.let_go();
    by_hand.wait().unwrap();
    bench.deploy("docs", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_owners_go_side_by_side() {
    let names: Vec<String> = (0..20).map(|number| format!("egg-{number}")).collect();
    let bench = need!(Bench::new(&names.iter().map(String::as_str).collect::<Vec<_>>()).await);
    let bench = Arc::new(bench);
    for awake in [true, false] {
        let mut all = tokio::task::JoinSet::new();
        for name in names.clone() {
            let bench = Arc::clone(&bench);
            all.spawn(async move {
                let id = format!("{name}-r");
                let fleet = if awake { vec![(id.as_str(), Nadir)] } else { Vec::new() };
                bench.deploy(&name, &fleet).await.unwrap();
                assert_eq!(bench.home(&id).exists(), awake);
            });
        }
        while let Some(done) = all.join_next().await {
            done.unwrap();
        }
    }
    assert_eq!(fs::read_dir(bench.adapter.runners_folder()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_told_in_the_nests_words_and_without_secrets() {
    let mut bench = need!(Bench::new(&["docs"]).await);
    let mut request = bench.request("docs", AWAKE);
    request.environment.insert("CLOUD_TOKEN".into(), Secret::new("s3cret-of-the-cloud"));
    request.variables.insert("gosling".into(), "/nowhere/s3cret-of-the-cloud/gosling".into());
    let failure = async |bench: &Bench, request: &PlanRequest| {
        let plan = bench.adapter.plan(request).await.unwrap();
        bench.adapter.apply(request, &plan.binary).await.unwrap_err()
    };
    let found = failure(&bench, &request).await;
    let TofuError::Failed { message, transient: false, .. } = &found else { panic!("{found}") };
    assert!(message.starts_with("Eggs/docs/config.fly:1:"), "{message}");
    assert!(message.contains("there is no program") && message.contains("***MASKED***"), "{message}");
    assert!(!message.contains("has changed since"), "{message}");
    for told in [found.to_string(), format!("{found:?}")] {
        assert!(!told.contains("s3cret-of-the-cloud") && !told.contains("ticket-that-nobody-sees"), "{told}");
    }

    // The egg moves within its file: nothing of it changes but the line.
    let before = bench.bundles["docs"].clone();
    bench.moved_down("docs", 2).await;
    assert_eq!(bench.bundles["docs"], before);
    let TofuError::Failed { message, .. } = failure(&bench, &request).await else { panic!() };
    assert!(message.starts_with("Eggs/docs/config.fly:3:"), "{message}");

    let mut wrong = bench.request("docs", AWAKE);
    wrong.variables.insert("orchestrator_url".into(), "file:///etc/passwd".into());
    let TofuError::Failed { message, .. } = bench.adapter.plan(&wrong).await.unwrap_err() else { panic!() };
    assert!(message.contains("The orchestrator's URL begins with"), "{message}");
    bench.deploy("docs", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tofu_that_is_missing_or_too_old_is_told() {
    let mut bench = need!(Bench::new(&["docs"]).await);
    let request = bench.request("docs", AWAKE);
    let absent = async |bench: &Bench| match bench.adapter.plan(&request).await.unwrap_err() {
        TofuError::Absent(reason) => reason,
        other => panic!("{other}"),
    };
    let nowhere = bench.folder.path().join("nowhere");
    bench.restart(|options| options.program = Some(nowhere));
    assert!(absent(&bench).await.contains("give the path of `tofu`"));
    bench.restart(|options| {
        options.program = None;
        options.environment.insert("PATH".into(), "/nowhere".into());
    });
    assert!(absent(&bench).await.contains("install OpenTofu"));
    let old = script(&bench.folder.path().join("old"), "echo '{\"terraform_version\":\"1.9.4\"}'");
    bench.restart(|options| options.program = Some(old));
    let told = absent(&bench).await;
    assert!(told.contains("1.9.4") && told.contains("1.11.0 or newer"), "{told}");
}
