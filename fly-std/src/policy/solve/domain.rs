//! Sets of values that a field may have.
//!
//! Durations and counts are whole numbers from 0. A percentage is a number of 64 bits from 0 to 100; such numbers
//! have the order of their bits, so they are counted as whole numbers too and nothing is lost. States, runner types
//! and clouds are one of a closed set, every other text is one of an open set.

use smol_str::SmolStr;

use crate::{
    policy::{Comparison, Constant, FieldId, FieldType},
    value::Float,
};

/// A set of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Domain {
    /// Numbers: ranges with both ends, in order, with gaps between them.
    Numbers(Vec<(u64, u64)>),
    /// These texts, in order.
    Only(Vec<SmolStr>),
    /// Every text but these, in order.
    Except(Vec<SmolStr>),
}

/// How a number stands among its like.
fn number(constant: &Constant) -> Option<u64> {
    match constant {
        Constant::DurationS(number) | Constant::Count(number) => Some(*number),
        Constant::Percent(number) => Some(bits(*number)),
        Constant::Text(_) => None,
    }
}

/// A number that is not negative, as a whole number of the same order.
fn bits(number: Float) -> u64 {
    number.get().max(0.0).to_bits()
}

impl Domain {
    /// Every value of the field.
    pub(super) fn full(field: FieldId) -> Self {
        match field.field().ty {
            FieldType::Duration | FieldType::Int => Self::Numbers(vec![(0, u64::MAX)]),
            FieldType::Percent => Self::Numbers(vec![(0, 100.0_f64.to_bits())]),
            FieldType::Enum(variants) => {
                let mut names: Vec<_> =
                    variants.iter().map(|variant| SmolStr::new_static(variant.name)).collect();
                names.sort_unstable();
                Self::Only(names)
            }
            FieldType::String => Self::Except(Vec::new()),
        }
    }

    /// The values that a comparison with a constant accepts; `None` when the types do not fit.
    pub(super) fn of(field: FieldId, operator: Comparison, constant: &Constant) -> Option<Self> {
        let full = Self::full(field);
        let accepted = match (&full, constant) {
            (Self::Numbers(_), _) => {
                let number = number(constant)?;
                let below = number.checked_sub(1).map(|end| (0, end));
                let above = number.checked_add(1).map(|start| (start, u64::MAX));
                Self::Numbers(match operator {
                    Comparison::Equal => vec![(number, number)],
                    Comparison::NotEqual => below.into_iter().chain(above).collect(),
                    Comparison::Less => below.into_iter().collect(),
                    Comparison::LessEqual => vec![(0, number)],
                    Comparison::Greater => above.into_iter().collect(),
                    Comparison::GreaterEqual => vec![(number, u64::MAX)],
                })
            }
            (Self::Only(_) | Self::Except(_), Constant::Text(text)) => match operator {
                Comparison::Equal => Self::Only(vec![text.clone()]),
                Comparison::NotEqual => Self::Except(vec![text.clone()]),
                Comparison::Less | Comparison::LessEqual | Comparison::Greater | Comparison::GreaterEqual => {
                    return None;
                }
            },
            (Self::Only(_) | Self::Except(_), _) => return None,
        };
        Some(full.and(&accepted))
    }

    /// The values of a list; `None` when the types do not fit.
    pub(super) fn of_list(field: FieldId, list: &[Constant]) -> Option<Self> {
        let full = Self::full(field);
        let listed = if let Self::Numbers(_) = full {
            let mut numbers = list.iter().map(number).collect::<Option<Vec<_>>>()?;
            numbers.sort_unstable();
            Self::Numbers(merged(numbers.into_iter().map(|number| (number, number))))
        } else {
            let text = |constant: &Constant| match constant {
                Constant::Text(text) => Some(text.clone()),
                Constant::DurationS(_) | Constant::Count(_) | Constant::Percent(_) => None,
            };
            let mut texts = list.iter().map(text).collect::<Option<Vec<_>>>()?;
            texts.sort_unstable();
            texts.dedup();
            Self::Only(texts)
        };
        Some(full.and(&listed))
    }

    /// The values of the field that are not in the set.
    pub(super) fn complement(&self, field: FieldId) -> Self {
        let opposite = match self {
            Self::Numbers(ranges) => {
                let (mut rest, mut next) = (Vec::new(), Some(0));
                for &(start, end) in ranges {
                    if let Some(from) = next.filter(|from| *from < start) {
                        rest.push((from, start - 1));
                    }
                    next = end.checked_add(1);
                }
                rest.extend(next.map(|from| (from, u64::MAX)));
                Self::Numbers(rest)
            }
            Self::Only(texts) => Self::Except(texts.clone()),
            Self::Except(texts) => Self::Only(texts.clone()),
        };
        Self::full(field).and(&opposite)
    }

