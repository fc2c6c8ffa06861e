//! `deliveries`: which webhooks have come, so that one that comes twice does nothing twice.

use std::time::Duration;

use super::{
    Record,
    row::{Columns, text, time},
};
use crate::{
    domain::Time,
    ports::store::{Row, StoreError, Table, Value},
};

/// A webhook that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id: GitLab's `Idempotency-Key`, with the egg's name before it.
    pub id: String,
    /// Whose it is.
    pub source: String,
    /// When it came.
    pub at: Time,
}

impl Delivery {
    /// How long it is remembered: GitLab sends one again for a day at most.
    pub const KEPT: Duration = Duration::from_hours(48);
}

impl Record for Delivery {
    const TABLE: Table = Table("deliveries");

    fn key(&self) -> Vec<Value> {
        vec![Value::Text(self.id.clone())]
    }

    fn to_row(&self) -> Row {
        Columns::default()
            .text("delivery_id", &self.id)
            .text("source", &self.source)
            .time("received_at", self.at)
            .time("expires_at", self.at.plus(Self::KEPT))
            .row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: text(row, "delivery_id")?,
            source: text(row, "source")?,
            at: time(row, "received_at")?,
        })
    }
}
