//! The conformance suite of queues, run against each that can be had, and what only some of them are asked for.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "doubles/clock.rs"]
mod clock;
#[path = "doubles/killed.rs"]
mod killed;
#[path = "queue/model.rs"]
mod model;
#[path = "queue/suite.rs"]
mod suite;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use orchestrator::{
    adapters::{clock::System, queue::sqlite::Sqlite},
    app,
    ports::{
        clock::Clock,
        queue::{Message, Queue},
    },
};
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use clock::Hand;
use suite::message;

/// A queue in a folder that goes with it.
fn sqlite(folder: &Path, clock: Arc<dyn Clock>) -> Sqlite {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Sqlite::open(&folder.join(format!("{number}.sqlite")), clock).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_does_what_queues_do() {
    let folder = TempDir::new().unwrap();
    suite::suite(async |clock| sqlite(folder.path(), clock)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_wakes_who_waits_when_something_is_due() {
    let folder = TempDir::new().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(System::default());
    let queue = sqlite(folder.path(), Arc::clone(&clock));
    suite::who_waits_is_woken_by_the_time(&queue, &*clock).await;
}

#[test]
fn sqlite_is_as_its_model() {
    let folder = TempDir::new().unwrap();
    model::is_as_its_model(async |clock| sqlite(folder.path(), clock));
}

/// One that works: it puts in and takes out at the same time, and says what it is answered.
#[tokio::main]
async fn works(folder: &Path) {
    let clock = Arc::new(System::default());
    let queue = Arc::new(Sqlite::open(&folder.join("queue.sqlite"), clock).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for putter in 0..4 {
        let queue = Arc::clone(&queue);
        tasks.spawn(async move {
            for at in 0.. {
                let two = [format!("{putter}-{at}-a"), format!("{putter}-{at}-b")];
                queue.put(two.iter().map(|body| message(body)).collect()).await.unwrap();
                killed::tell(&format!("put {} {}", two[0], two[1]));
            }
        });
    }
    tasks.spawn(async move {
        loop {
            let long = Duration::from_mins(10);
            for leased in queue.take(3, long, long).await.unwrap() {
                killed::tell(&format!("doing {}", leased.body));
                queue.done(&leased.receipt).await.unwrap();
                killed::tell(&format!("done {}", leased.body));
            }
        }
    });
    tasks.join_all().await;
}

/// No message that was accepted is lost by `kill -9`, and none that is done comes again.
#[test]
fn sqlite_loses_nothing_when_it_is_killed() {
    if let Some(folder) = killed::folder() {
        works(&folder);
    }
    let check = |lines: usize| {
        let folder = TempDir::new().unwrap();
        let told = killed::after(lines, "sqlite_loses_nothing_when_it_is_killed", folder.path());
        let told_of = |word: &str| -> BTreeSet<String> {
            let lines = told.iter().filter_map(|line| line.strip_prefix(word));
            lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
        };
        let (put, doing, done) = (told_of("put "), told_of("doing "), told_of("done "));
        let clock = Arc::new(Hand::new());
        clock.pass(Duration::from_hours(24 * 365 * 100));
        let left: BTreeSet<String> = tokio::runtime::Runtime::new().unwrap().block_on(async {
            let queue = Sqlite::open(&folder.path().join("queue.sqlite"), clock).unwrap();
            let left = queue.take(1_000_000, Duration::from_mins(1), Duration::ZERO).await.unwrap();
            left.into_iter().map(|leased| leased.body).collect()
        });
        let lost: Vec<_> =
            put.iter().filter(|body| !left.contains(*body) && !doing.contains(*body)).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        let again: Vec<_> = done.intersection(&left).collect();
        assert!(again.is_empty(), "done, and there again: {again:?}");
        // What is put in together is there together.
        let halves = left.iter().filter(|body| {
            let pair = format!("{}-{}", &body[..body.len() - 2], if body.ends_with('a') { 'b' } else { 'a' });
            !left.contains(&pair) && !doing.contains(&pair)
        });
        assert_eq!(halves.count(), 0);
        Ok(())
    };
    TestRunner::new(proptest::test_runner::Config { cases: 100, ..Default::default() })
        .run(&(1_usize..120), check)
        .unwrap();
}

/// A thousand at the same time are in soon, and come out as they came in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_takes_a_thousand_at_once() {
    const MANY: usize = 1000;
    let folder = TempDir::new().unwrap();
    let queue = Arc::new(sqlite(folder.path(), Arc::new(System::default())));
    let started = Instant::now();
    let mut puts = tokio::task::JoinSet::new();
    for at in 0..MANY {
        let queue = Arc::clone(&queue);
        let body = format!("{at} {}", "x".repeat(2000));
        puts.spawn(async move { queue.put(vec![message(&body)]).await.unwrap() });
    }
    assert!(puts.join_all().await.iter().all(|new| *new == [true]));
    let took = started.elapsed();
    println!("{MANY} puts in {took:?}");
    assert!(took < Duration::from_secs(20), "{took:?}: each waits for the disk by itself?");
    let mut ids: Vec<u64> = Vec::new();
    while ids.len() < MANY {
        let taken = queue.take(64, Duration::from_mins(1), Duration::ZERO).await.unwrap();
        assert!(!taken.is_empty(), "{} came out", ids.len());
        ids.extend(taken.iter().map(|leased| leased.id.parse::<u64>().unwrap()));
    }
    assert!(ids.is_sorted(), "first in, first out");
}

/// An import replaces what there was, and what the queue has to do with that goes: an old rollback is never carried out.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_queued_goes_with_what_an_import_replaces() {
    let folder = TempDir::new().unwrap();
    let data = folder.path();
    app::secrets_of(data, None).unwrap();
    drop(orchestrator::adapters::store::sqlite::Sqlite::open(
        &data.join("gosling.sqlite"),
        flyc::compiler::tables(),
    ));
    let clock: Arc<dyn Clock> = Arc::new(System::default());
    let file = data.join("queue.sqlite");
    let message = Message { key: Some("once".to_owned()), ..message("an old rollback") };
    {
        let queue = Sqlite::open(&file, Arc::clone(&clock)).unwrap();
        queue.put(vec![message.clone(), suite::message("dead")]).await.unwrap();
        let taken = queue.take(1, Duration::from_mins(1), Duration::ZERO).await.unwrap();
        queue.give_up(&taken[0].receipt, "it failed").await.unwrap();
    }
    let gosling = |arguments: &[&str]| {
        let mut command = std::process::Command::new(polar_gosling_tests::tools::gosling());
        let output = command.args(arguments).arg("--data").arg(data).env_clear().output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success(), "{said}");
        said
    };
    let export = data.join("all.jsonl");
    let export = export.to_str().unwrap();
    let said = gosling(&["export", export]);
    assert!(said.contains("\n2 messages wait in the queue and are not in it"), "{said}");
    let said = gosling(&["import", export, "--replace"]);
    let line = "2 messages in the queue were about what was there before, and they are gone";
    assert!(said.contains(line), "{said}");
    let queue = Sqlite::open(&file, clock).unwrap();
    assert_eq!(queue.counts().await.unwrap(), [0, 0, 0]);
    assert_eq!(queue.put(vec![message]).await.unwrap(), [true], "what was known once is not any more");
}
