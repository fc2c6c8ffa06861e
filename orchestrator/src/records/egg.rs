//! `eggs_config`: the eggs, buckets and jobs of the Nest as they were last built, and what is known of each in GitLab.
//!
//! A row stays when its egg leaves the Nest: numbers of runners are given once, and a name may come back.

use std::collections::BTreeMap;

use flyc::artifact::{EggConfig, JobConfig};
use serde::{Deserialize, Serialize};

use super::{
    Record, Rotation,
    row::{Columns, flag, int, json, maybe_int, maybe_text, text, time},
};
use crate::{
    domain::Time,
    ports::{
        gitlab::Place,
        store::{Row, StoreError, Table, Value},
    },
};

/// What is served: the configuration that `flyc` built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Served {
    /// An egg or a bucket.
    Egg(Box<EggConfig>),
    /// A job of the Nest's own.
    Job(Box<JobConfig>),
}

/// The runner of an egg in one of its projects or groups.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Registered {
    /// GitLab's id of the runner.
    pub runner: Option<u64>,
    /// GitLab's id of the webhook.
    pub webhook: Option<u64>,
    /// GitLab's id of the pipeline schedule, for a job.
    pub schedule: Option<u64>,
    /// The digest of the settings that the runner has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// The webhook's secret was changed: GitLab's webhook shows the one before until `gosling link` tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<Stale>,
    /// The webhooks that `gosling link` made for it, by project: of a group, one in each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hooks: BTreeMap<u64, LinkedHook>,
    /// Whether an operator has taken it out of GitLab: nothing is registered there until it is linked again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlinked: bool,
}

/// A webhook's secret that was changed and that GitLab has not been told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// The version of the secret that GitLab still shows; none when there was none before.
    pub version: Option<u64>,
    /// Until when that is let in.
    pub until: Time,
}

impl Stale {
    /// What GitLab shows when the version that is current now is about to change: of two changes in a row it knows neither,
    /// and shows what was before the first.
    pub fn after(before: Option<Self>, current: Option<u64>, now: Time, until: Time) -> Self {
        let before = before.filter(|stale| now < stale.until);
        Self { version: before.map_or(current, |stale| stale.version), until }
    }
}

/// A webhook of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedHook {
    /// GitLab's id of it.
    pub id: u64,
    /// Tells the secret it shows from others; GitLab never tells it again.
    pub secret: String,
}

/// The key of a project or group in [`EggRecord::registered`].
pub fn place_key(server: &str, place: Place) -> String {
    match place {
        Place::Project(id) => format!("{server}/projects/{id}"),
        Place::Group(id) => format!("{server}/groups/{id}"),
    }
}

/// The server and the place that a key of [`EggRecord::registered`] means.
pub fn place_of(key: &str) -> Option<(&str, Place)> {
    let (rest, id) = key.rsplit_once('/')?;
    let id = id.parse().ok()?;
    let (server, kind) = rest.rsplit_once('/')?;
    match kind {
        "projects" => Some((server, Place::Project(id))),
        "groups" => Some((server, Place::Group(id))),
        _ => None,
    }
}

/// What a rollback went back to. It holds until the egg is built otherwise than when it was rolled back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The digest that runners are made from.
    pub digest: String,
    /// Its commit.
    pub commit: String,
    /// The plan that was gone back to.
    pub plan: String,
    /// The digest in the Nest that is passed over.
    pub over: String,
}

/// An egg.
#[derive(Debug, Clone, PartialEq)]
pub struct EggRecord {
    /// Its name; `jobs/NAME` for a job.
    pub name: String,
    /// Its configuration.
    pub served: Served,
    /// The digest of what was built for it.
    pub digest: String,
    /// The commit of the Nest it was built from.
    pub commit: String,
    /// Whether it is in the Nest no longer.
    pub removed: bool,
    /// Whether an operator has stopped it.
    pub paused: bool,
    /// The number the next of its runners gets.
    pub next_number: u64,
    /// Grows when what its runners were given by their tickets changes.
    pub revision: u64,
    /// What is known of it in GitLab, by repository: `SERVER/projects/ID` or `SERVER/groups/ID`.
    pub registered: BTreeMap<String, Registered>,
    /// Failed deployments in a row, and when the next is tried.
    pub failures: u32,
    /// Not before this moment is the next deployment tried.
    pub retry_at: Option<Time>,
    /// Why the last deployment failed, without secrets.
    pub error: Option<String>,
    /// What a rollback went back to.
    pub pinned: Option<Pin>,
    /// The rotation of its runner tokens that goes on, or the last one there was.
    pub rotation: Option<Rotation>,
    /// When it was first in the Nest.
    pub made: Time,
    /// When its row was last written.
    pub updated: Time,
    /// When it was last in the Nest that was synced.
    pub synced: Time,
}

