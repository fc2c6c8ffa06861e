//! The database: tables of rows, conditional writes, and transactions that hold as a whole or not at all.
//!
//! It is as much as `SQLite`, `DynamoDB` and YDB all give. Rows are maps of columns; what they mean is known to the typed
//! tables above it. Which tables there are, with keys, columns and indexes, is in one place: the installation that `flyc`
//! builds.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;

use crate::domain::Time;

/// The value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A moment.
    Time(Time),
    /// A document.
    Json(serde_json::Value),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A row: its columns by name. What is not there has no value.
pub type Row = BTreeMap<String, Value>;

/// The name of a table, as the Nest's installation knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Table(pub &'static str);

/// Which row of a table: the values of its key's columns, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The table.
    pub table: Table,
    /// The partition, and within it the place when the table has one.
    pub values: Vec<Value>,
}

/// A row with its version.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The columns.
    pub row: Row,
    /// Grows with every write of the row, from 1.
    pub version: u64,
}

/// What must hold of a row when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It may be there or not.
    Anything,
    /// It is not there.
    Absent,
    /// It is as it was when this version was read.
    Version(u64),
}

/// A part of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Puts a row in the place of what is there.
    Put {
        /// The table.
        table: Table,
        /// The whole row, with its key.
        row: Row,
        /// What must hold.
        expect: Expect,
    },
    /// Removes a row, if it is there.
    Delete {
        /// Which.
        key: Key,
        /// What must hold.
        expect: Expect,
    },
    /// Writes nothing.
    Check {
        /// Which row.
        key: Key,
        /// What must hold.
        expect: Expect,
    },
}

/// The most writes of one transaction: what `DynamoDB` takes.
pub const MOST_WRITES: usize = 100;

/// The rows that are looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The table.
    pub table: Table,
    /// The index; none for the table's own key.
    pub index: Option<&'static str>,
    /// The partition; none for the whole table, which only small tables are asked for.
    pub partition: Option<Value>,
    /// Only rows whose sort column is at least this.
    pub from: Option<Value>,
    /// Only rows whose sort column is less than this.
    pub until: Option<Value>,
    /// The last first.
    pub descending: bool,
    /// How many at most.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<Cursor>,
}

/// Where a page ended; means something to the store that gave it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// Some of the rows, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Stored>,
    /// Where to go on; none at the end.
    pub next: Option<Cursor>,
}

/// Why the store didn't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row is not as it was expected; nothing was written.
    #[error("another writer was first: {0}")]
    Conflict(String),
    /// It is away or too busy, and may be there again soon; nothing is known of what was asked.
    #[error("the database can't be reached: {0}")]
    Away(String),
    /// It was asked for something that makes no sense.
    #[error("the database refuses: {0}")]
    Wrong(String),
}

impl StoreError {
    /// Whether the same may go well later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}

/// A database.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// Makes the tables that are not there, and adds the columns that are not. Nothing is lost.
    async fn prepare(&self) -> Result<(), StoreError>;

    /// A row, as the last finished transaction left it.
    async fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError>;

    /// A page of rows. By a table's own key it shows what the last finished transaction left; by an index a row may come a
    /// moment later.
    async fn query(&self, query: &Query) -> Result<Page, StoreError>;

    /// Writes all or nothing, at most [`MOST_WRITES`], no row twice. Once it has answered, nothing is lost.
    async fn commit(&self, writes: Vec<Write>) -> Result<(), StoreError>;

    /// Changes whenever a row of a table is written, before whoever wrote it is answered; none when this database can't tell,
    /// for others may write to it. What was read after it was asked for is good while it stays.
    fn revision(&self, table: Table) -> Option<u64> {
        let _ = table;
        None
    }

    /// Puts these rows in the place of everything there is, all or nothing, however many they are. Nobody else may use the
    /// database meanwhile.
    async fn restore(&self, rows: Vec<(Table, Row)>) -> Result<(), StoreError> {
        drop(rows);
        Err(StoreError::Wrong("nothing can be imported into this kind of database yet".to_owned()))
    }
}
