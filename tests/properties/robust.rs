//! Whatever the text: it is kept whole, the compiler never panics nor exhausts its stack, and what it says points
//! into the text.

use std::{collections::BTreeSet, sync::Arc};

use flyc::{
    compiler::Compiler,
    diag::Diagnostic,
    format::format,
    syntax::{NodeRef, Parse, parse, parse_expression},
    text::TextRange,
};
use proptest::prelude::*;

use crate::{
    cases, check,
    corpus::{self, Example},
    generate::config,
    mutate::{Mistake, every_token, shuffled, soup},
    told,
};

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), soup(), "[ -~\n]{0,60}"]
}

fn any_example() -> impl Strategy<Value = Example> {
    prop::sample::select(corpus::everything())
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn property_lossless_any_text(text in any_text()) {
        lossless(&parse(Arc::from(text.as_str())))?;
        lossless(&parse_expression(Arc::from(text.as_str())))?;
    }

    #[test]
    fn property_no_panic_any_text(text in any_text()) {
        look(&text)?;
        look(&format!("locals {{\n  a = {text}\n}}\n"))?;
        look(&format!("locals {{\n  a = \"${{{text}}}\"\n}}\n"))?;
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn property_no_panic_shuffled_files((path, text) in any_example().prop_flat_map(|e| (Just(e.path), shuffled(e.text)))) {
        lossless(&parse(Arc::from(text.as_str())))?;
        sane(&corpus::nest(&path, &text))?;
        format(&parse(Arc::from(text.as_str())));
    }

    #[test]
    fn property_diagnostics_of_mistakes_are_sane(
        mut config in config(),
        how in prop::sample::select(&Mistake::ALL[..]),
        at in any::<prop::sample::Index>(),
    ) {
        let Some(text) = how.make(&mut config, at) else { return Err(TestCaseError::reject("nothing to break")) };
        sane(&config.nest(&text))?;
    }
}

/// Tokens tile the text; nodes lie within their parents, one after the other.
pub(crate) fn lossless(parsed: &Parse) -> Result<(), TestCaseError> {
    fn nested(node: NodeRef<'_>) -> Result<(), TestCaseError> {
        let (outer, tokens) = (node.range(), node.token_range());
        let mut at = tokens.start;
        for child in node.children() {
            let range = child.token_range();
            if !range.is_empty() {
                prop_assert!(range.start >= at && range.end <= tokens.end, "{:?} in {:?}", range, tokens);
                prop_assert!(outer.contains_range(child.range()));
                at = range.end;
            }
            nested(child)?;
        }
        Ok(())
    }
    let text = parsed.text();
    let tokens = parsed.tree().tokens();
    prop_assert_eq!(tokens.is_empty(), text.is_empty());
    prop_assert!(tokens.first().is_none_or(|first| first.start == 0));
    let ends = tokens.iter().skip(1).map(|token| token.start as usize).chain([text.len()]);
    let pieces = tokens.iter().zip(ends).map(|(token, end)| text.get(token.start as usize..end));
    let pieces: Option<Vec<&str>> = pieces.collect();
    let pieces = pieces.ok_or_else(|| TestCaseError::fail("a token ends within a character"))?;
    prop_assert!(pieces.iter().all(|piece| !piece.is_empty()));
    prop_assert_eq!(pieces.concat(), &**text);
    for error in parsed.errors() {
        prop_assert!(text.get(std::ops::Range::from(error.range)).is_some(), "{:?}", error);
    }
    prop_assert_eq!(parsed.root().descendants().count(), parsed.tree().len());
    nested(parsed.root())
}

/// Checks and formats a text in every place it could stand in.
fn look(text: &str) -> Result<(), TestCaseError> {
    for path in ["nest.fly", "Eggs/a/config.fly"] {
        sane(&[(path.to_owned(), text.to_owned())])?;
    }
    format(&parse(Arc::from(text)));
    Ok(())
}

/// What is said points at characters, once each, in order, and can be acted on.
pub(crate) fn sane(files: &[(String, String)]) -> Result<Vec<Diagnostic>, TestCaseError> {
    let found = check(files);
    let text_of = |path: &str| files.iter().find(|(known, _)| known == path).map(|(_, text)| text.as_str());
    let inside = |path: &str, range: TextRange| {
        text_of(path).is_some_and(|text| text.get(std::ops::Range::from(range)).is_some())
    };
    let mut seen = BTreeSet::new();
    for pair in found.windows(2) {
        prop_assert!(pair[0].span.key() <= pair[1].span.key(), "out of order:\n{}", told(&found));
    }
    for one in &found {
        prop_assert!(inside(&one.span.file, one.span.range), "{}", told(&found));
        prop_assert!(!one.message.is_empty() && !one.message.contains('\n'), "{:?}", one.message);
        for related in &one.related {
            prop_assert!(inside(&related.span.file, related.span.range), "{:?}", related);
        }
        prop_assert!(seen.insert((one.span.key(), one.kind.id, &one.message)), "twice:\n{}", told(&found));
        for edit in one.help.iter().flat_map(|help| &help.edits) {
            prop_assert!(inside(&one.span.file, edit.range), "{:?}", one);
            let mut text = text_of(&one.span.file).unwrap_or("").to_owned();
            text.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
            parse(Arc::from(text));
        }
    }
    Ok(found)
}

#[test]
fn property_no_panic_truncated_files() {
    for example in corpus::everything() {
        // Every end of a token and every character within one.
        let step = 1 + example.text.len() / 400;
        let cuts = every_token(&example.text).into_iter().map(|(_, range)| range.end);
        let cuts: BTreeSet<usize> = cuts.chain((0..example.text.len()).step_by(step)).collect();
        let cuts: Vec<usize> = cuts.into_iter().filter(|cut| example.text.is_char_boundary(*cut)).collect();
        let most = cuts.len().div_ceil(250);
        for cut in cuts.into_iter().step_by(most) {
            let text = &example.text[..cut];
            lossless(&parse(Arc::from(text))).unwrap();
            let files = [(example.path.clone(), text.to_owned())];
            let compiler = Compiler::new(files);
            compiler.check_file(&example.path);
            format(&parse(Arc::from(text)));
        }
    }
}

/// Runs on a stack so small that recursion along the input shows.
fn on_a_small_stack(name: &str, work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name(name.to_owned()).stack_size(512 << 10);
    let thread = thread.spawn(work).unwrap();
    thread.join().unwrap();
}

/// How many diagnostics a file has; it is checked on this very thread, and formatted.
fn survives(text: &str) -> usize {
    let parsed = parse(Arc::from(text));
    format(&parsed);
    let compiler = Compiler::new([("nest.fly", text)]);
    let found = compiler.check_file("nest.fly");
    for diagnostic in &found {
        let range = std::ops::Range::from(diagnostic.span.range);
        assert!(text.get(range).is_some());
    }
    // A hook for measuring by hand: nothing but the number of nodes and findings counts here.
    assert!(
        parsed.tree().len() <= 8 * text.len() + 8,
        "{} nodes of {} bytes",
        parsed.tree().len(),
        text.len()
    );
    found.len()
}

/// A line for each number.
fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(line).collect()
}

