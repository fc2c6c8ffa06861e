//! The reference is generated from the tables and current; every diagnostic has a page whose examples are true, and
//! a fixture.
//!
//! `UPDATE_EXPECT=1 cargo test --test reference` brings the files up to date.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test program reads its own files"
)]

use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use flyc::{
    compiler::{Compiler, all_diagnostics},
    pipeline,
    proof::Scope,
};
use project::Project;

#[path = "cli/project.rs"]
mod project;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests stands in the workspace").to_path_buf()
}

/// The generated files: path below docs/src/reference, text.
fn generated() -> Vec<(String, String)> {
    let mut files = vec![
        ("language.md".to_owned(), fly_std::reference::markdown()),
        ("gosling.md".to_owned(), orchestrator::cli::reference()),
        ("fly.schema.json".to_owned(), format!("{:#}\n", fly_std::reference::json_schema())),
    ];
    let mut index = "# Diagnostics\n\nEvery kind of diagnostic, as `flyc explain --list` prints it.\n\n\
                     | id | severity | what |\n|---|---|---|\n"
        .to_owned();
    for kind in all_diagnostics() {
        let severity = kind.severity.as_str();
        writeln!(
            index,
            "| [`{0}`](diagnostics/{0}.md) | {severity} | {1} |",
            kind.id,
            kind.summary.replace('|', "\\|")
        )
        .expect("a string takes everything");
        files.push((format!("diagnostics/{}.md", kind.id), kind.page.to_owned()));
    }
    files.push(("diagnostics.md".to_owned(), index));
    files
}

