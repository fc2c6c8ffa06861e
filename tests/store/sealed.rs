//! What is sensitive is sealed before it gets to the database: its files hold nothing of it.

use std::collections::{BTreeMap, HashSet};

use orchestrator::{
    adapters::store::sqlite::Sqlite,
    domain::{Fence, Plan, PlanStatus, StateMark, Time},
    ports::store::{Store, Value},
    records::{self, PlanKind, PlanRecord},
    seal::Seal,
};
use proptest::{collection::vec, prelude::*};
use tempfile::TempDir;

fn record(id: &str, sealed: Vec<u8>) -> PlanRecord {
    PlanRecord {
        plan: Plan {
            id: id.to_owned(),
            egg: "egg".to_owned(),
            digest: "digest".to_owned(),
            commit: "commit".to_owned(),
            on: StateMark { lineage: "lineage".to_owned(), serial: 1 },
            fence: Fence(1),
            status: PlanStatus::Pending,
            made: Time::from_millis(1_780_000_000_000),
        },
        kind: PlanKind::Deploy,
        sealed,
        rollback_of: None,
        runners: BTreeMap::new(),
        changes: BTreeMap::new(),
        outputs: BTreeMap::new(),
        applied: None,
        error: None,
    }
}

/// Whether a part of a text stands in another.
fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn property_34_data_encryption_at_rest(binary in vec(any::<u8>(), 8..2000), key in any::<[u8; 32]>()) {
        let folder = TempDir::new().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let store = Sqlite::open(&folder.path().join("store.sqlite"), flyc::compiler::tables()).unwrap();
            let seal = Seal::new(&key);
            let place = "deployment_plans/plan-1/plan_binary";
            let sealed = seal.seal(&binary, place).unwrap();
            store.commit(vec![records::insert(&record("plan-1", sealed.clone()))]).await.unwrap();
            // The database and the journal beside it.
            let mut files = Vec::new();
            for entry in std::fs::read_dir(folder.path()).unwrap() {
                files.extend(std::fs::read(entry.unwrap().path()).unwrap());
            }
            // It is looked for in the right place: the sealed form is there, in one piece or, when it is long, in several.
            prop_assert!(has(&files, &sealed[..16]));
            let parts: HashSet<&[u8]> = binary.chunks_exact(8).collect();
            prop_assert!(!files.windows(8).any(|window| parts.contains(window)), "eight bytes of the plan");
            let found = records::get::<PlanRecord>(&store, vec![Value::Text("plan-1".to_owned())]).await.unwrap();
            prop_assert_eq!(&seal.open(&found.unwrap().record.sealed, place).unwrap(), &binary);
            Ok(())
        })?;
    }
}
