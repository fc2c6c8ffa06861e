//! Functions over lists and maps.

use std::cmp::Ordering;

use rustc_hash::FxHashSet;

use super::{
    CallError, Function, Kind, MAX_ITEMS, Param, Returns, count, int, list, map, mismatch, number, text,
};
use crate::value::Value;

const LIST: Param = Param::new("list", &[Kind::List]);
const MAP: Param = Param::new("map", &[Kind::Map]);

pub(super) const CONCAT: Function = Function {
    name: "concat",
    params: &[LIST],
    rest: Some(Param::new("lists", &[Kind::List])),
    doc: "one list of the values of all the lists, in order",
    example: ("concat([\"a\"], [\"b\", \"c\"])", "[\"a\", \"b\", \"c\"]"),
    result: Returns::SameAsFirst,
    call: concat,
};

fn concat(arguments: &[Value]) -> Result<Value, CallError> {
    let mut values = Vec::new();
    for index in 0..arguments.len() {
        let part = list(arguments, index)?;
        if values.len() + part.len() > MAX_ITEMS {
            return Err(CallError::whole(format!("this comes to more than {MAX_ITEMS} values")));
        }
        values.extend_from_slice(part);
    }
    Ok(Value::List(values))
}

pub(super) const LENGTH: Function = Function {
    name: "length",
    params: &[Param::new("value", &[Kind::String, Kind::List, Kind::Map])],
    rest: None,
    doc: "the number of characters of a text, of values of a list, or of entries of a map",
    example: ("length([\"a\", \"b\"])", "2"),
    result: Returns::Kind(Kind::Int),
    call: |arguments| match arguments.first() {
        Some(Value::String(text)) => Ok(count(text.chars().count())),
        Some(Value::List(values)) => Ok(count(values.len())),
        Some(Value::Map(entries)) => Ok(count(entries.len())),
        _ => Err(mismatch(0)),
    },
};

pub(super) const CONTAINS: Function = Function {
    name: "contains",
    params: &[Param::new("where", &[Kind::String, Kind::List, Kind::Map]), Param::new("what", Kind::ALL)],
    rest: None,
    doc: "whether the text holds this text, the list this value, or the map this name",
    example: ("contains([\"a\", \"b\"], \"b\")", "true"),
    result: Returns::Kind(Kind::Bool),
    call: |arguments| {
        let found = match arguments {
            [Value::List(values), what] => values.contains(what),
            [Value::String(whole), _] => whole.contains(text(arguments, 1)?),
            [Value::Map(entries), _] => {
                let name = text(arguments, 1)?;
                entries.iter().any(|(entry, _)| entry == name)
            }
            _ => return Err(mismatch(0)),
        };
        Ok(Value::Bool(found))
    },
};

pub(super) const KEYS: Function = Function {
    name: "keys",
    params: &[MAP],
    rest: None,
    doc: "the list of the map's names, in the order they were written",
    example: ("keys({ a = 1, b = 2 })", "[\"a\", \"b\"]"),
    result: Returns::Strings,
    call: |arguments| {
        Ok(Value::List(map(arguments, 0)?.iter().map(|(name, _)| Value::String(name.clone())).collect()))
    },
};

pub(super) const VALUES: Function = Function {
    name: "values",
    params: &[MAP],
    rest: None,
    doc: "the list of the map's values, in the order they were written",
    example: ("values({ a = 1, b = 2 })", "[1, 2]"),
    result: Returns::ValuesOfFirst,
    call: |arguments| Ok(Value::List(map(arguments, 0)?.iter().map(|(_, value)| value.clone()).collect())),
};

pub(super) const MERGE: Function = Function {
    name: "merge",
    params: &[MAP],
    rest: Some(Param::new("maps", &[Kind::Map])),
    doc: "one map of the entries of all the maps; where a name stands twice, the later map's value holds",
    example: ("merge({ a = 1, b = 2 }, { b = 3 })", "{ a = 1, b = 3 }"),
    result: Returns::SameAsFirst,
    call: merge,
};

