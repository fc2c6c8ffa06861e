//! The `flyc` program as its users meet it: real runs of the real binary, with everything they print.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::needless_raw_string_hashes,
    reason = "a test program makes files and runs programs"
)]

#[path = "cli/fixing.rs"]
mod fixing;
#[path = "cli/harness.rs"]
mod harness;
#[path = "cli/programs.rs"]
mod programs;
#[path = "cli/routing.rs"]
mod routing;
#[path = "cli/vars.rs"]
mod vars;
#[path = "cli/watch.rs"]
mod watch;

use expect_test::expect;
use harness::{Run, nest};

const EGG: &str = r#"egg "my-app" {
  type = "vm"

  gitlab {
    project_id = 12345
  }
}
"#;

#[test]
fn check_of_a_clean_nest_says_so_and_ends_with_0() {
    let nest = nest(&[("Eggs/my-app/config.fly", EGG)]);
    nest.flyc(&["check"]).is(expect![[r#"
        exit 0
        --- stderr
        checked 1 file in N ms: nothing wrong
    "#]]);
}

#[test]
fn check_shows_what_is_wrong_and_ends_with_1() {
    let nest = nest(&[("Eggs/my-app/config.fly", &EGG.replace("vm", "wm"))]);
    nest.flyc(&["check"]).is(expect![[r#"
        exit 1
        --- stdout
        error[unknown-value]: `type` wants "vm" or "serverless", found `"wm"`
           ,-[ Eggs/my-app/config.fly:2:10 ]
         2 |   type = "wm"
           |          ^^|^
           |            `--- none of these
           | note: `type` is what a runner is made of: a virtual machine, or a serverless container that lives 60 minutes at most
           | help: did you mean `"vm"`?
        ---' flyc explain unknown-value
        --- stderr

        checked 1 file in N ms: 1 error
    "#]]);
}

#[test]
fn every_output_format() {
    let nest = nest(&[("Eggs/my-app/config.fly", &EGG.replace("12345", "\"12345\""))]);
    for format in ["concise", "json", "jsonl", "github"] {
        let run = nest.flyc(&["check", "--output-format", format]);
        assert_eq!(run.code, 1, "{format}");
        match format {
            "concise" => run.is(expect![[r#"
                exit 1
                --- stdout
                Eggs/my-app/config.fly:5:18: error[type-mismatch] `project_id` wants a whole number, found a string
                --- stderr
                checked 1 file in N ms: 1 error
            "#]]),
            "github" => run.is(expect![[r#"
                exit 1
                --- stdout
                ::error file=Eggs/my-app/config.fly,line=5,col=18,endLine=5,endColumn=25,title=flyc type-mismatch::`project_id` wants a whole number, found a string%0Anote: `project_id` is the number of the one project the runners serve%0Ahelp: write it without quotes: `12345`
            "#]]),
            "json" => {
                let all: serde_json::Value = serde_json::from_str(&run.stdout).expect("an array");
                let one = &all[0];
                assert_eq!(one["id"], "type-mismatch");
                assert_eq!(one["severity"], "error");
                assert_eq!(one["file"], "Eggs/my-app/config.fly");
                assert_eq!(one["start"]["line"], 5);
                assert_eq!(one["start"]["column"], 18);
                assert_eq!(one["end"]["column"], 25);
            }
            _ => {
                let lines: Vec<_> = run.stdout.lines().collect();
                assert_eq!(lines.len(), 1);
                assert!(serde_json::from_str::<serde_json::Value>(lines[0]).is_ok());
            }
        }
    }
    let run = nest.flyc(&["check", "--output-format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&run.stdout).expect("SARIF is JSON");
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "type-mismatch");
    assert!(nest.flyc(&["check", "--output-format", "junit"]).stdout.contains("<testsuites"));
}

#[test]
fn reports_go_to_files_as_well() {
    let nest = nest(&[("Eggs/my-app/config.fly", &EGG.replace("12345", "0"))]);
    let run = nest.flyc(&[
        "check",
        "--output-format",
        "concise",
        "--output",
        "gitlab=quality.json",
        "--output",
        "junit=j.xml",
    ]);
    assert_eq!(run.code, 1);
    let quality: serde_json::Value = serde_json::from_str(&nest.read("quality.json")).expect("an array");
    assert_eq!(quality[0]["check_name"], "out-of-range");
    assert_eq!(quality[0]["location"]["path"], "Eggs/my-app/config.fly");
    assert!(nest.read("j.xml").contains("out-of-range"));
    nest.flyc(&["check", "--output", "gitlab=missing/quality.json"]).is(expect![[r#"
        exit 2
        --- stderr
        error: `missing/quality.json` can't be written: No such file or directory (os error 2)
    "#]]);
}

#[test]
fn a_file_is_checked_in_the_context_of_its_nest() {
    let uglyfox = "uglyfox {\n  runners_condition \"all\" {\n    eggs_entities = [\"my-app\"]\n  }\n}\n";
    let nest = nest(&[("Eggs/my-app/config.fly", &EGG.replace("vm", "wm")), ("UF/config.fly", uglyfox)]);
    nest.flyc(&["check", "UF/config.fly"]).is(expect![[r#"
        exit 0
        --- stderr
        checked 1 file in N ms: nothing wrong
    "#]]);
    assert_eq!(nest.flyc(&["check", "Eggs"]).code, 1);
}

#[test]
fn standard_input_stands_for_a_file_of_the_nest() {
    let nest = nest(&[("Eggs/my-app/config.fly", EGG)]);
    let run = nest.flyc_with(
        &["check", "-", "--stdin-filename", "Eggs/my-app/config.fly", "--output-format", "concise"],
        &EGG.replace("type = \"vm\"", ""),
    );
    run.is(expect![[r#"
        exit 1
        --- stdout
        Eggs/my-app/config.fly:1:1: error[missing-attribute] egg "my-app" lacks `type`
        --- stderr
        checked 1 file in N ms: 1 error
    "#]]);
}

#[test]
fn no_nest() {
    let nest = nest(&[("readme.txt", "nothing")]);
    nest.flyc(&["check"]).is(expect![[r#"
        exit 1
        --- stdout
        error[no-nest]: `.` is not in a Nest
           ,-[ . ]
           | note: a Nest is a folder that holds `nest.fly`, or one of the folders Eggs, Jobs, UF and MG
           | help: go to the folder of a Nest, or begin one: make `Eggs/<name>/config.fly`
        ---' flyc explain no-nest
        --- stderr

        checked 0 files in N ms: 1 error
    "#]]);
    nest.flyc(&["check", "nowhere"]).is(expect![[r#"
        exit 2
        --- stderr
        error: there is no file or folder `nowhere`
        help: give the folder of a Nest, or files in one
    "#]]);
}

#[test]
fn files_that_can_not_be_read() {
    let nest = nest(&[("Eggs/my-app/config.fly", EGG)]);
    nest.write_bytes("Eggs/latin/config.fly", b"# caf\xe9\n");
    let run = nest.flyc(&["check", "--output-format", "concise"]);
    run.is(expect![[r#"
        exit 1
        --- stdout
        Eggs/latin/config.fly:1:1: error[not-utf8] `Eggs/latin/config.fly` is not UTF-8 text: line 1 holds the byte 0xe9
        --- stderr
        checked 2 files in N ms: 1 error
    "#]]);
    std::fs::remove_file(nest.path("Eggs/latin/config.fly")).expect("the file is there");
    let large = std::fs::File::create(nest.path("Eggs/latin/config.fly")).expect("the file can be made");
    large.set_len(1 << 30).expect("a sparse file of 1 GB");
    nest.flyc(&["check", "--output-format", "concise"]).is(expect![[r#"
        exit 1
        --- stdout
        Eggs/latin/config.fly:1:1: error[too-large] `Eggs/latin/config.fly` is larger than 16 MiB
        --- stderr
        checked 2 files in N ms: 1 error
    "#]]);
}

#[cfg(unix)]
#[test]
fn a_loop_of_links_is_told_once() {
    let nest = nest(&[("Eggs/my-app/config.fly", EGG)]);
    std::os::unix::fs::symlink("..", nest.path("Eggs/again")).expect("a link can be made");
    nest.flyc(&["check", "--output-format", "concise"]).is(expect![[r#"
        exit 1
        --- stdout
        Eggs/again:1:1: error[unreadable] the link `Eggs/again` leads back to a folder above it
        --- stderr
        checked 1 file in N ms: 1 error
    "#]]);
}

#[test]
fn fmt_writes_checks_and_shows() {
    let ugly = EGG.replace("  type", "type").replace("project_id = 12345", "project_id=12345 # one");
    let nest = nest(&[("Eggs/my-app/config.fly", &ugly)]);
    nest.flyc(&["fmt", "--check"]).is(expect![[r#"
        exit 1
        --- stdout
        Eggs/my-app/config.fly
        --- stderr
        formatted 1 file: 1 would change
    "#]]);
    nest.flyc(&["fmt", "--diff"]).is(expect![[r#"
        exit 1
        --- stdout
        --- Eggs/my-app/config.fly
        +++ Eggs/my-app/config.fly
        @@ -1,7 +1,7 @@
         egg "my-app" {
        -type = "vm"
        +  type = "vm"
         
           gitlab {
        -    project_id=12345 # one
        +    project_id = 12345  # one
           }
         }
        --- stderr
        formatted 1 file: 1 would change
    "#]]);
    assert_eq!(nest.read("Eggs/my-app/config.fly"), ugly);
    nest.flyc(&["fmt"]).is(expect![[r#"
        exit 0
        --- stdout
        Eggs/my-app/config.fly
        --- stderr
        formatted 1 file: 1 changed
    "#]]);
    assert_eq!(nest.flyc(&["fmt", "--check"]).code, 0);
    let run = nest.flyc_with(&["fmt", "-"], &ugly);
    assert_eq!((run.code, run.stdout), (0, nest.read("Eggs/my-app/config.fly")));
}

#[test]
fn fmt_leaves_a_block_with_a_mistake_as_it_is() {
    let text = "egg \"a\" {\n      type =\n  }\n\nlocals {\na=1\n}\n";
    let nest = nest(&[("Eggs/a/config.fly", text)]);
    nest.flyc(&["fmt"]).is(expect![[r#"
        exit 0
        --- stdout
        Eggs/a/config.fly
        --- stderr
        Eggs/a/config.fly: has mistakes; what was not understood was left as it is (`flyc check` tells more)
        formatted 1 file: 1 changed
    "#]]);
    expect![[r#"
        egg "a" {
          type =
        }

        locals {
          a = 1
        }
    "#]]
    .assert_eq(&nest.read("Eggs/a/config.fly"));
}

#[test]
fn explain() {
    let nest = nest(&[]);
    let page = nest.flyc(&["explain", "type-mismatch"]);
    assert_eq!(page.code, 0);
    assert!(page.stdout.starts_with("# type-mismatch\n"));
    assert_eq!(nest.flyc(&["explain", "error[type-mismatch]"]).stdout, page.stdout);
    nest.flyc(&["explain", "type-mismach"]).is(expect![[r#"
        exit 2
        --- stderr
        error: there is no diagnostic `type-mismach`
        help: did you mean `flyc explain type-mismatch`?
    "#]]);
    let list = nest.flyc(&["explain", "--list"]);
    assert_eq!(list.stdout.lines().count(), flyc::compiler::all_diagnostics().len());
}

#[test]
fn schema_and_completions() {
    let nest = nest(&[]);
    assert!(nest.flyc(&["schema"]).stdout.contains("`concurrent`"));
    let schema: serde_json::Value =
        serde_json::from_str(&nest.flyc(&["schema", "--format", "json-schema"]).stdout)
            .expect("a JSON Schema");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = nest.flyc(&["completions", shell]);
        assert!(run.code == 0 && run.stdout.contains("flyc"), "{shell}");
    }
}

#[test]
fn wrong_use_ends_with_2() {
    let nest = nest(&[]);
    for arguments in
        [&["chek"][..], &["check", "--output-format", "yaml"], &["check", "--output", "json"], &[]]
    {
        assert_eq!(nest.flyc(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn colour_only_when_asked_for_or_on_a_terminal() {
    let nest = nest(&[("Eggs/my-app/config.fly", &EGG.replace("vm", "wm"))]);
    assert!(!nest.flyc(&["check"]).stdout.contains('\u{1b}'));
    assert!(nest.flyc(&["--color", "always", "check"]).stdout.contains('\u{1b}'));
}

#[test]
fn secrets_are_masked_everywhere_but_in_their_own_file() {
    let text = EGG.replace(
        "project_id = 12345",
        "project_id = 12345\n    token_secret = \"vault://gitlab//hidden-key\"",
    );
    let nest = nest(&[("Eggs/my-app/config.fly", &text)]);
    for format in ["concise", "json", "jsonl", "gitlab", "sarif", "junit", "github"] {
        let run: Run = nest.flyc(&["check", "--output-format", format]);
        assert_eq!(run.code, 1, "{format}");
        assert!(!run.stdout.contains("hidden-key"), "{format}: {}", run.stdout);
    }
}

#[test]
fn what_may_be_a_pasted_secret_is_not_even_in_the_excerpt() {
    let pasted =
        EGG.replace("project_id = 12345", "project_id = 12345\n    token_secret = \"glpat-pasted é\"");
    let nest = nest(&[("Eggs/my-app/config.fly", &pasted)]);
    let run = nest.flyc(&["check"]);
    assert!(
        run.stdout.contains("[bad-secret-uri]") && run.stdout.contains("token_secret = \"**************\"")
    );
    assert!(!run.stdout.contains("glpat"), "{}", run.stdout);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_is_told_and_not_waited_for() {
    let nest = nest(&[("Eggs/my-app/config.fly", EGG), ("Eggs/pipe/readme.txt", "")]);
    let made = std::process::Command::new("mkfifo").arg(nest.path("Eggs/pipe/config.fly")).status();
    assert!(made.expect("mkfifo starts").success());
    nest.write_bytes("Eggs/folder/config.fly/keep", b"");
    nest.flyc(&["check", "--output-format", "concise"]).is(expect![[r#"
        exit 1
        --- stdout
        Eggs/folder/config.fly:1:1: error[unreadable] `Eggs/folder/config.fly` is a folder, so it can't be read
        Eggs/pipe/config.fly:1:1: error[unreadable] `Eggs/pipe/config.fly` is neither a file nor a folder, so it can't be read
        --- stderr
        checked 1 file in N ms: 2 errors
    "#]]);
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_does_not_turn_findings_into_success() {
    let many = "unknown = 1\n".repeat(20_000);
    let nest = nest(&[("Eggs/my-app/config.fly", &many)]);
    let flyc = polar_gosling_tests::tools::flyc().display();
    let script = format!("set -o pipefail; '{flyc}' check --output-format concise | head -n 1 >/dev/null");
    let status = std::process::Command::new("bash").args(["-c", &script]).current_dir(nest.path("")).status();
    assert_eq!(status.expect("bash starts").code(), Some(1));
}

#[test]
fn only_files_of_fly_can_be_named() {
    let nest = nest(&[("Eggs/my-app/config.fly", EGG), ("notes.txt", "")]);
    nest.flyc(&["check", "notes.txt"]).is(expect![[r#"
        exit 2
        --- stderr
        error: `notes.txt` is not a .fly file
        help: give the folder of a Nest, or .fly files in one
    "#]]);
}

#[test]
fn build_writes_once_and_refuses_a_broken_nest() {
    let nest = nest(&[("Eggs/my-app/config.fly", EGG)]);
    let first = nest.flyc(&["build"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let config: serde_json::Value =
        serde_json::from_str(&nest.read(".fly/build/eggs/my-app/config.json")).expect("a configuration");
    assert_eq!(config["repositories"][0]["project_id"], 12345);
    let again = nest.flyc(&["build"]);
    assert!(again.stderr.contains(" 0 files written"), "{}", again.stderr);
    nest.write_bytes("Eggs/my-app/config.fly", EGG.replace("vm", "wm").as_bytes());
    let broken = nest.flyc(&["build", "--output-format", "concise"]);
    assert_eq!((broken.code, broken.stderr.trim()), (1, "nothing was built: 1 error"));
    assert!(nest.read(".fly/build/eggs/my-app/config.json").contains("12345"), "the old build stands");
}
