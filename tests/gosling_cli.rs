//! The gosling program as an operator has it: what its commands print over a stand-in of `MotherGoose`, its errors and their
//! exit codes.
//!
//! Never here: its help texts, which the reference holds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::needless_raw_string_hashes,
    reason = "a test program, with snapshots that are written by a tool"
)]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    thread,
};

use expect_test::{Expect, expect};
use polar_gosling_tests::tools;
use serde_json::{Value, json};

#[path = "gosling_cli/frame.rs"]
mod frame;
#[path = "gosling_cli/looking.rs"]
mod looking;
#[path = "gosling_cli/said.rs"]
mod said;

#[allow(dead_code, reason = "the API's tests use more of them")]
#[path = "api/doubles.rs"]
mod doubles;

#[allow(dead_code, reason = "the tests of prompts use more of it")]
#[path = "nest_commands/terminal.rs"]
mod terminal;

mod world {
    /// What an environment may say to gosling.
    pub(crate) const VARIABLES: [&str; 12] = [
        "GOSLING_API",
        "GOSLING_TOKEN_FILE",
        "GOSLING_DATA",
        "GOSLING_KEY_FILE",
        "GOSLING_CONFIG",
        "GOSLING_LOG",
        "GOSLING_OUTPUT",
        "GOSLING_PROFILE",
        "GOSLING_NEST_URL",
        "GOSLING_URL",
        "GOSLING_SECRET_BACKEND",
        "GOSLING_RETRY_FOR",
    ];
}

/// A stand-in that answers each path with a status and a body; it lives as long as the test.
fn mother(answers: Vec<(&'static str, u16, Value)>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let _ = answer(stream, &answers);
        }
    });
    address
}

