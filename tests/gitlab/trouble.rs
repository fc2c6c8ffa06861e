//! What goes wrong between the client and GitLab, and what is said of it: never a token.

use std::{collections::BTreeMap, time::Duration};

use orchestrator::{
    adapters::gitlab::{GitLabClient, Patience},
    ports::{
        gitlab::{GitLab, GitLabError, Hook, Place},
        secrets::Secret,
    },
};
use polar_gosling_tests::doubles::gitlab::{FakeGitLab, Fault, What};
use proptest::prelude::*;

use super::{HOST, access, client, runner};

fn calls(fake: &FakeGitLab) -> usize {
    fake.look(|world| world.calls.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_reads_is_tried_again() {
    let fake = FakeGitLab::start();
    let (client, access) = (client(&fake), access(&fake.owner()));
    fake.fault(Fault::next(2, "/version", What::Status(502)));
    assert_eq!(client.version(&access).await.unwrap(), "17.8.1");
    assert_eq!(calls(&fake), 3);
    fake.fault(Fault::next(3, "/version", What::Status(503)));
    let error = client.version(&access).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(calls(&fake), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_is_tried_once() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let (client, access) = (client(&fake), access(&fake.owner()));
    fake.fault(Fault::next(1, "/user/runners", What::DoneButFailed));
    let error = client.create_runner(&access, &runner(Place::Project(7), &["a"])).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert_eq!(calls(&fake), 1);
    // What was made is found by its note.
    let found = client.runners(&access, Place::Project(7)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].maintenance_note, "gosling: web");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_left_alone_as_long_as_it_says() {
    let fake = FakeGitLab::start();
    let (client, access) = (client(&fake), access(&fake.owner()));
    fake.fault(Fault::next(1, "/version", What::TooMany(17)));
    match client.version(&access).await {
        Err(GitLabError::Away { wait, .. }) => assert_eq!(wait, Some(Duration::from_secs(17))),
        other => panic!("{other:?}"),
    }
    assert_eq!(calls(&fake), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_or_gone_is_away() {
    let fake = FakeGitLab::start();
    let token = fake.owner();
    let servers = BTreeMap::from([(HOST.to_owned(), fake.url().parse().unwrap())]);
    let patience = Patience { whole: Duration::from_millis(100), tries: 1, ..Patience::default() };
    let hasty = GitLabClient::new(servers, patience).unwrap();
    fake.fault(Fault::next(1, "/version", What::Slow(Duration::from_mins(1))));
    let error = hasty.version(&access(&token)).await.unwrap_err();
    assert_eq!(error.to_string(), "gitlab.example.com can't be reached: it doesn't answer in time");
    assert!(error.is_transient());

    let client = client(&fake);
    drop(fake);
    let error = client.version(&access(&token)).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_what_is_needed() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    fake.change(|world| {
        world.add_token("reads", &["read_api"], 50);
        world.add_token("develops", &["api"], 30);
    });
    let client = client(&fake);
    let wanted = runner(Place::Project(7), &["a"]);
    for (token, said) in [
        ("reads", "more"),
        ("develops", "403 Forbidden - Insufficient permissions"),
        ("nobody", "401 Unauthorized"),
    ] {
        let error = client.create_runner(&access(token), &wanted).await.unwrap_err();
        let GitLabError::Forbidden { needs, .. } = &error else { panic!("{error}") };
        let named = if token == "nobody" { "expired or was revoked" } else { "`create_runner`" };
        assert!(needs.contains(named), "{needs}");
        assert!(!error.to_string().contains("401: 401"), "{error}");
        if token != "reads" {
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_no_host_gets_no_token() {
    let fake = FakeGitLab::start();
    let client = client(&fake);
    for server in ["", "a/b", "user@host", "host?x", "host#x", "a b"] {
        let mut access = access("glpat-x");
        access.server = server.to_owned();
        let error = client.version(&access).await.unwrap_err();
        assert!(matches!(error, GitLabError::Wrong { .. }), "{server}: {error}");
    }
}

#[test]
fn property_tokens_are_in_no_error() {
    let fake = FakeGitLab::start();
    fake.add_project(7, "web");
    let client = client(&fake);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let statuses = proptest::sample::select(vec![0_u16, 301, 400, 401, 403, 404, 409, 422, 429, 500, 503]);
    proptest!(|(token in "glpat-[A-Za-z0-9_-]{20}", secret in "whs-[ -~]{20}", runner_token in "glrt-[A-Za-z0-9]{20}", status in statuses)| {
        fake.change(|world| {
            world.faults.list.clear();
            if status > 0 {
                world.faults.list.push(Fault::next(u32::MAX, "/api", What::Status(status)));
                world.faults.list[0].echo = true;
            }
        });
        let access = access(&token);
        let hook = Hook {
            id: None,
            url: "https://gosling.example.com".to_owned(),
            secret: Some(Secret::new(secret.clone())),
            events: BTreeMap::new(),
            ssl_verification: true,
        };
        let errors: Vec<GitLabError> = runtime.block_on(async {
            let runner_secret = Secret::new(runner_token.clone());
            [
                client.version(&access).await.err(),
                client.put_hook(&access, Place::Project(7), &hook).await.err(),
                client.create_runner(&access, &runner(Place::Project(7), &["a"])).await.err(),
                client.delete_manager(HOST, &runner_secret, "r_1").await.err(),
            ].into_iter().flatten().collect()
        });
        // Of a 404 the one that takes away says nothing.
        prop_assert!(errors.len() >= 3);
        for error in errors {
            let shown = format!("{error} {error:?}");
            for hidden in [&token, &secret, &runner_token] {
                prop_assert!(!shown.contains(hidden.as_str()), "{shown}");
            }
        }
    });
}
