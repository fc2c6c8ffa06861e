//! Everything the fake GitLab knows, and the rule by which a runner takes a job.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    faults::{Faults, HookFaults},
    hooks::Outgoing,
    jobs::{NewJob, Status},
};

/// What a runner or hook belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A project.
    Project(u64),
    /// A group.
    Group(u64),
}

/// Who shows a token, and what it may do.
#[derive(Debug, Clone)]
pub struct User {
    /// The scopes of the token.
    pub scopes: BTreeSet<String>,
    /// The role, as GitLab counts them: 30 Developer, 40 Maintainer, 50 Owner.
    pub role: u32,
}

/// A group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its path.
    pub path: String,
    /// The group it is in.
    pub parent: Option<u64>,
}

/// A project.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// Its path, without the group's.
    pub path: String,
    /// The group it is in; none is a user's.
    pub group: Option<u64>,
    /// Names and patterns.
    pub protected_branches: BTreeSet<String>,
    /// Names and patterns.
    pub protected_tags: BTreeSet<String>,
    /// What each of its pipelines consists of: what stands in its `.gitlab-ci.yml`.
    pub ci: Vec<NewJob>,
    /// By id.
    pub schedules: BTreeMap<u64, Schedule>,
    /// By id.
    pub deploy_keys: BTreeMap<u64, DeployKey>,
    /// How long a job may take, in seconds.
    pub build_timeout: u64,
}

/// A deploy key.
#[derive(Debug, Clone)]
pub struct DeployKey {
    /// What people see.
    pub title: String,
    /// The public key.
    pub key: String,
    /// Whether it may push.
    pub can_push: bool,
}

/// A pipeline schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// What people see.
    pub description: String,
    /// The branch.
    pub git_ref: String,
    /// When.
    pub cron: String,
    /// In which time zone.
    pub cron_timezone: String,
    /// Whether it fires.
    pub active: bool,
    /// Its variables: value and type.
    pub variables: BTreeMap<String, (String, String)>,
}

/// A machine of a runner.
#[derive(Debug, Clone)]
pub struct Manager {
    /// Its id.
    pub id: u64,
    /// When it last asked, in milliseconds since 1970.
    pub contacted: u64,
    /// What it said of itself.
    pub info: serde_json::Value,
}

/// A registered runner.
#[derive(Debug, Clone)]
pub struct Runner {
    /// Its token.
    pub token: String,
    /// Where.
    pub place: Place,
    /// What people see.
    pub description: String,
    /// The notes.
    pub maintenance_note: String,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// Whether it takes jobs without tags.
    pub run_untagged: bool,
    /// Whether it takes jobs of protected refs only.
    pub protected: bool,
    /// In seconds.
    pub maximum_timeout: Option<u64>,
    /// Whether it gets nothing.
    pub paused: bool,
    /// By system id.
    pub managers: BTreeMap<String, Manager>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: u64,
    /// The token of whoever runs it.
    pub token: String,
    /// Its project.
    pub project: u64,
    /// Its pipeline.
    pub pipeline: u64,
    /// What it was made from.
    pub spec: NewJob,
    /// How far it is.
    pub status: Status,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// The runner that has or had it.
    pub runner: Option<u64>,
    /// The machine of it.
    pub system_id: Option<String>,
    /// What it wrote.
    pub trace: Vec<u8>,
    /// In milliseconds since 1970.
    pub created: u64,
    /// Likewise.
    pub queued: Option<u64>,
    /// Likewise.
    pub started: Option<u64>,
    /// Likewise.
    pub finished: Option<u64>,
    /// How often a machine was given it: never more than once.
    pub given: u32,
}

/// A webhook.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Of what.
    pub place: Place,
    /// Where it goes.
    pub url: String,
    /// What it shows there.
    pub token: Option<String>,
    /// By GitLab's names.
    pub events: BTreeMap<String, bool>,
    /// Whether the certificate is checked.
    pub ssl_verification: bool,
    /// The uuid it sends as `X-Gitlab-Webhook-UUID`.
    pub uuid: String,
}

/// A webhook that was sent, or wasn't because of a fault.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The hook.
    pub hook: u64,
    /// `Job Hook`, `Pipeline Hook`, `Push Hook`.
    pub event: String,
    /// `X-Gitlab-Event-UUID`.
    pub uuid: String,
    /// `Idempotency-Key`.
    pub key: String,
    /// The body.
    pub body: serde_json::Value,
    /// What was answered; none when nobody did, or a fault dropped it.
    pub status: Option<u16>,
}

