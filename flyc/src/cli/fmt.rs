//! `flyc fmt`

use std::{
    fmt::Write as _,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use rayon::prelude::*;

use super::{Failure, Global, Outcome, diff::diff, target::shown};
use crate::{
    diag::{Diagnostic, Severity},
    format::format,
    host, syntax,
};

/// Format .fly files: one canon, no options.
///
/// A block with a mistake in it is left as it is.
#[derive(Debug, Args)]
pub(super) struct Fmt {
    /// Files, or folders whose files are meant; `-` formats standard input to standard output
    /// [default: this folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Change nothing; exit with 1 and name the files that would change
    #[arg(long)]
    check: bool,
    /// Change nothing; show what would change, and exit with 1 if anything would
    #[arg(long)]
    diff: bool,
    /// The name of the file that standard input stands for, for messages
    #[arg(long, value_name = "PATH")]
    stdin_filename: Option<PathBuf>,
}

/// A file after formatting.
struct Formatted {
    /// As the user names it.
    name: String,
    path: PathBuf,
    before: Arc<str>,
    after: String,
    /// The lines that hold mistakes.
    mistakes: usize,
}

impl Fmt {
    pub(super) fn run(&self, global: &Global) -> Result<Outcome, Failure> {
        if self.paths.iter().any(|path| path == Path::new("-")) {
            return self.standard_input(global);
        }
        let here = [PathBuf::from(".")];
        let given = if self.paths.is_empty() { &here } else { self.paths.as_slice() };
        let mut files = Vec::new();
        let mut problems = Vec::new();
        for path in given {
            if path.is_dir() {
                let walk = host::walk(path);
                problems.extend(walk.diagnostics);
                files.extend(walk.files.iter().map(|file| path.join(&**file)));
            } else if path.exists() {
                files.push(path.clone());
            } else {
                return Err(Failure::usage(
                    format!("there is no file or folder `{}`", shown(path)),
                    "give .fly files, or folders that hold some",
                ));
            }
        }
        let results: Vec<Result<Formatted, Diagnostic>> =
            files.into_par_iter().map(|path| format_file(&path)).collect();
        let mut changed = Vec::new();
        let mut count = 0;
        for result in results {
            match result {
                Ok(file) => {
                    count += 1;
                    if file.mistakes > 0 {
                        mistakes(&file.name);
                    }
                    if *file.before != *file.after {
                        changed.push(file);
                    }
                }
                Err(diagnostic) => problems.push(diagnostic),
            }
        }
        for problem in &problems {
            let _ = writeln!(io::stderr().lock(), "{}: {}", problem.severity().as_str(), problem.message);
        }
        let outcome = self.finish(global, &changed, count)?;
        let failed = problems.iter().any(|problem| problem.severity() == Severity::Error);
        Ok(if failed { Outcome::Findings } else { outcome })
    }

    fn finish(&self, global: &Global, changed: &[Formatted], count: usize) -> Result<Outcome, Failure> {
        let mut out = String::new();
        for file in changed {
            if self.diff {
                out.push_str(&diff(&file.name, &file.before, &file.after, global.colour(&io::stdout())));
            } else {
                let _ = writeln!(out, "{}", file.name);
            }
            if !self.check && !self.diff {
                host::replace_file(&file.path, &file.after)
                    .map_err(|error| Failure::io(format!("`{}` can't be written", file.name), error))?;
            }
        }
        super::print(out.as_bytes())?;
        let dry = self.check || self.diff;
        let verb = if dry { "would change" } else { "changed" };
        let files = if count == 1 { "1 file" } else { "files" };
        let files = if count == 1 { files.to_owned() } else { format!("{count} {files}") };
        let _ = writeln!(io::stderr().lock(), "formatted {files}: {} {verb}", changed.len());
        Ok(if dry && !changed.is_empty() { Outcome::Findings } else { Outcome::Clean })
    }

    fn standard_input(&self, global: &Global) -> Result<Outcome, Failure> {
        if self.paths.len() > 1 {
            return Err(Failure::usage("`-` stands for standard input and goes alone", "run flyc twice"));
        }
        let name = self.stdin_filename.as_deref().map_or_else(|| "stdin.fly".to_owned(), shown);
        let before = match host::read_text(io::stdin().lock(), &name) {
            Ok(text) => text,
            Err(diagnostic) => {
                let _ = writeln!(io::stderr().lock(), "error: {}", diagnostic.message);
                return Ok(Outcome::Findings);
            }
        };
        let parse = syntax::parse(before.clone());
        if !parse.errors().is_empty() {
            mistakes(&name);
        }
        let after = format(&parse);
        let differs = *before != *after;
        if self.diff {
            super::print(diff(&name, &before, &after, global.colour(&io::stdout())).as_bytes())?;
        } else if self.check {
            if differs {
                super::print(format!("{name}\n").as_bytes())?;
            }
        } else {
            return super::print(after.as_bytes());
        }
        Ok(if differs { Outcome::Findings } else { Outcome::Clean })
    }
}

fn mistakes(name: &str) {
    let said = "has mistakes; what was not understood was left as it is (`flyc check` tells more)";
    let _ = writeln!(io::stderr().lock(), "{name}: {said}");
}

fn format_file(path: &Path) -> Result<Formatted, Diagnostic> {
    let name = shown(path.strip_prefix(".").unwrap_or(path));
    let before = host::read_file(Path::new(""), &shown(path)).map_err(|mut diagnostic| {
        diagnostic.span.file = name.as_str().into();
        diagnostic
    })?;
    let parse = syntax::parse(before.clone());
    let after = format(&parse);
    Ok(Formatted { name, path: path.to_path_buf(), before, after, mistakes: parse.errors().len() })
}
