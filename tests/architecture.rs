//! The shape of the workspace: who may import whom, and the rules every source file keeps. The rules are the tables
//! below; the rest reads the workspace and compares.
//!
//! What never lives here: rules that a lint can check.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test program reads the workspace"
)]

use std::path::{Path, PathBuf};

/// The packages, by folder, and which others each may depend on.
const PACKAGES: &[(&str, &[&str])] = &[
    ("fly-std", &[]),
    ("flyc", &["fly-std"]),
    ("fly-lsp", &["fly-std", "flyc"]),
    ("orchestrator", &["fly-std", "flyc"]),
    ("tests", &["fly-std", "flyc", "fly-lsp", "orchestrator"]),
];

/// The rooms of a package, and which others of it each may import.
type Rooms = &'static [(&'static str, &'static [&'static str])];

/// The packages that have rooms.
const ROOMS: &[(&str, Rooms)] = &[("flyc", FLYC), ("fly-lsp", FLY_LSP), ("orchestrator", ORCHESTRATOR)];

/// Crates that a room may not use, though its package does: what an editor asks is answered without its protocol, and
/// without threads that wait; what is decided of a fleet, without the world; and no role knows which database there is.
const FOREIGN: &[(&str, &[&str])] = &[
    ("fly-lsp/src/ide/", &["tower_lsp_server", "tower", "tokio", "serde_json"]),
    ("orchestrator/src/domain/", &["tokio", "axum", "reqwest", "rusqlite", "tracing", "getrandom", "uuid"]),
    ("orchestrator/src/ports/", &["axum", "reqwest", "rusqlite"]),
    ("orchestrator/src/records/", &["tokio", "axum", "reqwest", "rusqlite"]),
    ("orchestrator/src/nest/", &["tokio", "axum", "reqwest", "rusqlite"]),
    ("orchestrator/src/roles/", &["rusqlite"]),
];

/// What an editor asks, and the protocol around it.
const FLY_LSP: Rooms = &[("ide", &[]), ("server", &["ide"])];

/// The service. `domain` decides and knows nothing of the world; `ports` say what is needed of it, `adapters` provide it, and
/// `app` alone brings the two together.
const ORCHESTRATOR: Rooms = &[
    ("domain", &[]),
    ("wire", &["domain"]),
    ("faults", &[]),
    ("metrics", &[]),
    ("seal", &[]),
    ("settings", &["domain"]),
    ("ports", &["domain"]),
    ("logging", &["ports"]),
    ("records", &["domain", "ports"]),
    ("nest", &["domain", "ports", "records", "settings"]),
    ("adapters", &["domain", "faults", "logging", "ports", "records", "seal", "settings"]),
    (
        "roles",
        &["domain", "faults", "logging", "metrics", "nest", "ports", "records", "seal", "settings", "wire"],
    ),
    (
        "app",
        &[
            "adapters", "domain", "faults", "logging", "metrics", "nest", "ports", "records", "roles",
            "seal", "settings", "wire",
        ],
    ),
    ("scaffold", &["ports"]),
    ("cli", &["app", "domain", "logging", "ports", "roles", "scaffold", "seal", "settings", "wire"]),
];

