//! What a condition comes to for one runner.

use std::cmp::Ordering;

use super::{Comparison, Constant, Fact, Facts, Predicate};

impl Predicate {
    /// Whether the condition holds of the runner, so that its rule is acted on. It does not when that is not known.
    pub fn holds(&self, facts: &Facts) -> bool {
        self.truth(facts) == Some(true)
    }

    /// Whether the condition is true of the runner; `None` when that is not known.
    ///
    /// A comparison with a field that is not known is not known, and neither is its opposite: a runner that never told
    /// its CPU use fulfils neither `cpu_usage > 90%` nor `NOT cpu_usage > 90%`. `AND` is false as soon as one part is,
    /// `OR` true as soon as one part is, whatever the others are; else one unknown part makes them unknown. (This is
    /// Kleene's logic: what comes out stays so, whatever the unknown turns out to be.)
    ///
    /// A constant of another type than its field, which the compiler never makes, is not known either.
    pub fn truth(&self, facts: &Facts) -> Option<bool> {
        match self {
            Self::Compare { field, operator, value } => {
                Some(operator.accepts(value.order_of(facts.get(*field)?)?))
            }
            Self::CompareFields { left, operator, right } => {
                Some(operator.accepts(order(facts.get(*left)?, facts.get(*right)?)?))
            }
            Self::In { field, values } => {
                let fact = facts.get(*field)?;
                let mut found = Some(false);
                for value in values {
                    match value.order_of(fact) {
                        Some(Ordering::Equal) => return Some(true),
                        Some(_) => {}
                        None => found = None,
                    }
                }
                found
            }
            Self::And(parts) => quantified(parts, facts, false),
            Self::Or(parts) => quantified(parts, facts, true),
            Self::Not(inner) => inner.truth(facts).map(|truth| !truth),
        }
    }
}

/// `decisive` as soon as one part is; else unknown as soon as one part is; else the opposite.
fn quantified(parts: &[Predicate], facts: &Facts, decisive: bool) -> Option<bool> {
    let mut truth = Some(!decisive);
    for part in parts {
        match part.truth(facts) {
            Some(found) if found == decisive => return Some(decisive),
            Some(_) => {}
            None => truth = None,
        }
    }
    truth
}

impl Comparison {
    /// Whether it is true of two things whose order is this.
    pub const fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterEqual => order.is_ge(),
        }
    }
}

impl Constant {
    /// The order of a fact to this constant.
    fn order_of(&self, fact: Fact<'_>) -> Option<Ordering> {
        order(
            fact,
            match self {
                Self::Text(text) => Fact::Text(text),
                Self::DurationS(seconds) => Fact::DurationS(*seconds),
                Self::Count(count) => Fact::Count(*count),
                Self::Percent(number) => Fact::Percent(*number),
            },
        )
    }
}

fn order(left: Fact<'_>, right: Fact<'_>) -> Option<Ordering> {
    match (left, right) {
        (Fact::Text(left), Fact::Text(right)) => Some(left.cmp(right)),
        (Fact::DurationS(left), Fact::DurationS(right)) | (Fact::Count(left), Fact::Count(right)) => {
            Some(left.cmp(&right))
        }
        (Fact::Percent(left), Fact::Percent(right)) => left.get().partial_cmp(&right.get()),
        (Fact::Text(_) | Fact::DurationS(_) | Fact::Count(_) | Fact::Percent(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::FieldId, value::Float};

    fn facts() -> Facts {
        Facts {
            state: "apex".into(),
            runner_type: "vm".into(),
            egg: "my-app".into(),
            cloud: "aws".into(),
            region: "eu-central-1".into(),
            age: 7200,
            idle_time: 60,
            heartbeat_age: None,
            failed_count: 0,
            job_count: 4,
            cpu_usage: None,
            memory_usage: Float::new(50.0),
            disk_usage: None,
            agent_version: None,
            pool_size: 3,
            pool_idle: 1,
        }
    }

    fn is(field: FieldId, operator: Comparison, value: Constant) -> Predicate {
        Predicate::Compare { field, operator, value }
    }

    #[test]
    fn what_is_not_known_makes_no_rule_fire() {
        let percent = |number| Constant::Percent(Float::new(number).unwrap());
        let cpu = is(FieldId::CpuUsage, Comparison::Greater, percent(90.0));
        let memory = is(FieldId::MemoryUsage, Comparison::Greater, percent(40.0));
        let age = is(FieldId::Age, Comparison::Less, Constant::DurationS(3600));
        for (predicate, truth) in [
            (memory.clone(), Some(true)),
            (age.clone(), Some(false)),
            (cpu.clone(), None),
            (cpu.clone().negated(), None),
            (Predicate::all([cpu.clone(), memory.clone()]), None),
            (Predicate::all([cpu.clone(), age.clone()]), Some(false)),
            (Predicate::any([cpu.clone(), memory]), Some(true)),
            (Predicate::any([cpu.clone(), age]), None),
            (Predicate::In { field: FieldId::AgentVersion, values: vec![] }, None),
        ] {
            assert_eq!(predicate.truth(&facts()), truth, "{predicate}");
            assert_eq!(predicate.holds(&facts()), truth == Some(true), "{predicate}");
        }
        let pair = |left, operator, right| Predicate::CompareFields { left, operator, right };
        let told = pair(FieldId::IdleTime, Comparison::Less, FieldId::HeartbeatAge);
        assert_eq!(told.truth(&facts()), None);
        assert!(pair(FieldId::IdleTime, Comparison::Less, FieldId::Age).holds(&facts()));
    }

    #[test]
    fn constants_of_another_type_are_not_known() {
        let wrong = is(FieldId::Age, Comparison::NotEqual, Constant::Count(7200));
        assert_eq!(wrong.truth(&facts()), None);
        let values = vec![Constant::Count(1), Constant::Text("my-app".into())];
        assert!(Predicate::In { field: FieldId::Egg, values }.holds(&facts()));
    }
}
