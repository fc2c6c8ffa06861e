//! `flyc check --fix`

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use clap::Args;

use super::{
    Failure, Global, Outcome,
    diff::diff,
    target::{FixedNest, Target, shown},
};
use crate::{diag::Applicability, host};

/// What is to be fixed.
#[derive(Debug, Args)]
pub(super) struct Fixing {
    /// Carry out the help of findings where nothing else can be meant, then report what remains
    #[arg(long)]
    fix: bool,
    /// With --fix: carry out what is only probably meant as well, such as the nearest name
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,
    /// With --fix: change nothing; show what would change, and exit with 1 if anything would
    #[arg(long, requires = "fix")]
    diff: bool,
}

impl Fixing {
    /// Whether anything is to be fixed.
    pub(super) const fn is_on(&self) -> bool {
        self.fix
    }

    /// Fixes what is meant. With an outcome, there is nothing left to report.
    pub(super) fn run(
        &self,
        global: &Global,
        target: &mut Target,
        stdin: bool,
    ) -> Result<Option<Outcome>, Failure> {
        if !self.fix {
            return Ok(None);
        }
        let count = target.check().len();
        let least = if self.unsafe_fixes { Applicability::Suggested } else { Applicability::Safe };
        let nests = target.fix(least);
        let changed: usize = nests.iter().map(|nest| nest.fixed.files.len()).sum();
        if self.diff {
            let mut out = String::new();
            for nest in &nests {
                for file in &nest.fixed.files {
                    let name = format!("{}{}", nest.prefix, file.path);
                    out.push_str(&diff(&name, &file.before, &file.after, global.colour(&io::stdout())));
                }
            }
            super::print(out.as_bytes())?;
        } else if stdin {
            super::print(target.only_text().unwrap_or_default().as_bytes())?;
        } else {
            write(&nests)?;
        }
        let fixed: usize = nests.iter().map(|nest| nest.fixed.findings).sum();
        let verb = if self.diff { "would fix" } else { "fixed" };
        let files = if changed == 1 { "1 file".to_owned() } else { format!("{changed} files") };
        let findings = if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
        let mut told =
            if count == 0 { "nothing to fix".to_owned() } else { format!("{verb} {fixed} of {findings}") };
        if changed > 0 {
            told.push_str(" in ");
            told.push_str(&files);
        }
        if !self.unsafe_fixes {
            let more = target
                .check()
                .iter()
                .filter(|found| found.help.as_ref().is_some_and(|help| !help.edits.is_empty()))
                .count();
            if more > 0 {
                let _ = write!(told, "; {more} more can be tried with --unsafe-fixes");
            }
        }
        // Nobody may be listening; what was fixed is fixed.
        let _ = writeln!(io::stderr().lock(), "{told}");
        let remains = || {
            let worst = target.check().iter().map(crate::diag::Diagnostic::severity).max();
            worst == Some(crate::diag::Severity::Error)
        };
        Ok(self.diff.then(|| if changed > 0 || remains() { Outcome::Findings } else { Outcome::Clean }))
    }
}

/// Writes the files that differ, each whole or not at all. One that somebody has changed since it was read stays theirs.
fn write(nests: &[FixedNest]) -> Result<(), Failure> {
    for nest in nests {
        let Some(root) = &nest.root else { continue };
        for file in &nest.fixed.files {
            let path = root.join(&*file.path);
            let name = format!("{}{}", nest.prefix, file.path);
            let now = host::read_file(root, &file.path).ok();
            if now.as_deref() != Some(&*file.before) {
                return Err(Failure::usage(
                    format!("`{name}` has changed while it was being fixed"),
                    "run flyc again",
                ));
            }
            host::replace_file(&path, &file.after).map_err(|error| {
                Failure::io(format!("`{}` can't be written", shown(name.as_ref())), error)
            })?;
        }
    }
    Ok(())
}
