//! `flyc check --fix` on real files, with everything it prints.

use crate::harness::nest;
use expect_test::expect;

const SLIPS: &str = r#"egg "my-app" {
  type = vm

  runner {
    tags     = "docker"
    timeuot  = 1h
  }

  gitlab {
    project_id = "12345"
  }
}
"#;

#[test]
fn safe_fixes_are_made_and_the_rest_is_reported() {
    let nest = nest(&[("Eggs/my-app/config.fly", SLIPS)]);
    nest.flyc(&["check", "--fix", "--output-format", "concise"]).is(expect![[r#"
        exit 1
        --- stdout
        Eggs/my-app/config.fly:6:5: error[unknown-attribute] `runner` has no attribute `timeuot`
        --- stderr
        fixed 3 of 4 findings in 1 file; 1 more can be tried with --unsafe-fixes
        checked 1 file in N ms: 1 error
    "#]]);
    expect![[r#"
        egg "my-app" {
          type = "vm"

          runner {
            tags     = ["docker"]
            timeuot  = 1h
          }

          gitlab {
            project_id = 12345
          }
        }
    "#]]
    .assert_eq(&nest.read("Eggs/my-app/config.fly"));
    nest.flyc(&["check", "--fix", "--unsafe-fixes"]).is(expect![[r#"
        exit 0
        --- stderr
        fixed 1 of 1 finding in 1 file
        checked 1 file in N ms: nothing wrong
    "#]]);
    assert!(nest.read("Eggs/my-app/config.fly").contains("    timeout  = 1h\n"));
    nest.flyc(&["check", "--fix"]).is(expect![[r#"
        exit 0
        --- stderr
        nothing to fix
        checked 1 file in N ms: nothing wrong
    "#]]);
}

#[test]
fn a_diff_writes_nothing() {
    let nest = nest(&[("Eggs/my-app/config.fly", SLIPS)]);
    nest.flyc(&["check", "--fix", "--diff"]).is(expect![[r#"
        exit 1
        --- stdout
        --- Eggs/my-app/config.fly
        +++ Eggs/my-app/config.fly
        @@ -1,12 +1,12 @@
         egg "my-app" {
        -  type = vm
        +  type = "vm"
         
           runner {
        -    tags     = "docker"
        +    tags     = ["docker"]
             timeuot  = 1h
           }
         
           gitlab {
        -    project_id = "12345"
        +    project_id = 12345
           }
         }
        --- stderr
        would fix 3 of 4 findings in 1 file; 1 more can be tried with --unsafe-fixes
    "#]]);
    assert_eq!(nest.read("Eggs/my-app/config.fly"), SLIPS);
    assert_eq!(nest.flyc(&["check", "--diff"]).code, 2);
    assert_eq!(nest.flyc(&["check", "--unsafe-fixes"]).code, 2);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let nest = nest(&[("Eggs/my-app/config.fly", "")]);
    let arguments =
        ["check", "--fix", "-", "--stdin-filename", "Eggs/my-app/config.fly", "--output-format", "concise"];
    nest.flyc_with(&arguments, SLIPS).is(expect![[r#"
        exit 1
        --- stdout
        egg "my-app" {
          type = "vm"

          runner {
            tags     = ["docker"]
            timeuot  = 1h
          }

          gitlab {
            project_id = 12345
          }
        }
        --- stderr
        fixed 3 of 4 findings in 1 file; 1 more can be tried with --unsafe-fixes
        Eggs/my-app/config.fly:6:5: error[unknown-attribute] `runner` has no attribute `timeuot`
        checked 1 file in N ms: 1 error
    "#]]);
    assert_eq!(nest.read("Eggs/my-app/config.fly"), "", "the file itself stays");
    let clean = SLIPS.replace("vm", "\"vm\"").replace("\"docker\"", "[\"docker\"]");
    let clean = clean.replace("timeuot", "timeout").replace("\"12345\"", "12345");
    let run = nest.flyc_with(&arguments, &clean);
    assert_eq!((run.code, run.stdout), (0, clean));
}

#[test]
fn only_the_files_that_are_meant_are_fixed() {
    let other = SLIPS.replace("my-app", "other").replace("12345", "54321");
    let nest = nest(&[("Eggs/my-app/config.fly", SLIPS), ("Eggs/other/config.fly", &other)]);
    let run = nest.flyc(&["check", "--fix", "Eggs/other"]);
    assert!(run.stderr.starts_with("fixed 3 of 4 findings in 1 file; 1 more"), "{}", run.stderr);
    assert_eq!(nest.read("Eggs/my-app/config.fly"), SLIPS);
    let run = nest.flyc(&["check", "--fix", "--output-format", "json"]);
    let remaining: serde_json::Value = serde_json::from_str(&run.stdout).expect("an array");
    assert_eq!(remaining.as_array().map(Vec::len), Some(2));
    expect![[r#"
        {
          "applicability": "suggested",
          "edits": [
            {
              "end": {
                "column": 12,
                "line": 6,
                "offset": 78
              },
              "start": {
                "column": 5,
                "line": 6,
                "offset": 71
              },
              "text": "timeout"
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&remaining[0]["fix"]).unwrap());
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let nest = nest(&[("real/config.fly", SLIPS), (".flyignore", "/real/\n"), ("Eggs/my-app/keep", "")]);
    let real = nest.path("real/config.fly");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("../../real/config.fly", nest.path("Eggs/my-app/config.fly")).unwrap();
    let run = nest.flyc(&["check", "--fix", "--unsafe-fixes"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(nest.read("real/config.fly").contains("type = \"vm\""));
    assert_eq!(std::fs::metadata(&real).unwrap().mode() & 0o777, 0o640);
    assert!(std::fs::symlink_metadata(nest.path("Eggs/my-app/config.fly")).unwrap().is_symlink());
}
