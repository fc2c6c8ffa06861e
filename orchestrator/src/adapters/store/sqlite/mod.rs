//! `SQLite`: one file on this machine, for an installation of one process. See [`crate::adapters::sqlite`] for how it is
//! written and read.

mod read;
mod schema;
mod write;

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use flyc::artifact::Table as Definition;

use crate::{
    adapters::sqlite::{Database, Failure},
    ports::store::{Expect, Key, Page, Query, Row, Store, StoreError, Stored, Table, Write},
};
use schema::Schema;

/// The database in a file.
pub struct Sqlite {
    database: Database,
    schema: Arc<Schema>,
    written: Arc<Written>,
}

/// How often each table was written to.
type Written = BTreeMap<String, AtomicU64>;

/// Counts the tables that a piece of work writes to, or all of them. The work gives it back with its outcome, which is dropped once it is on
/// the disk, whether anybody still waits for it or not.
struct Count(Arc<Written>, Option<Vec<Table>>);

impl Drop for Count {
    fn drop(&mut self) {
        for (name, count) in &*self.0 {
            if self.1.as_ref().is_none_or(|tables| tables.iter().any(|table| table.0 == name)) {
                count.fetch_add(1, Ordering::Release);
            }
        }
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.database.path()).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens the file, or makes it, with these tables.
    ///
    /// # Errors
    ///
    /// When the file can't be opened, or is no database.
    pub fn open(path: &Path, tables: impl IntoIterator<Item = Definition>) -> Result<Self, StoreError> {
        let schema = Arc::new(Schema::new(tables));
        let database = Database::open(path, "store", |connection| schema.prepare(connection))?;
        let written = schema.names().map(|name| (name.to_owned(), AtomicU64::new(0))).collect();
        Ok(Self { database, schema, written: Arc::new(written) })
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn prepare(&self) -> Result<(), StoreError> {
        // Opening has.
        Ok(())
    }

    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let (key, schema) = (key.clone(), Arc::clone(&self.schema));
        self.database.read(move |connection| read::get(connection, &schema, &key)).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        let (query, schema) = (query.clone(), Arc::clone(&self.schema));
        self.database.read(move |connection| read::query(connection, &schema, &query)).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.schema.look_over(&writes)?;
        let schema = Arc::clone(&self.schema);
        let tables = writes.iter().filter_map(|write| match write {
            Write::Put { table, .. } => Some(*table),
            Write::Delete { key, .. } => Some(key.table),
            Write::Check { .. } => None,
        });
        let count = Count(Arc::clone(&self.written), Some(tables.collect()));
        let work = move |connection: &_| {
            writes.iter().try_for_each(|write| write::apply(connection, &schema, write))?;
            Ok(count)
        };
        self.database.write(work).await.map(drop)
    }

    fn revision(&self, table: Table) -> Option<u64> {
        // The file is one process's, and this one's.
        self.written.get(table.0).map(|count| count.load(Ordering::Acquire))
    }

    async fn restore(&self, rows: Vec<(Table, Row)>) -> Result<(), StoreError> {
        let schema = Arc::clone(&self.schema);
        let count = Count(Arc::clone(&self.written), None);
        let work = move |connection: &_| {
            write::clear(connection, &schema)?;
            let put = |(table, row)| Write::Put { table, row, expect: Expect::Absent };
            rows.into_iter().map(put).try_for_each(|write| write::apply(connection, &schema, &write))?;
            Ok(count)
        };
        self.database.write(work).await.map(drop)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        let reason = failure.to_string();
        if failure.is_transient() { Self::Away(reason) } else { Self::Wrong(reason) }
    }
}

/// An error of `SQLite`'s as the port has it.
fn wrong(error: rusqlite::Error) -> StoreError {
    Failure::from(error).into()
}