/// The compiler. `config` and `lower` are pure functions that `check` asks, so that what checks clean can be built;
/// `routing` is one that the orchestrator asks as well.
const FLYC: Rooms = &[
    ("text", &[]),
    ("syntax", &["text"]),
    ("diag", &["text"]),
    ("format", &["text", "syntax"]),
    ("render", &["text", "diag"]),
    ("artifact", &[]),
    ("db", &["text", "syntax"]),
    ("model", &["text", "syntax", "diag", "db"]),
    ("config", &["text", "db", "model", "artifact", "lower"]),
    ("lower", &["artifact", "text", "diag"]),
    ("routing", &["artifact"]),
    ("pipeline", &["text", "diag"]),
    ("check", &["text", "syntax", "diag", "db", "model", "artifact", "config", "lower"]),
    ("build", &["text", "diag", "db", "model", "check", "artifact", "config", "lower"]),
    ("plan", &["artifact", "build", "render"]),
    ("proof", &["text", "diag", "db", "model", "artifact", "config", "routing", "pipeline"]),
    ("translate", &["text", "diag", "artifact", "lower", "build", "render"]),
    (
        "compiler",
        &[
            "text",
            "syntax",
            "diag",
            "format",
            "render",
            "artifact",
            "db",
            "model",
            "config",
            "lower",
            "check",
            "build",
            "routing",
            "pipeline",
            "proof",
            "translate",
        ],
    ),
    (
        "host",
        &[
            "text",
            "syntax",
            "diag",
            "artifact",
            "lower",
            "pipeline",
            "build",
            "render",
            "translate",
            "compiler",
        ],
    ),
    (
        "cli",
        &[
            "text",
            "syntax",
            "diag",
            "format",
            "render",
            "artifact",
            "db",
            "model",
            "config",
            "lower",
            "check",
            "build",
            "plan",
            "routing",
            "pipeline",
            "proof",
            "translate",
            "compiler",
            "host",
        ],
    ),
];

/// What stands at the top, besides dot-files.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "docs",
    "editors",
    "fly-lsp",
    "fly-std",
    "flyc",
    "orchestrator",
    "rustfmt.toml",
    "tests",
];

/// What a build leaves at the top.
const BUILT: &[&str] = &["target"];

/// The folders that Rust sources are looked for in.
const SOURCES: &[&str] = &["flyc", "fly-std", "fly-lsp", "orchestrator", "editors", "tests"];

/// Folders that hold nobody's sources.
const SKIPPED: &[&str] = &["target", "node_modules", ".git", ".fly"];

/// The most lines a file may have.
const MOST_LINES: usize = 600;

/// Where tables stand, which may be longer.
const TABLES: &[&str] = &["fly-std/src/schema", "fly-std/src/functions"];

/// Texts that no source may hold, and why. Written in two halves, because this file is a source as well.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "work that is left belongs in an issue"),
    (concat!("FIX", "ME"), "work that is left belongs in an issue"),
    (concat!("#[ign", "ore"), "a test is run or removed"),
];

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests stands in the workspace").to_owned()
}

/// The Rust sources below a folder of the workspace: path relative to the workspace, and text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let entry = entry.expect("a folder of the workspace can be listed");
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type().expect("an entry has a type").is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(&root).expect("it is in the workspace");
                let text = std::fs::read_to_string(&path).expect("a source is readable");
                found.push((relative.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    found
}

/// The text without comments and without what stands in strings, line breaks kept.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(hashes) = raw_string(rest, out.chars().next_back()) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = 2 + hashes;
            rest[open..].find(&close).map_or(rest.len(), |end| open + end + close.len())
        } else if c == '"' {
            string_len(rest)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\") {
            rest.get(2..).and_then(|tail| tail.find('\'')).map_or(1, |end| end + 3)
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
        rest = &rest[skipped..];
    }
    out
}

/// How many `#` a raw string that begins here has.
fn raw_string(text: &str, before: Option<char>) -> Option<usize> {
    if before.is_some_and(|c| c.is_alphanumeric() && c != 'b' || c == '_') {
        return None;
    }
    let rest = text.strip_prefix('r')?;
    let hashes = rest.chars().take_while(|c| *c == '#').count();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// The length of the string that begins here.
fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The first names behind each `prefix` in code, with their lines: `crate::a::b` gives `a`, `crate::{a, b::c}` gives
/// `a` and `b`.
fn names_behind<'a>(code: &'a str, prefix: &str) -> Vec<(usize, &'a str)> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + prefix.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            names.extend(first_names(list).into_iter().map(|name| (line, name)));
        } else {
            names.push((line, identifier(rest)));
        }
    }
    names
}

/// The first name of each item of a list in braces whose opening brace is gone.
fn first_names(list: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut begin = true;
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begin = true,
            c if begin && !c.is_whitespace() => {
                names.push(identifier(&list[at..]));
                begin = false;
            }
            _ => {}
        }
    }
    names
}

