//! What is asked for by name. Each test is a Nest and a file in it.

use super::*;

const EGG: &str = "egg \"web\" {\n  type = \"vm\"\n\n  runner {\n    tags = [\"docker\", \"linux\"]\n  }\n\n  gitlab {\n    project_id = 12\n  }\n}\n";
const OTHER: &str =
    "`Eggs/other/config.fly`:\negg \"other\" {\n  type = \"vm\"\n\n  gitlab {\n    project_id = 13\n  }\n}\n";

fn check_simulate(text: &str, event: Option<&str>, expected: Expect) {
    let at = Fixture::new(text);
    let shown = simulate(&at.compiler, &at.path, event);
    expected.assert_eq(&shown.unwrap_or_else(|error| format!("error: {error}\n")));
}

#[test]
fn explain_tells_the_page_or_what_was_meant() {
    let page = explain("type-mismatch").unwrap();
    assert!(page.starts_with("# type-mismatch\n") && page.contains("## Wrong") && page.contains("## Right"));
    assert_eq!(explain("error[type-mismatch]").unwrap(), page);
    let wrong = explain("type-mismach").unwrap_err().to_string();
    assert_eq!(wrong, "there is no diagnostic `type-mismach`; did you mean `type-mismatch`?");
    assert_eq!(explain("ox").unwrap_err().to_string(), "there is no diagnostic `ox`");
}

