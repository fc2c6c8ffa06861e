//! `gosling init` and `gosling add`: the Nests they make, by flags and by questions on a terminal, whatever ends them on the
//! way, and that nobody sees a secret.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test program runs programs and reads files"
)]

use std::{collections::BTreeSet, fs, process::Stdio, thread, time::Duration};

use flyc::{artifact::Artifact, diag::Severity};
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
    let slips = (0..9_usize, number, "[a-z]{3,8}").prop_map(move |(slip, number, word)| match slip {
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
    });
    slips
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

#[test]
fn the_same_question_is_asked_for_a_new_nest() {
    let (by_flags, by_answers) = (World::empty(), World::empty());
    let output = by_flags.gosling(&["init", "--cloud", "aws", "--git-init", "--name", "birds"]);
    assert!(output.status.success(), "{}", said(&output));
    let mut terminal =
        Terminal::gosling(&by_answers.nest(), &by_answers.data(), &["init", "--name", "birds"]);
    terminal.answer("There is no git repository here", "y");
    terminal.answer("cloud", "aws");
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    assert!(ended.restored);
    assert_eq!(by_flags.tree(), by_answers.tree());
    assert_eq!(by_flags.sealed(), by_answers.sealed());
    assert!(by_flags.nest().join(".git").is_dir() && by_answers.nest().join(".git").is_dir());
}

#[test]
fn an_answer_is_judged_as_the_language_does_and_the_nearest_is_told() {
    let world = World::begun();
    let mut terminal = Terminal::gosling(
        &world.nest(),
        &world.data(),
        &["add", "egg", "my-app", "--type", "vm", "--cloud", "local"],
    );
    terminal.answer("memory", "4 GB of it");
    terminal.wait("memory");
    terminal.send("\x15");
    terminal.send("4GiB\r");
    terminal.answer("tags", "");
    terminal.answer("concurrent", "0");
    terminal.wait("1 to 10000");
    terminal.send("\x7f2\r");
    terminal.answer("gitlab-server", "https://gitlab.example.com");
    terminal.wait("gitlab.example.com`");
    terminal.send(&"\x7f".repeat(40));
    terminal.send("gitlab.example.com\r");
    terminal.answer("what the runners serve", "");
    terminal.answer("gitlab-project-id", "7");
    let ended = terminal.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text);
    let egg = fs::read_to_string(world.nest().join("Eggs/my-app/config.fly")).unwrap();
    assert!(
        egg.contains("memory = 4GiB") && egg.contains("concurrent = 2") && egg.contains("project_id = 7"),
        "{egg}"
    );
}

#[test]
fn ctrl_c_writes_nothing_and_leaves_the_terminal_as_it_was() {
    for stop in ["type", "cloud", "memory", "gitlab-server", "what the runners serve", "gitlab-project-id"] {
        let world = World::begun();
        let before = world.tree();
        let mut terminal = Terminal::gosling(&world.nest(), &world.data(), &["add", "egg", "my-app"]);
        for (question, answer) in [
            ("type", "vm"),
            ("cloud", "local"),
            ("memory", ""),
            ("tags", "a"),
            ("concurrent", ""),
            ("gitlab-server", ""),
            ("what the runners serve", "one"),
            ("gitlab-project-id", "7"),
        ] {
            if question == stop {
                terminal.wait(&format!("? {question}"));
                terminal.send("\x03");
                break;
            }
            terminal.answer(question, answer);
        }
        let ended = terminal.end();
        assert_eq!(ended.code, Some(130), "{stop}: {}", ended.text);
        assert!(ended.text.contains("nothing was written"), "{stop}: {}", ended.text);
        // The cursor is shown again.
        assert!(ended.text.rfind("\x1b[?25l") <= ended.text.rfind("\x1b[?25h"), "{stop}: {:?}", ended.text);
        assert!(ended.restored, "{stop}: the terminal isn't as it was");
        assert_eq!(world.tree(), before, "{stop}");
        assert_eq!(world.sealed(), 0, "{stop}");
    }
}

