//! Neovim with `editors/neovim`, driven for real: a Nest is opened, and everything that one does in it is done.
//!
//! `neovim/drive.lua` is what is done; here is what has to come out. What never lives here: the protocol, which is `lsp`'s.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "this is a test")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use polar_gosling_tests::{
    need,
    tools::{self, Neovim},
};
use serde_json::{Value, json};

const WEB: &str = "egg \"web\" {\n  type = \"vm\"\n\n  resources {\n    cpu   = 2\n    memry = 4GiB\n  }\n\n  gitlab {\n    project_id = 1\n  }\n}\n";
const DOCS: &str = "egg \"docs\" {\n  type = \"vm\"\n\n  gitlab {\n    project_id = 2\n  }\n}\n";
const UGLYFOX: &str = "uglyfox {\n  runners_condition \"web\" {\n    eggs_entities = [\"web\", \"docs\"]\n\n    apex {\n      max_count = 2\n      min_count = 1\n    }\n  }\n\n  policies {\n    rule \"old\" {\n      condition = \"egg == 'web' AND age > 1h\"\n      action    = \"terminate\"\n    }\n  }\n}\n";

#[test]
fn neovim_as_debian_has_it() {
    let seen = drive(&need!(tools::neovim()));
    holds(&seen);
}

#[test]
fn neovim_that_knows_servers_by_itself() {
    let seen = drive(&need!(tools::newer_neovim()));
    assert_eq!(seen["version"], "0.11.4");
    holds(&seen);
}

