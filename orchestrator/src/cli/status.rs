//! `gosling status`: what runs, what waits, and what happened last.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

pub(super) use super::output::{Output, json};
use super::{
    Failure, Global,
    api::{Access, Api},
    interruptible, one_thread,
    operate::of_egg,
    output::yaml,
    print,
    screen::Screen,
    text::{Paint, Table, age, clean, counts, length, short},
};
use crate::{
    domain::Time,
    logging::mask_values,
    wire::{EggStatus, Moment, QueueCounts, RunnerView, Status as View, SyncView},
};

/// Between two looks.
const POLL: Duration = Duration::from_secs(2);

/// As a shell has it for what SIGTERM ended.
const TERMINATED: u8 = 143;

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling status --watch")]
pub(super) struct Status {
    #[command(flatten)]
    access: Access,
    /// Only what is of this egg, bucket or job [default: everything]
    #[arg(value_name = "EGG")]
    name: Option<String>,
    /// The same
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    egg: Option<String>,
    /// Show it anew when something changes, until Ctrl-C; on a terminal, every two seconds
    #[arg(long)]
    watch: bool,
}

/// What is shown.
#[derive(Debug, Serialize)]
pub(super) struct Seen {
    pub(super) status: View,
    pub(super) runners: Vec<RunnerView>,
}

impl Status {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let output = global.output();
        one_thread()?.block_on(async {
            let api = self.access.open()?;
            let egg = self.name.as_deref().or(self.egg.as_deref());
            if self.watch {
                // It looks again all the time, and says when nobody answers.
                let api = api.at_once();
                return interruptible(watch(&api, egg, output, global.colour(&io::stdout()))).await;
            }
            let seen = look(&api, egg).await?;
            global.show(&seen, |colour| render(&seen, colour))
        })
    }
}

/// Shows it anew until somebody ends it: on a terminal's other screen, so that what was there is there again afterwards;
/// elsewhere all of it is printed when something has changed.
async fn watch(api: &Api, egg: Option<&str>, output: Output, colour: bool) -> Result<ExitCode, Failure> {
    let draws = output == Output::Table && io::stdout().is_terminal();
    let screen = if draws { Some(Screen::enter()?) } else { None };
    let io = |error| Failure::Io { what: "a signal can't be waited for".to_owned(), error };
    let mut resized = signal(SignalKind::window_change()).map_err(io)?;
    let mut terminated = signal(SignalKind::terminate()).map_err(io)?;
    let (mut last, mut is_away) = (None, false);
    loop {
        let seen = tokio::select! {
            seen = look(api, egg) => seen,
            _ = terminated.recv() => return Ok(ExitCode::from(TERMINATED)),
        };
        let (shown, what) = match seen {
            Ok(seen) => {
                is_away = false;
                let shown = match output {
                    Output::Table => render(&seen, colour),
                    Output::Json => json(&seen, false)?,
                    Output::Yaml => format!("---\n{}", yaml(&seen)?),
                };
                (Some(shown), essence(&seen))
            }
            // It may be there again soon.
            Err(failure @ Failure::Unreachable { .. }) => {
                let failure = format!("{failure}; still trying");
                if output == Output::Table {
                    (Some(format!("{}\n", Paint::Bad.on(&failure, colour))), failure.into())
                } else {
                    // Programs read on where it goes on.
                    if !std::mem::replace(&mut is_away, true) {
                        eprintln!("{}", mask_values(&failure));
                    }
                    (None, serde_json::Value::Null)
                }
            }
            Err(failure) => return Err(failure),
        };
        if let Some(shown) = &shown
            && screen.is_none()
            && last.as_ref() != Some(&what)
        {
            let gap = if output == Output::Table && last.is_some() { "\n---\n" } else { "" };
            print(format!("{gap}{shown}").as_bytes())?;
            last = Some(what);
        }
        let pause = tokio::time::sleep(POLL);
        tokio::pin!(pause);
        loop {
            if let (Some(screen), Some(shown)) = (&screen, &shown) {
                screen.draw(shown)?;
            }
            tokio::select! {
                () = &mut pause => break,
                _ = resized.recv() => {}
                _ = terminated.recv() => return Ok(ExitCode::from(TERMINATED)),
            }
        }
    }
}

