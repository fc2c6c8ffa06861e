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

const RULES: &str = "assert \"small\" {\n  over      = egg\n  condition = egg.resources.cpu <= 16 || egg.name == \"web\"\n  message   = \"`${egg.name}` has ${egg.resources.cpu}\"\n}\n";

/// The Nest with a rule of its own in which the cursor is, and an egg with as much as one can ask for.
fn in_rule(from: &str, to: &str) -> String {
    let rules = RULES.replacen(from, to, 1);
    assert_ne!(rules, RULES);
    let nest = NEST.replacen("`UF/config.fly`:\n", &format!("{rules}`UF/config.fly`:\n"), 1);
    format!(
        "{nest}`Eggs/web/config.fly`:\negg \"web\" {{\n  extends = profile.small\n\n  resources {{\n    cpu    = 4\n    memory = self.cpu\n  }}\n}}\n"
    )
}

#[test]
fn what_a_rule_asks_for_is_followed() {
    check_names(
        &in_rule("resources.cpu", "resources.c$0pu"),
        expect![[r#"
            defined:
            Eggs/web/config.fly:5: cpu
            nest.fly:27: cpu
            used:
        "#]],
    );
    check_names(
        &in_rule("egg.resources", "egg.reso$0urces"),
        expect![[r#"
            defined:
            Eggs/web/config.fly:4: resources
            nest.fly:26: resources
            used:
        "#]],
    );
    check_names(
        &in_rule("egg.resources", "e$0gg.resources"),
        expect![[r#"
            defined:
            nest.fly:31: egg
            used:
        "#]],
    );
    check_names(
        &in_rule("${egg.name}", "${egg.na$0me}"),
        expect![[r#"
            defined:
            Eggs/web/config.fly:1: "web"
            used:
        "#]],
    );
    // A name in quotes is the egg's.
    check_names(
        &in_rule("\"web\"", "\"w$0eb\""),
        expect![[r#"
            defined:
            Eggs/web/config.fly:1: web
            used:
            UF/config.fly:8: web
            UF/config.fly:18: web
            nest.fly:32: web
        "#]],
    );
    // What stands beside it.
    check_names(
        &in_rule("small", "smaller").replace("self.cpu", "self.c$0pu"),
        expect![[r#"
            defined:
            Eggs/web/config.fly:5: cpu
            used:
        "#]],
    );
    check_names(
        &in_rule("over      = egg", "over      = job").replace("egg.resources", "egg.reso$0urces"),
        expect![[r#"
            defined:
            used:
            nest.fly:32: resources
        "#]],
    );
    let at = Fixture::new(&in_rule("resources.cpu", "resources.c$0pu"));
    let shown = highlights(&at.compiler, &at.path, at.offset).into_iter();
    let shown =
        shown.map(|(range, defines)| format!("{} {} {defines}", &at.text()[range], u32::from(range.start())));
    expect![[r#"
        cpu 414 false
        cpu 494 false
    "#]]
    .assert_eq(&list(shown));
}

#[test]
fn what_has_no_other_name_says_so() {
    let check = |text: &str, expected: Expect| {
        let at = Fixture::new(text);
        let shown = match prepare_rename(&at.compiler, &at.path, at.offset) {
            Ok((range, name)) => format!("`{}` is {name}\n", &at.text()[range]),
            Err(why) => format!("error: {why}\n"),
        };
        expected.assert_eq(&shown);
    };
    check(
        &in_rule("resources.cpu", "resources.c$0pu"),
        expect![[r#"
        error: `cpu` is what the language calls it, so it has no other name
    "#]],
    );
    check(
        &in_rule("small", "sma$0ll"),
        expect![[r#"
        `small` is small
    "#]],
    );
    check(
        &NEST.replace("\"old\"", "\"o$0ld\""),
        expect![[r#"
        `old` is old
    "#]],
    );
    check(
        &NEST.replace("\"other\"", "\"ot$0her\""),
        expect![[r#"
        error: `other` is defined nowhere in this Nest
    "#]],
    );
    check(
        &NEST.replace("runners_condition \"web\"", "runners_condition \"w$0eb\""),
        expect![[r#"
        `web` is web
    "#]],
    );
    check(
        &NEST.replace("failed_threshold", "failed$0_threshold"),
        expect![[r#"
            error: `failed_threshold` is what the language calls it, so it has no other name
        "#]],
    );
}

#[test]
fn labels_are_renamed_where_they_are_known() {
    check_rename(
        "`UF/config.fly`:\nuglyfox {\n  policies {\n    rule \"o$0ld\" {\n    }\n\n    rule \"new\" {\n    }\n  }\n}\n",
        "aged",
        expect![[r#"
            `UF/config.fly`:
            uglyfox {
              policies {
                rule "aged" {
                }

                rule "new" {
                }
              }
            }
        "#]],
    );
    check_rename(
        "`UF/config.fly`:\nuglyfox {\n  policies {\n    rule \"o$0ld\" {\n    }\n\n    rule \"new\" {\n    }\n  }\n}\n",
        "new",
        expect![[r#"
            error: there is a rule `new` already
        "#]],
    );
    check_rename(
        "`nest.fly`:\nassert \"no $0large ones\" {\n  over = egg\n}\n",
        "at most 16 CPUs, \"really\"",
        expect![[r#"
            error: `at most 16 CPUs, "really"` can't name a rule: it is a text on one line, without `"`, `\` and `${`
        "#]],
    );
    check_rename(
        "`nest.fly`:\nassert \"no $0large ones\" {\n  over = egg\n}\n",
        "at most 16 CPUs",
        expect![[r#"
            `nest.fly`:
            assert "at most 16 CPUs" {
              over = egg
            }
        "#]],
    );
    let repos = |expect: &str| {
        format!(
            "`Eggs/a/config.fly`:\neggsbucket \"a\" {{\n  repositories {{\n    repo \"ap$0i\" {{\n    }}\n  }}\n}}\n`Eggs/b/config.fly`:\neggsbucket \"b\" {{\n  repositories {{\n    repo \"api\" {{\n    }}\n  }}\n}}\n`nest.fly`:\ntest \"t\" {{\n  expect {{\n{expect}    repository = \"api\"\n  }}\n}}\n"
        )
    };
    // Each bucket has an `api` of its own.
    check_rename(
        &repos("    egg = \"a\"\n"),
        "web",
        expect![[r#"
        `Eggs/a/config.fly`:
        eggsbucket "a" {
          repositories {
            repo "web" {
            }
          }
        }
        `nest.fly`:
        test "t" {
          expect {
            egg = "a"
            repository = "web"
          }
        }
    "#]],
    );
    check_rename(
        &repos("    egg = \"b\"\n"),
        "web",
        expect![[r#"
        `Eggs/a/config.fly`:
        eggsbucket "a" {
          repositories {
            repo "web" {
            }
          }
        }
    "#]],
    );
    check_rename(
        &repos(""),
        "web",
        expect![[r#"
        error: `api` is given 2 times in this Nest; give each a name of its own first
    "#]],
    );
    check_names(
        &repos("    egg = \"a\"\n")
            .replace("ap$0i", "api")
            .replace("repository = \"api\"", "repository = \"a$0pi\""),
        expect![[r#"
            defined:
            Eggs/a/config.fly:3: api
            used:
            nest.fly:4: api
        "#]],
    );
}
