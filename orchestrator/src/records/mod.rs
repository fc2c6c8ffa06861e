//! The rows of each table as types: what a column means is known here and nowhere else. One file a table.
//!
//! Every write is on what was read: a record that was read carries its version, and writing it expects just that one.

mod audit;
mod delivery;
mod demand;
pub mod dump;
mod egg;
mod lease;
mod nest;
mod plan;
mod rotation;
mod row;
mod runner;
mod runner_metric;
mod sync;
mod versions;

pub use audit::{AuditEntry, id_of};
pub use delivery::Delivery;
pub use demand::JobRecord;
pub use egg::{EggRecord, LinkedHook, Pin, Registered, Served, Stale, place_key, place_of};
pub use lease::{Held, Lease, acquire, end_all, release, renew};
pub use nest::{NestLink, NestRecord, Pending};
pub use plan::{PlanKind, PlanRecord};
pub use rotation::{Rotation, RotationStep, Turn};
pub use runner::{Care, Made, RunnerRecord};
pub use runner_metric::RunnerMetric;
pub use sync::{Changes, SyncRecord, SyncStatus};
pub use versions::{Program, VersionRecord};

use crate::ports::store::{Cursor, Expect, Key, Query, Row, Store, StoreError, Table, Value, Write};

/// A type whose values are rows of one table.
pub trait Record: Sized + Send + Sync {
    /// The table.
    const TABLE: Table;

    /// The values of its key.
    fn key(&self) -> Vec<Value>;

    /// The row, whole.
    fn to_row(&self) -> Row;

    /// What a row says.
    ///
    /// # Errors
    ///
    /// When a column that must be there is not, or holds something else.
    fn from_row(row: &Row) -> Result<Self, StoreError>;
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// The record.
    pub record: T,
    /// The version of its row.
    pub version: u64,
}

impl<T: Record> Versioned<T> {
    /// Writes it as it is now, if nobody has written it since it was read.
    pub fn update(&self) -> Write {
        Write::Put { table: T::TABLE, row: self.record.to_row(), expect: Expect::Version(self.version) }
    }

    /// Removes it, if nobody has written it since it was read.
    pub fn delete(&self) -> Write {
        let key = Key { table: T::TABLE, values: self.record.key() };
        Write::Delete { key, expect: Expect::Version(self.version) }
    }

    /// Writes nothing, and holds only while nobody has written it since it was read.
    pub fn unchanged(&self) -> Write {
        let key = Key { table: T::TABLE, values: self.record.key() };
        Write::Check { key, expect: Expect::Version(self.version) }
    }
}

/// Writes a record that is not there yet.
pub fn insert<T: Record>(record: &T) -> Write {
    Write::Put { table: T::TABLE, row: record.to_row(), expect: Expect::Absent }
}

/// Writes a record whatever is there: for those that nobody else writes.
pub fn put<T: Record>(record: &T) -> Write {
    Write::Put { table: T::TABLE, row: record.to_row(), expect: Expect::Anything }
}

/// The record with this key.
pub async fn get<T: Record>(store: &dyn Store, key: Vec<Value>) -> Result<Option<Versioned<T>>, StoreError> {
    let found = store.get(&Key { table: T::TABLE, values: key }).await?;
    found
        .map(|stored| Ok(Versioned { record: T::from_row(&stored.row)?, version: stored.version }))
        .transpose()
}

/// Some records, in order, and where to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct Records<T> {
    /// The records.
    pub records: Vec<Versioned<T>>,
    /// Where to go on; none at the end.
    pub next: Option<Cursor>,
}

/// A page of records. The query's table is the record's.
pub async fn query<T: Record>(store: &dyn Store, query: &Query) -> Result<Records<T>, StoreError> {
    let page = store.query(query).await?;
    let records = page
        .rows
        .into_iter()
        .map(|stored| Ok(Versioned { record: T::from_row(&stored.row)?, version: stored.version }))
        .collect::<Result<_, StoreError>>()?;
    Ok(Records { records, next: page.next })
}

/// All records of a table, or of one partition of an index; only for tables that are small.
pub async fn all<T: Record>(
    store: &dyn Store,
    index: Option<&'static str>,
    partition: Option<Value>,
) -> Result<Vec<Versioned<T>>, StoreError> {
    let mut wanted = Query {
        table: T::TABLE,
        index,
        partition,
        from: None,
        until: None,
        descending: false,
        limit: 1000,
        after: None,
    };
    let mut found = Vec::new();
    loop {
        let page = query::<T>(store, &wanted).await?;
        found.extend(page.records);
        match page.next {
            Some(next) => wanted.after = Some(next),
            None => return Ok(found),
        }
    }
}
