//! Renaming keeps what a Nest means: the typed Nest and every diagnostic are the same up to the name, and renaming back
//! gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use fly_lsp::ide::{
    RenameError, Symbol, SymbolKind, definition, document_symbols, prepare_rename, references, rename,
};
use fly_std::{Type, schema};
use flyc::{
    compiler::Compiler,
    model::{Meaning, TypedBlock},
    text::TextSize,
};
use proptest::prelude::*;
use rayon::prelude::*;

use crate::{
    cases, generate,
    nests::{Nest, example_nest, examples},
};

/// A name that stands nowhere.
const FRESH: &str = "zqx7k";

/// Names in every place a name can stand.
fn tangle() -> Nest {
    let text = include_str!("tangle.md");
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        let heading = line.trim_end().strip_prefix('`').and_then(|rest| rest.strip_suffix("`:"));
        match (heading, files.last_mut()) {
            (Some(path), _) => files.push((path.to_owned(), String::new())),
            (None, Some((_, text))) if !line.starts_with("```") => text.push_str(line),
            _ => {}
        }
    }
    Nest { files }
}

/// A place where a name stands.
#[derive(Debug, Clone)]
struct Place {
    path: String,
    offset: TextSize,
    name: String,
}

/// One place of every name that can be changed, in each file where it stands.
fn places(compiler: &Compiler) -> Vec<Place> {
    let mut found: BTreeMap<(String, Vec<String>), Place> = BTreeMap::new();
    for path in compiler.paths() {
        let text = compiler.text(path).unwrap();
        for at in word_starts(&text) {
            let Ok((range, name)) = prepare_rename(compiler, path, at) else { continue };
            assert!(range.contains_inclusive(at) && text[range] == *name, "{path} {at:?} {name}");
            let defined = definition(compiler, path, at).iter().map(|span| format!("{span:?}")).collect();
            let place = Place { path: path.to_string(), offset: range.start(), name };
            found.entry((path.to_string(), defined)).or_insert(place);
        }
    }
    found.into_values().collect()
}

fn word_starts(text: &str) -> impl Iterator<Item = TextSize> {
    let is_word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    let bytes = text.as_bytes();
    let starts =
        (0..bytes.len()).filter(move |&at| is_word(bytes[at]) && (at == 0 || !is_word(bytes[at - 1])));
    starts.map(|at| TextSize::try_from(at).unwrap())
}

/// The Nest after a rename: its edits, then its moves.
fn renamed(nest: &Nest, compiler: &Compiler, at: &Place, name: &str) -> Result<Nest, RenameError> {
    let change = rename(compiler, &at.path, at.offset, name)?;
    let mut files = nest.files.clone();
    for edits in &change.files {
        let (_, text) = files.iter_mut().find(|(path, _)| *path == *edits.path).unwrap();
        for edit in edits.edits.iter().rev() {
            text.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
        }
    }
    for (from, to) in &change.moves {
        for (path, _) in &mut files {
            if let Some(rest) =
                path.strip_prefix(from).filter(|rest| rest.is_empty() || rest.starts_with('/'))
            {
                *path = format!("{to}{rest}");
            }
        }
    }
    Ok(Nest { files })
}

