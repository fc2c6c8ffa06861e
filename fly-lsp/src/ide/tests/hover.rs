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

            What one runner gets: a whole number of MB, or a size from 512MiB to the most the cloud has.

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
