//! `gosling rotate-tokens --all` of several eggs, whose service is killed again and again: it ends in one state.

use std::{fs, path::Path, time::Duration};

use polar_gosling_tests::{
    doubles::{
        gitlab::{Fault, Place, Status, What},
        stage::{EGG, HOST, Stage},
    },
    need,
};
use serde_json::Value;

/// Two projects that share their runners.
const BUCKET: &str = r#"eggsbucket "pair" {
  type = "vm"

  cloud {
    provider = "local"
  }

  runner {
    tags       = ["pair"]
    executor   = "shell"
    concurrent = 1
  }

  repositories {
    repo "left" {
      gitlab {
        server     = "gitlab.demo.test"
        project_id = 2

        api_token_secret = "vault://gitlab/gitlab.demo.test/pair/api-token"
        webhook_secret   = "vault://gitlab/gitlab.demo.test/pair/webhook-secret"
        token_secret     = "vault://pair/left"
      }
    }

    repo "right" {
      gitlab {
        server     = "gitlab.demo.test"
        project_id = 3

        api_token_secret = "vault://gitlab/gitlab.demo.test/pair/api-token"
        webhook_secret   = "vault://gitlab/gitlab.demo.test/pair/webhook-secret"
        token_secret     = "vault://pair/right"
      }
    }
  }
}
"#;

/// The repositories that have a runner, with the secret of its token.
fn places() -> [(u64, String); 4] {
    let of = |egg: &str| format!("vault://gitlab/{HOST}/{egg}/runner-token");
    [
        (1, of("demo")),
        (2, "vault://pair/left".to_owned()),
        (3, "vault://pair/right".to_owned()),
        (4, of("still")),
    ]
}

/// The runners in GitLab, by project, with their tokens.
fn in_gitlab(stage: &Stage) -> Vec<(u64, u64, String)> {
    stage.gitlab.look(|world| {
        let runners = world.runners.iter();
        let mut found: Vec<_> = runners
            .map(|(id, runner)| match runner.place {
                Place::Project(project) => (project, *id, runner.token.clone()),
                Place::Group(group) => panic!("no group {group} has a runner"),
            })
            .collect();
        found.sort();
        found
    })
}

fn kept(stage: &Stage, uri: &str, to: &Path) -> String {
    let _ = fs::remove_file(to);
    stage.run(&["secret", "get", uri, "--to", to.to_str().unwrap()]);
    fs::read_to_string(to).unwrap().trim().to_owned()
}

/// An egg like `demo` of another project.
fn like_demo(name: &str, project: u64) -> String {
    EGG.replace("\"demo\"", &format!("\"{name}\""))
        .replace("project_id = 1", &format!("project_id = {project}"))
}

#[test]
fn killed_again_and_again_a_rotation_of_all_ends_in_one_state() {
    let (still, bare) = (like_demo("still", 4), like_demo("bare", 5));
    let nest = [
        ("Eggs/demo/config.fly", EGG),
        ("Eggs/pair/config.fly", BUCKET),
        ("Eggs/still/config.fly", &*still),
        ("Eggs/bare/config.fly", &*bare),
    ];
    let mut stage = need!(Stage::new(&nest));
    for (project, name) in [(2, "left"), (3, "right"), (4, "still"), (5, "bare")] {
        stage.gitlab.change(|world| world.add_project(project, name, None));
    }
    for egg in ["pair", "still", "bare"] {
        stage.secrets_of(egg);
    }
    stage.serve(&[]);
    stage.status_shows("the eggs", |status| (status["status"]["eggs"].as_array()?.len() == 4).then_some(()));
    stage.run(&["link", "demo", "pair", "still"]);
    // What was taken out of GitLab has no token, and is in nobody's way.
    stage.run(&["unlink", "bare", "--yes"]);
    stage.run(&["pause", "still"]);
    let gate = stage.folder().join("gate");
    let wait = format!("while [ ! -e '{}' ]; do sleep 0.1; done", gate.display());
    let job = stage.queue_job("long", &["demo"], &[&wait]);
    stage.gitlab.wait_for_job(job, Status::Running);
    let before = in_gitlab(&stage);
    assert_eq!(before.iter().map(|one| one.0).collect::<Vec<_>>(), [1, 2, 3, 4], "{before:?}");

    // More rounds by hand: `ROUNDS=30`.
    let rounds = std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_usize);
    for round in 0..rounds {
        if round % 2 == 1 {
            stage.gitlab.fault(Fault::next(6, "/projects/2", What::Status(500)));
        }
        let _ = stage.output(&["rotate-tokens", "--all", "--yes", "--retry-for", "0s"]);
        // At any moment: nothing is waited for by this.
        std::thread::sleep(Duration::from_millis(((round * 1237) % 6100) as u64));
        stage.kill();
        stage.serve(&[]);
    }
    fs::write(gate, "").unwrap();
    stage.gitlab.wait_for_job(job, Status::Success);
    let said: Value =
        serde_json::from_str(&stage.run(&["rotate-tokens", "--all", "--yes", "--wait", "--output", "json"]))
            .unwrap();
    let eggs: Vec<&str> = said.as_array().unwrap().iter().map(|egg| egg["egg"].as_str().unwrap()).collect();
    assert_eq!(eggs, ["demo", "pair", "still"], "what has no runner is left out");
    assert!(said.as_array().unwrap().iter().all(|egg| egg["step"] == "done"), "{said}");
    let after = in_gitlab(&stage);
    assert_eq!(after.len(), 4, "one runner a repository: {after:?}");
    // What is kept is good for something.
    let later = stage.queue_job("next", &["demo"], &["true"]);
    assert_eq!(stage.gitlab.wait_for_job(later, Status::Success).runner, Some(after[0].1));
    assert_eq!(stage.run(&["queue", "list", "--output", "json"]).trim(), "[]");
    assert!(stage.stop().success(), "{}", stage.log());
    for ((place, uri), (project, runner, token)) in places().iter().zip(&after) {
        assert_eq!(place, project);
        assert!(before.iter().all(|one| one.1 != *runner && one.2 != *token), "the old one is revoked");
        assert_eq!(
            kept(&stage, uri, &stage.folder().join("kept")),
            *token,
            "what is kept for project {place}"
        );
    }
}
