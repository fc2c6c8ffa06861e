//! Reading: a row by its key, and pages of rows in order.

use rusqlite::{Connection, ToSql, params_from_iter, types::ToSqlOutput};

use super::{
    schema::{Schema, quoted, row_of, selected, to_sql},
    write::matches,
    wrong,
};
use crate::ports::store::{Cursor, Key, Page, Query, StoreError, Stored, Value};

pub(super) fn get(connection: &Connection, schema: &Schema, key: &Key) -> Result<Option<Stored>, StoreError> {
    let definition = schema.table(key.table)?;
    let text = format!(
        "SELECT {} FROM {} WHERE {}",
        selected(definition),
        quoted(key.table.0),
        matches(schema, key)?
    );
    let mut statement = connection.prepare_cached(&text).map_err(wrong)?;
    let values: Vec<_> = key.values.iter().map(to_sql).collect();
    let mut found = statement.query(params_from_iter(values)).map_err(wrong)?;
    found.next().map_err(wrong)?.map(|row| row_of(definition, row)).transpose()
}

/// A page is read from behind the row that the one before ended with, so rows that come or go between two pages make
/// nothing else be left out or come twice.
pub(super) fn query<'q>(
    connection: &Connection,
    schema: &Schema,
    query: &'q Query,
) -> Result<Page, StoreError> {
    let definition = schema.table(query.table)?;
    let (partition, sort) = match query.index {
        None => (definition.primary_key.first(), definition.primary_key.get(1)),
        Some(name) => {
            let index = definition.indexes.iter().find(|index| index.name == name);
            let index = index
                .ok_or_else(|| StoreError::Wrong(format!("`{}` has no index `{name}`", query.table.0)))?;
            (Some(&index.partition_key), index.sort_key.as_ref())
        }
    };
    let mut conditions: Vec<String> = Vec::new();
    let mut values: Vec<ToSqlOutput<'q>> = Vec::new();
    let mut holds = |column: &str, comparison: &str, value: ToSqlOutput<'q>| {
        values.push(value);
        conditions.push(format!("{} {comparison} ?{}", quoted(column), values.len()));
    };
    if let Some((column, value)) = partition.zip(query.partition.as_ref()) {
        holds(column, "=", to_sql(value));
    }
    if let Some(column) = sort {
        if let Some(from) = &query.from {
            holds(column, ">=", to_sql(from));
        }
        if let Some(until) = &query.until {
            holds(column, "<", to_sql(until));
        }
    }
    // The sort column, and the key, which makes it an order of single rows.
    let mut order: Vec<&String> = sort.into_iter().collect();
    order.extend(definition.primary_key.iter().filter(|name| Some(*name) != sort));
    let columns: Vec<String> = order.iter().map(|name| quoted(name)).collect();
    if let Some(Cursor(after)) = &query.after {
        let last: Vec<serde_json::Value> = serde_json::from_str(after)
            .ok()
            .filter(|last: &Vec<_>| last.len() == order.len())
            .ok_or_else(|| StoreError::Wrong("a page's end that this database didn't give".to_owned()))?;
        let mut places = Vec::new();
        for value in last {
            values.push(of_cursor(value)?);
            places.push(format!("?{}", values.len()));
        }
        let comparison = if query.descending { "<" } else { ">" };
        conditions.push(format!("({}) {comparison} ({})", columns.join(", "), places.join(", ")));
    }
    let filter =
        if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let direction = if query.descending { " DESC" } else { "" };
    let by: Vec<String> = columns.iter().map(|name| format!("{name}{direction}")).collect();
    let text = format!(
        "SELECT {} FROM {} {filter} ORDER BY {} LIMIT {}",
        selected(definition),
        quoted(query.table.0),
        by.join(", "),
        query.limit.saturating_add(1)
    );
    let mut statement = connection.prepare_cached(&text).map_err(wrong)?;
    let values = values.iter().map(|value| value as &dyn ToSql);
    let mut found = statement.query(params_from_iter(values)).map_err(wrong)?;
    let mut page = Page::default();
    while let Some(row) = found.next().map_err(wrong)? {
        if page.rows.len() == query.limit {
            page.next = page.rows.last().map(|last| {
                let place = order.iter().map(|name| to_cursor(last.row.get(*name))).collect();
                Cursor(serde_json::Value::Array(place).to_string())
            });
            break;
        }
        page.rows.push(row_of(definition, row)?);
    }
    Ok(page)
}

fn to_cursor(value: Option<&Value>) -> serde_json::Value {
    match value {
        None => serde_json::Value::Null,
        Some(Value::Text(text)) => text.as_str().into(),
        Some(Value::Int(number)) => (*number).into(),
        Some(Value::Float(number)) => (*number).into(),
        Some(Value::Bool(truth)) => i64::from(*truth).into(),
        Some(Value::Time(time)) => time.as_millis().into(),
        Some(Value::Json(json)) => json.to_string().into(),
        Some(Value::Bytes(_)) => serde_json::Value::Null,
    }
}

fn of_cursor(value: serde_json::Value) -> Result<ToSqlOutput<'static>, StoreError> {
    use rusqlite::types::Value as Sql;
    Ok(ToSqlOutput::Owned(match value {
        serde_json::Value::Null => Sql::Null,
        serde_json::Value::String(text) => Sql::Text(text),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Sql::Integer(number),
            None => Sql::Real(number.as_f64().unwrap_or_default()),
        },
        _ => return Err(StoreError::Wrong("a page's end that this database didn't give".to_owned())),
    }))
}
