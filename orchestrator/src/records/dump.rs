//! All rows of a database as a text that another database can take: a JSON object a line.
//!
//! The first line says what it is and by whose key its sealed columns were sealed; then come the rows, a column a field; the
//! last line says how many there were of each table, and the SHA-256 of all lines before. What is sealed stays sealed.
//! Versions of rows are not in it: they begin anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, BufRead, Write},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flyc::artifact::{ColumnType, Table as Definition};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::{
    AuditEntry, Delivery, EggRecord, JobRecord, Lease, NestLink, NestRecord, PlanRecord, Record,
    RunnerMetric, RunnerRecord, SyncRecord,
};
use crate::{
    domain::Time,
    ports::{
        secrets::unread,
        store::{Query, Row, Store, StoreError, Table, Value},
    },
};

/// The version of the form.
const VERSION: u64 = 1;

/// How many rows are read at once.
const PAGE: usize = 500;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the form.
    #[serde(rename = "gosling_export")]
    version: u64,
    /// The program that wrote it.
    pub by: String,
    /// When.
    pub made: Time,
    /// Something sealed, in base64: whoever can open it can open the sealed columns.
    pub proof: String,
}

/// A row.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    table: String,
    row: Map<String, Json>,
}

/// The last line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    end: Counts,
    sha256: String,
}

/// How many rows there are of each table.
pub type Counts = BTreeMap<String, u64>;

/// Why a database was not written out, or a text not taken.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It can't be read or written.
    #[error("the export can't be read or written: {0}")]
    Io(#[from] io::Error),
    /// It is no export.
    #[error("this is no export of gosling's: {0}")]
    NoneSuch(String),
    /// It is of a form that this program doesn't know.
    #[error("the export is of form {0}, and this gosling knows form {VERSION}")]
    Newer(u64),
    /// It ends before its end.
    #[error("the export is cut off: its last line is missing")]
    CutOff,
    /// It is not as it was written.
    #[error("the export was changed after it was written: its lines and its last line don't agree")]
    Changed,
    /// A line makes no sense.
    #[error("line {line} of the export: {reason}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
}

impl Header {
    /// Of a text that is written now.
    pub fn new(by: impl Into<String>, made: Time, proof: String) -> Self {
        Self { version: VERSION, by: by.into(), made, proof }
    }
}

/// What is written, and the digest of it.
struct Digested<'a> {
    out: &'a mut dyn Write,
    digest: Sha256,
}

impl Digested<'_> {
    fn line(&mut self, line: &impl Serialize) -> Result<(), DumpError> {
        let mut text = serde_json::to_vec(line).map_err(io::Error::from)?;
        text.push(b'\n');
        self.digest.update(&text);
        Ok(self.out.write_all(&text)?)
    }
}

/// Writes all rows of these tables. Nobody else may write to the database meanwhile.
///
/// # Errors
///
/// When the database can't be read, or nobody takes what is written.
pub async fn export(
    store: &dyn Store,
    tables: &[Definition],
    header: &Header,
    out: &mut (dyn Write + Send),
) -> Result<Counts, DumpError> {
    let mut out = Digested { out, digest: Sha256::new() };
    out.line(header)?;
    let mut counts = Counts::new();
    for definition in tables {
        let table = known(&definition.name)
            .ok_or_else(|| StoreError::Wrong(format!("there is no table `{}`", definition.name)))?;
        let mut wanted = Query {
            table,
            index: None,
            partition: None,
            from: None,
            until: None,
            descending: false,
            limit: PAGE,
            after: None,
        };
        let count = counts.entry(definition.name.clone()).or_default();
        loop {
            let page = store.query(&wanted).await?;
            for stored in &page.rows {
                let row = stored.row.iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
                out.line(&Line { table: definition.name.clone(), row })?;
                *count += 1;
            }
            match page.next {
                Some(next) => wanted.after = Some(next),
                None => break,
            }
        }
    }
    let sha256 = hex(&out.digest.clone().finalize());
    out.line(&End { end: counts.clone(), sha256 })?;
    out.out.flush()?;
    Ok(counts)
}

/// What an export holds, once all of it was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// Its first line.
    pub header: Header,
    /// The rows.
    pub rows: Vec<(Table, Row)>,
}

impl Export {
    /// Reads an export, and looks whether it is whole, unchanged, and fits these tables.
    ///
    /// # Errors
    ///
    /// When it isn't.
    pub fn read(mut from: impl BufRead, tables: &[Definition]) -> Result<Self, DumpError> {
        let mut digest = Sha256::new();
        let mut text = Vec::new();
        let mut next = |text: &mut Vec<u8>| -> Result<bool, DumpError> {
            text.clear();
            Ok(from.read_until(b'\n', text)? > 0)
        };
        if !next(&mut text)? {
            return Err(DumpError::NoneSuch("it is empty".to_owned()));
        }
        let header = first(&text)?;
        digest.update(&text);
        let tables: BTreeMap<&str, (Table, &Definition)> =
            tables.iter().filter_map(|one| Some((one.name.as_str(), (known(&one.name)?, one)))).collect();
        let mut rows = Vec::new();
        let mut keys = BTreeSet::new();
        let mut counts: Counts = tables.keys().map(|name| ((*name).to_owned(), 0)).collect();
        for line in 2.. {
            if !next(&mut text)? || text.last() != Some(&b'\n') {
                return Err(DumpError::CutOff);
            }
            if let Ok(End { end, sha256 }) = serde_json::from_slice::<End>(&text) {
                let is_same = sha256 == hex(&digest.finalize()) && end == counts;
                if !is_same || next(&mut text)? {
                    return Err(DumpError::Changed);
                }
                break;
            }
            digest.update(&text);
            let wrong = |reason: String| DumpError::Line { line, reason };
            let Line { table, row } = serde_json::from_slice(&text).map_err(|error| wrong(unread(&error)))?;
            let (found, definition) = tables
                .get(table.as_str())
                .ok_or_else(|| wrong(format!("this gosling has no table `{table}`")))?;
            let row = of_json(definition, row).map_err(wrong)?;
            let key: Vec<String> =
                definition.primary_key.iter().map(|name| format!("{:?}", row.get(name))).collect();
            if !keys.insert((*found, key)) {
                return Err(wrong(format!("a row of `{table}` comes a second time")));
            }
            *counts.entry(table).or_default() += 1;
            rows.push((*found, row));
        }
        Ok(Self { header, rows })
    }

