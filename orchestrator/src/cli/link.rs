//! `gosling link` and `gosling unlink`: what is needed in GitLab, shown like a plan.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Args;

use super::{
    Failure, Global,
    api::{Access, Api},
    confirm::Confirm,
    one_thread,
    operate::{all_known, of_egg},
    output::{Output, json, yaml},
    print,
    progress::Progress,
    prompt,
    text::{Paint, clean},
};
use crate::wire::{EggView, LinkChange, LinkReport, LinkStep, LinkedThing, Status};

/// How long what may take long takes at most: much of GitLab has to be looked at.
const PATIENCE: Duration = Duration::from_mins(16);

/// How often one looks whether the Nest was read, and how long one waits between.
const SYNC_TRIES: u32 = 240;
const SYNC_PAUSE: Duration = Duration::from_millis(250);

/// So many things of a group that are as they should be are told one by one.
const TOLD: usize = 3;

#[derive(Debug, Args)]
#[command(
    about = "Make what eggs and jobs need in GitLab: runners, webhooks, schedules, deploy keys",
    long_about = "Make what eggs and jobs need in GitLab: runners, webhooks, pipeline schedules, and the deploy keys of the \
                  Nest. What is there already and as it should be is left alone, so it may be run at any time, and again \
                  after a failure.\n\nWithout names: all eggs and jobs, and the Nest itself.",
    after_help = "Example: gosling link --dry-run\n         gosling link web jobs/nightly"
)]
pub(super) struct Link {
    #[command(flatten)]
    access: Access,
    /// Eggs, buckets and jobs (jobs/NAME)
    #[arg(value_name = "EGG", conflicts_with_all = ["all", "nest"])]
    eggs: Vec<String>,
    /// All eggs and jobs, and the Nest itself: as without names
    #[arg(long, conflicts_with = "nest")]
    all: bool,
    /// Only the Nest itself: its webhook and deploy keys
    #[arg(long)]
    nest: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
#[command(
    about = "Take away what `gosling link` made in GitLab",
    long_about = "Take away what `gosling link` made in GitLab for an egg or a job, and nothing else. Nothing of it is \
                  registered there until it is linked again.",
    override_usage = "gosling unlink [OPTIONS] <EGG>...\n       gosling unlink [OPTIONS] --nest",
    after_help = "Example: gosling unlink web --yes"
)]
pub(super) struct Unlink {
    #[command(flatten)]
    access: Access,
    /// Eggs, buckets and jobs (jobs/NAME)
    #[arg(value_name = "EGG", required_unless_present = "nest")]
    eggs: Vec<String>,
    /// The Nest itself: its webhook and deploy keys
    #[arg(long)]
    nest: bool,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    confirm: Confirm,
}

/// Who is linked or unlinked: an egg or job by name, or the Nest.
type Subject = Option<String>;

impl Link {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let colour = global.colour(&io::stdout());
        one_thread()?.block_on(async {
            let api = self.access.open()?.patient(PATIENCE);
            if !self.nest {
                synced(&api).await?;
            }
            let subjects: Vec<Subject> = if self.nest {
                vec![None]
            } else if self.eggs.is_empty() {
                let eggs: Vec<EggView> = api.list(&["eggs"]).await?;
                eggs.into_iter().map(|egg| Some(egg.name)).chain([None]).collect()
            } else {
                all_known(&api, &self.eggs).await?;
                self.eggs.iter().cloned().map(Some).collect()
            };
            let output = global.output();
            let asked = Asked { verb: "link", dry_run: self.dry_run, is_preview: false, output, colour };
            asked.all(&api, &subjects).await
        })
    }
}

/// Waits until the Nest was read for the first time: before that there is nothing to link, and that is not what is meant.
async fn synced(api: &Api) -> Result<(), Failure> {
    let progress = Progress::start("the Nest is read for the first time");
    for _ in 0..SYNC_TRIES {
        let status: Status = api.get(&["status"], &[]).await?;
        if status.syncs.iter().any(|sync| sync.status == "applied") {
            return Ok(());
        }
        if !status.syncs.is_empty() {
            return Err(Failure::Failed {
                message: format!(
                    "nothing is linked: the Nest `{}` was never read without errors",
                    clean(&status.nest)
                ),
                help: Some("`gosling status` shows what is wrong with it".to_owned()),
            });
        }
        tokio::time::sleep(SYNC_PAUSE).await;
    }
    drop(progress);
    Err(Failure::Unreachable {
        message: "nothing is linked: the Nest was not read yet".to_owned(),
        help: "`gosling status` shows when it is; then try again".to_owned(),
    })
}

