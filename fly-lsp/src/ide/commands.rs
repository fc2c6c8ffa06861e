//! Commands: what an editor asks for by name and shows as a text of its own.
//!
//! Nothing is written anywhere. What never lives here: deciding what is deployed or built, which the compiler does.

use std::fmt::Write as _;

use flyc::{
    artifact::{EggConfig, EggKind, Repository},
    build::{Options, Snapshot},
    compiler::{self, Compiler, UnknownDiagnostic},
    diag::{Diagnostic, Severity},
    plan::{self, Against},
    routing::{
        Answer, Job, TagsFrom,
        event::{self, Event, EventError, EventJob, Jobs, Source, Status},
    },
    text::LineIndex,
};

/// How many errors of a Nest are named.
const NAMED: usize = 3;

/// How many repositories of a bucket are tried.
const TRIED: usize = 10;

/// The project of an invented job whose egg serves a group: any would do.
const SOME_PROJECT: u64 = 1;

/// Why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such diagnostic.
    #[error("{unknown}{}", meant(.unknown))]
    UnknownDiagnostic {
        /// What was asked for.
        #[from]
        unknown: UnknownDiagnostic,
    },
    /// The file has nothing that is built.
    #[error("nothing is built of `{path}`; eggs, jobs, Rift servers and the installation are")]
    NothingToBuild {
        /// The file.
        path: String,
    },
    /// The Nest has errors.
    #[error("{what} while the Nest has errors: {}", listed(.errors))]
    Errors {
        /// What is not done because of them.
        what: &'static str,
        /// All of them, each with its place.
        errors: Vec<String>,
    },
    /// The file has no egg.
    #[error("`{path}` has no egg or bucket that could be deployed; ask about a `config.fly` in `Eggs/`")]
    NoEgg {
        /// The file.
        path: String,
    },
    /// An error leaves the egg's configuration unknown.
    #[error("an error leaves it unknown what `{name}` would deploy; mend the file first")]
    UnknownEgg {
        /// The egg.
        name: String,
    },
    /// A build can't be compared with another.
    #[error("the plan can't be made: {reason}")]
    NoPlan {
        /// Why not, which is a defect of the compiler.
        reason: String,
    },
    /// The event is none.
    #[error("{0}; give the body of a GitLab webhook, or a job as GitLab's API answers it")]
    Event(#[from] EventError),
}

fn meant(unknown: &UnknownDiagnostic) -> String {
    unknown.nearest.map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

fn listed(errors: &[String]) -> String {
    let named = errors[..errors.len().min(NAMED)].join("; ");
    match errors.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}

/// A file that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedFile {
    /// Its path within the build.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What a diagnostic means, with a wrong and a right example, in Markdown.
pub fn explain(id: &str) -> Result<String, CommandError> {
    Ok(compiler::explain(id)?.to_owned())
}

/// What is built of a file: its own files by path, then the Compute Modules that they call.
pub fn generated(compiler: &Compiler, path: &str) -> Result<Vec<GeneratedFile>, CommandError> {
    let files = compiler
        .build_file(path, &Options::default())
        .map_err(|found| errors(compiler, "nothing is built", &found))?;
    if files.is_empty() {
        return Err(CommandError::NothingToBuild { path: path.to_owned() });
    }
    Ok(files.into_iter().map(|(path, text)| GeneratedFile { path, text }).collect())
}

/// What changes for the fleet since an earlier state of the Nest, in Markdown.
pub fn plan(compiler: &Compiler, earlier: &Snapshot, against: &Against) -> Result<String, CommandError> {
    let refused = |found: &[Diagnostic]| errors(compiler, "there is no plan", found);
    let found = compiler.check();
    if found.iter().any(|found| found.severity() == Severity::Error) {
        return Err(refused(&found));
    }
    let now = compiler.snapshot(&Options::default()).map_err(|found| refused(&found))?;
    if !now.unknown.is_empty() {
        // What only building can find.
        return Err(refused(&compiler.build(&Options::default()).err().unwrap_or_default()));
    }
    let plan =
        plan::compare(earlier, &now).map_err(|error| CommandError::NoPlan { reason: error.to_string() })?;
    Ok(plan::markdown(&plan, against))
}

fn errors(compiler: &Compiler, what: &'static str, found: &[Diagnostic]) -> CommandError {
    let errors = found.iter().filter(|found| found.severity() == Severity::Error);
    CommandError::Errors { what, errors: errors.map(|error| placed(compiler, error)).collect() }
}

/// A diagnostic in a line.
fn placed(compiler: &Compiler, found: &Diagnostic) -> String {
    let text = compiler.text(&found.span.file).unwrap_or_default();
    let line = LineIndex::new(&text).line_col(found.span.range.start()).line + 1;
    format!("{}:{line}: {}", found.span.file, found.message)
}

/// What the eggs of a file would deploy for an event, which is JSON; without one for an invented job of each project that
/// they serve. In Markdown.
pub fn simulate(compiler: &Compiler, path: &str, event: Option<&str>) -> Result<String, CommandError> {
    let eggs = compiler.egg_configs().into_iter().filter(|egg| **egg.file == *path);
    let mut configs: Vec<&EggConfig> = Vec::new();
    for egg in eggs {
        let name = || egg.name.to_owned();
        configs.push(&egg.resolved.ok_or_else(|| CommandError::UnknownEgg { name: name() })?.config);
    }
    let Some(first) = configs.first().copied() else {
        return Err(CommandError::NoEgg { path: path.to_owned() });
    };
    let mut text = String::new();
    match event {
        Some(event) => {
            let event = event::parse(event)?;
            part(&mut text, "What the event would deploy", &with_event(compiler, &event, first));
        }
        None => {
            for config in configs {
                for repository in config.repositories.iter().take(TRIED) {
                    let (title, answer) = invented(compiler, config, repository);
                    part(&mut text, &title, &answer);
                }
                if let Some(more @ 1..) = config.repositories.len().checked_sub(TRIED) {
                    let _ = writeln!(text, "\n{more} more repositories of `{}` are not shown.", config.name);
                }
            }
        }
    }
    Ok(text)
}

fn part(text: &mut String, title: &str, answer: &Answer<'_>) {
    if !text.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "## {title}\n\n```text\n{}```", answer.full());
}

