//! What every database must do. Written against the port alone: a further backend gives [`suite`] a way to open it.

use std::{collections::BTreeMap, sync::Arc};

use orchestrator::{
    domain::Time,
    ports::store::{Expect, Key, Query, Row, Store, StoreError, Table, Value, Write},
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

const METRICS: Table = Table("runner_metrics");
const RUNNERS: Table = Table("runners");

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn runner(id: &str, egg: &str, at: u64) -> Row {
    BTreeMap::from([
        ("runner_id".to_owned(), text(id)),
        ("egg_name".to_owned(), text(egg)),
        ("created_at".to_owned(), Value::Time(Time::from_millis(at))),
    ])
}

fn key(id: &str) -> Key {
    Key { table: RUNNERS, values: vec![text(id)] }
}

fn put(row: Row, expect: Expect) -> Write {
    Write::Put { table: RUNNERS, row, expect }
}

fn by_egg(egg: &str) -> Query {
    Query {
        table: RUNNERS,
        index: Some("egg_name_index"),
        partition: Some(text(egg)),
        from: None,
        until: None,
        descending: false,
        limit: 100,
        after: None,
    }
}

/// Every case, on a database of its own each.
pub(crate) async fn suite<S: Store + 'static>(open: impl AsyncFn() -> S) {
    rows_come_back_as_they_were_put(&open().await).await;
    what_is_expected_must_hold(&open().await).await;
    transactions_hold_as_a_whole_or_not_at_all(&open().await).await;
    nonsense_is_refused(&open().await).await;
    pages_go_on_where_the_one_before_ended(&open().await).await;
    one_of_many_writers_wins(Arc::new(open().await)).await;
}

async fn rows_come_back_as_they_were_put(store: &impl Store) {
    let row = BTreeMap::from([
        ("runner_id".to_owned(), text("quotes ' \" and ключ 🔑\u{0}")),
        ("egg_name".to_owned(), text("")),
        ("gitlab_runner_id".to_owned(), Value::Int(i64::MIN)),
        ("created_at".to_owned(), Value::Time(Time::from_millis(1_700_000_000_001))),
        ("metadata".to_owned(), Value::Json(serde_json::json!({ "a": [1, null, "x", 0.5] }))),
    ]);
    store.commit(vec![put(row.clone(), Expect::Absent)]).await.unwrap();
    let found = store.get(&key("quotes ' \" and ключ 🔑\u{0}")).await.unwrap().unwrap();
    assert_eq!((found.row, found.version), (row, 1));
    assert_eq!(store.get(&key("nobody")).await.unwrap(), None);
    // What a column no longer has is gone.
    store.commit(vec![put(runner("a", "e", 1), Expect::Anything)]).await.unwrap();
    let bare = BTreeMap::from([("runner_id".to_owned(), text("a"))]);
    store.commit(vec![put(bare.clone(), Expect::Anything)]).await.unwrap();
    let found = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!((found.row, found.version), (bare, 2));
    let metric = BTreeMap::from([
        ("runner_id".to_owned(), text("a")),
        ("at".to_owned(), Value::Time(Time::from_millis(5))),
        ("cpu_usage".to_owned(), Value::Float(12.5)),
    ]);
    store
        .commit(vec![Write::Put { table: METRICS, row: metric.clone(), expect: Expect::Absent }])
        .await
        .unwrap();
    let both = Key { table: METRICS, values: vec![text("a"), Value::Time(Time::from_millis(5))] };
    assert_eq!(store.get(&both).await.unwrap().unwrap().row, metric);
}

async fn what_is_expected_must_hold(store: &impl Store) {
    store.commit(vec![put(runner("a", "e", 1), Expect::Absent)]).await.unwrap();
    for expect in [Expect::Absent, Expect::Version(2), Expect::Version(0)] {
        for write in [
            put(runner("a", "other", 1), expect),
            Write::Delete { key: key("a"), expect },
            Write::Check { key: key("a"), expect },
        ] {
            let refused = store.commit(vec![write.clone()]).await;
            assert!(matches!(refused, Err(StoreError::Conflict(_))), "{write:?}: {refused:?}");
        }
    }
    let refused = store.commit(vec![put(runner("b", "e", 1), Expect::Version(1))]).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    store.commit(vec![put(runner("a", "f", 1), Expect::Version(1))]).await.unwrap();
    store.commit(vec![Write::Check { key: key("a"), expect: Expect::Version(2) }]).await.unwrap();
    store.commit(vec![Write::Delete { key: key("a"), expect: Expect::Version(2) }]).await.unwrap();
    store.commit(vec![Write::Delete { key: key("a"), expect: Expect::Anything }]).await.unwrap();
    store.commit(vec![put(runner("a", "e", 1), Expect::Absent)]).await.unwrap();
}

