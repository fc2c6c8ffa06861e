//! What an editor offers to change: a fix takes its finding away and brings none anywhere in the Nest, anything else
//! leaves what the Nest means; and formatting by edits is formatting.

use std::{collections::HashMap, ops::Range, sync::Arc};

use fly_lsp::ide::{Action, ActionKind, Edits, FileEdit, actions, carry_out, format_file, format_range};
use flyc::{
    build::Options,
    compiler::Compiler,
    diag::{Diagnostic, Edit},
    format::format,
    model::{Meaning, TypedBlock},
    syntax::{Kind, parse},
    text::{TextRange, TextSize},
};
use proptest::{collection::vec, prelude::*, sample::Index, sample::select};

use crate::{
    cases, corpus,
    generate::config,
    mdtest,
    mutate::{Mistake, shuffled, significant},
};

type Files = Vec<(String, String)>;
type Counts = HashMap<(String, &'static str, String), usize>;

fn counts(found: &[Diagnostic]) -> Counts {
    let mut counts = Counts::new();
    for one in found {
        *counts.entry((one.span.file.to_string(), one.kind.id, one.message.clone())).or_default() += 1;
    }
    counts
}

fn applied(text: &str, edits: &[Edit]) -> String {
    let mut text = text.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(Range::<usize>::from(edit.range), &edit.text);
    }
    text
}

/// Runs with the texts as an action leaves them.
fn changed<T>(compiler: &mut Compiler, files: &[FileEdit], look: impl FnOnce(&Compiler) -> T) -> T {
    let before: Vec<_> = files.iter().map(|file| compiler.text(&file.path).unwrap()).collect();
    for (file, text) in files.iter().zip(&before) {
        compiler.set(&file.path, applied(text, &file.edits));
    }
    let seen = look(compiler);
    for (file, text) in files.iter().zip(before) {
        compiler.set(&file.path, text);
    }
    seen
}

fn ready(action: &Action) -> Option<&[FileEdit]> {
    match &action.edits {
        Edits::Ready(files) => Some(files),
        Edits::Deferred(_) => None,
    }
}

/// How many fixes were tried, and what is wrong with them.
#[derive(Default)]
struct Report {
    findings: usize,
    fixes: usize,
    wrong: Vec<String>,
}

impl Report {
    /// Every fix of everything that is wrong with a Nest, beyond what is known.
    fn take(&mut self, compiler: &mut Compiler, known: &Counts, what: &str) {
        let found = compiler.check();
        let before = counts(&found);
        for finding in &found {
            self.findings += 1;
            let path = Arc::clone(&finding.span.file);
            let key = (path.to_string(), finding.kind.id, finding.message.clone());
            if compiler.text(&path).is_none() || known.contains_key(&key) {
                continue;
            }
            let offered = actions(compiler, &path, finding.span.range, &|kind| kind == ActionKind::Fix);
            for action in offered {
                let Some(files) = ready(&action) else { continue };
                self.fixes += 1;
                let after = changed(compiler, files, |compiler| counts(&compiler.check()));
                let mut left = before.clone();
                for mended in counts(&action.findings) {
                    *left.entry(mended.0).or_default() -= mended.1;
                }
                for (key, count) in &after {
                    let allowed = left.get(key).copied().unwrap_or(0);
                    if *count > allowed {
                        let text = compiler.text(&path).unwrap();
                        self.wrong.push(format!(
                            "{what}: `{}` ({}) gives {key:?}\n{text}",
                            action.title, finding.kind.id
                        ));
                    }
                }
            }
        }
    }

