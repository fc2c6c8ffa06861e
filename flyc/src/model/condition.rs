//! Conditions: what they ask, as a [`Predicate`], and their types: each field against the policy table of fly-std, each
//! value against its field.

use std::ops::Range;

use fly_std::{
    formats,
    policy::{self, Condition as Compiled, Constant, Field, FieldId, FieldType, Predicate},
};

use super::messages;
use crate::{
    diag::{Declaration, declare_diagnostic},
    syntax::condition::{Comparison, Condition, ConditionKind, Operand, OperandKind, parse},
};

declare_diagnostic! { pub CONDITION_SYNTAX = "condition-syntax", Error, "a condition that does not have the form of one" }
declare_diagnostic! { pub CONDITION_FIELD = "condition-field", Error, "a field that conditions do not know" }
declare_diagnostic! { pub CONDITION_TYPE = "condition-type", Error, "a comparison of a field with a value of another type" }

/// Something wrong inside a condition.
pub(super) struct Finding {
    pub(super) kind: &'static Declaration,
    /// Where in the condition's text.
    pub(super) range: Range<usize>,
    pub(super) message: String,
    pub(super) label: String,
    pub(super) note: Option<String>,
    pub(super) help: Option<String>,
    /// What the range should be replaced by.
    pub(super) replacement: Option<String>,
}

/// The compiled condition, or everything wrong inside it.
pub(super) fn check(text: &str) -> Result<Compiled, Vec<Finding>> {
    let condition = parse(text).map_err(|error| {
        vec![Finding {
            kind: &CONDITION_SYNTAX,
            range: error.range,
            message: "this condition can't be read".to_owned(),
            label: error.message,
            note: None,
            help: Some(match &error.replacement {
                Some(text) => format!("write `{}`", text.trim_end()),
                None => "write comparisons joined by AND and OR, such as `failed_count >= 3 AND age > 1h`"
                    .to_owned(),
            }),
            replacement: error.replacement,
        }]
    })?;
    let mut findings = Vec::new();
    match compile(&condition, &mut findings) {
        Some(predicate) if findings.is_empty() => Ok(Compiled { text: text.into(), predicate }),
        _ => Err(findings),
    }
}

/// What a condition asks; `None` when something is wrong with it.
pub fn compile_condition(text: &str) -> Option<Compiled> {
    check(text).ok()
}

/// How the parts of a condition are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// By `AND`; so is a condition of one part.
    All,
    /// By `OR`.
    Any,
}

/// A part of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionPart {
    /// Where in the condition's text, with the parentheses around it.
    pub range: Range<usize>,
    /// What it asks.
    pub predicate: Predicate,
}

/// The parts of a condition that are joined at its top; none when something is wrong with it.
pub fn condition_parts(text: &str) -> (Join, Vec<ConditionPart>) {
    let Ok(condition) = parse(text) else { return (Join::All, Vec::new()) };
    let join = if matches!(condition.kind, ConditionKind::Or(_)) { Join::Any } else { Join::All };
    let mut parts = Vec::new();
    collect(&condition, join, &mut parts);
    (join, parts)
}

fn collect(condition: &Condition, join: Join, parts: &mut Vec<ConditionPart>) {
    match (&condition.kind, join) {
        (ConditionKind::And(inner), Join::All) | (ConditionKind::Or(inner), Join::Any) => {
            for part in inner {
                collect(part, join, parts);
            }
        }
        _ => {
            let predicate = compile(condition, &mut Vec::new());
            parts.extend(
                predicate.map(|predicate| ConditionPart { range: condition.range.clone(), predicate }),
            );
        }
    }
}

