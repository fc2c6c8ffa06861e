//! Types of conditions: each field against the policy table of fly-std, each value against its field.

use std::ops::Range;

use fly_std::{
    formats,
    policy::{self, Field, FieldType},
};

use super::messages;
use crate::{
    diag::{Declaration, declare_diagnostic},
    syntax::condition::{Comparison, Condition, Operand, OperandKind, parse},
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

/// Everything wrong inside a condition.
pub(super) fn check(text: &str) -> Vec<Finding> {
    match parse(text) {
        Ok(condition) => {
            let mut findings = Vec::new();
            visit(&condition, &mut findings);
            findings
        }
        Err(error) => vec![Finding {
            kind: &CONDITION_SYNTAX,
            range: error.range,
            message: "this condition can't be read".to_owned(),
            label: error.message,
            note: None,
            help: Some(match &error.replacement {
                Some(text) => format!("write `{text}`"),
                None => "write comparisons joined by AND and OR, such as `failed_count >= 3 AND age > 1h`"
                    .to_owned(),
            }),
            replacement: error.replacement,
        }],
    }
}

fn visit(condition: &Condition, findings: &mut Vec<Finding>) {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => {
            for part in parts {
                visit(part, findings);
            }
        }
        Condition::Not(inner) => visit(inner, findings),
        Condition::Bare(operand) => {
            if let Some(field) = field(operand, findings) {
                findings.push(finding(
                    operand,
                    format!("`{}` alone is no condition", field.name),
                    format!("{} is compared with something", operand.text),
                    Some(field),
                ));
            }
        }
        Condition::In { left, list } => {
            if let Some(field) = field(left, findings) {
                for value in list {
                    compare(field, value, findings);
                }
            }
        }
        Condition::Compare { left, operator, operator_range, right } => {
            // `1h < age` reads as well as `age > 1h`.
            let (of, value) = if left.kind != OperandKind::Field && right.kind == OperandKind::Field {
                (right, left)
            } else {
                (left, right)
            };
            let Some(field) = field(of, findings) else { return };
            if operator.is_order() && !field.ty.ordered() {
                findings.push(order(field, *operator, operator_range.clone()));
            } else {
                compare(field, value, findings);
            }
        }
    }
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
    let found = policy::find(&operand.text).filter(|_| operand.kind == OperandKind::Field);
    if found.is_none() {
        let names = policy::FIELDS.iter().map(|field| field.name);
        let nearest = messages::nearest(&operand.text, names.clone());
        let (message, label) = if operand.kind == OperandKind::Field {
            (format!("conditions know no field `{}`", operand.text), "not a field".to_owned())
        } else {
            (format!("`{}` is a value; a comparison needs a field", operand.text), "not a field".to_owned())
        };
        findings.push(Finding {
            kind: &CONDITION_FIELD,
            range: operand.range.clone(),
            message,
            label,
            note: Some(format!("the fields are {}", messages::list(names, "and"))),
            help: nearest.map(|name| format!("did you mean `{name}`?")),
            replacement: nearest.map(str::to_owned),
        });
    }
    found
}

fn compare(field: &'static Field, value: &Operand, findings: &mut Vec<Finding>) {
    if value.kind == OperandKind::Field {
        let Some(other) = policy::find(&value.text) else {
            findings.push(bare_word(field, value));
            return;
        };
        if std::mem::discriminant(&other.ty) != std::mem::discriminant(&field.ty) {
            findings.push(finding(
                value,
                format!("`{}` is {}, `{}` is {}", field.name, field.ty.noun(), other.name, other.ty.noun()),
                format!("not {}", field.ty.noun()),
                Some(field),
            ));
        }
        return;
    }
    let wrong = match (field.ty, value.kind) {
        (FieldType::Duration, OperandKind::Number) => {
            formats::duration::parse(&value.text).err().map(|e| e.message)
        }
        (FieldType::Percent, OperandKind::Number) => {
            let text =
                if value.text.ends_with('%') { value.text.clone() } else { format!("{}%", value.text) };
            formats::percent::parse(&text).err().map(|e| e.message)
        }
        (FieldType::Int, OperandKind::Number) => {
            value.text.replace('_', "").parse::<u32>().err().map(|_| "not a whole number".to_owned())
        }
        (FieldType::Enum(variants), OperandKind::Text) => {
            if variants.iter().any(|variant| variant.name == value.text) {
                None
            } else {
                let nearest = messages::nearest(&value.text, variants.iter().map(|variant| variant.name));
                let help = nearest.map(|name| format!("did you mean `'{name}'`?"));
                findings.push(Finding {
                    help,
                    replacement: nearest.map(|name| format!("'{name}'")),
                    ..finding(
                        value,
                        format!("`{}` is never '{}'", field.name, value.text),
                        "none of its values".to_owned(),
                        Some(field),
                    )
                });
                return;
            }
        }
        (FieldType::String, OperandKind::Text) => None,
        _ => Some(format!("not {}", field.ty.noun())),
    };
    if let Some(label) = wrong {
        findings.push(finding(
            value,
            format!("`{}` wants {}, found `{}`", field.name, field.ty.noun(), value.text),
            label,
            Some(field),
        ));
    }
}

/// A word without quotes where a value belongs.
fn bare_word(field: &'static Field, value: &Operand) -> Finding {
    let quoted = match field.ty {
        FieldType::Enum(variants) => variants.iter().any(|variant| variant.name == value.text),
        FieldType::String => true,
        FieldType::Duration | FieldType::Percent | FieldType::Int => false,
    };
    let mut finding = finding(
        value,
        format!("`{}` wants {}, found the bare word `{}`", field.name, field.ty.noun(), value.text),
        if quoted { "texts stand in single quotes" } else { "not a value" }.to_owned(),
        Some(field),
    );
    if quoted {
        finding.help = Some(format!("write `'{}'`", value.text));
        finding.replacement = Some(format!("'{}'", value.text));
    }
    finding
}

fn finding(at: &Operand, message: String, label: String, field: Option<&'static Field>) -> Finding {
    Finding {
        kind: &CONDITION_TYPE,
        range: at.range.clone(),
        message,
        label,
        note: field.map(|field| format!("`{}` is {}", field.name, field.doc)),
        help: field.map(|field| format!("write a comparison such as `{}`", field.example)),
        replacement: None,
    }
}