/// What a Nest means, by file; and what is wrong with it.
fn meaning(compiler: &Compiler) -> (BTreeMap<String, Vec<Meaning>>, Vec<String>) {
    let typed = |path: &str| compiler.typed(path).unwrap().blocks.iter().map(TypedBlock::meaning).collect();
    let means = compiler.paths().map(|path| (path.to_string(), typed(path))).collect();
    let told = compiler.check().into_iter().map(|found| {
        let related: Vec<_> =
            found.related.iter().map(|one| format!("{} {}", one.span.file, one.message)).collect();
        format!(
            "{} {} {} {} {related:?} {:?}",
            found.kind.id, found.span.file, found.message, found.label, found.notes
        )
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    (means, told)
}

/// What a block means, with one name for another, and its attributes in the order of their names.
fn told_again(block: &Meaning, name: &str) -> String {
    let back = |text: &str| text.replace(FRESH, name);
    let attributes = block.attributes.iter().map(|(name, value)| (back(name), back(&format!("{value:?}"))));
    let attributes: BTreeMap<_, _> = attributes.collect();
    let blocks: Vec<_> = block.blocks.iter().map(|inner| told_again(inner, name)).collect();
    let label = block.label.as_deref().map(back);
    format!("{} {label:?} {attributes:#?} {blocks:#?}", block.name)
}

/// What a rename breaks.
fn broken(nest: &Nest, at: &Place) -> Option<String> {
    let compiler = nest.compiler();
    let after = match renamed(nest, &compiler, at, FRESH) {
        Ok(after) => after,
        Err(error) => return Some(format!("{at:?} can't be renamed: {error}")),
    };
    let fresh = after.compiler();
    let (means, told) = meaning(&compiler);
    let (means_after, told_after) = meaning(&fresh);
    let back = |text: String| text.replace(FRESH, &at.name);
    // Two that are in each other's way may be named in the other order.
    let words = |all: Vec<String>| {
        let words = |line: String| {
            let mut words: Vec<String> =
                line.split_whitespace().map(|word| word.trim_matches(['[', '"']).to_owned()).collect();
            words.sort();
            words
        };
        let mut all: Vec<_> = all.into_iter().map(words).collect();
        all.sort();
        all
    };
    if words(told_after.into_iter().map(back).collect()) != words(told.clone()) {
        let now: Vec<_> = meaning(&fresh).1;
        return Some(format!("{at:?}: the diagnostics differ:\n{}\n--\n{}", told.join("\n"), now.join("\n")));
    }
    for (path, blocks) in &means_after {
        let before = means.iter().find(|(known, _)| *known == path || **known == back(path.clone()));
        let Some((_, before)) = before else { return Some(format!("{at:?}: {path} came from nowhere")) };
        let tell =
            |blocks: &[Meaning]| blocks.iter().map(|block| told_again(block, &at.name)).collect::<Vec<_>>();
        if tell(blocks) != tell(before) {
            return Some(format!("{at:?}: {path} means something else:\n{before:#?}\n{blocks:#?}"));
        }
    }
    for (path, text) in &after.files {
        let typed = fresh.typed(path).unwrap();
        let unexpected: Vec<_> = typed.blocks.iter().flat_map(|block| strangers(block, text)).collect();
        if !unexpected.is_empty() {
            return Some(format!("{at:?}: {path}: the name stands where no name is: {unexpected:?}"));
        }
    }
    // There and back again.
    let there = fresh_place(&after)?;
    match renamed(&after, &fresh, &there, &at.name) {
        Ok(again) if sorted_files(&again) == sorted_files(nest) => None,
        Ok(_) => Some(format!("{at:?}: renamed back, the bytes differ")),
        Err(error) => Some(format!("{at:?} can't be renamed back: {error}")),
    }
}

fn sorted_files(nest: &Nest) -> Vec<(String, String)> {
    let mut files = nest.files.clone();
    files.sort();
    files
}

/// Where the fresh name stands first.
fn fresh_place(nest: &Nest) -> Option<Place> {
    nest.files.iter().find_map(|(path, text)| {
        let offset = TextSize::try_from(text.find(FRESH)?).ok()?;
        Some(Place { path: path.clone(), offset, name: FRESH.to_owned() })
    })
}

/// Attributes that hold the fresh name although the schema knows no name there, and nothing in their text refers to one.
fn strangers(block: &TypedBlock, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for attribute in &block.attributes {
        let Some(value) = &attribute.value else { continue };
        let ty = block.schema.attribute(&attribute.name).map(|known| known.ty);
        let takes_name = match ty {
            Some(Type::Entity(_) | Type::List(&Type::Entity(_)) | Type::Condition | Type::Profile) => true,
            _ => {
                attribute.name == "name"
                    || matches!(
                        &*attribute.name,
                        "repository" | "service_account" | "dead_letter_queue" | "target_function"
                    )
            }
        };
        let written = &text[attribute.range];
        let refers = ["${", "egg.", "bucket.", "job.", "nest.", "local.", "var.", "Eggs/"]
            .iter()
            .any(|mark| written.contains(mark));
        if !takes_name && !refers && attribute.flow.is_none() && format!("{value:?}").contains(FRESH) {
            found.push(format!("{} = {written}", attribute.name));
        }
    }
    found.extend(block.blocks.iter().flat_map(|inner| strangers(inner, text)));
    found
}

fn hold(nest: &Nest) -> Vec<String> {
    let compiler = nest.compiler();
    places(&compiler).into_par_iter().filter_map(|at| broken(nest, &at)).collect()
}

fn assert_held(nest: &Nest, at_least: usize) {
    let count = places(&nest.compiler()).len();
    assert!(count >= at_least, "{count} names: {:#?}", places(&nest.compiler()));
    let wrong = hold(nest);
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn in_the_example_nest() {
    assert_held(&example_nest(), 10);
}

#[test]
fn in_a_tangle_of_names() {
    assert_held(&tangle(), 25);
}

#[test]
fn in_the_seeds() {
    let mut names = 0;
    for example in examples() {
        names += places(&example.nest.compiler()).len();
        assert_eq!(hold(&example.nest), Vec::<String>::new());
    }
    assert!(names > 40, "{names}");
}

/// Every name of a definition is found by its references and the other way round, and can be renamed at each of them.
#[test]
fn definitions_references_and_renames_agree() {
    for nest in [example_nest(), tangle()] {
        let compiler = nest.compiler();
        for at in places(&compiler) {
            let all = references(&compiler, &at.path, at.offset, true);
            let uses = references(&compiler, &at.path, at.offset, false);
            let defined = definition(&compiler, &at.path, at.offset);
            assert!(!defined.is_empty() && defined.iter().all(|one| all.contains(one)), "{at:?}");
            assert!(uses.iter().all(|one| all.contains(one) && !defined.contains(one)), "{at:?}");
            let change = rename(&compiler, &at.path, at.offset, FRESH).unwrap();
            for span in &all {
                let start = span.range.start();
                assert_eq!(definition(&compiler, &span.file, start), defined, "{at:?} {span:?}");
                assert_eq!(prepare_rename(&compiler, &span.file, start), Ok((span.range, at.name.clone())));
                let edits = change.files.iter().find(|file| file.path == span.file);
                assert!(
                    edits.is_some_and(|file| file.edits.iter().any(|edit| edit.range == span.range)),
                    "{at:?}"
                );
            }
            // Paths in `file("…")` move with a folder: they are no references.
            let edits: usize = change.files.iter().map(|file| file.edits.len()).sum();
            assert!(edits >= all.len() && (edits == all.len() || !change.moves.is_empty()), "{at:?}");
        }
    }
}

/// `prepareRename` gives something exactly where a rename works.
#[test]
fn what_can_be_prepared_can_be_renamed() {
    let nest = tangle();
    let compiler = nest.compiler();
    for (path, text) in &nest.files {
        for at in word_starts(text) {
            let prepared = prepare_rename(&compiler, path, at).is_ok();
            assert_eq!(rename(&compiler, path, at, FRESH).is_ok(), prepared, "{path} {at:?}");
        }
    }
}

/// A new name that is none, or that something has already, is refused with a reason; if it is taken, nothing else changes.
#[test]
fn names_that_cannot_be() {
    let nest = tangle();
    let compiler = nest.compiler();
    let all = places(&compiler);
    let long = "x".repeat(64);
    for at in &all {
        // What tells something may be any text on a line.
        let before = &nest.text(&at.path)[..usize::from(at.offset)];
        let is_text = before.ends_with("assert \"") || before.ends_with("test \"");
        for name in ["", "a\"b", "${x}", "a b", "ключ", "-a", long.as_str()] {
            if is_text && !matches!(name, "" | "a\"b" | "${x}") {
                continue;
            }
            let refused = rename(&compiler, &at.path, at.offset, name);
            assert!(matches!(refused, Err(RenameError::Form { .. })), "{at:?} {name:?}: {refused:?}");
        }
        assert_eq!(rename(&compiler, &at.path, at.offset, &at.name).unwrap().files, []);
    }
    // Whatever else is a name here, a keyword or hard to write: either it is refused, or it keeps the meaning.
    let others = all.iter().step_by(7).map(|at| at.name.as_str());
    let words = [
        "true", "false", "local", "var", "self", "egg", "profile", "null", "if", "a-b", "7up", "a--b", "a-",
        "_a", "A", "1", "a-1", "n1-",
    ];
    let names: Vec<String> = others.chain(words).map(str::to_owned).collect();
    let wrong: Vec<String> = all
        .par_iter()
        .map_with(compiler.clone(), |compiler, at| {
            names.iter().filter_map(|name| kept(&nest, compiler, at, name)).collect::<Vec<_>>()
        })
        .flatten_iter()
        .collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong after a rename to a name that may stand elsewhere: then the meaning can't be compared by the name alone,
/// but no diagnostic comes or goes, and renaming back gives the bytes.
fn kept(nest: &Nest, compiler: &Compiler, at: &Place, name: &str) -> Option<String> {
    let after = renamed(nest, compiler, at, name).ok()?;
    if name == at.name {
        return None;
    }
    let fresh = after.compiler();
    let ids = |compiler: &Compiler| {
        let mut ids: Vec<_> = compiler.check().into_iter().map(|found| found.kind.id).collect();
        // What a cloud lets a part be called is told where the name stands.
        ids.retain(|id| *id != "service-limits");
        ids.sort_unstable();
        ids
    };
    let (before, now) = (ids(compiler), ids(&fresh));
    if before != now {
        return Some(format!("{at:?} to {name}: {before:?} → {now:?}"));
    }
    let path = after.files.iter().zip(&nest.files).find(|(_, (path, _))| *path == at.path);
    let path = path.map(|(now, _)| now.0.clone())?;
    let there = Place { path, ..at.clone() };
    let again = renamed(&after, &fresh, &there, &at.name);
    let same = again.as_ref().is_ok_and(|again| sorted_files(again) == sorted_files(nest));
    (!same).then(|| format!("{at:?} to {name} and back: {:?}", again.err()))
}

#[test]
fn names_that_nothing_or_too_much_has() {
    let egg = |name: &str| {
        format!("egg \"{name}\" {{\n  type = \"vm\"\n  gitlab {{\n    project_id = 1\n  }}\n}}\n")
    };
    let uglyfox = "uglyfox {\n  runners_condition \"c\" {\n    eggs_entities = [\"gone\", \"twice\"]\n    apex {\n      max_count = 1\n    }\n  }\n}\n";
    let files = [
        ("Eggs/twice/config.fly", egg("twice")),
        ("Eggs/other/config.fly", egg("twice")),
        ("UF/config.fly", uglyfox.to_owned()),
        ("nest.fly", "locals {\n  a = \"x\"\n  b = local.a\n}\n".to_owned()),
        ("Eggs/own/config.fly", format!("locals {{\n  c = local.a\n  d = local.b\n}}\n{}", egg("own"))),
        ("Eggs/odd/config.fly", egg("other-name")),
    ];
    let nest = Nest { files: files.map(|(path, text)| (path.to_owned(), text)).to_vec() };
    let compiler = nest.compiler();
    let at = |path: &str, what: &str| TextSize::try_from(nest.text(path).find(what).unwrap()).unwrap();
    let gone = at("UF/config.fly", "gone");
    assert!(matches!(rename(&compiler, "UF/config.fly", gone, FRESH), Err(RenameError::Undefined { .. })));
    assert_eq!(
        prepare_rename(&compiler, "UF/config.fly", gone),
        Err(RenameError::Undefined { name: "gone".to_owned() })
    );
    let twice = at("UF/config.fly", "twice");
    assert!(matches!(rename(&compiler, "UF/config.fly", twice, FRESH), Err(RenameError::Ambiguous { .. })));
    assert_eq!(
        prepare_rename(&compiler, "UF/config.fly", twice),
        Err(RenameError::Ambiguous { name: "twice".to_owned(), times: 2 })
    );
    // A name that is used already, though nothing has it.
    let own = at("Eggs/own/config.fly", "own");
    assert!(matches!(rename(&compiler, "Eggs/own/config.fly", own, "gone"), Err(RenameError::Taken { .. })));
    assert!(matches!(rename(&compiler, "Eggs/own/config.fly", own, "TWICE"), Err(RenameError::Taken { .. })));
    // The folder of another egg.
    assert!(matches!(rename(&compiler, "Eggs/own/config.fly", own, "odd"), Err(RenameError::Taken { .. })));
    // `local.a` of the Nest would be caught by the file's own `c`.
    let a = at("nest.fly", "a =");
    assert!(matches!(rename(&compiler, "nest.fly", a, "c"), Err(RenameError::Taken { .. })));
    assert!(rename(&compiler, "nest.fly", a, "e").is_ok());
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn in_generated_nests(config in generate::config()) {
        let nest = Nest { files: config.nest(&config.print().text) };
        let wrong = hold(&nest);
        prop_assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Every label can be changed: whatever has a name can be given another.
#[test]
fn whatever_has_a_label_can_be_renamed() {
    fn labelled(symbols: Vec<Symbol>, found: &mut Vec<Symbol>) {
        for mut symbol in symbols {
            labelled(std::mem::take(&mut symbol.children), found);
            if symbol.kind == SymbolKind::Named {
                found.push(symbol);
            }
        }
    }
    fn keywords(block: &'static schema::Block, found: &mut BTreeSet<&'static str>) {
        let is_new = block.label == schema::Label::None || found.insert(block.name);
        if is_new {
            block.blocks.iter().for_each(|child| keywords(child.block, found));
        }
    }
    let nest = tangle();
    let compiler = nest.compiler();
    let mut seen = BTreeSet::new();
    for (path, text) in &nest.files {
        let mut found = Vec::new();
        labelled(document_symbols(&compiler, path), &mut found);
        for symbol in found {
            seen.insert(text[symbol.range].split_whitespace().next().unwrap().to_owned());
            let label = symbol.selection.start() + TextSize::from(1);
            let prepared = prepare_rename(&compiler, path, label);
            assert!(prepared.is_ok(), "{path}: {}: {prepared:?}", &text[symbol.range]);
        }
    }
    let mut all = BTreeSet::new();
    for root in schema::ROOTS {
        keywords(root.block, &mut all);
    }
    let missing: Vec<_> = all.iter().filter(|keyword| !seen.contains(**keyword)).collect();
    assert!(missing.is_empty(), "the tangle has none of {missing:?}");
}
