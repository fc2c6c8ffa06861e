//! What is said at a cursor. Each test is a cursor in a text.

use super::*;

#[test]
fn hover_tells_what_things_are() {
    check_hover(
        "egg \"a\" {\n  resources {\n    mem$0ory = 4GiB\n  }\n}\n",
        expect![[r#"
            about `memory`
            ```fly
            memory = size
            ```

            What one runner gets: a whole number of MB, or a size from 512MiB to the largest the cloud sells.

            Default: `4GiB`.
        "#]],
    );
    check_hover(
        "egg \"a\" {\n  res$0ources {\n  }\n}\n",
        expect![[r#"
        about `resources`
        ```fly
        resources { … }
        ```

        How large one runner is.

        ```fly
        resources {
          cpu    = 2
          memory = 4GiB
          disk   = 20GiB
        }
        ```
    "#]],
    );
    check_hover(
        "egg \"a\" {\n  type = \"v$0m\"\n}\n",
        expect![[r#"
        about `vm`
        `"vm"`: A virtual machine; no time limit, can sleep in the nadir pool.
    "#]],
    );
    check_hover(
        &in_nest("egg \"web\" {\n  cloud {\n    regi$0on = var.region\n  }\n}\n"),
        expect![[r#"
            about `region`
            ```fly
            region = name
            ```

            The cloud's region or availability zone that machines are made in.

            When left out: `ru-central1-a` on yandex, `eu-central-1` on aws.

            Example: `"ru-central1-a"`

            Here: `"ru-central1-a"`, from `var.region`
        "#]],
    );
    check_hover(
        &in_nest("egg \"web\" {\n  runner {\n    tags = local.ta$0gs\n  }\n}\n"),
        expect![[r#"
        about `tags`
        ```fly
        local.tags = ["docker"]
        ```

        Defined in `nest.fly`.

        ---

        What all runners take.
    "#]],
    );
    check_hover(
        &in_nest("egg \"web\" {\n  gitlab {\n    token_secret = var.to$0ken\n  }\n}\n"),
        expect![[r#"
        about `token`
        ```fly
        var.token: secret
        ```

        Its value is sensitive and shown nowhere.

        Defined in `nest.fly`.
    "#]],
    );
    check_hover(
        &in_nest("egg \"web\" {\n  runner {\n    tags = [upp$0er(\"a\")]\n  }\n}\n"),
        expect![[r#"
        about `upper`
        ```fly
        upper(text: string) -> string
        ```

        Gives the text in capitals.

        `upper("abc")` is `"ABC"`
    "#]],
    );
    check_hover(
        &NEST.replace("age > 1h", "a$0ge > 1h"),
        expect![[r#"
        about `age`
        ```fly
        age: duration
        ```

        The time since the runner was made.

        Example: `age > 24h`
    "#]],
    );
    check_hover(
        "# egg $0 comment\n",
        expect![[r#"
        nothing
    "#]],
    );
}

#[test]
fn signatures() {
    let at = Fixture::new("egg \"a\" {\n  runner {\n    tags = [join(\"-\", $0\n");
    let shown = signature(&at.compiler, &at.path, at.offset).unwrap();
    let active = shown.active.map(|active| &shown.label[shown.parameters[active].clone()]);
    expect![[r#"
        join(separator: string, list: list) -> string
        Some("list: list")
    "#]]
    .assert_eq(&format!("{}\n{active:?}\n", shown.label));
}

#[test]
fn hover_tells_where_values_come_from() {
    let nest = NEST.replace(
        "  resources {\n    cpu = 2\n  }\n",
        "  extends = profile.base\n\n  resources {\n    cpu = 2\n  }\n}\n\nprofile \"base\" {\n  resources {\n    cpu    = 1\n    memory = 8GiB\n  }\n\n  environment {\n    KEY = var.token\n  }\n",
    );
    let egg = "egg \"web\" {\n  type    = \"vm\"\n  extends = profile.small\n\n  resources {\n    cpu = 4\n  }\n}\n";
    let check = |egg: &str, expected: Expect| {
        check_hover(&format!("{nest}`Eggs/web/config.fly`:\n{egg}"), expected);
    };
    // What the profile gives, and what of it the egg replaces.
    check(
        &egg.replace("extends", "ext$0ends"),
        expect![[r#"
        about `extends`
        ```fly
        extends = profile
        ```

        The profile whose values hold where none is given here: attribute by attribute, lists and maps as a whole.

        It may be left out.

        Example: `profile.standard`

        It gives:

        - `resources.cpu = 2`, from `profile.small`, which is replaced here
        - `resources.memory = 8GiB`, from `profile.base`
        - `environment.KEY = a sensitive value`, from `profile.base`
    "#]],
    );
    check(
        &egg.replace("profile.small", "profile.sm$0all"),
        expect![[r#"
        about `small`
        `small`: a profile

        Defined in `nest.fly`.

        It gives:

        - `resources.cpu = 2`, from `profile.small`, which is replaced here
        - `resources.memory = 8GiB`, from `profile.base`
        - `environment.KEY = a sensitive value`, from `profile.base`
    "#]],
    );
    check(
        &egg.replace("cpu", "c$0pu"),
        expect![[r#"
        about `cpu`
        ```fly
        cpu = int
        ```

        The number of virtual CPUs one runner gets; at most what the cloud sells.

        Default: `2`.

        In place of `2` from `profile.small`.

        On yandex that is `standard-v3`: 4 CPUs, 8GiB of memory.
    "#]],
    );
    check(
        &egg.replace("resources", "reso$0urces"),
        expect![[r#"
        about `resources`
        ```fly
        resources { … }
        ```

        How large one runner is.

        ```fly
        resources {
          cpu    = 2
          memory = 4GiB
          disk   = 20GiB
        }
        ```

        From the profile:

        - `resources.memory = 8GiB`, from `profile.base`

        On yandex that is `standard-v3`: 4 CPUs, 8GiB of memory.
    "#]],
    );
}

#[test]
fn hover_tells_when_schedules_run() {
    let job = "`Jobs/a.fly`:\njob \"a\" {\n  schedule = \"0 2 * * *\"\n  timezone = \"Europe/Moscow\"\n}\n";
    check_hover(
        &job.replace("0 2", "0$0 2"),
        expect![[r#"
            about `0 2 * * *`
            Every day at 02:00 (Europe/Moscow)

            Next runs:

            - Fri 2 Jan 02:00
            - Sat 3 Jan 02:00
            - Sun 4 Jan 02:00
        "#]],
    );
    check_hover(
        &job.replace("schedule", "sched$0ule"),
        expect![[r#"
            about `schedule`
            ```fly
            schedule = cron
            ```

            When the job runs: minute, hour, day of the month, month, day of the week.

            It must be given.

            Example: `"0 2 * * *"`

            ---

            Every day at 02:00 (Europe/Moscow)

            Next runs:

            - Fri 2 Jan 02:00
            - Sat 3 Jan 02:00
            - Sun 4 Jan 02:00
        "#]],
    );
    check_hover(
        &job.replace("0 2 * * *", "so$0on"),
        expect![[r#"
        nothing
    "#]],
    );
}

#[test]
fn hover_tells_what_is_sold() {
    let egg = "egg \"a\" {\n  type = \"vm\"\n\n  cloud {\n    provider = \"aws\"\n  }\n\n  resources {\n    cpu    = 3\n    memory = 9GiB\n  }\n}\n";
    check_hover(
        &egg.replace("memory", "mem$0ory"),
        expect![[r#"
        about `memory`
        ```fly
        memory = size
        ```

        What one runner gets: a whole number of MB, or a size from 512MiB to the largest the cloud sells.

        Default: `4GiB`.

        On aws that is `m6i.xlarge`: 4 CPUs, 16GiB of memory.
    "#]],
    );
    // A profile leaves open on which cloud.
    check_hover(
        "`nest.fly`:\nprofile \"p\" {\n  resources {\n    c$0pu = 3\n  }\n}\n",
        expect![[r#"
        about `cpu`
        ```fly
        cpu = int
        ```

        The number of virtual CPUs one runner gets; at most what the cloud sells.

        Default: `2`.

        On yandex that is `standard-v3`: 4 CPUs, 4GiB of memory.

        On aws that is `c6i.xlarge`: 4 CPUs, 8GiB of memory.
    "#]],
    );
}

#[test]
fn hover_shows_what_authors_wrote() {
    let egg = "/// Of the web.\n///\n/// All of it.\negg \"web\" {\n  /// Large.\n  resources {\n    /// Few.\n    cpu = 2\n    disk = 20\n  }\n}\n";
    for (word, doc) in [
        ("e$0gg", Some("Of the web.\n\nAll of it.")),
        ("\"w$0eb", Some("Of the web.\n\nAll of it.")),
        ("res$0ources", Some("Large.")),
        ("c$0pu", Some("Few.")),
        ("di$0sk", None),
    ] {
        let at = Fixture::new(&egg.replace(&word.replace("$0", ""), word));
        let shown = hover(&at.compiler, &at.path, at.offset, NOW).unwrap().text;
        assert_eq!(shown.split_once("\n\n---\n\n").map(|(_, doc)| doc), doc, "{shown}");
    }
    // A rule's name is nobody's, and is told all the same.
    check_hover(
        &NEST.replace("    rule \"old\"", "    /// Old ones go.\n    rule \"o$0ld\""),
        expect![[r#"
        about `"old"`
        `old`: `rule`

        One condition on a runner, and what is done when it holds.

        ---

        Old ones go.
    "#]],
    );
    check_hover(
        &NEST.replace("  tags =", "  ta$0gs ="),
        expect![[r#"
        about `tags`
        ```fly
        local.tags = ["docker"]
        ```

        ---

        What all runners take.
    "#]],
    );
}

#[test]
fn hover_tells_what_excludes_what() {
    check_hover(
        "egg \"a\" {\n  gitlab {\n    group$0_id = 1\n  }\n}\n",
        expect![[r#"
        about `group_id`
        ```fly
        group_id = int
        ```

        The number of the group whose projects, present and future, the runners serve.

        Exactly one of `project_id` and `group_id` is given.

        Example: `789`
    "#]],
    );
    // A type called as the attribute says nothing.
    check_hover(
        &NEST.replace("condition = \"egg", "cond$0ition = \"egg"),
        expect![[r#"
        about `condition`
        ```fly
        condition = "failed_count >= 3 AND age > 1h"
        ```

        What must hold of a runner for the action to be taken.

        It must be given.
    "#]],
    );
}

#[test]
fn hover_tells_what_a_rule_asks_for() {
    let rule = "`nest.fly`:\nassert \"small\" {\n  over      = egg\n  condition = egg.resources.cpu <= 16 && egg.runner.tags[0] != \"x\"\n  message   = \"`${egg.name}` has ${egg.resources.cpu}\"\n}\n";
    check_hover(
        &rule.replacen("resources.cpu", "resources.c$0pu", 1),
        expect![[r#"
        about `cpu`
        ```fly
        cpu = int
        ```

        The number of virtual CPUs one runner gets; at most what the cloud sells.

        Default: `2`.
    "#]],
    );
    check_hover(
        &rule.replacen("egg.resources", "egg.re$0sources", 1),
        expect![[r#"
        about `resources`
        ```fly
        resources { … }
        ```

        How large one runner is.

        ```fly
        resources {
          cpu    = 2
          memory = 4GiB
          disk   = 20GiB
        }
        ```
    "#]],
    );
    check_hover(
        &rule.replacen("egg.resources", "e$0gg.resources", 1),
        expect![[r#"
        about `egg`
        ```fly
        egg { … }
        ```

        The runners of one GitLab project or of every project in one GitLab group.

        ```fly
        egg "my-app" {
          type = "vm"

          gitlab {
            project_id = 12345
          }
        }
        ```

        This rule is about it: Every egg and every bucket.
    "#]],
    );
    check_hover(
        &rule.replace("egg.name", "egg.na$0me"),
        expect![[r#"
        about `name`
        ```fly
        name: string
        ```

        The label of the egg or bucket.
    "#]],
    );
    check_hover(
        &rule.replace("runner.tags", "runner.ta$0gs"),
        expect![[r#"
        about `tags`
        ```fly
        tags = list<string>
        ```

        The GitLab tags the runner serves; a job is taken when all of its tags are among them.

        Default: `[]`.

        Example: `["docker", "linux"]`
    "#]],
    );
    check_hover(
        &rule.replace("over      = egg", "over      = nest").replacen("egg.resources.cpu", "nest.e$0ggs", 1),
        expect![[r#"
            about `eggs`
            ```fly
            eggs: list
            ```

            The names of all eggs.
        "#]],
    );
    check_hover(
        "egg \"a\" {\n  resources {\n    cpu    = 2 + 2\n    memory = \"${self.c$0pu}GiB\"\n  }\n}\n",
        expect![[r#"
            about `cpu`
            ```fly
            cpu = int
            ```

            The number of virtual CPUs one runner gets; at most what the cloud sells.

            Default: `2`.

            Here: `4`
        "#]],
    );
    // A state of a runner within a condition.
    check_hover(
        "`UF/config.fly`:\nuglyfox {\n  policies {\n    rule \"a\" {\n      condition = \"state IN ('apex', 'na$0dir')\"\n    }\n  }\n}\n",
        expect![[r#"
            about `'nadir'`
            `state` `'nadir'`: Sleeps; a virtual machine that is stopped.
        "#]],
    );
}