#[test]
fn ctrl_c_in_init_leaves_the_folder_empty() {
    for stop in ["There is no git repository here", "cloud"] {
        let world = World::empty();
        let mut terminal = Terminal::gosling(&world.nest(), &world.data(), &["init"]);
        if stop == "cloud" {
            terminal.answer("There is no git repository here", "n");
        }
        terminal.wait(&format!("? {stop}"));
        terminal.send("\x03");
        let ended = terminal.end();
        assert_eq!(ended.code, Some(130), "{}", ended.text);
        assert!(ended.restored);
        assert_eq!(fs::read_dir(world.nest()).unwrap().count(), 0);
    }
}

#[test]
fn an_init_that_was_killed_is_made_whole_by_the_next() {
    for millis in (0..120).step_by(5) {
        let world = World::empty();
        let mut child = world
            .command(&["init", "--cloud", "local", "--name", "birds"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Where it is ended is left to chance; what is expected holds wherever it was.
        thread::sleep(Duration::from_millis(millis));
        let _ = child.kill();
        child.wait().unwrap();
        let output = world.gosling(&["init", "--cloud", "local", "--name", "birds"]);
        assert!(output.status.success(), "{}", said(&output));
        let files = world.tree();
        assert_eq!(files.keys().map(String::as_str).collect::<Vec<_>>(), FILES, "after {millis} ms");
        assert_eq!(files, World::begun().tree(), "after {millis} ms");
        for (private, public) in key_uris("local", "vault://") {
            assert_eq!(world.secret(&private).unwrap().1, 1);
            assert_eq!(world.secret(&public).unwrap().1, 1);
        }
    }
}

/// What must be nowhere: each secret as a whole, and each line of those that have several.
fn needles(world: &World, uris: &[String]) -> BTreeSet<String> {
    let values = uris.iter().map(|uri| world.secret(uri).unwrap_or_else(|| panic!("there is no {uri}")).0);
    let lines = values.flat_map(|value| value.lines().map(str::to_owned).collect::<Vec<_>>());
    // The lines around a key are the same for all of them.
    lines.filter(|line| line.len() > 8 && !line.starts_with("-----")).collect()
}

#[test]
fn no_secret_is_shown_or_stands_in_the_nest() {
    let world = World::empty();
    let password = "hunter2-hunter2";
    let url = format!("https://me:{password}@gitlab.example.com/infra/nest.git");
    let mut all = String::new();
    let mut run = |arguments: &[&str]| {
        let output = world.gosling(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        all.push_str(&said(&output));
    };
    for form in ["table", "json", "yaml"] {
        run(&["init", "--cloud", "local", "--nest", &url, "--git-init", "--output", form]);
        run(&[
            "add",
            "egg",
            &format!("egg-{form}"),
            "--type=vm",
            &format!("--gitlab-project-id={}", form.len()),
            "--output",
            form,
        ]);
        run(&[
            "add",
            "bucket",
            &format!("bucket-{form}"),
            "--type=vm",
            &format!("--repo=api=group:{}", form.len()),
            "--output",
            form,
        ]);
        run(&[
            "add",
            "job",
            &format!("job-{form}"),
            "--schedule=0 2 * * *",
            "--script=true",
            "--output",
            form,
        ]);
        run(&["add", "egg", "later", "--type=vm", "--gitlab-project-id=99", "--dry-run", "--output", form]);
    }
    let mut uris = vec!["vault://nest/repo-url".to_owned()];
    uris.extend(key_uris("local", "vault://").into_iter().map(|(private, _)| private));
    for form in ["table", "json", "yaml"] {
        uris.push(format!("vault://gitlab/gitlab.example.com/egg-{form}/webhook-secret"));
        uris.push(format!("vault://gitlab/gitlab.example.com/bucket-{form}/api/webhook-secret"));
    }
    let mut needles = needles(&world, &uris);
    assert!(needles.len() > 10, "{}", needles.len());
    needles.insert(password.to_owned());
    needles.insert("PRIVATE KEY".to_owned());
    let files = world.tree();
    for needle in &needles {
        assert!(!all.contains(needle.as_str()), "it was printed");
        for (path, content) in &files {
            assert!(!content.contains(needle.as_str()), "it stands in {path}");
        }
    }

    // Only a file of one's own gets it.
    let secret = &uris[4];
    let output = world.gosling(&["secret", "get", secret, "--to", "../value"]);
    assert!(output.status.success() && !said(&output).contains(&world.secret(secret).unwrap().0));
    let file = world.folder.path().join("value");
    assert_eq!(fs::read_to_string(&file).unwrap(), world.secret(secret).unwrap().0);
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777,
        0o600
    );
    assert_eq!(world.gosling(&["secret", "get", secret, "--to", "../value"]).status.code(), Some(1));
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let world = World::begun();
    let add = ["add", "egg", "my-app", "--type=vm", "--gitlab-project-id=12345"];
    assert!(world.gosling(&add).status.success());
    let (before, sealed) = (world.tree(), fs::read(world.data().join("secrets.sealed")).unwrap());
    for arguments in [
        &add[..],
        &["add", "egg", "my-app", "--type=serverless", "--gitlab-project-id=1"],
        &["add", "bucket", "my-app", "--type=vm", "--repo=api=project:5"],
    ] {
        let output = world.gosling(arguments);
        assert_eq!(output.status.code(), Some(5), "{}", said(&output));
        assert!(
            text(&output.stderr).contains("nothing was changed") && text(&output.stderr).contains("\nhelp: ")
        );
    }
    assert_eq!(world.tree(), before);
    assert_eq!(fs::read(world.data().join("secrets.sealed")).unwrap(), sealed);
}

#[test]
fn what_is_wrong_is_told_with_its_exit_code() {
    let world = World::begun();
    for (arguments, code, told) in [
        (&["add", "egg", "my app"][..], 2, "did you mean `my-app`?"),
        (&["add", "egg", "../x", "--type=vm", "--gitlab-project-id=1"], 2, "no name of an egg"),
        (&["add", "egg", "a", "--type=vmm"], 2, "'vm'"),
        (&["add", "egg", "a", "--typ=vm"], 2, "'--type'"),
        (&["add", "egg", "a", "--type=vm"], 2, "--gitlab-project-id or --gitlab-group-id"),
        (
            &["add", "egg", "a", "--type=vm", "--gitlab-project-id=1", "--gitlab-group-id=2"],
            2,
            "cannot be used with",
        ),
        (&["add", "bucket", "a", "--type=vm", "--repo=x y=1"], 2, "did you mean `x-y`?"),
        (&["add", "job", "a"], 2, "--schedule and --script"),
        (&["add", "job", "a", "--schedule=0 25 * * *", "--script=true"], 1, "Jobs/a.fly:2"),
        (
            &["add", "egg", "a", "--type=vm", "--gitlab-project-id=1", "--secret-backend=valt"],
            2,
            "did you mean `vault`?",
        ),
        (&["add", "egg", "a", "--type=vm", "--gitlab-project-id=1", "--path=.."], 3, "gosling init"),
        (&["init", "--path=Eggs/x"], 5, "lies in the Nest"),
        (&["init", "--path=nest.fly"], 2, "is no folder"),
        (&["init", "--name=a b"], 2, "did you mean `a-b`?"),
    ] {
        let output = world.gosling(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(text(&output.stderr).contains(told), "{arguments:?}: {}", said(&output));
    }
    assert_eq!(world.tree(), World::begun().tree());
}

#[test]
fn the_order_of_a_beginner_works() {
    let world = World::empty();
    let run = |arguments: &[&str]| {
        let output = world.gosling(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        text(&output.stdout)
    };
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
        let output = std::process::Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(world.nest())
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    };
    let told = run(&["init", "--cloud", "local", "--git-init"]);
    assert!(told.contains("has no remote `origin`") && told.contains("remote add origin"), "{told}");
    git(&["remote", "add", "origin", "git@gitlab.example.com:infra/nest.git"]);
    let told = run(&["init"]);
    assert!(!told.contains("note:") && told.contains("vault://nest/repo-url (made)"), "{told}");
    assert!(told.contains("--deploy-key vault://deploy-keys/mothergoose-private"), "{told}");
    let told = run(&[
        "add",
        "egg",
        "my-app",
        "--type",
        "vm",
        "--gitlab-project-id",
        "12345",
        "--url",
        "https://gosling.example.com/",
    ]);
    assert!(told.contains("https://gosling.example.com/webhooks/gitlab"), "{told}");
    assert!(
        told.contains("gosling secret get vault://gitlab/gitlab.com/my-app/webhook-secret --to"),
        "{told}"
    );
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "Begin the Nest"]);
    // As the sync of `gosling serve` builds it.
    let out = world.folder.path().join("out");
    let (_, built) = flyc::host::build_nest(&world.nest(), &out, Some(flyc::lower::Backend::Local));
    built.unwrap();
    let config = fs::read_to_string(out.join("eggs/my-app/config.json")).unwrap();
    let config = flyc::artifact::EggConfig::from_json(&config).unwrap();
    assert_eq!(config.cloud.provider, flyc::artifact::Provider::Local);
    assert!(world.secret(&config.repositories[0].webhook_secret).is_some());
}

#[test]
fn secrets_that_lie_in_the_nest_are_in_no_commit() {
    let world = World::empty();
    let mut command = world.command(&["init", "--cloud", "local", "--git-init"]);
    let output = command.env("GOSLING_DATA", "own/secrets").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(world.nest().join("own/secrets/secrets.sealed").is_file());
    let listed = std::process::Command::new("git")
        .args(["ls-files", "--others", "--exclude-standard"])
        .current_dir(world.nest())
        .output()
        .unwrap();
    assert!(
        text(&listed.stdout).contains("nest.fly") && !text(&listed.stdout).contains("own/"),
        "{}",
        text(&listed.stdout)
    );
}

#[test]
fn the_files_for_ci_are_yaml_with_check_build_and_plan() {
    let files = World::begun().tree();
    let ci = files[".gitlab-ci.yml"].as_str();
    for (file, content) in
        [(".gitlab-ci.yml", ci), (".pre-commit-config.yaml", files[".pre-commit-config.yaml"].as_str())]
    {
        let parsed = <saphyr::Yaml<'_> as saphyr::LoadableYamlNode>::load_from_str(content);
        assert!(parsed.is_ok_and(|documents| documents.len() == 1), "{file}");
    }
    for job in
        ["fly-check:", "fly-build:", "fly-plan:", "flyc check", "flyc fmt --check", "flyc build", "flyc plan"]
    {
        assert!(ci.contains(job), "{job}");
    }
    let hooks =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../.pre-commit-hooks.yaml")).unwrap();
    for hook in ["fly-check", "fly-fmt"] {
        assert!(files[".pre-commit-config.yaml"].contains(hook) && hooks.contains(hook), "{hook}");
    }
}

#[test]
fn what_is_doubtful_is_told_and_written() {
    let world = World::begun();
    let loaded = flyc::host::load(&world.nest());
    assert!(loaded.compiler.check().iter().all(|found| found.severity() != Severity::Error));
    // A part of the Nest that was wrong before is nobody's hindrance, and is told.
    fs::write(world.nest().join("UF/config.fly"), "uglyfox {\n  prunning {}\n}\n").unwrap();
    let output = world.gosling(&["add", "egg", "my-app", "--type=vm", "--gitlab-project-id=1"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(text(&output.stdout).contains("the Nest had an error before this"), "{}", said(&output));
}
