//! The conformance suite of databases, run against each that can be had.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "doubles/killed.rs"]
mod killed;
#[path = "store/moved.rs"]
mod moved;
#[path = "store/sealed.rs"]
mod sealed;
#[path = "store/suite.rs"]
mod suite;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use orchestrator::{
    adapters::store::sqlite::Sqlite,
    domain::Time,
    ports::store::{Expect, Key, Row, Store, Table, Value, Write},
};
use proptest::test_runner::{Config, TestRunner};
use tempfile::TempDir;

/// A database in a folder that goes with it.
fn sqlite(folder: &TempDir) -> Sqlite {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Sqlite::open(&folder.path().join(format!("{number}.db")), flyc::compiler::tables()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_does_what_databases_do() {
    let folder = TempDir::new().unwrap();
    suite::suite(async || sqlite(&folder)).await;
}

#[test]
fn property_11_runner_state_persistence() {
    let folder = TempDir::new().unwrap();
    suite::is_a_map(async || sqlite(&folder));
}

#[test]
fn property_an_export_is_taken_over_as_it_was() {
    let folder = TempDir::new().unwrap();
    moved::comes_over(async || sqlite(&folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_in_an_export() {
    let folder = TempDir::new().unwrap();
    moved::every_table_is_in_it(&sqlite(&folder)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_linked_comes_over() {
    let folder = TempDir::new().unwrap();
    moved::what_was_linked_is_taken(&sqlite(&folder)).await;
}

#[test]
fn an_export_that_makes_no_sense_is_refused_with_the_line() {
    moved::nonsense_is_named();
}

/// What was read is good for as long as nobody has written to its table.
#[tokio::test(flavor = "multi_thread")]
async fn a_revision_changes_with_every_write_of_its_table() {
    let folder = TempDir::new().unwrap();
    let store = sqlite(&folder);
    let before = store.revision(RUNNERS).unwrap();
    let put = |expect| {
        let row = Row::from([("runner_id".to_owned(), id(1, "a"))]);
        vec![Write::Put { table: RUNNERS, row, expect }]
    };
    store.commit(put(Expect::Absent)).await.unwrap();
    let after = store.revision(RUNNERS).unwrap();
    assert_ne!(before, after);
    assert_eq!(store.revision(Table("eggs_config")), Some(0), "another table is as it was");
    let key = Key { table: RUNNERS, values: vec![id(1, "a")] };
    store.commit(vec![Write::Check { key, expect: Expect::Version(1) }]).await.unwrap();
    assert_eq!(store.revision(RUNNERS), Some(after), "nothing was written");
    store.restore(Vec::new()).await.unwrap();
    assert_ne!(store.revision(RUNNERS), Some(after));
    assert_eq!(store.revision(Table("cows")), None);
}

const RUNNERS: Table = Table("runners");
/// The rows of one transaction.
const TOGETHER: [&str; 3] = ["a", "b", "c"];
const WRITERS: u64 = 4;

fn id(writer: u64, part: &str) -> Value {
    Value::Text(format!("{writer}-{part}"))
}

/// Writers that bring three rows each from one number to the next, always all three, and say when they are answered.
#[tokio::main]
async fn works(folder: &Path) {
    let store = Arc::new(Sqlite::open(&folder.join("store.sqlite"), flyc::compiler::tables()).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for at in 1.. {
                let expect = if at == 1 { Expect::Absent } else { Expect::Version(at - 1) };
                let writes = TOGETHER.map(|part| Write::Put {
                    table: RUNNERS,
                    row: Row::from([
                        ("runner_id".to_owned(), id(writer, part)),
                        ("created_at".to_owned(), Value::Time(Time::from_millis(at))),
                    ]),
                    expect,
                });
                store.commit(writes.to_vec()).await.unwrap();
                killed::tell(&format!("{writer} {at}"));
            }
        });
    }
    tasks.join_all().await;
}

/// What the database has after its process was killed: the number in each of a writer's rows, and what was acknowledged last.
fn killed_after(lines: usize, test: &str) -> Vec<(Vec<u64>, u64)> {
    let folder = TempDir::new().unwrap();
    let mut acknowledged: BTreeMap<u64, u64> = BTreeMap::new();
    for line in killed::after(lines, test, folder.path()) {
        // The test's own words may stand there as well.
        let parsed = line.split_once(' ').map(|(writer, at)| (writer.parse::<u64>(), at.parse::<u64>()));
        if let Some((Ok(writer), Ok(at))) = parsed {
            acknowledged.insert(writer, at);
        }
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Sqlite::open(&folder.path().join("store.sqlite"), flyc::compiler::tables()).unwrap();
        let mut found = Vec::new();
        for writer in 0..WRITERS {
            let mut numbers = Vec::new();
            for part in TOGETHER {
                let key = Key { table: RUNNERS, values: vec![id(writer, part)] };
                let number =
                    match store.get(&key).await.unwrap().map(|stored| stored.row["created_at"].clone()) {
                        None => 0,
                        Some(Value::Time(time)) => time.as_millis(),
                        Some(other) => panic!("{other:?}"),
                    };
                numbers.push(number);
            }
            found.push((numbers, acknowledged.get(&writer).copied().unwrap_or(0)));
        }
        found
    })
}

/// Whatever was acknowledged before `kill -9` is there, and nothing that was not asked for.
#[test]
fn property_31_database_state_recovery() {
    if let Some(folder) = killed::folder() {
        works(&folder);
    }
    let check = |lines: usize| {
        for (numbers, acknowledged) in killed_after(lines, "property_31_database_state_recovery") {
            let asked = acknowledged..=acknowledged + 1;
            assert!(numbers.iter().all(|number| asked.contains(number)), "{numbers:?} of {acknowledged}");
        }
        Ok(())
    };
    TestRunner::new(Config { cases: 100, ..Config::default() }).run(&(1_usize..100), check).unwrap();
}

/// Whenever `kill -9` comes, a transaction is there as a whole or not at all. In a running database the same is
/// `is_a_map` of the suite.
#[test]
fn property_32_database_transaction_atomicity() {
    if let Some(folder) = killed::folder() {
        works(&folder);
    }
    let check = |lines: usize| {
        for (numbers, _) in killed_after(lines, "property_32_database_transaction_atomicity") {
            assert!(numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
        }
        Ok(())
    };
    TestRunner::new(Config { cases: 100, ..Config::default() }).run(&(1_usize..100), check).unwrap();
}
