//! `flyc simulate`

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::{Args, ValueEnum};
use fly_std::formats;

use super::{
    Failure, Global, Outcome, ci,
    target::{Target, no_nest, shown},
};
use crate::{
    compiler::Compiler,
    diag::Severity,
    host,
    pipeline::PipelineJob,
    routing::{
        Answer, Job, TagsFrom,
        event::{self, Event, EventError, EventJob, Jobs},
    },
};

/// Show what a GitLab event would deploy: for each of its jobs the egg, and why not the others.
///
/// EVENT is what GitLab sends to a webhook (job, pipeline, push or merge request events), or a job as the API answers it.
/// Hooks carry no tags: give them with --tags, --job or --ci.
#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// The file of the event, as JSON; `-` reads standard input
    #[arg(value_name = "EVENT")]
    event: PathBuf,
    /// The folder of the Nest [default: the Nest around this folder]
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    /// The tags that every job asks for; empty for none
    #[arg(long, value_name = "TAG,…")]
    tags: Option<String>,
    /// The tags that one job asks for; may be given several times
    #[arg(long, value_name = "NAME=TAG,…")]
    job: Vec<JobTags>,
    /// Take tags and timeouts from this project's .gitlab-ci.yml
    #[arg(long, value_name = "DIR")]
    ci: Option<PathBuf>,
    /// A group that the project is in; may be given several times
    #[arg(long, value_name = "ID")]
    group: Vec<u64>,
    /// The branch or tag is protected
    #[arg(long)]
    protected: bool,
    /// The longest the jobs may take, such as 90m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<u64>,
    #[command(flatten)]
    vars: super::vars::Vars,
    /// How to show the answer
    #[arg(long, value_enum, default_value = "full", value_name = "FORMAT")]
    output_format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text, for people
    Full,
    /// One JSON object
    Json,
}

fn duration(text: &str) -> Result<u64, String> {
    match formats::duration::parse(text) {
        Ok(0) => Err("a job takes some time".to_owned()),
        Ok(seconds) => Ok(seconds),
        Err(error) => Err(error.message),
    }
}

/// The tags of one job.
#[derive(Debug, Clone)]
struct JobTags {
    name: String,
    tags: Vec<String>,
}

impl FromStr for JobTags {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The name of a job may hold `=`, a tag seldom does.
        let (name, tags) = text.rsplit_once('=').ok_or("write NAME=TAG,TAG, such as build=docker,linux")?;
        Ok(Self { name: name.to_owned(), tags: split(tags) })
    }
}