#[test]
fn simulate_tells_what_is_chosen_and_why() {
    check_simulate(
        &format!("`Eggs/web/config.fly`:\n{EGG}$0\n{OTHER}"),
        None,
        expect![[r#"
        ## What `web` would deploy

        ```text
        job build (#1): pending, waits for a runner
          asks for  the tags `docker` and `linux`
          egg       web
          runner    vm on yandex ru-central1-a: 2 CPUs, 4GiB of memory, 20GiB of disk
          why       serves project 12; has `docker` and `linux`
          note      the job's timeout is not known; GitLab's default, 1h, counts
          not       other: serves project 13, not 12; the job asks for the tags `docker` and `linux`, which its runners don't have

        note: the job is invented: one of project 12 on gitlab.com, on any branch, with the tags of `web`

        1 of 1 job of project 12 served
        ```
    "#]],
    );
    // Another egg may come first.
    let both = EGG
        .replace("\"web\"", "\"all\"")
        .replace("[\"docker\", \"linux\"]", "[\"docker\", \"linux\", \"x\"]");
    check_simulate(
        &format!(
            "`Eggs/all/config.fly`:\n{both}$0\n`Eggs/web/config.fly`:\n{}",
            EGG.replace(", \"linux\"]", ", \"linux\", \"x\"]")
        ),
        None,
        expect![[r#"
            ## What `all` would deploy

            ```text
            job build (#1): pending, waits for a runner
              asks for  the tags `docker`, `linux` and `x`
              egg       all
              runner    vm on yandex ru-central1-a: 2 CPUs, 4GiB of memory, 20GiB of disk
              why       serves project 12; has `docker`, `linux` and `x`
              note      the job's timeout is not known; GitLab's default, 1h, counts
              also      web: takes such jobs too, but `all` comes first by name

            note: the job is invented: one of project 12 on gitlab.com, on any branch, with the tags of `all`

            1 of 1 job of project 12 served
            ```
        "#]],
    );
    let bucket = "eggsbucket \"team\" {\n  type = \"vm\"\n$0\n  runner {\n    protected = true\n  }\n\n  repositories {\n    repo \"a\" {\n      gitlab {\n        project_id = 1\n      }\n    }\n\n    repo \"b\" {\n      gitlab {\n        group_id = 7\n      }\n    }\n  }\n}\n";
    check_simulate(
        bucket,
        None,
        expect![[r#"
        ## What `team`, repository `a` would deploy

        ```text
        job build (#1): pending, waits for a runner
          asks for  no tags
          egg       none takes it
          note      the job's timeout is not known; GitLab's default, 1h, counts
          not       team: takes no jobs without tags

        note: the job is invented: one of project 1 on gitlab.com, on a protected branch, with the tags of `team`

        0 of 1 job of project 1 served
        ```

        ## What `team`, repository `b` would deploy

        ```text
        job build (#1): pending, waits for a runner
          asks for  no tags
          egg       none takes it
          note      the job's timeout is not known; GitLab's default, 1h, counts
          not       team: takes no jobs without tags

        note: the job is invented: one of a project of group 7 on gitlab.com, on a protected branch, with the tags of `team`

        0 of 1 job of project 1 served
        ```
    "#]],
    );
}

#[test]
fn simulate_takes_an_event() {
    let nest = format!("`Eggs/web/config.fly`:\n{EGG}$0\n{OTHER}");
    let hook = r#"{"object_kind": "build", "build_id": 5, "build_name": "test", "build_status": "pending", "project_id": 12}"#;
    check_simulate(
        &nest,
        Some(hook),
        expect![[r#"
        ## What the event would deploy

        ```text
        job test (#5): pending, waits for a runner
          asks for  the tags `docker` and `linux`
          egg       web
          runner    vm on yandex ru-central1-a: 2 CPUs, 4GiB of memory, 20GiB of disk
          why       serves project 12; has `docker` and `linux`
          note      the job's timeout is not known; GitLab's default, 1h, counts
          not       other: serves project 13, not 12; the job asks for the tags `docker` and `linux`, which its runners don't have

        note: the event tells no tags, so those of `web` are assumed

        1 of 1 job of project 12 served
        ```
    "#]],
    );
    check_simulate(
        &nest,
        Some(&hook.replace("12}", "99}")),
        expect![[r#"
        ## What the event would deploy

        ```text
        job test (#5): pending, waits for a runner
          asks for  the tags `docker` and `linux`
          egg       none takes it
          note      the job's timeout is not known; GitLab's default, 1h, counts
          not       other: serves project 13, not 99; the job asks for the tags `docker` and `linux`, which its runners don't have
          not       web: serves project 12, not 99

        note: the event tells no tags, so those of `web` are assumed

        0 of 1 job of project 99 served
        ```
    "#]],
    );
    check_simulate(
        &nest,
        Some("{}"),
        expect![[r#"
        error: the event lacks `object_kind`, and is no job of the API either: it lacks `pipeline`; give the body of a GitLab webhook, or a job as GitLab's API answers it
    "#]],
    );
}

#[test]
fn simulate_says_what_it_cannot() {
    check_simulate(
        "`UF/config.fly`:\nuglyfox {$0\n}\n",
        None,
        expect![[r#"
        error: `UF/config.fly` has no egg or bucket that could be deployed; ask about a `config.fly` in `Eggs/`
    "#]],
    );
    check_simulate(
        "egg \"a\" {$0\n  type = \"vn\"\n}\n",
        None,
        expect![[r#"
        error: an error leaves it unknown what `a` would deploy; mend the file first
    "#]],
    );
}

#[test]
fn generated_is_what_is_built_of_the_file() {
    let at = Fixture::new(&format!("`Eggs/web/config.fly`:\n{EGG}$0\n{OTHER}"));
    let files = generated(&at.compiler, &at.path).unwrap();
    // The same as the build of the whole Nest has.
    let build = at.compiler.build(&flyc::build::Options::default()).unwrap();
    for file in &files {
        assert_eq!(build.files.get(&file.path), Some(&file.text), "{}", file.path);
    }
    let paths: Vec<_> = files.iter().map(|file| &file.path).collect();
    let entry = |name: &str| build.manifest.entries.iter().find(|entry| entry.name == name).unwrap();
    let own = &entry("web").files;
    let modules = build.files.keys().filter(|path| path.starts_with("compute-module/"));
    assert_eq!(paths, own.iter().chain(modules).collect::<Vec<_>>());
    assert!(own.iter().any(|path| path == "eggs/web/resources.tf"), "{own:?}");
}

#[test]
fn nothing_is_generated_while_anything_is_wrong() {
    let wrong = |text: &str| {
        let at = Fixture::new(text);
        generated(&at.compiler, &at.path).unwrap_err().to_string() + "\n"
    };
    let broken = EGG.replace("\"vm\"", "\"vn\"").replace("web", "x").replace("[\"docker\", \"linux\"]", "5");
    expect![[r#"
        nothing is built while the Nest has errors: Eggs/x/config.fly:2: `type` wants "vm" or "serverless", found `"vn"`; Eggs/x/config.fly:5: `tags` wants a list of strings, found a whole number
    "#]]
        .assert_eq(&wrong(&format!("`Eggs/web/config.fly`:\n{EGG}$0\n`Eggs/x/config.fly`:\n{broken}")));
    let five = "egg \"x\" {\n  a = 1\n  b = 2\n  c = 3\n  d = 4\n}\n";
    expect![[r#"
        nothing is built while the Nest has errors: Eggs/x/config.fly:1: egg "x" lacks `type`; Eggs/x/config.fly:1: egg "x" lacks the block `gitlab`; Eggs/x/config.fly:2: `egg` has no attribute `a`; and 3 more
    "#]].assert_eq(&wrong(&format!("`Eggs/web/config.fly`:\n{EGG}$0\n`Eggs/x/config.fly`:\n{five}")));
    expect![[r#"
        nothing is built of `nest.fly`; eggs, jobs, Rift servers and the installation are
    "#]]
    .assert_eq(&wrong("`nest.fly`:\nnest {$0\n  name = \"n\"\n}\n"));
}