/// Texts that nest, chain or repeat `n` times.
fn deep(n: usize) -> Vec<(&'static str, String)> {
    let mixed: String = ["[", "(", "{a=", "x("].iter().cycle().take(n).copied().collect();
    let within = |value: String| format!("locals {{\n  a = {value}\n}}\n");
    let rule = |condition: &str| {
        let inside = format!("condition = \"{condition}\"\naction = \"alert\"\n");
        format!("uglyfox {{\npolicies {{\nrule \"a\" {{\n{inside}}}\n}}\n}}\n")
    };
    let choices = |n: usize, join: &str| {
        lines(n, |i| format!("(state != 'apex' OR job_count == {i} OR cpu_usage > {}){join}", i % 100))
            .replace('\n', " ")
    };
    let rules = |n: usize, condition: &dyn Fn(usize) -> String| {
        let rule =
            |i| format!("rule \"r{i}\" {{\ncondition = \"{}\"\naction = \"alert\"\n}}\n", condition(i));
        format!("uglyfox {{\npolicies {{\n{}}}\n}}\n", lines(n, rule))
    };
    let mut interpolated = String::from("1");
    for _ in 0..n.min(5000) {
        interpolated = format!("\"${{{interpolated}}}\"");
    }
    vec![
        ("[", within("[".repeat(n))),
        ("[ ]", within(format!("{}{}", "[".repeat(n), "]".repeat(n)))),
        ("(", within("(".repeat(n))),
        ("( )", within(format!("{}1{}", "(".repeat(n), ")".repeat(n)))),
        ("{", within("{".repeat(n))),
        ("{a=", within("{a=".repeat(n))),
        ("{a=}", within(format!("{}1{}", "{a=".repeat(n), "}".repeat(n)))),
        ("mixed", within(mixed)),
        ("top {", "{".repeat(n)),
        ("top }", "}".repeat(n)),
        ("top } lines", "}\n".repeat(n)),
        ("top [", "[".repeat(n)),
        ("top ]", "]".repeat(n)),
        ("top )(", ")(".repeat(n)),
        ("a {", "a {".repeat(n)),
        ("a { lines", "a {\n".repeat(n)),
        ("a { }", format!("{}{}", "a {\n".repeat(n), "}\n".repeat(n))),
        ("a {}", "a {} ".repeat(n)),
        ("a {}; lines", "a {};\n".repeat(n)),
        ("!", within(format!("{}true", "!".repeat(n)))),
        ("-", within(format!("{}1", "-".repeat(n)))),
        ("- -", within("- ".repeat(n))),
        (".a", within(format!("a{}", ".a".repeat(n)))),
        ("[0]", within(format!("a{}", "[0]".repeat(n)))),
        ("+1", within(format!("1{}", "+1".repeat(n)))),
        ("==1", within(format!("1{}", " == 1".repeat(n)))),
        ("a ? b : ", within(format!("{}c", "a ? b : ".repeat(n)))),
        ("a ? ", within("a ? ".repeat(n))),
        ("f(", within("f(".repeat(n))),
        ("f()", within("f()".repeat(n))),
        ("\"${", within(format!("\"{}", "${".repeat(n)))),
        ("\"${\" \"${\"", within(format!("[{}]", "\"${\", ".repeat(n)))),
        ("\"${${ }\"", within(format!("\"{}{}\"", "${".repeat(n), "}".repeat(n)))),
        ("nested ${}", within(interpolated)),
        (
            "chain of locals",
            format!("locals {{\n{}a{n} = 1\n}}\n", lines(n, |i| format!("a{i} = local.a{}\n", i + 1))),
        ),
        (
            "chain of texts",
            format!(
                "locals {{\n{}a{n} = 1\n}}\n",
                lines(n, |i| format!("a{i} = \"${{local.a{}}}\"\n", i + 1))
            ),
        ),
        ("\"${1}", within(format!("\"{}\"", "${1}".repeat(n)))),
        ("strings", within(format!("[{}]", "\"a\", ".repeat(n)))),
        ("elements", within(format!("[{}]", "1, ".repeat(n)))),
        ("no commas", within(format!("[{}]", "1 ".repeat(n)))),
        ("entries", within(format!("{{{}}}", lines(n, |i| format!("a{i} = 1, "))))),
        ("attributes", format!("locals {{\n{}}}\n", lines(n, |i| format!("a{i} = 1\n")))),
        (
            "references",
            format!("locals {{\na = 1\n{}}}\n", lines(n, |i| format!("a{i} = \"${{local.a}}\"\n"))),
        ),
        ("same attribute", "a = 1\n".repeat(n)),
        ("attributes on a line", "a = 1, ".repeat(n)),
        ("words", "a ".repeat(n)),
        ("word lines", "a\n".repeat(n)),
        ("= lines", "a =\n".repeat(n)),
        ("quotes", "\"".repeat(n)),
        ("quote lines", "a = \"\n".repeat(n)),
        ("heredocs", "a = <<EOT\n".repeat(n)),
        ("comments", "# c\n".repeat(n)),
        ("block comments", "/**/".repeat(n)),
        ("open comments", "/*".repeat(n)),
        ("commented", format!("locals {{\n{}}}\n", "/**/ a = 1 # c\n".repeat(n))),
        ("unknown", "@ é ".repeat(n)),
        ("nul", "\0".repeat(n)),
        ("letters in a comment", format!("# {}", "é".repeat(n))),
        ("letters in a condition", rule(&format!("egg == '{}'", "é".repeat(n)))),
        ("a condition of many", rule(&"age > 1h AND ".repeat(n))),
        ("a condition of brackets", rule(&"(".repeat(n))),
        ("a condition of NOT", rule(&format!("{}age > 1h", "NOT ".repeat(n)))),
        ("a condition of choices", rule(&format!("{}age > 1h", choices(n / 10, " OR ")))),
        ("a condition of all choices", rule(&format!("{}age > 1h", choices(n / 10, " AND ")))),
        (
            "a condition of holes",
            rule(&format!("{}age > 1h", lines(n, |i| format!("job_count != {i} AND ")))),
        ),
        ("rules", rules(n, &|i| format!("job_count == {i} OR age > {i}h AND pool_size != {i}"))),
        ("rules of choices", rules(n / 10, &|_| format!("{}age > 1h", choices(20, " AND ")))),
        ("letters", within(format!("\"{}\"", "é\\n".repeat(n)))),
        ("marks", "\u{feff}".repeat(n)),
        ("escapes", within(format!("\"{}\"", "\\ud800\\u{d800}\\q".repeat(n)))),
        ("eggs", "egg \"a\" {\n}\n".repeat(n)),
        ("one line", within(format!("\"{}\"", "x".repeat(n)))),
        ("long name", format!("{} = 1\n", "x".repeat(n))),
        ("long number", within("1".repeat(n))),
        ("spaces", format!("{}}}", " ".repeat(n))),
    ]
}

#[test]
fn property_no_panic_deep_and_long() {
    for (name, text) in deep(3000) {
        on_a_small_stack(name, move || {
            let found = survives(&text);
            assert!(found <= 4 * 3000 + 8, "{name}: {found} diagnostics");
        });
    }
}