/// The answer to an event. Hooks tell no tags: of such jobs it is assumed that they are meant for the egg.
fn with_event<'c>(compiler: &'c Compiler, event: &Event, egg: &EggConfig) -> Answer<'c> {
    let (server, project_id) = match event {
        Event::Jobs(jobs) => (jobs.server.clone(), jobs.project_id),
        Event::Push(push) => (None, push.project_id),
        Event::MergeRequest { project_id } => (None, *project_id),
    };
    let groups: Vec<u64> = egg.repositories.iter().filter_map(|repository| repository.group_id).collect();
    let untold = matches!(event, Event::Jobs(jobs) if jobs.jobs.iter().any(|job| job.tags.is_none()));
    let mut answer = compiler.simulate(event, &|job| {
        let from = if job.tags.is_some() { TagsFrom::Event } else { TagsFrom::Option };
        let asked = Job {
            name: job.name.clone(),
            server: server.clone(),
            project_id,
            groups: groups.clone(),
            tags: job.tags.clone().unwrap_or_else(|| egg.runner.tags.clone()),
            ref_protected: egg.runner.protected,
            timeout_s: None,
        };
        (asked, from)
    });
    if untold {
        answer.notes.push(format!("the event tells no tags, so those of `{}` are assumed", egg.name));
    }
    if !groups.is_empty() {
        answer.notes.push(format!("the project is taken to be in the group that `{}` serves", egg.name));
    }
    if egg.runner.protected {
        answer.notes.push("the branch is taken to be protected".to_owned());
    }
    answer
}

/// A job that GitLab could send for a repository of an egg: with the egg's own tags.
fn invented<'c>(compiler: &'c Compiler, egg: &EggConfig, repository: &Repository) -> (String, Answer<'c>) {
    let project_id = repository.project_id.unwrap_or(SOME_PROJECT);
    let job = EventJob {
        id: 1,
        name: "build".to_owned(),
        stage: None,
        status: Status::pending(),
        tags: Some(egg.runner.tags.clone()),
    };
    let event = Event::Jobs(Jobs {
        source: Source::JobsApi,
        project_id,
        server: Some(repository.server.clone()),
        git_ref: None,
        pipeline_id: None,
        jobs: vec![job],
    });
    let mut answer = compiler.simulate(&event, &|job| {
        let asked = Job {
            name: job.name.clone(),
            server: Some(repository.server.clone()),
            project_id,
            groups: repository.group_id.into_iter().collect(),
            tags: egg.runner.tags.clone(),
            ref_protected: egg.runner.protected,
            timeout_s: None,
        };
        (asked, TagsFrom::Event)
    });
    let whose = match (repository.project_id, repository.group_id) {
        (None, Some(group)) => format!("a project of group {group}"),
        _ => format!("project {project_id}"),
    };
    let what = match egg.kind {
        EggKind::Egg => format!("`{}`", egg.name),
        EggKind::Bucket => {
            format!("`{}`, repository `{}`", egg.name, repository.name.as_deref().unwrap_or_default())
        }
    };
    let on = if egg.runner.protected { "a protected branch" } else { "any branch" };
    answer.notes.push(format!(
        "the job is invented: one of {whose} on {}, on {on}, with the tags of `{}`",
        repository.server, egg.name
    ));
    (format!("What {what} would deploy"), answer)
}
