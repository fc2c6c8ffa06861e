//! Writing: each part of a transaction on what is expected of its row.

use rusqlite::{Connection, ToSql, params_from_iter};

use super::{
    schema::{Schema, VERSION, expectation, quoted, to_sql},
    wrong,
};
use crate::ports::store::{Expect, Key, StoreError, Write};

/// Does a part, if what is expected holds.
pub(super) fn apply(connection: &Connection, schema: &Schema, write: &Write) -> Result<(), StoreError> {
    let key = schema.key_of(write)?;
    let found = version(connection, schema, &key)?;
    match (expectation(write), found) {
        (Expect::Anything, _) | (Expect::Absent, None) => {}
        (Expect::Version(expected), Some(found)) if expected == found => {}
        _ => return Err(StoreError::Conflict(format!("a row of `{}`", key.table.0))),
    }
    match write {
        Write::Check { .. } => Ok(()),
        Write::Delete { .. } => {
            let table = quoted(key.table.0);
            execute(connection, &format!("DELETE FROM {table} WHERE {}", matches(schema, &key)?), &key.values)
        }
        Write::Put { table, row, .. } => {
            let names: Vec<String> = row.keys().map(|name| quoted(name)).collect();
            let places: Vec<String> = (1..=row.len()).map(|at| format!("?{at}")).collect();
            let next = found.unwrap_or(0) + 1;
            execute(
                connection,
                &format!(
                    "INSERT OR REPLACE INTO {} ({}, {VERSION}) VALUES ({}, {next})",
                    quoted(table.0),
                    names.join(", "),
                    places.join(", ")
                ),
                row.values(),
            )
        }
    }
}

/// Removes every row of every table.
pub(super) fn clear(connection: &Connection, schema: &Schema) -> Result<(), StoreError> {
    schema.names().try_for_each(|name| execute(connection, &format!("DELETE FROM {}", quoted(name)), []))
}

fn version(connection: &Connection, schema: &Schema, key: &Key) -> Result<Option<u64>, StoreError> {
    let text = format!("SELECT {VERSION} FROM {} WHERE {}", quoted(key.table.0), matches(schema, key)?);
    let mut statement = connection.prepare_cached(&text).map_err(wrong)?;
    let values: Vec<_> = key.values.iter().map(to_sql).collect();
    let mut found = statement.query(params_from_iter(values)).map_err(wrong)?;
    let Some(row) = found.next().map_err(wrong)? else { return Ok(None) };
    let version = row.get::<_, i64>(0).map_err(wrong)?;
    Ok(Some(u64::try_from(version).unwrap_or(0)))
}

/// The condition that a row has this key.
pub(super) fn matches(schema: &Schema, key: &Key) -> Result<String, StoreError> {
    let columns = schema.table(key.table)?.primary_key.iter().enumerate();
    let parts: Vec<String> = columns.map(|(at, name)| format!("{} = ?{}", quoted(name), at + 1)).collect();
    Ok(parts.join(" AND "))
}

fn execute<'v>(
    connection: &Connection,
    text: &str,
    values: impl IntoIterator<Item = &'v crate::ports::store::Value>,
) -> Result<(), StoreError> {
    let values: Vec<_> = values.into_iter().map(to_sql).collect();
    let values = values.iter().map(|value| value as &dyn ToSql);
    let mut statement = connection.prepare_cached(text).map_err(wrong)?;
    statement.execute(params_from_iter(values)).map_err(wrong)?;
    Ok(())
}