impl Unlink {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode, Failure> {
        let colour = global.colour(&io::stdout());
        one_thread()?.block_on(async {
            let api = self.access.open()?.patient(PATIENCE);
            all_known(&api, &self.eggs).await?;
            let mut subjects: Vec<Subject> = self.eggs.iter().cloned().map(Some).collect();
            subjects.extend(self.nest.then_some(None));
            let output = global.output();
            let asked = Asked { verb: "unlink", dry_run: self.dry_run, is_preview: false, output, colour };
            if !self.dry_run && self.confirm.asks() {
                if global.output() == Output::Table && prompt::somebody() {
                    let code =
                        Asked { dry_run: true, is_preview: true, ..asked }.all(&api, &subjects).await?;
                    if code != ExitCode::SUCCESS {
                        return Ok(code);
                    }
                }
                let names: Vec<String> = subjects.iter().map(|one| title(one.as_deref())).collect();
                self.confirm.ask(global, &format!("Take away what {} has in GitLab?", names.join(", ")))?;
            }
            asked.all(&api, &subjects).await
        })
    }
}

/// What is asked of `MotherGoose`, and how its answers are shown.
#[derive(Debug, Clone, Copy)]
struct Asked {
    verb: &'static str,
    dry_run: bool,
    /// Whether it is looked at only to ask about it.
    is_preview: bool,
    output: Output,
    colour: bool,
}

impl Asked {
    async fn all(self, api: &Api, subjects: &[Subject]) -> Result<ExitCode, Failure> {
        let mut reports: Vec<LinkReport> = Vec::new();
        let mut refused: Option<(Subject, Failure)> = None;
        for subject in subjects {
            let path = match subject {
                Some(name) => vec!["eggs", name, self.verb],
                None => vec!["nest", self.verb],
            };
            let dry_run = if self.dry_run { "true" } else { "false" };
            let mut answer = api.post_again::<LinkReport>(&path, &[("dry_run", dry_run)]).await;
            if let Some(name) = subject {
                answer = of_egg(api, name, answer).await;
            }
            match answer {
                Ok(report) => {
                    // One after another, as they are done.
                    if self.output == Output::Table {
                        print(render(&report, self.colour).as_bytes())?;
                    }
                    reports.push(report);
                }
                // What was done before is told all the same.
                Err(failure) if reports.is_empty() => return Err(failure),
                Err(failure) => {
                    refused = Some((subject.clone(), failure));
                    break;
                }
            }
        }
        match self.output {
            Output::Table => print(self.summary(&reports).as_bytes())?,
            Output::Json => print(json(&reports, true)?.as_bytes())?,
            Output::Yaml => print(yaml(&reports)?.as_bytes())?,
        };
        if let Some((subject, failure)) = refused {
            let mut stderr = io::stderr().lock();
            let _ = writeln!(stderr, "{} was not reached:", title(subject.as_deref()));
            return Err(failure);
        }
        let steps = || reports.iter().flat_map(|report| &report.steps);
        let failed = steps().filter(|step| step.change == LinkChange::Fail).count();
        if failed == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        let help = steps().find_map(|step| step.help.clone());
        let things = if failed == 1 { "1 thing".to_owned() } else { format!("{failed} things") };
        Err(Failure::Failed { message: format!("{things} could not be done"), help })
    }