/// The identifier a text begins with.
fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The imports of a file that its room may not have. Tests may import everything.
fn wrong_imports(path: &str, text: &str) -> Vec<String> {
    let Some((package, inner)) = path.split_once("/src/") else { return Vec::new() };
    let Some((_, rooms)) = ROOMS.iter().find(|(name, _)| *name == package) else { return Vec::new() };
    // A room of one file is that file.
    let single = inner.strip_suffix(".rs").map(|room| (room, "mod.rs"));
    let Some((room, inside)) = inner.split_once('/').or(single) else { return Vec::new() };
    if matches!(inner, "lib.rs" | "main.rs") {
        return Vec::new();
    }
    if inside.ends_with("tests.rs") || inside.contains("tests/") {
        return Vec::new();
    }
    let Some((_, allowed)) = rooms.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{path}: `{room}` is not a room; add it to ROOMS in tests/architecture.rs")];
    };
    let code = code(text);
    let code = code.find("#[cfg(test)]\nmod ").map_or(code.as_str(), |tests| &code[..tests]);
    let mut imports = names_behind(code, "crate::");
    // `super::` as often as it takes to leave the room.
    let depth = inside.matches('/').count() + usize::from(!inside.ends_with("mod.rs")) + 1;
    imports.extend(names_behind(code, &"super::".repeat(depth)));
    imports.retain(|(_, name)| *name != room && rooms.iter().any(|(other, _)| other == name));
    imports.retain(|(_, name)| !allowed.contains(name));
    for (_, crates) in FOREIGN.iter().filter(|(folder, _)| path.starts_with(folder)) {
        imports.extend(crates.iter().filter_map(|name| Some((line_of_crate(code, name)?, *name))));
    }
    imports
        .into_iter()
        .map(|(line, name)| format!("{path}:{line}: `{room}` may not import `{name}`"))
        .collect()
}

/// The line on which code first names a crate.
fn line_of_crate(code: &str, name: &str) -> Option<usize> {
    let begins = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    let mut uses = code.match_indices(name).filter(|(at, _)| code[at + name.len()..].starts_with("::"));
    uses.find(|(at, _)| begins(*at)).map(|(at, _)| code[..at].matches('\n').count() + 1)
}

/// The rules of a source file that it breaks.
fn broken_rules(path: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    let lines = text.lines().count();
    if lines > MOST_LINES && !TABLES.iter().any(|tables| path.starts_with(tables)) {
        broken.push(format!("{path}: {lines} lines; split it along its seams, {MOST_LINES} are the most"));
    }
    if !text.starts_with("//!") {
        broken.push(format!("{path}:1: begin with `//!`: what lives here, and what never does"));
    }
    for (forbidden, why) in FORBIDDEN {
        for (at, _) in text.match_indices(forbidden) {
            let line = text[..at].matches('\n').count() + 1;
            broken.push(format!("{path}:{line}: no `{forbidden}`: {why}"));
        }
    }
    broken
}

/// Fails with every problem on a line.
fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn packages_point_one_way() {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata runs");
    let mut problems = Vec::new();
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().and_then(|path| path.file_name()).expect("in a folder");
        let Some((_, allowed)) = PACKAGES.iter().find(|(name, _)| *name == folder) else {
            problems.push(format!("`{folder}` is not a package of PACKAGES in tests/architecture.rs"));
            continue;
        };
        for dependency in &package.dependencies {
            let Some(other) = dependency.path.as_ref().and_then(|path| path.file_name()) else { continue };
            if !allowed.contains(&other) {
                problems.push(format!("{folder}/Cargo.toml: `{folder}` may not depend on `{other}`"));
            }
        }
    }
    none(&problems);
}

#[test]
fn rooms_point_one_way() {
    for (package, rooms) in ROOMS {
        let sources = sources(&format!("{package}/src"));
        assert!(sources.len() > rooms.len(), "{package}'s sources are there");
        none(&sources.iter().flat_map(|(path, text)| wrong_imports(path, text)).collect::<Vec<_>>());
    }
}

