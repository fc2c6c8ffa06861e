//! Every question at every place of every text, whole or broken: there is an answer, and it stays within the text.

use fly_lsp::ide::{
    self, Moment, Symbol, complete, definition, document_symbols, folds, highlights, hover, prepare_rename,
    references, rename, selections, semantic_tokens, signature,
};
use flyc::{
    compiler::Compiler,
    text::{TextRange, TextSize},
};
use proptest::{prelude::*, sample::Index};
use rayon::prelude::*;

use crate::{
    cases,
    nests::{Nest, examples},
};

/// What is wrong with a range: it must begin and end between letters of the text.
fn outside(text: &str, range: TextRange) -> bool {
    let at = |offset: TextSize| text.is_char_boundary(offset.into());
    usize::from(range.end()) > text.len() || !at(range.start()) || !at(range.end())
}

/// Asks everything at one place.
fn ask(nest: &Nest, compiler: &Compiler, path: &str, offset: TextSize) -> Result<(), String> {
    let text = compiler.text(path).unwrap();
    let fail = |what: &str| Err(format!("{path} at {offset:?}: {what}"));
    let own = |range: TextRange| !outside(&text, range);
    let touches = |range: TextRange| own(range) && range.contains_inclusive(offset);
    if hover(compiler, path, offset, Moment(1_767_227_400))
        .is_some_and(|hover| !touches(hover.range) || hover.text.is_empty())
    {
        return fail("hover");
    }
    for one in complete(compiler, path, offset) {
        // An editor replaces only what is on the line of the cursor.
        if !touches(one.range) || one.label.is_empty() || text[one.range].contains('\n') {
            return fail(&format!("completion {one:?}"));
        }
    }
    for span in definition(compiler, path, offset).into_iter().chain(references(compiler, path, offset, true))
    {
        if outside(nest_text(nest, &text, path, &span.file), span.range) {
            return fail(&format!("{span:?}"));
        }
    }
    if let Some(signature) = signature(compiler, path, offset) {
        let inside = |range: &std::ops::Range<usize>| signature.label.get(range.clone()).is_some();
        if !signature.parameters.iter().all(inside)
            || signature.active.is_some_and(|at| at >= signature.parameters.len())
        {
            return fail("signature");
        }
    }
    let here = highlights(compiler, path, offset);
    if here.iter().any(|(range, _)| !own(*range)) {
        return fail("highlights");
    }
    let prepared = prepare_rename(compiler, path, offset).ok();
    if prepared.as_ref().is_some_and(|(range, name)| !touches(*range) || text[*range] != **name) {
        return fail(&format!("prepareRename {prepared:?}"));
    }
    // It looks through the whole Nest; where the next letter is of the same word it says the same.
    let is_edge = text[offset.into()..].chars().next().is_none_or(|c| !c.is_ascii_alphanumeric());
    if is_edge && prepared.is_some() != rename(compiler, path, offset, "zqx7k").is_ok() {
        return fail("rename without prepareRename, or the other way round");
    }
    if prepared.is_some() && !here.iter().any(|(range, _)| touches(*range)) {
        return fail("a name that highlights nothing");
    }
    let grown = selections(compiler, path, offset);
    if grown.iter().any(|range| !touches(*range)) || !grown.is_sorted_by(|one, next| grows(*one, *next)) {
        return fail(&format!("selections {grown:?}"));
    }
    Ok(())
}

fn grows(one: TextRange, next: TextRange) -> bool {
    next.contains_range(one) && next != one
}

fn nest_text<'a>(nest: &'a Nest, text: &'a str, path: &str, other: &str) -> &'a str {
    if path == other { text } else { nest.text(other) }
}

