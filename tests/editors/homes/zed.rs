//! Zed's extension: what starts the server is a program of its own, in WebAssembly.
//!
//! What never lives here: its queries, which are `queries`'s.

use std::process::Command;

use polar_gosling_tests::{need, tools};

use super::{editors, read};

#[test]
fn zeds_extension_compiles() {
    let cargo = need!(tools::cargo_for_wasm());
    let here = editors().join("zed");
    // Beside the test's own program, because it is as large as a build is.
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("zed");
    let mut check = Command::new(cargo);
    check.args(["check", "--quiet", "--locked", "--target", tools::WASM, "--target-dir"]).arg(target);
    let output = check.current_dir(here).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("warning"), "{told}");
}

/// What belongs together is called the same.
#[test]
fn zeds_extension_is_one() {
    let file = |path: &str| read(&editors().join("zed").join(path));
    let (extension, language, package) =
        (file("extension.toml"), file("languages/fly/config.toml"), file("Cargo.toml"));
    let value = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.unwrap_or_else(|| panic!("{name} in {text}")).trim_matches('"').to_owned()
    };
    assert_eq!(value(&extension, "version"), value(&package, "version"));
    assert!(extension.contains(&format!("[grammars.{}]", value(&language, "grammar"))));
    assert_eq!(value(&extension, "languages"), format!("[\"{}\"]", value(&language, "name")));
    // What the settings of Zed are read under is what the server is called there.
    assert!(extension.contains("[language_servers.fly-lsp]"));
    assert!(file("src/lib.rs").contains("const SERVER: &str = \"fly-lsp\";"));
    let grammar = root_of(&value(&extension, "path"));
    assert!(grammar.join("src/parser.c").is_file(), "{}", grammar.display());
}

fn root_of(path: &str) -> std::path::PathBuf {
    super::root().join(path)
}
