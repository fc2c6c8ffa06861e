//! `flyc plan` in real git repositories, with everything it prints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::needless_raw_string_hashes,
    reason = "a test program makes repositories and runs programs"
)]

#[path = "cli/harness.rs"]
mod harness;

use std::process::Command;

use expect_test::expect;
use harness::{Nest, nest};

const EGG: &str = r#"egg "my-app" {
  type = "vm"

  runner {
    tags = ["docker"]
  }

  gitlab {
    project_id = 12345
  }
}
"#;

/// Runs git in the folder, as somebody at some time: the same commits get the same hashes everywhere.
fn git(nest: &Nest, arguments: &[&str]) {
    let output = Command::new("git")
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(arguments)
        .current_dir(nest.path(""))
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .envs([
            ("GIT_AUTHOR_NAME", "Somebody"),
            ("GIT_AUTHOR_EMAIL", "somebody@example.com"),
            ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
            ("GIT_COMMITTER_NAME", "Somebody"),
            ("GIT_COMMITTER_EMAIL", "somebody@example.com"),
            ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ])
        .output()
        .expect("git starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository whose one commit holds these files.
fn repository(files: &[(&str, &str)]) -> Nest {
    let nest = nest(files);
    git(&nest, &["init", "--quiet"]);
    commit(&nest);
    nest
}

fn commit(nest: &Nest) {
    git(nest, &["add", "--all"]);
    git(nest, &["commit", "--quiet", "--allow-empty", "--message", "a state"]);
}

fn write(nest: &Nest, path: &str, text: &str) {
    nest.write_bytes(path, text.as_bytes());
}

#[test]
fn nothing_changes_when_only_the_form_does() {
    let nest = repository(&[("Eggs/my-app/config.fly", EGG)]);
    write(&nest, "Eggs/my-app/config.fly", &EGG.replace("    tags", "    # what we have\n    tags"));
    let run = nest.flyc(&["plan", "--against", "HEAD", "--exit-code"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.ends_with("): nothing changes\n"), "{}", run.stdout);
}

/// A Nest in which most kinds of change happen at once.
fn changed() -> Nest {
    let uglyfox = "uglyfox {\n  runners_condition \"all\" {\n    eggs_entities = [\"my-app\"]\n  }\n}\n";
    let job =
        "job \"rotate\" {\n  schedule = \"0 2 * * *\"\n  script   = \"gosling rotate-tokens --all\"\n}\n";
    let nest = repository(&[
        ("Eggs/my-app/config.fly", EGG),
        ("Eggs/old/config.fly", &EGG.replace("my-app", "old-name").replace("12345", "777")),
        ("UF/config.fly", uglyfox),
        ("Jobs/rotate.fly", job),
    ]);
    let egg = EGG
        .replace("[\"docker\"]", "[\"docker\", \"linux\"]\n    concurrent = 3")
        .replace("project_id = 12345", "project_id = 12345\n    token_secret = \"yc-lockbox://tokens/mine\"")
        .replace("  gitlab", "  resources {\n    memory = 8GiB\n  }\n\n  gitlab");
    write(&nest, "Eggs/my-app/config.fly", &egg);
    write(&nest, "Eggs/new/config.fly", &EGG.replace("my-app", "new-name").replace("12345", "777"));
    std::fs::remove_file(nest.path("Eggs/old/config.fly")).unwrap();
    write(&nest, "UF/config.fly", &uglyfox.replace("]\n", "]\n    apex {\n      max_count = 4\n    }\n"));
    write(&nest, "Jobs/rotate.fly", &job.replace("0 2", "30 3"));
    nest
}

#[test]
fn a_plan_as_text() {
    changed().flyc(&["plan", "--against", "main"]).is(expect![[r#"
        exit 0
        --- stdout
        ~ egg "my-app"  Eggs/my-app/config.fly
            gitlab.token_secret: yc-lockbox://***MASKED*** -> yc-lockbox://***MASKED*** (another one)
                registered anew: the token is kept elsewhere: a new one is made there unless the old one is moved first
            resources.memory: 4GiB -> 8GiB
                new runners only: a machine keeps the size it was made with: nothing is resized
            runner.concurrent: 1 -> 3
                more or fewer runners: the orchestrator counts the runners
            runner.tags: ["docker"] -> ["docker", "linux"]
                new runners only: a runner is told when it is made, and not again
            => the runners are registered with GitLab anew; those that exist serve as they did until they are drained

        + egg "new-name"  Eggs/new/config.fly
            => runners are made when jobs ask for them
            note: egg "old-name" served the same project: a new name means a new runner at GitLab, new machines and secrets at the new name's default places

        - egg "old-name"  Eggs/old/config.fly
            => its runners finish their jobs and are destroyed; its webhook and runner at GitLab go
            note: egg "new-name" serves the same project: if this is a new name for the same, its runners are made anew all the same

        ~ job "rotate"  Jobs/rotate.fly
            schedule: "0 2 * * *" -> "30 3 * * *"
            => the next run goes by it; every run has a runner of its own

        ~ uglyfox  UF/config.fly
            runners_condition.all.apex.max_count: 10 -> 4
            => taken from the next sync on: runners may be woken, put to sleep, made or drained to fit the new limits
            note: the pools that differ are those of "my-app"

        against main (7218106020): 1 added, 3 changed, 1 removed
    "#]]);
}

#[test]
fn a_plan_as_markdown() {
    changed().flyc(&["plan", "--against", "main", "--output-format", "markdown"]).is(expect![[r#"
        exit 0
        --- stdout
        **Fly plan** against `main (7218106020)`: 1 added, 3 changed, 1 removed.

        | | what | runners | file |
        |---|---|---|---|
        | changed | `egg "my-app"` | registered anew | `Eggs/my-app/config.fly` |
        | added | `egg "new-name"` | made on demand | `Eggs/new/config.fly` |
        | removed | `egg "old-name"` | drained and destroyed | `Eggs/old/config.fly` |
        | changed | `job "rotate"` | from the next run on | `Jobs/rotate.fly` |
        | changed | `uglyfox` | more or fewer runners | `UF/config.fly` |

        <details>
        <summary>Details</summary>

        #### changed `egg "my-app"`

        The runners are registered with GitLab anew; those that exist serve as they did until they are drained.

        | attribute | before | after | runners |
        |---|---|---|---|
        | `gitlab.token_secret` | `yc-lockbox://***MASKED***` | `yc-lockbox://***MASKED*** (another one)` | registered anew: the token is kept elsewhere: a new one is made there unless the old one is moved first |
        | `resources.memory` | `4GiB` | `8GiB` | new runners only: a machine keeps the size it was made with: nothing is resized |
        | `runner.concurrent` | `1` | `3` | more or fewer runners: the orchestrator counts the runners |
        | `runner.tags` | `["docker"]` | `["docker", "linux"]` | new runners only: a runner is told when it is made, and not again |

        #### added `egg "new-name"`

        Runners are made when jobs ask for them.

        Egg "old-name" served the same project: a new name means a new runner at GitLab, new machines and secrets at the new name's default places.

        #### removed `egg "old-name"`

        Its runners finish their jobs and are destroyed; its webhook and runner at GitLab go.

        Egg "new-name" serves the same project: if this is a new name for the same, its runners are made anew all the same.

        #### changed `job "rotate"`

        The next run goes by it; every run has a runner of its own.

        | attribute | before | after | runners |
        |---|---|---|---|
        | `schedule` | `"0 2 * * *"` | `"30 3 * * *"` | from the next run on |

        #### changed `uglyfox`

        Taken from the next sync on: runners may be woken, put to sleep, made or drained to fit the new limits.

        | attribute | before | after | runners |
        |---|---|---|---|
        | `runners_condition.all.apex.max_count` | `10` | `4` | more or fewer runners |

        The pools that differ are those of "my-app".

        </details>
    "#]]);
}

#[test]
fn a_plan_as_json() {
    let nest = changed();
    let run = nest.flyc(&["plan", "--against", "main", "--output-format", "json", "--exit-code"]);
    assert_eq!(run.code, 1);
    let plan: serde_json::Value = serde_json::from_str(&run.stdout).expect("one object");
    assert_eq!(plan["summary"], serde_json::json!({ "added": 1, "changed": 3, "removed": 1 }));
    expect![[r#"
        {
          "effect": "registration",
          "new": "yc-lockbox://***MASKED***",
          "old": "yc-lockbox://***MASKED***",
          "path": "gitlab.token_secret",
          "why": "the token is kept elsewhere: a new one is made there unless the old one is moved first"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&plan["changes"][0]["attributes"][0]).unwrap());
    assert_eq!(plan["commit"].as_str().map(str::len), Some(40));
    let again = nest.flyc(&["plan", "--against", "main", "--output-format", "json"]);
    assert_eq!((again.code, again.stdout), (0, run.stdout));
    assert_eq!(nest.read(".git/HEAD"), "ref: refs/heads/main\n", "the repository is as it was");
}

#[test]
fn a_nest_may_be_a_folder_of_its_repository() {
    let nest = repository(&[
        ("deep/fleet/Eggs/my-app/config.fly", EGG),
        ("Eggs/other/config.fly", "egg \"other\" { broken"),
    ]);
    write(&nest, "deep/fleet/Eggs/two/config.fly", &EGG.replace("my-app", "two"));
    for arguments in [&["deep/fleet"][..], &["deep/fleet/Eggs/my-app"]] {
        let run = nest.flyc(&[&["plan", "--against", "HEAD"], arguments].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.starts_with("+ egg \"two\"  Eggs/two/config.fly\n"), "{}", run.stdout);
        assert!(run.stdout.ends_with(": 1 added\n"), "{}", run.stdout);
    }
}

#[test]
fn every_way_to_name_a_revision() {
    let nest = repository(&[("Eggs/my-app/config.fly", EGG)]);
    git(&nest, &["tag", "--annotate", "v1", "--message", "the first"]);
    git(&nest, &["branch", "feature/one"]);
    write(&nest, "Eggs/my-app/config.fly", &EGG.replace("docker", "shell"));
    commit(&nest);
    for revision in ["HEAD~1", "HEAD^", "v1", "feature/one", "refs/heads/feature/one"] {
        let run = nest.flyc(&["plan", "--against", revision, "--exit-code"]);
        assert_eq!(run.code, 1, "{revision}: {}", run.stderr);
        assert!(run.stdout.contains("runner.tags: [\"docker\"] -> [\"shell\"]"), "{}", run.stdout);
    }
    assert_eq!(nest.flyc(&["plan", "--against", "HEAD", "--exit-code"]).code, 0);
}

#[test]
fn a_revision_that_is_not_there() {
    let nest = repository(&[("Eggs/my-app/config.fly", EGG)]);
    nest.flyc(&["plan", "--against", "mian"]).is(expect![[r#"
        exit 2
        --- stderr
        error: there is no revision `mian` in the git repository
        help: did you mean `--against main`?
    "#]]);
    nest.flyc(&["plan", "--against", "origin/production"]).is(expect![[r#"
        exit 2
        --- stderr
        error: there is no revision `origin/production` in the git repository
        help: name a branch, a tag or a commit that is fetched: `git fetch` gets what is missing
    "#]]);
    nest.flyc(&["plan"]).is(expect![[r#"
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          --against <REV>

        Usage: flyc plan --against <REV> [PATH]

        For more information, try '--help'.
    "#]]);
}

#[test]
fn a_shallow_clone_says_that_it_is_one() {
    let source = repository(&[("Eggs/my-app/config.fly", EGG)]);
    commit(&source);
    let clone = nest(&[]);
    let url = format!("file://{}", source.path("").display());
    git(&clone, &["clone", "--quiet", "--depth", "1", &url, "clone"]);
    clone.flyc(&["plan", "--against", "HEAD~1", "clone"]).is(expect![[r#"
        exit 2
        --- stderr
        error: there is no revision `HEAD~1` in the git repository
        help: the clone is shallow and may not hold it: fetch more of the history, for example with `git fetch --unshallow`, or `GIT_DEPTH: 0` in GitLab CI
    "#]]);
    // What a branch lacks in a shallow clone is not the branch.
    git(&clone, &["-C", "clone", "branch", "topic"]);
    clone.flyc(&["plan", "--against", "topic~1", "clone"]).is(expect![[r#"
        exit 2
        --- stderr
        error: there is no revision `topic~1` in the git repository
        help: the clone is shallow and may not hold it: fetch more of the history, for example with `git fetch --unshallow`, or `GIT_DEPTH: 0` in GitLab CI
    "#]]);
}

#[test]
fn no_repository_and_no_nest() {
    let alone = nest(&[("Eggs/my-app/config.fly", EGG)]);
    let run = alone.flyc(&["plan", "--against", "main"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("is not in a git repository"), "{}", run.stderr);
    let nowhere = repository(&[("readme.txt", "nothing")]);
    nowhere.flyc(&["plan", "--against", "main"]).is(expect![[r#"
        exit 1
        --- stderr
        error[no-nest]: `.` is not in a Nest
           ,-[ . ]
           | note: a Nest is a folder that holds `nest.fly`, or one of the folders Eggs, Jobs, UF and MG
           | help: go to the folder of a Nest, or begin one: make `Eggs/<name>/config.fly`
        ---' flyc explain no-nest

        no plan: 1 error
    "#]]);
}

#[test]
fn a_repository_without_a_working_folder() {
    let bare = nest(&[]);
    git(&bare, &["init", "--quiet", "--bare"]);
    write(&bare, "Eggs/my-app/config.fly", EGG);
    let run = bare.flyc(&["plan", "--against", "HEAD"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("is bare: it has no working folder"), "{}", run.stderr);
}

#[test]
fn a_folder_that_was_no_nest_is_all_new() {
    let nest = repository(&[("readme.txt", "nothing")]);
    write(&nest, "Eggs/my-app/config.fly", EGG);
    let run = nest.flyc(&["plan", "--against", "HEAD"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("there was no Nest at `HEAD`, so everything is added"), "{}", run.stdout);
    assert!(run.stdout.contains("+ egg \"my-app\""));
}

#[test]
fn a_past_with_errors_is_compared_as_far_as_it_is_understood() {
    let nest = repository(&[
        ("Eggs/broken/config.fly", &EGG.replace("my-app", "broken").replace("\"vm\"", "\"wm\"")),
        ("Eggs/my-app/config.fly", &EGG.replace("12345", "23456")),
    ]);
    write(&nest, "Eggs/broken/config.fly", &EGG.replace("my-app", "broken"));
    write(&nest, "Eggs/my-app/config.fly", &EGG.replace("docker", "linux").replace("12345", "23456"));
    let run = nest.flyc(&["plan", "--against", "main", "--exit-code"]);
    assert_eq!(run.code, 1);
    let from = run.stdout.find("? ").expect("what is not compared");
    expect![[r#"
        ? "broken" (Eggs/broken/config.fly) was in a file with errors at main, so it is not compared
        note: the Nest at `main` had 1 error; what they leave unknown is not compared
        against main (c051a9fb0e): 1 changed; 1 not compared
    "#]]
    .assert_eq(&run.stdout[from..]);
    assert!(run.stdout.starts_with("~ egg \"my-app\""), "{}", run.stdout);
}

#[test]
fn a_nest_with_errors_has_no_plan() {
    let nest = repository(&[("Eggs/my-app/config.fly", EGG)]);
    write(&nest, "Eggs/my-app/config.fly", &EGG.replace("\"vm\"", "\"wm\""));
    nest.flyc(&["plan", "--against", "HEAD", "--output-format", "json"]).is(expect![[r#"
        exit 1
        --- stderr
        error[unknown-value]: `type` wants "vm" or "serverless", found `"wm"`
           ,-[ Eggs/my-app/config.fly:2:10 ]
         2 |   type = "wm"
           |          ^^|^
           |            `--- none of these
           | note: `type` is what a runner is made of: a virtual machine, or a serverless container that lives 60 minutes at most
           | help: did you mean `"vm"`?
        ---' flyc explain unknown-value

        no plan: 1 error
    "#]]);
}

/// What git and the Nest ignore was not part of the Nest then either; an inner Nest is a Nest of its own; hidden
/// folders, and what a link leads to, are not in the revision.
#[test]
fn the_past_holds_the_same_files_as_the_working_folder_would() {
    let nest = repository(&[
        ("Eggs/my-app/config.fly", EGG),
        ("Eggs/draft/config.fly", &EGG.replace("my-app", "draft")),
        ("Eggs/kept/config.fly", &EGG.replace("my-app", "kept")),
        (".hidden/Eggs/a/config.fly", EGG),
        ("Eggs/.flyignore", "draft/\n"),
        (".flyignore", "Eggs/k*\n!Eggs/kept\n"),
        ("example/nest.fly", ""),
        ("example/Eggs/my-app/config.fly", EGG),
    ]);
    let run = nest.flyc(&["plan", "--against", "HEAD", "--exit-code"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    std::fs::remove_file(nest.path("Eggs/kept/config.fly")).unwrap();
    let run = nest.flyc(&["plan", "--against", "HEAD"]);
    assert!(run.stdout.starts_with("- egg \"kept\""), "{}", run.stdout);
    assert!(run.stdout.ends_with(": 1 removed\n"), "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn links_of_the_past_are_not_followed() {
    let nest = nest(&[("shared/config.fly", EGG), (".flyignore", "shared/\n")]);
    std::fs::create_dir(nest.path("Eggs")).unwrap();
    std::os::unix::fs::symlink("../shared", nest.path("Eggs/my-app")).unwrap();
    git(&nest, &["init", "--quiet"]);
    commit(&nest);
    let run = nest.flyc(&["plan", "--against", "HEAD"]);
    assert!(
        run.stdout.starts_with("+ egg \"my-app\"  Eggs/my-app/config.fly\n"),
        "{}{}",
        run.stdout,
        run.stderr
    );
}