/// The texts that a condition compares a field with, and where in it they stand with their quotes.
pub fn condition_texts(text: &str, field: FieldId) -> Vec<(String, Range<usize>)> {
    let Ok(condition) = parse(text) else { return Vec::new() };
    let mut texts = Vec::new();
    for comparison in condition.comparisons() {
        let operands: Vec<&Operand> = match &comparison.kind {
            ConditionKind::Compare { left, right, .. } => vec![left, right],
            ConditionKind::In { left, list } => std::iter::once(left).chain(list).collect(),
            _ => Vec::new(),
        };
        if operands.iter().any(|operand| known(operand).is_some_and(|known| known.id == field)) {
            let values = operands.iter().filter(|operand| operand.kind == OperandKind::Text);
            texts.extend(values.map(|operand| (operand.text.clone(), operand.range.clone())));
        }
    }
    texts
}

fn compile(condition: &Condition, findings: &mut Vec<Finding>) -> Option<Predicate> {
    match &condition.kind {
        ConditionKind::And(parts) => every(parts, findings).map(Predicate::all),
        ConditionKind::Or(parts) => every(parts, findings).map(Predicate::any),
        ConditionKind::Not(inner) => compile(inner, findings).map(Predicate::negated),
        ConditionKind::Bare(operand) => {
            if let Some(field) = field(operand, findings) {
                findings.push(finding(
                    operand,
                    format!("`{}` alone is no condition", field.name),
                    format!("{} is compared with something", operand.text),
                    field,
                ));
            }
            None
        }
        ConditionKind::In { left, list } => {
            let field = field(left, findings)?;
            let values: Vec<_> = list.iter().map(|value| listed(field, value, findings)).collect();
            let values = values.into_iter().collect::<Option<_>>()?;
            Some(Predicate::In { field: field.id, values })
        }
        ConditionKind::Compare { left, operator, operator_range, right } => {
            if left.kind != OperandKind::Field && right.kind != OperandKind::Field {
                findings.push(two_values(left, right));
                return None;
            }
            // `1h < age` reads as well as `age > 1h`, and so does `apex == state`, but for the quotes.
            let swapped = left.kind != OperandKind::Field
                || (known(left).is_none() && known(right).is_some_and(|field| takes(field, &left.text)));
            let (of, operator, value) =
                if swapped { (right, operator.flipped(), left) } else { (left, *operator, right) };
            let field = field(of, findings)?;
            if operator.is_order() && !field.ty.ordered() {
                findings.push(order(field, operator, operator_range.clone()));
                return None;
            }
            if value.kind == OperandKind::Field {
                return other_field(field, operator, of, value, findings);
            }
            let value = constant(field, value, findings)?;
            Some(Predicate::Compare { field: field.id, operator, value })
        }
    }
}

/// Every part is looked at, even after a wrong one.
fn every(parts: &[Condition], findings: &mut Vec<Finding>) -> Option<Vec<Predicate>> {
    let parts: Vec<_> = parts.iter().map(|part| compile(part, findings)).collect();
    parts.into_iter().collect()
}

fn known(operand: &Operand) -> Option<&'static Field> {
    policy::find(&operand.text).filter(|_| operand.kind == OperandKind::Field)
}

fn two_values(left: &Operand, right: &Operand) -> Finding {
    Finding {
        kind: &CONDITION_FIELD,
        range: left.range.start..right.range.end,
        message: "a comparison of two values asks nothing of a runner".to_owned(),
        label: "no field in it".to_owned(),
        note: Some(fields_note()),
        help: Some("compare a field, such as `age > 1h`".to_owned()),
        replacement: None,
    }
}

fn fields_note() -> String {
    format!("the fields are {}", messages::list(policy::FIELDS.iter().map(|field| field.name), "and"))
}

fn order(field: &'static Field, operator: Comparison, range: Range<usize>) -> Finding {
    Finding {
        kind: &CONDITION_TYPE,
        range,
        message: format!("`{}` has no order, so `{}` says nothing about it", field.name, operator.as_str()),
        label: "compare with `==`, `!=` or `IN`".to_owned(),
        note: Some(format!("`{}` is {}", field.name, field.doc)),
        help: Some(format!("write a comparison such as `{}`", field.example)),
        replacement: None,
    }
}

