//! Conditions in their compiled form: plain data that can be stored, compared, evaluated and reasoned about.

use std::fmt::{self, Display, Formatter, Write};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::FieldId;
use crate::{
    formats::{duration, percent},
    value::Float,
};

/// A condition as written, and what it was compiled to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The author's text, for people.
    pub text: SmolStr,
    /// What it asks, for programs.
    pub predicate: Predicate,
}

/// What a condition asks of a runner.
///
/// The compiler makes these in one form, and [`Display`] prints a text that is compiled to an equal one again: `And`
/// and `Or` have two parts at least, none of them of the same kind, no `Not` stands in a `Not`, and constants are of
/// the type of their field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    /// `age > 1h`
    Compare {
        /// The field.
        field: FieldId,
        /// How it is compared.
        operator: Comparison,
        /// With what.
        value: Constant,
    },
    /// `idle_time < heartbeat_age`
    CompareFields {
        /// The field on the left.
        left: FieldId,
        /// How they are compared.
        operator: Comparison,
        /// The field on the right, of the same type.
        right: FieldId,
    },
    /// `egg IN ('my-app', 'api')`
    In {
        /// The field.
        field: FieldId,
        /// The values it may have.
        values: Vec<Constant>,
    },
    /// Every one of these.
    And(Vec<Predicate>),
    /// Any one of these.
    Or(Vec<Predicate>),
    /// The opposite.
    Not(Box<Predicate>),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// `==`
    #[serde(rename = "==")]
    Equal,
    /// `!=`
    #[serde(rename = "!=")]
    NotEqual,
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    LessEqual,
    /// `>`
    #[serde(rename = ">")]
    Greater,
    /// `>=`
    #[serde(rename = ">=")]
    GreaterEqual,
}

/// A value that a field is compared with, in base units.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constant {
    /// A text, also one of a closed set.
    Text(SmolStr),
    /// A duration in seconds.
    DurationS(u64),
    /// A count.
    Count(u64),
    /// A percentage, 0 to 100.
    Percent(Float),
}

impl Comparison {
    /// Every operator.
    pub const ALL: [Self; 6] =
        [Self::Equal, Self::NotEqual, Self::Less, Self::LessEqual, Self::Greater, Self::GreaterEqual];

    /// The operator as written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }

    /// Whether it asks for an order and not only for equality.
    pub const fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// The operator that says the same with the sides exchanged: `<` for `>`.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
            Self::Less => Self::Greater,
            Self::LessEqual => Self::GreaterEqual,
            Self::Greater => Self::Less,
            Self::GreaterEqual => Self::LessEqual,
        }
    }
}

impl Predicate {
    /// What holds when every part does. Parts that are themselves an `And` are taken apart; of one part it is that part.
    #[must_use]
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::And(inner) => flat.extend(inner),
                part => flat.push(part),
            }
        }
        only(&mut flat).unwrap_or(Self::And(flat))
    }

    /// What holds when any part does. Parts that are themselves an `Or` are taken apart; of one part it is that part.
    #[must_use]
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::Or(inner) => flat.extend(inner),
                part => flat.push(part),
            }
        }
        only(&mut flat).unwrap_or(Self::Or(flat))
    }

    /// The opposite. That of a `Not` is what stands in it.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// How many `AND`, `OR` and `NOT` stand in each other, the comparison counted.
    pub fn depth(&self) -> usize {
        match self {
            Self::Compare { .. } | Self::CompareFields { .. } | Self::In { .. } => 1,
            Self::Not(inner) => 1 + inner.depth(),
            Self::And(parts) | Self::Or(parts) => 1 + parts.iter().map(Self::depth).max().unwrap_or(0),
        }
    }
}

fn only(parts: &mut Vec<Predicate>) -> Option<Predicate> {
    if parts.len() == 1 { parts.pop() } else { None }
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { field, operator, value } => {
                write!(f, "{} {} {value}", field.name(), operator.as_str())
            }
            Self::CompareFields { left, operator, right } => {
                write!(f, "{} {} {}", left.name(), operator.as_str(), right.name())
            }
            Self::In { field, values } => {
                write!(f, "{} IN (", field.name())?;
                joined(f, values, ", ", |f, value| write!(f, "{value}"))?;
                f.write_char(')')
            }
            Self::And(parts) => joined(f, parts, " AND ", |f, part| match part {
                Self::Or(_) | Self::And(_) => write!(f, "({part})"),
                part => write!(f, "{part}"),
            }),
            Self::Or(parts) => joined(f, parts, " OR ", |f, part| match part {
                Self::Or(_) => write!(f, "({part})"),
                part => write!(f, "{part}"),
            }),
            Self::Not(inner) => match **inner {
                Self::And(_) | Self::Or(_) => write!(f, "NOT ({inner})"),
                _ => write!(f, "NOT {inner}"),
            },
        }
    }
}

fn joined<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    between: &str,
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        write(f, item)?;
    }
    Ok(())
}

impl Display for Constant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{text}'"),
            Self::DurationS(seconds) => f.write_str(&duration::print(*seconds)),
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(number) => f.write_str(&percent::print(*number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn older(hours: u64) -> Predicate {
        Predicate::Compare {
            field: FieldId::Age,
            operator: Comparison::Greater,
            value: Constant::DurationS(hours * 3600),
        }
    }

    #[test]
    fn has_one_form() {
        let (a, b, c) = (older(1), older(2), older(3));
        let inner = Predicate::all([b.clone(), c.clone()]);
        assert_eq!(Predicate::all([a.clone(), inner]), Predicate::And(vec![a.clone(), b.clone(), c.clone()]));
        assert_eq!(Predicate::any([a.clone()]), a);
        assert_eq!(a.clone().negated().negated(), a);
        let deep = Predicate::any([a, Predicate::all([b, c]).negated()]);
        assert_eq!(deep.to_string(), "age > 1h OR NOT (age > 2h AND age > 3h)");
        assert_eq!(deep.depth(), 4);
    }

    #[test]
    fn is_stored_as_readable_json() {
        let predicate = Predicate::any([
            older(1),
            Predicate::In { field: FieldId::Egg, values: vec![Constant::Text("my-app".into())] }.negated(),
            Predicate::Compare {
                field: FieldId::CpuUsage,
                operator: Comparison::LessEqual,
                value: Constant::Percent(Float::new(12.5).unwrap()),
            },
        ]);
        let json = serde_json::json!({ "or": [
            { "compare": { "field": "age", "operator": ">", "value": { "duration_s": 3600 } } },
            { "not": { "in": { "field": "egg", "values": [{ "text": "my-app" }] } } },
            { "compare": { "field": "cpu_usage", "operator": "<=", "value": { "percent": 12.5 } } },
        ] });
        assert_eq!(serde_json::to_value(&predicate).unwrap(), json);
        assert_eq!(serde_json::from_value::<Predicate>(json).unwrap(), predicate);
    }
}