fn answer(mut stream: TcpStream, answers: &[(&'static str, u16, Value)]) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    lines.read_line(&mut first)?;
    let (mut length, mut token) = (0, false);
    loop {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(text) = line.strip_prefix("content-length: ") {
            length = text.parse().unwrap();
        }
        token |= line == "authorization: bearer the-token";
    }
    std::io::copy(&mut lines.take(length), &mut std::io::sink())?;
    let asked = first.rsplit_once(' ').unwrap().0;
    let known = answers.iter().find(|(path, ..)| *path == asked);
    let (status, body) = match known {
        _ if !token => (
            401,
            json!({ "type": "x", "title": "Unauthorized", "status": 401, "detail": "no token was shown" }),
        ),
        Some((_, status, body)) => (*status, body.clone()),
        None => {
            let detail = format!("there is nothing at `{asked}`");
            (404, json!({ "type": "x", "title": "Not Found", "status": 404, "detail": detail }))
        }
    };
    let body = body.to_string();
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(tools::gosling());
    for variable in world::VARIABLES.iter().chain(&["COLUMNS", "LINES", "PORT"]) {
        command.env_remove(variable);
    }
    command.env("NO_PROXY", "127.0.0.1").env("XDG_CONFIG_HOME", folder).env("GOSLING_RETRY_FOR", "0s");
    command.args(arguments).current_dir(folder);
    command
}

fn gosling(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// Runs it with a good token.
fn ask(address: SocketAddr, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), "the-token\n").unwrap();
    let api = format!("http://{address}");
    gosling(folder.path(), &[arguments, &["--api", &api, "--token-file", "token"]].concat())
}

/// What it printed and how it ended.
fn check(output: &Output, expected: &Expect) {
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    // The port is another each time.
    let mut text = format!("exit {}\n{out}{err}", output.status.code().unwrap());
    while let Some(at) = text.find("127.0.0.1:") {
        let end = text[at + 10..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| at + 10 + end);
        text.replace_range(at..end, "ADDRESS");
    }
    expected.assert_eq(&text);
}

const NOW: &str = "2026-11-21T10:00:00Z";

fn job(number: u64) -> Value {
    json!({
        "server": "gitlab.example.com", "number": number, "project": 12, "name": "build", "git_ref": "main",
        "ref_protected": false, "tags": ["docs", "large"], "status": "pending", "egg": null, "runner": null,
        "since": "2026-11-21T09:58:30Z", "told": NOW,
        "reasons": ["docs: has no tag `large`", "web: is protected, and main is not"],
    })
}

fn runner(id: &str, state: &str, jobs: &[&str]) -> Value {
    json!({
        "id": id, "egg": "docs", "runner_type": "vm", "cloud": "local", "region": "", "state": state, "pool": "apex",
        "why": "a job waits", "made": NOW, "changed": "2026-11-21T09:57:00Z", "heartbeat": "2026-11-21T09:59:51Z",
        "jobs": jobs, "jobs_done": 3, "failures": 0, "commit": "a", "digest": "d", "managers": {},
    })
}

fn status() -> Value {
    let egg = |name: &str, error: Option<&str>| {
        json!({
            "name": name, "runners": { "busy": 1, "idle": 2 }, "waiting": 1, "concurrent": 5,
            "commit": "0123456789abcdef", "paused": false, "removed": false,
            "retry_at": error.map(|_| "2026-11-21T10:00:40Z"), "error": error,
        })
    };
    let sync = |commit: &str, status: &str, message: Option<&str>, at: &str| {
        json!({
            "id": "s", "commit": commit, "status": status, "added": [], "changed": [], "removed": [],
            "message": message, "at": at,
        })
    };
    json!({
        "at": NOW, "nest": "birds",
        "syncs": [
            sync("fedcba9876543210", "broken", Some("error: unknown-name\n --> Eggs/docs/config.fly:3:5"), "2026-11-21T09:59:00Z"),
            sync("0123456789abcdef", "applied", None, "2026-11-21T07:00:00Z"),
        ],
        "eggs": [egg("docs", None), egg("web", Some("the apply failed: no such image\nmore"))],
        "waiting": [job(7)], "waiting_total": 1,
        "transitions": [{
            "id": "a", "at": "2026-11-21T09:59:58Z", "actor": "policy:idle", "action": "runner.drain",
            "resource_type": "runner", "resource": "docs-2", "details": {},
        }],
        "queue": { "waiting": 1, "working": 2, "dead": 3 },
    })
}

#[test]
fn status_shows_everything() {
    let first = json!({ "items": [runner("docs-1", "busy", &["gitlab.example.com#6"])], "next": "more" });
    let second = json!({
        "items": [runner("docs-2", "idle", &[]), runner("docs-0", "terminated", &[])],
    });
    let address = mother(vec![
        ("GET /status", 200, status()),
        ("GET /runners", 200, first),
        ("GET /runners?cursor=more", 200, second),
    ]);
    check(
        &ask(address, &["status"]),
        &expect![[r#"
            exit 0
            Nest birds at 01234567, synced 3 h ago
            fedcba98 is broken and changes nothing, 60 s ago:
              error: unknown-name
               --> Eggs/docs/config.fly:3:5

            Eggs
            EGG   RUNNERS         WAITING  AT MOST  COMMIT    NOTE
            docs  1 busy, 2 idle  1        5        01234567
            web   1 busy, 2 idle  1        5        01234567  the deployment failed; next try in 40 s

            Failed deployments
            EGG  WHY
            web  the apply failed: no such image
                 more

            Runners
            RUNNER  EGG   STATE  POOL  SINCE  HEARD  JOBS                  WHY
            docs-1  docs  busy   apex  3 min  9 s    gitlab.example.com#6  a job waits
            docs-2  docs  idle   apex  3 min  9 s    -                     a job waits

            Waiting jobs
            JOB                   NAME   EGG   WAITS  TAGS        WHY
            gitlab.example.com#7  build  none  90 s   docs,large  docs: has no tag `large`

            Last changes
            AGO  WHAT          ON             BY
            2 s  runner.drain  runner docs-2  policy:idle

            Queue: 1 waiting, 2 in work, 3 given up (gosling queue list)
        "#]],
    );
    let json: Value = serde_json::from_slice(&ask(address, &["status", "--output", "json"]).stdout).unwrap();
    assert_eq!(json["runners"].as_array().unwrap().len(), 3);
    assert_eq!(json["status"]["nest"], "birds");
    let painted = ask(address, &["status", "--color", "always"]).stdout;
    assert!(String::from_utf8_lossy(&painted).contains("\u{1b}[33mbusy\u{1b}[0m"));
}

#[test]
fn a_nest_that_was_never_synced() {
    let mut status = status();
    status["syncs"] = json!([]);
    status["waiting_total"] = json!(0);
    for list in ["eggs", "waiting", "transitions"] {
        status[list] = json!([]);
    }
    let address = mother(vec![("GET /status", 200, status), ("GET /runners", 200, json!({ "items": [] }))]);
    check(
        &ask(address, &["status"]),
        &expect![[r#"
        exit 0
        Nest birds: not synced yet

        Queue: 1 waiting, 2 in work, 3 given up (gosling queue list)
    "#]],
    );
}

#[test]
fn why_a_job_waits() {
    let why = json!({ "job": job(7), "runner": null, "paused": false, "error": null });
    let address = mother(vec![
        ("GET /why/job/7", 200, why.clone()),
        ("GET /why/job/7?server=gitlab.example.com", 200, why),
    ]);
    check(
        &ask(address, &["why", "job", "7"]),
        &expect![[r#"
        exit 0
        gitlab.example.com#7 build: pending
          ref     main
          tags    docs, large
          egg     none serves it
          because docs: has no tag `large`
          because web: is protected, and main is not
    "#]],
    );
    assert!(ask(address, &["why", "job", "7", "--server", "gitlab.example.com"]).status.success());
    check(
        &ask(address, &["why", "job", "8"]),
        &expect![[r#"
        exit 3
        error: there is nothing at `GET /why/job/8`
        help: `gosling list jobs` shows those that are known
    "#]],
    );
}

#[test]
fn what_was_given_up_is_listed_and_tried_again() {
    let dead = json!({ "items": [{
        "id": "m-1", "kind": "deploy", "subject": ["docs\u{1b}[31m"], "reason": "the apply failed\nmore", "attempts": 8,
        "at": NOW,
    }] });
    let address = mother(vec![
        ("GET /queue/dead", 200, dead),
        ("POST /queue/dead/m-1/replay", 202, json!({ "new": true })),
    ]);
    check(
        &ask(address, &["queue", "list"]),
        &expect![[r#"
        exit 0
        ID   WHAT    ON              TRIES  REASON
        m-1  deploy  docs\u{1b}[31m  8      the apply failed
    "#]],
    );
    check(
        &ask(address, &["queue", "replay", "m-1"]),
        &expect![[r#"
        exit 0
        m-1 is tried again
    "#]],
    );
    check(
        &ask(address, &["queue", "replay", "../m-1"]),
        &expect![[r#"
        exit 3
        error: there is nothing at `POST /queue/dead/..%2Fm-1/replay`
        help: `gosling queue list` shows them
    "#]],
    );
}

#[test]
fn who_is_not_there_or_says_no() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    check(
        &ask(free, &["status"]),
        &expect![[r#"
            exit 4
            error: MotherGoose at http://ADDRESS/ doesn't answer: Connection refused (os error 111)
            help: is `gosling serve` running? --api, GOSLING_API or a profile says where it is
        "#]],
    );
    let address = mother(vec![("GET /status", 503, json!("busy"))]);
    check(
        &ask(address, &["status"]),
        &expect![[r#"
        exit 4
        error: MotherGoose at http://ADDRESS/ answered 503 Service Unavailable
        help: try it again in a moment
    "#]],
    );
    let folder = tempfile::tempdir().unwrap();
    check(
        &gosling(folder.path(), &["status", "--api", &format!("http://{address}")]),
        &expect![[r#"
            exit 5
            error: MotherGoose at http://ADDRESS/ wants a token, and none was given
            help: give a token: --token-file FILE, GOSLING_TOKEN_FILE or a profile; `gosling token` makes one
        "#]],
    );
}

/// A token is shown once; the file of the service has its fingerprint and nothing else of it.
#[test]
fn a_token_is_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str| gosling(folder.path(), &["token", name, "--scope", "operate", "--data", "data"]);
    let output = make("alice");
    let token = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && token.starts_with("gosling-") && token.len() == 52, "{token}");
    let file = folder.path().join("data/tokens.json");
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(token.trim()) && text.contains("\"operate\""), "{text}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(make("alice").status.code(), Some(2));
    assert!(make("bob").status.success());
    assert_eq!(fs::read_to_string(&file).unwrap().matches("sha256").count(), 2);
}

#[test]
fn power_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let power = |arguments: &str| {
        let arguments: Vec<&str> = ["power"].into_iter().chain(arguments.split(' ')).collect();
        gosling(folder.path(), &arguments)
    };
    check(
        &power("--cloud yandex --container c --runner docs-1 --state running"),
        &expect![[r#"
        exit 2
        error: the container `c` can't be started: the variable CONTAINER_URL is not set
        help: OpenTofu calls `gosling power` with what it needs in its environment
    "#]],
    );
    check(
        &power("--cloud aws --cluster c --task docs-1 --state running"),
        &expect![[r#"
        exit 2
        error: the task of the runner `docs-1` can't be started from nothing
        help: name its task definition: --definition ARN
    "#]],
    );
    check(
        &power("--cloud yandex --state running"),
        &expect![[r#"
        exit 2
        error: there is nothing of Yandex Cloud to start or stop
        help: name an instance with --instance, or a container with --container and --runner
    "#]],
    );
}

#[test]
fn a_runner_that_is_told_nothing_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"runner_id":"docs-1","egg":"docs","orchestrator_url":"http://127.0.0.1:1","egg_file":"egg.json"}"#;
    check(
        &gosling(folder.path(), &["runner", "--config", "runner.json"]),
        &expect![[r#"
        exit 2
        error: runner.json: No such file or directory (os error 2)
        help: the module of the egg writes it; `flyc build` makes the module anew
    "#]],
    );
    fs::write(folder.path().join("runner.json"), text).unwrap();
    fs::write(folder.path().join("egg.json"), "{}").unwrap();
    check(
        &gosling(folder.path(), &["runner", "--config", "runner.json"]),
        &expect![[r#"
        exit 2
        error: egg.json: missing field `format_version` at line 1 column 2
        help: the module of the egg writes it; `flyc build` makes the module anew
    "#]],
    );
    check(
        &gosling(folder.path(), &["runner", "--from", "environment"]),
        &expect![[r#"
        exit 2
        error: the variable GOSLING_RUNNER_CONFIG: it is not set
        help: the module of the egg writes it; `flyc build` makes the module anew
    "#]],
    );
}