/// What came out in a Nest of its own.
fn drive(neovim: &Neovim) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let nest = root.join("nest");
    for (path, text) in
        [("Eggs/web/config.fly", WEB), ("Eggs/docs/config.fly", DOCS), ("UF/config.fly", UGLYFOX)]
    {
        fs::create_dir_all(nest.join(path).parent().unwrap()).unwrap();
        fs::write(nest.join(path), text).unwrap();
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plugin = here.parent().unwrap().join("editors/neovim");
    let server = tools::fly_lsp().parent().unwrap().to_owned();
    let path = env::var_os("PATH").unwrap();
    let paths: Vec<PathBuf> = [server].into_iter().chain(env::split_paths(&path)).collect();
    let result = root.join("result.json");
    let mut command = neovim.command();
    command.args(["--headless", "--clean", "-n", "--cmd"]);
    command.arg(format!("set runtimepath^={}", plugin.display()));
    command.args(["-c", "filetype plugin on", "-c"]);
    command.arg(format!("luafile {}", here.join("neovim/drive.lua").display()));
    command.env("NEST", &nest).env("RESULT", &result).env("PATH", env::join_paths(paths).unwrap());
    // Neither the user's settings nor their files.
    for home in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
        command.env(home, root.join(home));
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let text = fs::read_to_string(&result).unwrap_or_default();
    assert!(output.status.success() && !text.is_empty(), "{}: {told}", output.status);
    let seen: Value = serde_json::from_str(&text).unwrap();
    assert!(seen["problem"].is_null(), "{}\n{told}", seen["problem"].as_str().unwrap_or_default());
    seen
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn lines(value: &Value) -> String {
    let lines: Vec<&str> = value.as_array().unwrap().iter().map(text).collect();
    lines.join("\n")
}

fn holds(seen: &Value) {
    assert_eq!(seen["filetype"], "fly");
    assert_eq!(seen["commentstring"], "# %s");
    assert_eq!(seen["root"], "nest");

    // A diagnostic, each once, where it is; and its fix.
    assert_eq!((&seen["diagnostics"], &seen["line"]), (&json!(["unknown-attribute"]), &json!(6)));
    assert!(text(&seen["action"]).contains("memory"), "{}", seen["action"]);
    // What stood in columns before does so after.
    let formatted = WEB.replace("cpu   =", "cpu    =").replace("memry =", "memory =");
    assert_eq!(seen["fixed"], *formatted);

    assert!(text(&seen["hover"]).contains("memory = size"), "{}", seen["hover"]);
    assert_eq!(seen["omnifunc"], "v:lua.vim.lsp.omnifunc");
    assert_eq!(seen["completion"], json!(["vm", "serverless"]));
    assert_eq!(seen["formatted"], *formatted);

    // A rename: refused with a reason, or everywhere: in other files, on disk, with the folder and the buffer.
    assert!(text(&seen["refused"]).contains("`docs`"), "{}", seen["refused"]);
    assert_eq!(lines(&seen["renamed"]), formatted.replace("\"web\"", "\"site\"").trim_end());
    let elsewhere = UGLYFOX.replace("[\"web\"", "[\"site\"").replace("'web'", "'site'");
    assert_eq!(lines(&seen["elsewhere"]), elsewhere.trim_end());
    assert_eq!(seen["left"], false);
    assert_eq!(seen["after"], json!(["type-mismatch"]));

    let explained = text(&seen["explained"]);
    assert!(explained.contains("type-mismatch") && explained.contains("## Right"), "{explained}");
    assert!(text(&seen["simulated"]).contains("`site`"), "{}", seen["simulated"]);
    let generated = text(&seen["generated"]);
    assert!(generated.contains("from the egg \"site\""), "{generated}");
    assert!(
        seen["files"].as_u64() > Some(3) && seen["windows"] == 2,
        "{} {}",
        seen["files"],
        seen["windows"]
    );

    // The lenses do what they say, each in one place: nothing comes as a message too.
    let lenses = &seen["lenses"];
    assert_eq!(
        (&lenses["fly.simulate"], &lenses["fly.generated"]),
        (&json!("simulate"), &json!("checks.tf"))
    );
    assert_eq!(lenses["fly.references"]["size"], 2, "{lenses}");
    assert_eq!(seen["messages"], json!([]));

    // What was not saved is not saved by a rename; it moves along, can be written and be undone.
    let unsaved = &seen["unsaved"];
    let wanted = format!("# not saved yet\n{}", formatted.replace("\"web\"", "\"shop\""));
    assert_eq!((text(&unsaved["text"]), text(&unsaved["written"])), (&*wanted, &*wanted));
    for holds in ["modified", "untouched", "cursor", "undone"] {
        assert_eq!(unsaved[holds], true, "{holds}: {unsaved}");
    }
    assert_eq!((&unsaved["left"], &unsaved["buffers"]), (&json!(false), &json!(0)));
    assert!(text(&unsaved["told"][0]).contains("not saved"), "{unsaved}");

    let health = text(&seen["health"]);
    assert!(health.contains("OK") && !health.contains("ERROR"), "{health}");
    assert!(health.contains("runs in") && health.contains("serves 1 file"), "{health}");

    // A page is explained outside of a Nest too, and its window leaves neither a window nor a buffer.
    assert_eq!(seen["kinds"], json!(["type-mismatch"]));
    assert!(text(&seen["elsewhere_explained"]).starts_with("# unclosed"), "{}", seen["elsewhere_explained"]);
    assert_eq!(seen["left_behind"], json!([0, 0]));

    // Wrong settings are refused; a server that is missing is told of once.
    assert_eq!(seen["settings"], json!([false, false, false, false]));
    assert_eq!(seen["cmd"], json!(["fly-lsp"]));
    assert_eq!(seen["missing"].as_array().map(Vec::len), Some(1), "{}", seen["missing"]);

    // Without a parser of tree-sitter the shapes are coloured, and what is formatted is indented as it is.
    assert_eq!(seen["colours"], json!(["flyBlock", "flyAttribute", "flyString", "flyNumber"]));
    let indents = seen["indents"].as_array().unwrap();
    assert!(indents.len() > 10 && indents.iter().all(|right| right == true), "{indents:?}");
}
