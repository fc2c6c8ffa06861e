//! What can be known of conditions before there is a runner: whether one ever holds, whether it always does, and
//! whether others hold whenever it does.
//!
//! Every "yes" is proven for every runner there can be, those included of which something is not known. Proofs look
//! for a runner that speaks against them, through the terms of the disjunctive normal form, each as sets of values
//! per field. They give up after a number of steps, and say "no" then. Two fields that are compared with each other
//! are held against each other only: that `a < b AND b < c AND c < a` never holds is not found.

mod domain;
mod formula;

use std::rc::Rc;

use domain::Domain;
use formula::{ABOVE, BELOW, EQUAL, Fields, Formula, Outcomes};

use super::{FIELDS, FieldId, Predicate};

/// The steps of one proof.
const STEPS: usize = 50_000;

/// The steps it takes to make a condition ready for a proof.
const STEPS_TO_READ: usize = 10;

/// Proves things about conditions, as long as its steps last.
#[derive(Debug)]
pub struct Solver {
    steps: usize,
}

/// How far a condition always holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Always {
    /// Of every runner.
    Everywhere,
    /// Of every runner of which these fields are known.
    Knowing(Vec<FieldId>),
}

impl Default for Solver {
    fn default() -> Self {
        Self::new(20 * STEPS)
    }
}

impl Solver {
    /// A solver that stops proving things after so many steps in all; a comparison takes a step or a few.
    pub const fn new(steps: usize) -> Self {
        Self { steps }
    }

    /// Whether there is no runner of which all of these hold.
    pub fn never<'a>(&mut self, predicates: impl IntoIterator<Item = &'a Predicate>) -> bool {
        let formulas: Vec<_> =
            predicates.into_iter().map(|predicate| Formula::of(predicate, true, Fields::ALL)).collect();
        self.nowhere(&formulas)
    }

    /// Whether one or another of these holds of every runner.
    pub fn always<'a>(&mut self, predicates: impl IntoIterator<Item = &'a Predicate>) -> Option<Always> {
        let predicates: Vec<_> = predicates.into_iter().collect();
        if !self.always_knowing(&predicates, Fields::ALL) {
            return None;
        }
        let mut known = Fields::ALL;
        for field in FIELDS.iter().filter(|field| field.may_be_unknown) {
            if self.always_knowing(&predicates, known.without(field.id)) {
                known = known.without(field.id);
            }
        }
        let mut needed: Vec<_> =
            FIELDS.iter().filter(|field| field.may_be_unknown).map(|field| field.id).collect();
        needed.retain(|field| known.contains(*field));
        Some(if needed.is_empty() { Always::Everywhere } else { Always::Knowing(needed) })
    }

    fn always_knowing(&mut self, predicates: &[&Predicate], known: Fields) -> bool {
        let against: Vec<_> =
            predicates.iter().map(|predicate| Formula::of(predicate, true, known).opposite()).collect();
        self.nowhere(&against)
    }

    /// The earlier conditions of which one or another holds whenever this one does, as few as can be; the first of
    /// them where there is a choice. `None` when this one may hold alone.
    pub fn covered(&mut self, predicate: &Predicate, earlier: &[&Predicate]) -> Option<Vec<usize>> {
        let mut needed: Vec<usize> = (0..earlier.len()).collect();
        let pick = |places: &[usize]| places.iter().map(|at| earlier[*at]).collect::<Vec<_>>();
        if needed.is_empty() || !self.implies_one_of(predicate, &pick(&needed)) {
            return None;
        }
        for at in (0..earlier.len()).rev() {
            let fewer: Vec<usize> = needed.iter().copied().filter(|other| *other != at).collect();
            if !fewer.is_empty() && self.implies_one_of(predicate, &pick(&fewer)) {
                needed = fewer;
            }
        }
        Some(needed)
    }

    /// Whether one or another of the conditions holds of every runner of which this one does.
    fn implies_one_of(&mut self, predicate: &Predicate, others: &[&Predicate]) -> bool {
        let formula = Formula::of(predicate, true, Fields::ALL);
        let mut steps = STEPS.min(self.steps);
        let before = steps;
        // A term knows the fields it speaks of. It holds of runners of which nothing else is known that may be
        // unknown, and of those the others are the least likely to hold.
        let outcome = search(State::default(), &[formula], &mut steps, &mut |state, steps| {
            let known = state.known();
            let against: Vec<_> =
                others.iter().map(|other| Formula::of(other, true, known).opposite()).collect();
            *steps = steps.saturating_sub(STEPS_TO_READ * others.len());
            search(state.clone(), &against, steps, &mut |_, _| Outcome::Found)
        });
        self.steps -= before - steps;
        outcome == Outcome::Nowhere
    }

    fn nowhere(&mut self, formulas: &[Formula]) -> bool {
        let mut steps = STEPS.min(self.steps);
        let before = steps;
        let outcome = search(State::default(), formulas, &mut steps, &mut |_, _| Outcome::Found);
        self.steps -= before - steps;
        outcome == Outcome::Nowhere
    }
}

