//! What GitLab answers, field by field, and what becomes of it.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::http::Call;
use crate::{
    domain::Time,
    ports::gitlab::{self, DeployKey, GitLabError, GitLabJob, Hook, KnownRunner, Manager, Schedule},
};

/// An answer as this type. What stands in it is not told: it may be a token.
pub(super) fn read<T: DeserializeOwned>(call: &Call<'_>, value: Value) -> Result<T, GitLabError> {
    T::deserialize(value)
        .map_err(|error| call.wrong(&format!("something else than expected: {}", place(&error))))
}

/// What is wrong with an answer, without what stands in it: serde cites texts in quotes.
pub(super) fn place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.split_once('"') {
        Some((before, rest)) => {
            let after = rest.rsplit_once('"').map_or("", |(_, after)| after);
            format!("{before}a text{after}")
        }
        None => text,
    }
}

/// GitLab's own words for what went wrong, in the forms it has for them.
pub(super) fn message(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let said = ["message", "error_description", "error"].iter().find_map(|key| body.get(*key))?;
    let said = words(said);
    (!said.is_empty()).then_some(said)
}

fn words(said: &Value) -> String {
    let all = |each: Vec<String>, between| each.join(between);
    match said {
        Value::String(text) => text.clone(),
        Value::Array(several) => all(several.iter().map(words).collect(), ", "),
        Value::Object(fields) => {
            all(fields.iter().map(|(field, said)| format!("{field} {}", words(said))).collect(), "; ")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Whether a name of protected branches or tags, in which `*` stands for anything, covers this one.
pub(super) fn covers(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A moment in the forms GitLab writes it.
fn moment(text: Option<String>) -> Option<Time> {
    let moment: jiff::Timestamp = text?.parse().ok()?;
    u64::try_from(moment.as_millisecond()).ok().map(Time::from_millis)
}

#[derive(Deserialize)]
pub(super) struct Id {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct MadeRunner {
    pub(super) id: u64,
    pub(super) token: String,
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) token: String,
}

#[derive(Deserialize)]
pub(super) struct Version {
    pub(super) version: String,
}

#[derive(Deserialize)]
pub(super) struct Project {
    pub(super) namespace: Namespace,
    /// In seconds.
    pub(super) build_timeout: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Namespace {
    pub(super) id: u64,
    pub(super) kind: String,
    pub(super) parent_id: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Group {
    pub(super) parent_id: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct OneRunner {
    id: u64,
    description: Option<String>,
    maintenance_note: Option<String>,
    #[serde(default)]
    tag_list: Vec<String>,
    #[serde(default)]
    run_untagged: bool,
    access_level: Option<String>,
    maximum_timeout: Option<u64>,
    #[serde(default)]
    pub(super) groups: Vec<Id>,
}

impl From<OneRunner> for KnownRunner {
    fn from(runner: OneRunner) -> Self {
        Self {
            id: runner.id,
            description: runner.description.unwrap_or_default(),
            maintenance_note: runner.maintenance_note.unwrap_or_default(),
            tags: runner.tag_list,
            run_untagged: runner.run_untagged,
            protected: runner.access_level.as_deref() == Some("ref_protected"),
            maximum_timeout: runner.maximum_timeout.map(Duration::from_secs),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct OneManager {
    id: u64,
    system_id: String,
    contacted_at: Option<String>,
}

impl From<OneManager> for Manager {
    fn from(manager: OneManager) -> Self {
        Self { id: manager.id, system_id: manager.system_id, contacted: moment(manager.contacted_at) }
    }
}

#[derive(Deserialize)]
pub(super) struct OneJob {
    id: u64,
    name: String,
    status: String,
    failure_reason: Option<String>,
    #[serde(default)]
    tag_list: Vec<String>,
    #[serde(rename = "ref")]
    git_ref: Option<String>,
    #[serde(default)]
    tag: bool,
    created_at: Option<String>,
    runner: Option<Id>,
    runner_manager: Option<OneManager>,
    pipeline: Option<InProject>,
    project: Option<InProject>,
}

#[derive(Deserialize)]
struct InProject {
    id: Option<u64>,
    project_id: Option<u64>,
}

impl OneJob {
    /// The job; its project is the one that was asked, or the one it names.
    pub(super) fn into_job(self, call: &Call<'_>, asked: Option<u64>) -> Result<GitLabJob, GitLabError> {
        let named = || {
            self.pipeline
                .as_ref()
                .and_then(|pipeline| pipeline.project_id)
                .or_else(|| self.project.as_ref()?.id)
        };
        let project = asked.or_else(named).ok_or_else(|| call.wrong("a job of no project"))?;
        Ok(GitLabJob {
            id: self.id,
            project,
            name: self.name,
            status: gitlab::status(&self.status),
            failure_reason: self.failure_reason,
            tags: self.tag_list,
            git_ref: self.git_ref.unwrap_or_default(),
            is_tag: self.tag,
            created: moment(self.created_at),
            runner: self.runner.map(|runner| runner.id),
            system_id: self.runner_manager.map(|manager| manager.system_id),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct OneHook {
    id: u64,
    url: String,
    #[serde(default)]
    enable_ssl_verification: bool,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl From<OneHook> for Hook {
    fn from(hook: OneHook) -> Self {
        let event = |(name, sent): (String, Value)| {
            let sent = sent.as_bool()?;
            name.ends_with("_events").then_some((name, sent))
        };
        Self {
            id: Some(hook.id),
            url: hook.url,
            secret: None,
            events: hook.rest.into_iter().filter_map(event).collect(),
            ssl_verification: hook.enable_ssl_verification,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct OneDeployKey {
    id: u64,
    #[serde(default)]
    title: String,
    key: String,
    #[serde(default)]
    can_push: bool,
}

impl From<OneDeployKey> for DeployKey {
    fn from(key: OneDeployKey) -> Self {
        Self { id: Some(key.id), title: key.title, key: key.key, can_push: key.can_push }
    }
}

#[derive(Deserialize)]
pub(super) struct FullSchedule {
    id: u64,
    #[serde(default)]
    description: String,
    #[serde(rename = "ref")]
    git_ref: Option<String>,
    cron: String,
    cron_timezone: String,
    active: bool,
    #[serde(default)]
    variables: Vec<Variable>,
}

#[derive(Deserialize)]
struct Variable {
    key: String,
    value: String,
}

impl From<FullSchedule> for Schedule {
    fn from(schedule: FullSchedule) -> Self {
        let git_ref = schedule.git_ref.unwrap_or_default();
        let variables = schedule.variables.into_iter();
        Self {
            id: Some(schedule.id),
            description: schedule.description,
            // Newer versions write the branch in full.
            git_ref: git_ref.strip_prefix("refs/heads/").map(str::to_owned).unwrap_or(git_ref),
            cron: schedule.cron,
            cron_timezone: schedule.cron_timezone,
            active: schedule.active,
            variables: variables.map(|variable| (variable.key, variable.value)).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
