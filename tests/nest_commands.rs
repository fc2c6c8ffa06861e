//! `gosling init` and `gosling add`: the Nests they make, by flags and by questions on a terminal, whatever ends them on the
//! way, and that nobody sees a secret.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test program runs programs and reads files"
)]

use std::fs;

use polar_gosling_tests::tools;
use proptest::{prelude::*, sample::select, test_runner::Config};
use serde_json::Value;

use crate::{
    answers::wanted,
    terminal::Terminal,
    world::{World, said, text},
};

#[path = "nest_commands/answers.rs"]
mod answers;
#[path = "nest_commands/asked.rs"]
mod asked;
#[path = "nest_commands/kept.rs"]
mod kept;
#[allow(dead_code, reason = "shared with another test program, whose windows change")]
#[path = "nest_commands/terminal.rs"]
mod terminal;
#[path = "nest_commands/world.rs"]
mod world;

fn cases(number: u32) -> Config {
    // The variable of proptest asks for more or fewer, and a folder that was made needs no shrinking for long.
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    Config {
        cases: asked.unwrap_or(number),
        max_shrink_iters: 50,
        failure_persistence: None,
        ..Config::default()
    }
}

/// Where a cloud keeps secrets.
fn scheme(cloud: &str) -> &'static str {
    match cloud {
        "aws" => "aws-sm://",
        "local" => "vault://",
        _ => "yc-lockbox://",
    }
}

/// The deploy keys' secrets: private and public, with the access of each.
fn key_uris(cloud: &str, prefix: &str) -> Vec<(String, String)> {
    let of = |name: &str| {
        let prefix = if name == "selfjobs" { scheme(cloud) } else { prefix };
        (format!("{prefix}deploy-keys/{name}-private"), format!("{prefix}deploy-keys/{name}-public"))
    };
    ["mothergoose", "uglyfox", "selfjobs"].map(of).to_vec()
}

const FILES: &[&str] = &[
    ".gitignore",
    ".gitlab-ci.yml",
    ".pre-commit-config.yaml",
    "Eggs/.gitkeep",
    "Jobs/.gitkeep",
    "MG/config.fly",
    "README.md",
    "UF/config.fly",
    "nest.fly",
];