    /// Everything that mends many findings of a Nest at once: it does something, and brings nothing.
    fn take_many(&mut self, compiler: &mut Compiler, what: &str) {
        let before = counts(&compiler.check());
        let is_many = |kind| matches!(kind, ActionKind::FixEvery | ActionKind::FixAll);
        for path in compiler.paths().cloned().collect::<Vec<_>>() {
            let whole = TextRange::up_to(TextSize::of(&*compiler.text(&path).unwrap()));
            for action in actions(compiler, &path, whole, &is_many) {
                let Edits::Deferred(deferred) = &action.edits else { continue };
                let files = carry_out(compiler, &path, deferred);
                self.fixes += 1;
                let after = changed(compiler, &files, |compiler| counts(&compiler.check()));
                let comes = |(key, count): &(_, _)| *count > before.get(key).copied().unwrap_or(0);
                let come: Vec<_> = after.into_iter().filter(comes).collect();
                if files.is_empty() || !come.is_empty() {
                    let text = compiler.text(&path).unwrap();
                    self.wrong.push(format!("{what}: `{}` gives {come:?}\n{text}", action.title));
                }
            }
        }
    }

    fn finish(self, least: usize) {
        let shown: Vec<_> = self.wrong.iter().take(12).map(String::as_str).collect();
        assert!(self.wrong.is_empty(), "{} of {}:\n{}", self.wrong.len(), self.fixes, shown.join("\n---\n"));
        assert!(self.fixes >= least, "{} fixes of {} findings", self.fixes, self.findings);
    }
}

/// Looks at the Nest of each section of the markdown tests.
fn each_section(mut look: impl FnMut(&mut Compiler, &str)) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fly");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for section in mdtest::parse(&text).unwrap() {
            let files = section.files.iter().map(|file| (file.path.clone(), file.text.clone()));
            let mut compiler = Compiler::new(files);
            let assets = section.assets.iter();
            compiler.set_assets(assets.map(|(path, text)| (path.as_str().into(), Ok(text.as_str().into()))));
            look(&mut compiler, &section.name);
        }
    }
}

#[test]
fn fixes_of_the_markdown_tests_keep_their_promise() {
    let mut report = Report::default();
    each_section(|compiler, name| report.take(compiler, &Counts::new(), name));
    report.finish(250);
}

#[test]
fn what_mends_many_keeps_its_promise() {
    let mut report = Report::default();
    each_section(|compiler, name| report.take_many(compiler, name));
    report.finish(30);
}

/// Slips of the pen in one token: a word misspelt, quotes gone, quotes too many, the token gone, the token twice.
fn slips(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (kind, range) in significant(text) {
        let token = &text[range.clone()];
        let mut slip = |written: &str| {
            if written != token {
                found.push(format!("{}{written}{}", &text[..range.start], &text[range.end..]));
            }
        };
        slip("");
        if kind == Kind::Ident && token.len() > 2 {
            let letters = token.chars().enumerate();
            slip(&letters.map(|(at, c)| if at == 1 { 'q' } else { c }).collect::<String>());
        }
        match kind {
            Kind::String => slip(token.trim_matches('"')),
            Kind::Ident | Kind::Number => slip(&format!("\"{token}\"")),
            _ => {}
        }
        if kind == Kind::Number {
            slip(token.trim_end_matches(|c: char| !c.is_ascii_digit()));
            slip(&format!("{token}0000"));
        }
    }
    // A whole line gone, or twice.
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for at in 0..lines.len() {
        found.push([&lines[..at], &lines[at + 1..]].concat().concat());
        found.push([&lines[..=at], &lines[at..]].concat().concat());
    }
    found
}

#[test]
fn fixes_of_single_slips_keep_their_promise() {
    let mut report = Report::default();
    let mut number = 0;
    for example in corpus::seeds() {
        let known = counts(&Compiler::new(corpus::nest(&example.path, &example.text)).check());
        for slipped in slips(&example.text) {
            number += 1;
            let mut compiler = Compiler::new(corpus::nest(&example.path, &slipped));
            report.take(&mut compiler, &known, &example.path);
        }
    }
    assert!(number > 3000, "{number}");
    report.finish(3000);
}

fn nest_of(files: Files) -> Files {
    let mut files = files;
    if files.iter().all(|(path, _)| path != "nest.fly") {
        let text = "nest {\n  name = \"n\"\n}\n\nlocals {\n  shared = 2\n}\n";
        files.push(("nest.fly".to_owned(), text.to_owned()));
    }
    files
}

fn settle(meaning: &mut Meaning) {
    meaning.attributes.remove("extends");
    meaning.blocks.sort_by(|a, b| a.name.cmp(&b.name));
    meaning.blocks.iter_mut().for_each(settle);
}

