//! What an editor offers to change. Each test is a cursor, or a selection between `$0` and `$1`, in a text.

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
fn a_profile_of_what_is_selected() {
    check_action(
        &in_nest(&EGG.replace("  resources {", "$0  resources {").replace("GiB\n  }\n", "GiB\n  }\n$1")),
        "Turn it into `profile \"resources\"`",
        expect![[r#"
            `Eggs/web/config.fly`:
            egg "web" {
              extends = profile.resources
              type    = "vm"

              gitlab {
                project_id = 1
              }
            }
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

            profile "small" {
              resources {
                cpu = 2
              }
            }

            profile "resources" {
              resources {
                cpu    = 2
                memory = 4GiB
              }
            }
        "#]],
    );
    check_action(
        &in_nest(
            &EGG.replace("type = \"vm\"", "extends = profile.small\n  type    = \"vm\"")
                .replace("    memory = 4GiB", "    $0memory = 4GiB$1"),
        ),
        "Turn it into `profile \"resources\"`",
        expect![[r#"
            `Eggs/web/config.fly`:
            egg "web" {
              extends = profile.resources
              type    = "vm"

              resources {
                cpu = 2
              }

              gitlab {
                project_id = 1
              }
            }
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

            profile "small" {
              resources {
                cpu = 2
              }
            }

            profile "resources" {
              extends = profile.small

              resources {
                memory = 4GiB
              }
            }
        "#]],
    );
    // A local of the file can't go along.
    check_offered(
        &in_nest(&format!(
            "locals {{\n  m = 4GiB\n}}\n\n{}",
            EGG.replace("  resources {", "$0  resources {").replace("4GiB\n  }\n", "local.m\n  }\n$1")
        )),
        expect![[""]],
    );
}

#[test]
fn a_local_of_a_value() {
    check_action(
        &in_nest(&EGG.replace("4GiB", "4$0GiB")),
        "Turn it into `local.memory` of this file",
        expect![[r#"
        `Eggs/web/config.fly`:
        locals {
          memory = 4GiB
        }

        egg "web" {
          type = "vm"

          resources {
            cpu    = 2
            memory = local.memory
          }

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
    check_action(
        &in_nest(&EGG.replace("= 2", "= $02$1 * 2")),
        "Turn it into `local.cpu` of the Nest",
        expect![[r#"
        `Eggs/web/config.fly`:
        egg "web" {
          type = "vm"

          resources {
            cpu    = local.cpu * 2
            memory = 4GiB
          }

          gitlab {
            project_id = 1
          }
        }
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
          cpu  = 2
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
    "#]],
    );
}

#[test]
fn a_local_gives_way_to_its_value() {
    let egg = "locals {\n  /// How much.\n  size = 2 + 2\n  name = \"a\"\n}\n\negg \"web\" {\n  type = \"vm\"\n\n  resources {\n    cpu    = local.si$0ze * 2\n    memory = \"${local.size}GiB\"\n  }\n\n  environment {\n    NAME = \"${local.name}-x\"\n  }\n\n  gitlab {\n    project_id = 1\n  }\n}\n";
    check_action(
        &in_nest(egg),
        "Write the value of `local.size` here",
        expect![[r#"
        `Eggs/web/config.fly`:
        locals {
          /// How much.
          size = 2 + 2
          name = "a"
        }

        egg "web" {
          type = "vm"

          resources {
            cpu    = (2 + 2) * 2
            memory = "${local.size}GiB"
          }

          environment {
            NAME = "${local.name}-x"
          }

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
    check_action(
        &in_nest(egg),
        "Write the value of `local.size` everywhere",
        expect![[r#"
        `Eggs/web/config.fly`:
        locals {
          name = "a"
        }

        egg "web" {
          type = "vm"

          resources {
            cpu    = (2 + 2) * 2
            memory = "${2 + 2}GiB"
          }

          environment {
            NAME = "${local.name}-x"
          }

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
    let name = egg.replace("$0", "").replace("local.name", "local.na$0me");
    check_action(
        &in_nest(&name),
        "Write the value of `local.name` where it is used",
        expect![[r#"
        `Eggs/web/config.fly`:
        locals {
          /// How much.
          size = 2 + 2
        }

        egg "web" {
          type = "vm"

          resources {
            cpu    = local.size * 2
            memory = "${local.size}GiB"
          }

          environment {
            NAME = "a-x"
          }

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
}

#[test]
fn an_expression_becomes_its_value() {
    check_action(
        &in_nest(&EGG.replace("= 2", "= $01 + 1")),
        "Write its value `2`",
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
    check_action(
        &in_nest(
            &EGG.replace("= 2", "= 2\n    disk   = \"${lo$0cal.d}0GiB\"")
                .replace("egg ", "locals {\n  d = 3\n}\n\negg "),
        ),
        "Write its value `30GiB`",
        expect![[r#"
            `Eggs/web/config.fly`:
            egg "web" {
              type = "vm"

              resources {
                cpu    = 2
                disk   = 30GiB
                memory = 4GiB
              }

              gitlab {
                project_id = 1
              }
            }
        "#]],
    );
    // What is sensitive is written nowhere.
    check_offered(
        &in_nest(&EGG.replace("  gitlab", "  environment {\n    TOKEN = va$0r.token\n  }\n\n  gitlab")),
        expect![[""]],
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
