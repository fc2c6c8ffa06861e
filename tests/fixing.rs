//! `flyc check --fix` on real files, with everything it prints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::needless_raw_string_hashes,
    reason = "a test program makes files and runs programs"
)]

#[path = "cli/harness.rs"]
mod harness;

use expect_test::expect;
use harness::nest;

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
    nest.flyc(&["check", "--fix", "--output-format", "concise"]).is(expect![[r#""#]]);
    expect![[r#""#]].assert_eq(&nest.read("Eggs/my-app/config.fly"));
    nest.flyc(&["check", "--fix", "--unsafe-fixes"]).is(expect![[r#""#]]);
    assert!(nest.read("Eggs/my-app/config.fly").contains("    timeout  = 1h\n"));
    nest.flyc(&["check", "--fix"]).is(expect![[r#""#]]);
}

#[test]
fn a_diff_writes_nothing() {
    let nest = nest(&[("Eggs/my-app/config.fly", SLIPS)]);
    nest.flyc(&["check", "--fix", "--diff"]).is(expect![[r#""#]]);
    assert_eq!(nest.read("Eggs/my-app/config.fly"), SLIPS);
    assert_eq!(nest.flyc(&["check", "--diff"]).code, 2);
    assert_eq!(nest.flyc(&["check", "--unsafe-fixes"]).code, 2);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let nest = nest(&[("Eggs/my-app/config.fly", "")]);
    let arguments =
        ["check", "--fix", "-", "--stdin-filename", "Eggs/my-app/config.fly", "--output-format", "concise"];
    nest.flyc_with(&arguments, SLIPS).is(expect![[r#""#]]);
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
    expect![[r#""#]].assert_eq(&serde_json::to_string_pretty(&remaining[0]["fix"]).unwrap());
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
