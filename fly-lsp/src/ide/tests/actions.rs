//! What an editor offers to change. Each test is a cursor, or a selection between `$0` and `$1`, in a text.

mod rewriting;

use super::*;

/// A text with a cursor, and the range up to `$1` when there is one.
fn asked(text: &str) -> (Fixture, TextRange) {
    let at = Fixture::new(&text.replace("$1", ""));
    let marked = text.split("$0").nth(1).and_then(|rest| rest.find("$1"));
    let length = TextSize::try_from(marked.unwrap_or(0)).expect("a fixture is short");
    let range = TextRange::at(at.offset, length);
    (at, range)
}

/// What is offered, by kind and title.
fn check_offered(text: &str, expected: Expect) {
    let (at, range) = asked(text);
    let found = actions(&at.compiler, &at.path, range, &|_| true);
    let shown = found.iter().map(|action| {
        let preferred = if action.is_preferred { " (preferred)" } else { "" };
        format!("{}: {}{preferred}", action.kind.name(), action.title)
    });
    expected.assert_eq(&list(shown));
}

/// The files that an action changes, as they are then.
fn check_action(text: &str, title: &str, expected: Expect) {
    let (at, range) = asked(text);
    let found = actions(&at.compiler, &at.path, range, &|_| true);
    let titles: Vec<_> = found.iter().map(|action| action.title.as_str()).collect();
    let Some(action) = found.iter().find(|action| action.title == title) else {
        expected.assert_eq(&format!("not offered, but {titles:#?}\n"));
        return;
    };
    let files = match &action.edits {
        Edits::Ready(files) => files.clone(),
        Edits::Deferred(deferred) => carry_out(&at.compiler, &at.path, deferred),
    };
    let mut shown = String::new();
    for file in files {
        let text = at.compiler.text(&file.path).expect("the file is there");
        let _ = write!(shown, "`{}`:\n{}", file.path, applied(&text, &file.edits));
    }
    expected.assert_eq(&shown);
}

const EGG: &str = "egg \"web\" {\n  type = \"vm\"\n\n  resources {\n    cpu    = 2\n    memory = 4GiB\n  }\n\n  gitlab {\n    project_id = 1\n  }\n}\n";

