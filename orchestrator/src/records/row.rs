//! Columns of a row, in and out.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    domain::Time,
    ports::store::{Row, StoreError, Value},
};

/// A row that is put together.
#[derive(Default)]
pub(super) struct Columns(Row);

impl Columns {
    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), Value::Text(value.to_owned()));
        self
    }

    pub(super) fn maybe_text(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    pub(super) fn int(mut self, name: &str, value: u64) -> Self {
        self.0.insert(name.to_owned(), Value::Int(i64::try_from(value).unwrap_or(i64::MAX)));
        self
    }

    pub(super) fn maybe_int(self, name: &str, value: Option<u64>) -> Self {
        match value {
            Some(value) => self.int(name, value),
            None => self,
        }
    }

    pub(super) fn maybe_float(mut self, name: &str, value: Option<f64>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), Value::Float(value));
        }
        self
    }

    pub(super) fn flag(mut self, name: &str, value: bool) -> Self {
        self.0.insert(name.to_owned(), Value::Bool(value));
        self
    }

    pub(super) fn time(mut self, name: &str, value: Time) -> Self {
        self.0.insert(name.to_owned(), Value::Time(value));
        self
    }

    pub(super) fn maybe_time(self, name: &str, value: Option<Time>) -> Self {
        match value {
            Some(value) => self.time(name, value),
            None => self,
        }
    }

    pub(super) fn bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.0.insert(name.to_owned(), Value::Bytes(value.to_vec()));
        self
    }

    /// A document. What can't be written as one is none: no type of ours is such.
    pub(super) fn json(mut self, name: &str, value: &impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(serde_json::Value::Null);
        self.0.insert(name.to_owned(), Value::Json(value));
        self
    }

    /// A word: a value that is written as a text.
    pub(super) fn word(self, name: &str, value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(serde_json::Value::String(word)) => self.text(name, &word),
            _ => self,
        }
    }

    pub(super) fn row(self) -> Row {
        self.0
    }
}

fn wrong(name: &str) -> StoreError {
    StoreError::Wrong(format!("the column `{name}` is missing or holds something else"))
}

pub(super) fn text(row: &Row, name: &str) -> Result<String, StoreError> {
    maybe_text(row, name).ok_or_else(|| wrong(name))
}

pub(super) fn maybe_text(row: &Row, name: &str) -> Option<String> {
    match row.get(name) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

pub(super) fn int(row: &Row, name: &str) -> Result<u64, StoreError> {
    maybe_int(row, name).ok_or_else(|| wrong(name))
}

pub(super) fn maybe_int(row: &Row, name: &str) -> Option<u64> {
    match row.get(name) {
        Some(Value::Int(number)) => u64::try_from(*number).ok(),
        _ => None,
    }
}

pub(super) fn maybe_float(row: &Row, name: &str) -> Option<f64> {
    match row.get(name) {
        Some(Value::Float(number)) => Some(*number),
        _ => None,
    }
}

pub(super) fn flag(row: &Row, name: &str) -> bool {
    matches!(row.get(name), Some(Value::Bool(true)))
}

pub(super) fn time(row: &Row, name: &str) -> Result<Time, StoreError> {
    maybe_time(row, name).ok_or_else(|| wrong(name))
}

pub(super) fn maybe_time(row: &Row, name: &str) -> Option<Time> {
    match row.get(name) {
        Some(Value::Time(time)) => Some(*time),
        _ => None,
    }
}

pub(super) fn bytes(row: &Row, name: &str) -> Vec<u8> {
    match row.get(name) {
        Some(Value::Bytes(bytes)) => bytes.clone(),
        _ => Vec::new(),
    }
}

pub(super) fn json<T: DeserializeOwned>(row: &Row, name: &str) -> Result<T, StoreError> {
    match row.get(name) {
        Some(Value::Json(value)) => T::deserialize(value).map_err(|_| wrong(name)),
        _ => Err(wrong(name)),
    }
}

pub(super) fn word<T: DeserializeOwned>(row: &Row, name: &str) -> Result<T, StoreError> {
    T::deserialize(serde_json::Value::String(text(row, name)?)).map_err(|_| wrong(name))
}
