//! Secrets are put, changed and looked after by the API, and none is ever shown.

use std::{io::Write, process::Stdio};

use polar_gosling_tests::{
    doubles::stage::{API_TOKEN, HOOK_SECRET, HOST, Stage},
    need,
};
use serde_json::Value;

use crate::{refused, stage};

/// Runs a command with something on its standard input; what it said, on both.
fn with_input(stage: &Stage, arguments: &[&str], input: &str) -> String {
    let mut command = stage.gosling(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("gosling starts");
    process.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it listens");
    let output = process.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn secrets_are_changed_while_gosling_serves() {
    const VALUE: &str = "s3cret-value-7be1f0";
    let stage = need!(stage());
    let mut said = Vec::new();
    let other = "vault://team/database/password";
    said.push(with_input(&stage, &["secret", "put", other], VALUE));
    assert_eq!(said[0], "kept as version 1\n");
    said.push(with_input(&stage, &["secret", "rotate", other], &format!("{VALUE}-2")));
    assert_eq!(said[1], "kept as version 2\n");
    let (code, text) = refused(&stage.output(&["secret", "rotate", other]));
    assert_eq!((code, text.contains("--random")), (Some(2), true), "{text}");
    said.push(text);
    said.push(stage.run(&["secret", "rotate", other, "--random", "--output", "json"]));
    let written: Value = serde_json::from_str(said.last().unwrap()).unwrap();
    assert_eq!((&written["version"], &written["kind"]), (&3.into(), &"other".into()));
    let versions = stage.run(&["secret", "versions", other]);
    assert_eq!(versions.lines().count(), 3, "{versions}");
    assert!(versions.lines().next().unwrap().ends_with("  current"), "{versions}");
    said.push(versions);

    // GitLab's webhook shows what the secret was: it is let in, until it is told the new one.
    let hook = format!("vault://gitlab/{HOST}/demo/webhook-secret");
    let told = stage.run(&["secret", "rotate", &hook]);
    assert!(told.starts_with("kept as version 2\n") && told.contains("gosling link demo"), "{told}");
    said.push(told);
    let before = stage.gitlab.look(|world| world.deliveries.len());
    stage.queue_job("hooked", &["demo"], &["true"]);
    stage.gitlab.wait("a webhook that is let in", |world| {
        let new = world.deliveries.get(before..)?;
        assert!(new.iter().all(|delivery| delivery.status.is_none_or(|status| status == 200)), "{new:?}");
        new.iter().any(|delivery| delivery.status == Some(200)).then_some(())
    });

    // The token of a runner is GitLab's to make.
    stage.transition("demo", "idle");
    let token = format!("vault://gitlab/{HOST}/demo/runner-token");
    let told = stage.run(&["secret", "rotate", &token]);
    assert!(told.contains("demo are rotated"), "{told}");
    said.push(told);

    let audit = stage.run(&["secret", "audit", other]);
    let actors = audit.lines().filter(|line| line.contains("api:stage")).count();
    assert!(actors == 3 && audit.contains("vault/team/database"), "{audit}");
    said.push(audit);
    said.push(stage.run(&["secret", "audit", "--output", "json", "--limit", "500"]));
    let entries: Value = serde_json::from_str(said.last().unwrap()).unwrap();
    let entries = entries.as_array().unwrap();
    assert!(entries.iter().all(|entry| entry["resource_type"] == "secret"));
    assert!(entries.iter().any(|entry| entry["action"] == "secret.read"), "who read is told");

    for text in &said {
        for secret in [VALUE, API_TOKEN, HOOK_SECRET] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(
            !text.contains("/password") && !text.contains("webhook-secret"),
            "the key of a URI is said: {text}"
        );
    }
}

#[test]
fn a_value_is_not_sent_where_others_may_read_it() {
    let stage = need!(stage());
    let put = ["secret", "put", "vault://a/b/c", "--api", "http://gosling.example.com"];
    let (code, said) = refused(&stage.output(&put));
    assert_eq!((code, said.contains("use https")), (Some(2), true), "{said}");
}
