//! Following and changing names. Each test is a cursor in a text.

use super::*;

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
            error: `a b` can't name an egg: it is letters, digits, `-` and `_`, and begins with a letter or digit
        "#]],
    );
    check_rename(
        &in_nest("egg \"w$0eb\" {\n  type = \"vm\"\n}\negg \"x\" {}\n"),
        "x",
        expect![[r#"
            error: there is an egg `x` already
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
