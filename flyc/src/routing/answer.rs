//! What an event would deploy, as text and as JSON, for `flyc simulate` and for editors. What never lives here: deciding
//! anything.

use std::fmt::Write;

use fly_std::formats::size;
use serde::Serialize;

use super::{
    Candidate, Decision, Job, Note, Via,
    event::{EventJob, Jobs, Push, Source},
};
use crate::artifact::{EggKind, Resources, RunnerType};

/// How many eggs of other projects are named; `--output-format json` names all.
const MOST_ELSEWHERE: usize = 5;

/// The answer to an event.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    kind: &'static str,
    project_id: u64,
    server: Option<String>,
    git_ref: Option<String>,
    pipeline_id: Option<u64>,
    jobs: Vec<AnswerJob<'a>>,
    /// The eggs whose configuration an error leaves unknown.
    pub unresolved: Vec<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
    /// Whether every job is served.
    pub served: bool,
}

/// What becomes of one job.
#[derive(Debug, Clone)]
pub struct AnswerJob<'a> {
    /// The job as the event tells it.
    pub event: EventJob,
    /// The job as the eggs were asked about it.
    pub asked: Job,
    /// Where its tags were told.
    pub from: TagsFrom,
    /// What they answered.
    pub decision: Decision<'a>,
}

/// Where the tags of a job were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TagsFrom {
    /// By whoever asks.
    Option,
    /// In the event.
    Event,
    /// In the CI configuration.
    Ci,
    /// Nowhere: none are known.
    Nowhere,
}

impl<'a> Answer<'a> {
    fn new(kind: &'static str, project_id: u64) -> Self {
        Self {
            kind,
            project_id,
            server: None,
            git_ref: None,
            pipeline_id: None,
            jobs: Vec::new(),
            unresolved: Vec::new(),
            notes: Vec::new(),
            served: true,
        }
    }

    /// The answer to jobs, before any of them is added.
    pub fn of_jobs(jobs: &Jobs) -> Self {
        let kind = match jobs.source {
            Source::JobHook => "build",
            Source::PipelineHook => "pipeline",
            Source::JobsApi => "job",
        };
        Self {
            server: jobs.server.clone(),
            git_ref: jobs.git_ref.clone(),
            pipeline_id: jobs.pipeline_id,
            ..Self::new(kind, jobs.project_id)
        }
    }

    /// `own` tells whether the push is one to the Nest's branch, when the Nest tells where it is kept.
    pub fn of_push(push: &Push, own: Option<bool>) -> Self {
        let mut answer = Self { git_ref: Some(push.git_ref.clone()), ..Self::new("push", push.project_id) };
        answer.notes.push("a push deploys nothing by itself; the jobs of its pipeline do".to_owned());
        answer.notes.push(
            match own {
                Some(true) => "this is a push to the Nest's own branch: the orchestrator reads the Nest anew",
                Some(false) => "this is no push to the Nest's own branch, so the Nest stays as it is",
                None => {
                    "a push to the Nest's own project makes the orchestrator read it anew; which project that is stands in \
                     `nest { gitlab { project_id = … } }`, and this Nest doesn't tell"
                }
            }
            .to_owned(),
        );
        answer
    }

    /// The answer to a change of a merge request.
    pub fn of_merge_request(project_id: u64) -> Self {
        let mut answer = Self::new("merge_request", project_id);
        answer
            .notes
            .push("a merge request deploys nothing by itself; the jobs of its pipeline do".to_owned());
        answer
    }

    /// Adds what becomes of a job.
    pub fn add(&mut self, job: AnswerJob<'a>) {
        self.served &= job.decision.chosen().is_some();
        self.jobs.push(job);
    }

