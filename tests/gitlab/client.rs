//! Every call of the client, against the fake.

use std::{collections::BTreeMap, time::Duration};

use orchestrator::{
    domain::JobStatus,
    ports::{
        gitlab::{DeployKey, GitLab, GitLabError, Hook, NewRunner, Place, Schedule},
        secrets::Secret,
    },
};
use polar_gosling_tests::doubles::gitlab::{self as fake, FakeGitLab, NewJob, Status};

use super::{HOST, access, client, runner};

#[tokio::test(flavor = "multi_thread")]
async fn runners_are_made_changed_found_and_removed() {
    let fake = FakeGitLab::start();
    fake.change(|world| {
        world.add_group(5, "team", None);
        world.add_group(6, "inner", Some(5));
        world.add_project(7, "web", Some(6));
    });
    let (client, access) = (client(&fake), access(&fake.owner()));
    let wanted = runner(Place::Project(7), &["b", "a"]);
    let made = client.create_runner(&access, &wanted).await.unwrap();
    assert!(made.token.expose().starts_with("glrt-"));
    fake.look(|world| {
        let found = &world.runners[&made.id];
        assert_eq!(found.token, made.token.expose());
        assert_eq!(found.place, fake::Place::Project(7));
        assert_eq!((found.run_untagged, found.protected, found.maximum_timeout), (false, false, Some(3600)));
        assert_eq!(found.tags.iter().collect::<Vec<_>>(), ["a", "b"]);
    });

    let changed =
        NewRunner { protected: true, run_untagged: true, tags: Vec::new(), maximum_timeout: None, ..wanted };
    client.update_runner(&access, made.id, &changed).await.unwrap();
    fake.look(|world| {
        let found = &world.runners[&made.id];
        assert_eq!((found.run_untagged, found.protected, found.maximum_timeout), (true, true, None));
        assert!(found.tags.is_empty());
    });

    let token = client.reset_runner_token(&access, made.id).await.unwrap();
    assert_ne!(token.expose(), made.token.expose());
    assert_eq!(fake.look(|world| world.runners[&made.id].token.clone()), token.expose());

    // Those of the groups around it are none of its own.
    let outer = client.create_runner(&access, &runner(Place::Group(5), &["g"])).await.unwrap();
    let inner = client.create_runner(&access, &runner(Place::Group(6), &["g"])).await.unwrap();
    let ids = async |place| {
        let found = client.runners(&access, place).await.unwrap();
        assert!(
            found
                .iter()
                .all(|runner| runner.maintenance_note == "gosling: web" && runner.description == "web")
        );
        found.iter().map(|runner| runner.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(Place::Project(7)).await, [made.id]);
    assert_eq!(ids(Place::Group(5)).await, [outer.id]);
    assert_eq!(ids(Place::Group(6)).await, [inner.id]);

    for _ in 0..2 {
        client.delete_runner(&access, made.id).await.unwrap();
    }
    assert_eq!(ids(Place::Project(7)).await, [0; 0]);
    assert_eq!(client.version(&access).await.unwrap(), "17.8.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_machines_are_told() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let (client, access) = (client(&fake), access(&fake.owner()));
    let made = client.create_runner(&access, &runner(Place::Project(7), &["a"])).await.unwrap();
    let wanted = NewJob { git_ref: "v1".to_owned(), is_tag: true, ..NewJob::new("test", &["a"], &["true"]) };
    let id = fake.queue_pipeline(7, vec![wanted])[0];
    let job = client.job(&access, 7, id).await.unwrap();
    assert_eq!((job.id, job.project, &*job.name, job.status), (id, 7, "test", JobStatus::Pending));
    assert_eq!((job.tags, &*job.git_ref, job.is_tag, job.runner), (vec!["a".to_owned()], "v1", true, None));
    assert_eq!(job.created.unwrap().as_millis(), fake.job(id).unwrap().created);

    ask(&fake, made.token.expose(), "r_1").await;
    ask(&fake, made.token.expose(), "r_2").await;
    let managers = client.managers(&access, made.id).await.unwrap();
    assert_eq!(managers.iter().map(|one| &*one.system_id).collect::<Vec<_>>(), ["r_1", "r_2"]);
    assert!(managers.iter().all(|one| one.contacted.is_some_and(|at| at.as_millis() > 0)));
    let running = client.running_jobs(&access, made.id, "r_1").await.unwrap();
    assert_eq!(running.len(), 1);
    assert_eq!((running[0].id, running[0].project, running[0].status), (id, 7, JobStatus::Running));
    assert_eq!((running[0].runner, running[0].system_id.as_deref()), (Some(made.id), Some("r_1")));
    assert_eq!(client.running_jobs(&access, made.id, "r_2").await.unwrap(), []);
    let job = client.job(&access, 7, id).await.unwrap();
    assert_eq!((job.runner, job.system_id.as_deref()), (Some(made.id), Some("r_1")));

    fake.finish_job(id, Status::Failed, Some("script_failure"));
    let job = client.job(&access, 7, id).await.unwrap();
    assert_eq!((job.status, job.failure_reason.as_deref()), (JobStatus::Failed, Some("script_failure")));
    for _ in 0..2 {
        client.delete_manager(HOST, &made.token, "r_1").await.unwrap();
    }
    assert_eq!(client.managers(&access, made.id).await.unwrap().len(), 1);
    assert!(matches!(client.job(&access, 7, 1).await, Err(GitLabError::NotFound { .. })));
}

/// A machine of a runner asks for a job.
async fn ask(fake: &FakeGitLab, token: &str, system_id: &str) {
    let body = serde_json::json!({ "token": token, "system_id": system_id });
    let url = format!("{}/api/v4/jobs/request", fake.url());
    reqwest::Client::new().post(url).json(&body).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_are_whole() {
    let fake = FakeGitLab::start();
    fake.change(|world| {
        world.add_group(5, "team", None);
        world.add_group(6, "inner", Some(5));
        for id in 1..=250 {
            world.add_project(id, &format!("p{id}"), Some(if id % 2 == 0 { 5 } else { 6 }));
        }
    });
    let (client, access) = (client(&fake), access(&fake.owner()));
    let mut projects = client.projects_of(&access, 5).await.unwrap();
    projects.sort_unstable();
    assert_eq!(projects, (1..=250).collect::<Vec<_>>());

    let queued = fake.queue_pipeline(1, vec![NewJob::new("test", &["a"], &["true"]); 201]);
    fake.finish_job(queued[17], Status::Canceled, None);
    let mut pending: Vec<u64> =
        client.pending_jobs(&access, 1).await.unwrap().into_iter().map(|job| job.id).collect();
    pending.sort_unstable();
    assert_eq!(
        pending,
        queued.into_iter().filter(|id| fake.job(*id).unwrap().status == Status::Pending).collect::<Vec<_>>()
    );
    assert_eq!(pending.len(), 200);
    let pages = fake.look(|world| world.calls.iter().filter(|call| call.path.contains("/jobs?")).count());
    assert_eq!(pages, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_protects_a_ref_is_found() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    fake.change(|world| {
        let project = world.projects.get_mut(&7).unwrap();
        project.protected_branches.insert("release/*".to_owned());
        project.protected_tags.insert("v*".to_owned());
    });
    let (client, access) = (client(&fake), access(&fake.owner()));
    for (git_ref, is_tag, protected) in [
        ("main", false, true),
        ("main", true, false),
        ("release/1/2", false, true),
        ("feature", false, false),
        ("v1", true, true),
        ("v1", false, false),
        ("refs/merge-requests/3/head", false, false),
    ] {
        let found = client.is_protected(&access, 7, git_ref, is_tag).await.unwrap();
        assert_eq!(found, protected, "{git_ref}");
        assert_eq!(fake.look(|world| world.is_protected(7, git_ref, is_tag)), protected, "{git_ref}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_told_from_within() {
    let fake = FakeGitLab::start();
    fake.change(|world| {
        world.add_group(4, "top", None);
        world.add_group(5, "team", Some(4));
        world.add_group(6, "inner", Some(5));
        world.add_project(7, "web", Some(6));
        world.add_project(8, "own", None);
    });
    let (client, access) = (client(&fake), access(&fake.owner()));
    assert_eq!(client.groups_of(&access, 7).await.unwrap(), [6, 5, 4]);
    assert_eq!(client.groups_of(&access, 8).await.unwrap(), [0; 0]);
    assert!(matches!(client.groups_of(&access, 9).await, Err(GitLabError::NotFound { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_are_put_and_removed() {
    let fake = FakeGitLab::start();
    fake.change(|world| {
        world.add_group(5, "team", None);
        world.add_project(7, "web", Some(5));
    });
    let (client, access) = (client(&fake), access(&fake.owner()));
    for place in [Place::Project(7), Place::Group(5)] {
        let hook = Hook {
            id: None,
            url: "https://gosling.example.com/webhooks/gitlab".to_owned(),
            secret: Some(Secret::new("first")),
            events: BTreeMap::from([("job_events".to_owned(), true)]),
            ssl_verification: true,
        };
        let id = client.put_hook(&access, place, &hook).await.unwrap();
        let found = client.hooks(&access, place).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].id, &found[0].url, found[0].ssl_verification), (Some(id), &hook.url, true));
        assert!(found[0].secret.is_none());
        // Only what was asked for.
        let sent = found[0].events.iter().filter(|(_, sent)| **sent).map(|(event, _)| &**event);
        assert_eq!(sent.collect::<Vec<_>>(), ["job_events"]);

        let changed =
            Hook { id: Some(id), secret: Some(Secret::new("second")), ssl_verification: false, ..hook };
        assert_eq!(client.put_hook(&access, place, &changed).await.unwrap(), id);
        fake.look(|world| {
            assert_eq!(world.hooks[&id].token.as_deref(), Some("second"));
            assert!(!world.hooks[&id].ssl_verification);
        });
        for _ in 0..2 {
            client.delete_hook(&access, place, id).await.unwrap();
        }
        assert!(client.hooks(&access, place).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_have_their_variables() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "nest");
    fake.change(|world| {
        world.projects.get_mut(&7).unwrap().ci = vec![NewJob::new("rotate", &["nest"], &["true"])];
    });
    let (client, access) = (client(&fake), access(&fake.owner()));
    let variables = |all: &[(&str, &str)]| {
        all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let schedule = Schedule {
        id: None,
        description: "gosling: rotate".to_owned(),
        git_ref: "main".to_owned(),
        cron: "0 4 * * *".to_owned(),
        cron_timezone: "Europe/Berlin".to_owned(),
        active: true,
        variables: variables(&[("JOB", "rotate"), ("OLD", "1")]),
    };
    let id = client.put_schedule(&access, 7, &schedule).await.unwrap();
    let mut expected = Schedule { id: Some(id), ..schedule };
    assert_eq!(client.schedules(&access, 7).await.unwrap(), [expected.clone()]);
    expected.variables = variables(&[("JOB", "other"), ("NEW", "2")]);
    expected.active = false;
    expected.cron = "0 5 * * *".to_owned();
    assert_eq!(client.put_schedule(&access, 7, &expected).await.unwrap(), id);
    assert_eq!(client.schedules(&access, 7).await.unwrap(), [expected]);

    client.play_schedule(&access, 7, id).await.unwrap();
    let jobs = fake.jobs();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].spec.variables["JOB"], "other");
    for _ in 0..2 {
        client.delete_schedule(&access, 7, id).await.unwrap();
    }
    assert_eq!(client.schedules(&access, 7).await.unwrap(), []);
    let wrong = client.play_schedule(&access, 7, id).await;
    assert!(matches!(wrong, Err(GitLabError::NotFound { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_wish_is_told_in_gitlabs_words() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let (client, access) = (client(&fake), access(&fake.owner()));
    let short =
        NewRunner { maximum_timeout: Some(Duration::from_mins(1)), ..runner(Place::Project(7), &["a"]) };
    let error = client.create_runner(&access, &short).await.unwrap_err();
    assert!(!error.is_transient());
    assert_eq!(
        error.to_string(),
        "gitlab.example.com answers `POST /user/runners` with 400: maximum_timeout needs to be at least 10 minutes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy_keys_are_added_changed_and_removed() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let (client, access) = (client(&fake), access(&fake.owner()));
    let public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8tSDkFMeyE0sGbiVOQl7hvuQ1fFIVf0WVBOQqIo8Vc";
    let key = DeployKey { id: None, title: "one".to_owned(), key: public.to_owned(), can_push: false };
    let id = client.put_deploy_key(&access, 7, &key).await.unwrap();
    let twice = client.put_deploy_key(&access, 7, &key).await.unwrap_err().to_string();
    assert!(twice.contains("has already been taken"), "{twice}");
    let changed = DeployKey { id: Some(id), title: "other".to_owned(), can_push: true, ..key };
    assert_eq!(client.put_deploy_key(&access, 7, &changed).await.unwrap(), id);
    assert_eq!(client.deploy_keys(&access, 7).await.unwrap(), [changed]);
    client.delete_deploy_key(&access, 7, id).await.unwrap();
    client.delete_deploy_key(&access, 7, id).await.unwrap();
    assert_eq!(client.deploy_keys(&access, 7).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_jobs_take_is_asked_once_for_a_project() {
    let fake = FakeGitLab::start();
    for (id, seconds) in [(7, 3600), (8, 1200), (9, 7200)] {
        fake.add_project(id, "web");
        fake.change(|world| world.projects.get_mut(&id).unwrap().build_timeout = seconds);
    }
    let (client, access) = (client(&fake), access(&fake.owner()));
    for _ in 0..3 {
        // GitLab's own default says nothing of the jobs.
        assert_eq!(client.job_timeout(&access, 7, 1).await.unwrap(), None);
        assert_eq!(client.job_timeout(&access, 8, 1).await.unwrap(), Some(Duration::from_mins(20)));
        assert_eq!(client.job_timeout(&access, 9, 1).await.unwrap(), Some(Duration::from_hours(2)));
    }
    // One that there isn't is no reason to fail.
    assert_eq!(client.job_timeout(&access, 10, 1).await.unwrap(), None);
    assert_eq!(fake.look(|world| world.calls.len()), 4);
}