#[test]
fn the_reference_is_current() {
    let folder = root().join("docs/src/reference");
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    let files = generated();
    for (name, text) in &files {
        let path = folder.join(name);
        if fs::read_to_string(&path).ok().as_deref() == Some(text) {
            continue;
        }
        if update {
            fs::create_dir_all(path.parent().expect("the path has a folder"))
                .expect("the folder can be made");
            fs::write(&path, text).expect("the file can be written");
        } else {
            wrong.push(format!("docs/src/reference/{name}"));
        }
    }
    // A page whose diagnostic is gone goes too.
    for entry in fs::read_dir(folder.join("diagnostics")).into_iter().flatten().flatten() {
        let name = format!("diagnostics/{}", entry.file_name().to_string_lossy());
        if !files.iter().any(|(known, _)| *known == name) {
            if update {
                fs::remove_file(entry.path()).expect("the file can be removed");
            } else {
                wrong.push(format!("docs/src/reference/{name} is left over"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "run UPDATE_EXPECT=1 cargo test --test reference; not current:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_summary_lists_every_page() {
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md")).expect("the summary is there");
    let missing: Vec<_> = generated()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| {
            Path::new(name).extension().is_some_and(|end| end == "md")
                && !summary.contains(&format!("(reference/{name})"))
        })
        .collect();
    assert!(missing.is_empty(), "docs/src/SUMMARY.md lacks {missing:?}");
    let links = summary.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let broken: Vec<_> = links.filter(|link| !root().join("docs/src").join(link).is_file()).collect();
    assert!(broken.is_empty(), "docs/src/SUMMARY.md names {broken:?}, which are not there");
}

/// The files of the examples under a heading of a page, those of the Nest and those of a project's CI.
fn example(page: &str, heading: &str) -> Vec<(String, String)> {
    let Some((_, section)) = page.split_once(&format!("\n## {heading}\n")) else { return Vec::new() };
    let section = section.split("\n## ").next().unwrap_or("");
    let mut files = Vec::new();
    let mut name = String::from("Eggs/test/config.fly");
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        if let Some(path) = line.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:")) {
            path.clone_into(&mut name);
        } else if line == "```fly" || line == "```yaml" {
            let text: String = lines
                .by_ref()
                .take_while(|line| *line != "```")
                .fold(String::new(), |text, line| text + line + "\n");
            files.push((name.clone(), text));
        }
    }
    files
}

/// The kinds that no text of a file can show: they are about files that can't be read, of OpenTofu, or not in use yet.
const WITHOUT_EXAMPLE: [&str; 7] =
    ["deprecated", "no-nest", "not-utf8", "tofu-error", "tofu-warning", "too-large", "unreadable"];

#[test]
fn the_examples_of_every_page_are_true() {
    let mut wrong = Vec::new();
    for kind in all_diagnostics() {
        assert!(
            kind.page.starts_with(&format!("# {}\n", kind.id)),
            "the page of {} begins with its id",
            kind.id
        );
        for heading in ["\n## Wrong\n", "\n## Right\n"] {
            assert!(kind.page.contains(heading), "the page of {} has{heading}", kind.id);
        }
        if WITHOUT_EXAMPLE.contains(&kind.id) {
            continue;
        }
        // Some mistakes show only when the Nest is built.
        let found = |heading| -> Option<Vec<String>> {
            let files = example(kind.page, heading);
            if files.is_empty() {
                return None;
            }
            let (ci, nest): (Vec<_>, Vec<_>) =
                files.into_iter().partition(|(name, _)| name == pipeline::MAIN);
            let (fly, assets): (Vec<_>, Vec<_>) = nest
                .into_iter()
                .partition(|(name, _)| Path::new(name).extension().is_some_and(|end| end == "fly"));
            let mut compiler = Compiler::new(fly);
            compiler
                .set_assets(assets.into_iter().map(|(path, text)| (path.into(), Ok(text.as_str().into()))));
            let mut found = compiler.check();
            // Tests that fail, and jobs of a CI configuration, are told by commands of their own.
            found.extend(compiler.run_tests(&|_| true).into_iter().flat_map(|test| test.failures));
            if !ci.is_empty() {
                let pipeline = pipeline::read(pipeline::MAIN, &Project(ci));
                found.extend(compiler.prove(&pipeline, &Scope::default()).diagnostics);
            }
            // Eggs that take one job share a tag, which is told by itself.
            found.retain(|found| kind.id != "job-with-several-eggs" || found.kind.id != "overlapping-eggs");
            Some(found.iter().map(|found| format!("{} {}", found.kind.id, found.message)).collect())
        };
        match found("Wrong") {
            None => wrong.push(format!("{}: no example under Wrong", kind.id)),
            Some(ids) if ids.len() == 1 && ids[0].starts_with(&format!("{} ", kind.id)) => {}
            Some(ids) => wrong.push(format!("{}: Wrong gives {ids:?}", kind.id)),
        }
        match found("Right") {
            None => wrong.push(format!("{}: no example under Right", kind.id)),
            Some(ids) if ids.is_empty() => {}
            Some(ids) => wrong.push(format!("{}: Right gives {ids:?}", kind.id)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_diagnostic_has_a_fixture() {
    let mut asked = BTreeSet::new();
    for entry in fs::read_dir(root().join("tests/fly")).expect("the fixtures are there").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(entry.path()).expect("a fixture is readable");
            asked.extend(
                text.split("error: [")
                    .skip(1)
                    .chain(text.split("warning: [").skip(1))
                    .filter_map(|rest| rest.split_once(']').map(|(id, _)| id.to_owned())),
            );
        }
    }
    // What is about files, tests and CI configurations has its fixtures in the tests of the command line.
    let files = ["tests/cli.rs", "tests/cli/check_ci.rs", "tests/cli/expectations.rs", "tests/translate.rs"];
    let cli =
        files.map(|path| fs::read_to_string(root().join(path)).expect("the tests of the program are there"));
    let cli = cli.concat();
    let missing: Vec<_> = all_diagnostics()
        .into_iter()
        .map(|kind| kind.id)
        .filter(|id| !asked.contains(*id) && !cli.contains(&format!("[{id}]")) && *id != "deprecated")
        .collect();
    assert!(missing.is_empty(), "no fixture for {missing:?}");
}