    /// The answer for people.
    pub fn full(&self) -> String {
        let mut text = String::new();
        let common = self.common_notes();
        for (at, job) in self.jobs.iter().enumerate() {
            if at > 0 {
                text.push('\n');
            }
            job.full(&common, &mut text);
        }
        let quiet = self.unresolved.is_empty() && self.notes.is_empty() && common.is_empty();
        if !self.jobs.is_empty() && !quiet {
            text.push('\n');
        }
        for note in common {
            let _ = writeln!(text, "note: {note}");
        }
        for egg in &self.unresolved {
            let _ = writeln!(text, "note: `{egg}` was not asked: an error leaves its configuration unknown");
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        if !self.jobs.is_empty() {
            let served = self.jobs.iter().filter(|job| job.decision.chosen().is_some()).count();
            let all = self.jobs.len();
            let jobs = if all == 1 { "job" } else { "jobs" };
            let _ = writeln!(text, "\n{served} of {all} {jobs} of project {} served", self.project_id);
        }
        text
    }

    /// What is to be said of every job alike; of a single job it is said there.
    fn common_notes(&self) -> Vec<&Note> {
        match self.jobs.as_slice() {
            [first, rest @ ..] if !rest.is_empty() => {
                let everywhere = |note: &&Note| rest.iter().all(|job| job.decision.notes.contains(note));
                first.decision.notes.iter().filter(everywhere).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The answer as JSON, as `docs/src/testing.md` fixes it.
    pub fn json(&self) -> serde_json::Result<String> {
        let json = Json {
            event: JsonEvent {
                kind: self.kind,
                project_id: self.project_id,
                server: self.server.as_deref(),
                git_ref: self.git_ref.as_deref(),
                pipeline_id: self.pipeline_id,
            },
            jobs: self.jobs.iter().map(AnswerJob::json).collect(),
            unresolved: &self.unresolved,
            notes: &self.notes,
            served: self.served,
        };
        Ok(serde_json::to_string_pretty(&json)? + "\n")
    }
}

/// `` `a` and `b` ``
fn quoted(tags: &[String]) -> String {
    let tags: Vec<String> = tags.iter().map(|tag| format!("`{tag}`")).collect();
    fly_std::words::list(&tags, "and").unwrap_or_default()
}

const fn word(runner_type: RunnerType) -> &'static str {
    match runner_type {
        RunnerType::Vm => "vm",
        RunnerType::Serverless => "serverless",
    }
}

fn machine(resources: &Resources) -> String {
    let cpus = if resources.cpu == 1 { "1 CPU".to_owned() } else { format!("{} CPUs", resources.cpu) };
    let memory = size::print(resources.memory_mib << 20);
    let disk = size::print(resources.disk_gib << 30);
    format!("{cpus}, {memory} of memory, {disk} of disk")
}

impl AnswerJob<'_> {
    /// The job for people, without the notes that are told elsewhere.
    fn full(&self, told: &[&Note], text: &mut String) {
        let EventJob { id, name, stage, status, .. } = &self.event;
        let stage = stage.as_ref().map(|stage| format!(", stage {stage}")).unwrap_or_default();
        let _ = writeln!(text, "job {name} (#{id}{stage}): {}, {}", status.as_str(), status.meaning());
        let mut line = |what: &str, value: &str| {
            let _ = writeln!(text, "  {what:<9} {value}");
        };
        let mut asks = if self.asked.tags.is_empty() {
            "no tags".to_owned()
        } else {
            format!("the tags {}", quoted(&self.asked.tags))
        };
        if self.from == TagsFrom::Nowhere {
            asks.push_str(", as far as is known; --tags, --job or --ci tells them");
        }
        line("asks for", &asks);
        match self.decision.chosen() {
            Some(chosen) => {
                let egg = chosen.egg;
                let what = match egg.kind {
                    EggKind::Egg => "egg",
                    EggKind::Bucket => "bucket",
                };
                let repository = chosen.repository.name.as_ref();
                let name = match repository {
                    Some(repository) => format!("{}, repository {repository}", egg.name),
                    None => egg.name.clone(),
                };
                line(what, &name);
                let zone = [&egg.cloud.region, &egg.cloud.zone].into_iter().find(|name| !name.is_empty());
                let place = match zone {
                    Some(zone) => format!("{} {zone}", egg.cloud.provider.name()),
                    None => egg.cloud.provider.name().to_owned(),
                };
                let runner = format!("{} on {place}: {}", word(egg.runner_type), machine(&egg.resources));
                line("runner", &runner);
                line("why", &chosen.why(&self.asked));
            }
            None => line("egg", "none takes it"),
        }
        for note in self.decision.notes.iter().filter(|note| !told.contains(note)) {
            line("note", &note.to_string());
        }
        for other in self.decision.candidates.iter().skip(1) {
            let before =
                self.decision.chosen().map(|chosen| chosen.before(other, &self.asked)).unwrap_or_default();
            line("also", &format!("{}: takes such jobs too, but {before}", other.egg.name));
        }
        // Eggs of other projects have nothing to do with the job; in a large Nest they are nearly all.
        let (elsewhere, near): (Vec<_>, Vec<_>) = self.decision.rejected.iter().partition(|rejected| {
            rejected.reasons.iter().any(|reason| matches!(reason.id(), "other-project" | "other-server"))
        });
        let named = elsewhere.len().min(MOST_ELSEWHERE);
        for rejected in near.iter().chain(&elsewhere[..named]) {
            let reasons: Vec<String> = rejected.reasons.iter().map(ToString::to_string).collect();
            line("not", &format!("{}: {}", rejected.egg.name, reasons.join("; ")));
        }
        match elsewhere.len() - named {
            0 => {}
            1 => line("not", "1 more egg, which serves other projects"),
            more => line("not", &format!("{more} more eggs, which serve other projects")),
        }
    }

    fn json(&self) -> JsonJob<'_> {
        JsonJob {
            id: self.event.id,
            name: &self.event.name,
            stage: self.event.stage.as_deref(),
            status: self.event.status.as_str(),
            needs_runner: self.event.status.needs_runner(),
            tags: &self.asked.tags,
            tags_from: self.from,
            protected: self.asked.ref_protected,
            timeout_s: self.asked.timeout_s,
            chosen: self.decision.chosen().map(json_candidate),
            candidates: self.decision.candidates.iter().map(|one| one.egg.name.as_str()).collect(),
            rejected: self
                .decision
                .rejected
                .iter()
                .map(|rejected| JsonRejected {
                    egg: &rejected.egg.name,
                    repository: rejected.repository.and_then(|repository| repository.name.as_deref()),
                    reasons: rejected
                        .reasons
                        .iter()
                        .map(|reason| JsonSaid { id: reason.id(), text: reason.to_string() })
                        .collect(),
                })
                .collect(),
            notes: self
                .decision
                .notes
                .iter()
                .map(|note| JsonSaid { id: note.id(), text: note.to_string() })
                .collect(),
        }
    }
}

fn json_candidate<'a>(chosen: &Candidate<'a>) -> JsonChosen<'a> {
    let egg = chosen.egg;
    JsonChosen {
        egg: &egg.name,
        kind: egg.kind,
        repository: chosen.repository.name.as_deref(),
        via: match chosen.via {
            Via::Project(_) => "project",
            Via::Group(_) => "group",
        },
        runner_type: egg.runner_type,
        cloud: egg.cloud.provider.name(),
        region: &egg.cloud.region,
        zone: &egg.cloud.zone,
        resources: egg.resources,
    }
}