    /// What is in both. Of two kinds, which no field has, nothing is.
    pub(super) fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Numbers(left), Self::Numbers(right)) => {
                let (mut both, mut l, mut r) = (Vec::new(), 0, 0);
                while let (Some(&(from, to)), Some(&(start, end))) = (left.get(l), right.get(r)) {
                    if from.max(start) <= to.min(end) {
                        both.push((from.max(start), to.min(end)));
                    }
                    if to < end {
                        l += 1;
                    } else {
                        r += 1;
                    }
                }
                Self::Numbers(both)
            }
            (Self::Only(left), Self::Only(right)) => Self::Only(kept(left, right, true)),
            (Self::Only(only), Self::Except(not)) | (Self::Except(not), Self::Only(only)) => {
                Self::Only(kept(only, not, false))
            }
            (Self::Except(left), Self::Except(right)) => Self::Except(united(left, right)),
            (Self::Numbers(_), _) | (_, Self::Numbers(_)) => Self::Only(Vec::new()),
        }
    }

    /// What is in one or the other.
    pub(super) fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Numbers(left), Self::Numbers(right)) => {
                let mut all: Vec<_> = left.iter().chain(right).copied().collect();
                all.sort_unstable();
                Self::Numbers(merged(all))
            }
            (Self::Only(left), Self::Only(right)) => Self::Only(united(left, right)),
            (Self::Only(only), Self::Except(not)) | (Self::Except(not), Self::Only(only)) => {
                Self::Except(kept(not, only, false))
            }
            (Self::Except(left), Self::Except(right)) => Self::Except(kept(left, right, true)),
            (Self::Numbers(_), _) => other.clone(),
            (_, Self::Numbers(_)) => self.clone(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Numbers(ranges) => ranges.is_empty(),
            Self::Only(texts) => texts.is_empty(),
            Self::Except(_) => false,
        }
    }

    /// How much work the set makes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Numbers(ranges) => ranges.len(),
            Self::Only(texts) | Self::Except(texts) => texts.len(),
        }
    }

    /// The smallest and the largest number.
    pub(super) fn ends(&self) -> Option<(u64, u64)> {
        match self {
            Self::Numbers(ranges) => Some((ranges.first()?.0, ranges.last()?.1)),
            Self::Only(_) | Self::Except(_) => None,
        }
    }

    /// The only value, as far as texts go.
    pub(super) fn single(&self) -> Option<&SmolStr> {
        match self {
            Self::Only(texts) => texts.first().filter(|_| texts.len() == 1),
            Self::Numbers(_) | Self::Except(_) => None,
        }
    }
}

/// Ranges in the order of their starts, those that touch made one.
fn merged(ranges: impl IntoIterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (start, end) in ranges {
        match merged.last_mut() {
            Some(last) if start <= last.1.saturating_add(1) => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// What of `texts` is, or is not, in `others`; both in order.
fn kept(texts: &[SmolStr], others: &[SmolStr], wanted: bool) -> Vec<SmolStr> {
    texts.iter().filter(|text| others.binary_search(text).is_ok() == wanted).cloned().collect()
}

fn united(left: &[SmolStr], right: &[SmolStr]) -> Vec<SmolStr> {
    let mut all: Vec<_> = left.iter().chain(right).cloned().collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_numbers() {
        let age =
            |operator, seconds| Domain::of(FieldId::Age, operator, &Constant::DurationS(seconds)).unwrap();
        let not = age(Comparison::NotEqual, 5);
        assert_eq!(not, Domain::Numbers(vec![(0, 4), (6, u64::MAX)]));
        assert_eq!(not.complement(FieldId::Age), Domain::Numbers(vec![(5, 5)]));
        assert_eq!(not.or(&age(Comparison::Equal, 5)), Domain::full(FieldId::Age));
        assert!(age(Comparison::Less, 0).is_empty());
        assert!(age(Comparison::Greater, u64::MAX).is_empty());
        assert!(age(Comparison::Less, 6).and(&age(Comparison::Greater, 5)).is_empty());
        let list = [9, 3, 4, 3].map(Constant::DurationS);
        assert_eq!(Domain::of_list(FieldId::Age, &list), Some(Domain::Numbers(vec![(3, 4), (9, 9)])));
        assert_eq!(Domain::of(FieldId::Age, Comparison::Less, &Constant::Text("x".into())), None);
    }

    #[test]
    fn percentages_go_from_0_to_100_and_have_fractions() {
        let cpu = |operator, number| {
            Domain::of(FieldId::CpuUsage, operator, &Constant::Percent(Float::new(number).unwrap())).unwrap()
        };
        assert!(cpu(Comparison::Greater, 100.0).is_empty());
        assert!(cpu(Comparison::Less, 0.0).is_empty());
        assert_eq!(cpu(Comparison::LessEqual, 100.0), Domain::full(FieldId::CpuUsage));
        assert!(!cpu(Comparison::Greater, 5.0).and(&cpu(Comparison::Less, 6.0)).is_empty());
    }

    #[test]
    fn closed_and_open_sets_of_texts() {
        let is =
            |field, operator, text: &str| Domain::of(field, operator, &Constant::Text(text.into())).unwrap();
        let rest = is(FieldId::RunnerType, Comparison::NotEqual, "vm");
        assert_eq!(rest, Domain::Only(vec!["serverless".into()]));
        assert!(rest.and(&is(FieldId::RunnerType, Comparison::NotEqual, "serverless")).is_empty());
        let rest = is(FieldId::Egg, Comparison::NotEqual, "a");
        assert!(!rest.and(&is(FieldId::Egg, Comparison::NotEqual, "b")).is_empty());
        assert_eq!(rest.or(&is(FieldId::Egg, Comparison::Equal, "a")), Domain::full(FieldId::Egg));
        assert_eq!(rest.complement(FieldId::Egg), Domain::Only(vec!["a".into()]));
    }
}