fn meaning(compiler: &Compiler) -> Vec<Meaning> {
    let typed = compiler.paths().filter_map(|path| compiler.typed(path)).flat_map(|typed| &typed.blocks);
    let mut all: Vec<_> = typed
        .filter(|block| !matches!(&*block.name, "locals" | "profile"))
        .map(TypedBlock::meaning)
        .collect();
    all.iter_mut().for_each(settle);
    all
}

/// Every configuration that a build gives.
fn built(compiler: &Compiler) -> Option<Vec<(String, String)>> {
    let build = compiler.build(&Options::default()).ok()?;
    Some(build.files.into_iter().filter(|(path, _)| path.ends_with("config.json")).collect())
}

/// Tries all that leaves the meaning at a range; how often something was offered, and how often it was built.
fn keeps_meaning(
    compiler: &mut Compiler,
    path: &str,
    range: TextRange,
    build: bool,
) -> Result<(usize, usize), String> {
    let refactors = [ActionKind::Extract, ActionKind::Inline, ActionKind::Rewrite];
    let offered = actions(compiler, path, range, &|kind| refactors.contains(&kind));
    let (before, found) = (meaning(compiler), counts(&compiler.check()));
    let json = build.then(|| built(compiler)).flatten();
    let is_built = json.as_ref().is_some_and(|files| !files.is_empty());
    let mut count = 0;
    for action in offered.iter().filter(|action| action.findings.is_empty()) {
        let Some(files) = ready(action) else { continue };
        count += 1;
        let text = compiler.text(path).unwrap();
        changed(compiler, files, |after| {
            let shown = || {
                format!(
                    "`{}` at {:?} of\n{text}\ngives\n{}",
                    action.title,
                    &text[range],
                    after.text(path).unwrap()
                )
            };
            if meaning(after) != before {
                return Err(format!("another meaning: {}", shown()));
            }
            let now = counts(&after.check());
            if now.iter().any(|(key, count)| *count > found.get(key).copied().unwrap_or(0)) {
                return Err(format!("new findings {now:?}: {}", shown()));
            }
            if json.is_some() && built(after) != json {
                return Err(format!("another build: {}", shown()));
            }
            Ok(())
        })?;
    }
    Ok((count, if is_built { count } else { 0 }))
}

fn range_of(range: Range<usize>) -> TextRange {
    TextRange::new(TextSize::try_from(range.start).unwrap(), TextSize::try_from(range.end).unwrap())
}

#[test]
fn refactorings_of_the_examples_keep_their_meaning() {
    let (mut tried, mut builds) = (0, 0);
    for example in corpus::seeds() {
        let mut compiler = Compiler::new(nest_of(corpus::nest(&example.path, &example.text)));
        let parsed = parse(example.text.as_str().into());
        let values = parsed.root().descendants().filter(|node| {
            use flyc::syntax::NodeKind;
            matches!(node.kind(), NodeKind::Attribute | NodeKind::Block)
                || flyc::syntax::Expr::cast(*node).is_some()
        });
        for (at, node) in values.enumerate() {
            let cursor = TextRange::empty(node.range().start());
            for (range, build) in [(node.range(), at % 5 == 0), (cursor, false)] {
                let (offered, built) = keeps_meaning(&mut compiler, &example.path, range, build).unwrap();
                tried += offered;
                builds += built;
            }
        }
    }
    assert!(builds > 50, "{builds}");
    assert!(tried > 500, "{tried}");
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn property_fixes_of_generated_files_keep_their_promise(
        mut config in config(),
        mistake in select(&Mistake::ALL[..]),
        at in any::<Index>(),
    ) {
        let text = mistake.make(&mut config, at);
        prop_assume!(text.is_some());
        let mut compiler = Compiler::new(config.nest(&text.unwrap()));
        let mut report = Report::default();
        report.take(&mut compiler, &Counts::new(), &format!("{mistake:?}"));
        prop_assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n"));
    }

    #[test]
    fn property_refactorings_keep_the_meaning(config in config(), at in vec((any::<Index>(), any::<Index>()), 1..6)) {
        let text = config.print().text;
        let mut compiler = Compiler::new(nest_of(config.nest(&text)));
        let tokens = significant(&text);
        for (number, (one, other)) in at.into_iter().enumerate() {
            let (one, other) = (one.index(tokens.len()), other.index(tokens.len()));
            let start = tokens[one].1.start;
            // A cursor, a token, or whatever lies between two.
            let end = match number % 3 { 0 => start, 1 => tokens[one].1.end, _ => tokens[other].1.end.max(start) };
            let kept = keeps_meaning(&mut compiler, config.path, range_of(start..end), true);
            prop_assert!(kept.is_ok(), "{}", kept.unwrap_err());
        }
    }

    #[test]
    fn property_formatting_by_edits_is_formatting(
        text in prop::sample::select(corpus::everything()).prop_flat_map(|e| prop_oneof![Just(e.text.clone()), shuffled(e.text)]),
        cuts in (any::<Index>(), any::<Index>()),
        crlf in any::<bool>(),
    ) {
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        formats(&text, cuts)?;
    }

    #[test]
    fn property_formatting_generated_files_by_edits(config in config(), cuts in (any::<Index>(), any::<Index>())) {
        formats(&config.print().text, cuts)?;
    }
}

