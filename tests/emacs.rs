//! Emacs with `editors/emacs`: the mode by itself, and a Nest opened with eglot and with lsp-mode, driven for real.
//!
//! `emacs/mode.el` are the mode's own tests, `emacs/drive.el` is what is done in a Nest; here is what has to come out. What
//! never lives here: the protocol, which is `lsp`'s.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "this is a test")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use polar_gosling_tests::{need, tools};
use serde_json::{Value, json};

const WEB: &str = "egg \"web\" {\n  type = \"vm\"\n\n  resources {\n    cpu   = 2\n    memry = 4GiB\n  }\n\n  gitlab {\n    project_id = 1\n  }\n}\n";

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// An Emacs without a window, with neither the user's settings nor their files.
fn batch(emacs: &Path, home: &Path) -> Command {
    let mut command = Command::new(emacs);
    let lisp = here().parent().unwrap().join("editors/emacs");
    command.args(["--batch", "-Q", "-L"]).arg(lisp).env("HOME", home).stdin(Stdio::null());
    command
}

fn ends_well(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}\n{told}", output.status);
    told
}

#[test]
fn the_mode_compiles_without_a_warning() {
    let emacs = need!(tools::emacs());
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("fly-mode.el");
    fs::copy(here().parent().unwrap().join("editors/emacs/fly-mode.el"), &copy).unwrap();
    let mut compile = batch(&emacs, folder.path());
    compile.args(["--eval", "(setq byte-compile-error-on-warn t)", "-f", "batch-byte-compile"]).arg(copy);
    ends_well(&mut compile);
}

#[test]
fn the_mode_colours_indents_and_comments() {
    let emacs = need!(tools::emacs());
    let folder = tempfile::tempdir().unwrap();
    let mut ert = batch(&emacs, folder.path());
    ert.arg("-l").arg(here().join("emacs/mode.el")).args(["-f", "ert-run-tests-batch-and-exit"]);
    let told = ends_well(&mut ert);
    assert!(told.contains(" 0 unexpected") && !told.contains("Ran 0 tests"), "{told}");
}

/// Debian's Emacs has no tree-sitter, but the queries of `fly-ts-mode` can be tried without: each is one of the grammar, and
/// finds something in its example.
#[test]
fn the_colours_by_tree_sitter_are_queries_of_the_grammar() {
    let (emacs, tree_sitter) = (need!(tools::emacs()), need!(tools::tree_sitter()));
    let folder = tempfile::tempdir().unwrap();
    let mut print = batch(&emacs, folder.path());
    print.args(["-l", "fly-mode", "--eval"]).arg(
        "(dolist (query (seq-filter #'consp fly-ts--colours))
           (dolist (part query) (prin1 part) (princ \" \"))
           (terpri))",
    );
    let output = print.output().unwrap();
    let queries = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && queries.lines().count() > 5, "{queries}");
    let grammar = here().parent().unwrap().join("editors/tree-sitter-fly");
    let query = folder.path().join("query.scm");
    for text in queries.lines() {
        fs::write(&query, text).unwrap();
        let mut ask = tree_sitter.command();
        ask.args(["query", "--captures"]).arg(&query).arg("test/queries/example.fly").current_dir(&grammar);
        let output = ask.env("TREE_SITTER_LIBDIR", folder.path()).env("NO_COLOR", "1").output().unwrap();
        let found = String::from_utf8_lossy(&output.stdout);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}: {told}");
        let captures = text.split('@').skip(1).filter_map(|rest| rest.split([' ', ')']).next());
        for capture in captures {
            assert!(found.contains(capture), "{text}: {capture} finds nothing");
        }
    }
}

#[test]
fn a_nest_with_eglot() {
    let emacs = need!(tools::emacs_with_clients());
    let seen = drive(&emacs, "eglot", true);
    assert_eq!((&seen["here"], &seen["root"]), (&json!("unknown-attribute"), &json!("nest")));
    holds(&seen);
}

#[test]
fn a_nest_with_lsp_mode() {
    let emacs = need!(tools::emacs_with_clients());
    holds(&drive(&emacs, "lsp-mode", true));
}

#[test]
fn the_settings_reach_the_server() {
    let emacs = need!(tools::emacs_with_clients());
    for client in ["eglot", "lsp-mode"] {
        assert_eq!(drive(&emacs, client, false)["lenses"], 0, "{client}");
    }
}

/// What came out in a Nest of its own, with lenses or with the setting that there be none.
fn drive(emacs: &Path, client: &str, lenses: bool) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let nest = root.join("nest");
    fs::create_dir_all(nest.join("Eggs/web")).unwrap();
    fs::write(nest.join("Eggs/web/config.fly"), WEB).unwrap();
    let server = tools::fly_lsp().parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap();
    let paths = [server].into_iter().chain(env::split_paths(&path));
    let result = root.join("result.json");
    let mut command = batch(emacs, &root);
    command.arg("-l").arg(here().join("emacs/drive.el"));
    command.env("CLIENT", client).env("NEST", &nest).env("RESULT", &result);
    command.env("PATH", env::join_paths(paths).unwrap());
    if !lenses {
        command.env("NO_LENSES", "1");
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let text = fs::read_to_string(&result).unwrap_or_default();
    assert!(output.status.success() && !text.is_empty(), "{}: {text}\n{told}", output.status);
    serde_json::from_str(&text).unwrap()
}

fn holds(seen: &Value) {
    let text = |name: &str| seen[name].as_str().unwrap_or_default();
    assert_eq!(seen["mode"], "fly-mode");

    // A diagnostic, once, where it is.
    assert_eq!((&seen["diagnostics"], &seen["line"]), (&json!(["unknown-attribute"]), &json!(6)));

    let offered = seen["completion"].as_array().unwrap();
    assert!(offered.contains(&json!("vm")) && offered.contains(&json!("serverless")), "{offered:?}");
    assert_eq!(text("formatted"), WEB.replace("memry", "memory").replace("cpu   =", "cpu    ="));

    // What the server has beyond the protocol.
    assert_eq!(seen["lenses"], 2);
    assert!(text("explained").starts_with("# type-mismatch"), "{}", text("explained"));
    assert!(text("simulated").contains("`web` would deploy"), "{}", text("simulated"));
    assert!(seen["generated"].as_array().unwrap().contains(&json!("eggs/web/resources.tf")), "{seen}");
}