/// Property 32.
async fn transactions_hold_as_a_whole_or_not_at_all(store: &impl Store) {
    store.commit(vec![put(runner("there", "e", 1), Expect::Absent)]).await.unwrap();
    for bad in 0..3 {
        let mut writes: Vec<Write> =
            ["a", "b", "c"].iter().map(|id| put(runner(id, "e", 1), Expect::Absent)).collect();
        writes.insert(bad, Write::Check { key: key("there"), expect: Expect::Version(9) });
        writes.push(Write::Delete { key: key("nobody"), expect: Expect::Anything });
        let refused = store.commit(writes).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        assert_eq!(store.query(&by_egg("e")).await.unwrap().rows.len(), 1);
    }
    let most: Vec<Write> =
        (0..100).map(|at| put(runner(&format!("r{at}"), "many", at), Expect::Absent)).collect();
    store.commit(most).await.unwrap();
    assert_eq!(store.query(&by_egg("many")).await.unwrap().rows.len(), 100);
    store.commit(Vec::new()).await.unwrap();
}

async fn nonsense_is_refused(store: &impl Store) {
    let too_many = (0..101).map(|at| put(runner(&format!("r{at}"), "e", at), Expect::Absent)).collect();
    let twice = vec![put(runner("a", "e", 1), Expect::Anything), put(runner("a", "f", 1), Expect::Anything)];
    let no_key = vec![put(BTreeMap::new(), Expect::Anything)];
    let unknown = vec![put(
        BTreeMap::from([("runner_id".to_owned(), text("a")), ("colour".to_owned(), text("red"))]),
        Expect::Anything,
    )];
    let no_table = vec![Write::Put { table: Table("nests"), row: BTreeMap::new(), expect: Expect::Anything }];
    for writes in [too_many, twice, no_key, unknown, no_table] {
        let refused = store.commit(writes).await;
        assert!(matches!(refused, Err(StoreError::Wrong(_))), "{refused:?}");
    }
    assert_eq!(store.query(&by_egg("e")).await.unwrap().rows, []);
    let refused = store.query(&Query { index: Some("colour_index"), ..by_egg("e") }).await;
    assert!(matches!(refused, Err(StoreError::Wrong(_))), "{refused:?}");
}