fn field(operand: &Operand, findings: &mut Vec<Finding>) -> Option<&'static Field> {
    let found = known(operand);
    if found.is_none() {
        let is_name = operand.kind == OperandKind::Field;
        let names = policy::FIELDS.iter().map(|field| field.name);
        let nearest = messages::nearest(&operand.text, names).filter(|_| is_name);
        let (message, label) = if is_name {
            (format!("conditions know no field `{}`", operand.text), "not a field")
        } else {
            (format!("`{}` is a value; a comparison needs a field", operand.text), "not a field")
        };
        findings.push(Finding {
            kind: &CONDITION_FIELD,
            range: operand.range.clone(),
            message,
            label: label.to_owned(),
            note: Some(fields_note()),
            help: nearest.map(|name| format!("did you mean `{name}`?")),
            replacement: nearest.map(str::to_owned),
        });
    }
    found
}

/// A field compared with another.
fn other_field(
    field: &'static Field,
    operator: Comparison,
    of: &Operand,
    value: &Operand,
    findings: &mut Vec<Finding>,
) -> Option<Predicate> {
    let Some(other) = policy::find(&value.text) else {
        findings.push(bare_word(field, value));
        return None;
    };
    if other.id == field.id {
        findings.push(Finding {
            range: of.range.start.min(value.range.start)..of.range.end.max(value.range.end),
            ..finding(
                value,
                format!("`{}` is compared with itself", field.name),
                "the same for every runner".to_owned(),
                field,
            )
        });
        return None;
    }
    if other.ty != field.ty {
        findings.push(finding(
            value,
            format!("`{}` is {}, `{}` is {}", field.name, field.ty.noun(), other.name, other.ty.noun()),
            format!("not {}", field.ty.noun()),
            field,
        ));
        return None;
    }
    Some(Predicate::CompareFields { left: field.id, operator, right: other.id })
}

/// A value of a list.
fn listed(field: &'static Field, value: &Operand, findings: &mut Vec<Finding>) -> Option<Constant> {
    if value.kind != OperandKind::Field {
        return constant(field, value, findings);
    }
    findings.push(match policy::find(&value.text) {
        None => bare_word(field, value),
        Some(other) => finding(
            value,
            format!("a list holds values, and `{}` is a field", other.name),
            "not a value".to_owned(),
            field,
        ),
    });
    None
}

/// A value as the field's type reads it.
fn constant(field: &'static Field, value: &Operand, findings: &mut Vec<Finding>) -> Option<Constant> {
    let text = value.text.as_str();
    let read = match (field.ty, value.kind) {
        (FieldType::Duration, OperandKind::Number) => duration(text),
        (FieldType::Percent, OperandKind::Number) => percent(text),
        (FieldType::Int, OperandKind::Number) => count(text),
        (FieldType::Enum(variants), OperandKind::Text) => {
            if variants.iter().any(|variant| variant.name == text) {
                Ok(Constant::Text(text.into()))
            } else {
                let nearest = messages::nearest(text, variants.iter().map(|variant| variant.name));
                findings.push(with_fix(
                    finding(
                        value,
                        format!("`{}` is never '{text}'", field.name),
                        "none of its values".to_owned(),
                        field,
                    ),
                    nearest.map(|name| (format!("did you mean `'{name}'`?"), format!("'{name}'"))),
                ));
                return None;
            }
        }
        (FieldType::String, OperandKind::Text) => Ok(Constant::Text(text.into())),
        (ty, OperandKind::Text) => {
            // Perhaps only the quotes are too much.
            let bare = match ty {
                FieldType::Duration => duration(text).is_ok(),
                FieldType::Percent => percent(text).is_ok(),
                FieldType::Int => count(text).is_ok(),
                FieldType::Enum(_) | FieldType::String => false,
            };
            Err(Misread {
                label: format!("not {}", ty.noun()),
                help: bare.then(|| (format!("write it without quotes: `{text}`"), Some(text.to_owned()))),
            })
        }
        (ty, _) => Err(Misread {
            label: format!("not {}", ty.noun()),
            help: takes(field, text)
                .then(|| (format!("texts stand in single quotes: `'{text}'`"), Some(format!("'{text}'")))),
        }),
    };
    let Misread { label, help } = match read {
        Ok(constant) => return Some(constant),
        Err(misread) => misread,
    };
    let found = if value.kind == OperandKind::Text { format!("'{text}'") } else { text.to_owned() };
    let message = format!("`{}` wants {}, found `{found}`", field.name, field.ty.noun());
    let mut finding = finding(value, message, label, field);
    if let Some((help, replacement)) = help {
        (finding.help, finding.replacement) = (Some(help), replacement);
    }
    findings.push(finding);
    None
}

