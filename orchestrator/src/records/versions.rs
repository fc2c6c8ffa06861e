//! `tofu_versions` and `gosling_versions`: the programs that were fetched.

use super::{
    Record,
    row::{Columns, flag, text, time},
};
use crate::{
    domain::Time,
    ports::store::{Row, StoreError, Table, Value},
};

/// A program that is fetched.
pub trait Program: Send + Sync {
    /// The table of its versions.
    const TABLE: Table;
}

/// A version of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRecord<P> {
    /// The version.
    pub version: String,
    /// Where it came from, without credentials.
    pub source: String,
    /// When it was fetched.
    pub fetched: Time,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Whether it is the one that is used.
    pub active: bool,
    /// Which program.
    pub program: std::marker::PhantomData<P>,
}

impl<P: Program> Record for VersionRecord<P> {
    const TABLE: Table = P::TABLE;

    fn key(&self) -> Vec<Value> {
        vec![Value::Text(self.version.clone())]
    }

    fn to_row(&self) -> Row {
        Columns::default()
            .text("version_id", &self.version)
            .text("version", &self.version)
            .text("source", &self.source)
            .time("downloaded_at", self.fetched)
            .text("sha256_hash", &self.sha256)
            .flag("active", self.active)
            .row()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            version: text(row, "version")?,
            source: text(row, "source")?,
            fetched: time(row, "downloaded_at")?,
            sha256: text(row, "sha256_hash")?,
            active: flag(row, "active"),
            program: std::marker::PhantomData,
        })
    }
}
