//! `gosling list`: eggs, runners, plans and jobs. Into a pipe it writes names, as `ls` does.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::{
    Failure, Global,
    api::{Access, Api},
    one_thread,
    operate::{egg as known_egg, of_egg},
    print,
    status::runners_table,
    text::{Paint, Table, age, clean, headline, short},
};
use crate::wire::{EggView, JobView, Moment, PlanView, RunnerView};

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Example: for egg in $(gosling list eggs); do gosling plan \"$egg\"; done\n\n\
    On a terminal it is a table. Anywhere else it is the names alone, one a line, unless --output says otherwise."
)]
pub(super) struct List {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The eggs and buckets of the Nest
    #[command(after_help = "Example: gosling list eggs --kind job")]
    Eggs {
        #[command(flatten)]
        how: How,
        /// Only of this kind; a job of the Nest is called jobs/NAME [default: eggs and buckets]
        #[arg(long, value_enum)]
        kind: Option<Kind>,
        /// Also those that are in the Nest no longer
        #[arg(long)]
        all: bool,
    },
    /// The runners
    #[command(after_help = "Example: gosling list runners --egg web --state idle")]
    Runners(Runners),
    /// OpenTofu's plans, the last first
    #[command(after_help = "Example: gosling list plans web")]
    Plans {
        #[command(flatten)]
        how: How,
        /// Only of this egg, bucket or job [default: of all]
        #[arg(value_name = "EGG")]
        name: Option<String>,
        /// The same
        #[arg(long, value_name = "NAME", conflicts_with = "name")]
        egg: Option<String>,
    },
    /// The jobs of GitLab's that wait, run, or were over in the last day
    #[command(after_help = "Example: gosling list jobs --egg web --status pending")]
    Jobs {
        #[command(flatten)]
        how: How,
        /// Only those that runners of this egg, bucket or job serve
        #[arg(long, value_name = "NAME")]
        egg: Option<String>,
        /// Only of this status
        #[arg(long, value_enum)]
        status: Option<Status>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Runners {
    #[command(flatten)]
    how: How,
    /// Only of this egg, bucket or job
    #[arg(long, value_name = "NAME")]
    egg: Option<String>,
    /// Only in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Also those that went not long ago
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
struct How {
    #[command(flatten)]
    access: Access,
    /// Only names, one a line
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Egg,
    Bucket,
    Job,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum State {
    Provisioning,
    Idle,
    Busy,
    Nadir,
    Failed,
    PendingTermination,
    Terminated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Status {
    Created,
    Pending,
    Running,
    Succeeded,
    Failed,
    Canceled,
}

fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

impl List {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let runtime = one_thread()?;
        match self.what {
            What::Eggs { how, kind, all } => {
                let api = how.access.open()?;
                let removed: &[_] = if all { &[("removed", "true")] } else { &[] };
                let mut eggs: Vec<EggView> = runtime.block_on(api.list_where(&["eggs"], removed))?;
                eggs.retain(|egg| match kind {
                    Some(kind) => egg.kind == word(&kind),
                    None => egg.kind != "job",
                });
                how.show(global, &api, &eggs, |egg| egg.name.clone(), eggs_table)
            }
            What::Runners(runners) => runners.run(global),
            What::Plans { how, name, egg } => {
                let api = how.access.open()?;
                let plans = runtime.block_on(plans(&api, name.or(egg)))?;
                how.show(global, &api, &plans, |plan| plan.id.clone(), plans_table)
            }
            What::Jobs { how, egg, status } => {
                let status = status.as_ref().map(word);
                let api = how.access.open()?;
                let mut jobs: Vec<JobView> = runtime.block_on(async {
                    let query = [("egg", &egg), ("status", &status)];
                    let found = api.list_where(&["jobs"], &given(&query)).await?;
                    or_unknown(&api, egg.as_deref(), found).await
                })?;
                jobs.sort_by_key(|job| (job.since.0, job.server.clone(), job.number));
                how.show(global, &api, &jobs, |job| format!("{}#{}", job.server, job.number), jobs_table)
            }
        }
    }
}

impl Runners {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let state = self.state.as_ref().map(word);
        let api = self.how.access.open()?;
        let mut runners: Vec<RunnerView> = one_thread()?.block_on(async {
            let query = [("egg", &self.egg), ("state", &state)];
            let found = api.list_where(&["runners"], &given(&query)).await?;
            or_unknown(&api, self.egg.as_deref(), found).await
        })?;
        runners.retain(|runner| self.all || state.is_some() || runner.state != "terminated");
        self.how.show(global, &api, &runners, |runner| runner.id.clone(), runners_table)
    }
}

/// The parts of a query that were given.
fn given<'a>(query: &'a [(&'a str, &'a Option<String>)]) -> Vec<(&'a str, &'a str)> {
    query.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect()
}

/// What was found of an egg. Nothing is found of one that there is not, either, and that is another thing.
async fn or_unknown<T>(api: &Api, egg: Option<&str>, found: Vec<T>) -> Result<Vec<T>, Failure> {
    if let Some(name) = egg.filter(|_| found.is_empty()) {
        known_egg(api, name).await?;
    }
    Ok(found)
}

async fn plans(api: &Api, egg: Option<String>) -> Result<Vec<PlanView>, Failure> {
    let eggs = match egg {
        Some(egg) => vec![egg],
        None => {
            let all: Vec<EggView> = api.list_where(&["eggs"], &[("removed", "true")]).await?;
            all.into_iter().map(|egg| egg.name).collect()
        }
    };
    let mut plans: Vec<PlanView> = Vec::new();
    for egg in &eggs {
        let of_this = api.list::<PlanView>(&["eggs", egg, "plans"]).await;
        plans.extend(of_egg(api, egg, of_this).await?);
    }
    plans.sort_by(|a, b| b.made.0.cmp(&a.made.0).then_with(|| b.id.cmp(&a.id)));
    Ok(plans)
}

impl How {
    fn show<T: Serialize>(
        &self,
        global: &Global,
        api: &Api,
        items: &[T],
        name: impl Fn(&T) -> String,
        table: impl Fn(&[T], Moment) -> Table,
    ) -> Result<ExitCode, Failure> {
        if self.quiet || (global.output.is_none() && !io::stdout().is_terminal()) {
            let names: String = items.iter().map(|item| clean(&name(item)) + "\n").collect();
            return print(names.as_bytes());
        }
        global.show(&items, |colour| {
            if items.is_empty() {
                "There are none.\n".to_owned()
            } else {
                table(items, api.now().into()).render(colour)
            }
        })
    }
}

fn eggs_table(eggs: &[EggView], _: Moment) -> Table {
    let mut table = Table::new(&["EGG", "KIND", "TYPE", "CLOUD", "AT MOST", "TAGS", "COMMIT", "NOTE"]);
    for egg in eggs {
        let mut notes = Vec::new();
        notes.extend(egg.removed.then(|| "removed from the Nest".to_owned()));
        notes.extend(egg.paused.then(|| "paused".to_owned()));
        notes.extend(egg.unlinked.then(|| "unlinked".to_owned()));
        notes.extend(egg.rolled_back.as_ref().map(|back| format!("rolled back to {}", short(&back.commit))));
        notes.extend(egg.error.as_deref().map(|error| headline(error).to_owned()));
        let place =
            if egg.region.is_empty() { egg.cloud.clone() } else { format!("{} {}", egg.cloud, egg.region) };
        table.row([
            (egg.name.clone(), Paint::Plain),
            (egg.kind.clone(), Paint::Plain),
            (egg.runner_type.clone(), Paint::Plain),
            (place, Paint::Plain),
            (egg.concurrent.to_string(), Paint::Plain),
            (egg.tags.join(","), Paint::Plain),
            (short(&egg.commit), Paint::Dim),
            (notes.join("; "), if egg.error.is_some() { Paint::Bad } else { Paint::Plain }),
        ]);
    }
    table
}

fn plans_table(plans: &[PlanView], now: Moment) -> Table {
    let mut table = Table::new(&["PLAN", "EGG", "KIND", "STATUS", "MADE", "COMMIT", "CHANGES", "NOTE"]);
    for plan in plans {
        let paint = match plan.status.as_str() {
            "applied" => Paint::Good,
            "applying" | "pending" => Paint::Busy,
            "failed" => Paint::Bad,
            _ => Paint::Dim,
        };
        let error = plan.error.as_deref().map(headline).unwrap_or_default();
        table.row([
            (plan.id.clone(), Paint::Plain),
            (plan.egg.clone(), Paint::Plain),
            (plan.kind.clone(), Paint::Plain),
            (plan.status.clone(), paint),
            (age(plan.made, now), Paint::Plain),
            (short(&plan.commit), Paint::Dim),
            (plan.changes.len().to_string(), Paint::Plain),
            (error.to_owned(), Paint::Bad),
        ]);
    }
    table
}

fn jobs_table(jobs: &[JobView], now: Moment) -> Table {
    let mut table = Table::new(&["JOB", "NAME", "STATUS", "EGG", "RUNNER", "SINCE", "TAGS", "WHY"]);
    for job in jobs {
        let paint = match job.status.as_str() {
            "pending" | "running" => Paint::Busy,
            "succeeded" => Paint::Good,
            "failed" => Paint::Bad,
            _ => Paint::Dim,
        };
        let or = |text: &Option<String>, other: &str| text.clone().unwrap_or_else(|| other.to_owned());
        table.row([
            (format!("{}#{}", job.server, job.number), Paint::Plain),
            (job.name.clone(), Paint::Plain),
            (job.status.clone(), paint),
            (or(&job.egg, "none"), Paint::Plain),
            (or(&job.runner, "-"), Paint::Plain),
            (age(job.since, now), Paint::Plain),
            (job.tags.join(","), Paint::Plain),
            (job.reasons.first().cloned().unwrap_or_default(), Paint::Dim),
        ]);
    }
    table
}
