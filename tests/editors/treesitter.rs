//! The tree-sitter grammar: it and flyc see every file alike, and its queries have the words of fly-std's tables.
//!
//! Four kinds of file are read by both: what people wrote (the fixtures of `tests/fly`, the seeds' examples, every Nest
//! here and beside the workspace), valid files that mean something, files of every form (which are valid more often than
//! not), and broken ones. `PROPTEST_CASES=5000 cargo test --test editors treesitter` tries harder.
//!
//! What must hold:
//! - *Whether.* tree-sitter finds a mistake (an `ERROR` or a missing token) in exactly the files in which flyc's parser
//!   does. Left out are files that nest beyond flyc's limit, which is no mistake to tree-sitter, and those with a `-`
//!   right before a `{`, as in `egg - {`: flyc pairs that brace as a map's, so it misses the blocks inside.
//! - *What.* Where there is none, both see the same tree: blocks with their names, labels and insides, attributes and
//!   their values, every expression down to its names and literals, and `${…}` in texts, all with the same ranges.
//!   What stands between `${` and `}` is text to tree-sitter where it is no expression; flyc's parser leaves it alone as
//!   well, and its later steps tell a mistake outside of scripts. So no mistake within `${…}` is compared, only where
//!   interpolations with an expression in them stand.
//! - *Where.* tree-sitter's first mistake and flyc's first flaw stand in one place: the lines from the token before the one
//!   to the token behind it, and those of the other, have a line in common, and nine of ten begin on the same line. (What
//!   is missing may be missed on either side of a line end.) A flaw is what flyc's tree has, not what flyc tells: an
//!   unclosed `[` is told where it was opened. Left out are files whose brackets do not pair, or in which a string, heredoc
//!   or comment is never closed: there flyc asks the indentation where the mistake is, and tree-sitter cannot.
//!
//! What never lives here: colours, folds and trees of single constructs, which `npm test` in the folder tries.

#![allow(clippy::expect_used, reason = "this is a test")]

#[path = "treesitter/cst.rs"]
mod cst;
#[path = "treesitter/forms.rs"]
mod forms;
#[path = "treesitter/shape.rs"]
mod shape;
#[path = "treesitter/words.rs"]
pub(crate) mod words;

use std::{
    env, fs,
    ops::{Range, RangeInclusive},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use flyc::syntax::{Kind, NodeKind, Parse, SyntaxErrorKind, parse};
use polar_gosling_tests::{need, tools};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::{corpus, generate, mdtest, mutate};
use cst::Tree;

/// The grammar's folder.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("editors/tree-sitter-fly")
}

/// So many texts of a strategy, the same ones each time.
fn drawn(strategy: &impl Strategy<Value = String>, number: usize) -> Vec<String> {
    let number = env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(number);
    let mut runner = TestRunner::deterministic();
    (0..number).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// What people wrote.
fn written() -> Vec<String> {
    let mut all: Vec<String> = corpus::everything().into_iter().map(|example| example.text).collect();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fly");
    for entry in fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let sections = mdtest::parse(&fs::read_to_string(&path).unwrap()).unwrap();
            all.extend(sections.into_iter().flat_map(|section| section.files).map(|file| file.text));
        }
    }
    assert!(all.len() > 400, "{}", all.len());
    all
}

/// Valid files with a meaning.
fn meant() -> impl Strategy<Value = String> {
    generate::config().prop_map(|config| config.print().text)
}

