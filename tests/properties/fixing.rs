//! Fixing: what `--fix` applies is gone, nothing comes in its place, and doing it again does nothing.

use std::collections::HashMap;

use flyc::{
    compiler::Compiler,
    diag::{Applicability, Diagnostic, Severity},
};
use proptest::{collection::vec, prelude::*, sample::Index, sample::select};

use crate::{
    cases,
    generate::config,
    mutate::{Mistake, significant},
    told,
};

/// How often each error is there.
fn errors(found: &[Diagnostic]) -> HashMap<(String, &'static str, String), usize> {
    let mut counts = HashMap::new();
    for one in found.iter().filter(|one| one.severity() == Severity::Error) {
        *counts.entry((one.span.file.to_string(), one.kind.id, one.message.clone())).or_default() += 1;
    }
    counts
}

/// Slips of the pen in the tokens: a word misspelt, quotes gone, quotes too many, a mark gone.
fn slip(text: &str, at: Index, how: usize) -> String {
    let tokens = significant(text);
    if tokens.is_empty() {
        return text.to_owned();
    }
    let (_, range) = &tokens[at.index(tokens.len())];
    let token = &text[range.clone()];
    let slipped = match how {
        0 => token.chars().enumerate().map(|(at, c)| if at == 1 { 'q' } else { c }).collect(),
        1 => token.trim_matches('"').to_owned(),
        2 if !token.contains('"') && token.len() > 1 => format!("\"{token}\""),
        _ => String::new(),
    };
    format!("{}{slipped}{}", &text[..range.start], &text[range.end..])
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn property_fixes_keep_their_promise(
        mut config in config(),
        mistakes in vec((select(&Mistake::ALL[..]), any::<Index>()), 0..2),
        slips in vec((any::<Index>(), 0..4_usize), 0..4),
        bold in any::<bool>(),
    ) {
        let mut text = config.print().text;
        for (how, at) in mistakes {
            text = how.make(&mut config, at).unwrap_or(text);
        }
        for (at, how) in slips {
            text = slip(&text, at, how);
        }
        let nest = config.nest(&text);
        let mut compiler = Compiler::new(nest.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let before = compiler.check();
        let least = if bold { Applicability::Suggested } else { Applicability::Safe };
        let fixed = compiler.fix(least, &|_| true);
        let after = compiler.check();
        let (was, is) = (errors(&before), errors(&after));
        let shown = || format!("before\n{}\nafter\n{}\n{text}", told(&before), told(&after));
        for (key, count) in &is {
            prop_assert!(was.get(key).is_some_and(|was| count <= was), "{key:?} has come\n{}", shown());
        }
        let gone: usize = was.values().sum::<usize>() - is.values().sum::<usize>();
        prop_assert_eq!(fixed.files.is_empty(), fixed.findings == 0);
        // What was fixed is gone; warnings may be among it, and what an error hid.
        let warnings = before.iter().any(|one| one.severity() != Severity::Error);
        prop_assert!(gone > 0 || fixed.findings == 0 || warnings, "{} of {gone}\n{}", fixed.findings, shown());
        for file in &fixed.files {
            prop_assert_eq!(compiler.text(&file.path), Some(file.after.clone()));
        }
        prop_assert_eq!(compiler.fix(least, &|_| true).findings, 0, "{}", shown());
    }
}

/// The property above would hold of a fix that never does anything.
#[test]
fn slips_are_fixed_at_all() {
    let text = "egg \"a\" {\n  type = vm\n  runner {\n    concurrent = \"3\"\n    executer = \"shell\"\n  }\n  gitlab {\n    project_id = 7\n  }\n}\n";
    let mut compiler = Compiler::new([("Eggs/a/config.fly", text)]);
    assert_eq!(compiler.fix(Applicability::Safe, &|_| true).findings, 2);
    assert_eq!(compiler.fix(Applicability::Suggested, &|_| true).findings, 1);
    assert_eq!(compiler.check(), []);
}
