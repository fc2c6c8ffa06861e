//! Saying the same in another way: profiles, locals, values. Each test is a cursor, or a selection between `$0` and `$1`,
//! in a text.

use super::*;

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
