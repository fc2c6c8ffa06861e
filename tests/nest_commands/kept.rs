//! What is made without questions: secrets that nobody sees, files that nobody loses, and words for what is wrong.

use std::{collections::BTreeSet, fs, process::Stdio, thread, time::Duration};

use flyc::{artifact::Artifact, diag::Severity};

use super::{
    FILES, key_uris,
    world::{World, said, text},
};

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
    assert_eq!(world.gosling(&["secret", "get", secret, "--to", "../value"]).status.code(), Some(2));
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

/// What is printed to be typed next works where one is, and pushes to where there is something to push to.
#[test]
fn the_next_commands_work_where_one_is() {
    let world = World::begun();
    let (nest, above) = (world.nest().canonicalize().unwrap(), world.folder.path().to_owned());
    let git = |arguments: &[&str]| {
        let git = std::process::Command::new("git").arg("-C").arg(&nest).args(arguments).status();
        assert!(git.unwrap().success());
    };
    let add = |name: &str, folder: &std::path::Path| {
        let arguments =
            ["add", "egg", name, "--type", "vm", "--gitlab-project-id", "1", "--executor", "shell"];
        let tags = ["--tags", name, "--path", nest.to_str().unwrap()];
        let output = world.command(&[&arguments[..], &tags].concat()).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        text(&output.stdout)
    };
    let commit = |name: &str| format!("git add Eggs/{name}/config.fly && git commit -m \"Add egg {name}\"");
    let told = add("one", &above);
    assert!(told.contains(&format!("      cd {} && {}\n", nest.display(), commit("one"))), "{told}");
    git(&["init", "--quiet"]);
    git(&["remote", "add", "origin", "git@gitlab.example.com:infra/nest.git"]);
    let told = add("two", &nest);
    assert!(told.contains(&format!("      {} && git push\n", commit("two"))), "{told}");
}