/// A call of the API.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its method.
    pub method: String,
    /// Its path with the query.
    pub path: String,
    /// What was answered.
    pub status: u16,
}

/// All of it.
#[derive(Debug)]
pub struct World {
    /// Its own URL.
    pub url: String,
    /// By token.
    pub users: BTreeMap<String, User>,
    /// By id.
    pub groups: BTreeMap<u64, Group>,
    /// By id.
    pub projects: BTreeMap<u64, Project>,
    /// By id.
    pub runners: BTreeMap<u64, Runner>,
    /// By id.
    pub jobs: BTreeMap<u64, Job>,
    /// By id.
    pub hooks: BTreeMap<u64, Hook>,
    /// The order in which they went out.
    pub deliveries: Vec<Delivery>,
    /// The order in which they came.
    pub calls: Vec<Call>,
    /// What is to go wrong with calls.
    pub faults: Faults,
    /// What is to go wrong with hooks.
    pub hook_faults: HookFaults,
    /// Changes when there may be something new for a runner: the `last_update` of its answers.
    pub queue: u64,
    pub(super) outgoing: Vec<Outgoing>,
    last_id: u64,
}

/// GitLab's own rule of who takes a job: `protected`, then tags.
pub fn takes(runner: &Runner, tags: &[String], ref_protected: bool) -> bool {
    (!runner.protected || ref_protected)
        && (runner.run_untagged || !tags.is_empty())
        && tags.iter().all(|tag| runner.tags.contains(tag))
}

impl World {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            projects: BTreeMap::new(),
            runners: BTreeMap::new(),
            jobs: BTreeMap::new(),
            hooks: BTreeMap::new(),
            deliveries: Vec::new(),
            calls: Vec::new(),
            faults: Faults::default(),
            hook_faults: HookFaults::default(),
            queue: 1,
            outgoing: Vec::new(),
            last_id: 1000,
        }
    }

    /// An id that nothing has.
    pub fn id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn take_outgoing(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.outgoing)
    }

    /// The groups a project is in, the nearest first.
    pub fn groups_of(&self, project: u64) -> Vec<u64> {
        let mut groups = Vec::new();
        let mut next = self.projects.get(&project).and_then(|project| project.group);
        while let Some(id) = next {
            groups.push(id);
            next = self.groups.get(&id).and_then(|group| group.parent);
        }
        groups
    }

    /// Whether what belongs there is for this project.
    pub fn is_of(&self, place: Place, project: u64) -> bool {
        match place {
            Place::Project(id) => id == project,
            Place::Group(id) => self.groups_of(project).contains(&id),
        }
    }

    /// Whether there is such a place.
    pub fn has(&self, place: Place) -> bool {
        match place {
            Place::Project(id) => self.projects.contains_key(&id),
            Place::Group(id) => self.groups.contains_key(&id),
        }
    }

    /// A group's path, with those around it.
    pub fn group_path(&self, id: u64) -> String {
        let Some(group) = self.groups.get(&id) else { return String::new() };
        match group.parent {
            Some(parent) => format!("{}/{}", self.group_path(parent), group.path),
            None => group.path.clone(),
        }
    }

    /// A project's path, with the groups around it.
    pub fn project_path(&self, id: u64) -> String {
        let Some(project) = self.projects.get(&id) else { return String::new() };
        match project.group {
            Some(group) => format!("{}/{}", self.group_path(group), project.path),
            None => format!("someone/{}", project.path),
        }
    }

    /// Whether a branch or tag is protected.
    pub fn is_protected(&self, project: u64, git_ref: &str, is_tag: bool) -> bool {
        let Some(project) = self.projects.get(&project) else { return false };
        let patterns = if is_tag { &project.protected_tags } else { &project.protected_branches };
        patterns.iter().any(|pattern| matches(pattern.as_bytes(), git_ref.as_bytes()))
    }

    /// The runner with this token.
    pub fn runner_of(&self, token: &str) -> Option<u64> {
        self.runners.iter().find(|(_, runner)| runner.token == token).map(|(id, _)| *id)
    }
}

/// Whether a name is of a pattern in which `*` stands for anything.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
        Some((first, rest)) => name.split_first().is_some_and(|(c, name)| c == first && matches(rest, name)),
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A secret nobody has yet.
pub(super) fn token(prefix: &str) -> String {
    format!("{prefix}{}", uuid::Uuid::new_v4().simple())
}