    /// What was done in all.
    fn summary(self, reports: &[LinkReport]) -> String {
        let count = |change: LinkChange| {
            reports.iter().flat_map(|report| &report.steps).filter(|step| step.change == change).count()
        };
        let words = if self.dry_run {
            ["to make", "to change", "to take away"]
        } else {
            ["made", "changed", "taken away"]
        };
        let changes = [LinkChange::Make, LinkChange::Change, LinkChange::Remove];
        let mut parts: Vec<String> = changes
            .into_iter()
            .zip(words)
            .filter_map(|(change, word)| {
                let count = count(change);
                (count > 0).then(|| format!("{count} {word}"))
            })
            .collect();
        let is_nothing = parts.is_empty();
        match count(LinkChange::Keep) {
            0 => {}
            kept => parts.push(format!("{kept} as it should be")),
        }
        match count(LinkChange::Fail) {
            0 => {}
            failed => parts.push(format!("{failed} failed")),
        }
        let mut said = if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") };
        if let Some(first) = said.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let dry = if self.dry_run && !self.is_preview && !is_nothing {
            " Nothing was done: this was a dry run."
        } else {
            ""
        };
        format!("{said}.{dry}\n")
    }
}

/// Whose things these are.
fn title(owner: Option<&str>) -> String {
    owner.map_or_else(|| "the Nest".to_owned(), clean)
}

/// A report for people: a line a thing, as a plan has them.
fn render(report: &LinkReport, colour: bool) -> String {
    let mut out = Paint::Bold.on(&title(report.owner.as_deref()), colour) + "\n";
    let mut servers: Vec<&str> =
        report.steps.iter().filter_map(|step| step.place.split('/').next()).collect();
    servers.sort_unstable();
    servers.dedup();
    let is_several = servers.len() > 1;
    let mut kept: BTreeMap<(LinkedThing, &str), usize> = BTreeMap::new();
    for step in report.steps.iter().filter(|step| step.change == LinkChange::Keep) {
        if let Some(within) = &step.within {
            *kept.entry((step.thing, within)).or_default() += 1;
        }
    }
    kept.retain(|_, count| *count > TOLD);
    for step in &report.steps {
        let together = step.within.as_deref().map(|within| (step.thing, within));
        if step.change == LinkChange::Keep && together.is_some_and(|key| kept.contains_key(&key)) {
            continue;
        }
        out.push_str(&line(step, is_several, colour));
    }
    for ((thing, within), count) in kept {
        let text = format!("  = {count} {}s of {}\n", word(thing), place(within, is_several));
        out.push_str(&Paint::Dim.on(text.trim_end(), colour));
        out.push('\n');
    }
    if report.steps.is_empty() && report.notes.is_empty() {
        out.push_str("  nothing\n");
    }
    for note in &report.notes {
        out.push_str("  note: ");
        out.push_str(&clean(note));
        out.push('\n');
    }
    out
}

const fn word(thing: LinkedThing) -> &'static str {
    match thing {
        LinkedThing::Runner => "runner",
        LinkedThing::Webhook => "webhook",
        LinkedThing::Schedule => "schedule",
        LinkedThing::DeployKey => "deploy key",
    }
}

/// `project 7`; with the server where there are several.
fn place(key: &str, with_server: bool) -> String {
    let mut parts = key.rsplitn(3, '/');
    let (id, kind, server) = (parts.next(), parts.next(), parts.next());
    let kind = match kind {
        Some("projects") => "project",
        Some("groups") => "group",
        _ => return clean(key),
    };
    let text = format!("{kind} {}", id.unwrap_or_default());
    match server {
        Some(server) if with_server => clean(&format!("{text} on {server}")),
        _ => clean(&text),
    }
}

fn line(step: &LinkStep, with_server: bool, colour: bool) -> String {
    let (sign, paint) = match step.change {
        LinkChange::Make => ("+", Paint::Good),
        LinkChange::Change => ("~", Paint::Busy),
        LinkChange::Remove => ("-", Paint::Bad),
        LinkChange::Keep => ("=", Paint::Dim),
        LinkChange::Fail => ("!", Paint::Bad),
    };
    let mut text = format!("{sign} {}", word(step.thing));
    if let Some(name) = &step.name {
        text = format!("{text} {name}");
    }
    if let Some(id) = step.id.filter(|_| step.name.is_none()) {
        text = format!("{text} {id}");
    }
    text = format!("{text} of {}", place(&step.place, with_server));
    if let Some(note) = &step.note {
        text = if step.change == LinkChange::Fail {
            format!("{text}: {note}")
        } else {
            format!("{text} ({note})")
        };
    }
    format!("  {}\n", paint.on(&clean(&text), colour))
}