#[derive(Serialize)]
struct Json<'a> {
    event: JsonEvent<'a>,
    jobs: Vec<JsonJob<'a>>,
    unresolved: &'a [String],
    notes: &'a [String],
    served: bool,
}

#[derive(Serialize)]
struct JsonEvent<'a> {
    kind: &'static str,
    project_id: u64,
    server: Option<&'a str>,
    #[serde(rename = "ref")]
    git_ref: Option<&'a str>,
    pipeline_id: Option<u64>,
}

#[derive(Serialize)]
struct JsonJob<'a> {
    id: u64,
    name: &'a str,
    stage: Option<&'a str>,
    status: &'a str,
    needs_runner: bool,
    tags: &'a [String],
    tags_from: TagsFrom,
    protected: bool,
    timeout_s: Option<u64>,
    chosen: Option<JsonChosen<'a>>,
    candidates: Vec<&'a str>,
    rejected: Vec<JsonRejected<'a>>,
    notes: Vec<JsonSaid>,
}

#[derive(Serialize)]
struct JsonChosen<'a> {
    egg: &'a str,
    kind: EggKind,
    repository: Option<&'a str>,
    via: &'static str,
    runner_type: RunnerType,
    cloud: &'static str,
    region: &'a str,
    zone: &'a str,
    resources: Resources,
}

#[derive(Serialize)]
struct JsonRejected<'a> {
    egg: &'a str,
    repository: Option<&'a str>,
    reasons: Vec<JsonSaid>,
}

#[derive(Serialize)]
struct JsonSaid {
    id: &'static str,
    text: String,
}