async fn pages_go_on_where_the_one_before_ended(store: &impl Store) {
    // Several at the same moment: the order is one of single rows all the same.
    let rows: Vec<Write> = (0..50_u64)
        .map(|at| put(runner(&format!("r{at:02}"), "e", at / 4), Expect::Absent))
        .chain([put(runner("x", "other", 1), Expect::Absent)])
        .collect();
    store.commit(rows).await.unwrap();
    for descending in [false, true] {
        let mut ids = Vec::new();
        let mut after = None;
        loop {
            let query = Query { limit: 7, after: after.clone(), descending, ..by_egg("e") };
            let page = store.query(&query).await.unwrap();
            assert!(page.rows.len() <= 7);
            ids.extend(page.rows.into_iter().map(|one| one.row["runner_id"].clone()));
            // A row that goes and one that comes behind the place change nothing of what is still to come.
            if ids.len() == 7 {
                let gone = Write::Delete { key: key("r03"), expect: Expect::Anything };
                store.commit(vec![gone]).await.unwrap();
                store.commit(vec![put(runner("r03", "e", 0), Expect::Absent)]).await.unwrap();
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut expected: Vec<Value> = (0..50).map(|at| text(&format!("r{at:02}"))).collect();
        if descending {
            expected.reverse();
        }
        assert_eq!(ids, expected);
    }
    let between = Query {
        from: Some(Value::Time(Time::from_millis(2))),
        until: Some(Value::Time(Time::from_millis(4))),
        ..by_egg("e")
    };
    assert_eq!(store.query(&between).await.unwrap().rows.len(), 8);
    let all = Query { index: None, partition: None, ..by_egg("") };
    assert_eq!(store.query(&all).await.unwrap().rows.len(), 51);
}

async fn one_of_many_writers_wins(store: Arc<impl Store + 'static>) {
    store.commit(vec![put(runner("a", "0", 0), Expect::Absent)]).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16_u64 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let mut won = 0_u64;
            for _ in 0..20 {
                let found = store.get(&key("a")).await.unwrap().unwrap();
                let Value::Time(at) = found.row["created_at"] else { panic!("a moment") };
                let next = runner("a", &writer.to_string(), at.as_millis() + 1);
                match store.commit(vec![put(next, Expect::Version(found.version))]).await {
                    Ok(()) => won += 1,
                    Err(StoreError::Conflict(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            won
        });
    }
    let won: u64 = writers.join_all().await.into_iter().sum();
    let found = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!(found.row["created_at"], Value::Time(Time::from_millis(won)), "no write was lost");
    assert_eq!(found.version, won + 1);
    assert!(won >= 20, "{won}");
}

/// What is done to a database, by the number of a row.
#[derive(Debug, Clone)]
enum Deed {
    Put(usize, u64, Expect),
    Delete(usize, Expect),
    Check(usize, Expect),
}

fn deeds() -> impl Strategy<Value = Vec<Vec<Deed>>> {
    let expect = prop_oneof![
        3 => Just(Expect::Anything),
        1 => Just(Expect::Absent),
        2 => (1_u64..5).prop_map(Expect::Version)
    ];
    let deed = (0_usize..6, 0_u64..100, expect, 0_u8..4).prop_map(|(row, at, expect, kind)| match kind {
        0 | 1 => Deed::Put(row, at, expect),
        2 => Deed::Delete(row, expect),
        _ => Deed::Check(row, expect),
    });
    vec(vec(deed, 0..5), 0..20)
}

/// Properties 11 and 32: after any transactions the database has what a plain map has to which each is done as a whole or
/// not at all, and every read shows it at once.
pub(crate) fn is_a_map<S: Store>(open: impl AsyncFn() -> S) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let check = |transactions: Vec<Vec<Deed>>| {
        runtime.block_on(async {
            let store = open().await;
            let mut model: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
            for deeds in transactions {
                let mut seen = Vec::new();
                let once = |deed: &Deed| {
                    let (Deed::Put(row, ..) | Deed::Delete(row, _) | Deed::Check(row, _)) = deed;
                    let new = !seen.contains(row);
                    seen.push(*row);
                    new
                };
                let deeds: Vec<Deed> = deeds.into_iter().filter(once).collect();
                let id = |row: usize| format!("r{row}");
                let writes = deeds.iter().map(|deed| match deed {
                    Deed::Put(row, at, expect) => put(runner(&id(*row), "e", *at), *expect),
                    Deed::Delete(row, expect) => Write::Delete { key: key(&id(*row)), expect: *expect },
                    Deed::Check(row, expect) => Write::Check { key: key(&id(*row)), expect: *expect },
                });
                let done = store.commit(writes.collect()).await.is_ok();
                let mut next = model.clone();
                let holds = deeds.iter().all(|deed| {
                    let (Deed::Put(row, _, expect) | Deed::Delete(row, expect) | Deed::Check(row, expect)) =
                        deed;
                    let version = model.get(row).map(|(_, version)| *version);
                    match deed {
                        Deed::Put(row, at, _) => {
                            next.insert(*row, (*at, version.unwrap_or(0) + 1));
                        }
                        Deed::Delete(row, _) => {
                            next.remove(row);
                        }
                        Deed::Check(..) => {}
                    }
                    match expect {
                        Expect::Anything => true,
                        Expect::Absent => version.is_none(),
                        Expect::Version(expected) => version == Some(*expected),
                    }
                });
                prop_assert_eq!(done, holds);
                if holds {
                    model = next;
                }
                for row in 0..6 {
                    let found = store.get(&key(&id(row))).await.unwrap();
                    let found = found.map(|found| (found.row["created_at"].clone(), found.version));
                    let expected =
                        model.get(&row).map(|(at, version)| (Value::Time(Time::from_millis(*at)), *version));
                    prop_assert_eq!(found, expected);
                }
            }
            Ok(())
        })
    };
    TestRunner::default().run(&deeds(), check).unwrap();
}
