//! The conformance suite of databases, run against each that can be had.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "store/suite.rs"]
mod suite;

use orchestrator::adapters::store::sqlite::Sqlite;
use tempfile::TempDir;

/// A database in a folder that goes with it.
fn sqlite(folder: &TempDir) -> Sqlite {
    let number = std::fs::read_dir(folder.path()).unwrap().count();
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
