//! A whole run with secrets that are known and odd: what GitLab, OpenTofu and git are told they are told, and nothing else has
//! them: no log, database, artifact, error or answer.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use orchestrator::{
    ports::{git::Remote, secrets::Secret},
    settings::NestSettings,
};
use polar_gosling_tests::{
    doubles::{
        gitlab::{Fault, Status, User, What},
        stage::{EGG, HOST, Stage, UGLYFOX},
    },
    need,
};
use serde_json::Value;

use crate::{is_meant, known::Search};

const API: &str = r#"glpat-q"u\o$t%e'd&{x}=+/? 4b1c"#;
const HOOK: &str = r"h\o'o$k%41;<s>ec ret-77e1";
const PASSWORD: &str = "p\u{e4}ss \"w\\ord\"\u{1f511} 93d5$HOME%20";
const AWS: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY0EXAMPLE==";
const YANDEX: &str = "t1.9euelZ\"quoted\"-Yandex-token";

/// A program before the real one, that writes down what it was started with.
fn recorded(stage: &Stage, program: &str, real: &Path) {
    let path = stage.folder().join("bin").join(program);
    let record = stage.folder().join(format!("given-{program}"));
    let script = format!(
        "#!/bin/sh\n{{ printf '%s\\n' \"$@\"; env; }} >> '{}'\nexec '{}' \"$@\"\n",
        record.display(),
        real.display()
    );
    let _ = fs::remove_file(&path);
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The command lines of all processes of this machine, looked at again and again.
struct Watch {
    over: Arc<AtomicBool>,
    seen: Option<thread::JoinHandle<BTreeSet<Vec<u8>>>>,
}

impl Watch {
    fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let seen = thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !ended.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
                    if entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit) {
                        seen.insert(fs::read(entry.path().join("cmdline")).unwrap_or_default());
                    }
                }
                thread::park_timeout(Duration::from_millis(25));
            }
            seen
        });
        Self { over, seen: Some(seen) }
    }

    fn end(mut self) -> BTreeSet<Vec<u8>> {
        self.over.store(true, Ordering::Relaxed);
        self.seen.take().unwrap().join().unwrap()
    }
}

/// Every path of the API that is read, by its description, with what stands for its parts.
fn paths(stage: &Stage, job: u64, plan: &str, runner: &str) -> Vec<String> {
    let description: Value = serde_json::from_str(&stage.ask("GET", "openapi.json", None)).unwrap();
    let all = description["paths"].as_object().unwrap();
    let read = all.iter().filter(|(_, methods)| methods.get("get").is_some());
    read.map(|(path, _)| {
        let filled: Vec<String> = path
            .trim_start_matches('/')
            .split('/')
            .scan("", |before, part| {
                let of = *before;
                *before = part;
                Some(match part {
                    "{id}" if of == "job" => job.to_string(),
                    "{id}" if of == "runners" => runner.to_owned(),
                    "{name}" | "{egg}" => "demo".to_owned(),
                    "{id}" | "{plan}" => plan.to_owned(),
                    part => {
                        assert!(!part.starts_with('{'), "{path} is new: say here what stands for {part}");
                        part.to_owned()
                    }
                })
            })
            .collect();
        filled.join("/")
    })
    .collect()
}

