//! `gosling why job N`: which runner takes a job, or why none does.

use std::{fmt::Write as _, process::ExitCode};

use clap::{Args, Subcommand};

use super::{
    Failure, Global,
    api::Access,
    one_thread,
    text::{Paint, clean},
};
use crate::wire::WhyJob;

#[derive(Debug, Args)]
#[command(arg_required_else_help = true, after_help = "Example: gosling why job 4711")]
pub(super) struct Why {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Why a job of GitLab's waits, or which runner has it
    #[command(after_help = "Example: gosling why job 4711 --server gitlab.example.com")]
    Job {
        #[command(flatten)]
        access: Access,
        /// The number that GitLab gave it
        #[arg(value_parser = number)]
        number: u64,
        /// The host of the GitLab server, when several have a job of this number
        #[arg(long, value_name = "HOST")]
        server: Option<String>,
    },
}

impl Why {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let What::Job { access, number, server } = self.what;
        let why: Result<WhyJob, Failure> = one_thread()?.block_on(async {
            let query: Vec<_> = server.iter().map(|server| ("server", server.as_str())).collect();
            access.open()?.get(&["why", "job", &number.to_string()], &query).await
        });
        let why = why.map_err(|failure| failure.or_look("`gosling list jobs` shows those that are known"))?;
        global.show(&why, |colour| render(&why, colour))
    }
}

fn number(text: &str) -> Result<u64, String> {
    let shown = || "the number is wanted that GitLab shows with the job, such as 4711".to_owned();
    text.trim_start_matches('#').parse().map_err(|_| shown())
}

/// It for people.
pub(super) fn render(why: &WhyJob, colour: bool) -> String {
    let job = &why.job;
    let mut out = String::new();
    let title = format!("{}#{} {}", clean(&job.server), job.number, clean(&job.name));
    let _ = writeln!(out, "{}: {}", Paint::Bold.on(&title, colour), clean(&job.status));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "  {name:<8}{}", clean(value));
    };
    let protected = if job.ref_protected { " (protected)" } else { "" };
    line("ref", &format!("{}{protected}", job.git_ref));
    line("tags", &if job.tags.is_empty() { "none".to_owned() } else { job.tags.join(", ") });
    line("egg", job.egg.as_deref().unwrap_or("none serves it"));
    if let Some(runner) = &job.runner {
        let state = why.runner.as_ref().map(|runner| format!(", {}", runner.state)).unwrap_or_default();
        line("runner", &format!("{runner}{state}"));
    }
    if why.paused {
        let egg = job.egg.as_deref().unwrap_or("EGG");
        line("paused", &format!("an operator has stopped the egg; `gosling resume {egg}` lets it go on"));
    }
    for reason in &job.reasons {
        line("because", reason);
    }
    if let Some(error) = &why.error {
        let mut lines = error.lines();
        line("error", lines.next().unwrap_or_default());
        for rest in lines {
            line("", rest);
        }
    }
    out
}