    /// Whether every row says something to this program.
    ///
    /// # Errors
    ///
    /// When one doesn't.
    pub fn check(&self) -> Result<(), DumpError> {
        for (at, (table, row)) in self.rows.iter().enumerate() {
            let checked = match table.0 {
                "runners" => RunnerRecord::from_row(row).map(drop),
                "eggs_config" => EggRecord::from_row(row).map(drop),
                "sync_history" => SyncRecord::from_row(row).map(drop),
                "demand" => JobRecord::from_row(row).map(drop),
                // Two records share the table, told apart by the key.
                "nest" if row.get("nest_name") == NestLink::id().first() => NestLink::from_row(row).map(drop),
                "nest" => NestRecord::from_row(row).map(drop),
                "audit_logs" => AuditEntry::from_row(row).map(drop),
                "deployment_plans" => PlanRecord::from_row(row).map(drop),
                "runner_metrics" => RunnerMetric::from_row(row).map(drop),
                "deliveries" => Delivery::from_row(row).map(drop),
                "leases" => Lease::from_row(row).map(drop),
                _ => Ok(()),
            };
            checked.map_err(|error| DumpError::Line { line: at + 2, reason: error.to_string() })?;
        }
        Ok(())
    }
}

/// Whether a database has no row of any of these tables.
///
/// # Errors
///
/// When it can't be read.
pub async fn is_empty(store: &dyn Store, tables: &[Definition]) -> Result<bool, StoreError> {
    for table in tables.iter().filter_map(|definition| known(&definition.name)) {
        let wanted = Query {
            table,
            index: None,
            partition: None,
            from: None,
            until: None,
            descending: false,
            limit: 1,
            after: None,
        };
        if !store.query(&wanted).await?.rows.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The tables by name.
fn known(name: &str) -> Option<Table> {
    // The last have no record of their own here.
    const TABLES: [Table; 13] = [
        RunnerRecord::TABLE,
        EggRecord::TABLE,
        SyncRecord::TABLE,
        JobRecord::TABLE,
        NestRecord::TABLE,
        AuditEntry::TABLE,
        PlanRecord::TABLE,
        RunnerMetric::TABLE,
        Delivery::TABLE,
        Lease::TABLE,
        Table("jobs"),
        Table("tofu_versions"),
        Table("gosling_versions"),
    ];
    TABLES.into_iter().find(|table| table.0 == name)
}

fn first(text: &[u8]) -> Result<Header, DumpError> {
    let none_such =
        |error: &dyn std::fmt::Display| DumpError::NoneSuch(format!("its first line: {}", unread(error)));
    let line: Json = serde_json::from_slice(text).map_err(|error| none_such(&error))?;
    match line.get("gosling_export").and_then(Json::as_u64) {
        Some(VERSION) => {}
        Some(other) => return Err(DumpError::Newer(other)),
        None => return Err(none_such(&"it names no version")),
    }
    serde_json::from_value(line).map_err(|error| none_such(&error))
}

/// A value as the column's type tells it from others. Numbers that JSON doesn't have are texts.
fn to_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) if number.is_finite() => (*number).into(),
        Value::Float(number) => number.to_string().into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Time(time) => time.as_millis().into(),
        Value::Json(json) => json.clone(),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
    }
}

fn of_json(definition: &Definition, row: Map<String, Json>) -> Result<Row, String> {
    if let Some(missing) = definition.primary_key.iter().find(|name| !row.contains_key(*name)) {
        return Err(format!("a row of `{}` without its `{missing}`", definition.name));
    }
    let value = |(name, json): (String, Json)| {
        let column = definition.columns.iter().find(|column| column.name == name);
        let column =
            column.ok_or_else(|| format!("`{}` has no column `{name}` in this gosling", definition.name))?;
        let other =
            || format!("the column `{name}` of `{}` holds something else than it should", definition.name);
        let found = match (column.ty, json) {
            (ColumnType::Json, json) => Value::Json(json),
            (ColumnType::String, Json::String(text)) => Value::Text(text),
            (ColumnType::Bytes, Json::String(text)) => {
                Value::Bytes(STANDARD.decode(text).map_err(|_| other())?)
            }
            (ColumnType::Bool, Json::Bool(truth)) => Value::Bool(truth),
            (ColumnType::Double, Json::String(text)) => Value::Float(text.parse().map_err(|_| other())?),
            (ColumnType::Double, Json::Number(number)) => Value::Float(number.as_f64().ok_or_else(other)?),
            (ColumnType::Int64 | ColumnType::Uint64, Json::Number(number)) => {
                Value::Int(number.as_i64().ok_or_else(other)?)
            }
            (ColumnType::Timestamp, Json::Number(number)) => {
                Value::Time(Time::from_millis(number.as_u64().ok_or_else(other)?))
            }
            _ => return Err(other()),
        };
        Ok((name, found))
    };
    row.into_iter().map(value).collect()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
