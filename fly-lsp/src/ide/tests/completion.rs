//! What is offered at a cursor. Each test is a cursor in a text.

use super::*;

/// Asserts what is offered first.
fn first(text: &str, expected: &str) {
    let at = Fixture::new(text);
    let found = complete(&at.compiler, &at.path, at.offset);
    assert_eq!(found.first().map_or("nothing", |found| &found.label), expected, "{text}");
}

#[test]
fn completion_of_items() {
    check_complete(
        "egg \"a\" {\n  $0\n}\n",
        expect![[r#"
            type  →  "type = \"vm\""
            gitlab  →  "gitlab {\n    project_id = 12345\n  }"
            cloud  →  "cloud {\n    \n  }"
            resources  →  "resources {\n    \n  }"
            runner  →  "runner {\n    \n  }"
            environment  →  "environment {\n    \n  }"
        "#]],
    );
    check_complete(
        "egg \"a\" {\n  ty$0",
        expect![[r#"
        type  →  "type = \"vm\""
    "#]],
    );
    check_complete(
        "egg \"a\" {\n  type = \"vm\"\n  gitlab {\n    $0\n  }\n}\n",
        expect![[r#"
        project_id  →  "project_id = 12345"
        server  →  "server = \"gitlab.com\""
        group_id  →  "group_id = 789"
        api_token_secret  →  "api_token_secret = \"yc-lockbox://gitlab/gitlab.com/a/api-token\""
        token_secret  →  "token_secret = \"yc-lockbox://gitlab/gitlab.com/a/runner-token\""
        webhook_secret  →  "webhook_secret = \"yc-lockbox://gitlab/gitlab.com/a/webhook-secret\""
    "#]],
    );
    check_complete(
        "$0",
        expect![[r#"
            egg  →  "egg \"a\" {\n  type = \"vm\"\n\n  gitlab {\n    project_id = 12345\n  }\n}"
            eggsbucket  →  "eggsbucket \"a\" {\n  type = \"vm\"\n\n  repositories {\n  }\n}"
            locals  →  "locals {\n  \n}"
        "#]],
    );
    check_complete(
        "egg$0",
        expect![[r#"
            egg  →  "egg \"a\" {\n  type = \"vm\"\n\n  gitlab {\n    project_id = 12345\n  }\n}"
            eggsbucket  →  "eggsbucket \"a\" {\n  type = \"vm\"\n\n  repositories {\n  }\n}"
        "#]],
    );
    check_complete(
        "egg \"a\" $0",
        expect![[r#"
        { … }  →  "{\n  type = \"vm\"\n\n  gitlab {\n    project_id = 12345\n  }\n}"
    "#]],
    );
    check_complete(
        "egg \"$0\" {}",
        expect![[r#"
        a  →  "a"
    "#]],
    );
    // What stands there already is only renamed.
    check_complete(
        "egg \"a\" {\n  typ$0 = \"vm\"\n}\n",
        expect![[r#"
        type  →  "type"
    "#]],
    );
    // On the line of another item the next begins on its own.
    check_complete(
        "egg \"a\" {\n  type = \"vm\"$0",
        expect![[r#"
            gitlab  →  "\n  gitlab {\n    project_id = 12345\n  }"
            cloud  →  "\n  cloud {\n    \n  }"
            resources  →  "\n  resources {\n    \n  }"
            runner  →  "\n  runner {\n    \n  }"
            environment  →  "\n  environment {\n    \n  }"
            rift  →  "\n  rift {\n    \n  }"
        "#]],
    );
    check_complete(
        "egg \"a\" {\n  environment {\n    KEY$0",
        expect![[r#"
        KEY  →  "KEY = \"overlay2\""
    "#]],
    );
}

#[test]
fn completion_of_values() {
    check_complete(
        "egg \"a\" {\n  type = $0\n}\n",
        expect![[r#"
            "vm"  →  "\"vm\""
            "serverless"  →  "\"serverless\""
        "#]],
    );
    check_complete(
        "egg \"a\" {\n  type =$0",
        expect![[r#"
            "vm"  →  " \"vm\""
            "serverless"  →  " \"serverless\""
        "#]],
    );
    check_complete(
        "egg \"a\" {\n  type = \"$0\"\n}\n",
        expect![[r#"
        vm  →  "vm"
        serverless  →  "serverless"
    "#]],
    );
    check_complete(
        "egg \"a\" {\n  resources {\n    memory = 4$0",
        expect![[r#"
            4GiB  →  "4GiB"
            4TiB  →  "4TiB"
        "#]],
    );
    check_complete(
        "egg \"a\" {\n  cloud {\n    provider = \"yandex\"\n    region = \"$0\"",
        expect![[r#"
            ru-central1-a  →  "ru-central1-a"
            ru-central1  →  "ru-central1"
            kz1  →  "kz1"
            ru-central1-b  →  "ru-central1-b"
            ru-central1-d  →  "ru-central1-d"
            ru-central1-e  →  "ru-central1-e"
        "#]],
    );
    check_complete(
        &in_nest("egg \"web\" {\n  extends = $0\n}\n"),
        expect![[r#"
        profile.small  →  "profile.small"
    "#]],
    );
    check_complete(
        &in_nest("egg \"web\" {\n  runner {\n    tags = local.$0\n"),
        expect![[r#"
        tags  →  "tags"
    "#]],
    );
    check_complete(
        &in_nest("egg \"web\" {\n  environment {\n    A = \"x-${v$0}\"\n"),
        expect![[r#"
            var.region  →  "var.region"
        "#]],
    );
    check_complete(
        "egg \"a\" {\n  gitlab {\n    token_secret = $0",
        expect![[r#"
            "yc-lockbox://gitlab/gitlab.com/a/runner-token"  →  "\"yc-lockbox://gitlab/gitlab.com/a/runner-token\""
            "yc-lockbox://…"  →  "\"yc-lockbox://path/key\""
            "aws-sm://…"  →  "\"aws-sm://path/key\""
            "vault://…"  →  "\"vault://path/key\""
            secret  →  "secret(\"vault\", \"gitlab\", \"token\")"
        "#]],
    );
}

#[test]
fn completion_in_conditions() {
    let text = NEST.replace("egg == 'web' AND age", "egg == 'web' AND a$0ge");
    check_complete(
        &text,
        expect![[r#"
            age  →  "age"
            heartbeat_age  →  "heartbeat_age"
        "#]],
    );
    let text = NEST.replace("[\"web\", \"other\"]", "[\"$0\"]");
    check_complete(
        &in_nest("egg \"web\" {}\n").replace(NEST, &text),
        expect![[r#"
        web  →  "web"
    "#]],
    );
}

#[test]
fn what_stands_below_is_not_the_rest_of_a_value() {
    for (text, expected) in [
        ("egg \"a\" {\n  type = $0\n\n  gitlab {\n    project_id = 1\n  }\n}\n", "\"vm\""),
        ("egg \"a\" {\n  cloud {\n    provider = $0\n    region = \"eu-central-1\"\n  }\n}\n", "\"aws\""),
        ("egg \"a\" {\n  runner {\n    tags = $0\n    concurrent = 1\n  }\n}\n", "[\"docker\", \"linux\"]"),
        ("egg \"a\" {\n  runner {\n    protected =$0 \n    concurrent = 1\n  }\n}\n", "false"),
        (
            "egg \"a\" {\n  runner {\n    idle_timeout = $0 \n\n    # More.\n    concurrent = 1\n  }\n}\n",
            "10m",
        ),
        (
            "`UF/config.fly`:\nuglyfox {\n  policies {\n    rule \"r\" {\n      condition = $0\n      action = \"alert\"\n    }\n  }\n}\n",
            "\"failed_count >= 3 AND age > 1h\"",
        ),
        ("`nest.fly`:\nassert \"a\" {\n  over = $0\n  condition = true\n  message = \"no\"\n}\n", "egg"),
    ] {
        first(text, expected);
    }
}

#[test]
fn secrets_are_kept_where_the_egg_says() {
    let cloud = "  cloud {\n    provider = \"aws\"\n  }\n";
    for (text, expected) in [
        (format!("egg \"a\" {{\n{cloud}  gitlab {{\n    token_secret = $0"), "\"aws-sm://gitlab/gitlab.com/a/runner-token\""),
        (
            format!("egg \"a\" {{\n{cloud}  gitlab {{\n    server = \"git.example.com\"\n    api_token_secret = \"$0\"\n  }}\n}}\n"),
            "aws-sm://gitlab/git.example.com/a/api-token",
        ),
        (
            "`Eggs/b/config.fly`:\neggsbucket \"b\" {\n  repositories {\n    repo \"r\" {\n      gitlab {\n        webhook_secret = $0\n".to_owned(),
            "\"yc-lockbox://gitlab/gitlab.com/b/r/webhook-secret\"",
        ),
    ] {
        first(&text, expected);
    }
    let text = format!("egg \"a\" {{\n{cloud}  gitlab {{\n    token_s$0");
    check_complete(
        &text,
        expect![[r#"
        token_secret  →  "token_secret = \"aws-sm://gitlab/gitlab.com/a/runner-token\""
        api_token_secret  →  "api_token_secret = \"aws-sm://gitlab/gitlab.com/a/api-token\""
    "#]],
    );
}

#[test]
fn what_only_the_compiler_calls() {
    check_complete(
        "egg \"a\" {\n  environment {\n    A = fil$0",
        expect![[r#"
        file  →  "file(\"files/motd.txt\")"
    "#]],
    );
    check_complete(
        "egg \"a\" {\n  environment {\n    A = secr$0",
        expect![[r#"
        secret  →  "secret(\"vault\", \"gitlab\", \"token\")"
    "#]],
    );
    let at = Fixture::new("egg \"a\" {\n  environment {\n    A = secret(\"vault\", $0");
    let shown = signature(&at.compiler, &at.path, at.offset).expect("a call is open");
    assert_eq!(
        (&*shown.label, shown.active),
        ("secret(backend: string, name: string, key: string) -> secret", Some(1))
    );
    // Also from within an argument.
    let at = Fixture::new("egg \"a\" {\n  environment {\n    A = join(\", \", [$0])\n  }\n}\n");
    let shown = signature(&at.compiler, &at.path, at.offset).expect("a call is open");
    assert_eq!((&*shown.label, shown.active), ("join(separator: string, list: list) -> string", Some(1)));
}

#[test]
fn what_comes_first_fits() {
    let nest = |text: &str| {
        format!(
            "`nest.fly`:\nlocals {{\n  tags = [\"docker\"]\n  word = \"x\"\n}}\n`Eggs/a/config.fly`:\n{text}"
        )
    };
    for (text, expected) in [
        (nest("egg \"a\" {\n  environment {\n    A = local.$0\n  }\n}\n"), "word"),
        (nest("egg \"a\" {\n  runner {\n    tags = [\"$0\"]\n  }\n}\n"), "docker"),
        (nest("egg \"a\" {\n  rift {\n    name = $0\n  }\n}\n"), "nothing"),
        (nest("egg \"a\" {\n  runner {\n    concurrent = length($0)\n  }\n}\n"), "local.tags"),
        (nest("egg \"a\" {\n  runner {\n    concurrent = length(local.$0)\n  }\n}\n"), "tags"),
        ("`MG/config.fly`:\nmothergoose {\n  celery_workers {\n    service_account = $0\n".to_owned(), "nothing"),
        ("egg \"a\" {\n  cloud {\n    provider = \"local\"\n    $0\n  }\n}\n".to_owned(), "network"),
        ("egg \"a\" {\n  cloud {\n    provider = \"yandex\"\n    region = \"$0\"".to_owned(), "ru-central1-a"),
        ("egg \"a\" {\n  cloud {\n    provider = \"aws\"\n    region = \"$0\"".to_owned(), "eu-central-1"),
        ("egg \"a\" {\n  cloud {\n    provider = $0\n    region = \"eu-central-1\"\n  }\n}\n".to_owned(), "\"aws\""),
        ("egg \"a\" {\n  environment {\n    FIRST = \"x\"\n    A = self.$0\n    B = \"y\"\n  }\n}\n".to_owned(), "FIRST"),
        ("`nest.fly`:\nprofile \"p\" {\n  type = \"vm\"\n}\n`Eggs/a/config.fly`:\negg \"a\" {\n  extends = profile.p\n  $0\n}\n".to_owned(), "gitlab"),
    ] {
        first(&text, expected);
    }
    check_complete(
        "`UF/config.fly`:\nuglyfox {\n  runners_c$0\n}\n",
        expect![[r#"
        runners_condition  →  "runners_condition \"my-name\" {\n    eggs_entities = []\n  }"
    "#]],
    );
}

#[test]
fn subjects_of_asserts() {
    let assert = |over: &str, condition: &str| {
        format!(
            "`nest.fly`:\nassert \"a\" {{\n  over = {over}\n  condition = {condition}\n  message = \"no\"\n}}\n"
        )
    };
    first(&assert("egg", "e$0"), "egg");
    first(&assert("nest", "nest.$0"), "name");
    check_complete(
        &assert("egg", "true && $0"),
        expect![[r#"
        true  →  "true"
        false  →  "false"
        egg  →  "egg"
        startswith  →  "startswith(\"prod-eu\", \"prod-\")"
        endswith  →  "endswith(\"prod-eu\", \"-eu\")"
        contains  →  "contains([\"a\", \"b\"], \"b\")"
    "#]],
    );
}

#[test]
fn paths_that_triggers_call() {
    check_complete(
        "`MG/config.fly`:\nmothergoose {\n  triggers {\n    health_check {\n      endpoint = \"$0\"\n",
        expect![[r#"
            /internal/uglyfox/health-check  →  "/internal/uglyfox/health-check"
            /internal/sync-git  →  "/internal/sync-git"
            /internal/health-check  →  "/internal/health-check"
            /internal/metrics/collect  →  "/internal/metrics/collect"
            /webhooks/gitlab  →  "/webhooks/gitlab"
            /runners  →  "/runners"
        "#]],
    );
    check_complete(
        "`MG/config.fly`:\nmothergoose {\n  triggers {\n    git_sync {\n      endpoint = $0\n",
        expect![[r#"
            "/internal/sync-git"  →  "\"/internal/sync-git\""
            "/internal/health-check"  →  "\"/internal/health-check\""
            "/internal/uglyfox/health-check"  →  "\"/internal/uglyfox/health-check\""
            "/internal/metrics/collect"  →  "\"/internal/metrics/collect\""
            "/webhooks/gitlab"  →  "\"/webhooks/gitlab\""
            "/runners"  →  "\"/runners\""
        "#]],
    );
}

#[test]
fn the_type_of_a_variable_is_that_of_its_value() {
    let variable = "`nest.fly`:\nvariable \"v\" {\n  default = 14m25s\n  $0\n}\n";
    check_complete(
        variable,
        expect![[r#"
        type  →  "type = duration"
        allowed  →  "allowed = [14m25s]"
        description  →  "description = \"The tags of ordinary runners.\""
        sensitive  →  "sensitive = false"
    "#]],
    );
    check_complete(
        &variable.replace("$0", "type = $0"),
        expect![[r#"
        duration  →  "duration"
        string  →  "string"
        int  →  "int"
        float  →  "float"
        bool  →  "bool"
        size  →  "size"
    "#]],
    );
    check_complete(
        &variable.replace("$0", "type = $0").replace("14m25s", "[\"a\", \"b\"]"),
        expect![[r#"
            list<string>  →  "list<string>"
            string  →  "string"
            int  →  "int"
            float  →  "float"
            bool  →  "bool"
            duration  →  "duration"
        "#]],
    );
}
