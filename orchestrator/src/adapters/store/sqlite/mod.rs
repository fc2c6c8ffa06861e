//! `SQLite`: one file on this machine, for an installation of one process. See [`crate::adapters::sqlite`] for how it is
//! written and read.

mod read;
mod schema;
mod write;

use std::{fmt, path::Path, sync::Arc};

use async_trait::async_trait;
use flyc::artifact::Table as Definition;

use crate::{
    adapters::sqlite::{Database, Failure},
    ports::store::{Key, Page, Query, Store, StoreError, Stored, Write},
};
use schema::Schema;

/// The database in a file.
pub struct Sqlite {
    database: Database,
    schema: Arc<Schema>,
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
        Ok(Self { database, schema })
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
        let work = move |connection: &_| {
            writes.iter().try_for_each(|write| write::apply(connection, &schema, write))
        };
        self.database.write(work).await
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
