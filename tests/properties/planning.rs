//! Plans: nothing against itself, the same both ways round, and no secret in any form.

use flyc::{
    build::{Options, Snapshot},
    compiler::Compiler,
    plan::{Action, Against, Plan, compare, json, markdown, text},
};
use proptest::prelude::*;

use crate::{cases, generate::config};

fn snapshot(files: &[(String, String)]) -> Snapshot {
    let compiler = Compiler::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    compiler.snapshot(&Options::default()).expect("no configuration is a defect")
}

fn names(plan: &Plan, action: Action) -> Vec<String> {
    plan.changes.iter().filter(|change| change.action == action).map(flyc::plan::Change::title).collect()
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn property_plans_both_ways_round(one in config(), other in config()) {
        let (one, other) = (one.nest(&one.print().text), other.nest(&other.print().text));
        let (old, new) = (snapshot(&one), snapshot(&other));
        prop_assert_eq!(compare(&old, &old).unwrap().changes, vec![], "a Nest does not differ from itself");
        let (there, back) = (compare(&old, &new).unwrap(), compare(&new, &old).unwrap());
        if there.not_compared.is_empty() && back.not_compared.is_empty() {
            prop_assert_eq!(names(&there, Action::Added), names(&back, Action::Removed));
            prop_assert_eq!(names(&there, Action::Removed), names(&back, Action::Added));
            for (change, reverse) in there.changes.iter().zip(&back.changes) {
                if change.action == Action::Changed && reverse.action == Action::Changed {
                    let values: Vec<_> = change.attributes.iter().map(|a| (&a.path, &a.old, &a.new)).collect();
                    let reversed: Vec<_> = reverse.attributes.iter().map(|a| (&a.path, &a.new, &a.old)).collect();
                    prop_assert_eq!(values, reversed);
                }
            }
        }
        let against = Against { revision: "main".into(), commit: "0".repeat(40), notes: Vec::new() };
        for form in [text(&there, &against, false), markdown(&there, &against), json(&there, &against).unwrap()] {
            prop_assert_eq!(flyc::render::mask(&form), form.as_str(), "a secret's path is shown");
        }
    }
}