#[test]
fn every_source_keeps_the_rules() {
    let sources: Vec<_> = SOURCES.iter().flat_map(|folder| sources(folder)).collect();
    none(&sources.iter().flat_map(|(path, text)| broken_rules(path, text)).collect::<Vec<_>>());
}

#[test]
fn the_top_is_as_listed() {
    let mut names: Vec<String> = std::fs::read_dir(root())
        .expect("the workspace can be listed")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !BUILT.contains(&name.as_str()))
        .collect();
    names.sort();
    assert_eq!(names, TOP);
}

#[test]
fn a_wrong_import_is_found() {
    for (path, text, problem) in [
        (
            "flyc/src/text/mod.rs",
            "use crate::diag::Span;",
            "flyc/src/text/mod.rs:1: `text` may not import `diag`",
        ),
        (
            "flyc/src/syntax/tree.rs",
            "//! x\nuse crate::{\n  text::{self, model},\n  db,\n};",
            "flyc/src/syntax/tree.rs:2: `syntax` may not import `db`",
        ),
        (
            "flyc/src/render/full.rs",
            "fn f() { crate::host::read(); }",
            "flyc/src/render/full.rs:1: `render` may not import `host`",
        ),
        (
            "flyc/src/check/rule/one.rs",
            "use super::super::super::cli;",
            "flyc/src/check/rule/one.rs:1: `check` may not import `cli`",
        ),
        (
            "flyc/src/diag/mod.rs",
            "const A: &str = \"\\\"\"; const B: char = '\"'; const C: &str = r#\"\"\"#;\nuse crate::db;",
            "flyc/src/diag/mod.rs:2: `diag` may not import `db`",
        ),
        (
            "fly-lsp/src/ide/completion/items.rs",
            "use crate::server::View;",
            "fly-lsp/src/ide/completion/items.rs:1: `ide` may not import `server`",
        ),
        (
            "fly-lsp/src/ide/hover.rs",
            "//! x\nuse tower_lsp_server::ls_types::Hover;",
            "fly-lsp/src/ide/hover.rs:2: `ide` may not import `tower_lsp_server`",
        ),
    ] {
        assert_eq!(wrong_imports(path, text), [problem]);
    }
    assert_eq!(wrong_imports("flyc/src/new/mod.rs", "").len(), 1);
}

#[test]
fn a_right_import_is_not_found() {
    for (path, text) in [
        ("flyc/src/diag/mod.rs", "use crate::text::TextRange;\nuse super::diag;"),
        ("flyc/src/syntax/tree.rs", "use crate::{text::{db, model}, syntax::Tree};"),
        ("flyc/src/text/mod.rs", "// use crate::db\n/* use crate::db; */ const A: &str = \"crate::db\";"),
        ("flyc/src/text/mod.rs", "const A: &str = r##\"crate::db \"# \"##;"),
        ("flyc/src/text/mod.rs", "use mycrate::db;\n#[cfg(test)]\nmod tests { use crate::db::X; }"),
        ("flyc/src/text/tests.rs", "use crate::db::X;"),
        ("flyc/src/model/mod.rs", "use crate::db::Db;"),
        ("flyc/src/lib.rs", "use crate::cli;"),
        ("fly-lsp/src/server/backend.rs", "use crate::ide;\nuse tower_lsp_server::Client;"),
    ] {
        assert_eq!(wrong_imports(path, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_broken_rule_is_found() {
    let long = "//! x\n".repeat(MOST_LINES + 1);
    assert_eq!(broken_rules("flyc/src/a.rs", &long).len(), 1);
    assert_eq!(broken_rules("fly-std/src/schema/egg.rs", &long).len(), 0);
    assert_eq!(broken_rules("flyc/src/a.rs", "use std::io;\n").len(), 1);
    for (forbidden, _) in FORBIDDEN {
        assert_eq!(broken_rules("flyc/src/a.rs", &format!("//! x\n// {forbidden}\n")).len(), 1);
    }
    assert_eq!(broken_rules("flyc/src/a.rs", "//! x\n"), Vec::<String>::new());
}
