//! What goes wrong in a cloud, and that the next apply mends it: real `OpenTofu` over what `flyc build` wrote, in a fake
//! cloud that throttles, fails, dies, drifts and is slow when it is asked to.
//!
//! Never here: fleets without faults, which are `fleet.rs`'s.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "tofu/bench.rs"]
mod bench;
#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "fleet/egg.rs"]
mod egg;

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bench::{changes, complaint};
use egg::{AWS_VM, Egg, Fleet, Shape, Wanted, YANDEX_VM};
use flyc::artifact::Provider;
use polar_gosling_tests::need;
use serde_json::json;

const APPLY: &[&str] = &["apply", "-auto-approve", "-input=false", "-no-color"];

/// A fleet of runners that are awake.
fn awake(ids: &[&str]) -> Fleet {
    ids.iter().map(|&id| (id.to_owned(), Wanted { awake: true, image: None, commit: "c0ffee" })).collect()
}

/// The runners in `OpenTofu`'s state, by the id that the cloud knows them by.
fn in_state(egg: &Egg) -> BTreeMap<String, String> {
    let state: serde_json::Value = serde_json::from_str(&egg.bench.tofu(&["show", "-json"])).unwrap();
    let modules = state["values"]["root_module"]["child_modules"].as_array().cloned().unwrap_or_default();
    let resources =
        modules.iter().flat_map(|module| module["resources"].as_array().cloned().unwrap_or_default());
    resources
        .filter(|resource| resource["type"] == egg.runner() && resource["mode"] == "managed")
        .map(|resource| {
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (text(&resource["values"]["id"]), text(&resource["address"]))
        })
        .collect()
}

/// An apply that fails; gives what was said.
fn fails(egg: &Egg) -> String {
    let output = egg.bench.try_tofu(APPLY);
    let said = complaint(&output);
    assert!(!output.status.success(), "{said}");
    said
}