fn formats(text: &str, (one, other): (Index, Index)) -> Result<(), TestCaseError> {
    let path = "nest.fly";
    let compiler = Compiler::new([(path, text)]);
    let whole = format(&parse(text.into()));
    let edits = format_file(&compiler, path);
    prop_assert_eq!(&applied(text, &edits), &whole);
    for edit in &edits {
        let space = |text: &str| text.chars().all(|c| c.is_whitespace() || matches!(c, ',' | '\u{feff}'));
        prop_assert!(space(&text[edit.range]) && space(&edit.text), "{:?} {:?}", &text[edit.range], edit);
    }
    let all = flyc::syntax::whole(text);
    let broken = !parse(text.into()).errors().is_empty();
    // A part keeps the file's line ends, and so does the whole when it is asked for as a part.
    let kept = format_range(&compiler, path, all);
    if !broken {
        prop_assert_eq!(applied(text, &kept).replace("\r\n", "\n"), whole.replace("\r\n", "\n"));
    }
    let lines: Vec<usize> = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        })
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    let (one, other) = (lines[one.index(lines.len())], lines[other.index(lines.len())]);
    let range = range_of(one.min(other)..one.max(other));
    let part = format_range(&compiler, path, range);
    if !broken {
        for edit in &part {
            prop_assert!(kept.contains(edit), "{:?} is none of {:?}", edit, kept);
        }
    }
    let after = applied(text, &part);
    let errors = |text: &str| parse(text.into()).errors().len();
    prop_assert_eq!(errors(&after), errors(text), "{:?} of\n{}\ngives\n{}", part, text, after);
    // Formatted again, nothing changes where it was formatted.
    // What has moved is asked about where it stands now.
    let moved = |at: TextSize| {
        let before = part.iter().filter(|edit| edit.range.end() <= at);
        let (gone, come) = before.fold((0, 0), |(gone, come), edit| {
            (gone + usize::from(edit.range.len()), come + edit.text.len())
        });
        usize::from(at) + come - gone
    };
    let (start, end) = (moved(range.start()), moved(range.end()));
    let words = |text: Option<&str>| {
        let words = text.map(|text| text.chars().filter(|c| !c.is_whitespace()).collect::<String>());
        words.filter(|words| !words.is_empty())
    };
    // Unless lines were put together: then others are meant now.
    let was = words(text.get(Range::<usize>::from(range)));
    let begins_line = after.get(..start).is_some_and(|before| before.is_empty() || before.ends_with('\n'));
    if !broken && begins_line && was.is_some() && words(after.get(start..end)) == was {
        let again = Compiler::new([(path, after.as_str())]);
        let again = format_range(&again, path, range_of(start..end));
        prop_assert_eq!(again, vec![], "{:?} in\n{}", range, after);
    }
    Ok(())
}
