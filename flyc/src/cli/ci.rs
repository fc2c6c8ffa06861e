//! `--ci DIR`: the CI configuration of a project, for `flyc check` and `flyc simulate`.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    Failure,
    target::{Target, shown},
};
use crate::{
    host::ProjectFiles,
    pipeline::{self, Pipeline},
    proof::{Scope, Verdict},
    render::Sources,
    text::Source,
};

/// What the jobs of a project are compared with the eggs by.
#[derive(Debug, Args)]
pub(super) struct CiProof {
    /// Also see that an egg takes each job of this project's .gitlab-ci.yml
    #[arg(long, value_name = "DIR")]
    ci: Option<PathBuf>,
    /// The number of that project [default: the one that the Nest serves]
    #[arg(long, value_name = "ID", requires = "ci")]
    project: Option<u64>,
    /// A group that project is in; may be given several times [default: any]
    #[arg(long, value_name = "ID", requires = "ci")]
    group: Vec<u64>,
}

/// What came of the proof; nothing when none was asked for.
#[derive(Debug, Default)]
pub(super) struct Proof {
    pipeline: Pipeline,
    pub(super) verdict: Verdict,
    asked: bool,
}

impl CiProof {
    pub(super) fn prove(&self, target: &Target) -> Result<Proof, Failure> {
        let Some(given) = &self.ci else { return Ok(Proof::default()) };
        let pipeline = read(given)?;
        let Some(compiler) = target.compiler() else {
            return Err(Failure::usage(
                "`--ci` compares with the eggs of one Nest",
                "give the folder of one Nest, and run flyc once for each",
            ));
        };
        let scope = Scope { project: self.project, groups: self.group.clone() };
        let verdict = compiler.prove(&pipeline, &scope);
        Ok(Proof { pipeline, verdict, asked: true })
    }
}

/// Reads the CI configuration in a folder, or beginning in a file.
pub(super) fn read(given: &Path) -> Result<Pipeline, Failure> {
    let (root, main) = if given.is_dir() {
        (given, pipeline::MAIN)
    } else {
        let name = given.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        (given.parent().unwrap_or(Path::new("")), name)
    };
    if !root.join(main).is_file() {
        let wanted = if given.is_dir() { given.join(main) } else { given.to_owned() };
        return Err(Failure::usage(
            format!("there is no file `{}`", shown(&wanted)),
            "give the folder of a project that has a `.gitlab-ci.yml`",
        ));
    }
    Ok(pipeline::read(main, &ProjectFiles::new(root)))
}

impl Proof {
    /// The texts of the Nest and those of the CI configuration.
    pub(super) fn sources<'a>(&'a self, target: &'a Target) -> impl Sources + 'a {
        Both { target, pipeline: &self.pipeline }
    }

    /// Tells what was judged, and what was not.
    pub(super) fn tell(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.asked {
            return Ok(());
        }
        match self.verdict.judged {
            1 => writeln!(out, "judged 1 job of the CI configuration")?,
            count => writeln!(out, "judged {count} jobs of the CI configuration")?,
        }
        for note in &self.verdict.notes {
            writeln!(out, "note: {note}")?;
        }
        Ok(())
    }
}

struct Both<'a> {
    target: &'a Target,
    pipeline: &'a Pipeline,
}

impl Sources for Both<'_> {
    fn source(&self, path: &str) -> Option<Source> {
        self.pipeline.sources.get(path).cloned().or_else(|| self.target.source(path))
    }
}
