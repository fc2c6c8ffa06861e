//! No secret in anything that `gosling` says or keeps: every command, used rightly and wrongly, against a real service and
//! against strangers; and a whole run with all that it leaves behind.
//!
//! Where secrets are by design is named in [`is_meant`], and nowhere else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests drive real programs and files"
)]

#[path = "leaks/commands.rs"]
mod commands;
#[path = "leaks/known.rs"]
mod known;
#[path = "leaks/run.rs"]
mod run;
#[path = "leaks/stranger.rs"]
mod stranger;

use std::{
    cell::RefCell,
    fs,
    io::Write,
    path::Path,
    process::{Output, Stdio},
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use polar_gosling_tests::{
    doubles::stage::{API_TOKEN, EGG, HOOK_SECRET, Stage, UGLYFOX},
    need,
};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestCaseError, TestRunner},
};

use commands::{Usage, leaves, usage};
use known::{Search, shown, value};
use stranger::{Answer, Stranger};

/// The files that hold secrets by design.
fn is_meant(path: &Path) -> bool {
    let parents: Vec<_> = path.iter().filter_map(|part| part.to_str()).collect();
    match parents.as_slice() {
        // What a runner of this machine registers with: its user's alone, and gone with the runner.
        [.., "runners", _, "config.toml"] => true,
        // What the case itself wrote, and what it had written by `secret get --to`.
        [.., "given" | "taken"] => true,
        // The stage's own token of the API, in the place of an operator's file.
        [.., "token"] => true,
        _ => false,
    }
}

/// What a command is used with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// All is well.
    Right,
    /// The service doesn't know the token.
    WrongToken,
    /// Nobody answers.
    Away,
    /// Somebody else answers, and repeats what it was shown.
    Stranger,
    /// There is a password, or something else, in the URL of the API.
    InUrl(u8),
    /// The same by the environment, and help is asked for.
    InEnvironment(u8),
    /// A file is malformed, and has a secret in it.
    Malformed(u8),
    /// A secret stands where something else should.
    AsArgument(u8),
}

#[derive(Debug, Clone)]
struct Step {
    words: Vec<String>,
    used: Use,
    answer: (u16, u8),
    form: &'static str,
    verbose: bool,
}

#[derive(Debug, Clone)]
struct Case {
    /// The token of the API.
    token: String,
    /// What is kept under URIs, in the environment, and told by strangers.
    values: Vec<String>,
    steps: Vec<Step>,
}

fn steps() -> impl Strategy<Value = Step> {
    let used = prop_oneof![
        Just(Use::Right),
        Just(Use::WrongToken),
        Just(Use::Away),
        Just(Use::Stranger),
        Just(Use::Stranger),
        (0..5_u8).prop_map(Use::InUrl),
        (0..4_u8).prop_map(Use::InEnvironment),
        (0..8_u8).prop_map(Use::Malformed),
        (0..4_u8).prop_map(Use::AsArgument),
    ];
    let status = select(vec![200, 200, 200, 201, 401, 403, 404, 409, 422, 429, 500, 503]);
    (select(leaves()), used, (status, 0..7_u8), select(vec!["table", "json", "yaml"]), any::<bool>())
        .prop_map(|(words, used, answer, form, verbose)| Step { words, used, answer, form, verbose })
}

fn cases() -> impl Strategy<Value = Case> {
    (shown(), prop::collection::vec(value(), 3), prop::collection::vec(steps(), 2)).prop_map(
        |(token, mut values, steps)| {
            // One is the beginning of another.
            let longer = format!("{}{}", values[0], &values[1][..values[1].ceil_char_boundary(4)]);
            values.push(longer);
            Case { token, values, steps }
        },
    )
}

