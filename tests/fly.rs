//! Runs the markdown tests in `tests/fly`: one test a section. How to write one stands in `tests/fly/README.md`.
//!
//! What never lives here: reading and matching, which are `mdtest`'s.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test program reads its own files"
)]

mod mdtest;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
};

use flyc::{
    compiler::Compiler,
    render::{OutputFormat, Report, Sources, render},
};
use libtest_mimic::{Arguments, Failed, Trial};
use mdtest::{Found, Section};

/// A markdown file; sections of one file take turns when they rewrite it.
struct Markdown {
    path: PathBuf,
    /// Relative to the workspace.
    name: String,
    writing: Mutex<()>,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fly");
    let mut trials = Vec::new();
    for path in markdown_files(&folder) {
        let stem = path.file_stem().expect("a markdown file has a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a markdown file is readable");
        let markdown =
            Arc::new(Markdown { name: format!("tests/fly/{stem}.md"), path, writing: Mutex::new(()) });
        match mdtest::parse(&text) {
            Ok(sections) => trials.extend(sections.into_iter().map(|section| {
                let markdown = Arc::clone(&markdown);
                Trial::test(format!("{stem}: {}", section.name), move || run(&markdown, &section))
            })),
            Err(problem) => {
                let problem = format!("{}: {problem}", markdown.name);
                trials.push(Trial::test(stem, move || Err(problem.into())));
            }
        }
    }
    trials.push(Trial::test("there are markdown tests", {
        let any = !trials.is_empty();
        move || if any { Ok(()) } else { Err("tests/fly holds no `fly` block".into()) }
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The markdown files of the folder in the order of their names.
fn markdown_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("tests/fly is a folder")
        .map(|entry| entry.expect("tests/fly can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    files
}

/// Checks the Nest of a section and compares.
fn run(markdown: &Markdown, section: &Section) -> Result<(), Failed> {
    let mut compiler = Compiler::new(section.files.iter().map(|file| (file.path.clone(), file.text.clone())));
    let assets = section.assets.iter();
    compiler.set_assets(assets.map(|(path, text)| (path.as_str().into(), Ok(text.as_str().into()))));
    let diagnostics = compiler.check();
    let found: Vec<Found> = diagnostics
        .iter()
        .map(|diagnostic| Found {
            path: diagnostic.span.file.to_string(),
            line: compiler
                .source(&diagnostic.span.file)
                .map_or(1, |source| source.position(diagnostic.span.range.start()).line as usize),
            severity: diagnostic.severity().as_str().to_owned(),
            id: diagnostic.kind.id.to_owned(),
            message: diagnostic.message.clone(),
        })
        .collect();
    let mut problems = mdtest::compare(&markdown.name, section, &found);
    if let Some(output) = &section.output {
        let mut rendered = Vec::new();
        let report = Report { diagnostics: &diagnostics, sources: &compiler };
        render(OutputFormat::Full, &report, false, &mut rendered)?;
        let rendered = String::from_utf8(rendered)?;
        if rendered != output.text {
            if std::env::var_os("UPDATE_EXPECT").is_some() {
                rewrite(markdown, section, &rendered)?;
            } else {
                problems.push(format!(
                    "{}:{}: the output is another (UPDATE_EXPECT=1 rewrites it):\n{rendered}",
                    markdown.name, output.lines.start
                ));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}

/// Writes a section's output into its file as it is now; sections before it may have been rewritten.
fn rewrite(markdown: &Markdown, section: &Section, rendered: &str) -> Result<(), Failed> {
    let _turn = markdown.writing.lock().map_err(|_| "another section failed while it wrote")?;
    let text = std::fs::read_to_string(&markdown.path)?;
    let now = mdtest::parse(&text)?
        .into_iter()
        .find(|other| other.name == section.name)
        .ok_or("the section is gone from its file")?;
    std::fs::write(&markdown.path, mdtest::replace_output(&text, &now, rendered))?;
    Ok(())
}