/// What a search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// There may be such a runner.
    Found,
    /// There is none.
    Nowhere,
    /// The steps were used up.
    Unknown,
}

/// A term: what the runners have in common that are looked for.
#[derive(Debug, Clone, Default)]
struct State {
    /// By the field's number: the values it may have; `None` when nothing is said of it.
    domains: [Option<Rc<Domain>>; FieldId::COUNT],
    /// Pairs of fields and the outcomes their comparison may have.
    pairs: Vec<(FieldId, FieldId, Outcomes)>,
}

impl State {
    /// The fields that are known of every runner, and those the term speaks of.
    fn known(&self) -> Fields {
        let mut known = Fields::always_known();
        for field in FIELDS.iter().filter(|field| self.domains[field.id as usize].is_some()) {
            known = known.with(field.id);
        }
        self.pairs.iter().fold(known, |known, (left, right, _)| known.with(*left).with(*right))
    }

    /// What is left of a field's values when they must be among these; `None` when that says nothing new.
    fn narrowed(&self, field: FieldId, accepted: &Domain) -> Option<Domain> {
        match &self.domains[field as usize] {
            None => Some(accepted.clone()),
            Some(before) => Some(before.and(accepted)).filter(|after| *after != **before),
        }
    }

    fn outcomes(&self, left: FieldId, right: FieldId) -> Option<Outcomes> {
        self.pairs.iter().find(|(l, r, _)| (*l, *r) == (left, right)).map(|(.., outcomes)| *outcomes)
    }

    /// Whether there are values for every pair by itself.
    fn pairs_have_values(&self) -> bool {
        let domain = |field: FieldId| {
            self.domains[field as usize].as_deref().cloned().unwrap_or_else(|| Domain::full(field))
        };
        self.pairs.iter().all(|(left, right, outcomes)| {
            let (left, right) = (domain(*left), domain(*right));
            let mut possible = if left.and(&right).is_empty() { 0 } else { EQUAL };
            if let (Some((low, high)), Some((from, to))) = (left.ends(), right.ends()) {
                possible |= if low < to { BELOW } else { 0 };
                possible |= if high > from { ABOVE } else { 0 };
            } else if left.single().is_none() || left.single() != right.single() {
                possible |= BELOW | ABOVE;
            }
            possible & outcomes != 0
        })
    }
}

/// What a part of a formula does to a term.
enum Effect {
    /// It says nothing new.
    Nothing,
    /// It leaves no runner.
    Conflict,
    /// It may leave fewer.
    Narrows,
}

fn effect(state: &State, part: &Formula) -> Effect {
    match part {
        Formula::Constant(true) => Effect::Nothing,
        Formula::Constant(false) => Effect::Conflict,
        Formula::Field(field, accepted) => match state.narrowed(*field, accepted) {
            None => Effect::Nothing,
            Some(left) if left.is_empty() => Effect::Conflict,
            Some(_) => Effect::Narrows,
        },
        Formula::Pair(left, right, accepted) => match state.outcomes(*left, *right) {
            Some(before) if before & accepted == 0 => Effect::Conflict,
            Some(before) if before & accepted == before => Effect::Nothing,
            _ => Effect::Narrows,
        },
        Formula::All(_) | Formula::Any(_) => Effect::Narrows,
    }
}

