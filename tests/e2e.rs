//! The main road, for real: a job queued in the fake GitLab is served by a runner that OpenTofu made. Everything runs as it
//! does for a user: `gosling serve` and what it starts, git, OpenTofu, and a stand-in for `gitlab-runner`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests drive real programs and files"
)]

use std::{collections::BTreeSet, fs, path::Path};

use polar_gosling_tests::{
    doubles::{
        gitlab::Status,
        stage::{API_TOKEN, EGG, HOOK_SECRET, Stage, UGLYFOX},
    },
    need,
};

fn stage() -> Option<Stage> {
    Stage::new(&[("Eggs/demo/config.fly", EGG), ("UF/config.fly", UGLYFOX)])
}

/// Waits until a job has ended well, and says what it wrote.
fn succeeded(stage: &Stage, job: u64) -> String {
    stage.gitlab.wait("the job's success", |world| {
        let job = &world.jobs[&job];
        assert!(job.given <= 1, "a job is given to one machine");
        (job.status == Status::Success).then(|| String::from_utf8_lossy(&job.trace).into_owned())
    })
}

/// Ends it all: no runner is left in GitLab, no process on this machine, no folder of a runner.
fn nothing_is_left(stage: &mut Stage) {
    stage.gitlab.wait("no machine of a runner", |world| {
        world.runners.values().all(|runner| runner.managers.is_empty()).then_some(())
    });
    stage.status_shows("no runner", |status| {
        let runners = status["runners"].as_array()?;
        runners.iter().all(|runner| runner["state"] == "terminated").then_some(())
    });
    assert!(stage.stop().success(), "{}", stage.log());
    assert_eq!(stage.processes(), [], "{}", stage.log());
    let folders = fs::read_dir(stage.data().join("tofu/runners")).into_iter().flatten();
    assert_eq!(folders.count(), 0, "no folder of a runner is left");
}

#[test]
fn a_job_is_served_and_its_runner_goes_by_policy() {
    let mut stage = need!(stage());
    stage.serve(&[]);
    let job = stage.queue_job("hello", &["demo"], &["echo hello from $CI_JOB_NAME"]);
    let trace = succeeded(&stage, job);
    assert!(trace.contains("hello from hello"), "{trace}");
    let runner = stage.transition("demo", "idle");
    for state in ["nadir", "pending_termination", "terminated"] {
        assert_eq!(stage.transition("demo", state), runner);
    }
    assert_eq!(stage.status()["status"]["waiting_total"], 0);
    nothing_is_left(&mut stage);
}

#[test]
fn a_push_changes_what_runners_are_made_of_and_a_broken_nest_changes_nothing() {
    let mut stage = need!(stage());
    stage.serve(&[]);
    let first = stage.queue_job("first", &["demo"], &["true"]);
    succeeded(&stage, first);

    let broken =
        stage.commit(&[("Eggs/demo/config.fly", &EGG.replace("concurrent = 2", "concurrent = lots"))]);
    let told = stage.status_shows("the broken Nest", |status| {
        let sync = &status["status"]["syncs"][0];
        (sync["commit"] == *broken).then(|| sync.clone())
    });
    assert_eq!(told["status"], "broken");
    let message = told["message"].as_str().unwrap();
    assert!(message.contains("Eggs/demo/config.fly:") && message.contains("lots"), "{message}");
    let human = stage.run(&["status"]);
    assert!(human.contains("lots"), "{human}");
    let second = stage.queue_job("second", &["demo"], &["true"]);
    succeeded(&stage, second);

    let tags = EGG.replace(r#"["demo"]"#, r#"["demo", "new"]"#);
    let good = stage.commit(&[("Eggs/demo/config.fly", &tags)]);
    stage.status_shows("the new Nest", |status| {
        let sync = &status["status"]["syncs"][0];
        (sync["commit"] == *good && sync["status"] == "applied").then_some(())
    });
    // Until now nobody would have taken it: GitLab's runner has the new tag as well.
    let third = stage.queue_job("third", &["new"], &["true"]);
    succeeded(&stage, third);
    nothing_is_left(&mut stage);
}

#[test]
fn why_a_job_waits_is_told() {
    let mut stage = need!(stage());
    stage.serve(&[]);
    let job = stage.queue_job("lonely", &["gpu"], &["true"]);
    stage.status_shows("the job that waits", |status| {
        let waiting = status["status"]["waiting"].as_array()?;
        waiting.iter().any(|one| one["number"] == job).then_some(())
    });
    let why = stage.run(&["why", "job", &job.to_string()]);
    assert!(why.contains("gpu"), "{why}");
    assert!(stage.stop().success(), "{}", stage.log());
}

/// Everything that lies below a folder, but what is meant to hold secrets: nothing of it may hold one.
fn look_through(folder: &Path, secrets: &BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look_through(&path, secrets);
        } else if let Ok(bytes) = fs::read(&path) {
            for secret in secrets {
                let holds = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!holds, "{} holds a secret", path.display());
            }
        }
    }
}