/// The trees of some texts, all read by one process.
fn read(tree_sitter: &tools::TreeSitter, texts: &[String]) -> Vec<Tree> {
    let place = tempfile::tempdir().unwrap();
    let parser = place.path().join("fly.so");
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), output.stderr)
    };
    let built = run(tree_sitter.command().arg("build").arg("--output").arg(&parser).arg(folder()));
    assert!(built.0, "{}", String::from_utf8_lossy(&built.2));
    let paths: Vec<String> = (0..texts.len())
        .map(|at| place.path().join(format!("{at}.fly")).to_str().unwrap().to_owned())
        .collect();
    for (path, text) in paths.iter().zip(texts) {
        fs::write(path, text).unwrap();
    }
    let list = place.path().join("paths");
    fs::write(&list, paths.join("\n")).unwrap();
    // It fails when a file has mistakes, as some have.
    let mut parse = tree_sitter.command();
    parse.arg("parse").arg("--lib-path").arg(&parser).args(["--lang-name", "fly", "--paths"]).arg(&list);
    let (_, printed, _) = run(&mut parse);
    Tree::read(&printed, &texts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What came of a comparison.
#[derive(Default, Debug)]
struct Count {
    /// Files with nothing wrong in them.
    valid: usize,
    /// Files with a mistake whose place was compared.
    placed: usize,
    /// Those of them whose places begin on the same line.
    exact: usize,
}

/// Reads the texts with both, and fails with the shortest one on which they differ.
fn agree(tree_sitter: &tools::TreeSitter, texts: &[String]) -> Count {
    let mut count = Count::default();
    let mut differences = Vec::new();
    for (text, tree) in texts.iter().zip(read(tree_sitter, texts)) {
        let parsed = parse(Arc::from(text.as_str()));
        let too_deep = parsed.errors().iter().any(|error| error.kind == SyntaxErrorKind::TooDeep);
        if too_deep || dash_before_brace(&parsed) {
            continue;
        }
        if let Err(difference) = compare(text, &parsed, &tree, &mut count) {
            differences.push((text.len(), format!("{difference}\n\n{text}\n\n{text:?}")));
        }
    }
    differences.sort();
    if let Some((_, shortest)) = differences.first() {
        panic!("{} of {} files differ; the shortest: {shortest}", differences.len(), texts.len());
    }
    assert!(count.exact * 10 >= count.placed * 9, "{count:?}");
    count
}

fn compare(text: &str, parsed: &Parse, tree: &Tree, count: &mut Count) -> Result<(), String> {
    let mistake = match (&tree.mistake, parsed.errors().first()) {
        (None, None) => {
            count.valid += 1;
            let (flyc, own) = (shape::of_flyc(parsed), shape::of_tree_sitter(&tree.root, text));
            return if flyc == own {
                Ok(())
            } else {
                Err(format!("flyc sees\n{}\ntree-sitter sees\n{}", flyc.told(text), own.told(text)))
            };
        }
        (Some(mistake), None) => return Err(format!("only tree-sitter finds a mistake, at {mistake:?}")),
        (None, Some(error)) => return Err(format!("only flyc finds a mistake: {error:?}")),
        (Some(mistake), Some(_)) => mistake,
    };
    if !pairs(parsed) {
        return Ok(());
    }
    let flaw = first_flaw(parsed);
    let (theirs, own) = (lines(parsed, &flaw), lines(parsed, mistake));
    count.placed += 1;
    count.exact += usize::from(line(text, flaw.start) == line(text, mistake.start));
    if theirs.start() <= own.end() && own.start() <= theirs.end() {
        return Ok(());
    }
    Err(format!("flyc's first flaw is on the lines {theirs:?}, tree-sitter's first mistake on {own:?}"))
}

fn dash_before_brace(parsed: &Parse) -> bool {
    let tokens = parsed.tree().tokens().iter().map(|token| token.kind).filter(|kind| !kind.is_trivia());
    tokens.clone().zip(tokens.skip(1)).any(|pair| pair == (Kind::Minus, Kind::OpenBrace))
}

/// Whether every bracket has its partner, and every string, heredoc and comment its end.
fn pairs(parsed: &Parse) -> bool {
    let mut open = Vec::new();
    for token in parsed.tree().tokens() {
        match token.kind {
            Kind::OpenBrace => open.push(Kind::CloseBrace),
            Kind::OpenBracket => open.push(Kind::CloseBracket),
            Kind::OpenParen => open.push(Kind::CloseParen),
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen if open.pop() != Some(token.kind) => {
                return false;
            }
            Kind::UnclosedString | Kind::UnclosedHeredoc | Kind::UnclosedComment => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// The first piece that flyc did not understand, or the place where it missed something.
fn first_flaw(parsed: &Parse) -> Range<usize> {
    let is_flaw = |kind| matches!(kind, NodeKind::Error | NodeKind::Missing(_));
    let flaws = parsed.root().descendants().filter(|node| is_flaw(node.kind())).map(|node| node.range());
    flaws.map(Range::from).min_by_key(|range: &Range<usize>| range.start).expect("an error stands somewhere")
}

/// The lines from the token before a stretch to the one behind it.
fn lines(parsed: &Parse, stretch: &Range<usize>) -> RangeInclusive<usize> {
    let tokens = parsed.tree().tokens();
    let ends = tokens.iter().skip(1).map(|token| token.start as usize).chain([parsed.text().len()]);
    let tokens = tokens.iter().zip(ends).filter(|(token, _)| !token.kind.is_trivia());
    let before = tokens.clone().map(|(_, end)| end).take_while(|end| *end <= stretch.start).last();
    let behind = tokens.map(|(token, _)| token.start as usize).find(|start| *start >= stretch.end);
    let end = behind.unwrap_or(parsed.text().len());
    line(parsed.text(), before.unwrap_or(0))..=line(parsed.text(), end)
}

/// The line of a place, from 1.
fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[test]
fn what_people_wrote_is_seen_alike() {
    let tree_sitter = need!(tools::tree_sitter());
    let count = agree(&tree_sitter, &written());
    assert!(count.valid > 400, "{count:?}");
}

#[test]
fn a_thousand_valid_files_are_seen_alike() {
    let tree_sitter = need!(tools::tree_sitter());
    let texts = drawn(&meant(), 1000);
    let count = agree(&tree_sitter, &texts);
    assert_eq!(count.valid, texts.len(), "{count:?}");
}

#[test]
fn files_of_every_form_are_seen_alike() {
    let tree_sitter = need!(tools::tree_sitter());
    let texts = drawn(&forms::file(), 3000);
    let count = agree(&tree_sitter, &texts);
    assert!(count.valid * 3 > texts.len() && count.placed * 10 > texts.len(), "{count:?}");
}

#[test]
fn broken_files_are_seen_alike() {
    let tree_sitter = need!(tools::tree_sitter());
    let sources = prop_oneof![prop::sample::select(written()), meant(), forms::file()];
    let mut texts = drawn(&sources.prop_flat_map(mutate::shuffled), 1500);
    texts.extend(drawn(&mutate::soup(), 1000));
    let whole = drawn(&forms::file(), 500);
    texts.extend(whole.iter().map(|text| text[..text.floor_char_boundary(text.len() / 2)].to_owned()));
    let count = agree(&tree_sitter, &texts);
    assert!(count.placed * 10 > texts.len(), "{count:?}");
}

/// Each of these strings looks for the end of a `${` to the end of the line: without a limit this takes minutes. Behind
/// the limit a string ends at the next quote.
#[test]
fn a_line_of_many_unclosed_interpolations_is_read_in_time() {
    let tree_sitter = need!(tools::tree_sitter());
    let many = format!("a = [{}]\n", r#""${","#.repeat(50_000));
    let behind = [
        "",
        r#""${b}-${{c = 1}}""#,
        r#""${b:-\"c\"}""#,
        r#""${f("b")}""#,
        r#""${b}${""#,
        "<<E\n${f(\"b\")}\nE",
    ];
    let texts: Vec<String> = behind.iter().map(|value| format!("{many}d = [{value}\n]\n")).collect();
    let count = agree(&tree_sitter, &texts);
    assert_eq!(count.valid, behind.len() - 1, "{count:?}");
}
