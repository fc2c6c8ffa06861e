//! The tables in `SQLite`'s words: one table each, with its key, columns and indexes, and the version of each row.

use std::collections::{BTreeMap, BTreeSet};

use flyc::artifact::{ColumnType, Table as Definition};
use rusqlite::{
    Connection,
    types::{ToSqlOutput, Value as Sql, ValueRef},
};

use crate::{
    domain::Time,
    ports::store::{Expect, Key, MOST_WRITES, Row, StoreError, Table, Value, Write},
};

/// The column of a row's version.
pub(super) const VERSION: &str = "row_version";

/// The tables by name.
pub(super) struct Schema {
    tables: BTreeMap<String, Definition>,
}

/// A name as SQL has it; names come from the definitions, which have no quotes in them.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

const fn sql_type(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::String | ColumnType::Json => "TEXT",
        ColumnType::Int64 | ColumnType::Uint64 | ColumnType::Bool | ColumnType::Timestamp => "INTEGER",
        ColumnType::Double => "REAL",
        ColumnType::Bytes => "BLOB",
    }
}

impl Schema {
    pub(super) fn new(tables: impl IntoIterator<Item = Definition>) -> Self {
        Self { tables: tables.into_iter().map(|table| (table.name.clone(), table)).collect() }
    }

    /// The names of all tables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    pub(super) fn table(&self, table: Table) -> Result<&Definition, StoreError> {
        self.tables.get(table.0).ok_or_else(|| StoreError::Wrong(format!("there is no table `{}`", table.0)))
    }

    /// Makes what is not there.
    pub(super) fn prepare(&self, connection: &Connection) -> rusqlite::Result<()> {
        for table in self.tables.values() {
            let name = quoted(&table.name);
            let column = |name: &str, ty| format!("{} {}", quoted(name), sql_type(ty));
            let key: Vec<String> = table.primary_key.iter().map(|name| quoted(name)).collect();
            let columns: Vec<String> = table.columns.iter().map(|one| column(&one.name, one.ty)).collect();
            connection.execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS {name} ({}, {VERSION} INTEGER NOT NULL, PRIMARY KEY ({})) WITHOUT ROWID",
                columns.join(", "),
                key.join(", ")
            ))?;
            let mut info = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
            let there: BTreeSet<String> =
                info.query_map([&table.name], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for one in table.columns.iter().filter(|one| !there.contains(&one.name)) {
                connection
                    .execute_batch(&format!("ALTER TABLE {name} ADD COLUMN {}", column(&one.name, one.ty)))?;
            }
            for index in &table.indexes {
                let on: Vec<String> = [Some(&index.partition_key), index.sort_key.as_ref()]
                    .into_iter()
                    .flatten()
                    .map(|name| quoted(name))
                    .collect();
                let index = quoted(&format!("{}_{}", table.name, index.name));
                connection.execute_batch(&format!(
                    "CREATE INDEX IF NOT EXISTS {index} ON {name} ({})",
                    on.join(", ")
                ))?;
            }
        }
        Ok(())
    }

    /// What can be told to be wrong with a transaction before it is tried.
    pub(super) fn look_over(&self, writes: &[Write]) -> Result<(), StoreError> {
        if writes.len() > MOST_WRITES {
            return Err(StoreError::Wrong(format!(
                "{} writes in one transaction; {MOST_WRITES} are the most",
                writes.len()
            )));
        }
        let mut keys = Vec::new();
        for write in writes {
            let key = self.key_of(write)?;
            if keys.contains(&key) {
                return Err(StoreError::Wrong(format!(
                    "a row of `{}` twice in one transaction",
                    key.table.0
                )));
            }
            keys.push(key);
        }
        Ok(())
    }

    /// The row that is written.
    pub(super) fn key_of(&self, write: &Write) -> Result<Key, StoreError> {
        match write {
            Write::Delete { key, .. } | Write::Check { key, .. } => {
                let most = self.table(key.table)?.primary_key.len();
                if key.values.len() != most {
                    return Err(StoreError::Wrong(format!("a key of `{}` has {most} columns", key.table.0)));
                }
                Ok(key.clone())
            }
            Write::Put { table, row, .. } => {
                let definition = self.table(*table)?;
                let unknown = |name: &&String| !definition.columns.iter().any(|column| column.name == **name);
                if let Some(name) = row.keys().find(unknown) {
                    return Err(StoreError::Wrong(format!("`{}` has no column `{name}`", table.0)));
                }
                let value = |name: &String| {
                    row.get(name).cloned().ok_or_else(|| {
                        StoreError::Wrong(format!("a row of `{}` without its `{name}`", table.0))
                    })
                };
                let values = definition.primary_key.iter().map(value).collect::<Result<_, _>>()?;
                Ok(Key { table: *table, values })
            }
        }
    }
}

