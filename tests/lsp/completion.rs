//! Completion in every example of the seeds, cut after each token: there is always something where the schema allows
//! something, and taking the first never makes a new mistake.

use fly_lsp::ide::complete;
use flyc::{
    compiler::Compiler,
    syntax::{Kind, parse},
    text::TextSize,
};

/// Mistakes that a completion must never make. What is missing is another matter: it is completed next.
const MISTAKES: &[&str] = &[
    "bad-call",
    "bad-cron",
    "bad-format",
    "bad-number",
    "bad-operand",
    "bad-secret-uri",
    "condition-field",
    "condition-syntax",
    "condition-type",
    "duplicate-attribute",
    "duplicate-block",
    "misplaced-block",
    "out-of-range",
    "stray-brace",
    "syntax-error",
    "type-mismatch",
    "unknown-attribute",
    "unknown-block",
    "unknown-function",
    "unknown-value",
    "wrong-label",
];

pub(crate) struct Example {
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn seeds() -> Vec<Example> {
    let all = include_str!("../../fly-std/src/schema/tests/seeds.fly");
    let parts = all.split("# --- ").skip(1).map(|part| part.split_once('\n').unwrap());
    parts
        .map(|(name, text)| Example {
            path: name.split_once('/').unwrap().1.trim().to_owned(),
            text: text.to_owned(),
        })
        .collect()
}

/// The text with everything closed that is open in it.
fn closed(text: &str) -> String {
    let parsed = parse(text.into());
    let mut open = Vec::new();
    for token in parsed.tree().tokens() {
        match token.kind {
            Kind::OpenBrace => open.push("\n}"),
            Kind::OpenBracket => open.push("]"),
            Kind::OpenParen => open.push(")"),
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen => drop(open.pop()),
            _ => {}
        }
    }
    open.reverse();
    format!("{text}{}\n", open.concat())
}

fn mistakes(path: &str, text: &str) -> Vec<String> {
    let compiler = Compiler::new([(path, text)]);
    let found = compiler.check_file(path).into_iter().filter(|found| MISTAKES.contains(&found.kind.id));
    found.map(|found| format!("{}: {}", found.kind.id, found.message)).collect()
}

#[test]
fn the_first_completion_is_never_wrong_and_there_is_one() {
    let (mut asked, mut wrong) = (0, Vec::new());
    for Example { path, text } in seeds() {
        let parsed = parse(text.as_str().into());
        let tokens = parsed.tree().tokens();
        for (at, token) in tokens.iter().enumerate() {
            if token.kind.is_comment() {
                continue;
            }
            let end = tokens.get(at + 1).map_or(text.len(), |next| next.start as usize);
            let cut = &text[..end];
            let compiler = Compiler::new([(path.as_str(), cut)]);
            let found = complete(&compiler, &path, TextSize::of(cut));
            asked += 1;
            let tail = || {
                cut.lines().rev().take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("⏎")
            };
            let Some(first) = found.first() else {
                // A whole number allows nothing more than its end.
                if token.kind != Kind::Number {
                    wrong.push(format!("nothing after {:?}", tail()));
                }
                continue;
            };
            let mut taken = cut.to_owned();
            taken.replace_range(std::ops::Range::<usize>::from(first.range), &first.plain());
            let taken = closed(&taken);
            let before = mistakes(&path, &closed(cut));
            for mistake in mistakes(&path, &taken) {
                if !before.contains(&mistake) {
                    wrong.push(format!("after {:?}, {:?} gives {mistake}", tail(), first.plain()));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 1000, "{asked}");
}