#[test]
fn a_whole_run_leaves_no_secret_anywhere() {
    let egg = EGG.replace(
        "  gitlab {",
        "  environment {\n    PASSWORD = \"vault://team/db/password\"\n  }\n\n  gitlab {",
    );
    let mut stage = need!(Stage::new(&[("Eggs/demo/config.fly", &egg), ("UF/config.fly", UGLYFOX)]));
    for program in ["git", "gitlab-runner"] {
        let real = if program == "git" {
            polar_gosling_tests::tools::on_path("git").unwrap()
        } else {
            polar_gosling_tests::tools::gitlab_runner().to_owned()
        };
        recorded(&stage, program, &real);
    }
    stage.gitlab.change(|world| {
        let scopes = ["api", "create_runner", "manage_runner"].map(str::to_owned).into();
        world.users.clear();
        world.users.insert(API.to_owned(), User { scopes, role: 50 });
    });
    stage.put_secret(&format!("vault://gitlab/{HOST}/demo/api-token"), API);
    stage.put_secret(&format!("vault://gitlab/{HOST}/demo/webhook-secret"), HOOK);
    stage.put_secret("vault://team/db/password", PASSWORD);
    let watch = Watch::start();
    stage.serve(&[("AWS_SECRET_ACCESS_KEY", AWS), ("YC_TOKEN", YANDEX), ("GOSLING_LOG", "trace,h2=info")]);
    stage.gitlab.change(|world| {
        for hook in world.hooks.values_mut() {
            hook.token = Some(HOOK.to_owned());
        }
    });
    // Whatever goes wrong in GitLab, it tells back all that it was asked with.
    let fault = |path: &str, status: u16| {
        stage.gitlab.fault(Fault { echo: true, ..Fault::next(1, path, What::Status(status)) });
    };
    fault("/user/runners", 500);
    let job = stage.queue_job("hello", &["demo"], &["echo it is $PASSWORD | wc -c"]);
    stage
        .gitlab
        .wait("the job's success", |world| (world.jobs[&job].status == Status::Success).then_some(()));
    let runner = stage.transition("demo", "idle");

    let mut said = Vec::new();
    let mut say = |arguments: &[&str]| {
        let output = stage.output(arguments);
        said.push((format!("{arguments:?}"), [output.stdout, output.stderr].concat()));
    };
    fault("/hooks", 403);
    fault("/runners", 422);
    for form in ["table", "json", "yaml"] {
        for arguments in [
            &["link"][..],
            &["plan", "demo"],
            &["rotate-tokens", "demo"],
            &["secret", "audit"],
            &["logs"],
            &["status"],
            &["list", "plans", "demo"],
            &["get", "egg", "demo"],
        ] {
            say(&[arguments, &["--output", form]].concat());
        }
    }
    let plans: Value = serde_json::from_str(&stage.ask("GET", "eggs/demo/plans", None)).unwrap();
    let plan = plans["items"][0]["id"].as_str().unwrap().to_owned();
    let paths = paths(&stage, job, &plan, &runner);
    assert!(paths.len() > 15, "{paths:?}");
    for path in paths {
        let answer = get(&stage, &path);
        said.push((path, answer));
    }
    stage.status_shows("no runner", |status| {
        let runners = status["runners"].as_array()?;
        runners.iter().all(|runner| runner["state"] == "terminated").then_some(())
    });
    assert!(stage.stop().success(), "{}", stage.log());
    let export = stage.folder().join("export.jsonl");
    stage.run(&["export", export.to_str().unwrap()]);

    let mut secrets: BTreeSet<String> = [API, HOOK, PASSWORD, AWS, YANDEX].map(str::to_owned).into();
    let key = fs::read_to_string(stage.data().join("key")).unwrap();
    secrets.insert(key.trim().to_owned());
    let token = fs::read_to_string(stage.folder().join("token")).unwrap();
    secrets.insert(token.trim().to_owned());
    stage.gitlab.look(|world| {
        secrets.extend(world.runners.values().map(|runner| runner.token.clone()));
        let answers =
            world.calls.iter().filter(|call| call.method == "POST" && call.path.contains("runners"));
        assert!(answers.count() > 1, "a runner was registered, after it was refused");
    });
    assert!(secrets.len() > 7, "a runner was registered");
    let search = Search::new(&secrets);
    for (what, bytes) in &said {
        assert_eq!(search.find(bytes), None, "{what}");
    }
    for line in stage.log().lines() {
        assert_eq!(search.find(line.as_bytes()), None, "{line}");
    }
    for line in watch.end() {
        assert_eq!(search.find(&line), None, "a process of {}", String::from_utf8_lossy(&line));
    }
    // The key is in its file, and a git that gosling starts inherits what gosling has.
    let own = [stage.data().join("key"), stage.folder().join("given-git")];
    let found = search.files(stage.folder(), &|path| is_meant(path) || own.iter().any(|own| own == path));
    assert_eq!(found, [] as [String; 0]);
    assert!(stage.folder().join("given-gitlab-runner").exists(), "the agent was started by its wrapper");
}

/// What the API answers, whatever its status.
fn get(stage: &Stage, path: &str) -> Vec<u8> {
    let token = fs::read_to_string(stage.folder().join("token")).unwrap();
    let url = format!("{}/{path}", stage.url().trim_end_matches('/'));
    let answer = reqwest::blocking::Client::new().get(url).bearer_auth(token.trim()).send().unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.bytes().unwrap().to_vec()
}

#[test]
fn no_debug_shows_a_secret() {
    let secret = || Secret::new(PASSWORD);
    let url = "https://me:hunter22-hunter22@host/nest.git".to_owned();
    let remote =
        Remote { url: url.clone(), branch: "main".to_owned(), key: Some(secret()), known_hosts: None };
    let nest = NestSettings {
        name: "nest".to_owned(),
        url,
        branch: "main".to_owned(),
        deploy_key: None,
        known_hosts: None,
        project: None,
        server: None,
        webhook_secret: None,
        api_token: None,
        variables: [("NAME".to_owned(), PASSWORD.to_owned())].into(),
    };
    let search = Search::new(&[PASSWORD.to_owned(), "hunter22-hunter22".to_owned()]);
    for shown in [format!("{remote:?}"), format!("{nest:?}"), format!("{:#?}", secret())] {
        assert_eq!(search.find(shown.as_bytes()), None, "{shown}");
    }
}