fn merge(arguments: &[Value]) -> Result<Value, CallError> {
    let mut places = rustc_hash::FxHashMap::default();
    let mut merged: Vec<(smol_str::SmolStr, Value)> = Vec::new();
    for index in 0..arguments.len() {
        for (name, value) in map(arguments, index)? {
            let place = *places.entry(name.clone()).or_insert(merged.len());
            if let Some(entry) = merged.get_mut(place) {
                entry.1 = value.clone();
            } else if merged.len() == MAX_ITEMS {
                return Err(CallError::whole(format!("this comes to more than {MAX_ITEMS} values")));
            } else {
                merged.push((name.clone(), value.clone()));
            }
        }
    }
    Ok(Value::Map(merged))
}

pub(super) const COALESCE: Function = Function {
    name: "coalesce",
    params: &[Param::new("value", Kind::ALL)],
    rest: Some(Param::new("values", Kind::ALL)),
    doc: "the first of the values that is not an empty text, list or map; the last one when all are",
    example: ("coalesce(\"\", \"eu\")", "\"eu\""),
    result: Returns::SameAsFirst,
    call: |arguments| {
        let empty = |value: &&Value| match value {
            Value::String(text) => text.is_empty(),
            Value::List(values) => values.is_empty(),
            Value::Map(entries) => entries.is_empty(),
            Value::Int(_)
            | Value::Float(_)
            | Value::Bool(_)
            | Value::Duration(_)
            | Value::Size(_)
            | Value::Percent(_)
            | Value::Condition(_)
            | Value::Secret(_) => false,
        };
        let found = arguments.iter().find(|value| !empty(value)).or_else(|| arguments.last());
        found.cloned().ok_or_else(|| mismatch(0))
    },
};

pub(super) const DISTINCT: Function = Function {
    name: "distinct",
    params: &[LIST],
    rest: None,
    doc: "the list with each value once, where it stands first",
    example: ("distinct([\"a\", \"b\", \"a\"])", "[\"a\", \"b\"]"),
    result: Returns::SameAsFirst,
    call: |arguments| {
        let mut seen = FxHashSet::default();
        Ok(Value::List(list(arguments, 0)?.iter().filter(|value| seen.insert(*value)).cloned().collect()))
    },
};

pub(super) const SORT: Function = Function {
    name: "sort",
    params: &[LIST],
    rest: None,
    doc: "the list's values from the smallest to the largest; texts by their characters' code points",
    example: ("sort([\"b\", \"a\"])", "[\"a\", \"b\"]"),
    result: Returns::SameAsFirst,
    call: sort,
};

fn sort(arguments: &[Value]) -> Result<Value, CallError> {
    let mut values = list(arguments, 0)?.to_vec();
    if let Some(first) = values.first() {
        // Every value comparable with the first is comparable with every other: kinds are classes.
        for value in &values {
            if compare(first, value).is_none() {
                return Err(CallError::argument(
                    0,
                    format!("{} and {} have no order between them", first.noun(), value.noun()),
                ));
            }
        }
    }
    values.sort_by(|left, right| compare(left, right).unwrap_or(Ordering::Equal));
    Ok(Value::List(values))
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => number::compare(left, right),
    }
}

pub(super) const SLICE: Function = Function {
    name: "slice",
    params: &[LIST, Param::new("from", &[Kind::Int]), Param::new("to", &[Kind::Int])],
    rest: None,
    doc: "the list's values from place `from`, counted from 0, up to but without place `to`",
    example: ("slice([\"a\", \"b\", \"c\"], 0, 2)", "[\"a\", \"b\"]"),
    result: Returns::SameAsFirst,
    call: slice,
};

fn slice(arguments: &[Value]) -> Result<Value, CallError> {
    let values = list(arguments, 0)?;
    let place = |index: usize| {
        let written = int(arguments, index)?;
        usize::try_from(written).ok().filter(|place| *place <= values.len()).ok_or_else(|| {
            CallError::argument(
                index,
                format!("`{written}` is not a place in this list (0 to {})", values.len()),
            )
        })
    };
    let (from, to) = (place(1)?, place(2)?);
    let part = values.get(from..to).ok_or_else(|| CallError::argument(1, "`from` is after `to`"))?;
    Ok(Value::List(part.to_vec()))
}
