//! The formatter on any file, whole or broken: it settles at once and loses nothing.

use std::sync::Arc;

use flyc::{
    format::format,
    syntax::{Kind, parse},
};
use proptest::prelude::*;

use crate::{
    cases, corpus,
    generate::config,
    mutate::{every_token, shuffled, soup},
};

fn formatted(text: &str) -> String {
    format(&parse(Arc::from(text)))
}

/// The texts of the tokens that mean something, commas aside: the formatter sets those.
fn words(text: &str) -> Vec<&str> {
    let tokens = every_token(text).into_iter();
    tokens
        .filter(|(kind, _)| !kind.is_trivia() && *kind != Kind::Comma)
        .map(|(_, range)| &text[range])
        .collect()
}

fn comments(text: &str) -> Vec<&str> {
    let tokens = every_token(text).into_iter();
    let mut found: Vec<&str> =
        tokens.filter(|(kind, _)| kind.is_comment()).map(|(_, range)| text[range].trim_end()).collect();
    found.sort_unstable();
    found
}

/// What formatting must not do to a text.
pub(crate) fn keeps(text: &str) -> Result<(), TestCaseError> {
    let once = formatted(text);
    prop_assert_eq!(words(&once), words(text), "{:?} became {:?}", text, once);
    prop_assert_eq!(comments(&once), comments(text), "{:?} became {:?}", text, once);
    let twice = formatted(&once);
    prop_assert_eq!(&twice, &once, "{:?} is not settled", text);
    let (before, after) = (parse(Arc::from(text)), parse(Arc::from(once.as_str())));
    prop_assert_eq!(before.errors().len(), after.errors().len(), "{:?} became {:?}", text, once);
    Ok(())
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn property_format_any_text(text in prop_oneof![any::<String>(), soup()]) {
        keeps(&text)?;
        keeps(&format!("locals {{\n  a = {text}\n}}\n"))?;
    }

    #[test]
    fn property_format_generated_files(config in config()) {
        keeps(&config.print().text)?;
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn property_format_shuffled_files(text in prop::sample::select(corpus::everything()).prop_flat_map(|e| shuffled(e.text))) {
        keeps(&text)?;
    }
}

#[test]
fn property_format_written_files() {
    for example in corpus::everything() {
        keeps(&example.text).unwrap();
        keeps(&example.text.replace('\n', "\r\n")).unwrap();
    }
}

/// Found by chance: a comment before the brace, which it must not take with it.
#[test]
fn a_comment_before_a_brace_leaves_it_alone() {
    let text = "uglyfox///d\n {\n  pruning # c\n  {\n    failed_threshold = 3\n  }\n}\n";
    let once = format(&parse(text.into()));
    assert_eq!(once, "uglyfox///d\n{\n  pruning # c\n  {\n    failed_threshold = 3\n  }\n}\n");
    assert_eq!(format(&parse(once.as_str().into())), once);
}
