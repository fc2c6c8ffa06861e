//! The jobs of a `.gitlab-ci.yml` against the eggs: each is taken by one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fly_std::formats;

use super::Egg;
use crate::{
    artifact::EggKind,
    diag::{Diagnostic, Span, declare_diagnostic},
    pipeline::{Pipeline, PipelineJob, PipelineTag},
    routing::{Decision, Fleet, Job, Reason, refusals},
};

declare_diagnostic! { pub JOB_WITHOUT_RUNNER = "job-without-runner", Error, "a CI job that no egg takes" }
declare_diagnostic! { pub JOB_WITH_SEVERAL_EGGS = "job-with-several-eggs", Warning, "a CI job that several eggs take" }
declare_diagnostic! { pub UNREACHABLE_TAG = "unreachable-tag", Info, "a tag of an egg that no CI job asks for" }

/// How many eggs are told of that nearly take a job.
const MOST_EGGS: usize = 3;

/// Which project the jobs are of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The project; when it is not given, it is the one that the Nest serves, if it serves no other.
    pub project: Option<u64>,
    /// The groups it is in; empty when they are not known, and then every group may be one of them.
    pub groups: Vec<u64>,
}

/// What came of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// What was not or could not be judged, in words.
    pub notes: Vec<String>,
    /// How many jobs were judged.
    pub judged: usize,
}

/// How an egg stands to a job.
enum Standing {
    Takes,
    /// If the project is in the egg's group.
    May,
    Refuses(Vec<Reason>),
}

/// A job and what the eggs say to it.
struct Asked<'a> {
    job: &'a PipelineJob,
    tags: &'a [PipelineTag],
    standings: Vec<(&'a Egg<'a>, Standing)>,
}

impl<'a> Asked<'a> {
    fn takers(&self) -> impl Iterator<Item = &'a Egg<'a>> {
        self.standings.iter().filter(|(_, standing)| matches!(standing, Standing::Takes)).map(|(egg, _)| *egg)
    }

    fn is_served(&self) -> bool {
        self.standings.iter().any(|(_, standing)| !matches!(standing, Standing::Refuses(_)))
    }

