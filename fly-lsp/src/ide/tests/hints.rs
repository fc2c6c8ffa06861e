//! What is shown beside the text. Each test is a text, shown with its hints in brackets.

use super::*;

fn shown(text: &str, range: Option<TextRange>, options: HintOptions) -> String {
    let at = Fixture::new(&format!("{text}$0"));
    let whole = TextRange::up_to(TextSize::of(&*at.text()));
    let found = hints(&at.compiler, &at.path, range.unwrap_or(whole), NOW, options);
    let mut shown = at.text();
    for hint in found.iter().rev() {
        shown.insert_str(hint.at.into(), &format!(" ⟦{}⟧", hint.label));
    }
    shown
}

fn check_hints(text: &str, expected: Expect) {
    expected.assert_eq(&shown(text, None, HintOptions::default()));
}

#[test]
fn bare_numbers_say_what_they_count() {
    check_hints(
        r#"`MG/config.fly`:
mothergoose {
  cloud {
    provider = "yandex"
  }

  api_gateway {
    auth_function {
      memory  = 128
      timeout = 5
    }
  }

  fastapi_app {
    memory  = 2048
    timeout = 120
  }
}
"#,
        expect![[r#"
            mothergoose {
              cloud {
                provider = "yandex"
              }

              api_gateway {
                auth_function {
                  memory  = 128 ⟦MB⟧
                  timeout = 5 ⟦seconds⟧
                }
              }

              fastapi_app {
                memory  = 2048 ⟦MB = 2GiB⟧
                timeout = 120 ⟦seconds = 2m⟧
              }
            }
        "#]],
    );
    // What says its unit needs none.
    check_hints(
        "egg \"a\" {\n  resources {\n    memory = 4GiB\n    disk   = 20\n  }\n}\n",
        expect![[r#"
        egg "a" {
          resources {
            memory = 4GiB
            disk   = 20 ⟦GB⟧
          }
        }
    "#]],
    );
}

#[test]
fn sizes_say_what_is_sold_for_them() {
    check_hints(
        "egg \"a\" {\n  type = \"vm\"\n\n  cloud {\n    provider = \"aws\"\n  }\n\n  resources {\n    cpu    = 3\n    memory = 9000\n  }\n}\n",
        expect![[r#"
            egg "a" {
              type = "vm"

              cloud {
                provider = "aws"
              }

              resources {
                cpu    = 3 ⟦→ 4 (m6i.xlarge)⟧
                memory = 9000 ⟦MB⟧ ⟦→ 16GiB (m6i.xlarge)⟧
              }
            }
        "#]],
    );
}

#[test]
fn schedules_say_when_they_run() {
    check_hints(
        "`Jobs/a.fly`:\njob \"a\" {\n  schedule = \"0 2 * * MON\"\n  timezone = \"Europe/Berlin\"\n  script   = \"true\"\n}\n",
        expect![[r#"
            job "a" {
              schedule = "0 2 * * MON" ⟦→ Mon 5 Jan 02:00, Mon 12 Jan 02:00, Mon 19 Jan 02:00⟧
              timezone = "Europe/Berlin"
              script   = "true"
            }
        "#]],
    );
    check_hints(
        "`MG/config.fly`:\nmothergoose {\n  triggers {\n    git_sync {\n      schedule = \"*/5 * * * *\"\n    }\n  }\n}\n",
        expect![[r#"
            mothergoose {
              triggers {
                git_sync {
                  schedule = "*/5 * * * *" ⟦→ Thu 1 Jan 00:35, 00:40, 00:45⟧
                }
              }
            }
        "#]],
    );
}

#[test]
fn profiles_say_what_they_give() {
    let nest = NEST.replace(
        "  resources {\n    cpu = 2\n  }\n",
        "  type = \"vm\"\n\n  resources {\n    cpu    = 2\n    memory = 8GiB\n  }\n\n  runner {\n    tags = local.tags\n  }\n\n  environment {\n    KEY = var.token\n  }\n",
    );
    let egg = "egg \"web\" {\n  extends = profile.small\n\n  resources {\n    cpu = 4\n  }\n}\n";
    let text = format!("{nest}`Eggs/web/config.fly`:\n{egg}");
    check_hints(
        &text,
        expect![[r#"
        egg "web" {
          extends = profile.small ⟦→ type = "vm", resources.memory = 8GiB, runner.tags = ["docker"], 1 more⟧

          resources {
            cpu = 4
          }
        }
    "#]],
    );
    let at = Fixture::new(&format!("{text}$0"));
    let whole = TextRange::up_to(TextSize::of(&*at.text()));
    let found = hints(&at.compiler, &at.path, whole, NOW, HintOptions::default());
    expect![[r#"
        From the profile:

        - `type = "vm"`, from `profile.small`
        - `resources.memory = 8GiB`, from `profile.small`
        - `runner.tags = ["docker"]`, from `profile.small`
        - `environment.KEY = a sensitive value`, from `profile.small`"#]]
    .assert_eq(&found[0].tooltip);
}

#[test]
fn each_kind_can_be_turned_off_and_a_range_asked_for() {
    let text = "`Jobs/a.fly`:\njob \"a\" {\n  schedule = \"0 2 * * *\"\n  script   = \"true\"\n\n  resources {\n    memory = 5000\n  }\n}\n";
    let none = HintOptions { units: false, runs: false, inherited: false };
    let count = |options, range| shown(text, range, options).matches('⟦').count();
    assert_eq!(count(none, None), 0);
    assert_eq!(count(HintOptions { runs: true, ..none }, None), 1);
    assert_eq!(count(HintOptions { units: true, ..none }, None), 2);
    let first_line = TextRange::up_to(40.into());
    assert_eq!(count(HintOptions::default(), Some(first_line)), 1);
    assert_eq!(count(HintOptions { runs: false, ..HintOptions::default() }, Some(first_line)), 0);
}

#[test]
fn percentages_say_that_they_are_some() {
    check_hints(
        "`UF/config.fly`:\nuglyfox {\n  runners_condition \"a\" {\n    eggs_entities = []\n\n    apex {\n      cpu_threshold    = 80\n      memory_threshold = 80%\n    }\n  }\n}\n",
        expect![[r#"
            uglyfox {
              runners_condition "a" {
                eggs_entities = []

                apex {
                  cpu_threshold    = 80 ⟦%⟧
                  memory_threshold = 80%
                }
              }
            }
        "#]],
    );
}
