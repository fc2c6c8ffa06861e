//! The correctness properties of lowering: what any egg becomes on both clouds, and what its runners do there.
//!
//! A case is an egg of any shape, drawn from the tables of fly-std and written twice, for Yandex Cloud and for AWS; the
//! two differ in nothing but where they are. Each goes the real way: compiler, check, build, and then `OpenTofu` with the
//! clouds' own schemas, a fake cloud behind them, and the user data run with stand-ins for the network. Nothing is tried
//! on a sample: every case goes all of it. To be fast, so many eggs share one run of `OpenTofu` (see `batches`), as
//! child modules of one root; so the backend is all of a root module that is not tried here, and `tofu.rs` does that.
//!
//! `PROPTEST_CASES=1000 cargo test --test lowering` tries harder.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "lowering/batches.rs"]
mod batches;
#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "tofu/bench.rs"]
mod bench;
#[path = "lowering/boot.rs"]
mod boot;
#[path = "lowering/clouds.rs"]
mod clouds;
#[path = "lowering/eggs.rs"]
mod eggs;
#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "properties/generate.rs"]
mod generate;
#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "properties/installation.rs"]
mod installation;
#[allow(dead_code, reason = "shared with other test programs, which use the rest")]
#[path = "properties/values.rs"]
mod values;

use batches::{Cases, holds};
use clouds::{Clouds, Runner};
use eggs::{Built, Egg, RIFT};
use polar_gosling_tests::need;
use serde_json::Value;

/// What a property says of an egg: nothing, or what is wrong.
type Verdict = Result<(), String>;

fn is<T: PartialEq + std::fmt::Debug>(what: &str, left: &T, right: &T) -> Verdict {
    if left == right { Ok(()) } else { Err(format!("{what}:\n  {left:?}\n  {right:?}")) }
}

fn that(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}

/// The property holds of the runners of any egg, on Yandex Cloud and on AWS.
fn of_any_egg(property: impl Fn(&Egg, &[Runner; 2]) -> Verdict) {
    let clouds = need!(Clouds::new());
    holds(&Cases::default(), eggs::egg(), |eggs| {
        let made = clouds.runners(eggs);
        let both = made.wait().as_ref().map_err(Clone::clone)?;
        eggs.iter().zip(both).try_for_each(|(egg, both)| property(egg, both))
    });
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{error}:\n{text}"))
}

/// Real `OpenTofu` finds what is generated valid by the providers' own schemas, formatted as its own tool does, and
/// plans and makes it without an error or a warning.
#[test]
fn property_8_both_clouds_accept_any_egg() {
    of_any_egg(|_, both| {
        for runner in both {
            let whole = !runner.told.parts().into_iter().any(str::is_empty);
            that(whole, || format!("a runner that is not told all: {:?}", runner.told))?;
        }
        Ok(())
    });
}

/// An egg without a Rift, in a Nest that has one: its runner starts, reaches nothing but where gosling is downloaded
/// from, and is told of no Rift. A `rift` block changes what the runner is told of it, and nothing besides.
#[test]
fn property_22_runners_without_a_rift_reach_none() {
    let clouds = need!(Clouds::new());
    holds(&Cases::default(), eggs::egg(), |eggs| {
        // Those that have one are made again without it; the others are made already.
        let (with, without): (Vec<Egg>, Vec<Egg>) = eggs.iter().cloned().partition(Egg::has_rift);
        let all = clouds.runners(eggs);
        let all = all.wait().as_ref().map_err(Clone::clone)?;
        let plain = eggs.iter().zip(all).filter(|(egg, _)| !egg.has_rift()).map(|(_, both)| both);
        let bared: Vec<Egg> = with.iter().map(Egg::without_rift).collect();
        let bare = clouds.runners(&bared);
        let bare = bare.wait().as_ref().map_err(Clone::clone)?;
        for (egg, both) in without.iter().zip(plain).chain(bared.iter().zip(bare)) {
            for (runner, with_rift) in both.iter().zip(egg.with_rift().built()?) {
                has_no_rift(runner, &with_rift)?;
            }
        }
        Ok(())
    });
}

fn has_no_rift(runner: &Runner, with_rift: &Built) -> Verdict {
    let own = &runner.build.own;
    for (path, text) in own {
        that(!text.contains(RIFT), || format!("{path} names the Rift:\n{text}"))?;
    }
    let run = runner.run()?;
    let wanted: &[&str] = if runner.build.serverless { &[] } else { &[clouds::DOWNLOAD] };
    is("what is reached", &run.reached, &wanted.iter().map(|&address| address.to_owned()).collect())?;
    that(run.egg.get("rift").is_none(), || format!("a Rift in {}", run.egg))?;

    let mut other = json(&with_rift.own["egg.json"])?;
    let rift = other.as_object_mut().and_then(|egg| egg.remove("rift"));
    that(rift.is_some_and(|rift| rift["name"] == RIFT), || "the `rift` block is lost".to_owned())?;
    is("egg.json besides the Rift", &run.egg, &other)?;
    let tells_of_it = ["config.json", "egg.json", "cloud-init.yaml", "source-map.json"];
    for (path, text) in own.iter().filter(|(path, _)| !tells_of_it.contains(&path.as_str())) {
        is(path, text, &with_rift.own[path])?;
    }
    Ok(())
}

/// On both clouds a runner of an egg is told the same, byte for byte, and does the same when it starts: the same user
/// data, the same programs and files, gosling run with the same arguments and environment.
#[test]
fn property_23_both_clouds_run_an_egg_alike() {
    of_any_egg(|_, [yandex, aws]| {
        for file in ["egg.json", "cloud-init.yaml"] {
            is(file, &yandex.build.own.get(file), &aws.build.own.get(file))?;
        }
        is("what the runner is told", &yandex.told.parts(), &aws.told.parts())?;
        is("what the runner does", yandex.run()?, aws.run()?)
    });
}

/// The variables of an egg's `environment`, wherever their values were written, are those that its running runner
/// reads: all of them and no more, each with exactly its text, and secrets as their URIs.
#[test]
fn property_29_runners_have_their_environment() {
    of_any_egg(|egg, both| {
        let wanted = egg.environment();
        for runner in both {
            let config = json(&runner.build.own["config.json"])?;
            is("config.json", &config["environment"], &wanted)?;
            is("the runner", &runner.run()?.egg["environment"], &wanted)?;
        }
        Ok(())
    });
}