/// A term that is not whole yet.
struct Open<'f> {
    state: State,
    /// What must hold besides.
    todo: Vec<&'f Formula>,
    /// Choices that are still to be made.
    choices: Vec<&'f [Formula]>,
}

/// Goes through the terms in which all of the formulas are true, until `leaf` says that it found what is looked for.
fn search(
    state: State,
    formulas: &[Formula],
    steps: &mut usize,
    leaf: &mut dyn FnMut(&State, &mut usize) -> Outcome,
) -> Outcome {
    let mut open = vec![Open { state, todo: formulas.iter().collect(), choices: Vec::new() }];
    while let Some(mut term) = open.pop() {
        if !assume(&mut term, steps) {
            if *steps == 0 {
                return Outcome::Unknown;
            }
            continue;
        }
        match choice(&mut term, steps) {
            _ if *steps == 0 => return Outcome::Unknown,
            None => {}
            Some(parts) if parts.is_empty() => {
                if !term.state.pairs_have_values() {
                    continue;
                }
                match leaf(&term.state, steps) {
                    Outcome::Nowhere => {}
                    outcome => return outcome,
                }
            }
            Some(parts) => open.extend(parts.into_iter().rev().map(|part| Open {
                state: term.state.clone(),
                todo: vec![part],
                choices: term.choices.clone(),
            })),
        }
    }
    Outcome::Nowhere
}

/// Works off what must hold; whether a runner may be left.
fn assume(term: &mut Open<'_>, steps: &mut usize) -> bool {
    while let Some(formula) = term.todo.pop() {
        let work = match formula {
            Formula::Field(_, accepted) => 1 + accepted.size(),
            Formula::All(parts) => 1 + parts.len(),
            Formula::Constant(_) | Formula::Pair(..) | Formula::Any(_) => 1,
        };
        *steps = steps.saturating_sub(work);
        if *steps == 0 {
            return false;
        }
        match formula {
            Formula::Constant(true) => {}
            Formula::Constant(false) => return false,
            Formula::Field(field, accepted) => {
                if let Some(left) = term.state.narrowed(*field, accepted) {
                    if left.is_empty() {
                        return false;
                    }
                    term.state.domains[*field as usize] = Some(Rc::new(left));
                }
            }
            Formula::Pair(left, right, accepted) => {
                let before = term.state.outcomes(*left, *right);
                let after = before.map_or(*accepted, |before| before & accepted);
                if after == 0 {
                    return false;
                }
                term.state.pairs.retain(|(l, r, _)| (l, r) != (left, right));
                term.state.pairs.push((*left, *right, after));
            }
            Formula::All(parts) => term.todo.extend(parts),
            Formula::Any(parts) => term.choices.push(parts),
        }
    }
    true
}

/// The ways in which the narrowest choice can be made, none when no choice is left; `None` when one has no way at all.
fn choice<'f>(term: &mut Open<'f>, steps: &mut usize) -> Option<Vec<&'f Formula>> {
    // The ways of the narrowest choice so far, and its place among those left.
    let mut narrowest: Option<(usize, Vec<&Formula>)> = None;
    let mut left = Vec::new();
    for parts in std::mem::take(&mut term.choices) {
        let mut ways = Vec::new();
        let mut made = false;
        for part in parts {
            *steps = steps.saturating_sub(1);
            match effect(&term.state, part) {
                Effect::Nothing => made = true,
                Effect::Conflict => {}
                Effect::Narrows => ways.push(part),
            }
        }
        if made {
            continue;
        }
        if ways.is_empty() {
            return None;
        }
        if narrowest.as_ref().is_none_or(|(_, least)| ways.len() < least.len()) {
            narrowest = Some((left.len(), ways));
        }
        left.push(parts);
    }
    let Some((at, ways)) = narrowest else { return Some(Vec::new()) };
    left.swap_remove(at);
    term.choices = left;
    Some(ways)
}

#[cfg(test)]
mod tests;