pub(super) const fn expectation(write: &Write) -> Expect {
    match write {
        Write::Put { expect, .. } | Write::Delete { expect, .. } | Write::Check { expect, .. } => *expect,
    }
}

/// A value as it is kept.
pub(super) fn to_sql(value: &Value) -> ToSqlOutput<'_> {
    match value {
        Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Value::Int(number) => ToSqlOutput::Owned(Sql::Integer(*number)),
        Value::Float(number) => ToSqlOutput::Owned(Sql::Real(*number)),
        Value::Bool(truth) => ToSqlOutput::Owned(Sql::Integer(i64::from(*truth))),
        Value::Time(time) => {
            ToSqlOutput::Owned(Sql::Integer(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
        }
        Value::Json(json) => ToSqlOutput::Owned(Sql::Text(json.to_string())),
        Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
    }
}

/// A kept value; none when there is none.
pub(super) fn from_sql(value: ValueRef<'_>, ty: ColumnType) -> Result<Option<Value>, StoreError> {
    let other = || StoreError::Wrong(format!("a column that holds {ty:?} holds something else"));
    Ok(Some(match (value, ty) {
        (ValueRef::Null, _) => return Ok(None),
        (ValueRef::Text(text), ColumnType::String) => {
            Value::Text(String::from_utf8(text.to_vec()).map_err(|_| other())?)
        }
        (ValueRef::Text(text), ColumnType::Json) => {
            Value::Json(serde_json::from_slice(text).map_err(|_| other())?)
        }
        (ValueRef::Integer(number), ColumnType::Int64 | ColumnType::Uint64) => Value::Int(number),
        (ValueRef::Integer(number), ColumnType::Bool) => Value::Bool(number != 0),
        (ValueRef::Integer(number), ColumnType::Timestamp) => {
            Value::Time(Time::from_millis(u64::try_from(number).map_err(|_| other())?))
        }
        (ValueRef::Real(number), ColumnType::Double) => Value::Float(number),
        (ValueRef::Blob(bytes), ColumnType::Bytes) => Value::Bytes(bytes.to_vec()),
        _ => return Err(other()),
    }))
}

/// The columns of a result as a row.
pub(super) fn row_of(
    definition: &Definition,
    found: &rusqlite::Row<'_>,
) -> Result<crate::ports::store::Stored, StoreError> {
    let mut row = Row::new();
    for (at, column) in definition.columns.iter().enumerate() {
        let value = found.get_ref(at).map_err(super::wrong)?;
        if let Some(value) = from_sql(value, column.ty)? {
            row.insert(column.name.clone(), value);
        }
    }
    let version = found.get::<_, i64>(definition.columns.len()).map_err(super::wrong)?;
    Ok(crate::ports::store::Stored { row, version: u64::try_from(version).unwrap_or(0) })
}

/// The columns a row is read by, its version last.
pub(super) fn selected(definition: &Definition) -> String {
    let columns: Vec<String> = definition.columns.iter().map(|column| quoted(&column.name)).collect();
    format!("{}, {VERSION}", columns.join(", "))
}