#[test]
fn no_secret_is_in_log_database_artifact_or_answer() {
    let mut stage = need!(stage());
    stage.serve(&[]);
    let job = stage.queue_job("hello", &["demo"], &["true"]);
    succeeded(&stage, job);
    let answers = [
        stage.run(&["status"]),
        stage.run(&["status", "--output", "json"]),
        stage.run(&["why", "job", &job.to_string()]),
    ];
    stage.transition("demo", "terminated");
    let mut secrets: BTreeSet<String> = [API_TOKEN, HOOK_SECRET].map(str::to_owned).into();
    stage.gitlab.look(|world| secrets.extend(world.runners.values().map(|runner| runner.token.clone())));
    assert_eq!(secrets.len(), 3, "a runner was registered");
    assert!(stage.stop().success(), "{}", stage.log());
    for text in answers.iter().chain([&stage.log()]) {
        for secret in &secrets {
            assert!(!text.contains(secret), "a secret was said:\n{text}");
        }
    }
    look_through(&stage.data(), &secrets);
}

/// Ends `gosling serve` by a kill at a point of its work, starts it again, and looks whether all is as if nothing had been.
fn killed_at(point: &str) {
    let mut stage = need!(stage());
    stage.serve(&[("GOSLING_KILL_AT", point)]);
    let job = stage.queue_job("hello", &["demo"], &["true"]);
    stage.killed();
    stage.serve(&[]);
    succeeded(&stage, job);
    stage.transition("demo", "terminated");
    nothing_is_left(&mut stage);
    stage.gitlab.look(|world| assert_eq!(world.runners.len(), 1, "the egg has one runner in GitLab"));
}

#[test]
fn killed_after_a_hook_was_queued() {
    killed_at("after-enqueue");
}

#[test]
fn killed_during_a_plan() {
    killed_at("during-plan");
}

#[test]
fn killed_between_plan_and_apply() {
    killed_at("before-apply");
}

#[test]
fn killed_during_an_apply() {
    killed_at("during-apply");
}

#[test]
fn killed_before_an_apply_was_recorded() {
    killed_at("before-record");
}

#[test]
fn killed_during_a_sync() {
    killed_at("during-sync");
}

/// A job that runs until its gate is opened, and the runner in GitLab that has it.
fn running_job(stage: &Stage) -> (u64, u64) {
    let gate = stage.folder().join("gate");
    let wait = format!("while [ ! -e '{}' ]; do sleep 0.1; done", gate.display());
    let job = stage.queue_job("long", &["demo"], &[&wait]);
    let runner = stage.gitlab.wait("the job to run", |world| {
        let job = &world.jobs[&job];
        (job.status == Status::Running).then_some(job.runner?)
    });
    (job, runner)
}

fn open_gate(stage: &Stage) {
    fs::write(stage.folder().join("gate"), "").unwrap();
}

/// Waits until GitLab has one runner for which this holds, and says which.
fn one_runner(stage: &Stage, what: &str, holds: impl Fn(u64) -> bool) -> u64 {
    stage.gitlab.wait(what, |world| {
        let mut runners = world.runners.keys().copied();
        let one = runners.next().filter(|id| holds(*id))?;
        runners.next().is_none().then_some(one)
    })
}

fn runner_of(stage: &Stage, job: u64) -> Option<u64> {
    stage.gitlab.look(|world| world.jobs[&job].runner)
}

#[test]
fn a_rotation_lets_the_job_finish_and_the_next_one_has_the_new_token() {
    let mut stage = need!(stage());
    stage.serve(&[]);
    let (first, old) = running_job(&stage);
    stage.run(&["rotate-tokens", "demo"]);
    stage.status_shows("what the rotation waits for", |status| {
        let note = status["status"]["eggs"][0]["rotation"]["note"].as_str()?;
        note.contains(&format!("finishes the job {first}")).then_some(())
    });
    let second = stage.queue_job("second", &["demo"], &["true"]);
    succeeded(&stage, second);
    stage.gitlab.look(|world| {
        assert_eq!(world.jobs[&first].status, Status::Running, "the first job still runs");
        assert!(world.runners.contains_key(&old), "and its runner works until it is done");
    });
    open_gate(&stage);
    succeeded(&stage, first);
    let new = one_runner(&stage, "the old runner to be revoked", |id| id != old);
    assert_eq!((runner_of(&stage, first), runner_of(&stage, second)), (Some(old), Some(new)));
    stage.run(&["rotate-tokens", "demo", "--wait"]);
    let late = stage.output(&["rotate-tokens", "--undo", "demo"]);
    let said = String::from_utf8_lossy(&late.stderr).into_owned();
    assert!(late.status.code() == Some(1) && said.contains("was revoked"), "{said}");
    nothing_is_left(&mut stage);
}

