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
        source.fixAll.fly: Apply all safe fixes in this file
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
        source.fixAll.fly: Apply all safe fixes in this file
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
        "Remove `region`",
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
        "Remove `small`",
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
        "Remove `b`",
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
        "Apply all safe fixes in this file",
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

#[test]
fn what_is_like_nothing_known_is_removed_at_once() {
    let odd = in_nest(&EGG.replace("    cpu ", "    zz$0zz = 1\n    qqqqq = 2\n    cpq "));
    check_action(
        &odd,
        "Remove every attribute that is not known in this file",
        expect![[r#"
        `Eggs/web/config.fly`:
        egg "web" {
          type = "vm"

          resources {
            cpq    = 2
            memory = 4GiB
          }

          gitlab {
            project_id = 1
          }
        }
    "#]],
    );
    // One that is like another was meant to be that.
    assert!(done(&odd, "Fix every `unknown-attribute` in this file").is_none());
}

/// What an action changes in the file that is asked about; none when it is not offered.
fn done(text: &str, title: &str) -> Option<(Fixture, String)> {
    let (at, range) = asked(text);
    let action =
        actions(&at.compiler, &at.path, range, &|_| true).into_iter().find(|one| one.title == title)?;
    let files = match action.edits {
        Edits::Ready(files) => files,
        Edits::Deferred(deferred) => carry_out(&at.compiler, &at.path, &deferred),
    };
    let edits = files.into_iter().find(|file| *file.path == *at.path).map(|file| file.edits);
    let after = applied(&at.text(), &edits.unwrap_or_default());
    Some((at, after))
}

/// What is found in a file, by kind and message.
fn findings(compiler: &flyc::compiler::Compiler, path: &str) -> Vec<(&'static str, String)> {
    let found = compiler.check_file(path).into_iter();
    found.map(|found| (found.kind.id, found.message)).collect()
}

const RULES: &str = "`UF/config.fly`:\nuglyfox {\n  policies {\n    rule \"a\" {\n      condition = \"age > 1h\"\n      action    = \"alert\"\n    }\n\n    ru$0le \"b\" {\n    }\n  }\n}\n";

#[test]
fn what_fixes_every_one_brings_none() {
    for (text, title) in [
        (RULES, "Fix every `missing-attribute` in this file"),
        ("`Eggs/a/config.fly`:\neggsbucket \"EggsBucket2\" }$0\n}\n", "Fix every `stray-brace` in this file"),
        ("egg \"a\" {\n  type = \"vm\"\n}\n}$0\n}\n", "Fix every `stray-brace` in this file"),
    ] {
        let Some((mut at, after)) = done(text, title) else { continue };
        let before = findings(&at.compiler, &at.path);
        assert_ne!(after, at.text(), "{title} does something in {text}");
        at.compiler.set(&at.path, after.as_str());
        for found in findings(&at.compiler, &at.path) {
            assert!(before.contains(&found), "{title} brings {found:?}:\n{after}");
        }
    }
    check_action(
        &RULES
            .replace("      condition = \"age > 1h\"\n", "")
            .replace("action    =", "action =")
            .replace("    }\n  }", "      condition = \"age > 1h\"\n    }\n  }"),
        "Fix every `missing-attribute` in this file",
        expect![[r#"
            `UF/config.fly`:
            uglyfox {
              policies {
                rule "a" {
                  action    = "alert"
                  condition = "failed_count >= 3 AND age > 1h"
                }

                rule "b" {
                  condition = "age > 1h"
                  action    = "terminate"
                }
              }
            }
        "#]],
    );
    check_action(
        "egg \"a\" {\n  type = \"vm\"\n\n  gitlab {\n    project_id = 1\n  }\n}\n}$0\n}\n",
        "Fix every `stray-brace` in this file",
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
}

#[test]
fn a_selection_of_many_findings_is_bounded() {
    let lines = (0..100).fold(String::new(), |mut lines, at| {
        let _ = writeln!(lines, "  zz{at} = 1");
        lines
    });
    let text = format!("$0egg \"a\" {{\n{lines}$1}}\n");
    let (at, range) = asked(&text);
    let found = actions(&at.compiler, &at.path, range, &|_| true);
    let mended: Vec<&str> =
        found.iter().map(|one| one.title.as_str()).filter(|one| one.contains("`zz")).collect();
    assert_eq!(mended.first(), Some(&"Remove `zz0`"), "{mended:?}");
    assert!(mended.len() <= 16, "{mended:?}");
}

#[test]
fn nothing_is_offered_that_does_nothing() {
    for text in [
        "egg \"a\" {\n  executor 10m  \"sh$0ell\"\n}\n",
        "eggsbucket \"b\" }$0\n",
        "egg \"a\" {\n  runner 1$0.5\n}\n",
        "`UF/config.fly`:\nuglyfox {\n  policies \"$0 {\n  }\n}\n",
    ] {
        let (at, range) = asked(text);
        let before = at.compiler.check_file(&at.path);
        for action in actions(&at.compiler, &at.path, range, &|_| true) {
            let (mut at, after) = done(text, &action.title).expect("it is offered");
            assert_ne!(after, at.text(), "{} does nothing in {text}", action.title);
            at.compiler.set(&at.path, after.as_str());
            let left = at.compiler.check_file(&at.path);
            assert!(left.len() < before.len(), "{} is no fix of {text}: {left:#?}", action.title);
        }
    }
}
