//! What a deployment would do is asked of real `OpenTofu`, and nothing comes of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use flyc::artifact::{Artifact, EggConfig, RunnerType};
use orchestrator::{
    adapters::{
        clock::System,
        git::GitProgram,
        gitlab::{GitLabClient, Patience},
        queue::sqlite::Sqlite as Queued,
        store::sqlite::Sqlite,
    },
    app,
    domain::{Deadlines, PoolKind, Runner, RunnerId, State, StateMark, Time},
    metrics::Metrics,
    ports::{
        Ports,
        clock::Clock,
        store::{Query, Store, Table},
        tofu::Tofu,
    },
    records::{self, Care, EggRecord, Made, Record, RunnerRecord, Served},
    roles::{
        Context,
        worker::{self, Previewed},
    },
    seal::Seal,
    settings::{Intervals, NestSettings, Settings},
    wire::PlanPreview,
};
use polar_gosling_tests::need;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::bench::{Bench, options};

/// The egg that is looked at.
const EGG: &str = "docs";

/// The runners that may be there.
const IDS: [&str; 3] = ["docs-1", "docs-2", "docs-3"];

/// Everything but leases, which say only who looks.
const TABLES: [&str; 9] = [
    "runners",
    "eggs_config",
    "sync_history",
    "demand",
    "audit_logs",
    "deployment_plans",
    "nest",
    "runner_metrics",
    "deliveries",
];

fn settings(bench: &Bench) -> Settings {
    Settings {
        roles: BTreeSet::new(),
        data: bench.data(),
        listen: ([127, 0, 0, 1], 0).into(),
        url: "http://127.0.0.1:1/".parse().unwrap(),
        tls: None,
        nest: NestSettings {
            name: "nest".to_owned(),
            url: "/nonexistent".to_owned(),
            branch: "main".to_owned(),
            deploy_key: None,
            known_hosts: None,
            project: None,
            server: None,
            webhook_secret: None,
            api_token: None,
            variables: BTreeMap::new(),
        },
        clouds: orchestrator::settings::CloudSettings::default(),
        gitlab: BTreeMap::new(),
        tofu: None,
        gosling: Some(bench.gosling.clone()),
        variables: BTreeMap::new(),
        intervals: Intervals::default(),
        deadlines: Deadlines::default(),
        workers: 1,
        rate: (100, 100),
        proxies: Vec::new(),
        body_limit: 1 << 20,
        key_file: None,
        tokens: Vec::new(),
    }
}

/// The service over a bench, and its database.
fn context(bench: &Bench) -> (Context, Arc<Sqlite>) {
    let folder = bench.folder.path();
    let clock: Arc<dyn Clock> = Arc::new(System::default());
    let store = Arc::new(Sqlite::open(&folder.join("store.db"), flyc::compiler::tables()).unwrap());
    let ports = Ports {
        clock: clock.clone(),
        store: store.clone(),
        queue: Arc::new(Queued::open(&folder.join("queue.db"), clock).unwrap()),
        secrets: app::secrets_of(&bench.data(), None).unwrap(),
        gitlab: Arc::new(GitLabClient::new(BTreeMap::new(), Patience::default()).unwrap()),
        tofu: Arc::new(orchestrator::adapters::tofu::OpenTofu::new(options(folder, &folder.join("tofu")))),
        git: Arc::new(GitProgram::new(&bench.data())),
    };
    let context = Context {
        ports,
        settings: Arc::new(settings(bench)),
        seal: Seal::new(&[7; 32]),
        metrics: Metrics::new().unwrap(),
        instance: "one".into(),
        kept: orchestrator::roles::Kept::default(),
    };
    (context, store)
}

fn egg(bench: &Bench) -> EggRecord {
    let config = bench.folder.path().join("built/eggs").join(EGG).join("config.json");
    let config = EggConfig::from_json(&fs::read_to_string(config).unwrap()).unwrap();
    let now = Time::from_millis(1_000);
    EggRecord {
        next_number: 4,
        ..EggRecord::new(EGG, Served::Egg(Box::new(config)), &bench.bundles[EGG].digest, "c0ffee", now)
    }
}

/// A runner as the database may have it.
#[derive(Debug, Clone)]
struct Drawn {
    state: State,
    pool: PoolKind,
    made: Made,
    ending: bool,
}

impl Drawn {
    fn record(&self, id: &str, digest: &str) -> RunnerRecord {
        let now = Time::from_millis(1_000);
        let mut runner = Runner::new(RunnerId::new(id.to_owned()), EGG, RunnerType::Vm, digest, now);
        "local".clone_into(&mut runner.cloud);
        runner.state = self.state;
        runner.pool = self.pool;
        runner.ending = self.ending.then_some(now);
        RunnerRecord {
            runner,
            commit: "c0ffee".to_owned(),
            number: 1,
            system_id: None,
            managers: BTreeMap::new(),
            ticket: None,
            redeemed: None,
            credential: None,
            heard: (0, 0),
            revision: None,
            version: None,
            why: String::new(),
            care: Care { made: self.made, ..Care::default() },
            updated: now,
        }
    }