/// Files that are wrong, each with a secret in it; the service's folder with them.
fn malformed(folder: &Path, kind: u8, secret: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let data = folder.join("data");
    let config = folder.join("home/gosling");
    fs::create_dir_all(&config).unwrap();
    let given = |name: &str, text: String| fs::write(folder.join("given").join(name), text).unwrap();
    let options: &[&str] = match kind {
        0 => {
            let form =
                [quoted.clone(), format!("[{quoted}]"), format!("[{{\"name\":{quoted},\"sha256\":5}}]")];
            fs::write(data.join("tokens.json"), &form[secret.len() % 3]).unwrap();
            &[]
        }
        1 => {
            let form =
                [format!("profiles = {quoted}"), format!("[profiles.p]\napi = {quoted}"), secret.to_owned()];
            fs::write(config.join("config.toml"), &form[secret.len() % 3]).unwrap();
            &["--profile", "p"]
        }
        2 => {
            let form = format!("default = \"p\"\n[profiles.p]\ntoken_secret = {quoted}\ndata = [{quoted}]");
            fs::write(config.join("config.toml"), form).unwrap();
            &[]
        }
        3 => {
            fs::write(data.join("key"), format!("{secret}\n")).unwrap();
            &[]
        }
        4 => {
            given("export.jsonl", format!("{{\"gosling\":{quoted},\"format\":{quoted}}}\n{quoted}\n"));
            given("runner.json", format!("{{\"runner_id\":\"r\",\"orchestrator_url\":{quoted}}}"));
            &[]
        }
        5 => {
            given("export.jsonl", quoted.clone());
            given("runner.json", quoted);
            &[]
        }
        6 => {
            fs::write(data.join("secrets.sealed"), secret).unwrap();
            &[]
        }
        _ => {
            given("runner.json", format!("{{\"runner_id\":5,\"a\":{quoted}"));
            given("variables.json", format!("{{\"aws\":{quoted}}}"));
            &[]
        }
    };
    options.iter().map(|option| (*option).to_owned()).collect()
}

struct Given {
    stage: Stage,
    stranger: Stranger,
    /// All values that somebody was told.
    told: RefCell<Vec<String>>,
}

