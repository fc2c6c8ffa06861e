//! What looks and changes nothing: lists, single things, plans, checks; in each form.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};

use expect_test::expect;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};

use super::{NOW, ask, check, command, gosling, job, mother, runner, status};

fn egg(name: &str, kind: &str) -> Value {
    json!({
        "name": name, "kind": kind, "runner_type": "vm", "cloud": "local", "region": "", "tags": ["docs", "large"],
        "concurrent": 5,
        "repositories": [{
            "place": "gitlab.example.com/projects/12", "runner": 34,
            "gitlab": { "server": "gitlab.example.com", "project_id": 12 },
        }],
        "gitlab": { "server": "gitlab.example.com", "project_id": 12 },
        "digest": "d", "commit": "0123456789abcdef", "paused": name == "web", "removed": false, "revision": 1,
        "failures": 0, "synced": NOW,
    })
}

fn plan(id: &str, status: &str, made: &str) -> Value {
    json!({
        "id": id, "egg": "docs", "kind": "deploy", "status": status, "digest": "d", "commit": "0123456789abcdef",
        "made": made, "runners": { "docs-1": "apex" }, "changes": { "terraform_data.home": "create" },
        "error": (status == "failed").then_some("no such image\nmore"),
    })
}

#[test]
fn lists_are_names_in_a_pipe_and_tables_when_asked() {
    let first = json!({ "items": [egg("docs", "egg")], "next": "more" });
    let second = json!({ "items": [egg("jobs/nightly", "job"), egg("web", "bucket")] });
    let address = mother(vec![
        ("GET /eggs", 200, first),
        ("GET /eggs?cursor=more", 200, second),
        ("GET /runners?egg=docs&state=idle", 200, json!({ "items": [runner("docs-2", "idle", &[])] })),
        ("GET /jobs?egg=docs", 200, json!({ "items": [job(7)] })),
        ("GET /jobs", 200, json!({ "items": [] })),
        (
            "GET /eggs/docs/plans",
            200,
            json!({ "items": [plan("p-2", "failed", "2026-11-21T09:59:00Z"), plan("p-1", "applied", NOW)] }),
        ),
    ]);
    check(
        &ask(address, &["list", "eggs"]),
        &expect![[r#"
        exit 0
        docs
        web
    "#]],
    );
    check(
        &ask(address, &["list", "eggs", "--kind", "job", "-q"]),
        &expect![[r#"
        exit 0
        jobs/nightly
    "#]],
    );
    check(
        &ask(address, &["list", "eggs", "--output", "table"]),
        &expect![[r#"
        exit 0
        EGG   KIND    TYPE  CLOUD  AT MOST  TAGS        COMMIT    NOTE
        docs  egg     vm    local  5        docs,large  01234567
        web   bucket  vm    local  5        docs,large  01234567  paused
    "#]],
    );
    check(
        &ask(address, &["list", "runners", "--egg", "docs", "--state", "idle"]),
        &expect![[r#"
        exit 0
        docs-2
    "#]],
    );
    check(
        &ask(address, &["list", "jobs", "--egg", "docs"]),
        &expect![[r#"
        exit 0
        gitlab.example.com#7
    "#]],
    );
    check(
        &ask(address, &["list", "jobs", "--output", "table"]),
        &expect![[r#"
        exit 0
        There are none.
    "#]],
    );
    check(
        &ask(address, &["list", "plans", "docs"]),
        &expect![[r#"
        exit 0
        p-1
        p-2
    "#]],
    );
    // Ages depend on this machine's clock; everything else of these tables doesn't.
    for what in
        [&["list", "plans", "--egg", "docs"][..], &["list", "runners", "--egg", "docs", "--state", "idle"]]
    {
        let table = ask(address, &[what, &["--output", "table"]].concat());
        let text = String::from_utf8(table.stdout).unwrap();
        assert!(table.status.success() && text.lines().count() >= 2 && text.contains("docs"), "{text}");
    }
    check(
        &ask(address, &["list", "jobs", "--egg", "docs", "--output", "yaml"]),
        &expect![[r#"
        exit 0
        - git_ref: main
          name: build
          number: 7
          project: 12
          reasons:
          - "docs: has no tag `large`"
          - "web: is protected, and main is not"
          ref_protected: false
          server: gitlab.example.com
          since: "2026-11-21T09:58:30Z"
          status: pending
          tags:
          - docs
          - large
          told: "2026-11-21T10:00:00Z"
    "#]],
    );
    let json: Value =
        serde_json::from_slice(&ask(address, &["list", "eggs", "--output", "json"]).stdout).unwrap();
    assert_eq!(json[0]["gitlab"]["project_id"], 12);
}

#[test]
fn one_thing_and_one_field_of_it() {
    let address = mother(vec![
        ("GET /eggs/docs", 200, egg("docs", "egg")),
        ("GET /eggs/jobs%2Fnightly", 200, egg("jobs/nightly", "job")),
        ("GET /runners/docs-1", 200, runner("docs-1", "busy", &["gitlab.example.com#6"])),
        ("GET /eggs/docs/plans/p-2", 200, plan("p-2", "failed", NOW)),
    ]);
    check(
        &ask(address, &["get", "egg", "docs"]),
        &expect![[r#"
        exit 0
        cloud         local
        commit        0123456789abcdef
        concurrent    5
        digest        d
        failures      0
        gitlab
          project_id  12
          server      gitlab.example.com
        kind          egg
        name          docs
        paused        false
        region
        removed       false
        repositories
          gitlab
            project_id  12
            server      gitlab.example.com
          place   gitlab.example.com/projects/12
          runner  34
        revision      1
        runner_type   vm
        synced        2026-11-21T10:00:00Z
        tags          docs, large
    "#]],
    );
    check(
        &ask(address, &["get", "egg", "docs", "--output", "yaml"]),
        &expect![[r#"
        exit 0
        cloud: local
        commit: 0123456789abcdef
        concurrent: 5
        digest: d
        failures: 0
        gitlab:
          project_id: 12
          server: gitlab.example.com
        kind: egg
        name: docs
        paused: false
        region: ""
        removed: false
        repositories:
        - gitlab:
            project_id: 12
            server: gitlab.example.com
          place: gitlab.example.com/projects/12
          runner: 34
        revision: 1
        runner_type: vm
        synced: "2026-11-21T10:00:00Z"
        tags:
        - docs
        - large
    "#]],
    );
    check(
        &ask(address, &["get", "plan", "docs", "p-2"]),
        &expect![[r#"
        exit 0
        changes
          terraform_data.home  create
        commit   0123456789abcdef
        digest   d
        egg      docs
        error
          no such image
          more
        id       p-2
        kind     deploy
        made     2026-11-21T10:00:00Z
        runners
          docs-1  apex
        status   failed
    "#]],
    );
    check(
        &ask(address, &["get", "egg", "docs", "--field", "gitlab.project_id"]),
        &expect![[r#"
        exit 0
        12
    "#]],
    );
    check(
        &ask(address, &["get", "egg", "docs", "--field", "tags"]),
        &expect![[r#"
        exit 0
        ["docs","large"]
    "#]],
    );
    check(
        &ask(address, &["get", "egg", "docs", "--field", "repositories.0.place"]),
        &expect![[r#"
        exit 0
        gitlab.example.com/projects/12
    "#]],
    );
    check(
        &ask(address, &["get", "egg", "jobs/nightly", "--field", "kind"]),
        &expect![[r#"
        exit 0
        job
    "#]],
    );
    check(
        &ask(address, &["get", "runner", "docs-1", "--field", "state", "--output", "json"]),
        &expect![[r#"
            exit 0
            "busy"
        "#]],
    );
    check(
        &ask(address, &["get", "egg", "docs", "--field", "gitlab.projct_id"]),
        &expect![[r#"
        exit 3
        error: there is no field `gitlab.projct_id`
        help: did you mean `gitlab.project_id`?
    "#]],
    );
    check(
        &ask(address, &["get", "egg", "docs", "--field", "project_id"]),
        &expect![[r#"
        exit 3
        error: there is no field `project_id`
        help: did you mean `gitlab.project_id`?
    "#]],
    );
    check(
        &ask(address, &["get", "egg", "docs", "--field", "gitlab.branch"]),
        &expect![[r#"
        exit 3
        error: there is no field `gitlab.branch`
        help: there is `gitlab.project_id`, `gitlab.server`
    "#]],
    );
    check(
        &ask(address, &["get", "egg", "docs", "--field", "repositories.1"]),
        &expect![[r#"
        exit 3
        error: there is no field `repositories.1`
        help: `repositories` has repositories.0 to repositories.0
    "#]],
    );
    check(
        &ask(address, &["get", "egg", "docs", "--field", "kind.x"]),
        &expect![[r#"
        exit 3
        error: there is no field `kind.x`
        help: `kind` is "egg" and has no fields
    "#]],
    );
    check(
        &ask(address, &["get", "egg", "dcos"]),
        &expect![[r#"
        exit 3
        error: there is nothing at `GET /eggs/dcos`
        help: `gosling status` shows what there is
    "#]],
    );
}

#[test]
fn what_a_deployment_would_do() {
    let preview = |egg: &str, changes: Value, error: Option<&str>| {
        json!({
            "egg": egg, "at": NOW, "digest": "d", "commit": "0123456789abcdef", "runners": { "docs-1": "apex" },
            "changes": changes, "error": error,
        })
    };
    let changes = json!({
        "module.runner[\"docs-1\"].terraform_data.home": "create",
        "module.runner[\"docs-2\"].terraform_data.home": "delete",
        "module.runner[\"docs-3\"].terraform_data.home": "update",
    });
    let address = mother(vec![
        ("GET /eggs", 200, json!({ "items": [egg("docs", "egg"), egg("web", "egg")] })),
        ("POST /eggs/docs/plan", 200, preview("docs", changes, None)),
        ("POST /eggs/web/plan", 200, preview("web", json!({}), None)),
        ("POST /eggs/sick/plan", 200, preview("sick", json!({}), Some("OpenTofu failed:\n  no such image"))),
    ]);
    check(
        &ask(address, &["plan"]),
        &expect![[r#"
        exit 0
        docs at 01234567: 1 to create, 1 to update, 1 to delete
          + module.runner["docs-1"].terraform_data.home
          - module.runner["docs-2"].terraform_data.home
          ~ module.runner["docs-3"].terraform_data.home
        web at 01234567: nothing to do
    "#]],
    );
    check(
        &ask(address, &["plan", "web", "--output", "json"]),
        &expect![[r#"
        exit 0
        {
          "plans": [
            {
              "egg": "web",
              "at": "2026-11-21T10:00:00Z",
              "digest": "d",
              "commit": "0123456789abcdef",
              "runners": {
                "docs-1": "apex"
              },
              "changes": {}
            }
          ]
        }
    "#]],
    );
    check(
        &ask(address, &["plan", "web", "sick"]),
        &expect![[r#"
        exit 1
        web at 01234567: nothing to do
        sick at 01234567: it can't be planned
          OpenTofu failed:
            no such image
    "#]],
    );
    check(
        &ask(address, &["plan", "wbe"]),
        &expect![[r#"
        exit 3
        error: the egg `wbe` is unknown
        help: did you mean `web`?
    "#]],
    );
}

#[test]
fn the_status_of_one_egg() {
    let mut many = status();
    many["waiting_total"] = json!(40);
    let of_egg = json!({
        "egg": egg("docs", "egg"), "runners": { "busy": 1 }, "waiting": [job(7)], "waiting_total": 40,
    });
    let address = mother(vec![
        ("GET /status", 200, many),
        ("GET /eggs/docs/status", 200, of_egg),
        ("GET /runners?egg=docs", 200, json!({ "items": [runner("docs-2", "idle", &[])] })),
    ]);
    check(
        &ask(address, &["status", "--egg", "docs"]),
        &expect![[r#"
        exit 0
        Nest birds at 01234567, synced 3 h ago
        fedcba98 is broken and changes nothing, 60 s ago:
          error: unknown-name
           --> Eggs/docs/config.fly:3:5

        Eggs
        EGG   RUNNERS         WAITING  AT MOST  COMMIT    NOTE
        docs  1 busy, 2 idle  1        5        01234567

        Runners
        RUNNER  EGG   STATE  POOL  SINCE  HEARD  JOBS  WHY
        docs-2  docs  idle   apex  3 min  9 s    -     a job waits

        Waiting jobs
        JOB                   NAME   EGG   WAITS  TAGS        WHY
        gitlab.example.com#7  build  none  90 s   docs,large  docs: has no tag `large`
        40 jobs wait in all

        Last changes
        AGO  WHAT          ON             BY
        2 s  runner.drain  runner docs-2  policy:idle

        Queue: 1 waiting, 2 in work, 3 given up (gosling queue list)
    "#]],
    );
    check(
        &ask(address, &["status", "--egg", "dosc"]),
        &expect![[r#"
        exit 3
        error: there is nothing at `GET /eggs/dosc/status`
        help: `gosling status` shows what there is
    "#]],
    );
}

/// Not on a terminal, it prints what there is, and again only when something has changed; Ctrl-C ends it.
#[test]
fn watching_ends_with_ctrl_c() {
    let address = mother(vec![
        ("GET /status", 200, status()),
        ("GET /runners", 200, json!({ "items": [runner("docs-2", "idle", &[])] })),
    ]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), "the-token\n").unwrap();
    let api = format!("http://{address}");
    let arguments = ["status", "--watch", "--output", "json", "--api", &api, "--token-file", "token"];
    let mut child = command(folder.path(), &arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    let seen: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(seen["status"]["nest"], "birds");
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    lines.read_line(&mut rest).unwrap();
    assert_eq!(rest, "", "nothing has changed");
}

/// It is `flyc check` with another name: the same words and the same exit codes.
#[test]
fn validating_is_checking() {
    let folder = tempfile::tempdir().unwrap();
    let nest = folder.path().join("nest");
    fs::create_dir_all(nest.join("Eggs/web")).unwrap();
    fs::write(nest.join("nest.fly"), "nest {\n  name = \"platform\"\n}\n").unwrap();
    fs::write(nest.join("Eggs/web/config.fly"), "egg \"web\" {\n  type = \"vn\"\n}\n").unwrap();
    let both = |arguments: &[&str]| {
        let ours = gosling(folder.path(), &[&["validate", "nest"], arguments].concat());
        let theirs = std::process::Command::new(polar_gosling_tests::tools::flyc())
            .args([&["check", "nest"], arguments].concat())
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(ours.status.code(), theirs.status.code());
        assert_eq!(String::from_utf8_lossy(&ours.stdout), String::from_utf8_lossy(&theirs.stdout));
        ours
    };
    let told = both(&[]);
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&told.stdout).contains("did you mean `\"vm\"`?"));
    both(&["--output-format", "concise"]);
    let json = gosling(folder.path(), &["validate", "nest", "--output", "json"]);
    assert!(serde_json::from_slice::<Value>(&json.stdout).is_ok());
    // YAML has the same, by the flag and by the variable.
    let told: Value = serde_json::from_slice(&json.stdout).unwrap();
    let yaml = gosling(folder.path(), &["validate", "nest", "--output", "yaml"]);
    let by_variable =
        command(folder.path(), &["validate", "nest"]).env("GOSLING_OUTPUT", "yaml").output().unwrap();
    assert_eq!(yaml.stdout, by_variable.stdout);
    assert_eq!((yaml.status.code(), by_variable.status.code()), (Some(1), Some(1)));
    let yaml = String::from_utf8(yaml.stdout).unwrap();
    let ids = told.as_array().unwrap().iter().map(|found| found["id"].as_str().unwrap());
    assert!(ids.clone().count() > 0);
    for id in ids {
        assert!(yaml.contains(&format!("  id: {id}\n")), "{yaml}");
    }
}
