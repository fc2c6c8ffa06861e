//! GitLab's events: the hooks it sends, and the job objects of its API, as far as routing needs them.
//!
//! Fields that nobody here asks for are ignored; one that is missing or of another type is told by its name. What never
//! lives here: what becomes of an event.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::job::host_of;

/// What GitLab tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// One job, or the jobs of a pipeline.
    Jobs(Jobs),
    /// A push of a branch or a tag.
    Push(Push),
    /// A change of a merge request.
    MergeRequest {
        /// The project that is merged into.
        project_id: u64,
    },
}

/// Jobs of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jobs {
    /// Where they were told of.
    pub source: Source,
    /// The project.
    pub project_id: u64,
    /// The host of the server, as the payload names it.
    pub server: Option<String>,
    /// The branch or tag.
    pub git_ref: Option<String>,
    /// The pipeline, when it is told.
    pub pipeline_id: Option<u64>,
    /// The jobs, in the order of the payload.
    pub jobs: Vec<EventJob>,
}

/// Where jobs were told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A job hook.
    JobHook,
    /// A pipeline hook.
    PipelineHook,
    /// The job object of the API.
    JobsApi,
}

/// A job of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventJob {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its stage.
    pub stage: Option<String>,
    /// How far it is.
    pub status: Status,
    /// The tags it asks for; hooks don't tell them, the API does.
    pub tags: Option<Vec<String>>,
}

impl EventJob {
    /// The name the job has in the CI configuration: GitLab numbers the parts of a parallel job (`test 2/5`) and names
    /// those of a matrix by its values (`test: [linux, x86]`).
    pub fn base_name(&self) -> &str {
        let name = self.name.as_str();
        if name.ends_with(']')
            && let Some((base, _)) = name.split_once(": [")
        {
            return base;
        }
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match name.rsplit_once(' ') {
            Some((base, part)) => match part.split_once('/') {
                Some((at, of)) if is_number(at) && is_number(of) => base,
                _ => name,
            },
            None => name,
        }
    }

    /// Whether somebody who says this name means the job.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.base_name() == name
    }
}

/// How far a job is, in GitLab's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status(String);

impl Status {
    /// A job that waits for a runner.
    pub fn pending() -> Self {
        Self("pending".to_owned())
    }

    /// GitLab's word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the job waits for a runner or will.
    pub fn needs_runner(&self) -> bool {
        matches!(
            self.0.as_str(),
            "created"
                | "preparing"
                | "waiting_for_resource"
                | "waiting_for_callback"
                | "pending"
                | "scheduled"
        )
    }

    /// Why it does or does not, as the rest of a sentence that begins with the word.
    pub fn meaning(&self) -> &'static str {
        match self.0.as_str() {
            "pending" => "waits for a runner",
            "created" | "preparing" | "waiting_for_resource" | "waiting_for_callback" | "scheduled" => {
                "will need a runner"
            }
            "manual" => "needs a runner only when somebody starts it",
            "running" => "has a runner",
            _ => "needs no runner any more",
        }
    }
}

/// A push.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Push {
    /// The project.
    pub project_id: u64,
    /// `refs/heads/…` or `refs/tags/…`.
    #[serde(rename = "ref")]
    pub git_ref: String,
}

impl Push {
    /// The branch, unless a tag was pushed.
    pub fn branch(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/heads/")
    }
}

