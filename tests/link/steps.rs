//! What each run does and tells, in single cases.

use std::{sync::Arc, time::Duration};

use orchestrator::{
    domain::Time,
    records::{self, EggRecord, NestLink, Rotation, Stale, Turn},
    roles::{
        Work,
        worker::{self, LinkError, Subject},
    },
    wire::LinkChange,
};
use polar_gosling_tests::doubles::gitlab::{FakeGitLab, Fault, What};

use crate::world::{NEST, URL, World, egg, job, repository, told, wrong};

fn fake() -> Arc<FakeGitLab> {
    Arc::new(FakeGitLab::start())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_made_and_the_second_run_does_nothing() {
    let world = World::furnished(fake()).await;
    assert_eq!(told(&world.look("web").await), ["+runner 7", "+webhook 7"]);
    assert_eq!(told(&world.link("web").await), ["+runner 7", "+webhook 7"]);
    assert_eq!(told(&world.look("web").await), ["=runner 7", "=webhook 7"]);
    assert_eq!(told(&world.link("team").await), ["+runner 5", "+webhook 50", "+webhook 51"]);
    assert_eq!(
        told(&world.link("jobs/nightly").await),
        ["+runner 900", "+webhook 900", "+schedule nightly 900"]
    );
    let keys = [
        "=webhook 900",
        "+deploy_key mothergoose 900",
        "+deploy_key uglyfox 900",
        "+deploy_key selfjobs 900",
    ];
    assert_eq!(told(&world.link("").await), keys);
    assert_eq!(world.fake.look(wrong), Vec::<String>::new());
    for report in world.link_all().await {
        assert!(report.steps.iter().all(|step| step.change == LinkChange::Keep), "{report:?}");
    }
    let web = &world.egg("web").await.registered["gitlab.example.com/projects/7"];
    let hook = world.fake.look(|fake| *fake.hooks.iter().find(|(_, hook)| hook.url == URL).unwrap().0);
    assert_eq!(web.webhook, Some(hook));
    assert!(web.runner.is_some() && web.settings.is_some());
    assert!(!format!("{web:?}").contains("hook-secret"), "{web:?}");
    let nightly = &world.egg("jobs/nightly").await.registered["gitlab.example.com/projects/900"];
    assert!(nightly.schedule.is_some());
    let audited = world.audited().await;
    for action in ["runner.register", "webhook.make", "schedule.make", "deploy_key.make"] {
        assert!(audited.iter().any(|one| one == action), "{action}: {audited:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_secret_is_put_into_the_hook() {
    let world = World::furnished(fake()).await;
    world.link("web").await;
    let uri = "vault://eggs/web/webhook-secret".to_owned();
    world.secrets.values.lock().unwrap().insert(uri, "the next one".to_owned());
    let report = world.link("web").await;
    assert_eq!(told(&report), ["=runner 7", "~webhook 7"]);
    assert_eq!(report.steps[1].note.as_deref(), Some("its secret"));
    let token = world.fake.look(|fake| fake.hooks.values().next().unwrap().token.clone());
    assert_eq!(token.as_deref(), Some("the next one"));
    assert_eq!(told(&world.link("web").await), ["=runner 7", "=webhook 7"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_before_opens_nothing_once_every_hook_of_a_group_shows_the_new_one() {
    let world = World::furnished(fake()).await;
    let place = "gitlab.example.com/groups/5";
    world.link("team").await;
    let uri = "vault://eggs/team/webhook-secret".to_owned();
    world.secrets.values.lock().unwrap().insert(uri, "the next one".to_owned());
    let until = Time::from_millis(u64::MAX);
    world
        .change_egg("team", |egg| {
            egg.registered.get_mut(place).unwrap().stale = Some(Stale { version: Some(1), until });
        })
        .await;
    world.fake.fault(Fault::next(100, "/projects/50/hooks", What::Status(500)));
    assert_eq!(told(&world.link("team").await), ["=runner 5", "!webhook 50", "~webhook 51"]);
    assert!(world.egg("team").await.registered[place].stale.is_some(), "one of them still shows it");
    world.fake.change(|fake| fake.faults.list.clear());
    assert_eq!(told(&world.link("team").await), ["=runner 5", "~webhook 50", "=webhook 51"]);
    assert_eq!(world.egg("team").await.registered[place].stale, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_that_the_nest_had_opens_nothing_once_its_hook_shows_the_new_one() {
    let world = World::furnished(fake()).await;
    world.link("").await;
    let load = async || {
        let found = records::get::<NestLink>(&*world.store, NestLink::id()).await.unwrap();
        found.unwrap()
    };
    let mut known = load().await;
    known.record.stale = Some(Stale { version: Some(1), until: Time::from_millis(u64::MAX) });
    world.store.commit(vec![known.update()]).await.unwrap();
    let uri = "vault://nest/webhook-secret".to_owned();
    world.secrets.values.lock().unwrap().insert(uri, "the next one".to_owned());
    world.fake.fault(Fault::next(100, "/projects/900/hooks", What::Status(500)));
    world.link("").await;
    assert!(load().await.record.stale.is_some(), "GitLab still shows it");
    world.fake.change(|fake| fake.faults.list.clear());
    world.link("").await;
    assert_eq!(load().await.record.stale, None);
}

/// A rotation has two runners in GitLab: neither is a double for `link`, and `unlink` leaves none.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_goes_on_keeps_its_runners_until_the_egg_is_unlinked() {
    let world = World::furnished(fake()).await;
    let place = "gitlab.example.com/projects/7";
    world.link("web").await;
    let count = || world.fake.look(|fake| fake.runners.len());
    let rotate = || worker::perform(&world.context, Work::Rotate { egg: "web".to_owned() });
    let now = world.context.ports.clock.now();
    let old = world.egg("web").await.registered[place].runner.unwrap();
    world
        .change_egg("web", |egg| {
            let mut rotation = Rotation::new("api:test", now);
            let turn = Turn { old, old_version: None, new: None, new_version: None };
            rotation.turns.insert(place.to_owned(), turn);
            egg.rotation = Some(rotation);
        })
        .await;
    // Cut off once the second one is known.
    world.fake.change(|fake| {
        let mut second = fake.runners[&old].clone();
        let id = fake.id();
        "glrt-the-second".clone_into(&mut second.token);
        fake.runners.insert(id, second);
    });
    let new = world.fake.look(|fake| *fake.runners.keys().find(|id| **id != old).unwrap());
    world
        .change_egg("web", |egg| {
            egg.registered.get_mut(place).unwrap().runner = Some(new);
            egg.rotation.as_mut().unwrap().turns.get_mut(place).unwrap().new = Some(new);
        })
        .await;
    assert_eq!(told(&world.link("web").await), ["=runner 7", "=webhook 7"]);
    assert_eq!(count(), 2);
    assert_eq!(told(&world.unlink("web").await), ["-webhook 7", "-runner 7", "-runner 7"]);
    rotate().await.unwrap();
    assert_eq!(count(), 0, "nothing makes another");
    assert_eq!(world.egg("web").await.rotation, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_project_of_a_large_group_gets_a_hook() {
    let world = World::new(fake());
    world.fake.change(|fake| (100..230).for_each(|id| fake.add_project(id, &format!("p{id}"), Some(6))));
    world.serve("team", egg("team", vec![repository("team", None, Some(5))])).await;
    let report = world.link("team").await;
    assert_eq!(report.steps.iter().filter(|step| step.change == LinkChange::Make).count(), 133);
    assert!(world.fake.look(|fake| fake.hooks.len()) == 132);
    // One that leaves the group is left behind by nobody.
    world.fake.change(|fake| fake.projects.get_mut(&100).unwrap().group = None);
    let report = world.link("team").await;
    let changed: Vec<_> = report.steps.iter().filter(|step| step.change != LinkChange::Keep).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(
        (changed[0].change, &*changed[0].place),
        (LinkChange::Remove, "gitlab.example.com/projects/100")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn eggs_of_one_project_share_its_hook_and_hand_it_over() {
    let world = World::new(fake());
    for name in ["a", "b"] {
        world.serve(name, egg(name, vec![repository(name, Some(7), None)])).await;
    }
    world.link("b").await;
    assert_eq!(told(&world.link("a").await), ["+runner 7", "=webhook 7"]);
    let shows = || {
        world
            .fake
            .look(|fake| fake.hooks.values().map(|hook| hook.token.clone().unwrap()).collect::<Vec<_>>())
    };
    assert_eq!(shows(), ["hook-secret-of-a"], "the first of them keeps it");
    assert_eq!(told(&world.unlink("a").await), ["~webhook 7", "-runner 7"]);
    assert_eq!(shows(), ["hook-secret-of-b"], "the next takes it over");
    assert_eq!(told(&world.link("b").await), ["=runner 7", "=webhook 7"]);
    assert_eq!(told(&world.unlink("b").await), ["-webhook 7", "-runner 7"]);
    assert!(world.fake.look(|fake| fake.hooks.is_empty() && fake.runners.is_empty()));
    assert_eq!(told(&world.link("b").await), ["+runner 7", "+webhook 7"], "and back again");
}

/// Whoever links and whoever takes away what a removed egg had change the same webhooks, so they do it one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn an_egg_that_left_hands_its_hook_over_while_nobody_links() {
    let world = World::new(fake());
    for name in ["a", "b"] {
        world.serve(name, egg(name, vec![repository(name, Some(7), None)])).await;
        world.link(name).await;
    }
    let shows =
        || world.fake.look(|fake| fake.hooks.values().map(|hook| hook.token.clone()).collect::<Vec<_>>());
    let of = |name: &str| vec![Some(format!("hook-secret-of-{name}"))];
    let deploy = || worker::perform(&world.context, Work::Deploy { egg: "a".to_owned() });
    world.change_egg("a", |egg| egg.removed = true).await;
    let now = world.context.ports.clock.now();
    let held = records::acquire(&*world.store, "link", "who links", Duration::from_mins(1), now).await;
    let before = world.fake.look(|fake| fake.calls.len());
    let _ = deploy().await;
    let writes = world.writes(before);
    assert!(!writes.iter().any(|call| call.contains("/hooks")), "{writes:?}");
    assert_eq!(shows(), of("a"));
    assert!(world.egg("a").await.error.unwrap().contains("somebody links"));
    records::release(&*world.store, &held.unwrap().unwrap(), now).await.unwrap();
    world.change_egg("a", |egg| egg.retry_at = None).await;
    deploy().await.unwrap();
    assert_eq!(shows(), of("b"));
    assert!(world.egg("a").await.registered.is_empty());
}

/// The first link finds the keys that were put in as `gosling init` says.
#[tokio::test(flavor = "multi_thread")]
async fn deploy_keys_that_were_put_in_by_hand_are_left_as_they_are() {
    let world = World::furnished(fake()).await;
    world.link("").await;
    world.fake.change(|fake| {
        for key in fake.projects.get_mut(&NEST).unwrap().deploy_keys.values_mut() {
            key.title = key.title.replace("gosling nest/", "polar-gosling ");
        }
    });
    world.forget_nest().await;
    let before = world.fake.look(|fake| fake.calls.len());
    let report = world.link("").await;
    assert!(report.steps.iter().all(|step| step.change != LinkChange::Make), "{report:?}");
    let of_keys: Vec<String> = told(&report).into_iter().filter(|step| step.contains("deploy_key")).collect();
    assert_eq!(
        of_keys,
        ["=deploy_key mothergoose 900", "=deploy_key uglyfox 900", "=deploy_key selfjobs 900"]
    );
    assert!(!world.writes(before).iter().any(|call| call.contains("deploy_keys")), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unlink_takes_away_what_link_made_and_nothing_else() {
    let world = World::furnished(fake()).await;
    let before = world.fake.look(|fake| format!("{:?}{:?}{:?}", fake.hooks, fake.runners, fake.projects));
    world.link_all().await;
    for owner in ["web", "team", "jobs/nightly", ""] {
        let report = world.unlink(owner).await;
        assert!(report.steps.iter().all(|step| step.change == LinkChange::Remove), "{:?}", told(&report));
        assert_eq!(told(&world.unlink(owner).await), Vec::<String>::new());
    }
    let after = world.fake.look(|fake| format!("{:?}{:?}{:?}", fake.hooks, fake.runners, fake.projects));
    assert_eq!(before, after);
    // Nobody registers it anew behind the operator's back.
    assert!(world.egg("web").await.is_unlinked());
    world.link("web").await;
    assert!(!world.egg("web").await.is_unlinked());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_keeps_nothing_else_from_being_done() {
    let world = World::furnished(fake()).await;
    world.fake.fault(Fault::next(100, "/projects/50/hooks", What::Status(500)));
    let report = world.link("team").await;
    assert_eq!(told(&report), ["+runner 5", "!webhook 50", "+webhook 51"]);
    let failed = &report.steps[1];
    assert!(failed.note.as_ref().unwrap().contains("500"), "{failed:?}");
    assert!(failed.help.is_some());
    world.fake.change(|fake| fake.faults.list.clear());
    assert_eq!(told(&world.link("team").await), ["=runner 5", "+webhook 50", "=webhook 51"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_may_not_do_is_told_with_what_it_needs() {
    let world = World::furnished(fake()).await;
    world.fake.change(|fake| fake.add_token("glpat-of-the-eggs", &["read_api"], 50));
    let report = world.link("web").await;
    assert_eq!(told(&report), ["!runner 7", "!webhook 7"]);
    let told = format!("{report:?}");
    assert!(told.contains("the token needs the scope") && !told.contains("glpat-of"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_need_the_webhook_secret_of_the_nest() {
    let mut world = World::new(fake());
    world.serve("jobs/it", job("it", "0 2 * * *")).await;
    let mut settings = (*world.context.settings).clone();
    settings.nest.webhook_secret = None;
    world.context.settings = Arc::new(settings);
    let report = world.link("jobs/it").await;
    assert_eq!(told(&report), ["+runner 900", "!webhook 900", "+schedule it 900"]);
    assert!(report.steps[1].note.as_ref().unwrap().contains("--nest-webhook-secret"), "{report:?}");
    assert_eq!(world.fake.look(|fake| fake.projects[&NEST].schedules.len()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_is_not_linked() {
    let world = World::furnished(fake()).await;
    let of = |name: &str| Subject::Owner(name.to_owned());
    let unknown = worker::link(&world.context, &of("nobody"), false, "api:test").await;
    assert_eq!(unknown, Err(LinkError::Unknown("nobody".to_owned())));
    world.change_egg("web", |egg: &mut EggRecord| egg.removed = true).await;
    let gone = worker::link(&world.context, &of("web"), true, "api:test").await;
    assert_eq!(gone, Err(LinkError::Removed("web".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_triggered_by_its_schedule() {
    let world = World::furnished(fake()).await;
    let trigger = || {
        worker::perform(
            &world.context,
            orchestrator::roles::Work::Trigger { job: "nightly".to_owned(), actor: "api:test".to_owned() },
        )
    };
    let early = trigger().await.unwrap_err().to_string();
    assert!(early.contains("not made yet"), "{early}");
    world.link("jobs/nightly").await;
    world.fake.change(|fake| {
        let job = polar_gosling_tests::doubles::gitlab::NewJob::new("nightly", &["nightly"], &["true"]);
        fake.projects.get_mut(&NEST).unwrap().ci = vec![job];
    });
    trigger().await.unwrap();
    let jobs = world.fake.jobs();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].spec.variables["GOSLING_JOB"], "nightly");
    assert_eq!(jobs[0].spec.variables["CI_PIPELINE_SOURCE"], "schedule");
    assert!(world.audited().await.contains(&"job.trigger".to_owned()));
}
