//! `deployment_plans`: every plan that was made, with its bytes sealed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Record,
    row::{Columns, bytes, int, json, maybe_text, maybe_time, text, time, word},
};
use crate::{
    domain::{Fence, Plan, StateMark, Time},
    ports::store::{Row, StoreError, Table, Value},
};

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// The fleet goes forward.
    Deploy,
    /// It goes back to what an earlier plan had.
    Rollback,
}

/// A plan, and what else is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRecord {
    /// What decides whether it may be applied.
    pub plan: Plan,
    /// What it is for.
    pub kind: PlanKind,
    /// Its bytes, sealed; empty once it has been applied or put aside.
    pub sealed: Vec<u8>,
    /// The plan that it goes back to.
    pub rollback_of: Option<String>,
    /// The fleet it leads to: each runner with its pool.
    pub runners: BTreeMap<String, String>,
    /// What it does, by resource.
    pub changes: BTreeMap<String, String>,
    /// What the module told once it was applied.
    pub outputs: BTreeMap<String, serde_json::Value>,
    /// When it was applied.
    pub applied: Option<Time>,
    /// Why it failed, without secrets.
    pub error: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Rest {
    fence: Fence,
    runners: BTreeMap<String, String>,
    changes: BTreeMap<String, String>,
    #[serde(default)]
    outputs: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    error: Option<String>,
}

impl Record for PlanRecord {
    const TABLE: Table = Table("deployment_plans");

    fn key(&self) -> Vec<Value> {
        vec![Value::Text(self.plan.id.clone())]
    }

    fn to_row(&self) -> Row {
        let rest = Rest {
            fence: self.plan.fence,
            runners: self.runners.clone(),
            changes: self.changes.clone(),
            outputs: self.outputs.clone(),
            error: self.error.clone(),
        };
        Columns::default()
            .text("plan_id", &self.plan.id)
            .text("egg_name", &self.plan.egg)
            .word("plan_type", &self.kind)
            .bytes("plan_binary", &self.sealed)
            .text("config_hash", &self.plan.digest)
            .text("git_commit", &self.plan.commit)
            .text("state_lineage", &self.plan.on.lineage)
            .int("state_serial", self.plan.on.serial)
            .word("status", &self.plan.status)
            .maybe_text("rollback_plan_id", self.rollback_of.as_deref())
            .time("created_at", self.plan.made)
            .maybe_time("applied_at", self.applied)
            .json("metadata", &rest)
            .row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let rest: Rest = json(row, "metadata")?;
        Ok(Self {
            plan: Plan {
                id: text(row, "plan_id")?,
                egg: text(row, "egg_name")?,
                digest: text(row, "config_hash")?,
                commit: text(row, "git_commit")?,
                on: StateMark { lineage: text(row, "state_lineage")?, serial: int(row, "state_serial")? },
                fence: rest.fence,
                status: word(row, "status")?,
                made: time(row, "created_at")?,
            },
            kind: word(row, "plan_type")?,
            sealed: bytes(row, "plan_binary"),
            rollback_of: maybe_text(row, "rollback_plan_id"),
            runners: rest.runners,
            changes: rest.changes,
            outputs: rest.outputs,
            applied: maybe_time(row, "applied_at"),
            error: rest.error,
        })
    }
}
