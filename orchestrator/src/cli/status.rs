//! `gosling status`: what runs, what waits, and what happened last.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{
    Failure, Global,
    api::{Access, Api},
    one_thread, print,
    text::{Paint, Table, age, clean, counts, length, short},
};
use crate::wire::{RunnerView, Status as View, SyncView};

/// Between two looks.
const POLL: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling status --watch")]
pub(super) struct Status {
    #[command(flatten)]
    access: Access,
    /// Show it anew every two seconds
    #[arg(long)]
    watch: bool,
    /// The form
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// The forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Output {
    /// For people
    #[default]
    Table,
    /// JSON
    Json,
}

/// What is shown.
#[derive(Debug, Serialize)]
pub(super) struct Seen {
    pub(super) status: View,
    pub(super) runners: Vec<RunnerView>,
}

impl Status {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let colour = global.colour(&io::stdout());
        if self.watch && self.output == Output::Table && !io::stdout().is_terminal() {
            return Err(Failure::usage("--watch redraws a terminal, and this is none", "use --output json"));
        }
        one_thread()?.block_on(async {
            let api = self.access.open()?;
            if !self.watch {
                let seen = look(&api).await?;
                return print(self.show(&seen, colour)?.as_bytes());
            }
            loop {
                let shown = match look(&api).await {
                    Ok(seen) => self.show(&seen, colour)?,
                    // It may be there again soon.
                    Err(failure @ Failure::Unreachable { .. }) if self.output == Output::Table => {
                        format!("{}\n", Paint::Bad.on(&failure.to_string(), colour))
                    }
                    Err(failure) => return Err(failure),
                };
                self.draw(&shown)?;
                tokio::time::sleep(POLL).await;
            }
        })
    }

    fn show(&self, seen: &Seen, colour: bool) -> Result<String, Failure> {
        match self.output {
            Output::Table => Ok(render(seen, colour)),
            Output::Json => json(seen, !self.watch),
        }
    }

    /// Nothing of the terminal is changed for good: whatever ends us ends us well.
    fn draw(&self, shown: &str) -> Result<(), Failure> {
        let text = match self.output {
            // Over what was there, so that nothing flickers.
            Output::Table => format!("\u{1b}[H{}\u{1b}[J", shown.replace('\n', "\u{1b}[K\n")),
            Output::Json => shown.to_owned(),
        };
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .map_err(|error| Failure::Io { what: "standard output".to_owned(), error })
    }
}

/// JSON, over several lines or in one.
pub(super) fn json(value: &impl Serialize, pretty: bool) -> Result<String, Failure> {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text.map(|text| text + "\n").map_err(|error| Failure::Failed { message: error.to_string(), help: None })
}

async fn look(api: &Api) -> Result<Seen, Failure> {
    Ok(Seen { status: api.get(&["status"], &[]).await?, runners: api.list(&["runners"]).await? })
}

/// All of it for people.
pub(super) fn render(seen: &Seen, colour: bool) -> String {
    let status = &seen.status;
    let mut out = String::new();
    nest(&mut out, status, colour);
    let mut section = |title: &str, table: &Table| {
        if !table.is_empty() {
            let _ = write!(out, "\n{}\n{}", Paint::Bold.on(title, colour), table.render(colour));
        }
    };
    section("Eggs", &eggs(status));
    section("Runners", &runners(seen));
    section("Waiting jobs", &waiting(status));
    section("Last changes", &changes(status));
    if status.waiting_total > status.waiting.len() as u64 {
        let _ = writeln!(out, "\n{} jobs wait in all", status.waiting_total);
    }
    let queue = status.queue;
    let _ = write!(out, "\nQueue: {} waiting, {} in work", queue.waiting, queue.working);
    if queue.dead > 0 {
        let dead = format!("{} given up (gosling queue list)", queue.dead);
        let _ = write!(out, ", {}", Paint::Bad.on(&dead, colour));
    }
    out.push('\n');
    out
}