/// Asks what is asked of a whole file.
fn ask_file(compiler: &Compiler, path: &str) -> Result<(), String> {
    let text = compiler.text(path).unwrap();
    let all = folds(compiler, path);
    for (at, fold) in all.iter().enumerate() {
        let crosses = |other: TextRange| {
            let between = |one: TextRange, two: TextRange| {
                one.start() < two.start() && two.start() < one.end() && one.end() < two.end()
            };
            between(fold.range, other) || between(other, fold.range)
        };
        if outside(&text, fold.range) || all[..at].iter().any(|other| crosses(other.range)) {
            return Err(format!("{path}: fold {fold:?}"));
        }
    }
    let tokens = semantic_tokens(compiler, path);
    let mut end = TextSize::from(0);
    for token in tokens {
        let is_known = usize::try_from(token.kind).unwrap() < ide::TOKEN_TYPES.len()
            && token.modifiers >> ide::TOKEN_MODIFIERS.len() == 0;
        if outside(&text, token.range) || token.range.is_empty() || token.range.start() < end || !is_known {
            return Err(format!("{path}: token {token:?} after {end:?}"));
        }
        end = token.range.end();
    }
    nested(&text, &document_symbols(compiler, path), None).map_err(|wrong| format!("{path}: {wrong}"))
}

fn nested(text: &str, symbols: &[Symbol], around: Option<TextRange>) -> Result<(), String> {
    for symbol in symbols {
        let is_within = around.is_none_or(|around| around.contains_range(symbol.range));
        if outside(text, symbol.range)
            || !symbol.range.contains_range(symbol.selection)
            || !is_within
            || symbol.name.is_empty()
        {
            return Err(format!("symbol {symbol:?} in {around:?}"));
        }
        nested(text, &symbol.children, Some(symbol.range))?;
    }
    Ok(())
}

fn offsets(text: &str) -> Vec<TextSize> {
    let all = (0..=text.len()).filter(|at| text.is_char_boundary(*at));
    all.map(|at| TextSize::try_from(at).unwrap()).collect()
}

#[test]
fn every_question_at_every_place_of_every_example() {
    let all = examples();
    let places: usize = all.iter().map(|example| example.text().len()).sum();
    assert!(places > 15_000, "{places}");
    let wrong: Vec<String> = all
        .par_iter()
        .flat_map_iter(|example| {
            let compiler = example.nest.compiler();
            let mut wrong: Vec<String> = ask_file(&compiler, &example.path).err().into_iter().collect();
            let at = offsets(example.text()).into_iter();
            wrong.extend(at.filter_map(|at| ask(&example.nest, &compiler, &example.path, at).err()));
            wrong
        })
        .collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Pieces that break what stands around them, and letters of more than one byte or unit.
const PIECES: &[&str] = &[
    "", "\r\n", "\t", "\u{feff}", "\0", "🔑", "ключ", "\"", "\"${", "${", "<<EOT\n", "<<-EOT\n", "\nEOT\n",
    "{", "}", "[", "(", "/*", "//", "# ", "'", " = ", ".", "egg.", "local.", "\\", "\u{2028}", "e\u{301}",
    "\r",
];

/// An example with a few of its pieces exchanged, cut off, or in another way of ending lines.
fn broken() -> impl Strategy<Value = (usize, String)> {
    let edits =
        proptest::collection::vec((any::<Index>(), 0..12_usize, proptest::sample::select(PIECES)), 0..6);
    (any::<Index>(), edits, 0..5_u8, any::<Index>()).prop_map(|(which, edits, how, end)| {
        let all = examples();
        let at = which.index(all.len());
        let mut text = all[at].text().to_owned();
        let boundary = |text: &str, at: usize| {
            (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap()
        };
        for (place, length, piece) in edits {
            let start = boundary(&text, place.index(text.len() + 1));
            let stop = boundary(&text, start + length).max(start);
            text.replace_range(start..stop, piece);
        }
        match how {
            0 => text = text.replace('\n', "\r\n"),
            1 => text = text.replace("  ", "\t"),
            2 => text.truncate(boundary(&text, end.index(text.len() + 1))),
            3 => text.insert(0, '\u{feff}'),
            _ => {}
        }
        (at, text)
    })
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn every_question_in_broken_texts((which, text) in broken(), step in 1..9_usize) {
        let example = examples().swap_remove(which);
        let mut compiler = example.nest.compiler();
        compiler.set(&example.path, text.as_str());
        let file = ask_file(&compiler, &example.path);
        prop_assert!(file.is_ok(), "{file:?}\n{text:?}");
        // What is not valid has been told where it is; what is asked is asked at every few letters.
        for at in offsets(&text).into_iter().step_by(step * 5) {
            let answer = ask(&example.nest, &compiler, &example.path, at);
            prop_assert!(answer.is_ok(), "{answer:?}\n{text:?}");
        }
    }
}
