//! `runners`: the fleet. One row a runner, which stays a while after it has gone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Record,
    row::{Columns, json},
};
use crate::{
    domain::{Runner, Time},
    ports::store::{Row, StoreError, Table, Value},
};

/// A runner, and what else is known of it beside what decisions need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerRecord {
    /// What decisions need.
    pub runner: Runner,
    /// The commit of the Nest it was made from.
    pub commit: String,
    /// Its number among its egg's.
    pub number: u64,
    /// The id its machine shows to GitLab, once it has told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_id: Option<String>,
    /// Its managers in GitLab by repository, as in [`super::EggRecord::registered`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub managers: BTreeMap<String, u64>,
    /// The SHA-256 of its one-shot ticket, in hexadecimal; none once its credential has been used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The ticket that was shown last, as its SHA-256, and the system id of the machine that did: nobody else may show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redeemed: Option<(String, String)>,
    /// The SHA-256 of its credential, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The process that was heard of last, and its last number: what is older comes late.
    #[serde(default)]
    pub heard: (u64, u64),
    /// The revision of its egg by which its agent works, as its heartbeats tell; none before one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The version of its `gosling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why it came to its state: the words of the last decision.
    #[serde(default)]
    pub why: String,
    /// What the deployments keep of it.
    #[serde(default)]
    pub care: Care,
    /// When its row was last written.
    pub updated: Time,
}

/// Whether something of a runner was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// Nothing: no plan with it was ever applied.
    #[default]
    Not,
    /// A plan with it is being applied, or was tried.
    Maybe,
    /// A plan with it was applied.
    Yes,
}

/// What the deployments and decisions keep of a runner.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Care {
    /// Whether something of it was made.
    pub made: Made,
    /// Its ticket, sealed, until a plan with it was applied: a plan that is made anew gives the same one, for the machine
    /// may be there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// When GitLab was last asked for its jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Time>,
    /// The rules that told people of it, and when.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub told: BTreeMap<String, Time>,
    /// Whether its managers still have to be taken out of GitLab.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unregister: bool,
}

impl Record for RunnerRecord {
    const TABLE: Table = Table("runners");

    fn key(&self) -> Vec<Value> {
        vec![Value::Text(self.runner.id.as_str().to_owned())]
    }

    fn to_row(&self) -> Row {
        let runner = &self.runner;
        Columns::default()
            .text("runner_id", runner.id.as_str())
            .text("egg_name", &runner.egg)
            .word("type", &runner.runner_type)
            .text("state", runner.state.name())
            .word("pool", &runner.pool)
            .text("cloud_provider", &runner.cloud)
            .text("region", &runner.region)
            .maybe_text("system_id", self.system_id.as_deref())
            .text("deployed_from_commit", &self.commit)
            .time("created_at", runner.made)
            .time("updated_at", self.updated)
            .maybe_time("last_heartbeat", runner.heartbeat)
            .int("failure_count", runner.failures)
            .json("metadata", self)
            .row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        json(row, "metadata")
    }
}