proptest! {
    #![proptest_config(cases(100))]

    /// Whatever is there of it already, after `gosling init` the Nest is whole, and another one changes nothing.
    #[test]
    fn property_5_nest_initialization_structure(
        cloud in select(&["yandex", "aws", "local"][..]),
        backend in prop::option::of(select(&[("vault", "vault://"), ("vault://team/a", "vault://team/a/"), ("lockbox", "yc-lockbox://")][..])),
        name in prop::option::of("[a-z][a-z0-9_-]{0,20}"),
        server in prop::option::of(select(&["gitlab.example.com", "git.example.com:8443"][..])),
        project in prop::option::of(1..u64::from(u32::MAX)),
        own in prop::collection::btree_map(select(&["README.md", ".gitignore", ".gitlab-ci.yml"][..]), "[a-z\n]{0,20}", 0..3),
        lost in prop::collection::btree_set(0..FILES.len(), 0..4),
        lost_secrets in prop::collection::btree_set(0..6_usize, 0..3),
    ) {
        let world = World::empty();
        for (path, content) in &own {
            fs::write(world.nest().join(path), content).unwrap();
        }
        let mut arguments = vec!["init".to_owned(), format!("--cloud={cloud}")];
        arguments.extend(backend.map(|(given, _)| format!("--secret-backend={given}")));
        arguments.extend(name.map(|name| format!("--name={name}")));
        arguments.extend(server.map(|server| format!("--gitlab-server={server}")));
        arguments.extend(project.map(|project| format!("--gitlab-project-id={project}")));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let first = world.gosling(&arguments);
        prop_assert!(first.status.success(), "{}", said(&first));

        let whole = world.tree();
        prop_assert_eq!(whole.keys().map(String::as_str).collect::<Vec<_>>(), FILES);
        for folder in ["Eggs", "Jobs", "UF", "MG"] {
            prop_assert!(world.nest().join(folder).is_dir(), "{folder}");
        }
        for (path, content) in &own {
            prop_assert_eq!(&whole[*path], content, "{} was changed", path);
        }
        let loaded = flyc::host::load(&world.nest());
        prop_assert_eq!(loaded.compiler.check(), vec![]);
        let uris = key_uris(cloud, backend.map_or(scheme(cloud), |(_, prefix)| prefix));
        let secrets: Vec<String> = uris.iter().flat_map(|(private, public)| [private.clone(), public.clone()]).collect();
        for (private, public) in &uris {
            let (private, versions) = world.secret(private).unwrap();
            prop_assert!(private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
            prop_assert_eq!(versions, 1);
            let (public, _) = world.secret(public).unwrap();
            prop_assert!(public.starts_with("ssh-ed25519 "));
            prop_assert!(text(&first.stdout).contains(&public));
        }

        // Something is lost, as when a run was ended in its middle; the next one brings it back, and nothing else.
        for at in &lost {
            if !own.contains_key(FILES[*at]) {
                fs::remove_file(world.nest().join(FILES[*at])).unwrap();
            }
        }
        let before: Vec<_> = secrets.iter().map(|uri| world.secret(uri)).collect();
        for at in &lost_secrets {
            world.remove_secret(&secrets[*at]);
        }
        let second = world.gosling(&arguments);
        prop_assert!(second.status.success(), "{}", said(&second));
        prop_assert_eq!(world.tree(), whole.clone());
        for (at, (private, public)) in uris.iter().enumerate() {
            let now = (world.secret(private).unwrap(), world.secret(public).unwrap());
            prop_assert_eq!((now.0.1, now.1.1), (1, 1));
            if !lost_secrets.contains(&(2 * at)) {
                prop_assert_eq!(Some(&now.0), before[2 * at].as_ref(), "a key was made anew");
                prop_assert_eq!(Some(&now.1), before[2 * at + 1].as_ref(), "a public part is another");
            }
        }
        let sealed = fs::read(world.data().join("secrets.sealed")).unwrap();
        let third = world.gosling(&arguments);
        prop_assert!(third.status.success() && !text(&third.stdout).contains("  made   "), "{}", said(&third));
        prop_assert_eq!(world.tree(), whole);
        prop_assert_eq!(fs::read(world.data().join("secrets.sealed")).unwrap(), sealed, "the store was written to");
    }
}

/// What may be said of an egg, right or wrong.
fn sayings() -> impl Strategy<Value = Vec<String>> {
    let any_text = "[ -~]{0,12}|[a-z0-9_-]{1,12}|[\"{}$\\\\\n#]{0,6}";
    let flag = |name: &'static str, right: &'static [&'static str]| {
        let right = select(right).prop_map(str::to_owned);
        prop::option::weighted(0.4, prop_oneof![6 => right, 1 => any_text])
            .prop_map(move |value| value.map(|value| format!("--{name}={value}")))
    };
    let place = (
        select(&["vm", "vm", "serverless"][..]),
        flag("region", &["ru-central1-a", "eu-central-1", "eu-west-1"]),
        select(&["yandex", "aws", "local"][..]),
    );
    let size = (
        flag("memory", &["2GiB", "4096", "8GiB", "1", "9PiB"]),
        flag("cpu", &["1", "2", "4", "0", "many"]),
        flag("disk", &["20GiB", "30", "1TiB", "1MiB"]),
    );
    let runner = (
        flag("tags", &["docker", "docker,linux", "a b", ""]),
        flag("concurrent", &["1", "20", "0", "-1", "1.5"]),
        flag("idle-timeout", &["10m", "1h30m", "1.5h", "0s"]),
        flag("timeout", &["1h", "45m", "61m", "400d"]),
        flag("image", &["debian:12", "Debian", "ubuntu:"]),
    );
    let gitlab = (
        flag("gitlab-server", &["gitlab.example.com", "https://gitlab.com", "gitlab"]),
        prop_oneof![4 => select(&["1", "12345", "9223372036854775807", "0", "-5"][..]).prop_map(str::to_owned), 1 => any_text],
        flag("environment", &["A=b", "TOKEN=vault://a/b", "TOKEN=glpat-AAAABBBBCCCCDDDDEEEE", "X=${y}"]),
    );
    (place, size, runner, gitlab).prop_map(|(place, size, runner, gitlab)| {
        let (kind, region, cloud) = place;
        let mut said = vec![
            format!("--type={kind}"),
            format!("--cloud={cloud}"),
            format!("--gitlab-project-id={}", gitlab.1),
        ];
        let rest = [
            region, size.0, size.1, size.2, runner.0, runner.1, runner.2, runner.3, runner.4, gitlab.0,
            gitlab.2,
        ];
        said.extend(rest.into_iter().flatten());
        said
    })
}

/// A right egg and what is wrong with it then.
fn broken() -> impl Strategy<Value = String> {
    let egg = "egg \"app\" {\n  type = \"vm\"\n\n  runner {\n    concurrent = 3\n  }\n\n  gitlab {\n    project_id = 12345\n  }\n}\n";
    let number = any::<u16>().prop_map(|number| number.to_string());
    (0..9_usize, number, "[a-z]{3,8}").prop_map(move |(slip, number, word)| match slip {
        0 => egg.replace("\"vm\"", &format!("\"{word}{number}\"")),
        1 => egg.replace("concurrent = 3", &format!("concurrent = \"{word}\"")),
        2 => egg
            .replace("concurrent = 3", &format!("concurrent = {}", 10_001 + number.parse::<u32>().unwrap())),
        3 => egg.replace("concurrent = 3", &format!("concurrent{word} = 3")),
        4 => {
            egg.replace("project_id = 12345", &format!("project_id = 12345\n    group_id = {}", number.len()))
        }
        5 => egg.replace("    project_id = 12345\n", ""),
        6 => egg.trim_end().trim_end_matches('}').to_owned(),
        7 => egg.replace("runner {", &format!("runner_{word} {{")),
        _ => format!("{egg}{}", egg.replace("12345", &format!("1{number}"))),
    })
}

proptest! {
    #![proptest_config(cases(120))]

    /// Whatever is said, `gosling add egg` leaves a Nest that checks: with the egg, or as it was.
    #[test]
    fn property_6_egg_configuration_validation(said in sayings()) {
        let world = World::begun();
        let before = world.tree();
        let mut arguments = vec!["add", "egg", "my-app"];
        arguments.extend(said.iter().map(String::as_str));
        let output = world.gosling(&arguments);
        let told = world::said(&output);
        match output.status.code() {
            Some(0) => {
                let file = fs::read_to_string(world.nest().join("Eggs/my-app/config.fly")).unwrap();
                prop_assert_eq!(world.errors(), vec![], "{}", file);
                let parsed = flyc::syntax::parse(file.as_str().into());
                prop_assert_eq!(flyc::format::format(&parsed), file, "it isn't formatted");
                prop_assert_eq!(world.tree().len(), before.len() + 1);
                prop_assert!(!told.contains("glpat-AAAA"), "{told}");
            }
            code => {
                prop_assert!(matches!(code, Some(1 | 2)), "{told}");
                prop_assert_eq!(world.tree(), before);
                prop_assert_eq!(world.sealed(), 0, "a secret was made for nothing");
                prop_assert!(told.contains("error"), "{told}");
            }
        }
    }

    /// An egg with a mistake is refused on the way to a commit: by the check, as pre-commit runs it, and by a build.
    #[test]
    fn property_6_a_mistake_is_rejected_before_the_commit(wrong in broken()) {
        let world = World::begun();
        fs::create_dir_all(world.nest().join("Eggs/app")).unwrap();
        fs::write(world.nest().join("Eggs/app/config.fly"), &wrong).unwrap();
        prop_assert!(!world.errors().is_empty(), "it is accepted:\n{wrong}");
        let hook = std::process::Command::new(tools::flyc())
            .args(["check", "Eggs/app/config.fly"])
            .current_dir(world.nest())
            .output()
            .unwrap();
        prop_assert_eq!(hook.status.code(), Some(1), "{}", world::said(&hook));
        let out = world.folder.path().join("out");
        let (_, built) = flyc::host::build_nest(&world.nest(), &out, None);
        prop_assert!(built.is_err());
    }
}

proptest! {
    #![proptest_config(cases(100))]

    /// What is said by flags and what is answered on a terminal leave the same Nest and the same secrets.
    #[test]
    fn property_7_cli_mode_equivalence(wanted in wanted()) {
        let (by_flags, by_answers) = (World::begun(), World::begun());
        let start = ["add", wanted.kind(), "my-app"];
        let flags = wanted.flags();
        let arguments: Vec<&str> = start.iter().copied().chain(flags.iter().map(String::as_str)).collect();
        let arguments = [arguments, vec!["--output", "json"]].concat();
        let output = by_flags.gosling(&arguments);
        prop_assert!(output.status.success(), "{flags:?}\n{}", said(&output));

        let mut terminal = Terminal::gosling(&by_answers.nest(), &by_answers.data(), &start);
        wanted.answer(&mut terminal);
        let ended = terminal.end();
        prop_assert_eq!(ended.code, Some(0), "{}", ended.text);
        prop_assert!(ended.restored, "the terminal isn't as it was");

        prop_assert_eq!(by_flags.tree(), by_answers.tree());
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        let hooks = made["webhooks"].as_array().unwrap();
        prop_assert_eq!(hooks.is_empty(), wanted.kind() == "job");
        for hook in hooks {
            let uri = hook["secret"].as_str().unwrap();
            let (one, other) = (by_flags.secret(uri).unwrap(), by_answers.secret(uri).unwrap());
            prop_assert_eq!((one.1, other.1), (1, 1));
            prop_assert_eq!((one.0.len(), other.0.len()), (43, 43), "32 bytes in base64");
            prop_assert_ne!(one.0, other.0);
        }
        prop_assert_eq!(by_flags.sealed(), by_answers.sealed(), "one store holds more than the other");
    }
}
