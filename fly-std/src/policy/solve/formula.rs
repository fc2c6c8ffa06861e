//! What must be so of a runner for a condition to be true of it, without `NOT`: sets of values of fields, outcomes of
//! comparing two fields, and how they are joined.

use std::rc::Rc;

use super::domain::Domain;
use crate::policy::{Comparison, FIELDS, FieldId, Predicate};

/// A set of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields(u32);

impl Fields {
    pub(super) const ALL: Self = Self(u32::MAX);

    /// Those that are known of every runner.
    pub(super) fn always_known() -> Self {
        FIELDS.iter().filter(|field| !field.may_be_unknown).fold(Self(0), |all, field| all.with(field.id))
    }

    pub(super) const fn with(self, field: FieldId) -> Self {
        Self(self.0 | 1 << field as u32)
    }

    pub(super) const fn without(self, field: FieldId) -> Self {
        Self(self.0 & !(1 << field as u32))
    }

    pub(super) const fn contains(self, field: FieldId) -> bool {
        self.0 & 1 << field as u32 != 0
    }
}

/// How two fields compare: which of below, equal and above are possible.
pub(super) type Outcomes = u8;
pub(super) const BELOW: Outcomes = 1;
pub(super) const EQUAL: Outcomes = 2;
pub(super) const ABOVE: Outcomes = 4;
const ANY: Outcomes = BELOW | EQUAL | ABOVE;

const fn outcomes(operator: Comparison) -> Outcomes {
    match operator {
        Comparison::Equal => EQUAL,
        Comparison::NotEqual => BELOW | ABOVE,
        Comparison::Less => BELOW,
        Comparison::LessEqual => BELOW | EQUAL,
        Comparison::Greater => ABOVE,
        Comparison::GreaterEqual => ABOVE | EQUAL,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Formula {
    Constant(bool),
    /// The field's value is one of these.
    Field(FieldId, Rc<Domain>),
    /// Comparing the two fields, the first of them the earlier in [`FIELDS`], gives one of these.
    Pair(FieldId, FieldId, Outcomes),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

impl Formula {
    /// What must be so for the predicate to be true, or false if not `wanted`, when these fields are known and no
    /// others. A comparison with an unknown field is neither.
    pub(super) fn of(predicate: &Predicate, wanted: bool, known: Fields) -> Self {
        match predicate {
            Predicate::Compare { field, operator, value } => {
                let accepted = Domain::of(*field, *operator, value);
                Self::field(*field, accepted, wanted, known)
            }
            Predicate::In { field, values } => {
                Self::field(*field, Domain::of_list(*field, values), wanted, known)
            }
            Predicate::CompareFields { left, operator, right } => {
                if !known.contains(*left) || !known.contains(*right) {
                    return Self::Constant(false);
                }
                if left.field().ty != right.field().ty {
                    return Self::Constant(false);
                }
                let operator = if left <= right { *operator } else { operator.flipped() };
                let accepted = outcomes(operator);
                let accepted = if wanted { accepted } else { ANY ^ accepted };
                if left == right {
                    return Self::Constant(accepted & EQUAL != 0);
                }
                Self::Pair(*left.min(right), *left.max(right), accepted)
            }
            Predicate::Not(inner) => Self::of(inner, !wanted, known),
            Predicate::And(parts) | Predicate::Or(parts) => {
                let parts = parts.iter().map(|part| Self::of(part, wanted, known));
                if matches!(predicate, Predicate::And(_)) == wanted {
                    Self::all(parts)
                } else {
                    Self::any(parts)
                }
            }
        }
    }

    fn field(field: FieldId, accepted: Option<Domain>, wanted: bool, known: Fields) -> Self {
        match accepted.filter(|_| known.contains(field)) {
            None => Self::Constant(false),
            Some(accepted) if wanted => Self::within(field, accepted),
            Some(accepted) => Self::within(field, accepted.complement(field)),
        }
    }

    fn within(field: FieldId, accepted: Domain) -> Self {
        if accepted.is_empty() {
            Self::Constant(false)
        } else if !field.field().may_be_unknown && accepted == Domain::full(field) {
            Self::Constant(true)
        } else {
            // Of a field that may be unknown even the set of all values says something: it is known.
            Self::Field(field, Rc::new(accepted))
        }
    }

    /// What is so when this formula is not, as long as every field of it is known.
    pub(super) fn opposite(&self) -> Self {
        match self {
            Self::Constant(truth) => Self::Constant(!truth),
            Self::Field(field, accepted) => Self::within(*field, accepted.complement(*field)),
            Self::Pair(left, right, accepted) => Self::Pair(*left, *right, ANY ^ accepted),
            Self::All(parts) => Self::any(parts.iter().map(Self::opposite)),
            Self::Any(parts) => Self::all(parts.iter().map(Self::opposite)),
        }
    }

    fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(parts, true)
    }

    fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(parts, false)
    }

    /// Parts of the same kind are taken apart; what is said of one field is said once.
    fn joined(parts: impl IntoIterator<Item = Self>, all: bool) -> Self {
        let mut flat: Vec<Self> = Vec::new();
        // Where in `flat` each field stands, by its number.
        let mut places = [None; FieldId::COUNT];
        let mut add = |part: Self, flat: &mut Vec<Self>| {
            if let Self::Field(field, accepted) = &part {
                let place = &mut places[*field as usize];
                if let Some(Self::Field(_, before)) = place.and_then(|at: usize| flat.get_mut(at)) {
                    let joined = if all { before.and(accepted) } else { before.or(accepted) };
                    *before = Rc::new(joined);
                    return;
                }
                *place = Some(flat.len());
            }
            flat.push(part);
        };
        for part in parts {
            match part {
                Self::Constant(truth) if truth == all => {}
                Self::Constant(truth) => return Self::Constant(truth),
                Self::All(inner) if all => inner.into_iter().for_each(|part| add(part, &mut flat)),
                Self::Any(inner) if !all => inner.into_iter().for_each(|part| add(part, &mut flat)),
                part => add(part, &mut flat),
            }
        }
        let mut kept = Vec::with_capacity(flat.len());
        for part in flat {
            let part = match part {
                Self::Field(field, accepted) => match Self::within(field, Domain::clone(&accepted)) {
                    Self::Constant(truth) if truth == all => continue,
                    Self::Constant(truth) => return Self::Constant(truth),
                    _ => Self::Field(field, accepted),
                },
                part => part,
            };
            kept.push(part);
        }
        match (kept.pop(), kept.is_empty()) {
            (None, _) => Self::Constant(all),
            (Some(only), true) => only,
            (Some(last), false) => {
                kept.push(last);
                if all { Self::All(kept) } else { Self::Any(kept) }
            }
        }
    }
}
