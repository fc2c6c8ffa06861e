//! From any fleet to any other: one apply makes exactly the runners that are wanted and touches nothing else, with real
//! `OpenTofu` over what `flyc build` wrote, in the fake cloud and as real processes.
//!
//! `PROPTEST_CASES=500 cargo test --test fleet` tries harder. An egg of another shape is one line at the end.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "tofu/bench.rs"]
mod bench;
#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "fleet/egg.rs"]
mod egg;

use std::collections::BTreeMap;

use egg::{AWS_VM, Egg, Fleet, Here, LOCAL, Shape, Wanted, YANDEX_VM};
use polar_gosling_tests::need;
use proptest::{
    collection::{btree_map, vec},
    prelude::{ProptestConfig, Strategy, any},
    sample::select,
    test_runner::TestRunner,
};

/// A fleet of few ids, so that two of them often have runners in common.
fn fleets() -> impl Strategy<Value = Fleet> {
    let ids = select(std::vec!["a", "b", "r-3", "r-3-x", "0"]).prop_map(str::to_owned);
    let image =
        proptest::option::weighted(0.2, select(std::vec!["ami-0aaa", "ami-0bbb"]).prop_map(str::to_owned));
    let wanted = (any::<bool>(), image, select(std::vec!["c0ffee", "0badcafe"]));
    btree_map(ids, wanted.prop_map(|(awake, image, commit)| Wanted { awake, image, commit }), 0..5)
}

/// Fleets one after the other, each of which is often near the one before: a way costs less than its pairs alone would.
fn ways() -> impl Strategy<Value = Vec<Fleet>> {
    vec((fleets(), any::<[bool; 5]>()), 2..6).prop_map(|steps| {
        let mut way: Vec<Fleet> = Vec::new();
        for (mut fleet, kept) in steps {
            let before = way.last().into_iter().flatten().zip(kept);
            fleet.extend(
                before.filter(|(_, kept)| *kept).map(|((id, wanted), _)| (id.clone(), wanted.clone())),
            );
            way.push(fleet);
        }
        way
    })
}

/// What is there is what is wanted.
fn is_exactly(here: &Here, fleet: &Fleet) {
    let told: BTreeMap<_, _> = here.seen.iter().map(|(id, seen)| (id, seen.awake)).collect();
    assert_eq!(told, fleet.iter().map(|(id, wanted)| (id, wanted.awake)).collect());
    for (id, seen) in &here.seen {
        assert!(seen.commit.as_ref().is_none_or(|commit| commit == fleet[id].commit), "{id}: {seen:?}");
    }
}

/// One apply takes the egg from a fleet to another; gives where it is then.
fn goes(egg: &Egg, was: &Fleet, before: &Here, to: &Fleet) -> Here {
    egg.set(to);
    egg.apply();
    let after = egg.here();
    is_exactly(&after, to);
    let done = egg.done(before, &after);
    for id in was.keys().chain(to.keys()) {
        let expected = egg.needs(was.get(id), to.get(id));
        assert_eq!(done.get(id).cloned().unwrap_or_default(), expected, "{id}");
        if let (Some(was), Some(is)) = (before.seen.get(id), after.seen.get(id)) {
            assert_eq!(was.identity, is.identity, "{id} was made anew");
        }
    }
    egg.bench.is_settled();
    egg.here()
}

fn goes_from_any_fleet_to_any_other(shape: Shape, number: u32) {
    let egg = need!(Egg::new(shape));
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default().cases,
        None => number,
    };
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let result = TestRunner::new(config).run(&ways(), |way| {
        egg.forget();
        let (mut fleet, mut here) = (Fleet::new(), Here::default());
        for next in way {
            here = goes(&egg, &fleet, &here, &next);
            fleet = next;
        }
        egg.destroy();
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn yandex_vms_go_from_any_fleet_to_any_other() {
    goes_from_any_fleet_to_any_other(YANDEX_VM, 4);
}

#[test]
fn aws_vms_go_from_any_fleet_to_any_other() {
    goes_from_any_fleet_to_any_other(AWS_VM, 4);
}

#[test]
fn local_runners_go_from_any_fleet_to_any_other() {
    goes_from_any_fleet_to_any_other(LOCAL, 4);
}