#[test]
fn a_rotation_is_undone_while_a_job_runs() {
    let mut stage = need!(stage());
    stage.serve(&[]);
    let (first, old) = running_job(&stage);
    stage.run(&["rotate-tokens", "demo"]);
    stage.gitlab.wait("the second runner", |world| (world.runners.len() == 2).then_some(()));
    stage.run(&["rotate-tokens", "--undo", "demo"]);
    open_gate(&stage);
    succeeded(&stage, first);
    one_runner(&stage, "the new runner to go", |id| id == old);
    let second = stage.queue_job("second", &["demo"], &["true"]);
    succeeded(&stage, second);
    assert_eq!(runner_of(&stage, second), Some(old));
    nothing_is_left(&mut stage);
}

/// Ends `gosling serve` by a kill at a step of a rotation, and looks whether it ends in one state all the same.
fn killed_during_rotation(step: u32) {
    let mut stage = need!(stage());
    stage.serve(&[("GOSLING_KILL_AT", &format!("during-rotation:{step}"))]);
    let (first, old) = running_job(&stage);
    // It may end before it answers.
    let _ = stage.output(&["rotate-tokens", "demo"]);
    if step > 3 {
        open_gate(&stage);
    }
    stage.killed();
    stage.serve(&[]);
    open_gate(&stage);
    succeeded(&stage, first);
    let new = one_runner(&stage, "the new runner alone", |id| id != old);
    let second = stage.queue_job("second", &["demo"], &["true"]);
    succeeded(&stage, second);
    assert_eq!(
        runner_of(&stage, second),
        Some(new),
        "the token that is kept is that of the runner that is left"
    );
    nothing_is_left(&mut stage);
    stage.gitlab.look(|world| assert_eq!(world.runners.len(), 1, "the egg has one runner in GitLab"));
}

#[test]
fn killed_when_a_rotation_has_registered_the_new_runner() {
    killed_during_rotation(1);
}

#[test]
fn killed_when_a_rotation_has_kept_the_new_token() {
    killed_during_rotation(2);
}

#[test]
fn killed_when_machines_go_over_to_the_new_token() {
    killed_during_rotation(3);
}

#[test]
fn killed_before_a_rotation_revokes_the_old_token() {
    killed_during_rotation(4);
}

#[test]
fn killed_after_a_rotation_has_revoked_the_old_token() {
    killed_during_rotation(5);
}

/// What is exported is the whole database, and goes into an empty folder with the same key, or nowhere.
#[test]
fn an_installation_moves_to_another_folder() {
    let mut stage = need!(stage());
    stage.serve(&[]);
    let job = stage.queue_job("before", &["demo"], &["echo before"]);
    succeeded(&stage, job);
    let (file, other) = (stage.folder().join("all.jsonl"), stage.folder().join("other"));
    let (file, folder) = (file.to_str().unwrap(), other.to_str().unwrap());
    let refused = |stage: &Stage, arguments: &[&str], code: i32, said: &str| {
        let output = stage.output(arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && text.contains(said), "{arguments:?}: {text}");
    };
    // The log of what was done, of everything and of one egg.
    let log = stage.run(&["logs", "--egg", "demo"]);
    assert!(log.contains(" runner.make runner demo-1 by policy:demand: "), "{log}");
    let log = stage.run(&["logs", "--since", "1d", "--output", "json"]);
    let first: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert!(first["action"].is_string(), "{log}");
    assert_eq!(stage.output(&["logs", "--egg", "nobody"]).status.code(), Some(3));

    refused(&stage, &["export", file], 5, "another gosling serves");
    stage.transition("demo", "terminated");
    assert!(stage.stop().success());
    let told = stage.run(&["export", file]);
    assert!(told.contains("runners") && told.contains("eggs_config"), "{told}");
    let text = fs::read_to_string(file).unwrap();
    for secret in [API_TOKEN, HOOK_SECRET] {
        assert!(!text.contains(secret), "a secret is in the export");
    }
    refused(&stage, &["export", file], 2, "is there already");
    refused(&stage, &["import", file], 5, "holds an installation already");
    refused(&stage, &["import", file, "--data", folder], 5, "was sealed with another key");
    assert!(!other.join("gosling.sqlite").exists(), "nothing was changed");
    fs::create_dir_all(&other).unwrap();
    for name in ["key", "secrets.sealed", "tokens.json"] {
        fs::copy(stage.data().join(name), other.join(name)).unwrap();
    }
    let cut = stage.folder().join("cut.jsonl");
    fs::write(&cut, &text[..text.len() / 2]).unwrap();
    refused(&stage, &["import", cut.to_str().unwrap(), "--data", folder], 1, "the export");
    stage.run(&["import", file, "--data", folder]);
    refused(&stage, &["import", file, "--data", folder], 5, "holds an installation already");
    stage.run(&["import", file, "--data", folder, "--replace"]);
    // The new folder has what the old one had.
    let again = stage.folder().join("again.jsonl");
    stage.run(&["export", again.to_str().unwrap(), "--data", folder]);
    let rows = |text: &str| {
        text.lines().filter(|line| line.starts_with("{\"table\"")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rows(&fs::read_to_string(again).unwrap()), rows(&text));
}