    /// The eggs that refuse the job, the nearest first.
    fn refusals(&self) -> Vec<(&'a Egg<'a>, &[Reason])> {
        let mut all: Vec<(&Egg<'_>, &[Reason])> = self
            .standings
            .iter()
            .filter_map(|(egg, standing)| match standing {
                Standing::Refuses(reasons) => Some((*egg, reasons.as_slice())),
                Standing::Takes | Standing::May => None,
            })
            .collect();
        all.sort_by_key(|(egg, reasons)| {
            let elsewhere = reasons.iter().any(is_elsewhere);
            let missing = reasons.iter().map(|reason| match reason {
                Reason::MissingTags(tags) => tags.len(),
                _ => 1,
            });
            (elsewhere, missing.sum::<usize>(), egg.name)
        });
        all
    }
}

/// Whether the egg serves somebody else.
fn is_elsewhere(reason: &Reason) -> bool {
    matches!(reason, Reason::OtherProject { .. } | Reason::OtherServer { .. })
}

/// Compares the jobs of a project with the eggs of a Nest whose own project is on `server`.
pub fn check(eggs: &[Egg<'_>], server: &str, pipeline: &Pipeline, scope: &Scope) -> Verdict {
    let mut verdict = Verdict { diagnostics: pipeline.diagnostics.clone(), ..Verdict::default() };
    let unknown: Vec<&str> = eggs.iter().filter(|egg| egg.resolved.is_none()).map(|egg| egg.name).collect();
    if !unknown.is_empty() {
        // Whatever nobody takes may be meant for them.
        verdict.notes.push(format!("no job was judged, because of the errors in {}", named(unknown)));
        return verdict;
    }
    let known: Vec<&Egg<'_>> = eggs.iter().filter(|egg| egg.resolved.is_some()).collect();
    let fleet = Fleet::new(known.iter().filter_map(|egg| Some(&egg.resolved?.config)), Some(server));
    let project = scope.project.or_else(|| only_project(&fleet));
    let asked: Vec<Asked<'_>> = pipeline
        .jobs
        .iter()
        .filter_map(|job| {
            let tags = job.tags.as_deref()?;
            let standings = match project {
                Some(project) => of_project(&known, &fleet, job, tags, project, &scope.groups),
                None => of_any(&known, job, tags),
            };
            Some(Asked { job, tags, standings })
        })
        .collect();
    verdict.judged = asked.len();
    notes(&mut verdict.notes, pipeline, project);
    if let Some(project) = project
        && let Some(first) = asked.first()
        && asked.iter().all(|asked| {
            asked.refusals().iter().filter(|(_, reasons)| reasons.iter().any(is_elsewhere)).count()
                == known.len()
        })
    {
        verdict.diagnostics.push(no_egg(project, first.job, &known));
        return verdict;
    }
    let mut unserved: Vec<Vec<&Asked<'_>>> = Vec::new();
    let mut places: HashMap<(&Span, Option<u64>), usize> = HashMap::new();
    for asked in asked.iter().filter(|asked| !asked.is_served()) {
        // Jobs that have the same tags from one place are one mistake.
        let span = asked.job.tags_span.as_ref().unwrap_or(&asked.job.span);
        let at = *places.entry((span, asked.job.timeout_s)).or_insert_with(|| {
            unserved.push(Vec::new());
            unserved.len() - 1
        });
        unserved[at].push(asked);
    }
    verdict.diagnostics.extend(unserved.iter().filter_map(|jobs| without_runner(jobs)));
    if project.is_some() {
        verdict.diagnostics.extend(several(&asked));
        // A tag may seem unused because the job that is meant has another mistake in it, which has been told.
        let clean = unserved.is_empty() && pipeline.diagnostics.is_empty();
        let complete = clean && pipeline.whole && asked.len() == pipeline.jobs.len() && !asked.is_empty();
        if complete && let Some(project) = project {
            verdict.diagnostics.extend(unreachable(&known, &asked, project));
        }
    }
    verdict
}

/// The one project that the Nest serves.
fn only_project(fleet: &Fleet<'_>) -> Option<u64> {
    let mut served = fleet.eggs().iter().flat_map(|egg| &egg.repositories);
    let first = served.next()?.project_id?;
    served.all(|repository| repository.project_id == Some(first)).then_some(first)
}

fn notes(notes: &mut Vec<String>, pipeline: &Pipeline, project: Option<u64>) {
    if project.is_none() {
        notes.push(
            "the Nest serves several projects, and every egg was asked; `--project ID` asks those of one"
                .to_owned(),
        );
    }
    if !pipeline.elsewhere.is_empty() {
        notes
            .push(format!("what is included from elsewhere was not read: {}", pipeline.elsewhere.join(", ")));
    }
    let unknown: Vec<&str> =
        pipeline.jobs.iter().filter(|job| job.tags.is_none()).map(|job| job.name.as_str()).collect();
    if !unknown.is_empty() {
        notes.push(format!("not judged, because their tags can't be known: {}", unknown.join(", ")));
    }
}

/// The job as routing asks for it. Whether the ref is protected is not known here; where it is, the job has a runner.
fn routed(job: &PipelineJob, tags: &[PipelineTag], project_id: u64, groups: &[u64]) -> Job {
    Job {
        name: job.name.clone(),
        server: None,
        project_id,
        groups: groups.to_vec(),
        tags: tags.iter().map(|tag| tag.name.clone()).collect(),
        ref_protected: true,
        timeout_s: job.timeout_s,
    }
}

fn of_project<'a>(
    eggs: &[&'a Egg<'a>],
    fleet: &Fleet<'_>,
    job: &PipelineJob,
    tags: &[PipelineTag],
    project: u64,
    groups: &[u64],
) -> Vec<(&'a Egg<'a>, Standing)> {
    let decision: Decision<'_> = fleet.decide(&routed(job, tags, project, groups));
    eggs.iter()
        .map(|egg| {
            let standing = match decision.reasons(egg.name) {
                None => Standing::Takes,
                Some([Reason::UnknownGroup { .. }]) => Standing::May,
                Some(reasons) => Standing::Refuses(reasons.to_vec()),
            };
            (*egg, standing)
        })
        .collect()
}

fn of_any<'a>(eggs: &[&'a Egg<'a>], job: &PipelineJob, tags: &[PipelineTag]) -> Vec<(&'a Egg<'a>, Standing)> {
    let job = routed(job, tags, 0, &[]);
    let standing = |egg: &'a Egg<'a>| {
        let reasons = refusals(&egg.resolved?.config, &job);
        let standing = if reasons.is_empty() { Standing::Takes } else { Standing::Refuses(reasons) };
        Some((egg, standing))
    };
    eggs.iter().filter_map(|egg| standing(egg)).collect()
}