/// The fleet is there and nothing else is, in the cloud and in the state.
fn is_whole(egg: &Egg, fleet: &Fleet) {
    let seen = egg.seen();
    assert!(seen.keys().eq(fleet.keys()) && seen.values().all(|runner| runner.awake), "{seen:#?}");
    let here: BTreeSet<_> = seen.into_values().map(|runner| runner.identity).collect();
    assert_eq!(here, in_state(egg).into_keys().collect());
    egg.bench.is_settled();
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_mins(1), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A cloud that asks for patience gets it, and one that goes on asking ends the apply with its own words.
fn throttling(shape: Shape) {
    let egg = need!(Egg::new(shape));
    let fleet = awake(&["a", "b"]);
    egg.set(&fleet);

    egg.bench.cloud.faults(&json!([{ "do": "throttle", "on": "create", "first": 1000 }]));
    let said = fails(&egg);
    assert!(said.contains("RequestLimitExceeded") || said.contains("Too Many Requests"), "{said}");
    assert!(egg.seen().is_empty());

    egg.bench.cloud.faults(&json!([{ "do": "throttle", "first": 4 }]));
    let asked = egg.bench.cloud.log().len();
    egg.apply();
    let throttled = egg.bench.cloud.log().into_iter().skip(asked).filter(|one| one.operation == "throttled");
    assert_eq!(throttled.count(), 4);
    is_whole(&egg, &fleet);
}

#[test]
fn a_throttled_apply_on_yandex_is_tried_again() {
    throttling(YANDEX_VM);
}

#[test]
fn a_throttled_apply_on_aws_is_tried_again() {
    throttling(AWS_VM);
}

/// What could be made is kept, and the next apply makes the rest; the same for what could not be deleted.
fn half_done(shape: Shape) {
    let egg = need!(Egg::new(shape));
    let fleet = awake(&["a", "b", "c"]);
    egg.set(&fleet);
    egg.bench.cloud.faults(&json!([{ "do": "fail", "on": "create", "type": egg.runner(), "nth": 2 }]));
    let said = fails(&egg);
    assert!(said.contains("InsufficientInstanceCapacity") || said.contains("ResourceExhausted"), "{said}");
    let first = egg.seen();
    assert_eq!(first.len(), 2, "{first:#?}");

    egg.apply();
    is_whole(&egg, &fleet);
    let second = egg.seen();
    assert!(first.iter().all(|(id, was)| second[id].identity == was.identity), "{first:#?} {second:#?}");

    let fleet = awake(&["c"]);
    egg.set(&fleet);
    egg.bench.cloud.faults(&json!([{ "do": "fail", "on": "delete", "type": egg.runner(), "nth": 1 }]));
    fails(&egg);
    assert_eq!(egg.seen().len(), 2);
    egg.apply();
    is_whole(&egg, &fleet);
    assert_eq!(egg.seen()["c"].identity, second["c"].identity);
    egg.destroy();
}

#[test]
fn an_apply_on_yandex_that_fails_halfway_is_finished_by_the_next() {
    half_done(YANDEX_VM);
}

#[test]
fn an_apply_on_aws_that_fails_halfway_is_finished_by_the_next() {
    half_done(AWS_VM);
}

/// The provider dies when the cloud has made an instance and before it could tell: nobody knows of the instance, but its
/// marks tell whose it is.
fn orphan(shape: Shape) -> Option<(Egg, Fleet, String)> {
    let egg = Egg::new(shape)?;
    let fleet = awake(&["a"]);
    egg.set(&fleet);
    egg.bench.cloud.faults(&json!([{ "do": "crash", "on": "create", "type": egg.runner(), "nth": 1 }]));
    fails(&egg);
    assert!(in_state(&egg).is_empty());
    let found = egg.seen();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a"], "the orphan says whose it is");
    Some((egg, fleet, found["a"].identity.clone()))
}

#[test]
fn an_orphan_on_aws_is_found_by_its_tags_and_stands_in_nobodys_way() {
    let (egg, fleet, orphan) = need!(orphan(AWS_VM));
    egg.apply();
    let known = in_state(&egg);
    let marked: BTreeSet<String> = egg.marked("a").into_iter().collect();
    assert!(known.len() == 1 && !known.contains_key(&orphan), "{known:#?}");
    let lost: Vec<_> = marked.iter().filter(|id| !known.contains_key(*id)).collect();
    assert_eq!((marked.len(), lost), (2, vec![&orphan]));

    egg.bench.cloud.delete(egg.runner(), &orphan);
    is_whole(&egg, &fleet);
    egg.destroy();
}

/// In a folder of Yandex Cloud a name is given once, so that the orphan is in the way until it is deleted.
#[test]
fn an_orphan_on_yandex_is_found_by_its_labels_and_told_by_the_next_apply() {
    let (egg, fleet, orphan) = need!(orphan(YANDEX_VM));
    let said = fails(&egg);
    assert!(said.contains("AlreadyExists") && said.contains("\"gosling-a\""), "{said}");
    assert_eq!(egg.marked("a"), [orphan.as_str()]);

    egg.bench.cloud.delete(egg.runner(), &orphan);
    egg.apply();
    is_whole(&egg, &fleet);
    egg.destroy();
}

/// What was deleted past `OpenTofu` is made anew, and its neighbours are left alone.
fn deleted_behind_the_back(shape: Shape) {
    let egg = need!(Egg::new(shape));
    let fleet = awake(&["a", "b"]);
    egg.set(&fleet);
    egg.apply();
    let before = egg.seen();
    egg.bench.cloud.delete(egg.runner(), &before["a"].identity);

    let planned = changes(&egg.bench.plan());
    let created =
        planned.iter().filter(|(_, (done, _))| done != "no-op").map(|(address, _)| address.as_str());
    assert!(
        created.clone().count() > 0 && created.clone().all(|one| one.contains("[\"a\"]")),
        "{planned:#?}"
    );
    egg.apply();
    is_whole(&egg, &fleet);
    let after = egg.seen();
    assert_ne!(before["a"].identity, after["a"].identity);
    assert_eq!(before["b"], after["b"]);
}

#[test]
fn an_instance_on_yandex_that_was_deleted_is_made_anew() {
    deleted_behind_the_back(YANDEX_VM);
}

#[test]
fn an_instance_on_aws_that_was_deleted_is_made_anew() {
    deleted_behind_the_back(AWS_VM);
}

/// What was stopped past `OpenTofu` is woken where the provider sees it, and told where it doesn't.
fn stopped_behind_the_back(shape: Shape) {
    let provider = shape.provider;
    let attribute = shape.awake.0;
    let egg = need!(Egg::new(shape));
    let fleet = awake(&["a", "b"]);
    egg.set(&fleet);
    egg.apply();
    let before = egg.seen();
    egg.bench.cloud.change(egg.runner(), &before["a"].identity, |thing| thing[attribute] = json!("stopped"));

    let output = egg.bench.try_tofu(APPLY);
    assert!(output.status.success(), "{}", complaint(&output));
    if provider == Provider::Aws {
        assert_eq!(egg.seen(), before, "it was woken as itself");
    } else {
        let said = format!("{} {}", complaint(&output), String::from_utf8_lossy(&output.stdout));
        assert!(said.contains("The runner a is not running."), "{said}");
    }
}

#[test]
fn an_instance_on_yandex_that_was_stopped_is_told() {
    stopped_behind_the_back(YANDEX_VM);
}

#[test]
fn an_instance_on_aws_that_was_stopped_is_woken() {
    stopped_behind_the_back(AWS_VM);
}

/// Ctrl-C while the cloud is at work loses nothing: what was begun is in the state, and the next apply finishes.
fn interrupted(shape: Shape) {
    let egg = need!(Egg::new(shape));
    let fleet = awake(&["a", "b"]);
    egg.set(&fleet);
    egg.bench.cloud.faults(&json!([{ "do": "slow", "on": "create", "type": egg.runner(), "ms": 600_000 }]));
    let mut apply = egg.bench.command(APPLY);
    let mut apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("both are begun", || egg.seen().len() == 2);
    let sent = Command::new("kill").args(["-INT", &apply.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert!(!apply.wait().unwrap().success(), "an apply that was interrupted says so");

    let begun: BTreeSet<_> = egg.seen().into_values().map(|runner| runner.identity).collect();
    assert_eq!(begun, in_state(&egg).into_keys().collect(), "the state knows what was begun");
    egg.bench.cloud.faults(&json!([]));
    egg.apply();
    is_whole(&egg, &fleet);
    egg.destroy();
}

#[test]
fn an_apply_on_yandex_that_is_interrupted_is_finished_by_the_next() {
    interrupted(YANDEX_VM);
}

#[test]
fn an_apply_on_aws_that_is_interrupted_is_finished_by_the_next() {
    interrupted(AWS_VM);
}
