//! `flyc plan`

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};

use super::{
    Failure, Global, Outcome, outlet,
    target::{Target, no_nest, shown},
};
use crate::{
    build::{Options, Snapshot},
    diag::{Diagnostic, Severity},
    host::{self, HistoryError},
    plan::{self, Against},
    render::{Report, Sources, Style, render_full},
};

/// Tell which eggs and runners a change of the Nest touches.
///
/// Compares the Nest in the working folder, saved or committed or not, with the Nest at a revision of its git
/// repository. Nothing is written and nobody is asked: what becomes of runners follows from what would be built.
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// What to compare with: a branch, a tag, a hash, HEAD~1, origin/main
    #[arg(long, value_name = "REV")]
    against: String,
    /// The folder of the Nest [default: the Nest around this folder]
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// How to show the plan
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    output_format: Format,
    /// Exit with 1 when something changes
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    vars: super::vars::Vars,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Lines for people
    Text,
    /// One JSON object
    Json,
    /// A comment for a merge request
    Markdown,
}

impl Plan {
    pub(super) fn run(&self, global: &Global) -> Result<Outcome, Failure> {
        let given = self.path.clone().unwrap_or_else(|| PathBuf::from("."));
        let Some(root) = Target::root_of(&given)? else {
            let nothing = std::collections::HashMap::<String, crate::text::Source>::new();
            return refuse(global, &[no_nest(&given)], &nothing);
        };
        let past = host::read_at(&root, &self.against).map_err(|error| failure(&error))?;
        let host::Loaded { mut compiler, mut diagnostics, .. } = host::load(&root);
        self.vars.apply([&mut compiler])?;
        diagnostics.extend(compiler.check());
        if has_errors(&diagnostics) {
            return refuse(global, &diagnostics, &compiler);
        }
        let new = match compiler.snapshot(&Options::default()) {
            Ok(new) => new,
            Err(diagnostics) => return refuse(global, &diagnostics, &compiler),
        };
        if !new.unknown.is_empty() {
            // What only building can find.
            let found = compiler.build(&Options::default()).err().unwrap_or_default();
            return refuse(global, &found, &compiler);
        }
        let commit = past.commit.clone();
        let (earlier, notes) = past.restore(&self.against, self.vars.values());
        let old: Snapshot = match earlier.snapshot(&Options::default()) {
            Ok(old) => old,
            Err(diagnostics) => return refuse(global, &diagnostics, &earlier),
        };
        let against = Against { revision: self.against.clone(), commit, notes };
        let internal = |error: &dyn std::fmt::Display| {
            Failure::io("the plan can't be made", io::Error::other(error.to_string()))
        };
        let plan = plan::compare(&old, &new).map_err(|error| internal(&error))?;
        let text = match self.output_format {
            Format::Text => plan::text(&plan, &against, global.colour(&io::stdout())),
            Format::Json => plan::json(&plan, &against).map_err(|error| internal(&error))?,
            Format::Markdown => plan::markdown(&plan, &against),
        };
        super::print(text.as_bytes())?;
        let differs = !plan.changes.is_empty() || !plan.not_compared.is_empty();
        Ok(if self.exit_code && differs { Outcome::Findings } else { Outcome::Clean })
    }
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity() == Severity::Error)
}

/// Shows why there is no plan; standard output is left to plans.
fn refuse(global: &Global, diagnostics: &[Diagnostic], sources: &dyn Sources) -> Result<Outcome, Failure> {
    let stderr = io::stderr();
    let colour = global.colour(&stderr);
    let style = Style { colour, unicode: colour };
    let mut out = stderr.lock();
    let failed = |error| Failure::io("standard error", error);
    render_full(&Report { diagnostics, sources }, style, &mut out).map_err(failed)?;
    writeln!(out, "\nno plan: {}", outlet::counts(diagnostics)).map_err(failed)?;
    Ok(Outcome::Findings)
}

/// What to do about a past that can't be read.
fn failure(error: &HistoryError) -> Failure {
    const SHALLOW: &str = "the clone is shallow and may not hold it: fetch more of the history, for example with \
                           `git fetch --unshallow`, or `GIT_DEPTH: 0` in GitLab CI";
    let help = match error {
        HistoryError::NoRepository { .. } => {
            "a plan compares with an earlier state in git; make the Nest a git repository".to_owned()
        }
        HistoryError::Bare { .. } => "run flyc in a clone with a working folder".to_owned(),
        // `main~1` is no misspelt `main`.
        HistoryError::UnknownRevision { nearest: Some(nearest), revision, .. }
            if !revision.starts_with(nearest.as_str()) =>
        {
            format!("did you mean `--against {nearest}`?")
        }
        HistoryError::UnknownRevision { shallow: true, .. }
        | HistoryError::Unreadable { shallow: true, .. } => SHALLOW.to_owned(),
        HistoryError::UnknownRevision { .. } => {
            "name a branch, a tag or a commit that is fetched: `git fetch` gets what is missing".to_owned()
        }
        HistoryError::Unreadable { .. } => "`git fsck` tells what is wrong with the repository".to_owned(),
    };
    let message = match error {
        HistoryError::NoRepository { folder } => format!("`{}` is not in a git repository", shown(folder)),
        other => other.to_string(),
    };
    Failure::usage(message, help)
}
