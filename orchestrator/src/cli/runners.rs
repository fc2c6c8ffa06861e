//! `gosling runner list|drain|terminate`: the runners of the fleet, and taking some out of it.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use fly_std::formats::closest;
use serde::de::DeserializeOwned;

use super::{
    Failure, Global,
    api::{Access, Api},
    confirm::Confirm,
    list, one_thread,
    operate::{Seen, Wait},
    text::clean,
};
use crate::wire::RunnerView;

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// The runners there are; `gosling list runners` is the same
    #[command(after_help = "Example: gosling runner list --egg web --state busy\n\n\
        On a terminal it is a table. Anywhere else it is the names alone, one a line, unless --output says otherwise.")]
    List(list::Runners),
    /// Let runners finish their jobs, take no others, and go
    #[command(after_help = "Example: gosling runner drain web-3 --wait")]
    Drain(Drain),
    /// Destroy runners at once: a job that one has fails
    #[command(after_help = "Example: gosling runner terminate web-3 --yes")]
    Terminate(Terminate),
}

#[derive(Debug, Args)]
pub(super) struct Drain {
    #[command(flatten)]
    access: Access,
    /// The runners' ids, as `gosling runner list` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    wait: Wait,
}

#[derive(Debug, Args)]
pub(super) struct Terminate {
    #[command(flatten)]
    which: Drain,
    #[command(flatten)]
    confirm: Confirm,
}

impl What {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        match self {
            Self::List(list) => list.run(global),
            Self::Drain(drain) => one_thread()?.block_on(drain.run(None, global)),
            Self::Terminate(terminate) => {
                one_thread()?.block_on(terminate.which.run(Some(&terminate.confirm), global))
            }
        }
    }
}

impl Drain {
    /// `now`: at once, and whether that was agreed to.
    async fn run(self, now: Option<&Confirm>, global: &Global) -> Result<ExitCode, Failure> {
        let api = self.access.open()?;
        // All of them are there, before anything is done to the first.
        let mut runners: Vec<RunnerView> = Vec::new();
        for id in &self.ids {
            runners.push(known(&api, id).await?);
        }
        let is_gone = |runner: &RunnerView| runner.state == "terminated";
        if let Some(confirm) = now.filter(|_| !runners.iter().all(is_gone)) {
            let busy: Vec<String> = runners.iter().flat_map(|runner| runner.jobs.clone()).collect();
            let jobs = if busy.is_empty() {
                "None has a job now.".to_owned()
            } else {
                format!("These jobs fail: {}.", busy.join(", "))
            };
            confirm.ask(global, &format!("Destroy {} at once? {jobs}", self.ids.join(", ")))?;
        }
        let query: &[(&str, &str)] = if now.is_some() { &[("now", "true")] } else { &[] };
        for (id, runner) in self.ids.iter().zip(&mut runners) {
            *runner = api.delete(&["runners", id], query).await?;
        }
        if self.wait.is_wanted() {
            for (id, runner) in self.ids.iter().zip(&mut runners) {
                *runner = self.wait.until(id, async || look(&api, id).await).await?;
            }
        }
        let words = |runner: &RunnerView| {
            let told = match (runner.state.as_str(), now.is_some()) {
                ("terminated", _) => "it is gone",
                (_, true) => "it is destroyed",
                (_, false) if runner.jobs.is_empty() => "it takes no job any more, and goes",
                (_, false) => "it finishes its job, takes no other, and goes",
            };
            format!("{}: {told}\n", clean(&runner.id))
        };
        global.show(&runners, |_| runners.iter().map(words).collect())
    }
}

async fn look(api: &Api, id: &str) -> Result<Seen<RunnerView>, Failure> {
    let runner: RunnerView = api.get(&["runners", id], &[]).await?;
    Ok(match runner.state.as_str() {
        "terminated" => Seen::Done(runner),
        _ if runner.jobs.is_empty() => Seen::Goes("it has no job, and is taken down".to_owned()),
        _ => Seen::Goes(format!("it finishes {}", runner.jobs.join(", "))),
    })
}

/// A runner; where there is none, the one that was probably meant is named.
pub(super) async fn known<T: DeserializeOwned>(api: &Api, id: &str) -> Result<T, Failure> {
    let answer = api.get(&["runners", id], &[]).await;
    let Err(Failure::NotFound { .. }) = &answer else { return answer };
    let Ok(all) = api.list::<RunnerView>(&["runners"]).await else { return answer };
    let living = all.iter().filter(|runner| runner.state != "terminated");
    let help = match closest(id, living.map(|runner| runner.id.as_str())) {
        Some(near) => format!("did you mean `{}`?", clean(near)),
        None => "`gosling runner list` shows them".to_owned(),
    };
    Err(Failure::NotFound { message: format!("the runner `{}` is unknown", clean(id)), help })
}
