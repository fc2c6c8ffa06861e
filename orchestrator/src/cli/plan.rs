//! `gosling plan`: what the next deployment would do. `OpenTofu` plans it, and nothing comes of it.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use clap::Args;
use serde::Serialize;

use super::{
    Failure, Global,
    api::{Access, Api},
    interruptible, one_thread,
    operate::{all_known, of_egg},
    progress::Progress,
    text::{Paint, clean, short},
};
use crate::wire::{EggView, PlanPreview};

/// How long one plan may take.
const PATIENCE: Duration = Duration::from_secs(150);

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling plan web docs\n\n\
    OpenTofu plans on the server what the next deployment of each egg would do to bring the runners that are decided on. \
    Nothing is made, changed or kept. The token needs the scope operate.")]
pub(super) struct Plan {
    #[command(flatten)]
    access: Access,
    /// Eggs, buckets, or jobs of the Nest as jobs/NAME [default: all]
    #[arg(value_name = "EGG")]
    eggs: Vec<String>,
}

/// What is shown.
#[derive(Debug, Serialize)]
struct Plans {
    plans: Vec<PlanPreview>,
}

impl Plan {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let plans = one_thread()?.block_on(interruptible(async {
            let api = self.access.open()?.patient(PATIENCE);
            all(&api, self.eggs).await
        }))?;
        let failed = plans.plans.iter().any(|plan| plan.error.is_some());
        global.show(&plans, |colour| render(&plans.plans, colour))?;
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

async fn all(api: &Api, eggs: Vec<String>) -> Result<Plans, Failure> {
    let eggs = if eggs.is_empty() {
        api.list::<EggView>(&["eggs"]).await?.into_iter().map(|egg| egg.name).collect()
    } else {
        all_known(api, &eggs).await?;
        eggs
    };
    let progress = Progress::start("planning");
    let mut plans = Vec::new();
    for (at, name) in eggs.iter().enumerate() {
        progress.step(&format!("planning {name} ({} of {})", at + 1, eggs.len()));
        // It changes nothing, however often it is asked.
        let plan = api.send(reqwest::Method::POST, &["eggs", name, "plan"], None::<&()>).await;
        plans.push(of_egg(api, name, plan).await?);
    }
    Ok(Plans { plans })
}

/// The plans for people.
fn render(plans: &[PlanPreview], colour: bool) -> String {
    if plans.is_empty() {
        return "The Nest has no eggs.\n".to_owned();
    }
    let mut out = String::new();
    for plan in plans {
        let title = Paint::Bold.on(&clean(&plan.egg), colour);
        let _ = write!(out, "{title} at {}: ", short(&plan.commit));
        if let Some(error) = &plan.error {
            let _ = writeln!(out, "{}", Paint::Bad.on("it can't be planned", colour));
            for line in error.lines() {
                let _ = writeln!(out, "{}", format!("  {}", clean(line)).trim_end());
            }
            continue;
        }
        let count = |what: &str| plan.changes.values().filter(|change| *change == what).count();
        let counts = ["create", "update", "replace", "delete"].map(|what| (what, count(what)));
        let counts: Vec<String> = counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{count} to {what}"))
            .collect();
        let _ = writeln!(
            out,
            "{}",
            if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") }
        );
        for (resource, change) in &plan.changes {
            let (sign, paint) = match change.as_str() {
                "create" => ("+", Paint::Good),
                "update" => ("~", Paint::Busy),
                "replace" => ("±", Paint::Busy),
                "delete" => ("-", Paint::Bad),
                _ => ("?", Paint::Plain),
            };
            let _ = writeln!(out, "  {} {}", paint.on(sign, colour), clean(resource));
        }
    }
    out
}
