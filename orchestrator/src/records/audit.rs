//! `audit_logs`: who did what to which resource. Rows are never changed.

use serde_json::Value as Json;
use uuid::{NoContext, Timestamp, Uuid};

use super::{
    Record,
    row::{Columns, json, text, time},
};
use crate::{
    domain::Time,
    ports::store::{Row, StoreError, Table, Value},
};

/// How long entries are kept, in days.
const KEPT_DAYS: u64 = 365;

/// Something that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its id: a UUID of version 7, so that ids are in the order of time.
    pub id: String,
    /// When.
    pub at: Time,
    /// Who: `policy:idle`, `api:NAME-OF-TOKEN`, `runner:ID`, `git-sync`.
    pub actor: String,
    /// What: `runner.drain`, `plan.apply`, `secret.read`.
    pub action: String,
    /// The kind of thing it was done to: `runner`, `egg`, `plan`, `secret`.
    pub resource_type: String,
    /// Which.
    pub resource: String,
    /// What else is to be known, without secrets.
    pub details: Json,
}

/// An id for what happens at a moment: a UUID of version 7, so that ids are in the order of time.
pub fn id_of(now: Time) -> String {
    let millis = now.as_millis();
    let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(Timestamp::from_unix(NoContext, millis / 1000, nanos)).to_string()
}

impl AuditEntry {
    /// What was done just now, by whom, to a thing of this kind and name.
    pub fn new(
        now: Time,
        actor: &str,
        action: &str,
        (resource_type, resource): (&str, &str),
        details: Json,
    ) -> Self {
        Self {
            id: id_of(now),
            at: now,
            actor: actor.to_owned(),
            action: action.to_owned(),
            resource_type: resource_type.to_owned(),
            resource: resource.to_owned(),
            details,
        }
    }
}

impl Record for AuditEntry {
    const TABLE: Table = Table("audit_logs");

    fn key(&self) -> Vec<Value> {
        vec![Value::Text(self.id.clone())]
    }

    fn to_row(&self) -> Row {
        Columns::default()
            .text("entry_id", &self.id)
            .text("day", &self.at.day())
            .time("at", self.at)
            .text("actor", &self.actor)
            .text("action", &self.action)
            .text("resource_type", &self.resource_type)
            .text("resource_id", &self.resource)
            .json("details", &self.details)
            .time("expires_at", self.at.plus(std::time::Duration::from_hours(24 * KEPT_DAYS)))
            .row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: text(row, "entry_id")?,
            at: time(row, "at")?,
            actor: text(row, "actor")?,
            action: text(row, "action")?,
            resource_type: text(row, "resource_type")?,
            resource: text(row, "resource_id")?,
            details: json(row, "details")?,
        })
    }
}