/// Why a value could not be read, and what may have been meant.
struct Misread {
    label: String,
    help: Option<(String, Option<String>)>,
}

fn duration(text: &str) -> Result<Constant, Misread> {
    formats::duration::parse(text).map(Constant::DurationS).map_err(|error| {
        let help = if text.bytes().all(|byte| byte.is_ascii_digit()) {
            // Nobody can tell what `age > 5` would be.
            Some((format!("write the unit, such as `{text}s`, `{text}m` or `{text}h`"), None))
        } else {
            error.suggestion.map(|meant| (format!("write `{meant}`"), Some(meant)))
        };
        Misread { label: error.message, help }
    })
}

fn percent(text: &str) -> Result<Constant, Misread> {
    let written = if text.ends_with('%') { text.to_owned() } else { format!("{text}%") };
    formats::percent::parse(&written).map(Constant::Percent).map_err(|error| {
        let misread =
            if text.starts_with('-') { "no percentage is below 0%".to_owned() } else { error.message };
        Misread {
            label: misread,
            help: error.suggestion.map(|meant| (format!("write `{meant}`"), Some(meant))),
        }
    })
}

fn count(text: &str) -> Result<Constant, Misread> {
    let digits = text.replace('_', "");
    let label = match digits.parse::<u64>() {
        Ok(count) => return Ok(Constant::Count(count)),
        Err(_) if digits.bytes().all(|byte| byte.is_ascii_digit()) => "more than can be counted",
        Err(_) if text.starts_with('-') => "no count is below 0",
        Err(_) => "not a whole number",
    };
    Err(Misread { label: label.to_owned(), help: None })
}

/// Whether the field takes this word as a text.
fn takes(field: &Field, word: &str) -> bool {
    match field.ty {
        FieldType::Enum(variants) => variants.iter().any(|variant| variant.name == word),
        FieldType::String => true,
        FieldType::Duration | FieldType::Percent | FieldType::Int => false,
    }
}

/// A word without quotes where a value belongs.
fn bare_word(field: &'static Field, value: &Operand) -> Finding {
    let quoted = takes(field, &value.text);
    let finding = finding(
        value,
        format!("`{}` wants {}, found the bare word `{}`", field.name, field.ty.noun(), value.text),
        if quoted { "texts stand in single quotes" } else { "not a value" }.to_owned(),
        field,
    );
    let fix = quoted.then(|| (format!("write `'{}'`", value.text), format!("'{}'", value.text)));
    with_fix(finding, fix)
}

fn with_fix(mut finding: Finding, fix: Option<(String, String)>) -> Finding {
    if let Some((help, replacement)) = fix {
        finding.help = Some(help);
        finding.replacement = Some(replacement);
    }
    finding
}

fn finding(at: &Operand, message: String, label: String, field: &'static Field) -> Finding {
    Finding {
        kind: &CONDITION_TYPE,
        range: at.range.clone(),
        message,
        label,
        note: Some(format!("`{}` is {}", field.name, field.doc)),
        help: Some(format!("write a comparison such as `{}`", field.example)),
        replacement: None,
    }
}
