//! From whatever state GitLab is in, one run makes it what it should be, and a second does nothing.

use std::sync::Arc;

use fly_std::formats::cron;
use orchestrator::wire::LinkChange;
use polar_gosling_tests::doubles::gitlab::{DeployKey, FakeGitLab, Hook, Place, Schedule};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};

use crate::world::{NEST, OWNERS, URL, World, job, told, wrong};

/// Tries a strategy 100 times, or as often as is asked.
fn each<S: Strategy>(strategy: S, case: impl AsyncFn(S::Value) -> Result<(), TestCaseError>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let asked = ProptestConfig::default().cases;
    let cases = if asked == 256 { 100 } else { asked };
    let config = ProptestConfig { cases, max_shrink_iters: 100, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let done = runner.run(&strategy, |value| runtime.block_on(case(value)));
    if let Err(error) = done {
        panic!("{error}");
    }
}

/// Something that has happened to GitLab, or to what was written down.
#[derive(Debug, Clone)]
enum Mishap {
    /// A webhook of ours is gone.
    HookGone(Index),
    /// There are two of it.
    HookTwice(Index),
    /// It goes elsewhere.
    HookElsewhere(Index),
    /// It is sent for other events.
    HookEvents(Index, &'static str),
    /// It checks no certificate.
    HookUnchecked(Index),
    RunnerGone(Index),
    RunnerTwice(Index),
    RunnerTags(Index),
    ScheduleGone,
    ScheduleTwice,
    ScheduleCron(&'static str),
    ScheduleAsleep,
    ScheduleVariables(bool),
    KeyGone(Index),
    KeyRight(Index),
    KeyTitle(Index),
    KeyOld(&'static str),
    /// What was written down is lost, as if the process had ended just before.
    Forgotten(Index),
    /// The secret of the webhooks was rotated.
    Rotated(&'static str),
}

fn mishap() -> impl Strategy<Value = Mishap> {
    let at = any::<Index>;
    prop_oneof![
        at().prop_map(Mishap::HookGone),
        at().prop_map(Mishap::HookTwice),
        at().prop_map(Mishap::HookElsewhere),
        (at(), select(vec!["push_events", "job_events", "note_events", "pipeline_events"]))
            .prop_map(|(at, event)| Mishap::HookEvents(at, event)),
        at().prop_map(Mishap::HookUnchecked),
        at().prop_map(Mishap::RunnerGone),
        at().prop_map(Mishap::RunnerTwice),
        at().prop_map(Mishap::RunnerTags),
        Just(Mishap::ScheduleGone),
        Just(Mishap::ScheduleTwice),
        select(vec!["0 3 * * *", "*/5 * * * *"]).prop_map(Mishap::ScheduleCron),
        Just(Mishap::ScheduleAsleep),
        any::<bool>().prop_map(Mishap::ScheduleVariables),
        at().prop_map(Mishap::KeyGone),
        at().prop_map(Mishap::KeyRight),
        at().prop_map(Mishap::KeyTitle),
        select(vec!["mothergoose", "selfjobs"]).prop_map(Mishap::KeyOld),
        at().prop_map(Mishap::Forgotten),
        select(vec!["web", "team"]).prop_map(Mishap::Rotated),
    ]
}

async fn happen(world: &World, mishap: &Mishap) {
    match mishap {
        Mishap::Forgotten(at) => match *at.get(&OWNERS) {
            "" => world.forget_nest().await,
            owner => world.change_egg(owner, |egg| egg.registered.clear()).await,
        },
        Mishap::Rotated(egg) => {
            // The hook shows the new one only once it is linked; nobody can read there what it shows.
            world.fake.change(|fake| {
                for hook in fake.hooks.values_mut().filter(|hook| hook.url == URL) {
                    if hook.token.as_deref() == Some(&format!("hook-secret-of-{egg}")) {
                        hook.token = Some("the one before".to_owned());
                    }
                }
            });
            let uri = format!("vault://eggs/{egg}/webhook-secret");
            world.secrets.values.lock().unwrap().insert(uri, "the one before".to_owned());
            world.link(egg).await;
            let uri = format!("vault://eggs/{egg}/webhook-secret");
            world.secrets.values.lock().unwrap().insert(uri, format!("hook-secret-of-{egg}"));
        }
        _ => world.fake.change(|fake| in_gitlab(fake, mishap)),
    }
}

fn in_gitlab(fake: &mut polar_gosling_tests::doubles::gitlab::World, mishap: &Mishap) {
    let hooks: Vec<u64> = fake.hooks.iter().filter(|(_, hook)| hook.url == URL).map(|(id, _)| *id).collect();
    let runners: Vec<u64> = fake.runners.keys().copied().collect();
    let pick = |all: &[u64], at: &Index| (!all.is_empty()).then(|| *at.get(all));
    let id = fake.id();
    let nest = fake.projects.get_mut(&NEST).unwrap();
    let keys: Vec<u64> =
        nest.deploy_keys.iter().filter(|(_, key)| key.title != "theirs").map(|(id, _)| *id).collect();
    let is_ours = |one: &Schedule| one.description == "gosling job nightly";
    let schedule = nest.schedules.values_mut().find(|one| is_ours(one));
    match mishap {
        Mishap::HookGone(at) => drop(pick(&hooks, at).map(|id| fake.hooks.remove(&id))),
        Mishap::HookTwice(at) => {
            if let Some(one) = pick(&hooks, at) {
                let hook = fake.hooks[&one].clone();
                fake.hooks.insert(id, hook);
            }
        }
        Mishap::HookElsewhere(at) => {
            if let Some(hook) = pick(&hooks, at).and_then(|id| fake.hooks.get_mut(&id)) {
                "https://elsewhere.example.com/".clone_into(&mut hook.url);
            }
        }
        Mishap::HookEvents(at, event) => {
            if let Some(hook) = pick(&hooks, at).and_then(|id| fake.hooks.get_mut(&id)) {
                let sent = hook.events.entry((*event).to_owned()).or_default();
                *sent = !*sent;
            }
        }
        Mishap::HookUnchecked(at) => {
            if let Some(hook) = pick(&hooks, at).and_then(|id| fake.hooks.get_mut(&id)) {
                hook.ssl_verification = false;
            }
        }
        Mishap::RunnerGone(at) => drop(pick(&runners, at).map(|id| fake.runners.remove(&id))),
        Mishap::RunnerTwice(at) => {
            if let Some(one) = pick(&runners, at) {
                let mut runner = fake.runners[&one].clone();
                runner.token = format!("glrt-double-{id}");
                fake.runners.insert(id, runner);
            }
        }
        Mishap::RunnerTags(at) => {
            if let Some(runner) = pick(&runners, at).and_then(|id| fake.runners.get_mut(&id)) {
                runner.tags.insert("another".to_owned());
            }
        }
        Mishap::ScheduleGone => nest.schedules.retain(|_, one| !is_ours(one)),
        Mishap::ScheduleTwice => {
            if let Some(schedule) = schedule.cloned() {
                nest.schedules.insert(id, schedule);
            }
        }
        Mishap::ScheduleCron(cron) => drop(schedule.map(|one| (*cron).clone_into(&mut one.cron))),
        Mishap::ScheduleAsleep => drop(schedule.map(|one| one.active = false)),
        Mishap::ScheduleVariables(more) => {
            if let Some(one) = schedule {
                if *more {
                    one.variables.insert("MORE".to_owned(), ("1".to_owned(), "env_var".to_owned()));
                } else {
                    one.variables.clear();
                }
            }
        }
        Mishap::KeyGone(at) => drop(pick(&keys, at).map(|id| nest.deploy_keys.remove(&id))),
        Mishap::KeyRight(at) => {
            if let Some(key) = pick(&keys, at).and_then(|id| nest.deploy_keys.get_mut(&id)) {
                key.can_push = !key.can_push;
            }
        }
        Mishap::KeyTitle(at) => {
            if let Some(key) = pick(&keys, at).and_then(|id| nest.deploy_keys.get_mut(&id)) {
                "by hand".clone_into(&mut key.title);
            }
        }
        Mishap::KeyOld(name) => {
            let old = DeployKey {
                title: format!("gosling nest/{name}"),
                key: format!("ssh-ed25519 AAAAold{id}"),
                can_push: false,
            };
            nest.deploy_keys.insert(id, old);
        }
        Mishap::Forgotten(_) | Mishap::Rotated(_) => {}
    }
}

/// Things in GitLab that are of others.
fn foreign(fake: &FakeGitLab) {
    fake.change(|world| {
        for place in [Place::Project(7), Place::Project(50), Place::Project(NEST), Place::Group(5)] {
            let id = world.id();
            let hook = Hook {
                place,
                url: "https://others.example.com/hook".to_owned(),
                token: Some("theirs".to_owned()),
                events: [("push_events".to_owned(), true)].into(),
                ssl_verification: false,
                uuid: format!("hook-{id}"),
            };
            world.hooks.insert(id, hook);
        }
        let (schedule, key) = (world.id(), world.id());
        let nest = world.projects.get_mut(&NEST).unwrap();
        nest.schedules.insert(
            schedule,
            Schedule {
                description: "somebody's".to_owned(),
                git_ref: "main".to_owned(),
                cron: "0 0 1 1 *".to_owned(),
                cron_timezone: "UTC".to_owned(),
                active: false,
                variables: [].into(),
            },
        );
        let theirs =
            DeployKey { title: "theirs".to_owned(), key: "ssh-rsa AAAAtheirs".to_owned(), can_push: true };
        nest.deploy_keys.insert(key, theirs);
    });
}

/// What others have, word by word.
fn of_others(fake: &FakeGitLab) -> String {
    fake.look(|world| {
        let hooks: Vec<_> =
            world.hooks.iter().filter(|(_, hook)| hook.url.starts_with("https://others.")).collect();
        let nest = &world.projects[&NEST];
        let schedules: Vec<_> =
            nest.schedules.iter().filter(|(_, one)| one.description == "somebody's").collect();
        let keys: Vec<_> = nest.deploy_keys.iter().filter(|(_, key)| key.title == "theirs").collect();
        assert_eq!((hooks.len(), schedules.len(), keys.len()), (4, 1, 1));
        format!("{hooks:?} {schedules:?} {keys:?}")
    })
}

#[test]
fn property_link_converges_in_one_run() {
    let fake = Arc::new(FakeGitLab::start());
    each((any::<bool>(), vec(mishap(), 0..6)), async |(linked, mishaps)| {
        let world = World::furnished(Arc::clone(&fake)).await;
        foreign(&fake);
        let others = of_others(&fake);
        if linked {
            world.link_all().await;
        }
        for mishap in &mishaps {
            happen(&world, mishap).await;
        }
        for report in world.link_all().await {
            let failed = report.steps.iter().find(|step| step.change == LinkChange::Fail);
            prop_assert!(failed.is_none(), "{failed:?}");
        }
        let left = fake.look(wrong);
        prop_assert!(left.is_empty(), "{left:?}");
        let calls = fake.look(|fake| fake.calls.len());
        for report in world.link_all().await {
            let still = report.steps.iter().find(|step| step.change != LinkChange::Keep);
            prop_assert!(still.is_none(), "the second run: {:?}", told(&report));
        }
        prop_assert!(world.writes(calls).is_empty(), "{:?}", world.writes(calls));
        prop_assert_eq!(of_others(&fake), others, "what others have");
        Ok(())
    });
}

/// A field of a cron expression.
fn field(least: u32, most: u32, names: &'static [&'static str]) -> BoxedStrategy<String> {
    let number = (least..=most).prop_map(|number| number.to_string());
    let range = (least..=most, least..=most).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b)));
    let stepped = (range.clone(), 1_u32..8).prop_map(|(range, step)| format!("{range}/{step}"));
    let all = (1..=most / 2).prop_map(|step| format!("*/{step}"));
    let mut part = prop_oneof![3 => number, 1 => range, 1 => stepped].boxed();
    if !names.is_empty() {
        part = prop_oneof![2 => part, 1 => select(names).prop_map(str::to_owned)].boxed();
    }
    prop_oneof![
        3 => Just("*".to_owned()),
        1 => all,
        4 => vec(part, 1..4).prop_map(|parts| parts.join(",")),
    ]
    .boxed()
}

fn expression() -> impl Strategy<Value = String> {
    const MONTHS: &[&str] = &["JAN", "feb", "MAR", "DEC"];
    const DAYS: &[&str] = &["SUN", "mon", "FRI", "SAT"];
    let day = prop_oneof![8 => field(1, 31, &[]), 1 => Just("L".to_owned())];
    let nth = (select(DAYS), 1_u32..5).prop_map(|(day, nth)| format!("{day}#{nth}"));
    let weekday = prop_oneof![8 => field(0, 7, DAYS), 1 => nth];
    (field(0, 59, &[]), field(0, 23, &[]), day, field(1, 12, MONTHS), weekday)
        .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
        .prop_filter("the language takes it", |text| cron::parse(text).is_ok())
}

const DAY: i64 = 24 * 3600;

#[test]
fn property_30_cron_job_scheduling() {
    let fake = Arc::new(FakeGitLab::start());
    // From 2026 on, for some years.
    each((expression(), 1_767_225_600_i64..1_900_000_000), async |(text, from)| {
        let world = World::new(Arc::clone(&fake));
        world.serve("jobs/it", job("it", &text)).await;
        let report = world.link("jobs/it").await;
        prop_assert!(told(&report).contains(&format!("+schedule it {NEST}")), "{report:?}");
        let schedule = fake.look(|fake| *fake.projects[&NEST].schedules.keys().next().unwrap());
        // Around now, and around the next time it fires, which may be years away.
        let from = from - from.rem_euclid(60);
        let next = cron::parse(&text).unwrap().runs_after(from - 1).next().unwrap();
        for from in [from, next - DAY] {
            let until = from + 2 * DAY;
            let says: Vec<i64> =
                cron::parse(&text).unwrap().runs_after(from - 1).take_while(|run| *run < until).collect();
            let fired: Vec<i64> = (from..until)
                .step_by(60)
                .filter(|minute| {
                    let fired = fake.change(|fake| fake.minute(*minute));
                    assert!(fired.is_empty() || fired == [(NEST, schedule)]);
                    !fired.is_empty()
                })
                .collect();
            prop_assert_eq!(&fired, &says, "`{}`", text);
        }
        Ok(())
    });
}