fn nest(out: &mut String, status: &View, colour: bool) {
    let name = Paint::Bold.on(&format!("Nest {}", clean(&status.nest)), colour);
    let Some(last) = status.syncs.first() else {
        let _ = writeln!(out, "{name}: not synced yet");
        return;
    };
    let commit = |sync: &SyncView| sync.commit.as_deref().map_or_else(|| "?".to_owned(), short);
    let good = status.syncs.iter().find(|sync| sync.status == "applied");
    match good {
        Some(good) => {
            let ago = age(good.at, status.at);
            let _ = writeln!(out, "{name} at {}, synced {ago} ago", commit(good));
        }
        None => {
            let _ = writeln!(out, "{name}: never synced well");
        }
    }
    if last.status != "applied" {
        let what = match last.status.as_str() {
            "broken" => format!("{} is broken and changes nothing", commit(last)),
            other => format!("the last sync came to nothing ({})", clean(other)),
        };
        let ago = age(last.at, status.at);
        let _ = writeln!(out, "{}", Paint::Bad.on(&format!("{what}, {ago} ago:"), colour));
        for line in last.message.as_deref().unwrap_or_default().lines() {
            let _ = writeln!(out, "{}", format!("  {}", clean(line)).trim_end());
        }
    }
}

fn eggs(status: &View) -> Table {
    let mut table = Table::new(&["EGG", "RUNNERS", "WAITING", "AT MOST", "COMMIT", "NOTE"]);
    for egg in &status.eggs {
        let mut notes = Vec::new();
        if egg.removed {
            notes.push("removed from the Nest".to_owned());
        }
        if egg.paused {
            notes.push("paused".to_owned());
        }
        if let Some(rotation) = &egg.rotation {
            notes.push(super::rotate::words(rotation));
        }
        if let Some(error) = &egg.error {
            notes.push(error.lines().next().unwrap_or_default().to_owned());
        }
        if let Some(retry) = egg.retry_at {
            let left = retry.0.as_millis().saturating_sub(status.at.0.as_millis());
            notes.push(format!("next try in {}", length(left)));
        }
        let paint = if egg.error.is_some() { Paint::Bad } else { Paint::Plain };
        table.row([
            (egg.name.clone(), Paint::Plain),
            (counts(&egg.runners), Paint::Plain),
            (egg.waiting.to_string(), if egg.waiting > 0 { Paint::Busy } else { Paint::Plain }),
            (egg.concurrent.to_string(), Paint::Plain),
            (short(&egg.commit), Paint::Dim),
            (notes.join("; "), paint),
        ]);
    }
    table
}

fn runners(seen: &Seen) -> Table {
    let mut table = Table::new(&["RUNNER", "EGG", "STATE", "POOL", "SINCE", "HEARD", "JOBS", "WHY"]);
    for runner in seen.runners.iter().filter(|runner| runner.state != "terminated") {
        let paint = match runner.state.as_str() {
            "idle" => Paint::Good,
            "busy" => Paint::Busy,
            "failed" => Paint::Bad,
            "nadir" => Paint::Dim,
            _ => Paint::Plain,
        };
        let now = seen.status.at;
        let heard = runner.heartbeat.map_or_else(|| "never".to_owned(), |then| age(then, now));
        let jobs = if runner.jobs.is_empty() { "-".to_owned() } else { runner.jobs.join(" ") };
        table.row([
            (runner.id.clone(), Paint::Plain),
            (runner.egg.clone(), Paint::Plain),
            (runner.state.clone(), paint),
            (runner.pool.clone(), Paint::Plain),
            (age(runner.changed, now), Paint::Plain),
            (heard, Paint::Plain),
            (jobs, Paint::Plain),
            (runner.why.clone(), Paint::Dim),
        ]);
    }
    table
}

fn waiting(status: &View) -> Table {
    let mut table = Table::new(&["JOB", "NAME", "EGG", "WAITS", "TAGS", "WHY"]);
    for job in &status.waiting {
        table.row([
            (format!("{}#{}", job.server, job.number), Paint::Plain),
            (job.name.clone(), Paint::Plain),
            (job.egg.clone().unwrap_or_else(|| "none".to_owned()), Paint::Plain),
            (age(job.since, status.at), Paint::Plain),
            (job.tags.join(","), Paint::Plain),
            (job.reasons.first().cloned().unwrap_or_default(), Paint::Dim),
        ]);
    }
    table
}

fn changes(status: &View) -> Table {
    let mut table = Table::new(&["AGO", "WHAT", "ON", "BY"]);
    for change in &status.transitions {
        table.row([
            (age(change.at, status.at), Paint::Plain),
            (change.action.clone(), Paint::Plain),
            (format!("{} {}", change.resource_type, change.resource), Paint::Plain),
            (change.actor.clone(), Paint::Dim),
        ]);
    }
    table
}