/// The rest of the row, for which there are no columns.
#[derive(Serialize, Deserialize)]
struct Rest {
    registered: BTreeMap<String, Registered>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pinned: Option<Pin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotation: Option<Rotation>,
}

impl EggRecord {
    /// One that comes into the Nest.
    pub fn new(name: &str, served: Served, digest: &str, commit: &str, now: Time) -> Self {
        Self {
            name: name.to_owned(),
            served,
            digest: digest.to_owned(),
            commit: commit.to_owned(),
            removed: false,
            paused: false,
            next_number: 1,
            revision: 1,
            registered: BTreeMap::new(),
            failures: 0,
            retry_at: None,
            error: None,
            pinned: None,
            rotation: None,
            made: now,
            updated: now,
            synced: now,
        }
    }

    /// Whether an operator has taken it out of GitLab.
    pub fn is_unlinked(&self) -> bool {
        self.registered.values().any(|registered| registered.unlinked)
    }

    /// The rollback that holds, if one does.
    pub fn pin(&self) -> Option<&Pin> {
        self.pinned.as_ref().filter(|pin| pin.over == self.digest)
    }

    /// The rotation that goes on, if one does.
    pub fn rotating(&self) -> Option<&Rotation> {
        self.rotation.as_ref().filter(|rotation| rotation.goes_on())
    }

    /// GitLab's ids of the runners that it has at a place, the one that new machines get first: while a rotation goes on
    /// there are two.
    pub fn runners_at(&self, place: &str) -> impl Iterator<Item = u64> {
        let current = self.registered.get(place).and_then(|known| known.runner);
        let turn = self.rotating().and_then(|rotation| rotation.turns.get(place));
        let both = turn.into_iter().flat_map(|turn| [Some(turn.old), turn.new]);
        let others = both.flatten().filter(move |id| Some(*id) != current);
        current.into_iter().chain(others)
    }

    /// The digest and the commit that new runners are made from.
    pub fn made_from(&self) -> (&str, &str) {
        self.pin().map_or((&self.digest, &self.commit), |pin| (&pin.digest, &pin.commit))
    }
}

impl Record for EggRecord {
    const TABLE: Table = Table("eggs_config");

    fn key(&self) -> Vec<Value> {
        vec![Value::Text(self.name.clone())]
    }

    fn to_row(&self) -> Row {
        let project = match &self.served {
            Served::Egg(egg) => egg.repositories.first().and_then(|one| one.project_id),
            Served::Job(job) => job.project.project_id,
        };
        let rest = Rest {
            registered: self.registered.clone(),
            error: self.error.clone(),
            pinned: self.pinned.clone(),
            rotation: self.rotation.clone(),
        };
        let row = Columns::default()
            .text("egg_name", &self.name)
            .json("config_json", &self.served)
            .text("config_digest", &self.digest)
            .text("git_commit", &self.commit)
            .maybe_int("gitlab_project_id", project)
            .flag("removed", self.removed)
            .flag("paused", self.paused)
            .int("next_number", self.next_number)
            .int("revision", self.revision)
            .json("metadata", &rest)
            .int("failures", u64::from(self.failures))
            .maybe_time("retry_at", self.retry_at)
            .time("created_at", self.made)
            .time("updated_at", self.updated)
            .time("synced_at", self.synced);
        row.row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let rest: Rest = json(row, "metadata")?;
        Ok(Self {
            name: text(row, "egg_name")?,
            served: json(row, "config_json")?,
            digest: text(row, "config_digest")?,
            commit: maybe_text(row, "git_commit").unwrap_or_default(),
            removed: flag(row, "removed"),
            paused: flag(row, "paused"),
            next_number: int(row, "next_number")?,
            revision: int(row, "revision")?,
            registered: rest.registered,
            failures: maybe_int(row, "failures").and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
            retry_at: super::row::maybe_time(row, "retry_at"),
            error: rest.error,
            pinned: rest.pinned,
            rotation: rest.rotation,
            made: time(row, "created_at")?,
            updated: time(row, "updated_at")?,
            synced: time(row, "synced_at")?,
        })
    }
}