/// Why a payload is no event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not JSON.
    #[error("the event is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is JSON, but no object.
    #[error("an event is a JSON object, found {0}")]
    NotAnObject(&'static str),
    /// It tells no kind.
    #[error("the event lacks `object_kind`, and is no job of the API either: it lacks `pipeline`")]
    NoKind,
    /// Its kind means nothing for runners.
    #[error("events of kind `{0}` have nothing to do with runners")]
    UnknownKind(String),
    /// A field is missing or wrong.
    #[error("{}: {}", place(.kind, .path), plain(.source))]
    Shape {
        /// What kind of event it says it is.
        kind: &'static str,
        /// The field, with dots.
        path: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// The kinds of event that are read, as GitLab calls them.
pub const KINDS: [&str; 5] = ["build", "pipeline", "push", "tag_push", "merge_request"];

/// What is wrong, without the words of the program's own types.
fn plain(error: &serde_json::Error) -> String {
    error.to_string().replace("expected u64", "expected a whole number").replace("invalid type: ", "found ")
}

fn place(kind: &str, path: &str) -> String {
    if path == "." || path.is_empty() { format!("this {kind}") } else { format!("`{path}` of this {kind}") }
}

/// Reads an event.
///
/// # Errors
///
/// When the text is no event that has to do with runners.
pub fn parse(text: &str) -> Result<Event, EventError> {
    let value: Value = serde_json::from_str(text)?;
    let object = match &value {
        Value::Object(object) => object,
        Value::Array(_) => return Err(EventError::NotAnObject("a list")),
        Value::String(_) => return Err(EventError::NotAnObject("a string")),
        Value::Number(_) => return Err(EventError::NotAnObject("a number")),
        Value::Bool(_) => return Err(EventError::NotAnObject("`true` or `false`")),
        Value::Null => return Err(EventError::NotAnObject("`null`")),
    };
    match object.get("object_kind") {
        Some(Value::String(kind)) => match kind.as_str() {
            "build" => Ok(Event::Jobs(read::<JobHook>("job hook", value)?.into())),
            "pipeline" => Ok(Event::Jobs(read::<PipelineHook>("pipeline hook", value)?.into())),
            "push" | "tag_push" => Ok(Event::Push(read("push hook", value)?)),
            "merge_request" => {
                let hook: MergeRequestHook = read("merge request hook", value)?;
                Ok(Event::MergeRequest { project_id: hook.project.id })
            }
            other => Err(EventError::UnknownKind(other.to_owned())),
        },
        Some(other) => Err(EventError::UnknownKind(other.to_string())),
        None if object.contains_key("pipeline") => {
            Ok(Event::Jobs(read::<ApiJob>("job of the API", value)?.into()))
        }
        None => Err(EventError::NoKind),
    }
}

fn read<T: DeserializeOwned>(kind: &'static str, value: Value) -> Result<T, EventError> {
    serde_path_to_error::deserialize(value).map_err(|error| EventError::Shape {
        kind,
        path: error.path().to_string(),
        source: error.into_inner(),
    })
}

#[derive(Deserialize)]
struct JobHook {
    #[serde(rename = "ref")]
    git_ref: Option<String>,
    build_id: u64,
    build_name: String,
    build_stage: Option<String>,
    build_status: String,
    pipeline_id: Option<u64>,
    project_id: u64,
    project: Option<Project>,
    repository: Option<Repository>,
    tags: Option<Vec<String>>,
    tag_list: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Project {
    web_url: Option<String>,
}

#[derive(Deserialize)]
struct Repository {
    homepage: Option<String>,
}

impl From<JobHook> for Jobs {
    fn from(hook: JobHook) -> Self {
        let url = hook.project.and_then(|project| project.web_url);
        let url = url.or_else(|| hook.repository.and_then(|repository| repository.homepage));
        Self {
            source: Source::JobHook,
            project_id: hook.project_id,
            server: url.as_deref().and_then(host_of),
            git_ref: hook.git_ref,
            pipeline_id: hook.pipeline_id,
            jobs: vec![EventJob {
                id: hook.build_id,
                name: hook.build_name,
                stage: hook.build_stage,
                status: Status(hook.build_status),
                tags: hook.tag_list.or(hook.tags),
            }],
        }
    }
}

#[derive(Deserialize)]
struct PipelineHook {
    object_attributes: PipelineAttributes,
    project: PipelineProject,
    builds: Vec<Build>,
}

#[derive(Deserialize)]
struct PipelineAttributes {
    id: Option<u64>,
    #[serde(rename = "ref")]
    git_ref: Option<String>,
}

#[derive(Deserialize)]
struct PipelineProject {
    id: u64,
    web_url: Option<String>,
}

#[derive(Deserialize)]
struct Build {
    id: u64,
    name: String,
    stage: Option<String>,
    status: String,
    tags: Option<Vec<String>>,
    tag_list: Option<Vec<String>>,
}

impl From<PipelineHook> for Jobs {
    fn from(hook: PipelineHook) -> Self {
        let jobs = hook.builds.into_iter().map(|build| EventJob {
            id: build.id,
            name: build.name,
            stage: build.stage,
            status: Status(build.status),
            tags: build.tag_list.or(build.tags),
        });
        Self {
            source: Source::PipelineHook,
            project_id: hook.project.id,
            server: hook.project.web_url.as_deref().and_then(host_of),
            git_ref: hook.object_attributes.git_ref,
            pipeline_id: hook.object_attributes.id,
            jobs: jobs.collect(),
        }
    }
}

#[derive(Deserialize)]
struct MergeRequestHook {
    project: MergeRequestProject,
}

#[derive(Deserialize)]
struct MergeRequestProject {
    id: u64,
}

/// A job as `GET /projects/:id/jobs/:job_id` answers.
#[derive(Deserialize)]
struct ApiJob {
    id: u64,
    name: String,
    stage: Option<String>,
    status: String,
    #[serde(rename = "ref")]
    git_ref: Option<String>,
    web_url: Option<String>,
    tag_list: Option<Vec<String>>,
    pipeline: ApiPipeline,
}

#[derive(Deserialize)]
struct ApiPipeline {
    id: Option<u64>,
    project_id: u64,
}

impl From<ApiJob> for Jobs {
    fn from(job: ApiJob) -> Self {
        Self {
            source: Source::JobsApi,
            project_id: job.pipeline.project_id,
            server: job.web_url.as_deref().and_then(host_of),
            git_ref: job.git_ref,
            pipeline_id: job.pipeline.id,
            jobs: vec![EventJob {
                id: job.id,
                name: job.name,
                stage: job.stage,
                status: Status(job.status),
                tags: job.tag_list,
            }],
        }
    }
}
