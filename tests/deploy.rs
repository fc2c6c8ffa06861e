//! The orchestrator's `OpenTofu`: eggs of a Nest on this machine, made, put to sleep, woken and destroyed by real `tofu`
//! processes, and what is left when one is killed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "deploy/bench.rs"]
mod bench;

use std::{collections::BTreeMap, fs};

use bench::{Bench, holding, ticket};
use orchestrator::{
    domain::PoolKind::{Apex, Nadir},
    ports::tofu::{Tofu, TofuError},
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