impl Given {
    /// Uses a command, and says what it said.
    fn use_it(&self, folder: &Path, case: &Case, step: &Step, at: usize) -> Output {
        let secret = &case.values[at % case.values.len()];
        let looks = format!("glpat-{}", &case.token.replace(|c: char| !c.is_ascii_alphanumeric(), "")[..10]);
        let name = match step.used {
            Use::AsArgument(0) => looks.as_str(),
            Use::AsArgument(1) if !case.token.starts_with('-') => case.token.as_str(),
            _ => "demo",
        };
        let uri = match step.used {
            Use::AsArgument(2) if !secret.starts_with('-') => secret.clone(),
            _ => format!("vault://leaks/{}/key", at % 3),
        };
        // Only who knows the token can see that a name is it.
        let asks = usage(&step.words, name, &uri, "nest", "data").asks;
        let name = if asks || name != case.token { name } else { looks.as_str() };
        let Usage { mut arguments, reads, ends, .. } = usage(&step.words, name, &uri, "nest", "data");
        let mut base = self.stage.url();
        let text = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        let mut options = Vec::new();
        let mut environment: Vec<(&str, String)> = Vec::new();
        match step.used {
            Use::Right | Use::WrongToken => {}
            Use::Away => "http://127.0.0.1:1".clone_into(&mut base),
            Use::Stranger => {
                base = format!("http://{}", self.stranger.address);
                let (status, form) = step.answer;
                self.stranger.answers(Answer { status, form, tells: String::new() });
            }
            Use::InUrl(kind) => {
                base = match kind {
                    0 => format!("http://me:{encoded}@127.0.0.1:1"),
                    1 => format!("ftp://me:{encoded}@127.0.0.1:1"),
                    2 => format!("http://127.0.0.1:1/?private_token={encoded}"),
                    3 => format!("http://me:{secret}@127.0.0.1:port"),
                    _ => format!("http://{encoded}:{encoded}@"),
                };
            }
            Use::InEnvironment(kind) => {
                let url = format!("https://me:{encoded}@127.0.0.1:1/nest.git");
                match kind {
                    0 => environment.push(("GOSLING_NEST_URL", url)),
                    1 => environment.push(("GOSLING_URL", format!("http://me:{encoded}@:x"))),
                    _ => {
                        environment.push(("GOSLING_NEST_URL", url.clone()));
                        environment.push(("GOSLING_URL", url));
                        arguments = vec!["--help".to_owned()];
                    }
                }
            }
            Use::Malformed(kind) => options = malformed(folder, kind, secret),
            Use::AsArgument(3) if step.words[0] == "secret" => arguments.push(secret.clone()),
            Use::AsArgument(_) => arguments.push(looks.clone()),
        }
        if asks && options.is_empty() {
            options.extend(["--api".to_owned(), base]);
        }
        if step.words == ["serve"] && step.used == Use::Malformed(7) {
            options.extend(["--variables", "given/variables.json"].map(str::to_owned));
        }
        let mut gosling = self.stage.gosling(&[]);
        let mut command = std::process::Command::new("timeout");
        command.args(["-k", "1", if ends { "30" } else { "1" }]).arg(gosling.get_program());
        if step.verbose {
            command.arg("-vv");
        }
        command.args(&step.words).args(&options).args(&arguments).args(["--output", step.form]);
        gosling.env("HOME", text("home")).env("XDG_CONFIG_HOME", text("home")).env_remove("GOSLING_API");
        command.env_clear().envs(gosling.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let right = matches!(step.used, Use::Right | Use::AsArgument(0 | 2 | 3));
        if !right {
            command.env("GOSLING_TOKEN_FILE", text("given/token"));
        }
        command.env_remove("GOSLING_DATA").env("GOSLING_RETRY_FOR", "0s").env("GOSLING_LOG", "trace,h2=info");
        command.env("YC_TOKEN", &case.values[1]).env("AWS_SECRET_ACCESS_KEY", &case.values[2]);
        command.envs(environment).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut input = process.stdin.take().unwrap();
        if reads {
            // Who refuses at once doesn't listen.
            let _ = input.write_all(secret.as_bytes());
        }
        drop(input);
        process.wait_with_output().unwrap()
    }

    fn hold(&self, case: &Case) -> Result<(), TestCaseError> {
        let folder = tempfile::tempdir().unwrap();
        for name in ["given", "home", "nest", "data"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("given/token"), format!("{}\n", case.token)).unwrap();
        let values: Vec<String> = case.values.iter().chain([&case.token]).cloned().collect();
        self.told.borrow_mut().extend(values.iter().cloned());
        let search = Search::new(&values);
        for (at, step) in case.steps.iter().enumerate() {
            let output = self.use_it(folder.path(), case, step, at);
            for (which, bytes) in [("output", &output.stdout), ("errors", &output.stderr)] {
                let found = search.find(bytes);
                prop_assert!(
                    found.is_none(),
                    "{which} of {step:?}: {}\n{}",
                    found.unwrap_or_default(),
                    String::from_utf8_lossy(bytes)
                );
            }
            prop_assert!(
                !String::from_utf8_lossy(&output.stderr).contains("panicked"),
                "{step:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        // What was malformed on purpose is the case's own.
        let of_case = |path: &Path| {
            let is = |name: &str| path == folder.path().join(name);
            let written = ["data/tokens.json", "data/key", "data/secrets.sealed", "home/gosling/config.toml"];
            is_meant(path) || is("given") || written.into_iter().any(is)
        };
        let found = search.files(folder.path(), &of_case);
        prop_assert!(found.is_empty(), "{found:?}");
        Ok(())
    }
}

#[test]
fn property_4c_no_command_shows_or_keeps_a_secret() {
    let mut stage = need!(Stage::new(&[("Eggs/demo/config.fly", EGG), ("UF/config.fly", UGLYFOX)]));
    stage.serve(&[]);
    let told = RefCell::new(vec![API_TOKEN.to_owned(), HOOK_SECRET.to_owned()]);
    let mut given = Given { stage, stranger: Stranger::start(), told };
    let config = Config { cases: 100, max_shrink_iters: 100, ..Config::default() };
    let ended = TestRunner::new(config).run(&cases(), |case| given.hold(&case));
    if let Err(error) = ended {
        panic!("{error}");
    }
    let url = given.stage.url();
    assert!(given.stage.stop().success(), "{url}: {}", given.stage.log());
    // What it knows of them is sealed, and it never said it.
    let search = Search::new(given.told.borrow().iter());
    assert_eq!(search.find(given.stage.log().as_bytes()), None);
    assert_eq!(search.files(given.stage.folder(), &is_meant), [] as [String; 0]);
}
