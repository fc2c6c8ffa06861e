//! An export holds everything, and another database takes it as it was. Written against the port: a further backend gives a
//! way to open it.

use std::collections::BTreeMap;

use flyc::artifact::{ColumnType, Table as Definition};
use orchestrator::{
    domain::Time,
    ports::store::{Expect, Query, Row, Store, Table, Value, Write},
    records::{
        self, NestLink, NestRecord,
        dump::{self, DumpError, Export, Header},
    },
};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

/// Every table, as the store knows its name.
fn tables() -> Vec<(Table, Definition)> {
    flyc::compiler::tables()
        .into_iter()
        .map(|definition| (Table(String::leak(definition.name.clone())), definition))
        .collect()
}

fn documents() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn value(ty: ColumnType) -> BoxedStrategy<Value> {
    match ty {
        ColumnType::String => any::<String>().prop_map(Value::Text).boxed(),
        ColumnType::Int64 | ColumnType::Uint64 => any::<i64>().prop_map(Value::Int).boxed(),
        // A number that is none is no value to SQLite.
        ColumnType::Double => {
            let some = any::<f64>().prop_filter("no number", |number| !number.is_nan());
            prop_oneof![some, Just(f64::INFINITY), Just(f64::NEG_INFINITY)].prop_map(Value::Float).boxed()
        }
        ColumnType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        ColumnType::Timestamp => (0..=u64::try_from(i64::MAX).unwrap())
            .prop_map(|millis| Value::Time(Time::from_millis(millis)))
            .boxed(),
        ColumnType::Json => documents().prop_map(Value::Json).boxed(),
        ColumnType::Bytes => vec(any::<u8>(), 0..40).prop_map(Value::Bytes).boxed(),
    }
}

fn row(definition: &Definition) -> BoxedStrategy<Row> {
    let mut row = Just(Row::new()).boxed();
    for column in &definition.columns {
        let (name, is_key) = (column.name.clone(), definition.primary_key.contains(&column.name));
        let value = if is_key {
            value(column.ty).prop_map(Some).boxed()
        } else {
            proptest::option::of(value(column.ty)).boxed()
        };
        row = (row, value)
            .prop_map(move |(mut row, value)| {
                row.extend(value.map(|value| (name.clone(), value)));
                row
            })
            .boxed();
    }
    row
}

/// Rows of any table.
fn rows() -> impl Strategy<Value = Vec<(Table, Row)>> {
    let tables = tables();
    let one = (0..tables.len()).prop_flat_map(move |at| {
        let (table, definition) = tables[at].clone();
        row(&definition).prop_map(move |row| (table, row))
    });
    vec(one, 0..20)
}

/// Everything there is, by table and key.
async fn all(store: &impl Store) -> BTreeMap<String, Vec<Row>> {
    let mut found = BTreeMap::new();
    for (table, _) in tables() {
        let wanted = Query {
            table,
            index: None,
            partition: None,
            from: None,
            until: None,
            descending: false,
            limit: 1000,
            after: None,
        };
        let page = store.query(&wanted).await.unwrap();
        found.insert(table.0.to_owned(), page.rows.into_iter().map(|stored| stored.row).collect());
    }
    found
}

/// The rows of a database, those of the other, and where the file is changed.
type Drawn = (Vec<(Table, Row)>, Vec<(Table, Row)>, prop::sample::Index);

/// Whatever is in a database, another one has it after an export and an import; what was changed in between is refused.
pub(crate) fn comes_over<S: Store>(open: impl AsyncFn() -> S) {
    let definitions = flyc::compiler::tables();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (one, other) = runtime.block_on(async { (open().await, open().await) });
    let check = |(rows, before, at): Drawn| {
        runtime.block_on(async {
            one.restore(Vec::new()).await.unwrap();
            for (store, rows) in [(&one, rows), (&other, before)] {
                for (table, row) in rows {
                    let put = Write::Put { table, row, expect: Expect::Anything };
                    store.commit(vec![put]).await.unwrap();
                }
            }
            let wanted = all(&one).await;
            let header = Header::new("a test", Time::from_millis(1), "cHJvb2Y=".to_owned());
            let mut text = Vec::new();
            let counts = dump::export(&one, &definitions, &header, &mut text).await.unwrap();
            prop_assert_eq!(
                counts.values().sum::<u64>(),
                wanted.values().map(|rows| rows.len() as u64).sum::<u64>()
            );
            let export = Export::read(&text[..], &definitions).unwrap();
            prop_assert_eq!(&export.header, &header);
            other.restore(export.rows).await.unwrap();
            prop_assert_eq!(all(&other).await, wanted, "nothing else is left, and nothing is missing");

            // Cut off anywhere, or with a byte changed: it is no export any more, and nothing of it is taken.
            let at = at.index(text.len());
            prop_assert!(Export::read(&text[..at], &definitions).is_err(), "cut off at {at}");
            let mut changed = text.clone();
            changed[at] ^= 1;
            prop_assert!(Export::read(&changed[..], &definitions).is_err(), "byte {at} is another");
            Ok(())
        })
    };
    TestRunner::default().run(&(rows(), rows(), any::<prop::sample::Index>()), check).unwrap();
}

/// A table that the installation gets later is not forgotten.
pub(crate) async fn every_table_is_in_it(store: &impl Store) {
    let definitions = flyc::compiler::tables();
    let header = Header::new("a test", Time::from_millis(1), String::new());
    let counts = dump::export(store, &definitions, &header, &mut Vec::new()).await.unwrap();
    let names: Vec<&String> = definitions.iter().map(|definition| &definition.name).collect();
    assert!(names.iter().all(|name| counts.get(*name) == Some(&0)), "{counts:?}");
}

/// A table may hold more than one kind of record: what the Nest has in GitLab stands beside the Nest.
pub(crate) async fn what_was_linked_is_taken(store: &impl Store) {
    let definitions = flyc::compiler::tables();
    let rows =
        vec![records::insert(&NestLink::default()), records::insert(&NestRecord::new(Time::from_millis(1)))];
    store.commit(rows).await.unwrap();
    let header = Header::new("a test", Time::from_millis(1), String::new());
    let mut text = Vec::new();
    dump::export(store, &definitions, &header, &mut text).await.unwrap();
    let export = Export::read(&text[..], &definitions).unwrap();
    assert_eq!(export.rows.len(), 2);
    export.check().unwrap();
}

/// What is refused, and what is said of it.
pub(crate) fn nonsense_is_named() {
    let definitions = flyc::compiler::tables();
    let read = |text: &str| Export::read(text.as_bytes(), &definitions).unwrap_err();
    let first = r#"{"gosling_export":1,"by":"a test","made":1,"proof":""}"#;
    assert!(matches!(read(""), DumpError::NoneSuch(_)));
    assert!(matches!(read("{}\n"), DumpError::NoneSuch(_)));
    assert!(matches!(read("{\"gosling_export\":2}\n"), DumpError::Newer(2)));
    assert!(matches!(read(&format!("{first}\n")), DumpError::CutOff));
    for (row, said) in [
        (r#"{"table":"cows","row":{}}"#, "no table `cows`"),
        (r#"{"table":"runners","row":{}}"#, "without its `runner_id`"),
        (r#"{"table":"runners","row":{"runner_id":1}}"#, "`runner_id` of `runners` holds something else"),
        (r#"{"table":"runners","row":{"runner_id":"a","legs":4}}"#, "no column `legs`"),
    ] {
        let error = read(&format!("{first}\n{row}\n")).to_string();
        assert!(error.starts_with("line 2 of the export: ") && error.contains(said), "{error}");
    }
}
