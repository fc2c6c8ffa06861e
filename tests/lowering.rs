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

use std::collections::BTreeMap;

use batches::{Cases, holds};
use clouds::{Clouds, Runner};
use eggs::{Built, Egg, RIFT};
use polar_gosling_tests::need;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

/// What a property says of an egg: nothing, or what is wrong.
type Verdict = Result<(), String>;

fn is<T: PartialEq + std::fmt::Debug>(what: &str, left: &T, right: &T) -> Verdict {
    if left == right { Ok(()) } else { Err(format!("{what}:\n  {left:?}\n  {right:?}")) }
}

fn that(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(what()) }
}

/// The property holds of the builds of any egg for Yandex Cloud and AWS, and of its runners there. What a build shows
/// already is asked first: then a case that fails shrinks without `OpenTofu`.
fn of_any_egg(
    of_builds: impl Fn(&Egg, &[Built; 2]) -> Verdict,
    of_runners: impl Fn(&Egg, &[Runner; 2]) -> Verdict,
) {
    let clouds = need!(Clouds::new());
    holds(&Cases::default(), eggs::egg(), |eggs| {
        eggs.iter().try_for_each(|egg| of_builds(egg, &egg.built()?))?;
        let made = clouds.runners(eggs);
        let both = made.wait().as_ref().map_err(Clone::clone)?;
        eggs.iter().zip(both).try_for_each(|(egg, both)| of_runners(egg, both))
    });
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{error}:\n{text}"))
}

/// Real `OpenTofu` finds what is generated valid by the providers' own schemas, formatted as its own tool does, and
/// plans and makes it without an error or a warning.
#[test]
fn property_8_both_clouds_accept_any_egg() {
    of_any_egg(
        |_, _| Ok(()),
        |_, both| {
            both.iter().try_for_each(|runner| {
                let whole = !runner.told.parts().into_iter().any(str::is_empty);
                that(whole, || format!("a runner that is not told all: {:?}", runner.told))
            })
        },
    );
}

/// An egg without a Rift, in a Nest that has one: its runner starts, reaches nothing but where gosling is downloaded
/// from, and is told of no Rift. A `rift` block changes what the runner is told of it, and nothing besides.
#[test]
fn property_22_runners_without_a_rift_reach_none() {
    let clouds = need!(Clouds::new());
    holds(&Cases::default(), eggs::egg(), |eggs| {
        let bare: Vec<Egg> = eggs.iter().map(Egg::without_rift).collect();
        for egg in &bare {
            let pairs = egg.built()?.into_iter().zip(egg.with_rift().built()?);
            pairs.into_iter().try_for_each(|(built, with_rift)| names_no_rift(&built.own, &with_rift.own))?;
        }
        // Those that have a Rift are made again without it; the others are made already.
        let made = clouds.runners(eggs);
        let made = made.wait().as_ref().map_err(Clone::clone)?;
        let (with, without): (Vec<_>, Vec<_>) = eggs.iter().zip(made).partition(|(egg, _)| egg.has_rift());
        let again: Vec<Egg> = with.iter().map(|(egg, _)| egg.without_rift()).collect();
        let again = clouds.runners(&again);
        let again = again.wait().as_ref().map_err(Clone::clone)?;
        without.into_iter().map(|(_, both)| both).chain(again).flatten().try_for_each(reaches_no_rift)
    });
}

type Files = BTreeMap<String, String>;

fn names_no_rift(own: &Files, with_rift: &Files) -> Verdict {
    for (path, text) in own {
        that(!text.contains(RIFT), || format!("{path} names the Rift:\n{text}"))?;
    }
    let mut other = json(&with_rift["egg.json"])?;
    let rift = other.as_object_mut().and_then(|egg| egg.remove("rift"));
    that(rift.is_some_and(|rift| rift["name"] == RIFT), || "the `rift` block is lost".to_owned())?;
    is("egg.json besides the Rift", &json(&own["egg.json"])?, &other)?;
    // These tell of it.
    let besides = ["config.json", "egg.json", "cloud-init.yaml", "source-map.json"];
    let mut besides = own.iter().filter(|(path, _)| !besides.contains(&path.as_str()));
    besides.try_for_each(|(path, text)| is(path, text, &with_rift[path]))
}

fn reaches_no_rift(runner: &Runner) -> Verdict {
    let run = runner.run()?;
    let wanted = if runner.build.serverless { vec![] } else { vec![clouds::DOWNLOAD.to_owned()] };
    is("what is reached", &run.reached, &wanted)?;
    that(run.egg.get("rift").is_none(), || format!("a Rift in {}", run.egg))
}

/// On both clouds a runner of an egg is told the same, byte for byte, and does the same when it starts: the same user
/// data, the same programs and files, gosling run with the same arguments and environment.
#[test]
fn property_23_both_clouds_run_an_egg_alike() {
    of_any_egg(
        |_, [yandex, aws]| {
            let told = ["egg.json", "cloud-init.yaml"];
            told.into_iter().try_for_each(|file| is(file, &yandex.own.get(file), &aws.own.get(file)))
        },
        |_, [yandex, aws]| {
            is("what the runner is told", &yandex.told.parts(), &aws.told.parts())?;
            is("what the runner does", yandex.run()?, aws.run()?)
        },
    );
}

/// The variables of an egg's `environment`, wherever their values were written, are those that its running runner
/// reads: all of them and no more, each with its text, and secrets as their URIs. OpenTofu keeps every text in Unicode's
/// normal form C, so that is what the runner reads.
#[test]
fn property_29_runners_have_their_environment() {
    of_any_egg(
        |egg, both| {
            both.iter().try_for_each(|built| {
                let config = json(&built.own["config.json"])?;
                is("config.json", &config["environment"], &egg.environment())
            })
        },
        |egg, both| {
            both.iter().try_for_each(|runner| {
                let environment = egg.environment().to_string().nfc().collect::<String>();
                is("the runner", &runner.run()?.egg["environment"], &json(&environment)?)
            })
        },
    );
}
