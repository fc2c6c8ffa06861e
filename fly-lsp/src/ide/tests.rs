//! Cursor fixtures for what an editor asks.

use expect_test::{Expect, expect};
use flyc::text::{TextRange, TextSize};

use super::fixture::Fixture;
use super::*;

fn list(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().map(|item| item + "\n").collect()
}

fn check_complete(text: &str, expected: Expect) {
    let at = Fixture::new(text);
    let found = complete(&at.compiler, &at.path, at.offset);
    let shown = found.iter().take(6).map(|found| format!("{}  →  {:?}", found.label, found.plain()));
    expected.assert_eq(&list(shown));
}

fn check_hover(text: &str, expected: Expect) {
    let at = Fixture::new(text);
    let shown = hover(&at.compiler, &at.path, at.offset);
    let shown = shown.map(|hover| format!("about `{}`\n{}\n", &at.text()[hover.range], hover.text));
    expected.assert_eq(&shown.unwrap_or_else(|| "nothing\n".to_owned()));
}

fn spans(at: &Fixture, spans: Vec<flyc::diag::Span>) -> String {
    list(spans.into_iter().map(|span| {
        let text = at.compiler.text(&span.file).unwrap();
        let before = &text[..span.range.start().into()];
        let line = before.matches('\n').count() + 1;
        format!("{}:{line}: {}", span.file, &text[span.range])
    }))
}

fn check_names(text: &str, expected: Expect) {
    let at = Fixture::new(text);
    let defined = spans(&at, definition(&at.compiler, &at.path, at.offset));
    let used = spans(&at, references(&at.compiler, &at.path, at.offset, false));
    expected.assert_eq(&format!("defined:\n{defined}used:\n{used}"));
}

fn check_rename(text: &str, name: &str, expected: Expect) {
    let at = Fixture::new(text);
    let shown = match rename(&at.compiler, &at.path, at.offset, name) {
        Err(error) => format!("error: {error}\n"),
        Ok(rename) => {
            let mut shown = String::new();
            for file in rename.files {
                let mut text = at.compiler.text(&file.path).unwrap().to_string();
                for edit in file.edits.iter().rev() {
                    text.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
                }
                shown += &format!("`{}`:\n{text}", file.path);
            }
            let moves = rename.moves.into_iter().map(|(from, to)| format!("{from} → {to}"));
            shown + &list(moves)
        }
    };
    expected.assert_eq(&shown);
}

const NEST: &str = r#"`nest.fly`:
nest {
  name = "n"

  variables {
    region = "ru-central1-a"
  }
}

locals {
  /// What all runners take.
  tags = ["docker"]
}

variable "region" {
  type    = string
  default = "ru-central1-b"
}

variable "token" {
  type      = secret
  sensitive = true
  default   = "vault://gitlab/token"
}

profile "small" {
  resources {
    cpu = 2
  }
}
`UF/config.fly`:
uglyfox {
  pruning {
    failed_threshold = 3
    max_age          = 24h
  }

  runners_condition "web" {
    eggs_entities = ["web", "other"]

    apex {
      max_count = 2
      min_count = 1
    }
  }

  policies {
    rule "old" {
      condition = "egg == 'web' AND age > 1h"
      action    = "terminate"
    }
  }
}
"#;

fn in_nest(egg: &str) -> String {
    format!("{NEST}`Eggs/web/config.fly`:\n{egg}")
}

