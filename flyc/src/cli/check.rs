//! `flyc check`

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;

use super::{Failure, Global, Outcome, ci, fix, outlet, target::Target, watch};
use crate::{host, render::OutputFormat};

/// Check a Nest, or some of its files.
///
/// Files are always checked in the context of their Nest: the nearest folder above them that holds `nest.fly`,
/// Eggs, Jobs, UF or MG.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Folders of Nests, or files in one; `-` reads standard input [default: the Nest around this folder]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The name of the file that standard input stands for
    #[arg(long, value_name = "PATH")]
    stdin_filename: Option<PathBuf>,
    /// Check again whenever a file of the Nest changes, until Ctrl-C
    #[arg(long, conflicts_with = "fix")]
    watch: bool,
    #[command(flatten)]
    fixing: fix::Fixing,
    #[command(flatten)]
    vars: super::vars::Vars,
    #[command(flatten)]
    proof: ci::CiProof,
    #[command(flatten)]
    reporting: outlet::Reporting,
}

impl Check {
    pub(super) fn run(&self, global: &Global) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let mut unreadable = Vec::new();
        let stdin = self.paths.iter().any(|path| path == Path::new("-"));
        let mut target = if stdin {
            if self.paths.len() > 1 {
                return Err(Failure::usage("`-` stands for standard input and goes alone", "run flyc twice"));
            }
            let name = self.stdin_filename.as_deref();
            let shown = super::target::shown(name.unwrap_or(Path::new("stdin.fly")));
            match host::read_text(io::stdin().lock(), &shown) {
                Ok(text) => match name {
                    Some(name) => Target::of_text(name, text)?,
                    None => Target::of_text_alone(text),
                },
                Err(diagnostic) => {
                    unreadable.push(diagnostic);
                    Target::default()
                }
            }
        } else {
            Target::open(&self.paths)?
        };
        self.vars.apply(target.compilers())?;
        target.diagnostics.append(&mut unreadable);
        if self.watch {
            if stdin {
                return Err(Failure::usage("standard input can't be watched", "give the folder of a Nest"));
            }
            return watch::run(&mut target, &|target| self.tell(global, target, Instant::now(), false));
        }
        if let Some(outcome) = self.fixing.run(global, &mut target, stdin)? {
            return Ok(outcome);
        }
        let outcome = self.tell(global, &target, start, stdin && self.fixing.is_on())?;
        // Taking a large Nest apart takes time that nobody gains from.
        std::mem::forget(target);
        Ok(outcome)
    }

    /// Checks what is meant and tells what is found; to standard error when standard output holds a text.
    fn tell(
        &self,
        global: &Global,
        target: &Target,
        start: Instant,
        aside: bool,
    ) -> Result<Outcome, Failure> {
        let mut diagnostics = target.check();
        let count = target.count();
        let proof = self.proof.prove(target)?;
        diagnostics.extend_from_slice(&proof.verdict.diagnostics);
        let sources = proof.sources(target);
        let outcome = if aside {
            self.reporting.report_to(io::stderr().lock(), global, &diagnostics, &sources)?
        } else {
            self.reporting.report(global, &diagnostics, &sources)?
        };
        if self.reporting.for_people() {
            let files = if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
            let time = start.elapsed().as_millis();
            let summary = outlet::counts(&diagnostics);
            let gap = if self.reporting.output_format == OutputFormat::Full && !diagnostics.is_empty() {
                "\n"
            } else {
                ""
            };
            // Nobody may be listening; the findings have been told.
            let mut stderr = io::stderr().lock();
            let _ = writeln!(stderr, "{gap}checked {files} in {time} ms: {summary}");
            let _ = proof.tell(&mut stderr);
        }
        Ok(outcome)
    }
}
