//! Findings that are kept say what a check from the beginning says, and take no more than what an edit touches.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use proptest::{prelude::*, test_runner::Config};

use super::{Compiler, Database, Diagnostic, Findings};
use crate::compiler::source_file;

const NEST: &str =
    "nest {\n  name = \"n\"\n}\nlocals {\n  size = 4GiB\n}\nprofile \"small\" {\n  type = \"vm\"\n}\n";

fn egg(name: &str, id: usize, memory: &str) -> String {
    format!(
        "egg \"{name}\" {{\n  extends = profile.small\n  resources {{\n    cpu    = 2\n    memory = {memory}\n  }}\n  gitlab \
         {{\n    project_id = {id}\n  }}\n}}\n"
    )
}

/// What a check from the beginning finds, by file.
fn fresh(compiler: &Compiler) -> BTreeMap<Arc<str>, Vec<Diagnostic>> {
    let mut all: BTreeMap<Arc<str>, Vec<Diagnostic>> = BTreeMap::new();
    for found in compiler.check() {
        all.entry(Arc::clone(&found.span.file)).or_default().push(found);
    }
    all
}

#[derive(Debug, Clone)]
enum Edit {
    Egg { at: usize, name: usize, id: usize, memory: usize },
    Nest(usize),
    Remove(usize),
    Text { at: usize, text: String },
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (0..4_usize, 0..4_usize, 1..4_usize, 0..3_usize)
            .prop_map(|(at, name, id, memory)| Edit::Egg { at, name, id, memory }),
        1 => (0..4_usize).prop_map(Edit::Nest),
        1 => (0..4_usize).prop_map(Edit::Remove),
        1 => (0..4_usize, "[a-z{}\"= \n]{0,12}").prop_map(|(at, text)| Edit::Text { at, text }),
    ]
}

fn path(at: usize) -> String {
    format!("Eggs/e{at}/config.fly")
}

/// A Nest of so many eggs, which all use what `nest.fly` gives.
fn nest_of(db: Database, eggs: usize) -> Compiler {
    let mut files: Vec<(Arc<str>, _)> = (0..eggs)
        .map(|at| {
            let path: Arc<str> = path(at).into();
            let text = egg(&format!("e{at}"), at + 1, "local.size");
            (Arc::clone(&path), source_file(&db, path, text.into()))
        })
        .collect();
    files.push(("nest.fly".into(), source_file(&db, "nest.fly".into(), NEST.into())));
    Compiler::of(db, files, false)
}

proptest! {
    #![proptest_config(Config { cases: 64, ..Config::default() })]

    #[test]
    fn property_kept_findings_are_those_of_a_fresh_check(edits in prop::collection::vec(edit(), 1..12)) {
        let mut compiler = Compiler::new([("nest.fly".to_owned(), NEST.to_owned()), (path(0), egg("e0", 1, "local.size"))]);
        let mut findings = Findings::default();
        compiler.check_again(&mut findings);
        for edit in edits {
            match edit {
                Edit::Egg { at, name, id, memory } => {
                    let memory = ["local.size", "true", "8GiB"][memory];
                    compiler.set(&path(at), egg(&format!("e{name}"), id, memory));
                }
                Edit::Nest(how) => {
                    let text = [NEST.to_owned(), NEST.replace("4GiB", "false"), NEST.replace("small", "large"), format!("\n{NEST}")];
                    compiler.set("nest.fly", text[how].as_str());
                }
                Edit::Remove(at) => compiler.remove(&path(at)),
                Edit::Text { at, text } => compiler.set(&path(at), text),
            }
            let before = findings.by_file().clone();
            let told = compiler.check_again(&mut findings);
            let now = fresh(&compiler);
            prop_assert_eq!(findings.by_file(), &now);
            // Those that are told are others, and nothing else is.
            let paths: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).collect();
            let others: Vec<_> = paths.into_iter().filter(|path| before.get(*path) != now.get(*path)).cloned().collect();
            prop_assert_eq!(told, others);
            for path in compiler.paths() {
                prop_assert_eq!(compiler.check_file(path), now.get(path).cloned().unwrap_or_default());
            }
        }
    }
}

#[test]
fn after_an_edit_a_part_is_looked_at_and_not_each_file() {
    let looked_at_in = |eggs: usize| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&log);
        let db = Database::observed_looks(move |query| notes.lock().unwrap().push(query.to_owned()));
        let mut compiler = nest_of(db, eggs);
        let mut findings = Findings::default();
        compiler.expect_edits(&path(3));
        compiler.check_again(&mut findings);
        let mut most = 0;
        for memory in ["true", "local.size", "8GiB", "true"] {
            log.lock().unwrap().clear();
            compiler.set(&path(3), egg("e3", 4, memory));
            compiler.check_again(&mut findings);
            most = most.max(log.lock().unwrap().len());
        }
        most
    };
    // Four questions are asked of every part: its marks, outlines, facts and names.
    let (small, large) = (looked_at_in(500), looked_at_in(4000));
    let parts = 3500 / 64;
    assert!(small < 1500, "{small}");
    assert!(large < small + 8 * parts + 700, "{small} and {large}");
}

#[test]
fn a_file_that_is_expected_to_be_edited_is_edited_as_cheaply_the_first_time() {
    let log = Arc::new(Mutex::new(0));
    let count = Arc::clone(&log);
    let db = Database::observed_looks(move |_| *count.lock().unwrap() += 1);
    let files = (0..1000).map(|at| {
        let path: Arc<str> = path(at).into();
        (Arc::clone(&path), source_file(&db, path, egg(&format!("e{at}"), at + 1, "8GiB").into()))
    });
    let files: Vec<_> = files.collect();
    let mut compiler = Compiler::of(db, files, false);
    let mut findings = Findings::default();
    compiler.check_again(&mut findings);
    compiler.expect_edits(&path(3));
    compiler.check_again(&mut findings);
    *log.lock().unwrap() = 0;
    compiler.set(&path(3), egg("e3", 4, "true"));
    assert_eq!(compiler.check_again(&mut findings), vec![path(3).into()]);
    let expected = *log.lock().unwrap();
    *log.lock().unwrap() = 0;
    compiler.set(&path(4), egg("e4", 5, "true"));
    assert_eq!(compiler.check_again(&mut findings), vec![path(4).into()]);
    let unexpected = *log.lock().unwrap();
    assert!(expected * 2 < unexpected, "{expected} and {unexpected}");
}

#[test]
fn an_edit_executes_no_more_in_a_large_nest_than_in_a_small_one() {
    let executed_in = |eggs: usize| {
        let log = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&log);
        let db = Database::observed(move |query| notes.lock().unwrap().push(query.to_owned()));
        let mut compiler = nest_of(db, eggs);
        let mut findings = Findings::default();
        assert_eq!(compiler.check_again(&mut findings), Vec::<Arc<str>>::new());
        let mut counts = Vec::new();
        for memory in ["true", "local.size", "8GiB"] {
            log.lock().unwrap().clear();
            compiler.set(&path(3), egg("e3", 4, memory));
            let told = compiler.check_again(&mut findings);
            let expected: Vec<Arc<str>> = if memory == "8GiB" { Vec::new() } else { vec![path(3).into()] };
            assert_eq!(told, expected, "{memory}");
            counts.push(log.lock().unwrap().len());
        }
        counts
    };
    let (small, large) = (executed_in(10), executed_in(500));
    assert_eq!(small, large);
    assert!(small.iter().all(|count| *count <= 16), "{small:?}");
}
