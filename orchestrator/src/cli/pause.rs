//! `gosling pause` and `gosling resume`: eggs of which no runner is made or woken for a while.

use std::process::ExitCode;

use clap::Args;

use super::{
    Failure, Global,
    api::Access,
    one_thread,
    operate::{all_known, of_egg},
    text::clean,
};
use crate::wire::EggView;

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling pause web\n\n\
    What runs is let finish, and jobs wait; `gosling resume web` lets it go on.")]
pub(super) struct Pause {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling resume web")]
pub(super) struct Resume {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
struct Which {
    #[command(flatten)]
    access: Access,
    /// The eggs; a job of the Nest's own is jobs/NAME
    #[arg(value_name = "EGG", required = true)]
    eggs: Vec<String>,
}

impl Pause {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        self.which.carry_out(global, "pause", |name| {
            format!("{name}: paused; no runner is made or woken until `gosling resume {name}`\n")
        })
    }
}

impl Resume {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        self.which.carry_out(global, "resume", |name| format!("{name}: goes on\n"))
    }
}

impl Which {
    fn carry_out(
        &self,
        global: &Global,
        verb: &str,
        told: impl Fn(&str) -> String,
    ) -> Result<ExitCode, Failure> {
        one_thread()?.block_on(async {
            let api = self.access.open()?;
            all_known(&api, &self.eggs).await?;
            let mut done: Vec<EggView> = Vec::new();
            for name in &self.eggs {
                let answer = api.post(&["eggs", name, verb]).await;
                done.push(of_egg(&api, name, answer).await?);
            }
            let line = |egg: &EggView| told(&clean(&egg.name));
            global.show(&done, |_| done.iter().map(line).collect::<Vec<_>>().concat())
        })
    }
}
