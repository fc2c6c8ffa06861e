//! One mistake, one diagnostic: every small slip in every example of the seeds, and how many errors it gives.

use std::{collections::BTreeMap, ops::Range};

use flyc::syntax::Kind;

use crate::{
    corpus::{self, nest},
    errors,
    mutate::every_token,
    told,
};

/// The kinds of slip.
const SLIPS: [&str; 9] = [
    "closing brace gone",
    "opening brace gone",
    "closing quote gone",
    "equals gone",
    "value gone",
    "word misspelt",
    "line twice",
    "stray ]",
    "stray }",
];

/// Of a hundred slips so many give exactly one error.
const ONE_IN_A_HUNDRED: usize = 97;
/// No slip gives more errors than this.
const MOST: usize = 2;

/// Every slip in a text: its kind and the text with it.
fn slips(text: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let without = |range: &Range<usize>| format!("{}{}", &text[..range.start], &text[range.end..]);
    let tokens: Vec<_> = every_token(text).into_iter().filter(|(kind, _)| !kind.is_trivia()).collect();
    for (at, (kind, range)) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map(|(kind, _)| *kind);
        let previous = at.checked_sub(1).map(|at| tokens[at].0);
        match kind {
            Kind::CloseBrace => found.push((SLIPS[0], without(range))),
            Kind::OpenBrace => found.push((SLIPS[1], without(range))),
            Kind::String => found.push((SLIPS[2], without(&(range.end - 1..range.end)))),
            Kind::Equals => found.push((SLIPS[3], without(range))),
            // A name of the user's own may be any.
            Kind::Ident if matches!(next, Some(Kind::Equals | Kind::OpenBrace | Kind::String)) => {
                let word = &text[range.clone()];
                if word.len() > 2 && word.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                    let slip = format!("{}{}{}", &text[..=range.start], "q", &text[range.start + 2..]);
                    found.push((SLIPS[5], slip));
                }
            }
            _ => {}
        }
        let one_token = matches!(kind, Kind::String | Kind::Number | Kind::Heredoc | Kind::Ident);
        if previous == Some(Kind::Equals) && one_token {
            found.push((SLIPS[4], without(range)));
        }
    }
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        // Within a heredoc a line is a line of its text.
        let in_text =
            tokens.iter().any(|(kind, range)| *kind == Kind::Heredoc && range.start < at && range.end > at);
        if !line.trim().is_empty() && !line.trim().starts_with('#') && !in_text {
            found.push((SLIPS[6], format!("{}{}{}", &text[..end], line, &text[end..])));
            let indent = &line[..line.len() - line.trim_start().len()];
            for (slip, mark) in [(SLIPS[7], "]"), (SLIPS[8], "}")] {
                found.push((slip, format!("{}{indent}{mark}\n{}", &text[..end], &text[end..])));
            }
        }
        at = end;
    }
    found
}

#[test]
fn property_one_mistake_one_error() {
    let mut counts: BTreeMap<&str, BTreeMap<usize, usize>> = BTreeMap::new();
    let mut worst: Vec<(usize, String)> = Vec::new();
    for example in corpus::seeds() {
        assert_eq!(errors(&nest(&example.path, &example.text)), vec![], "{}", example.path);
        for (slip, text) in slips(&example.text) {
            let found = errors(&nest(&example.path, &text));
            *counts.entry(slip).or_default().entry(found.len()).or_default() += 1;
            if found.len() > 1 {
                worst.push((
                    found.len(),
                    format!(
                        "{slip}: {}\n{}\n{}",
                        example.path,
                        told(&found),
                        difference(&example.text, &text)
                    ),
                ));
            }
        }
    }
    worst.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let shown: Vec<&str> = worst.iter().take(400).map(|(_, text)| text.as_str()).collect();
    let report = format!("{counts:#?}\n{}", shown.join("\n"));
    let of = |errors: &dyn Fn(usize) -> bool| -> usize {
        counts.values().flatten().filter(|(count, _)| errors(**count)).map(|(_, slips)| slips).sum()
    };
    let (all, one, many) = (of(&|_| true), of(&|count| count == 1), of(&|count| count > MOST));
    assert!(all > 2000, "{all}");
    if std::env::var_os("CASCADE_REPORT").is_some() {
        println!("{report}");
    }
    assert!(one * 100 >= all * ONE_IN_A_HUNDRED && many == 0, "{one} of {all} give one error\n{report}");
}

/// The first line that differs.
fn difference(before: &str, after: &str) -> String {
    let pair = before.lines().zip(after.lines()).enumerate().find(|(_, (before, after))| before != after);
    pair.map_or_else(String::new, |(at, (before, after))| {
        format!("    line {}: {before:?} -> {after:?}", at + 1)
    })
}