#[test]
fn completion_of_items() {
    check_complete(
        "egg \"a\" {\n  $0\n}\n",
        expect![[r#"
        type  →  "type = \"vm\""
        gitlab  →  "gitlab {\n    project_id = 12345\n  }"
        extends  →  "extends = profile.my-name"
        cloud  →  "cloud {\n    \n  }"
        resources  →  "resources {\n    \n  }"
        runner  →  "runner {\n    \n  }"
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
        egg  →  "egg \"my-name\" {\n  type = \"vm\"\n\n  gitlab {\n    project_id = 12345\n  }\n}"
        eggsbucket  →  "eggsbucket \"my-name\" {\n  type = \"vm\"\n\n  repositories {\n  }\n}"
        locals  →  "locals {\n  \n}"
    "#]],
    );
    check_complete(
        "egg$0",
        expect![[r#"
        egg  →  "egg \"my-name\" {\n  type = \"vm\"\n\n  gitlab {\n    project_id = 12345\n  }\n}"
        eggsbucket  →  "eggsbucket \"my-name\" {\n  type = \"vm\"\n\n  repositories {\n  }\n}"
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
        extends  →  "\n  extends = profile.my-name"
        cloud  →  "\n  cloud {\n    \n  }"
        resources  →  "\n  resources {\n    \n  }"
        runner  →  "\n  runner {\n    \n  }"
        environment  →  "\n  environment {\n    \n  }"
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
        upper  →  "upper(text)"
        lower  →  "lower(text)"
        trim  →  "trim(text)"
        join  →  "join(separator, list)"
    "#]],
    );
    check_complete(
        "egg \"a\" {\n  type =$0",
        expect![[r#"
        "vm"  →  " \"vm\""
        "serverless"  →  " \"serverless\""
        upper  →  " upper(text)"
        lower  →  " lower(text)"
        trim  →  " trim(text)"
        join  →  " join(separator, list)"
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
        base64encode  →  "base64encode(text)"
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
        local.tags  →  "local.tags"
        var.region  →  "var.region"
        var.token  →  "var.token"
    "#]],
    );
    check_complete(
        "egg \"a\" {\n  gitlab {\n    token_secret = $0",
        expect![[r#"
        "yc-lockbox://gitlab/gitlab.com/my-app/runner-token"  →  "\"yc-lockbox://gitlab/gitlab.com/my-app/runner-token\""
        "yc-lockbox://…"  →  "\"yc-lockbox://path/key\""
        "aws-sm://…"  →  "\"aws-sm://path/key\""
        "vault://…"  →  "\"vault://path/key\""
        upper  →  "upper(text)"
        lower  →  "lower(text)"
    "#]],
    );
}

#[test]
fn completion_in_conditions() {
    let text = NEST.replace("egg == 'web' AND age", "egg == 'web' AND a$0ge");
    check_complete(
        &text,
        expect![[r#"
        state  →  "state"
        runner_type  →  "runner_type"
        egg  →  "egg"
        cloud  →  "cloud"
        region  →  "region"
        age  →  "age"
    "#]],
    );
    let text = NEST.replace("[\"web\", \"other\"]", "[\"web\", \"$0\"]");
    check_complete(
        &in_nest("egg \"web\" {}\n").replace(NEST, &text),
        expect![[r#"
        web  →  "web"
    "#]],
    );
}

#[test]
fn hover_tells_what_things_are() {
    check_hover(
        "egg \"a\" {\n  resources {\n    mem$0ory = 4GiB\n  }\n}\n",
        expect![[r#"
        about `memory`
        ```fly
        memory = size
        ```

        What one runner gets: a whole number of MB, or a size from 512MiB to 4TiB.

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

        The cloud's region or availability zone that runners are made in.

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
fn names_are_followed() {
    check_names(
        &in_nest("egg \"w$0eb\" {\n  type = \"vm\"\n}\n"),
        expect![[r#"
        defined:
        Eggs/web/config.fly:1: web
        used:
        UF/config.fly:8: web
        UF/config.fly:18: web
    "#]],
    );
    check_names(
        &in_nest("egg \"web\" {\n  extends = profile.sm$0all\n}\n"),
        expect![[r#"
        defined:
        nest.fly:25: small
        used:
        Eggs/web/config.fly:2: small
    "#]],
    );
    check_names(
        &in_nest("egg \"web\" {\n  cloud {\n    region = \"${var.re$0gion}\"\n  }\n}\n"),
        expect![[r#"
        defined:
        nest.fly:14: region
        used:
        Eggs/web/config.fly:3: region
        nest.fly:5: region
    "#]],
    );
    // A local of the file hides that of the Nest.
    check_names(
        &in_nest("locals {\n  tags = []\n}\n\negg \"web\" {\n  runner {\n    tags = local.ta$0gs\n  }\n}\n"),
        expect![[r#"
            defined:
            Eggs/web/config.fly:2: tags
            used:
            Eggs/web/config.fly:7: tags
        "#]],
    );
}

#[test]
fn renames() {
    check_rename(
        &in_nest("egg \"w$0eb\" {\n  type = \"vm\"\n}\n"),
        "site",
        expect![[r#"
        `Eggs/web/config.fly`:
        egg "site" {
          type = "vm"
        }
        `UF/config.fly`:
        uglyfox {
          pruning {
            failed_threshold = 3
            max_age          = 24h
          }

          runners_condition "web" {
            eggs_entities = ["site", "other"]

            apex {
              max_count = 2
              min_count = 1
            }
          }

          policies {
            rule "old" {
              condition = "egg == 'site' AND age > 1h"
              action    = "terminate"
            }
          }
        }
        Eggs/web → Eggs/site
    "#]],
    );
    check_rename(
        &in_nest("egg \"w$0eb\" {\n  type = \"vm\"\n}\n"),
        "a b",
        expect![[r#"
        error: `a b` can't name egg: it is letters, digits, `-` and `_`, and begins with a letter or digit
    "#]],
    );
    check_rename(
        &in_nest("egg \"w$0eb\" {\n  type = \"vm\"\n}\negg \"x\" {}\n"),
        "x",
        expect![[r#"
        error: there is a egg `x` already
    "#]],
    );
    check_rename(
        &in_nest("egg \"web\" {\n  cloud {\n    region = var.re$0gion\n  }\n}\n"),
        "zone",
        expect![[r#"
        `Eggs/web/config.fly`:
        egg "web" {
          cloud {
            region = var.zone
          }
        }
        `nest.fly`:
        nest {
          name = "n"

          variables {
            zone = "ru-central1-a"
          }
        }

        locals {
          /// What all runners take.
          tags = ["docker"]
        }

        variable "zone" {
          type    = string
          default = "ru-central1-b"
        }

        variable "token" {
          type      = secret
          sensitive = true
          default   = "vault://gitlab/token"
        }

        profile "small" {
          resources {
            cpu = 2
          }
        }
    "#]],
    );
    check_rename(
        "egg \"a\" {\n  type = $0\"vm\"\n}\n",
        "x",
        expect![[r#"
        error: nothing with a name stands here
    "#]],
    );
}

#[test]
fn outlines_folds_and_selections() {
    let text = "# one\n# two\n\negg \"a\" {\n  type = \"v$0m\"\n\n  runner {\n    tags = [\n      \"x\",\n    ]\n  }\n}\n";
    let at = Fixture::new(text);
    let folds = folds(&at.compiler, &at.path).into_iter();
    let text = at.text();
    let shown = list(folds.map(|fold| format!("{:?} {:?}", fold.kind, &text[fold.range])));
    expect![[r#"
        Comment "\n# two"
        Region "\n  type = \"vm\"\n\n  runner {\n    tags = [\n      \"x\",\n    ]\n  }\n}"
        Region "\n    tags = [\n      \"x\",\n    ]\n  }"
        Region "\n      \"x\",\n    ]"
    "#]]
    .assert_eq(&shown);
    fn outline(symbols: &[Symbol], depth: usize, out: &mut String) {
        for symbol in symbols {
            *out += &format!("{}{} {} {:?}\n", "  ".repeat(depth), symbol.detail, symbol.name, symbol.kind);
            outline(&symbol.children, depth + 1, out);
        }
    }
    let mut shown = String::new();
    outline(&document_symbols(&at.compiler, &at.path), 0, &mut shown);
    expect![[r#"
        egg a Named
           type Attribute
           runner Block
             tags Attribute
    "#]]
    .assert_eq(&shown);
    let ranges = selections(&at.compiler, &at.path, at.offset).into_iter();
    let text = at.text();
    expect![[r##"
        "vm"
        "\"vm\""
        "type = \"vm\""
        "\n  type = \"vm\"\n\n  runner {\n    tags = [\n      \"x\",\n    ]\n  }\n"
        "egg \"a\" {\n  type = \"vm\"\n\n  runner {\n    tags = [\n      \"x\",\n    ]\n  }\n}"
        "# one\n# two\n\negg \"a\" {\n  type = \"vm\"\n\n  runner {\n    tags = [\n      \"x\",\n    ]\n  }\n}\n"
    "##]].assert_eq(&list(ranges.map(|range| format!("{:?}", &text[range]))));
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
fn tokens_tile_without_overlap() {
    let at = Fixture::new(&in_nest(
        "egg \"web\" { # c\n  extends = profile.small\n  type = \"vm\"\n  runner {\n    tags = [upper(\"a\"), local.tags[0], \"x-${var.region}\"]$0\n  }\n}\n",
    ));
    let text = at.text();
    let tokens = semantic_tokens(&at.compiler, &at.path);
    assert!(tokens.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start()));
    let shown =
        tokens.iter().map(|token| format!("{} {:?}", TOKEN_TYPES[token.kind as usize], &text[token.range]));
    expect![[r##"
        keyword "egg"
        string "\""
        class "web"
        string "\""
        comment "# c"
        property "extends"
        keyword "profile"
        class "small"
        property "type"
        string "\"vm\""
        keyword "runner"
        property "tags"
        function "upper"
        string "\"a\""
        keyword "local"
        variable "tags"
        number "0"
        string "\"x-${var."
        variable "region"
        string "}\""
    "##]]
    .assert_eq(&list(shown));
    let _ = (TextRange::empty(TextSize::from(0)), workspace_symbols(&at.compiler, "web"));
}
