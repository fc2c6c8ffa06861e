//! `gosling agent`, hidden: the moment between `gosling runner` and its `gitlab-runner`.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;

use super::Failure;
use crate::roles::runner::agent::become_agent;

#[derive(Debug, Args)]
pub(super) struct Agent {
    /// The process that it ends with
    #[arg(long)]
    parent: u32,
    /// The program
    program: PathBuf,
    /// What it is started with
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Agent {
    /// Comes back only when it failed.
    pub(super) fn run(self) -> Failure {
        let error = become_agent(self.parent, &self.program, &self.arguments);
        Failure::Io { what: format!("{} can't be started", self.program.display()), error }
    }
}
