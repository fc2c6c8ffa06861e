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
#[path = "properties/values.rs"]
mod values;

use batches::{Cases, holds};
use boot::Run;
use clouds::{Clouds, Told};
use eggs::{Built, CLOUDS, Egg, RIFT};
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

/// The eggs built for both clouds, and made there.
fn made(clouds: &Clouds, eggs: &[Egg]) -> Result<Vec<[(Built, Told); 2]>, String> {
    let built = eggs.iter().map(Egg::built).collect::<Result<Vec<_>, _>>()?;
    clouds.make(built)
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{error}:\n{text}"))
}

/// Real `OpenTofu` finds what is generated valid by the providers' own schemas, formatted as its own tool does, and
/// plans and makes it without an error or a warning.
#[test]
fn property_8_both_clouds_accept_any_egg() {
    let clouds = need!(Clouds::new());
    holds(&Cases::default(), eggs::egg(), |eggs| {
        for both in made(&clouds, eggs)? {
            for (built, told) in both {
                let made = told.made(built.serverless);
                that(made, || format!("{}: nothing was made that is a runner", built.name))?;
            }
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
        let without: Vec<Egg> = eggs.iter().map(Egg::without_rift).collect();
        for (egg, both) in eggs.iter().zip(made(&clouds, &without)?) {
            let with_rift = egg.with_rift().built()?;
            for ((built, told), with_rift) in both.into_iter().zip(with_rift) {
                for (path, text) in &built.own {
                    that(!text.contains(RIFT), || format!("{path} names the Rift:\n{text}"))?;
                }
                let run = told.run()?;
                reaches_gosling_alone(&run)?;
                that(run.egg.get("rift").is_none(), || format!("a Rift in {}", run.egg))?;
                let mut other = json(&with_rift.own["egg.json"])?;
                let rift = other.as_object_mut().and_then(|egg| egg.remove("rift"));
                that(rift.is_some_and(|rift| rift["name"] == RIFT), || "the `rift` block is lost".to_owned())?;
                is("egg.json besides the Rift", &run.egg, &other)?;
                for (path, text) in &built.own {
                    let tells_of_it = ["config.json", "egg.json", "cloud-init.yaml", "source-map.json"];
                    if !tells_of_it.contains(&path.as_str()) {
                        is(path, text, &with_rift.own[path])?;
                    }
                }
            }
        }
        Ok(())
    });
}

fn reaches_gosling_alone(run: &Run) -> Verdict {
    let wanted: &[String] = if run.serverless { &[] } else { &[clouds::DOWNLOAD.to_owned()] };
    is("what is reached", &run.reached.as_slice(), &wanted)
}

/// On both clouds a runner of an egg is told the same, byte for byte, and does the same when it starts: the same user
/// data, the same programs and files, gosling run with the same arguments and environment.
#[test]
fn property_23_both_clouds_run_an_egg_alike() {
    let clouds = need!(Clouds::new());
    holds(&Cases::default(), eggs::egg(), |eggs| {
        for [(yandex, told_yandex), (aws, told_aws)] in made(&clouds, eggs)? {
            for file in ["egg.json", "cloud-init.yaml"] {
                is(file, &yandex.own.get(file), &aws.own.get(file))?;
            }
            is("what the runner is told", &told_yandex.alike(), &told_aws.alike())?;
            is("what the runner does", &told_yandex.run()?, &told_aws.run()?)?;
        }
        Ok(())
    });
}

/// The variables of an egg's `environment`, wherever their values were written, are those that its running runner
/// reads: all of them and no more, each with exactly its text, and secrets as their URIs.
#[test]
fn property_29_runners_have_their_environment() {
    let clouds = need!(Clouds::new());
    holds(&Cases::default(), eggs::egg(), |eggs| {
        for (egg, both) in eggs.iter().zip(made(&clouds, eggs)?) {
            for (built, told) in both {
                let wanted = egg.environment();
                let config = json(&built.own["config.json"])?;
                is("config.json", &config["environment"], &wanted)?;
                is("the runner", &told.run()?.egg["environment"], &wanted)?;
            }
        }
        Ok(())
    });
}

#[test]
fn both_clouds_are_tried() {
    assert_eq!(CLOUDS.map(flyc::artifact::Provider::name), ["yandex", "aws"]);
}
