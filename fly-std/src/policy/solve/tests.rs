//! Tests of the proofs, by hand; `tests/properties/conditions.rs` has the random ones.

use super::*;
use crate::{
    policy::{Comparison, Constant},
    value::Float,
};

fn is(field: FieldId, operator: &str, value: Constant) -> Predicate {
    let operator = Comparison::ALL.into_iter().find(|known| known.as_str() == operator).unwrap();
    Predicate::Compare { field, operator, value }
}

fn age(operator: &str, seconds: u64) -> Predicate {
    is(FieldId::Age, operator, Constant::DurationS(seconds))
}

fn cpu(operator: &str, percent: f64) -> Predicate {
    is(FieldId::CpuUsage, operator, Constant::Percent(Float::new(percent).unwrap()))
}

fn egg(operator: &str, name: &str) -> Predicate {
    is(FieldId::Egg, operator, Constant::Text(name.into()))
}

fn fields(left: FieldId, operator: &str, right: FieldId) -> Predicate {
    let operator = Comparison::ALL.into_iter().find(|known| known.as_str() == operator).unwrap();
    Predicate::CompareFields { left, operator, right }
}

fn never(predicates: &[Predicate]) -> bool {
    Solver::default().never(predicates)
}

fn always(predicates: &[Predicate]) -> Option<Always> {
    Solver::default().always(predicates)
}

fn covered(predicate: &Predicate, earlier: &[Predicate]) -> Option<Vec<usize>> {
    Solver::default().covered(predicate, &earlier.iter().collect::<Vec<_>>())
}

#[test]
fn finds_what_never_holds() {
    assert!(never(&[age(">", 60), age("<", 61)]));
    assert!(!never(&[age(">", 60), age("<", 62)]));
    assert!(never(&[age("<", 0)]));
    assert!(never(&[cpu(">", 100.0)]));
    assert!(!never(&[cpu(">", 99.0), cpu("<", 100.0)]));
    assert!(never(&[egg("==", "a"), egg("!=", "a")]));
    assert!(!never(&[egg("!=", "a"), egg("!=", "b")]));
    assert!(never(&[cpu(">", 5.0), cpu(">", 5.0).negated()]));
    let either = Predicate::any([age(">", 90), age("<", 10)]);
    assert!(never(&[either.clone(), age(">", 10), age("<", 90)]));
    assert!(!never(&[either, age(">", 10)]));
}

#[test]
fn holds_fields_against_each_other() {
    let (idle, age_) = (FieldId::IdleTime, FieldId::Age);
    assert!(never(&[fields(idle, "<", age_), fields(age_, "<", idle)]));
    assert!(never(&[fields(idle, "<", age_), fields(idle, "==", age_)]));
    assert!(!never(&[fields(idle, "<=", age_), fields(age_, "<=", idle)]));
    assert!(never(&[fields(idle, "==", age_), age("<", 5), is(idle, ">", Constant::DurationS(9))]));
    assert!(never(&[fields(idle, ">", age_), age(">", 5), is(idle, "<", Constant::DurationS(5))]));
    assert_eq!(always(&[fields(idle, "<", age_), fields(idle, ">=", age_)]), Some(Always::Everywhere));
    let (egg_, region) = (FieldId::Egg, FieldId::Region);
    let here = is(region, "==", Constant::Text("a".into()));
    assert!(never(&[fields(egg_, "==", region), egg("==", "b"), here.clone()]));
    assert!(never(&[fields(egg_, "!=", region), egg("==", "a"), here.clone()]));
    assert!(!never(&[fields(egg_, "!=", region), egg("!=", "a"), here]));
}

#[test]
fn finds_what_always_holds() {
    assert_eq!(always(&[age(">=", 0)]), Some(Always::Everywhere));
    assert_eq!(always(&[age(">", 5), age("<=", 5)]), Some(Always::Everywhere));
    assert_eq!(always(&[age(">", 5), age("<", 5)]), None);
    let known = Always::Knowing(vec![FieldId::CpuUsage]);
    assert_eq!(always(&[cpu("<=", 100.0)]), Some(known.clone()));
    assert_eq!(always(&[cpu("<", 5.0), cpu("<", 5.0).negated()]), Some(known));
    assert_eq!(always(&[cpu("<=", 100.0), age(">=", 0)]), Some(Always::Everywhere));
}

#[test]
fn finds_what_earlier_conditions_cover() {
    assert_eq!(covered(&age(">", 9), &[age(">", 5)]), Some(vec![0]));
    assert_eq!(covered(&age(">", 5), &[age(">", 9)]), None);
    // Only together, and without the one in between that adds nothing.
    let earlier = [age("<=", 60), egg("==", "a"), age(">", 30)];
    assert_eq!(covered(&egg("!=", "b"), &earlier), Some(vec![0, 2]));
    assert_eq!(covered(&egg("==", "a"), &earlier[..2]), Some(vec![1]));
    assert_eq!(covered(&age(">", 5), &[]), None);
}

#[test]
fn what_is_not_known_covers_nothing() {
    // Together they hold of every runner whose CPU use is known, and only of those.
    let earlier = [cpu(">", 50.0), cpu("<=", 50.0)];
    assert_eq!(covered(&age(">", 5), &earlier), None);
    assert_eq!(covered(&cpu("!=", 3.0), &earlier), Some(vec![0, 1]));
    let both = Predicate::all([age(">", 5), cpu("<=", 100.0)]);
    assert_eq!(covered(&both, &earlier), Some(vec![0, 1]));
    let told = fields(FieldId::CpuUsage, "<", FieldId::MemoryUsage);
    assert_eq!(covered(&told, &earlier), Some(vec![0, 1]));
}

#[test]
fn gives_up_quietly() {
    let either = |at: u64| Predicate::any([age("!=", at), cpu("!=", 1.0), egg("!=", "a")]);
    let many: Vec<_> = (0..5000).map(either).collect();
    assert!(!Solver::new(1000).never(&many));
    assert!(!Solver::new(0).never(&[age("<", 0)]));
}
