//! Functions over numbers and other amounts.

use std::cmp::Ordering;

use super::{CallError, Function, Kind, Param, Returns, mismatch};
use crate::value::{Float, Value};

const AMOUNT: Param = Param::new("value", Kind::AMOUNTS);
const AMOUNTS: Param = Param::new("values", Kind::AMOUNTS);
const NUMBER: Param = Param::new("number", Kind::NUMBERS);

pub(super) const MIN: Function = Function {
    name: "min",
    params: &[AMOUNT],
    rest: Some(AMOUNTS),
    doc: "the smallest of the values, which are all numbers, all durations, all sizes or all percentages",
    example: ("min(3, 1, 2)", "1"),
    result: Returns::SameAsFirst,
    call: |arguments| best(arguments, Ordering::Less),
};

pub(super) const MAX: Function = Function {
    name: "max",
    params: &[AMOUNT],
    rest: Some(AMOUNTS),
    doc: "the largest of the values, which are all numbers, all durations, all sizes or all percentages",
    example: ("max(10m, 1h)", "1h"),
    result: Returns::SameAsFirst,
    call: |arguments| best(arguments, Ordering::Greater),
};

fn best(arguments: &[Value], wanted: Ordering) -> Result<Value, CallError> {
    let mut best = arguments.first().ok_or_else(|| mismatch(0))?;
    for (index, value) in arguments.iter().enumerate().skip(1) {
        let order = compare(value, best).ok_or_else(|| {
            CallError::argument(
                index,
                format!("{} and {} have no order between them", best.noun(), value.noun()),
            )
        })?;
        if order == wanted {
            best = value;
        }
    }
    Ok(best.clone())
}

/// The order of two amounts of one kind; whole numbers and fractions are compared with each other.
#[expect(clippy::cast_precision_loss, reason = "only the order is wanted, and equal numbers stay equal")]
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Duration(left), Value::Duration(right)) | (Value::Size(left), Value::Size(right)) => {
            Some(left.cmp(right))
        }
        (Value::Float(left), Value::Float(right)) | (Value::Percent(left), Value::Percent(right)) => {
            left.get().partial_cmp(&right.get())
        }
        (Value::Int(left), Value::Float(right)) => (*left as f64).partial_cmp(&right.get()),
        (Value::Float(left), Value::Int(right)) => left.get().partial_cmp(&(*right as f64)),
        _ => None,
    }
}

pub(super) const ABS: Function = Function {
    name: "abs",
    params: &[NUMBER],
    rest: None,
    doc: "the number without its sign",
    example: ("abs(-3)", "3"),
    result: Returns::SameAsFirst,
    call: |arguments| match arguments.first() {
        Some(Value::Int(number)) => number
            .checked_abs()
            .map(Value::Int)
            .ok_or_else(|| CallError::argument(0, "more than can be counted")),
        Some(Value::Float(number)) => {
            Float::new(number.get().abs()).map(Value::Float).ok_or_else(|| mismatch(0))
        }
        _ => Err(mismatch(0)),
    },
};

pub(super) const CEIL: Function = Function {
    name: "ceil",
    params: &[NUMBER],
    rest: None,
    doc: "the smallest whole number that is not below the number",
    example: ("ceil(1.2)", "2"),
    result: Returns::Kind(Kind::Int),
    call: |arguments| rounded(arguments, f64::ceil),
};

pub(super) const FLOOR: Function = Function {
    name: "floor",
    params: &[NUMBER],
    rest: None,
    doc: "the largest whole number that is not above the number",
    example: ("floor(1.8)", "1"),
    result: Returns::Kind(Kind::Int),
    call: |arguments| rounded(arguments, f64::floor),
};

#[expect(clippy::cast_possible_truncation, reason = "checked to lie within the whole numbers first")]
fn rounded(arguments: &[Value], how: fn(f64) -> f64) -> Result<Value, CallError> {
    // 2^63, the first whole number above `i64`, which a `f64` holds exactly.
    const ABOVE: f64 = 9_223_372_036_854_775_808.0;
    match arguments.first() {
        Some(Value::Int(number)) => Ok(Value::Int(*number)),
        Some(Value::Float(number)) => {
            let number = how(number.get());
            if (-ABOVE..ABOVE).contains(&number) {
                Ok(Value::Int(number as i64))
            } else {
                Err(CallError::argument(0, "more than can be counted"))
            }
        }
        _ => Err(mismatch(0)),
    }
}
