//! What is offered at a cursor. Each test is a cursor in a text.

use super::*;

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
        api_token_secret  →  "api_token_secret = \"yc-lockbox://gitlab/gitlab.com/my-app/api-token\""
        token_secret  →  "token_secret = \"yc-lockbox://gitlab/gitlab.com/my-app/runner-token\""
        webhook_secret  →  "webhook_secret = \"yc-lockbox://gitlab/gitlab.com/my-app/webhook-secret\""
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
        ru-central1  →  "ru-central1"
        kz1  →  "kz1"
        ru-central1-a  →  "ru-central1-a"
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
            "yc-lockbox://gitlab/gitlab.com/my-app/runner-token"  →  "\"yc-lockbox://gitlab/gitlab.com/my-app/runner-token\""
            "yc-lockbox://…"  →  "\"yc-lockbox://path/key\""
            "aws-sm://…"  →  "\"aws-sm://path/key\""
            "vault://…"  →  "\"vault://path/key\""
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