fn no_egg(project: u64, first: &PipelineJob, eggs: &[&Egg<'_>]) -> Diagnostic {
    let message = format!("no egg of this Nest serves project {project}");
    let diagnostic =
        Diagnostic::new(&JOB_WITHOUT_RUNNER, first.span.clone(), message, "the first of its jobs");
    let diagnostic = if eggs.is_empty() {
        diagnostic.note("the Nest has no eggs")
    } else {
        diagnostic.note(format!("other projects are served by {}", named(eggs.iter().map(|egg| egg.name))))
    };
    diagnostic
        .help(format!("add an egg with `gitlab {{ project_id = {project} }}`, or give another `--project`"))
}

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b` and 3 more ``.
fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

fn without_runner(jobs: &[&Asked<'_>]) -> Option<Diagnostic> {
    let asked = *jobs.first()?;
    let refusals = asked.refusals();
    let missing = refusals.first().and_then(|(_, reasons)| {
        reasons.iter().find_map(|reason| match reason {
            Reason::MissingTags(tags) => tags.first(),
            _ => None,
        })
    });
    let missing = missing.and_then(|missing| asked.tags.iter().find(|tag| tag.name == *missing));
    let span = match (missing, &asked.job.tags_span) {
        (Some(tag), _) => tag.span.clone(),
        (None, Some(tags)) if !asked.tags.is_empty() => tags.clone(),
        (None, _) => asked.job.span.clone(),
    };
    let label = match missing {
        Some(tag) => format!("`{}` is a tag of no runner that fits", tag.name),
        None if asked.tags.is_empty() => "has no tags".to_owned(),
        None => "nobody takes it".to_owned(),
    };
    let names = named(jobs.iter().map(|asked| asked.job.name.as_str()));
    let jobs = if jobs.len() == 1 { "job" } else { "jobs" };
    let mut diagnostic =
        Diagnostic::new(&JOB_WITHOUT_RUNNER, span, format!("no egg takes the {jobs} {names}"), label);
    for (at, (egg, reasons)) in refusals.iter().take(MOST_EGGS).enumerate() {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        let which = if at == 0 { "the nearest egg is " } else { "" };
        diagnostic = diagnostic.note(format!("{which}`{}`: {}", egg.name, reasons.join("; ")));
    }
    Some(diagnostic.help(help(asked, refusals.first().map(|(egg, _)| *egg), missing)))
}

fn help(asked: &Asked<'_>, nearest: Option<&Egg<'_>>, missing: Option<&PipelineTag>) -> String {
    let runner = nearest.and_then(|egg| Some(&egg.resolved?.config.runner));
    match (nearest, runner, missing) {
        (Some(egg), Some(runner), Some(tag)) => {
            let asks = |known: &&String| asked.tags.iter().all(|tag| tag.name != **known);
            let free = runner.tags.iter().filter(asks).map(String::as_str);
            match formats::closest(&tag.name, free) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("ask for other tags, or give `{}` the tag `{}`", egg.name, tag.name),
            }
        }
        (Some(egg), Some(runner), None) if asked.tags.is_empty() => match runner.tags.first() {
            Some(tag) => {
                format!("write `tags: [{tag}]`, or `run_untagged = true` in the runner of `{}`", egg.name)
            }
            None => format!("write `run_untagged = true` in the runner of `{}`", egg.name),
        },
        (Some(_), ..) => "change the job, or add an egg that takes it".to_owned(),
        (None, ..) => "add an egg that takes it".to_owned(),
    }
}

/// Jobs that several eggs take; one diagnostic for each set of eggs.
fn several(asked: &[Asked<'_>]) -> Vec<Diagnostic> {
    let mut sets: BTreeMap<Vec<&str>, Vec<&Asked<'_>>> = BTreeMap::new();
    for asked in asked {
        let names: Vec<&str> = asked.takers().map(|egg| egg.name).collect();
        if names.len() > 1 {
            sets.entry(names).or_default().push(asked);
        }
    }
    let of = |(eggs, jobs): (Vec<&str>, Vec<&Asked<'_>>)| {
        let (first, more) = jobs.split_first()?;
        let name = &first.job.name;
        let message = format!("the job `{name}` is taken by {}", named(eggs));
        let mut diagnostic =
            Diagnostic::new(&JOB_WITH_SEVERAL_EGGS, first.job.span.clone(), message, "which of them is open")
                .note(
                    "GitLab gives a job to the runner that asks first, so a runner of either egg may get it",
                );
        if !more.is_empty() {
            let jobs = named(more.iter().map(|asked| asked.job.name.as_str()));
            diagnostic = diagnostic.note(format!("the same holds for {jobs}"));
        }
        for egg in first.takers() {
            diagnostic = diagnostic.related(egg.span(), format!("`{}` takes it", egg.name));
        }
        Some(diagnostic.help("give one of the eggs a tag of its own, and let the job ask for that"))
    };
    sets.into_iter().filter_map(of).collect()
}

/// The tags of the project's own eggs that no job asks for.
fn unreachable(eggs: &[&Egg<'_>], asked: &[Asked<'_>], project: u64) -> Vec<Diagnostic> {
    let wanted: BTreeSet<&str> =
        asked.iter().flat_map(|asked| asked.tags).map(|tag| tag.name.as_str()).collect();
    let mut found = Vec::new();
    for egg in eggs {
        let Some(config) = egg.resolved.map(|resolved| &resolved.config) else { continue };
        let serves = config.repositories.iter().all(|repository| repository.project_id == Some(project));
        if config.kind != EggKind::Egg || !serves {
            // Other projects may ask for its tags.
            continue;
        }
        for (at, tag) in config.runner.tags.iter().enumerate() {
            if wanted.contains(tag.as_str()) {
                continue;
            }
            let span: Span = egg.tag_span(at);
            found.push(
                Diagnostic::new(
                    &UNREACHABLE_TAG,
                    span,
                    format!("no job of project {project} asks for the tag `{tag}`"),
                    "asked for by nobody",
                )
                .note(format!(
                    "`{}` serves this project alone, and its CI configuration was read whole",
                    egg.name
                ))
                .help("remove it, or ask for it in the jobs that are meant"),
            );
        }
    }
    found
}