    /// Whether a deployment has it made, or leaves it.
    fn is_wanted(&self) -> bool {
        self.state != State::Terminated && !self.ending
    }
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let state = prop_oneof![
        Just(State::Provisioning),
        Just(State::Idle),
        Just(State::Busy),
        Just(State::Nadir),
        Just(State::Failed),
        Just(State::Terminated),
    ];
    let pool = prop_oneof![Just(PoolKind::Apex), Just(PoolKind::Nadir)];
    let made = prop_oneof![Just(Made::Not), Just(Made::Yes)];
    (state, pool, made, any::<bool>()).prop_map(|(state, pool, made, ending)| Drawn {
        state,
        pool,
        made,
        ending,
    })
}

/// All that is kept: rows, files of states, runners and bundles, and the mark of the state.
#[derive(Debug, PartialEq)]
struct Kept {
    rows: Vec<String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    state: StateMark,
}

async fn kept(bench: &Bench, store: &dyn Store) -> Kept {
    let mut rows = Vec::new();
    for table in TABLES {
        let all = Query {
            table: Table(table),
            index: None,
            partition: None,
            from: None,
            until: None,
            descending: false,
            limit: 1000,
            after: None,
        };
        rows.extend(store.query(&all).await.unwrap().rows.iter().map(|row| format!("{table} {row:?}")));
    }
    let mut files = BTreeMap::new();
    for part in ["states", "runners", "bundles"] {
        gather(&bench.data().join("tofu").join(part), &mut files);
    }
    // The folder that a state would come to is none.
    let states = bench.data().join("tofu/states");
    files.retain(|path, _| !(path.starts_with(&states) && path.is_dir()));
    Kept { rows, files, state: bench.adapter.state(EGG).await.unwrap() }
}

fn gather(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.insert(path.clone(), Vec::new());
            gather(&path, files);
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
}

/// The runners that are made or destroyed as a whole.
fn homes(preview: &PlanPreview, change: &str) -> BTreeSet<String> {
    let of = |address: &str| {
        let id = address.strip_prefix("module.runner[\"")?.strip_suffix("\"].terraform_data.home")?;
        Some(id.to_owned())
    };
    preview
        .changes
        .iter()
        .filter(|(_, what)| *what == change)
        .filter_map(|(address, _)| of(address))
        .collect()
}

async fn rewrite(store: &dyn Store, fleet: &BTreeMap<&str, Drawn>, digest: &str) {
    for id in IDS {
        let key = vec![orchestrator::ports::store::Value::Text(id.to_owned())];
        let known = records::get::<RunnerRecord>(store, key).await.unwrap();
        let record = fleet.get(id).map(|drawn| drawn.record(id, digest));
        let write = match (known, record) {
            (Some(known), Some(record)) => records::Versioned { record, version: known.version }.update(),
            (Some(known), None) => {
                let key = known.record.key();
                let key = orchestrator::ports::store::Key { table: RunnerRecord::TABLE, values: key };
                let expect = orchestrator::ports::store::Expect::Anything;
                orchestrator::ports::store::Write::Delete { key, expect }
            }
            (None, Some(record)) => records::insert(&record),
            (None, None) => continue,
        };
        store.commit(vec![write]).await.unwrap();
    }
}

/// Whatever fleet is there and whatever is wanted: what a deployment would do is told truly, and nothing is created or
/// modified by asking.
#[test]
fn property_24_dry_run_non_modification() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = need!(runtime.block_on(Bench::new(&[EGG])));
    let (context, store) = runtime.block_on(async {
        let (context, store) = context(&bench);
        store.commit(vec![records::insert(&egg(&bench))]).await.unwrap();
        (context, store)
    });
    let digest = bench.bundles[EGG].digest.clone();
    let fleet = proptest::collection::btree_map(proptest::sample::select(&IDS[..]), drawn(), 0..=3);
    // What is really there changes now and then only: it takes longest.
    let there = proptest::option::weighted(0.2, proptest::sample::subsequence(&IDS[..], 0..=3));
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let applied = std::cell::RefCell::new(BTreeSet::new());
    let done = runner.run(&(fleet, there), |(fleet, there)| {
        runtime.block_on(async {
            if let Some(there) = there {
                let asleep: Vec<_> = there.iter().map(|id| (*id, PoolKind::Nadir)).collect();
                bench.deploy(EGG, &asleep).await.unwrap();
                *applied.borrow_mut() = there.iter().map(|id| (*id).to_owned()).collect();
            }
            rewrite(&*store, &fleet, &digest).await;
            let before = kept(&bench, &*store).await;
            let Previewed::Plan(preview) = worker::preview(&context, EGG).await.unwrap() else {
                panic!("nobody else has the lease or the places");
            };
            prop_assert_eq!(&preview.error, &None);
            let wanted: BTreeSet<String> =
                fleet.iter().filter(|(_, drawn)| drawn.is_wanted()).map(|(id, _)| (*id).to_owned()).collect();
            let applied = applied.borrow().clone();
            prop_assert_eq!(homes(&preview, "create"), wanted.difference(&applied).cloned().collect());
            prop_assert_eq!(homes(&preview, "delete"), applied.difference(&wanted).cloned().collect());
            prop_assert_eq!(preview.runners.keys().cloned().collect::<BTreeSet<_>>(), wanted);
            prop_assert_eq!(kept(&bench, &*store).await, before);
            Ok(())
        })
    });
    done.unwrap();
    let verbs = bench.verbs();
    assert!(verbs.iter().filter(|verb| *verb == "plan").count() >= usize::try_from(cases).unwrap());
}