fn split(tags: &str) -> Vec<String> {
    tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

impl Simulate {
    pub(super) fn run(&self, _: &Global) -> Result<Outcome, Failure> {
        let event = self.event()?;
        let given = self.path.clone().unwrap_or_else(|| PathBuf::from("."));
        let Some(root) = Target::root_of(&given)? else {
            let told = no_nest(&given);
            let help = told.help.map(|help| help.text).unwrap_or_default();
            return Err(Failure::usage(told.message, help));
        };
        let mut loaded = host::load(&root);
        self.vars.apply([&mut loaded.compiler])?;
        let compiler = &loaded.compiler;
        let mut answer = match &event {
            Event::Jobs(jobs) => self.jobs(compiler, &event, jobs)?,
            Event::Push(_) | Event::MergeRequest { .. } => {
                compiler.simulate(&event, &|_| (Job::default(), TagsFrom::Nowhere))
            }
        };
        let errors = count_errors(compiler) + loaded.diagnostics.len();
        if errors > 0 {
            let count = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
            answer.notes.push(format!(
                "the Nest has {count}, so its eggs may be others than meant; `flyc check` shows them"
            ));
        }
        let text = match self.output_format {
            Format::Full => answer.full(),
            Format::Json => answer.json().map_err(|error| Failure::io("the answer", error.into()))?,
        };
        super::print(text.as_bytes())?;
        let outcome = if answer.served { Outcome::Clean } else { Outcome::Findings };
        drop(answer);
        // Taking a large Nest apart takes time that nobody gains from.
        std::mem::forget(loaded);
        Ok(outcome)
    }

    fn event(&self) -> Result<Event, Failure> {
        let name = shown(&self.event);
        let read = if self.event == Path::new("-") {
            host::read_text(io::stdin().lock(), "standard input")
        } else {
            let file = File::open(&self.event)
                .map_err(|error| Failure::io(format!("`{name}` can't be read"), error))?;
            host::read_text(file, &name)
        };
        let text = read.map_err(|told| {
            Failure::usage(told.message, "give the JSON of one GitLab event, as the webhook got it")
        })?;
        event::parse(&text).map_err(|error| {
            let help = match &error {
                EventError::NotJson(_) => "give the body of the webhook, and nothing else".to_owned(),
                EventError::NotAnObject(_) | EventError::NoKind => {
                    "give the body of a webhook, or one job as `GET /projects/:id/jobs/:job_id` answers it"
                        .to_owned()
                }
                EventError::UnknownKind(kind) => match formats::closest(kind, event::KINDS) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("those that do are {}", event::KINDS.join(", ")),
                },
                EventError::Shape { .. } => {
                    "GitLab's documentation of webhook events shows the whole of it".to_owned()
                }
            };
            Failure::usage(error.to_string(), help)
        })
    }

    fn jobs<'c>(&self, compiler: &'c Compiler, event: &Event, jobs: &Jobs) -> Result<Answer<'c>, Failure> {
        for given in &self.job {
            if !jobs.jobs.iter().any(|job| job.is_called(&given.name)) {
                let names: Vec<&str> = jobs.jobs.iter().map(|job| job.name.as_str()).collect();
                return Err(Failure::usage(
                    format!("this event has no job `{}`", given.name),
                    format!("it has {}", names.join(", ")),
                ));
            }
        }
        let pipeline = self.ci.as_deref().map(ci::read).transpose()?;
        let in_ci = |job: &EventJob| {
            let pipeline = pipeline.as_ref()?;
            pipeline.jobs.iter().find(|one| job.is_called(&one.name))
        };
        let mut notes = Vec::new();
        if let Some(pipeline) = &pipeline {
            let wrong = pipeline.diagnostics.iter();
            notes.extend(wrong.map(|found| format!("in the CI configuration: {}", found.message)));
            let untold = jobs.jobs.iter().filter(|job| self.tags(job, in_ci(job)).1 == TagsFrom::Nowhere);
            let untold = untold.map(|job| &job.name);
            notes.extend(
                untold.map(|name| format!("the CI configuration does not tell the tags of `{name}`")),
            );
        }
        let mut answer = compiler.simulate(event, &|job| {
            let in_ci = in_ci(job);
            let (tags, from) = self.tags(job, in_ci);
            let asked = Job {
                name: job.name.clone(),
                server: jobs.server.clone(),
                project_id: jobs.project_id,
                groups: self.group.clone(),
                tags,
                ref_protected: self.protected,
                timeout_s: self.timeout.or_else(|| in_ci.and_then(|job| job.timeout_s)),
            };
            (asked, from)
        });
        answer.notes.splice(0..0, notes);
        Ok(answer)
    }

    fn tags(&self, job: &EventJob, in_ci: Option<&PipelineJob>) -> (Vec<String>, TagsFrom) {
        if let Some(given) = self.job.iter().rev().find(|given| job.is_called(&given.name)) {
            return (given.tags.clone(), TagsFrom::Option);
        }
        if let Some(given) = &self.tags {
            return (split(given), TagsFrom::Option);
        }
        if let Some(own) = &job.tags {
            return (own.clone(), TagsFrom::Event);
        }
        match in_ci.and_then(|job| job.tags.as_ref()) {
            Some(tags) => (tags.iter().map(|tag| tag.name.clone()).collect(), TagsFrom::Ci),
            None => (Vec::new(), TagsFrom::Nowhere),
        }
    }
}

fn count_errors(compiler: &Compiler) -> usize {
    compiler.check().iter().filter(|found| found.severity() == Severity::Error).count()
}