#[test]
fn names_that_are_meant() {
    let slip = EGG.replace("memory", "mem$0ry");
    check_offered(
        &slip,
        expect![[r#"
        quickfix: Did you mean `memory`?
        quickfix: Remove `memry`
    "#]],
    );
    check_action(
        &slip,
        "Did you mean `memory`?",
        expect![[r#"
        `Eggs/a/config.fly`:
        egg "web" {
          type = "vm"

          resources {
            cpu    = 2
            memory = 4GiB
          }

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
    check_action(
        &slip,
        "Remove `memry`",
        expect![[r#"
        `Eggs/a/config.fly`:
        egg "web" {
          type = "vm"

          resources {
            cpu    = 2
          }

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
    check_offered(
        &EGG.replace("\"vm\"", "v$0m"),
        expect![[r#"
        quickfix: Strings stand in quotes: write `"vm"` (preferred)
        source.fixAll.fly: Fix everything that is sure in this file
    "#]],
    );
}

#[test]
fn what_is_missing() {
    check_action(
        "eg$0g \"a\" {\n}\n",
        "Add everything that `egg` lacks",
        expect![[r#"
        `Eggs/a/config.fly`:
        egg "a" {
          type = "vm"

          gitlab {
            project_id = 12345
          }
        }
    "#]],
    );
    check_action(
        "egg \"a\" {\n  type = \"vm\"\n\n  git$0lab {}\n}\n",
        "Add `project_id = 12345`",
        expect![[r#"
        `Eggs/a/config.fly`:
        egg "a" {
          type = "vm"

          gitlab {
            project_id = 12345
          }
        }
    "#]],
    );
    check_action(
        &in_nest("egg \"web\" {\n  type = \"vm\"\n}\n")
            .replace("    eggs_entities = [\"web\", \"other\"]\n", "")
            .replace("runners_condition \"web\"", "runners_co$0ndition \"web\""),
        "Add `eggs_entities = [\"web\"]`",
        expect![[r#"
            `UF/config.fly`:
            uglyfox {
              pruning {
                failed_threshold = 3
                max_age          = 24h
              }

              runners_condition "web" {
                eggs_entities = ["web"]

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
        "#]],
    );
    check_action(
        "egg$0 {\n  type = \"vm\"\n\n  gitlab {\n    project_id = 1\n  }\n}\n",
        "Name it `\"a\"`",
        expect![[r#"
        `Eggs/a/config.fly`:
        egg "a" {
          type = "vm"

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
    check_action(
        "egg \"a\" {\n  type =$0\n\n  gitlab {\n    project_id = 1\n  }\n}\n",
        "Write the value `\"vm\"`",
        expect![[r#"
        `Eggs/a/config.fly`:
        egg "a" {
          type = "vm"

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
    check_action(
        "egg \"a\" {\n  type = \"vm\"\n\n  gitlab $0{\n    project_id = 1\n\n  resources {\n    cpu = 2\n  }\n}\n",
        "Add `}` before line 6",
        expect![[r#"
        `Eggs/a/config.fly`:
        egg "a" {
          type = "vm"

          gitlab {
            project_id = 1
          }

          resources {
            cpu = 2
          }
        }
    "#]],
    );
}

#[test]
fn literals_of_the_right_kind() {
    check_offered(
        &EGG.replace("= 2", "= $0\"2\""),
        expect![[r#"
        quickfix: Write it without quotes: `2` (preferred)
        refactor.extract: Turn it into `local.cpu` of this file
        source.fixAll.fly: Fix everything that is sure in this file
    "#]],
    );
    check_offered(
        &EGG.replace("4GiB", "$0\"4gb\""),
        expect![[r#"
        refactor.extract: Turn it into `local.memory` of this file
    "#]],
    );
    check_offered(
        &EGG.replace("4GiB", "$04096"),
        expect![[r#"
        refactor.extract: Turn it into `local.memory` of this file
        refactor.rewrite: Write it as `4GiB`
    "#]],
    );
    check_offered(
        "job \"a\" {\n  timeout = $090\n}\n",
        expect![[r#"
        quickfix: Write `1m30s`: 90 seconds
        refactor.extract: Turn it into `local.timeout` of this file
    "#]],
    );
    check_action(
        &EGG.replace("4GiB", "$04096"),
        "Write it as `4GiB`",
        expect![[r#"
        `Eggs/a/config.fly`:
        egg "web" {
          type = "vm"

          resources {
            cpu    = 2
            memory = 4GiB
          }

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
}

#[test]
fn of_two_one_goes() {
    check_action(
        &EGG.replace("cpu    = 2\n", "cpu    = 2\n    # more\n    c$0pu    = 4\n"),
        "Remove this `cpu`",
        expect![[r#"
            `Eggs/a/config.fly`:
            egg "web" {
              type = "vm"

              resources {
                cpu    = 2
                memory = 4GiB
              }

              gitlab {
                project_id = 1
              }
            }
        "#]],
    );
    check_action(
        &EGG.replace("  gitlab", "  res$0ources {\n    disk = 30GiB\n  }\n\n  gitlab"),
        "Put both into one block",
        expect![[r#"
            `Eggs/a/config.fly`:
            egg "web" {
              type = "vm"

              resources {
                cpu    = 2
                memory = 4GiB
                disk   = 30GiB
              }

              gitlab {
                project_id = 1
              }
            }
        "#]],
    );
}

#[test]
fn what_nobody_uses() {
    let nest = NEST.replace("variable \"region\"", "variable \"re$0gion\"");
    check_action(
        &nest,
        "Remove it",
        expect![[r#"
        `nest.fly`:
        nest {
          name = "n"
        }

        locals {
          /// What all runners take.
          tags = ["docker"]
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
    let profile = NEST.replace("profile \"small\"", "/// For the small ones.\nprofile \"sm$0all\"");
    check_action(
        &profile,
        "Remove it",
        expect![[r#"
        `nest.fly`:
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
    "#]],
    );
    check_action(
        "locals {\n  a = 1\n  b$0 = local.a # both\n}\n\negg \"x\" {}\n",
        "Remove it",
        expect![[r#"
        `Eggs/a/config.fly`:
        egg "x" {}
    "#]],
    );
}

#[test]
fn everything_at_once() {
    let slips = EGG.replace("= 2", "= $0\"2\"").replace("= 1", "= \"1\"").replace("4GiB", "\"4gb\"");
    check_action(
        &slips,
        "Fix everything that is sure in this file",
        expect![[r#"
        `Eggs/a/config.fly`:
        egg "web" {
          type = "vm"

          resources {
            cpu    = 2
            memory = "4gb"
          }

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
    let typos = in_nest(&EGG.replace("cpu ", "cp$0q ").replace("type", "tyqe"));
    check_action(
        &typos,
        "Fix every `unknown-attribute` in this file",
        expect![[r#"
        `Eggs/web/config.fly`:
        egg "web" {
          type = "vm"

          resources {
            cpu    = 2
            memory = 4GiB
          }

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
}