/// What is seen, without what changes all the time though nothing happens.
fn essence(seen: &Seen) -> serde_json::Value {
    let mut status = seen.status.clone();
    status.at = Moment(Time::from_millis(0));
    status.queue = QueueCounts { waiting: 0, working: 0, dead: status.queue.dead };
    let quiet = |runner: &RunnerView| RunnerView {
        heartbeat: runner.heartbeat.map(|_| status.at),
        cpu_usage: None,
        memory_usage: None,
        disk_usage: None,
        ..runner.clone()
    };
    let runners: Vec<RunnerView> = seen.runners.iter().map(quiet).collect();
    serde_json::json!({ "status": status, "runners": runners })
}

async fn look(api: &Api, egg: Option<&str>) -> Result<Seen, Failure> {
    let Some(name) = egg else {
        return Ok(Seen { status: api.get(&["status"], &[]).await?, runners: api.list(&["runners"]).await? });
    };
    // Whether there is such an egg is seen here.
    let found: EggStatus = of_egg(api, name, api.get(&["eggs", name, "status"], &[]).await).await?;
    let mut status: View = api.get(&["status"], &[]).await?;
    let runners: Vec<RunnerView> = api.list_where(&["runners"], &[("egg", name)]).await?;
    status.eggs.retain(|egg| egg.name == name);
    status.waiting = found.waiting;
    status.waiting_total = found.waiting_total;
    status.transitions.retain(|change| {
        let is_told = change.details.get("egg").and_then(|egg| egg.as_str()) == Some(name);
        let is_runner = change.resource_type == "runner";
        is_told
            || (change.resource_type == "egg" && change.resource == name)
            || (is_runner && runners.iter().any(|runner| runner.id == change.resource))
    });
    Ok(Seen { status, runners })
}

/// All of it for people.
pub(super) fn render(seen: &Seen, colour: bool) -> String {
    let status = &seen.status;
    let mut out = String::new();
    nest(&mut out, status, colour);
    let section = |out: &mut String, title: &str, table: &Table| {
        if !table.is_empty() {
            let _ = write!(out, "\n{}\n{}", Paint::Bold.on(title, colour), table.render(colour));
        }
    };
    section(&mut out, "Eggs", &eggs(status));
    section(&mut out, "Failed deployments", &failures(status));
    section(&mut out, "Runners", &runners(seen));
    section(&mut out, "Waiting jobs", &waiting(status));
    if status.waiting_total > status.waiting.len() as u64 {
        let _ = writeln!(out, "{} jobs wait in all", status.waiting_total);
    }
    section(&mut out, "Last changes", &changes(status));
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
        if egg.unlinked {
            notes.push("unlinked: no runner is made until `gosling link`".to_owned());
        }
        if let Some(back) = &egg.rolled_back {
            notes.push(format!("rolled back to {}", short(&back.commit)));
        }
        if let Some(rotation) = &egg.rotation {
            notes.push(super::rotate::words(rotation));
        }
        if let Some(error) = &egg.error {
            notes.push(if error.contains('\n') { "the deployment failed".to_owned() } else { error.clone() });
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

/// What went wrong, where it takes more than a line: at which line of the Nest.
fn failures(status: &View) -> Table {
    let mut table = Table::new(&["EGG", "WHY"]);
    for egg in &status.eggs {
        for (at, line) in
            egg.error.iter().filter(|error| error.contains('\n')).flat_map(|error| error.lines()).enumerate()
        {
            let name = if at == 0 { egg.name.as_str() } else { "" };
            table.row([(name.to_owned(), Paint::Plain), (line.to_owned(), Paint::Bad)]);
        }
    }
    table
}

fn runners(seen: &Seen) -> Table {
    let there: Vec<RunnerView> =
        seen.runners.iter().filter(|runner| runner.state != "terminated").cloned().collect();
    runners_table(&there, seen.status.at)
}

/// Runners, and how they are.
pub(super) fn runners_table(runners: &[RunnerView], now: Moment) -> Table {
    let mut table = Table::new(&["RUNNER", "EGG", "STATE", "POOL", "SINCE", "HEARD", "JOBS", "WHY"]);
    for runner in runners {
        let paint = match runner.state.as_str() {
            "idle" => Paint::Good,
            "busy" => Paint::Busy,
            "failed" => Paint::Bad,
            "nadir" => Paint::Dim,
            _ => Paint::Plain,
        };
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
